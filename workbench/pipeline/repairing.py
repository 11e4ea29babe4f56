"""What follows from the run of a program that a person repaired: it is verified against the label
and told in prose at once, by the same parts as the loop's own runs.

The loop's figures are over sampled programs, so that a repaired one counts in none of them.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.pipeline.parts import Parts
from workbench.records import Program, Rationale, Task, Trace, Verdict
from workbench.store import Project


def judge(parts: Parts, task: Task, program: Program, trace: Trace) -> Verdict | None:
    """Whether the run is right, by the label; None without a label or an answer.

    It is never the run that is kept: that is chosen among the sampled ones.

    Args:
        parts: has the verifier.
        task: the question.
        program: the repaired program.
        trace: its run.
    """
    if not task.labelled or trace.answer is None:
        return None
    (verdict,) = parts.verifier.judge(task, [(program, trace)])
    return replace(verdict, chosen=False)


def tell(parts: Parts, task: Task, program: Program, trace: Trace) -> Rationale | None:
    """The run in prose; None without an answer.

    Args:
        parts: has the writer.
        task: the question.
        program: the repaired program.
        trace: its run.
    """
    if trace.answer is None:
        return None
    (rationale,) = parts.writer.write([(task, program, trace)])
    return rationale


def store(project: Project, parts: Parts, task: Task, program: Program, trace: Trace) -> None:
    """Store the run of a repaired program with its verdict and its rationale.

    Args:
        project: open for writing; it has the program already.
        parts: verifier and writer.
        task: the question.
        program: the repaired program.
        trace: its run.
    """
    verdict = judge(parts, task, program, trace)
    rationale = tell(parts, task, program, trace)
    project.add_traces([trace])
    if verdict is not None:
        project.add_verdicts([[verdict]])
    if rationale is not None:
        project.add_rationales([rationale])
