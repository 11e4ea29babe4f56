"""

Files:
    backgrounds.py  drawn backgrounds
    bundle.py       writes the bundled collages
    bundled.py      the tasks that ship: collages and photographs
    catalogue.py    what can stand in a collage
    collages.py     pictures of scenes
    drafts.py       which questions a scene has a clear answer to
    folder.py       a folder of your own
    geometry.py     which relations hold in a scene, and whether they hold clearly enough to ask about
    knowledge.py    what everybody knows about the categories: facts that a picture does not show
    perception.py   questions about what is seen and where, for the student
    phrasings.py    the wordings of questions, in two disjoint sets
    questions.py    questions about a scene with exact answers
    rows.py         rows of task files: a task as JSON and back, and rows that could not be taken
    scene.py        scenes: what stands where in a collage, made from a split's name and an index alone
"""
