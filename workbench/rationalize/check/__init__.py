"""The faithfulness check: whether everything that a rationale says occurs in its trace.

Files:
    bare.py        whether a rationale says no more than the answer
    directions.py  words that point one way, each with axis and direction
    facts.py       what a run says of directions, numbers and properties
    faithful.py    the faithfulness check
    left_out.py    whether a rationale leaves out what the answer rests on
    stop_words.py  words that a rationale may use without naming anything
    support.py     what a trace supports
    turned.py      whether a clause has what the trace says turned round
    which_picture.py  which of several pictures a sentence speaks of, and whether rightly so
"""
