"""Claims as prose: how things are named, sentences, and the conclusion.

Files:
    conclude.py  the last sentence
    naming.py    how things are named, each clearly and no box twice
    picture_steps.py  steps that made a picture
    tell.py      claims as sentences
"""
