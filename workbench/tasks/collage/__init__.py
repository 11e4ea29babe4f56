"""The drawn world: scenes with exact labels, and questions with exact answers.

Files:
    answerable.py   which questions a scene has a clear answer to
    backgrounds.py  drawn backgrounds
    catalogue.py    what can stand in a collage
    geometry.py     which relations hold in a scene clearly enough to ask about them
    knowledge.py    facts about the categories that a picture does not show
    perception.py   questions about what is where, for the student
    phrasings.py    the wordings of questions, in two disjoint sets
    pictures.py     pictures of scenes
    questions.py    questions about a scene with exact answers
    scene.py        scenes: what stands where in a collage, from a split's name and an index alone
"""
