"""The drawn world: scenes with exact labels, and questions with exact answers.

Files:
    answerable.py   which questions a scene has a clear answer to
    backgrounds.py  drawn backgrounds
    catalogue.py    what can stand in a collage
    geometry.py     which relations hold in a scene, and whether they hold clearly enough to ask about
    knowledge.py    what everybody knows about the categories: facts that a picture does not show
    perception.py   questions about what is seen and where, for the student
    phrasings.py    the wordings of questions, in two disjoint sets
    pictures.py     pictures of scenes
    questions.py    questions about a scene with exact answers
    scene.py        scenes: what stands where in a collage, made from a split's name and an index alone
"""
