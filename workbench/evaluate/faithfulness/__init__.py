"""Whether a student's answer rests on its own rationale.

Files:
    corrupt.py      one fact of a rationale made wrong, and edits that should change nothing
    probe.py        does a student's answer rest on its own rationale
    read_answer.py  where a rationale's reasons end, and the answer that it states
"""
