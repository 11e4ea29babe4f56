"""

Files:
    choose.py   verdicts, and which program is kept
    compare.py  is this answer right, by its type
    figures.py  pass@k and yield with denominators
    judge.py    a language model on wording
    vqa.py      VQA normalisation and soft scores
"""
