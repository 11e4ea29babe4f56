"""

Files:
    aokvqa.py       A-OKVQA
    backgrounds.py  drawn backgrounds
    bundled.py      the tasks that ship: collages and photographs
    catalogue.py    what can stand in a collage
    collages.py     pictures of scenes
    drafts.py       which questions a scene has a clear answer to
    entries.py      entries of large files, one at a time: JSON arrays, objects and lines in bounded memory
    fields.py       fields of a data set's rows, checked
    folder.py       a folder of your own
    geometry.py     which relations hold in a scene, and whether they hold clearly enough to ask about
    gqa.py          GQA
    hateful.py      Hateful Memes
    knowledge.py    what everybody knows about the categories: facts that a picture does not show
    mmbench.py      MMBench
    official.py     benchmarks in their official files: what every importer shares
    perception.py   questions about what is seen and where, for the student
    phrasings.py    the wordings of questions, in two disjoint sets
    pope.py         POPE
    questions.py    questions about a scene with exact answers
    rows.py         rows of task files: a task as JSON and back, and rows that could not be taken
    scene.py        scenes: what stands where in a collage, made from a split's name and an index alone
    tallyqa.py      TallyQA
    vqa.py          VQAv2 and OK-VQA
"""
