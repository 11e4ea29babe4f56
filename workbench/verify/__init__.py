"""Which answers are right, which answer a question's programs give, and which program is kept.

Files:
    answers.py        whether an answer is right by its type; the one form of all ways of writing it
    choose.py         verdicts, and which program is kept
    form.py           one form for all ways of writing a free answer, with its signs
    judge.py          a language model on wording
    normalise.py      the VQA normalisation
    vote.py           which program's answer stands for all programs of a question
    vqa.py            VQA soft scores
    whole_numbers.py  the whole number that a text states, in digits or words
"""
