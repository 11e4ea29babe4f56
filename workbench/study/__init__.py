"""What is asked about a project: evaluations, results, studies, probes, checks, the 2x2 table.

Files:
    answering.py     students by name, asked what they have not answered yet, and timed
    checking.py      kept runs checked for wrong reasons, wrong ones blamed, the checks measured
    distillation.py  what distillation buys: one study
    evaluate.py      how good a system is on a set of questions, as rows of the store
    probing.py       probes of students over a project's questions, kept and gone on with
    results.py       all systems on the same questions in one table
    two_by_two.py    pipeline against student: the 2x2 table, McNemar's p, slices
"""
