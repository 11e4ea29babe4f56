"""Following a trace through its program: every claim that the run supports.

Files:
    builtin_calls.py  builtins and functions of the API of one argument
    calls.py        calls in a followed program
    evidence.py     what the answer of a run rests on
    expressions.py  expressions of a followed program, and what they mean in the picture
    follow.py       follows a trace through its program
    frames.py       the state of a followed program: frames, and what loops gather in variables
    narrowing.py    what a condition says of the things that it tests
    reading.py      a trace's events in the form that the follower needs
    source.py       a program's statements by line, and what stands inside what
    tool_calls.py   from one tool call and its result to a claim
"""
