"""Sources of questions: the bundled ones, a folder of your own, and benchmarks in official files.

Files:
    aokvqa.py       A-OKVQA
    bundled.py      the tasks that ship: collages and photographs
    collage/        the drawn world: scenes with exact labels, and questions with exact answers
    columns.py      what the columns of a table hold, and what a misspelt one was meant to be
    csv_table.py    records of CSV files, with stray quotes
    fields.py       readers for the fields of a data set's rows
    folder.py       a folder of your own
    gqa.py          GQA
    hateful.py      Hateful Memes
    json_stream.py  entries of large JSON and JSON Lines files, one at a time in bounded memory
    mmbench.py      MMBench
    nlvr2.py        NLVR2
    official.py     the part that all importers of official files share
    pictures.py     pictures that a row names, and spellings of their names
    pope.py         POPE
    rows.py         rows of task files: a task as JSON and back, and rows that are left out
    tallyqa.py      TallyQA
    vqa.py          VQAv2 and OK-VQA
"""
