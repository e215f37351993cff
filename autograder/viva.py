"""`autograder viva`: questions to each student about their own code, and their key.

"If line 7 said `=` instead of `+=`, what would the function return then?" The key is what the changed code really
returns: it is run as the submission was, under the same isolation and limits, on small inputs made for this
(`reference.inputs.viva`), never those of a hidden case. A question is asked only when

- the change is one token of a line that has that token once, so that everybody reads the same change;
- the changed code answers, twice in processes of their own, with the same numbers or short plain data;
- the answer is another one than that of the code as it was handed in.

Which questions a student gets is drawn with the course's secret and the submission's name, and is the same each time.
No score depends on any of this. The key is in a file of its own, which only its owner can read.
"""

import hashlib
import hmac
import math
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from adkit.checks import CheckError, plain
from adkit.drawing.graph import draw, formulas, node_names
from adkit.graph import Graph

from autograder.assignment import Assignment
from autograder.grading.one import OpenSession
from autograder.report.page import Image, render
from autograder.submissions.functions import Function, functions_of, needed_by, tokens_of
from autograder.submissions.read import Submission
from reference.inputs.viva import MAKERS

LONGEST_CODE = 60
"""Lines of a function that a student is asked about: more is too much to read on the spot."""
LONGEST_ANSWER = 130
"""Characters."""
ROUNDS = 4
"""How many sets of changes are tried for one student."""

CHANGES: Mapping[str, tuple[str, ...]] = {
    "+=": ("=", "-="),
    "-=": ("=", "+="),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "<": ("<=",),
    "<=": ("<",),
    ">": (">=",),
    ">=": (">",),
    "==": ("!=",),
    "min": ("max",),
    "max": ("min",),
    "0": ("1",),
    "1": ("2", "0"),
    "2": ("3",),
    "and": ("or",),
    "or": ("and",),
}


@dataclass(frozen=True)
class Change:
    """One token of a function changed."""

    function: Function
    line: int
    """Of the function's text, counted from 1."""
    column: int
    old: str
    new: str

    @property
    def text(self) -> str:
        """The function with the change made."""
        lines = self.function.text.split("\n")
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.column] + self.new + line[self.column + len(self.old) :]
        return "\n".join(lines)


@dataclass(frozen=True)
class Asked:
    """A question as the student sees it: there is no answer in it."""

    function: str
    code: tuple[str, ...]
    line: int
    old: str
    new: str
    call: str
    where: tuple[str, ...]
    """What the names in the call stand for: the nodes of a graph."""
    picture: Image | None


@dataclass(frozen=True)
class Question:
    """A question and its key."""

    asked: Asked
    answer: str
    unchanged: str
    """What the code answers as it was handed in."""


def changes_of(function: Function) -> list[Change]:
    """The changes that can be asked about: each of a token that its line has once."""
    tokens = [
        token for token in tokens_of(function.text) if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER)
    ]
    found: list[Change] = []
    signature = True
    for index, token in enumerate(tokens):
        if signature:  # a changed default or decorator is no change of what is computed
            signature = not (token.string == ":" and token.line.rstrip().endswith(":"))
            continue
        alone = sum(other.string == token.string and other.start[0] == token.start[0] for other in tokens) == 1
        unary = token.string in "+-" and (index == 0 or tokens[index - 1].string in "(,=[{:*/+-<>return")
        if alone and not unary and token.string in CHANGES and token.start[0] == token.end[0]:
            found += [Change(function, *token.start, token.string, new) for new in CHANGES[token.string]]
    return found


def questions_for(
    submission: Submission, assignment: Assignment, open_session: OpenSession, seed: str, most: int = 3
) -> list[Question]:
    """The questions to the one who handed this in, at most `most`, about different functions where possible.

    seed: the course's secret. Fewer, or none, where no change is unambiguous.
    """
    random = generator(seed, assignment.name, submission.name)
    functions = functions_of(submission)
    makers = MAKERS.get(assignment.name, {})
    open_for = [name for name in makers if _can_be_asked(name, functions)]
    if not open_for:
        return []
    calls = {name: makers[name](random) for name in open_for}
    before = _answers(submission, assignment, open_session, calls)
    candidates = {name: changes_of(functions[name]) for name in open_for if name in before}
    for changes in candidates.values():
        changes[:] = [changes[i] for i in random.permutation(len(changes))]
    found: dict[str, Question] = {}
    for _ in range(ROUNDS):
        left = [name for name in candidates if name not in found and candidates[name]]
        order: list[int] = random.permutation(len(left)).tolist()
        chosen = _independent([left[i] for i in order], functions)[: most - len(found)]
        if not chosen:
            break
        changes = {name: candidates[name].pop() for name in chosen}
        changed = _with_changes(submission, changes.values())
        some = {name: calls[name] for name in chosen}
        first = _answers(changed, assignment, open_session, some)
        if any(name in first and first[name] != before[name] for name in chosen):
            second = _answers(changed, assignment, open_session, some)
            for name in chosen:
                if name in first and first[name] == second.get(name) and first[name] != before[name]:
                    found[name] = Question(_asked(changes[name], calls[name]), first[name], before[name])
    return list(found.values())


