"""The faithfulness check: whether everything that a rationale says occurs in its trace.

Files:
    bare.py        whether a rationale says no more than the answer
    faithful.py    the faithfulness check
    stop_words.py  words that a rationale may use without naming anything
    support.py     what a trace supports
"""
