"""`known_mistakes.json`: what public checks say to known mistakes, sealed with their answers (`adkit.checks.sealed`).

A sentence is worth sealing only where its answer cannot be had without making the mistake. Whatever a student holds is
tried: the constants of all files, the inputs and the right answers of all public cases, what the stubs answer, zeros,
ones, the identity and the like; and answers of so little information that they can be found by trying are counted as
guessed. Where one of these opens a sentence, the mistake's `openly` is sealed in its place, which holds no solution,
and a mistake without it is an error of the build.
"""

import ast
import hashlib
import json
import math
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from adkit import checks
from adkit.checks import sealed
from adkit.checks.fingerprint import TOLERANCE, digits_of
from numpy.typing import NDArray

from autograder.assignment import Assignment
from autograder.build.course import Course
from autograder.build.leaks import texts
from autograder.build.percent import Cell

KNOWN_MISTAKES = "known_mistakes.json"
GUESSED_BITS = 20
"""Answers of less information than this can be found by trying: a million keys take an hour."""
_FORMULA = re.compile(r"[=^@*√·∘<>]|\S [-+/] \S|\w\(|\b\w/\w\b")
"""What a sentence that anyone may open must not hold: operators, calls, powers."""
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]?\d+)?")
_CODE_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Entry:
    """One sealed text: an answer at a check, and the known mistakes that answer like that."""

    test: str
    ordinal: int
    digits: int
    lock: str
    answer: Any
    mistakes: tuple[Any, ...]
    """Entries of the catalogue (`reference.mistakes.Mistake`)."""
    guess: str = ""
    """How a student may come to have the answer without making the mistake; empty when there is no way."""

    @property
    def text(self) -> str:
        """What is sealed; empty when nothing is handed out for this answer."""
        openly = [mistake.openly or "" for mistake in self.mistakes]
        says = [_with_heading(mistake) for mistake in self.mistakes]
        said = list(dict.fromkeys(openly if self.guess else says))
        ambiguous = checks.sentence_of(says, self.answer) is None
        return "" if ambiguous or not all(said) else sealed.SEPARATOR.join(said)

    @property
    def names(self) -> str:
        """The mistakes, for messages."""
        return ", ".join(f"{mistake.function}__{mistake.name}" for mistake in self.mistakes)

    def __str__(self) -> str:
        return f"{self.test}, check {self.ordinal}: {self.names} ({self.guess})"


def _with_heading(mistake: Any) -> str:
    """The sentence, and where to read again when that is not the question's own section."""
    return f"{mistake.says} Read again: “{mistake.reread}”." if mistake.reread else mistake.says


@dataclass(frozen=True)
class Table:
    """The table of one assignment."""

    entries: tuple[Entry, ...]
    salt: str

    @property
    def guessed(self) -> list[Entry]:
        """Handed-out sentences whose answer can be obtained without making the mistake."""
        return [entry for entry in self.entries if entry.guess and entry.text]

    @property
    def sentences(self) -> str:
        """Every handed-out text in clear, for looking for what must not be handed out."""
        return "\n".join(dict.fromkeys(entry.text for entry in self.entries))

    def problems(self) -> list[str]:
        """What has to be decided or worded anew in the catalogue before the table may be handed out."""
        found: list[str] = []
        for entry in self.entries:
            for mistake in entry.mistakes if entry.guess else ():
                name = f"{mistake.function}__{mistake.name}"
                if mistake.openly is None:
                    found.append(
                        f"{name}: its answer in {entry.test} can be obtained without making the mistake "
                        f"({entry.guess}). Say what may be read then: openly=True when the sentence holds no solution, "
                        "another sentence, or openly=False for none"
                    )
                elif _FORMULA.search(mistake.openly):
                    found.append(
                        f"{name}: its answer in {entry.test} can be obtained without making the mistake "
                        f"({entry.guess}), and what is said then holds a formula: {mistake.openly!r}"
                    )
        return list(dict.fromkeys(found))

    def render(self) -> str:
        """The file's content."""
        content: dict[str, dict[str, dict[str, list[Any]]]] = {}
        for test, ordinal in sorted({(entry.test, entry.ordinal) for entry in self.entries if entry.text}):
            here = [entry for entry in self.entries if (entry.test, entry.ordinal) == (test, ordinal) and entry.text]
            length = sealed.sealed_length([entry.text for entry in here])
            keys = [sealed.slow_key(entry.lock, self.salt, test, str(ordinal)) for entry in here]
            content.setdefault(test, {})[str(ordinal)] = {
                "digits": sorted({entry.digits for entry in here}),
                "sealed": sorted(sealed.seal(entry.text, key, length) for entry, key in zip(here, keys, strict=True)),
            }
        return json.dumps({"salt": self.salt, "checks": content}, indent=1, sort_keys=True) + "\n"


