"""Whether an answer is right: pure comparators by answer type.

An answer is text from a program or a model and may be anything; the readers below (`yes_no`,
`integer`, `choice`) give what the text says, or None where it says nothing definite.  `score` puts
them together for a task.  Singular and plural are different words here: wording is a judge's
business (`judge`).  These comparators decide which programs are KEPT (Hu et al. 2024, arXiv
2312.03052, section 3.1); they are lenient about form ("3 dogs" is 3), unlike the benchmarks' own
scorers, of which `vqa` holds two.  They are not lenient about signs: "-5" is not "5", and "C++" is
not "C" (see `form`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from workbench.records import AnswerType, Task
from workbench.verify import whole_numbers
from workbench.verify.form import folded, form
from workbench.verify.normalise import Mode, clean, normalise
from workbench.verify.vqa import aokvqa_score, leave_one_out

MAX_ANSWER = 2000
"""Most characters of an answer; a longer text does not answer a question about a picture."""

RIGHT = 0.5
"""Score from which on an answer counts as right; the statements of `store.reading` name it too."""
SOFT_ANSWERS = 10
"""From this number of gold answers on they are annotators' votes (VQA).

Fewer are alternatives, each of which is fully right.
"""


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """What of a task says how its answers are written: enough for `canonical`."""

    answer_type: AnswerType
    """As in `Task`."""
    choices: tuple[str, ...] = ()
    """The options of a multiple-choice question, in order."""


@dataclass(frozen=True, slots=True)
class Scored:
    """How well an answer fits, and why."""

    score: float
    """How well it fits, 0 to 1."""
    reason: str
    """The reason as one sentence for people."""


_LEAD = re.compile(
    r"(?:\A|[.!?;:,\n]|\b(?:so|thus|therefore|hence|then|think|believe|say|guess)\b(?:\s+that\b)?)"
    r"\s*(?:(?:the|my|our)\s+)?(?:(?:correct|right|final|best|short)\s+)*"
    r"(?:answer|option|choice)(?:\s+to\s+(?:the|this|that|your)\s+question)?"
    r"(?:\s+(?:is|would\s+be|should\s+be|must\s+be)\b\s*:?|\s*:)\s*(?:that\s+)?",
    re.IGNORECASE,
)
"""What says that the answer follows: "The answer is", "so the correct option is:", "Answer:"."""


def stated(text: str) -> str:
    """What follows the last "the answer is" of a text; the whole text where there is none.

    >>> stated("There are two dogs, so the answer is: yes."), stated("yes")
    ('yes.', 'yes')
    """
    # Runs of space are made short first, or the pattern would take quadratic time over them.
    lines = (" ".join(line.split()) for line in text.replace("*", "").splitlines())
    plain = "\n".join(line for line in lines if line)
    end = 0
    for match in _LEAD.finditer(plain):
        end = match.end()
    rest = plain[end:]
    return rest if end and rest.strip() else text


_YES = frozenset({"yes", "true", "yeah", "yep"})
_NO = frozenset({"no", "false", "nope"})
_WORD = re.compile(r"[a-z0-9']+")
_NO_IDIOMS = frozenset({"one", "idea", "doubt", "matter"})
"""After "no" these make another word: "no one", "no idea"."""


def _plain(text: str) -> str:
    return folded(text).lower().strip()


def yes_no(text: str) -> bool | None:
    """Whether an answer says yes: its first word decides (`True`, "No."); None if that is unclear.

    Where the first word decides nothing, the one behind "the answer is" does.

    >>> yes_no("True"), yes_no("No, there is none."), yes_no("yes or no"), yes_no("maybe")
    (True, False, None, None)
    >>> yes_no("The answer is yes."), yes_no("I do not know whether the answer is yes")
    (True, None)
    """
    text = _plain(text[:MAX_ANSWER])
    words = _WORD.findall(text)
    if not words or words[0] not in _YES | _NO:
        words = _WORD.findall(stated(text))
    if not words or words[0] not in _YES | _NO:
        return None
    if len(words) > 2 and words[1] in {"or", "and"} and words[2] in _YES | _NO:
        return None
    if words[0] == "no" and len(words) > 1 and words[1] in _NO_IDIOMS:
        return None
    return words[0] in _YES


def integer(text: str) -> int | None:
    """The one whole number in an answer, in digits or words; None where there is not exactly one.

    Where an answer names several, the one behind "the answer is" counts.

    >>> integer("3 dogs"), integer("one hundred"), integer("I see 2 and 3, so the answer is 5.")
    (3, 100, 5)
    """
    text = _plain(text[:MAX_ANSWER])
    number = whole_numbers.integer(text)
    return whole_numbers.integer(stated(text)) if number is None else number


_LETTER = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+|right\s+|final\s+)?(?:answer|option|choice)(?:\s+is)?\s*:?\s*)?"
    r"[(\[]?(?P<letter>[a-z])(?:[)\].:](?=\s|$)|[)\]]|$)[.:)]*\s*(?P<rest>.*)",
    re.DOTALL,
)
_FIRST_LETTER = re.compile(r"[(\[]?([A-Z])(?:[)\].:,;](?=\s|$)|\s*$|\s+(?:because|since|as|and)\b)")
"""A letter that begins what follows "the answer is": in capitals, as "a" may be an article."""


def choice(text: str, options: Sequence[str]) -> int | None:
    """Index of the option that an answer names, or None where it names none or several.

    In order: the option's own text, to the letter; its text but for case, spaces and marks around
    it; its letter ("B", "(b)", "b.", "Answer: B", also "B. red" where the text agrees).  Only then
    loosely: the option's form (see `form`), and the one option whose form occurs in the answer as
    whole words and not inside a longer option.  What follows "the answer is" counts before the rest
    of the answer.  Of equal options the first one is given.

    >>> choice("(b)", ["cat", "dog"]), choice("It is a dog.", ["cat", "dog"])
    (1, 1)
    >>> choice("C", ["C", "C++", "Java"]), choice("It is C++.", ["C", "C++", "Java"])
    (0, 1)
    >>> choice("cat or dog", ["cat", "dog"]) is None
    True
    """
    if len(text) > MAX_ANSWER or not options:
        return None
    rest = stated(text)
    parts = (text,) if rest == text else (text, rest)
    for read in (_named, _lettered):
        for part in parts:
            if (index := read(part, options)) is not None:
                return index
    if rest != text and (match := _FIRST_LETTER.match(rest)):
        return _of_letter(match[1], options)
    for part in reversed(parts):
        if (index := _loose(part, options)) is not None:
            return index
    return None


def _named(text: str, options: Sequence[str]) -> int | None:
    """The option whose text this is: to the letter, else but for case and the marks around it."""
    exact = [i for i, option in enumerate(options) if option == text]
    if exact:
        return exact[0]
    bare = _bare(text)
    return _only([i for i, option in enumerate(options) if bare == _bare(option) != ""], options)


def _lettered(text: str, options: Sequence[str]) -> int | None:
    """The option whose letter this is; a text behind the letter must be the option's."""
    match = _LETTER.fullmatch(_plain(text))
    index = None if match is None else _of_letter(match["letter"], options)
    if match is None or index is None:
        return None
    return index if not match["rest"] or form(match["rest"]) == form(options[index]) else None


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    """A text in lower case, without spaces and marks around it and with one space between words."""
    bare = " ".join(_plain(text).split())
    return bare.rstrip(".,;:!?").strip("\"'`*()[]{}").rstrip(".,;:!? ") or bare


