"""Verdicts on the runs of one question: which are right, and which one is kept.

With a label (Hu et al. 2024, arXiv 2312.03052, section 3.1): a program is right when its answer
fits the label.  Which of the right ones is kept, `prefer` says: `probability` keeps the one that
the sampler scored highest, as the paper does; `evidence` keeps one that nothing speaks against
before one that does not, of these one that looked (see `workbench.evidence`), and of equals the
most probable.  Without a label
no answer is known to be right: the verdicts say how many of the executable programs AGREE, under
`method="agreement"`, and the program that wins their vote (see `vote`) is kept; `correct` then only
means "agrees".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from workbench import registry
from workbench.errors import ProfileError, RefusedRequest
from workbench.evidence import rank
from workbench.ports import LanguageModel
from workbench.records import PartRef, Program, Task, Trace, Verdict, content_key
from workbench.unanswered import answers_or_refusals, reason_line
from workbench.usage import Usage, total
from workbench.verify import judge
from workbench.verify.answers import SOFT_ANSWERS, Scored, canonical, quote, same, score
from workbench.verify.normalise import Mode
from workbench.verify.vote import vote
from workbench.verify.vqa import leave_one_out

Run = tuple[Program, Trace]
Pair = tuple[str, str]
"""An answer and a gold answer."""
Prefer = Literal["evidence", "probability"]
"""What decides which of several right runs is kept."""


class _Chooser:
    """Chooses among the right runs of a task.

    Args:
        prefer: what decides.
    """

    def __init__(self, prefer: Prefer) -> None:
        if prefer not in get_args(Prefer):
            raise ProfileError(
                f"prefer must be one of {', '.join(get_args(Prefer))}, found {prefer!r}"
            )
        self.prefer: Prefer = prefer

    @property
    def listens(self) -> bool:
        """Whether `choose` looks at what speaks against a run."""
        return self.prefer == "evidence"

    def choose(
        self, runs: Sequence[Run], verdicts: Sequence[Verdict], flagged: Collection[str]
    ) -> list[Verdict]:
        """The verdicts, with the run that is kept chosen anew among the right ones.

        Args:
            runs: the judged runs.
            verdicts: one for each run, in the same order.
            flagged: ids of the traces that the checks for wrong reasons speak against.
        """
        right = [at for at, verdict in enumerate(verdicts) if verdict.correct]
        if not right or not self.listens:
            return list(verdicts)
        kept = min(right, key=lambda at: _order(runs[at], flagged))
        against = sorted(trace.id for _, trace in runs if trace.id in flagged)
        return [
            replace(
                verdict,
                chosen=at == kept,
                id=content_key("chosen", verdict.id, against) if against else verdict.id,
            )
            for at, verdict in enumerate(verdicts)
        ]

    def _arguments(self) -> dict[str, str]:
        """What the part's reference says of the preference: nothing for the paper's own."""
        return {} if self.prefer == "probability" else {"prefer": self.prefer}


def _order(run: Run, flagged: Collection[str]) -> tuple[bool, int, float]:
    program, trace = run
    return trace.id in flagged, rank(trace.evidence), -program.score


class AnswerVerifier(_Chooser):
    """Compares each trace's answer with the task's label by the task's answer type.

    Args:
        threshold: least score that counts as correct; matters for soft scores only.
        mode: VQA normalisation, `always` or `official` (see `normalise`).
        prefer: which of several right runs is kept, by `evidence` or by `probability`.
    """

    def __init__(
        self, threshold: float = 0.5, mode: Mode = "always", prefer: Prefer = "probability"
    ) -> None:
        super().__init__(prefer)
        _check(threshold, mode)
        self.threshold = threshold
        self.mode: Mode = mode
        arguments = {"threshold": threshold, "mode": mode, **self._arguments()}
        self.ref = PartRef("verifier", "answers", "2", arguments)

    def judge(self, task: Task, runs: Sequence[Run]) -> list[Verdict]:
        """One verdict per run, in the runs' order; at most one run is kept (`Verdict.chosen`)."""
        if not task.labelled:
            return self.choose(runs, _agreement(task, runs, self.ref), ())
        scored = [_failed(trace) or score(task, trace.answer or "", self.mode) for _, trace in runs]
        return self.choose(runs, _verdicts(task, runs, scored, self.threshold, self.ref), ())


