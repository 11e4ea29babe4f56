"""What people may decide about items, and what follows: rules without a store and a screen.

Files:
    agreement.py  Cohen's kappa with its n; automatic verdict against people
    budget.py     what to do next under a budget, and what its order saves
    change.py     what new events change: checked, added, folded
    fold.py       from events to states: what counts, what each reviewer says, what came of a task
    predict.py    which items will be accepted: a small logistic model
    queue.py      what a queue asks for and hands out; gold turns
    rating.py     blind pairs of models: which stands at which side
    rules.py      who may say what; every event is checked here
    session.py    what a reviewer did in one stretch of work
    settings.py   overlap, gold rate, leases, order
"""

from __future__ import annotations

from workbench.curate.change import apply

__all__ = ["apply"]