def known_mistakes(
    assignment: Assignment, cells: Iterable[Cell], public: Mapping[str, str], files: Mapping[str, bytes]
) -> Table | None:
    """The table for an assignment with a catalogue of mistakes; None without one.

    public: its public tests, as they are handed out; files: everything that is handed out, by name.
    """
    course = Course.of(assignment)
    if not course.mistakes(assignment.name).is_file():
        return None
    from autograder.grading import recognition  # imports JAX, and Otter

    if course.root != Path(__file__).resolve().parent.parent.parent:
        return None  # the catalogue is found by import: only this course's own
    with tempfile.TemporaryDirectory(prefix="autograder-public-") as folder:
        tests = [Path(folder, Path(relative).name) for relative in sorted(public)]
        for file, relative in zip(tests, sorted(public), strict=True):
            file.write_text(public[relative], encoding="utf-8")
        answers = recognition.public_answers(assignment.name, tests)
        held = list(recognition.held_values(assignment.name, tests, _stubs(cells)))
    values = [(part, each.origin) for each in held for part in _parts_of(each.value)]
    values += [
        (value, f"a constant of {name}") for name, content in files.items() for value in _constants(name, content)
    ]
    return Table(tuple(entries(answers, values)), _salt(public))


def entries(answers: Iterable[Any], held: Iterable[tuple[Any, str]]) -> Iterator[Entry]:
    together: dict[tuple[str, int, int, str], list[Any]] = {}
    for answer in answers:
        if answer.rounding:
            continue  # the table would have other bytes on another machine, and the student another answer
        digits = digits_of(answer.tolerance)
        lock = sealed.locks(answer.answer, [digits])[0]
        together.setdefault((answer.test, answer.ordinal, digits, lock), []).append(answer)
    opened = _opened(held, {digits for _, _, digits, _ in together})
    for (test, ordinal, digits, lock), same in together.items():
        answer = same[0].answer
        guess = opened.get(lock) or _looks_like(answer, digits, lock) or _guess(answer, digits)
        yield Entry(test, ordinal, digits, lock, answer, tuple(each.mistake for each in same), guess)


def _opened(held: Iterable[tuple[Any, str]], digits: Iterable[int]) -> dict[str, str]:
    """What opens each lock, of the values that a student holds."""
    digits = sorted(digits)
    opened: dict[str, str] = {}
    for value, origin in held:
        for lock in sealed.locks(value, digits):
            opened.setdefault(lock, origin)
    return opened


# --- what a student holds ---------------------------------------------------------------------------------------


def _parts_of(value: Any, depth: int = 3) -> Iterator[Any]:
    """A value, and what it is made of: checks look at parts of an answer, too."""
    yield value
    if isinstance(value, np.ndarray):
        value = [*value] if value.ndim else []
    if depth and isinstance(value, list | tuple):
        for part in cast("Iterable[Any]", value):
            yield from _parts_of(part, depth - 1)


def _constants(name: str, content: bytes) -> Iterator[Any]:
    """Every number and code span in a file, and every literal of its code: also strings, lists, tuples."""
    for text in dict.fromkeys(texts(name, content)):
        yield from (float(number) for number in set(_NUMBER.findall(text)))
        for source in (text, *_CODE_SPAN.findall(text)):
            yield from _literals(source)


