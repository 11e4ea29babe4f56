"""

Files:
    aokvqa.py       A-OKVQA
    bundled.py      the tasks that ship: collages and photographs
    collage/        the drawn world: scenes with exact labels, and questions with exact answers
    fields.py       fields of a data set's rows, checked
    folder.py       a folder of your own
    gqa.py          GQA
    hateful.py      Hateful Memes
    json_stream.py  entries of large files, one at a time: JSON arrays, objects and lines in bounded memory
    mmbench.py      MMBench
    official.py     benchmarks in their official files: what every importer shares
    pope.py         POPE
    rows.py         rows of task files: a task as JSON and back, and rows that could not be taken
    tallyqa.py      TallyQA
    vqa.py          VQAv2 and OK-VQA
"""