def _of_letter(letter: str, options: Sequence[str]) -> int | None:
    index = ord(letter.lower()) - ord("a")
    return index if index < len(options) else None


def _only(indices: Sequence[int], options: Sequence[str]) -> int | None:
    """The first of some options if they all have one text; None for none and for several."""
    return indices[0] if len({options[i] for i in indices}) == 1 else None


_DIGITS = re.compile(r"-?\d{1,18}")


def _loose(text: str, options: Sequence[str]) -> int | None:
    """The option whose form is the text's, or the one whose form occurs in it.

    Where all options are whole numbers, the one that the text states decides: "minus one" is -1.
    """
    forms = [form(option) for option in options]
    if all(map(_DIGITS.fullmatch, forms)) and (number := integer(text)) is not None:
        return _only([i for i, option in enumerate(forms) if int(option) == number], options)
    plain = form(text)
    same = [i for i, option in enumerate(forms) if option == plain and option]
    return _only(same, options) if same else _mentioned(plain, forms, options)


def _mentioned(text: str, forms: Sequence[str], options: Sequence[str]) -> int | None:
    """The one option whose form occurs in a text, on its own and beside no sign."""
    padded = f" {text} "
    inside = [i for i, option in enumerate(forms) if option and f" {option} " in padded]
    outer = []
    for i in inside:
        rest = padded
        for longer in (forms[j] for j in inside if f" {forms[i]} " in f" {forms[j]} "):
            if longer != forms[i]:
                rest = rest.replace(f" {longer} ", "  ")
        beside = rf"(?<! [<>≤≥≠+-]) {re.escape(forms[i])} (?![<>≤≥≠+-] )"
        if re.search(beside, rest):
            outer.append(i)
    return _only(outer, options)


def canonical(answer: str, task: Task | AnswerKind) -> str:
    """One form for all ways of writing an answer: what two programs must share to agree.

    `yes` / `no`, digits, the option's text, or `form`; a text that cannot be read as the task's
    type stays itself, in that form.  The store keeps this form of every answer (columns
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
    return form(answer)


def same(answer: str, gold: str, task: Task, mode: Mode = "always") -> bool:
    """Whether an answer equals one gold answer under the task's type.

    Args:
        answer: the answer to judge.
        gold: one right answer.
        task: says how answers are compared.
        mode: VQA normalisation, see `normalise`; `official` compares free answers by that alone.
    """
    if len(answer) > MAX_ANSWER:
        return False
    if task.answer_type == "choice" and task.choices:
        mine, right = choice(answer, task.choices), choice(gold, task.choices)
        return mine is not None and right is not None and task.choices[mine] == task.choices[right]
    if task.answer_type not in ("yesno", "integer") and mode == "official":
        if len(set(task.answers)) <= 1:
            return clean(answer) == clean(gold)
        return normalise(answer) == normalise(gold)
    return canonical(answer, task) == canonical(gold, task)


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
