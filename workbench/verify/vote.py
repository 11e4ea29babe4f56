"""The vote: which program's answer stands for all programs of a question.

Verifier, evaluation, tables and store share this one rule.  Answers that mean the same under the
question's type share their canonical form (see `answers.canonical`) and count as one.  The rule is
self-consistency (Wang et al. 2023, arXiv 2203.11171): the most frequent answer wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def vote(forms: Sequence[str | None], scores: Sequence[float]) -> int | None:
    """The place of the program whose answer stands for all.

    Of the programs with the most frequent form it is the one that the sampler found most probable,
    of equals the one sampled first; between equally frequent forms the same two decide.  The label
    plays no part.  The view of the store (`store/reading/outcome.py`) says the same in SQL, for
    millions of questions at once.

    Args:
        forms: for each program in order of sampling, the canonical form of its answer; None where
            it failed.
        scores: for each program, its score by the sampler.

    Returns:
        A place in `forms`; None where every program failed.
    """
    sizes = Counter(forms)
    places = [at for at, form in enumerate(forms) if form is not None]
    return max(places, key=lambda at: (sizes[forms[at]], scores[at], -at), default=None)
