"""Whether an answer is right: pure comparators by answer type.

An answer is text from a program or a model and may be anything; the readers below (`yes_no`,
`integer`, `choice`) give what the text says, or None where it says nothing definite.  `score` puts
them together for a task.  Singular and plural are different words here: wording is a judge's
business (`judge`).  These comparators decide which programs are KEPT (Hu et al. 2024, arXiv
2312.03052, section 3.1); they are lenient about form ("3 dogs" is 3), unlike the benchmarks' own
scorers, of which `vqa` holds two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.english import value as number_value
from workbench.records import Task
from workbench.verify.normalise import Mode, clean, normalise
from workbench.verify.vqa import aokvqa_score, leave_one_out

MAX_ANSWER = 2000
"""Most characters of an answer; a longer text does not answer a question about a picture."""

SOFT_ANSWERS = 10
"""From this number of gold answers on they are annotators' votes (VQA).

Fewer are alternatives, each of which is fully right.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """How well an answer fits, and why."""

    score: float
    """How well it fits, 0 to 1."""
    reason: str
    """The reason as one sentence for people."""


_YES = frozenset({"yes", "true", "yeah", "yep"})
_NO = frozenset({"no", "false", "nope"})
_WORD = re.compile(r"[a-z0-9']+")
_NO_IDIOMS = frozenset({"one", "idea", "doubt", "matter"})
"""After "no" these make another word: "no one", "no idea"."""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").lower().strip()


def yes_no(text: str) -> bool | None:
    """Whether an answer says yes: its first word decides (`True`, "No."); None if that is unclear.

    >>> yes_no("True"), yes_no("No, there is none."), yes_no("yes or no"), yes_no("maybe")
    (True, False, None, None)
    """
    words = _WORD.findall(_plain(text[:MAX_ANSWER]))
    if not words or words[0] not in _YES | _NO:
        return None
    if len(words) > 2 and words[1] in {"or", "and"} and words[2] in _YES | _NO:
        return None
    if words[0] == "no" and len(words) > 1 and words[1] in _NO_IDIOMS:
        return None
    return words[0] in _YES


_NONE = frozenset({"none", "nothing", "no", "nobody"})
_NUMBER = re.compile(
    r"(?<![\w.,/:])(?P<digits>[-−]?\d{1,3}(?:,\d{3})+(?:\.0+)?|[-−]?\d{1,18}(?:\.0+)?)"
    r"(?![\w%:/]|[.,]\d)"
    r"|(?P<number>[-−]?\d[\w.,:/]*)"
    r"|(?P<word>[a-z']+(?:-[a-z]+)?)",
    re.ASCII,
)


def integer(text: str) -> int | None:
    """The one whole number in an answer, in digits or words; None where there is not exactly one.

    >>> integer("3 dogs"), integer("3.0"), integer("twenty-one"), integer("no dogs")
    (3, 3, 21, 0)
    >>> integer("3 of 5") is None
    True
    """
    numbers: set[int] = set()
    for match in _NUMBER.finditer(_plain(text[:MAX_ANSWER])):
        if match["digits"]:
            numbers.add(int(match["digits"].replace(",", "").replace("−", "-").split(".")[0]))
        elif match["number"]:
            return None  # 3.5, 12:30, 2nd, 1/2, 30 % and more than 18 digits are not counts.
        else:
            value = 0 if match["word"] in _NONE else number_value(match["word"])
            if value is not None:
                numbers.add(value)
    return numbers.pop() if len(numbers) == 1 else None


_LETTER = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+|right\s+|final\s+)?(?:answer|option|choice)(?:\s+is)?\s*:?\s*)?"
    r"[(\[]?(?P<letter>[a-z])(?:[)\].:](?=\s|$)|[)\]]|$)[.:)]*\s*(?P<rest>.*)",
    re.DOTALL,
)


def choice(text: str, options: Sequence[str]) -> int | None:
    """Index of the option that an answer names, or None where it names none or several.

    In order: the option's own text; its letter ("B", "(b)", "b.", "Answer: B", also "B. red" where
    the text agrees); the one option whose text occurs in the answer as whole words and not inside a
    longer option.

    >>> choice("(b)", ["cat", "dog"]), choice("It is a dog.", ["cat", "dog"])
    (1, 1)
    >>> choice("cat or dog", ["cat", "dog"]) is None
    True
    """
    if len(text) > MAX_ANSWER:
        return None
    texts = [normalise(option) for option in options]
    plain = normalise(text)
    same = [i for i, option in enumerate(texts) if option == plain and option]
    if not same:
        # Options such as "a" normalise to nothing.
        same = [i for i, option in enumerate(options) if option == text]
    if same:
        return same[0] if len(same) == 1 else None
    if match := _LETTER.fullmatch(_plain(text)):
        index = ord(match["letter"]) - ord("a")
        rest = normalise(match["rest"])
        if index < len(options) and (not rest or rest == texts[index]):
            return index
    return _mentioned(plain, texts)


