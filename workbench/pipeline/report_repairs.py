"""The figures of programs that were written again: how many answer now, how many are right, and how
many of these for the wrong reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.sample.again import EMPTY
from workbench.shares import Share, pass_at_k
from workbench.store import Outcome, Project, Scope, Selection
from workbench.store.reading.repairs import RepairRow, checked_runs, repair_rows


@dataclass(frozen=True, slots=True)
class RepairShares:
    """What writing again brought."""

    rounds: int
    """Rounds of the program that was written again most often."""
    programs: int
    """Programs that were written again, all rounds together."""
    answered: Share
    """Sampled programs whose last rewriting ended with an answer, of those written again."""
    right: Share
    """Sampled programs of labelled questions whose last rewriting is right, of those written
    again.
    """
    rescued: Share
    """Labelled questions that had no right program before and have one now, of the labelled
    questions with a program that was written again.
    """
    wrong_reason: Share
    """Right rewritings that the checks flag, of those checked."""
    wrong_reason_sampled: Share
    """Right sampled programs that the checks flag, of those checked, to compare."""
    passed: Mapping[int, Share]
    """pass@1 and pass@k where the last rewriting stands in for the program it was written after."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; each share with its numerator, denominator and interval."""
        shares = {
            "answered": self.answered,
            "right": self.right,
            "rescued": self.rescued,
            "wrong_reason": self.wrong_reason,
            "wrong_reason_sampled": self.wrong_reason_sampled,
            **{f"pass@{k}": share for k, share in self.passed.items()},
        }
        return {
            "rounds": self.rounds,
            "programs": self.programs,
            **{name: share.to_json() for name, share in shares.items()},
        }


def repair_shares(
    project: Project, scope: Scope, selection: Selection, outcomes: Sequence[Outcome]
) -> RepairShares | None:
    """The figures; None where nothing was written again.

    Args:
        project: any project.
        scope: the parts to count.
        selection: the tasks to count.
        outcomes: what came of these tasks.
    """
    rows = repair_rows(project.database, scope, selection, EMPTY)
    if not any(row.parent for row in rows):
        return None
    checked = checked_runs(project.database, scope, selection)
    return _shares(_lines(rows), outcomes, scope.k, Share(checked.flagged, checked.checked))


def _lines(rows: Sequence[RepairRow]) -> list[list[RepairRow]]:
    """Each sampled program with what was written after it, round by round.

    What was written after a program that answers by now, as after an edited tool, is left out.
    """
    later = {row.parent: row for row in rows if row.parent}
    lines = []
    for row in rows:
        if row.parent is not None or row.answered is not False:
            continue
        line = [row]
        while line[-1].program in later and line[-1].answered is False:
            line.append(later[line[-1].program])
        if len(line) > 1:
            lines.append(line)
    return lines


def _shares(
    lines: Sequence[Sequence[RepairRow]], outcomes: Sequence[Outcome], k: int, sampled: Share
) -> RepairShares:
    run = [line for line in lines if line[-1].answered is not None]
    labelled = [line for line in run if line[0].labelled]
    more: Counter[str] = Counter()
    for line in labelled:
        more[line[0].task_id] += bool(line[-1].correct) - bool(line[0].correct)
    judged = {o.task_id: o for o in outcomes if o.labelled and o.status != "waiting"}
    rounds = [len(line) - 1 for line in lines]
    return RepairShares(
        rounds=max(rounds, default=0),
        programs=sum(rounds),
        answered=Share(sum(bool(line[-1].answered) for line in run), len(run)),
        right=Share(sum(bool(line[-1].correct) for line in labelled), len(labelled)),
        rescued=_rescued(judged, more),
        wrong_reason=_wrong_reason(lines),
        wrong_reason_sampled=sampled,
        passed={size: _passed(list(judged.values()), more, size) for size in {1: 1, k: k}},
    )


def _rescued(judged: Mapping[str, Outcome], more: Mapping[str, int]) -> Share:
    """Questions that have their first right program by now, of those with one written again.

    Args:
        judged: labelled questions by id.
        more: right programs that each has more, or less, than before.
    """
    tried = [task for task in more if task in judged]
    return Share(sum(not judged[task].correct and more[task] > 0 for task in tried), len(tried))


def _wrong_reason(lines: Sequence[Sequence[RepairRow]]) -> Share:
    """Right rewritings that are flagged, of those that were checked."""
    right = [row for line in lines for row in line[1:] if row.correct]
    flags = [row.flagged for row in right if row.flagged is not None]
    return Share(sum(flags), len(flags))


def _passed(judged: Sequence[Outcome], more: Mapping[str, int], size: int) -> Share:
    """pass@size with what writing again brought.

    Args:
        judged: labelled questions.
        more: right programs that each has more, or less, than before.
        size: how many programs are drawn.
    """
    hits = sum(pass_at_k(o.judged, o.correct + more[o.task_id], size) for o in judged)
    return Share(hits, len(judged))
