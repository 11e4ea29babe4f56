"""The wing of published methods: one file for one paper, each a part that is chosen by name.

A recipe is a docstring with the paper's idea, a `CARD`, and one class or function with plain
arguments, registered under `workbench.<extension point>` in pyproject.toml like every other part.
The house knows recipes by the registry alone, and a recipe knows records, errors, ports and the
mathematics below, never the loop and never another recipe.

Files:
    card.py       what a card says of a recipe
    ports.py      the Protocols of the recipes' own extension points
    teaching.py   the Protocols of training: objective, teacher, policy, transform
    arguments.py  what people type, checked in words
    maths.py      formulas that three or more recipes share, for torch
    features.py   places of the picture in student and teacher
    mixtures.py   models by path, and mixtures of what they say
    peers.py      two students that learn from each other
    workshop.py   what a transform that learns is given, and how it learns
    knowledge.py  a memory of facts between a student's eyes and its words
    searching.py  which pages a search brings up
    views.py      one thing looked at more than once, and what the looks agree on
    steps.py      the question in words that a call of a tool answers
    critic/       how likely people are to accept a run
    memory/       corrections that come back into the prompt
    objective/    what the student is taught by, in training
    policy/       training by reward
    probe/        measurements with their intervals
    selector/     which rows of a snapshot count, and how much
    synthesizer/  new questions from pictures and traces
    teacher/      who teaches the student
    tool/         one more thing that programs may ask
    transform/    from one student to another
"""