def _mentioned(text: str, options: Sequence[str]) -> int | None:
    padded = f" {text} "
    inside = [i for i, option in enumerate(options) if option and f" {option} " in padded]
    outer = []
    for i in inside:
        rest = padded
        for longer in (
            options[j] for j in inside if f" {options[i]} " in f" {options[j]} " and j != i
        ):
            rest = rest.replace(f" {longer} ", "  ")
        if f" {options[i]} " in rest:
            outer.append(i)
    return outer[0] if len(outer) == 1 else None


def canonical(answer: str, task: Task) -> str:
    """One form for all ways of writing an answer: what two programs must share to agree.

    `yes` / `no`, digits, the option's text, or the VQA normalisation; a text that cannot be read as
    the task's type stays itself, normalised.  The store keeps this form of every answer (columns
    `trace.form` and `prediction.form`): a change of the rule needs a migration that sets them to
    NULL, so that they are found again.
    """
    if len(answer) > MAX_ANSWER:
        return answer
    if task.answer_type == "yesno" and (truth := yes_no(answer)) is not None:
        return "yes" if truth else "no"
    if task.answer_type == "integer" and (number := integer(answer)) is not None:
        return str(number)
    if task.answer_type == "choice" and (index := choice(answer, task.choices)) is not None:
        return task.choices[index]
    return normalise(answer)


def same(answer: str, gold: str, task: Task, mode: Mode = "always") -> bool:
    """Whether an answer equals one gold answer under the task's type.

    Args:
        answer: the answer to judge.
        gold: one right answer.
        task: says how answers are compared.
        mode: VQA normalisation, see `normalise`.
    """
    if len(answer) > MAX_ANSWER:
        return False
    if task.answer_type == "choice" and task.choices:
        index = choice(answer, task.choices)
        return index is not None and index == choice(gold, task.choices)
    mine, theirs = canonical(answer, task), canonical(gold, task)
    if task.answer_type in ("yesno", "integer"):
        return mine == theirs
    if mode == "official" and len(set(task.answers)) <= 1:
        return clean(answer) == clean(gold)
    return mine == theirs


def score(task: Task, answer: str, mode: Mode = "always") -> Scored:
    """How well an answer fits the task's gold answers.

    Fewer than ten gold answers are alternatives: equal to any of them is 1, else 0.  Ten or more
    are annotators' votes: the VQA leave-one-out score, or A-OKVQA's min(1, n / 3) on raw text where
    `task.meta["scoring"]` is `aokvqa`.  An unlabelled task scores 0 and the reason says so.

    Args:
        task: the question with its gold answers.
        answer: the answer to judge.
        mode: VQA normalisation, see `normalise`.
    """
    quoted = quote(answer)
    if not task.answers:
        return Scored(0.0, "The task has no gold answer to compare with.")
    if len(answer) > MAX_ANSWER:
        return Scored(
            0.0, f"The answer has {len(answer)} characters; at most {MAX_ANSWER} are read."
        )
    if len(task.answers) >= SOFT_ANSWERS and task.answer_type != "choice":
        if task.meta.get("scoring") == "aokvqa":
            hits = sum(gold == answer for gold in task.answers)
            value = aokvqa_score(answer, task.answers)
        else:
            same_as = [same(answer, gold, task, mode) for gold in task.answers]
            hits, value = sum(same_as), leave_one_out(same_as)
        return Scored(value, f"{hits} of {len(task.answers)} annotators say {quoted}.")
    for gold in task.answers:
        if same(answer, gold, task, mode):
            return Scored(1.0, f"The answer {quoted} equals the label {quote(gold)}.")
    golds = " or ".join(quote(gold) for gold in dict.fromkeys(task.answers))
    return Scored(0.0, f"The answer {quoted} differs from the label {golds}.")


def quote(text: str, limit: int = 60) -> str:
    """A text in quotes on one line, cut to `limit` characters, so that it fits into a sentence."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * limit]).split())
    return f'"{line if len(line) <= limit else line[: limit - 1] + "…"}"'