def _literals(source: str) -> Iterator[Any]:
    try:
        with warnings.catch_warnings(action="ignore"):  # text that is not code
            tree = ast.parse(source.strip())
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            with suppress(ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                yield checks.plain(ast.literal_eval(node))


def _stubs(cells: Iterable[Cell]) -> dict[str, Any]:
    """The template's functions, by name."""
    names: dict[str, Any] = {}
    for cell in cells:
        if cell.kind == "code":
            wanted = (ast.Import, ast.ImportFrom, *((ast.FunctionDef,) if cell.question else ()))
            for statement in ast.parse(cell.source).body:
                if isinstance(statement, wanted):
                    exec(compile(ast.Module([statement], []), "<stub>", "exec"), names)  # the course's own notebook
    return names


def _looks_like(answer: Any, digits: int, lock: str) -> str:
    """Which trivial array of the answer's own shape it is."""
    fills: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
        "zeros": np.zeros_like,
        "ones": np.ones_like,
        "minus ones": lambda array: -np.ones_like(array),
        "NaN": lambda array: np.full_like(array, np.nan),
        "infinities": lambda array: np.full_like(array, np.inf),
        "the identity": lambda array: np.eye(*array.shape) if array.ndim == 2 else array,
    }
    for name, fill in fills.items():
        filled = _filled(answer, fill)
        if (
            filled is not None
            and (name != "the identity" or _is_matrix(answer))
            and lock in sealed.locks(filled, [digits])
        ):
            return name
    return ""


def _is_matrix(answer: Any) -> bool:
    return isinstance(answer, np.ndarray) and cast("NDArray[Any]", answer).ndim == 2


def _filled(value: Any, fill: Callable[[NDArray[Any]], NDArray[Any]]) -> Any:
    """`value` with all its numbers replaced; None when it holds anything else."""
    if isinstance(value, np.ndarray):
        array = cast("NDArray[Any]", value)
        return fill(array) if array.dtype.kind == "f" else None
    if isinstance(value, list | tuple):
        parts = [_filled(part, fill) for part in cast("Iterable[Any]", value)]
        return parts if parts and all(part is not None for part in parts) else None
    return float(fill(np.zeros(()))) if isinstance(value, float) else None


# --- what can be found by trying --------------------------------------------------------------------------------


def _guess(answer: Any, digits: int) -> str:
    """Why an answer can be found by trying; empty when it holds too much for that."""
    atoms = list(_atoms(answer))
    numbers = sum(isinstance(atom, float) and math.isfinite(atom) and atom != 0.0 for atom in atoms)
    if digits > digits_of(TOLERANCE) and 7 * min(numbers, 3) < GUESSED_BITS:
        return f"nearly right, and {numbers} numbers only"
    counts = Counter(map(repr, atoms))
    bits = sum(_bits(atom) for atom in {repr(atom): atom for atom in atoms}.values())
    bits += sum(count * math.log2(len(atoms) / count) for count in counts.values())  # which of them stands where
    return f"little to guess: {' '.join(repr(answer).split())}"[:80] if bits < GUESSED_BITS else ""


def _atoms(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield from _atoms(value.tolist())
    elif isinstance(value, list | tuple):
        for part in cast("Iterable[Any]", value):
            yield from _atoms(part)
    else:
        yield value


def _bits(atom: Any) -> float:
    """How much there is to guess about one word or number: little for what is named, whole or has few digits."""
    if isinstance(atom, str):
        return 4.0
    if atom is None or isinstance(atom, bool):
        return 1.0
    if isinstance(atom, int | float):
        if not math.isfinite(atom):
            return 1.0
        for scale in (1, 2, 10, 100):
            if atom * scale == round(atom * scale):
                return 1.0 + math.log2(1.0 + abs(atom * scale))
    return 24.0


def _salt(public: Mapping[str, str]) -> str:
    """Of the public tests, so that equal answers in other courses and years have other keys."""
    return hashlib.sha256("".join(public[name] for name in sorted(public)).encode()).hexdigest()[:32]
