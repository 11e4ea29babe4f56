"""What each command of `vpd` takes, a file for each group of `vpd --help`.

What a command does stands in a module of `workbench.cli` that is imported when the command runs.
A command's docstring and its options' help texts are what `vpd COMMAND --help` and
docs/commands.md show.

Files:
    loop.py      Loop: from a picture and a question to verified rationales
    look.py      Look: pages, lists, SQL and notebooks over a project
    curation.py  Curate: people's decisions, their guidelines and their ratings
    training.py  Train: snapshots, exports and training jobs
    measures.py  Measure: figures, comparisons and checks
    upkeep.py    Keep: backups and the invariants of a project
"""