def generator(seed: str, assignment: str, name: str) -> np.random.Generator:
    """A student's own random generator: known only to who knows the course's secret."""
    digest = hmac.new(seed.encode(), f"viva {assignment} {name}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))


def _can_be_asked(name: str, functions: Mapping[str, Function]) -> bool:
    return name in functions and functions[name].text.count("\n") < LONGEST_CODE


def _independent(names: Sequence[str], functions: Mapping[str, Function]) -> list[str]:
    """As many as can be changed at once: none needs another."""
    chosen: list[str] = []
    needs = {name: {function.name for function in needed_by([name], functions)} for name in names}
    for name in names:
        if not any(name in needs[other] or other in needs[name] for other in chosen):
            chosen.append(name)
    return chosen


def _with_changes(submission: Submission, changes: Iterable[Change]) -> Submission:
    cells = list(submission.cells)
    for change in changes:
        number = change.function.cell - 1
        cells[number] = change.text.join(cells[number].rsplit(change.function.text, 1))
    return replace(submission, cells=tuple(cells))


def _answers(
    submission: Submission, assignment: Assignment, open_session: OpenSession, calls: Mapping[str, tuple[Any, ...]]
) -> dict[str, str]:
    """What the functions answer, in words; those that do not answer in few words are left out."""
    found: dict[str, str] = {}
    with open_session(submission, assignment) as session:
        for name, arguments in calls.items():
            function = session.functions.get(name)
            if function is None:
                continue
            try:
                answer = function(*arguments, autodiff=True) if _is_proxy(function) else function(*arguments)
                words = in_words(plain(answer))
            except (CheckError, TypeError, ValueError, ArithmeticError, LookupError):
                continue
            if words is not None:
                found[name] = words
    return found


def _is_proxy(function: Callable[..., Any]) -> bool:
    return bool(getattr(function, "__autograder_proxy__", False))


def in_words(value: Any) -> str | None:
    """Numbers, truth values, short words and sequences of them, as one writes them; None for anything else."""
    words = _word(value)
    return words if words is not None and len(words) <= LONGEST_ANSWER else None


def _word(value: Any) -> str | None:
    if isinstance(value, np.ndarray):
        value = cast("Any", value).tolist()
    if isinstance(value, bool) or (isinstance(value, str) and value.isidentifier() and len(value) <= 12):
        return str(value)
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) >= 1e6:
            return None
        return f"{round(float(value), 4) + 0.0:g}"
    if isinstance(value, list | tuple):
        entries = cast("Sequence[Any]", value)
        parts = [word for part in entries[:40] if (word := _word(part)) is not None]
        if len(parts) < len(entries):
            return None
        inside = ", ".join(parts)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    return None


def _asked(change: Change, arguments: Sequence[Any]) -> Asked:
    shown: list[str] = []
    where: list[str] = []
    picture: Image | None = None
    for argument in arguments:
        if isinstance(argument, Graph):
            shown.append("graph")
            where = formulas(argument, node_names(argument))
            picture = Image.of(draw(argument).svg)
        elif isinstance(argument, str):
            shown.append(f'"{argument}"')
        else:
            shown.append(_word(argument) or "?")
    name = change.function.name
    code = tuple(change.function.text.split("\n"))
    return Asked(name, code, change.line, change.old, change.new, f"{name}({', '.join(shown)})", tuple(where), picture)


def sheet(asked: Sequence[Asked], assignment: Assignment, who: str) -> str:
    """A student's sheet as HTML; it is given no answer."""
    entries = [{"asked": one} for one in asked]
    return render("viva.html", title=assignment.title, who=who, questions=entries, key=False)


def key(questions: Sequence[Question], assignment: Assignment, who: str) -> str:
    """The instructor's copy, with the answers."""
    entries = [{"asked": one.asked, "answer": one.answer, "unchanged": one.unchanged} for one in questions]
    return render("viva.html", title=assignment.title, who=who, questions=entries, key=True)
