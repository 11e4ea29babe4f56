"""The credit of a run's tool calls as the weight of its example in training: a selector."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import ProfileError
from workbench.recipes.ports import RowWeight, SelectorNeed, SnapshotRow
from workbench.records import PartRef


class StepCredit:
    """Weighs a row by the mean credit of its run's tool calls (see `credit`).

    Args:
        least: rows with less credit are left out.
        unknown: weight of a row of whose calls nothing is known.
    """

    needs: frozenset[SelectorNeed] = frozenset({"credit"})

    def __init__(self, least: float = 0.0, unknown: float = 0.5) -> None:
        for name, value, low in (("least", least, -1.0), ("unknown", unknown, 0.0)):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not low <= value <= 1:
                raise ProfileError(
                    f"step_credit needs {name} as a number from {low:g} to 1, found {value!r:.40}"
                )
        self._least, self._unknown = float(least), float(unknown)
        arguments = {"least": self._least, "unknown": self._unknown}
        self.ref = PartRef("selector", "step_credit", arguments=arguments)

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """The credit of each row; 0 where it is too little, or the run has a wrong step."""
        return [self._weight(row.credit) for row in rows]

    def _weight(self, credit: float | None) -> RowWeight:
        if credit is None:
            reason = "" if self._unknown else "step_credit: nothing is known of its tool calls"
            return RowWeight(self._unknown, reason)
        if credit < self._least or credit <= 0:
            return RowWeight(0.0, "step_credit: its tool calls have too little credit")
        return RowWeight(credit)
