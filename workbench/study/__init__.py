"""Questions about a whole project: evaluations, results, studies, probes, checks, the 2x2 table.

Files:
    answering.py     students by name, their answers and their times
    by_recipe.py     published methods beside the plain way of teaching
    checking.py      checks of kept runs for wrong reasons, blame of wrong runs, measures of checks
    choosing.py      settings of a study's arms, chosen on validation questions
    criticising.py   a critic of what people accept, measured before it orders the queue
    derived.py       snapshots that a study makes for itself
    differences.py   paired differences of systems, overall and by family
    distillation.py  what distillation buys: one study
    evaluate.py      how good a system is on a set of questions, as rows of the store
    judging.py       people's blind ratings, measured by a probe
    limited.py       a few labels, and what programs give where there is none
    missing.py       what an evaluation lacks, in words: missing answers, answers that were cut
    noise.py         rationales made wrong on purpose
    plan.py          what a study trains: arms and settings
    probing.py       probes of students over a project's questions, which can be continued
    results.py       all systems on the same questions in one table
    transfer.py      stored evaluations side by side, measured by a probe
    two_by_two.py    pipeline against student: the 2x2 table, McNemar's p, slices
    variants.py      plans on snapshots made for the study
"""
