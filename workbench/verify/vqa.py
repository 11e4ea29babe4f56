"""VQA scoring: the leave-one-out score, and A-OKVQA's direct answers.

Source: `vqaEval.py` of GT-Vision-Lab/VQA (`evaluate`), described in our own words; Antol et al.
2015 and Goyal et al. 2017 for the score; Schwenk et al. 2022 for A-OKVQA.  Everything here is a
pure function of text.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.verify.normalise import Mode, clean, normalise


def matches(answer: str, answers: Sequence[str], mode: Mode = "always") -> list[bool]:
    """For each annotator's answer, whether the answer equals it after normalisation.

    Args:
        answer: the answer to judge.
        answers: one per annotator.
        mode: see `normalise`.
    """
    if mode == "official" and len({clean(gold) for gold in answers}) <= 1:
        return [clean(gold) == clean(answer) for gold in answers]
    plain = normalise(answer)
    return [normalise(gold) == plain for gold in answers]


def leave_one_out(hits: Sequence[bool]) -> float:
    """The soft score: the mean over annotators of min(1, matches among the OTHERS / 3).

    With ten annotators 0, 1, 2, 3 and at least 4 matches give 0, .3, .6, .9 and 1; no annotators
    give 0.
    """
    if not hits:
        return 0.0
    total = sum(hits)
    return sum(min(3, total - hit) for hit in hits) / (3 * len(hits))


def vqa_score(answer: str, answers: Sequence[str], mode: Mode = "always") -> float:
    """VQAv2 and OK-VQA accuracy of one answer against its annotators' answers, 0 to 1.

    Args:
        answer: the answer to judge.
        answers: one per annotator.
        mode: see `normalise`.
    """
    return leave_one_out(matches(answer, answers, mode))


def aokvqa_score(answer: str, answers: Sequence[str]) -> float:
    """A-OKVQA's score of a direct answer: min(1, exact matches / 3), without normalisation.

    Questions marked `difficult_direct_answer` are dropped by the benchmark; that is the caller's
    business.
    """
    return min(1.0, sum(gold == answer for gold in answers) / 3)
