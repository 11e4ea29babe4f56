"""The faithfulness check: whether everything that a rationale says occurs in its trace.

Files:
    faithful.py    the faithfulness check
    stop_words.py  words that a rationale may use without naming anything
    support.py     what a trace supports
"""
