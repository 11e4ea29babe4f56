"""The Python that programs may use, and what makes it equal CPython's.

Files:
    check.py           what a program's source may contain; refused with name and line
    desugar.py         rewrites what the sandbox lacks or does differently from Python
    instrument.py      makes the program report each line, branch and call
    monty/             the part of the language that is written in itself
    node_kinds.py      what a syntax node is for sure
    prelude.py         the patch API inside the sandbox (text for it, never imported)
    same_as_python.py  rewrites what Monty gives another value than Python, without an error
    tables.py          what of Python a program may use, as tables
"""
