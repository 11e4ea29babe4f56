"""Plain facts about the runs of a question, and which decisions teach what people accept."""

from __future__ import annotations

from workbench.store.people.reviewing import ALONE

FACTS = {
    "correct": "coalesce(correct / nullif(judged, 0), 0)",
    "executed": "coalesce(executed / nullif(programs, 0), 0)",
    "siblings": "coalesce(siblings, 0)",
    "apart": "coalesce(apart, 0)",
    "answered": "(student_answer IS NOT NULL)::DOUBLE",
    "steps": "ln(1 + coalesce(steps, 0))",
    "seconds": "ln(1 + greatest(coalesce(seconds, 0), 0))",
    "tools": "greatest(length(tools) - length(replace(tools, '|', '')) - 1, 0)::DOUBLE",
    "faithful": "coalesce(faithful, false)::DOUBLE",
    "told": "(faithful IS NOT NULL)::DOUBLE",
    "labelled": "labelled::DOUBLE",
}
"""`predict.FEATURES` over the columns of `outcome`."""

SETTLED = f"""
    state IN ('accepted', 'rejected', 'adjudicated') AND (
        state = 'adjudicated' OR gold IS NOT NULL OR task_id IN (
            SELECT task_id FROM standing
            WHERE kind IN ('accept', 'reject') AND seq IN {ALONE}
        )
    )"""
"""Items of `curated` that teach.  Those decided in batches alone do not: nobody looked at each."""