class JudgedVerifier(_Chooser):
    """An `AnswerVerifier` with a language model that judges wording ("mountain", "mountains").

    The model sees short phrase answers only, each different pair once per call; what
    `judge.worth_asking` rules out never reaches it.  Before its word counts it judges twelve pairs
    whose verdict is known: a small model calls everything the same, and would turn wrong programs
    into training data.

    A pair that the model's endpoint refuses stays as it was scored without a judge, and the verdict
    says so.

    Args:
        language: registered name of a language model, or one that is already built.
        certainty: least probability of "same" at which two wordings count as the same.
        control: least share of the control pairs that it must judge rightly; 0 trusts any model.
        threshold: least score that counts as correct; matters for soft scores only.
        mode: VQA normalisation, `always` or `official` (see `normalise`).
        prefer: which of several right runs is kept, by `evidence` or by `probability`.
        arguments: plain arguments of the language model.
    """

    def __init__(
        self,
        language: str | LanguageModel = "transformers",
        certainty: float = 0.5,
        control: float = 0.8,
        threshold: float = 0.5,
        mode: Mode = "always",
        prefer: Prefer = "probability",
        **arguments: Any,
    ) -> None:
        super().__init__(prefer)
        _check(threshold, mode)
        if not 0.0 < certainty <= 1.0:
            raise ProfileError(f"certainty must be above 0 and at most 1, found {certainty}")
        self.language: LanguageModel = (
            registry.build("language", language, **arguments)
            if isinstance(language, str)
            else language
        )
        self.certainty = certainty
        self.control = control
        self._controlled = control <= 0.0
        self._served = False
        self.threshold = threshold
        self.mode: Mode = mode
        self.ref = PartRef(
            "verifier",
            "judged",
            # 3: the judge reads the whole question
            f"3+{self.language.ref.version}",
            {
                "threshold": threshold,
                "mode": mode,
                "certainty": certainty,
                "control": control,
                **self._arguments(),
                "language": self.language.ref.name,
                **dict(self.language.ref.arguments),
            },
        )

    @property
    def usage(self) -> Usage:
        """What the judge's endpoint was asked; nothing for a model in this process."""
        return total([self.language])

    def judge(self, task: Task, runs: Sequence[Run]) -> list[Verdict]:
        """One verdict per run, in the runs' order; at most one run is kept (`Verdict.chosen`).

        Raises:
            EngineError: the model breaks, or its endpoint refuses all that it is asked.
            ProfileError: the model judges too few control pairs rightly, when it is first needed.
        """
        if not task.labelled:
            return self.choose(runs, _agreement(task, runs, self.ref), ())
        scored = [_failed(trace) or score(task, trace.answer or "", self.mode) for _, trace in runs]
        below = [
            at
            for at, (_, trace) in enumerate(runs)
            if trace.ok and trace.answer is not None and scored[at].score < self.threshold
        ]
        pairs = _pairs_to_judge(task, [runs[at][1].answer or "" for at in below])
        if pairs:
            self._check_judge()
            chance_of, refusals = self._chances(task, pairs)
            for at in below:
                answer = runs[at][1].answer or ""
                settled = self._settled(task, answer, scored[at], chance_of)
                scored[at] = _with_refusals(task, answer, settled, refusals)
        return self.choose(runs, _verdicts(task, runs, scored, self.threshold, self.ref), ())

    def _chances(
        self, task: Task, pairs: Sequence[Pair]
    ) -> tuple[dict[Pair, float], dict[Pair, RefusedRequest]]:
        """For each pair the probability that it says the same, or else why it was refused."""
        chances = answers_or_refusals(
            lambda some: judge.same_meaning(self.language, task.question, some), pairs, self._served
        )
        chance_of: dict[Pair, float] = {}
        refusals: dict[Pair, RefusedRequest] = {}
        for pair, chance in zip(pairs, chances, strict=True):
            if isinstance(chance, RefusedRequest):
                refusals[pair] = chance
            else:
                chance_of[pair] = chance
        self._served = self._served or bool(chance_of)
        return chance_of, refusals

    def _check_judge(self) -> None:
        if self._controlled:
            return
        share = judge.control_share(self.language, self.certainty)
        if share < self.control:
            raise ProfileError(
                f"the language model '{self.language.ref.name}' judges {share:.0%} of "
                f"{len(judge.CONTROL)} control pairs rightly, {self.control:.0%} are needed; "
                'use a larger one, or verifier = { part = "answers" }'
            )
        self._controlled = self._served = True

    def _settled(
        self, task: Task, answer: str, before: Scored, chance_of: Mapping[Pair, float]
    ) -> Scored:
        if not any((answer, gold) in chance_of for gold in task.answers):
            return before
        chances = [chance_of.get((answer, gold), 0.0) for gold in task.answers]
        alike = [
            chance >= self.certainty or same(answer, gold, task, self.mode)
            for chance, gold in zip(chances, task.answers, strict=True)
        ]
        soft = len(task.answers) >= SOFT_ANSWERS
        after = leave_one_out(alike) if soft else float(any(alike))
        best = max(range(len(chances)), key=chances.__getitem__)
        pair = f"{quote(answer)} for {quote(task.answers[best])} (certainty {chances[best]:.2f})"
        if after > before.score:
            return Scored(after, f"The judge takes {pair}.")
        return Scored(before.score, f"{before.reason} The judge does not take {pair}.")


