"""Teachers: who teaches the student, one file for one paper.

Files:
    analytic_teacher.py  a program's number, and the numbers around it
    continual_pair.py    the student of the round before, and the one that it all began with
    ema_branch.py        a model whose weights follow the student's
    label_privileged.py  a teacher that may see a noisy answer
    routed_teachers.py   several teachers, for each question those that know it
    ta_residual.py       an assistant between teacher and student, and what it lacks
    task_experts.py      an expert for each kind of question
"""
