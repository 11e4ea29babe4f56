"""Which answers are right, what the programs of a question say together, and which program is kept.

Files:
    answers.py    is this answer right, by its type; the one form of all ways of writing it
    choose.py     verdicts, and which program is kept
    judge.py      a language model on wording
    normalise.py  the VQA normalisation
    vote.py       whose answer stands for all programs of a question
    vqa.py        VQA soft scores
"""
