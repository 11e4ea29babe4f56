"""Claims as prose: how things are named, sentences, and the conclusion.

Files:
    conclude.py  the last sentence
    naming.py    how things are named, each clearly and no box twice
    tell.py      claims as sentences
"""