def _with_refusals(
    task: Task, answer: str, scored: Scored, refusals: Mapping[Pair, RefusedRequest]
) -> Scored:
    """What is thought of an answer, with the reason why the judge says nothing of it to a label."""
    refused = [gold for gold in dict.fromkeys(task.answers) if (answer, gold) in refusals]
    if not refused:
        return scored
    pair = f"{quote(answer)} for {quote(refused[0])}"
    reason = reason_line(refusals[answer, refused[0]])
    return Scored(scored.score, f"{scored.reason} The judge did not answer on {pair}: {reason}")


def _pairs_to_judge(task: Task, answers: Sequence[str]) -> list[Pair]:
    """Each different pair of an answer and a gold answer that may differ in wording alone."""
    return [
        (answer, gold)
        for answer in dict.fromkeys(answers)
        for gold in dict.fromkeys(task.answers)
        if judge.worth_asking(task, answer, gold)
    ]


def _check(threshold: float, mode: str) -> None:
    if not 0.0 < threshold <= 1.0:
        raise ProfileError(f"threshold must be above 0 and at most 1, found {threshold}")
    if mode not in get_args(Mode):
        raise ProfileError(f"mode must be one of {', '.join(get_args(Mode))}, found {mode!r}")


def _failed(trace: Trace) -> Scored | None:
    if trace.failure is not None:
        where = f" in line {trace.failure.line}" if trace.failure.line is not None else ""
        what = quote(trace.failure.message, 120)
        kind = trace.failure.kind.replace("_", " ")
        if trace.failure.kind == "infra":
            return Scored(
                0.0, f"Not run to its end, not the program's fault ({what}); run it again."
            )
        return Scored(0.0, f"The program failed{where}, {kind}: {what}.")
    if trace.answer is None:
        return Scored(0.0, "The program ended without an answer.")
    return None


def _best(runs: Sequence[Run], among: Sequence[int]) -> int | None:
    # `max` gives the first of equals, so that ties go to the lowest place.
    return max(among, key=lambda at: runs[at][0].score, default=None)


def _verdicts(
    task: Task, runs: Sequence[Run], scored: Sequence[Scored], threshold: float, ref: PartRef
) -> list[Verdict]:
    correct = [
        result.score >= threshold and trace.ok and trace.answer is not None
        for result, (_, trace) in zip(scored, runs, strict=True)
    ]
    chosen = _best(runs, [at for at, right in enumerate(correct) if right])
    return [
        _verdict(task, runs, at, result, correct[at], at == chosen, "gold", ref)
        for at, result in enumerate(scored)
    ]


def _agreement(task: Task, runs: Sequence[Run], ref: PartRef) -> list[Verdict]:
    forms = [
        canonical(trace.answer, task) if trace.ok and trace.answer is not None else None
        for _, trace in runs
    ]
    chosen = vote(forms, [program.score for program, _ in runs])
    agreed = forms[chosen] if chosen is not None else None
    sizes = Counter(form for form in forms if form is not None)
    verdicts = []
    for at, ((_, trace), form) in enumerate(zip(runs, forms, strict=True)):
        scored = _failed(trace)
        if scored is None:
            size, every = sizes[form or ""], sizes.total()
            answer = quote(trace.answer or "")
            text = f"{size} of {every} executable programs say {answer}; there is no label."
            scored = Scored(size / every, text)
        right = form is not None and form == agreed
        verdicts.append(_verdict(task, runs, at, scored, right, at == chosen, "agreement", ref))
    return verdicts


def _verdict(
    task: Task,
    runs: Sequence[Run],
    at: int,
    scored: Scored,
    correct: bool,
    chosen: bool,
    method: str,
    ref: PartRef,
) -> Verdict:
    program, trace = runs[at]
    # Which run is kept depends on the task's label and on all its runs, so the key holds them.
    label = (task.answers, task.answer_type, task.choices)
    key = content_key("verdict", trace.id, label, [(p.id, p.score, t.id) for p, t in runs], ref)
    return Verdict(
        id=key,
        trace_id=trace.id,
        program_id=program.id,
        task_id=task.id,
        score=scored.score,
        correct=correct,
        chosen=chosen,
        method=method,
        reason=scored.reason,
        verifier=ref,
    )
