"""The Python that programs may use, and what makes it equal CPython's.

A program either has the result and the tool calls that CPython would give it, or it is refused with
the name and the line of what the sandbox lacks.  `tables.py` documents where that promise ends: its
docstring says what a program gets where Python itself has no single answer (the order of a set,
`is` between equal texts, the wording of errors), and lists the few known differences that are
neither refused nor mended.  Its tables name every builtin, module and method that programs may use.

A program passes `check`, then `same_as_python`, `desugar` and `instrument`, in this order.

Files:
    check.py           what a program's source may contain; refused with name and line
    desugar.py         rewrites what the sandbox lacks or does differently from Python
    header.py          what execute_command is called with
    instrument.py      makes the program report each line, branch and call
    library.py         modules whose functions are the prelude's
    monty/             the part of the language that is written in itself
    new_nodes.py       nodes that the rewriting puts in
    node_kinds.py      what is certain of a syntax node
    prelude.py         the patch API inside the sandbox (text for it, never imported)
    refused.py         the error that a program is refused with
    regular.py         regular expressions, read by Python's parser
    same_as_python.py  rewrites what Monty gives another value than Python, without an error
    scopes.py          which names of a program are its own
    stand_ins.py       lambdas that stand in for methods taken as values
    survey.py          what same_as_python has to know of a whole program
    tables.py          what of Python a program may use, and where it differs from Python
"""
