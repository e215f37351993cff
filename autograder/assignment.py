"""What an assignment is: `assignments/<name>/assignment.toml` read into frozen dataclasses.

title = "Gradients of matrix functions"
about = "the gradients of a linear solve, the nuclear norm and the SVD"    # optional: for the tables of assignments
notebook_url = "https://example.org/matrix_gradients.html"  # optional: where feedback finds the notebook's headings

[limits]                 # optional; defaults below
call_seconds = 10

[questions.q1]
title = "The linear solve, backwards"
points = 8
functions = ["linear_solve_vjp"]
autodiff = false         # whether jax.grad and friends may be used (default false)
bonus = false            # bonus questions add to the score, never to the points possible
call_seconds = 45        # optional: instead of the limit above, for this question's functions
minutes = 25             # optional: about how long it takes; the notebook's heading and table must say the same
last = false             # whether its cases are run after those of the other questions (default false)

[budget]                 # optional: what the build allows the reference to need, see autograder/build/cost.py
operations = 150
exports = 16

[late]                   # optional: what handing in late costs, see autograder/late.py
deadline = 2026-05-01T23:59:00+02:00
steps = "10 % per day, at most 3 days"
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from autograder.late import LatePolicy
from autograder.suggest import did_you_mean


class AssignmentError(Exception):
    """An assignment that cannot be used; the message says which file and what to change."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. The student's feedback names the limit that was hit, and where.

    Seconds do not count while the submission waits for a busy machine: `autograder.isolation.clock`.
    """

    notebook_seconds: float = 120.0
    """Running all cells of the notebook, together."""
    cell_seconds: float = 30.0
    """One cell of the notebook. A cell that takes longer is left out when the notebook is started anew."""
    call_seconds: float = 10.0
    """One call of one function."""
    submission_seconds: float = 600.0
    """Everything a submission does, cells and calls."""
    memory_bytes: int = 3 * 1024**3
    """Resident memory of all processes of the submission together."""
    scratch_bytes: int = 256 * 1024**2
    """Files in the scratch folder, together."""
    processes: int = 256
    """Threads at once: a submission is one process, which can start no other."""
    open_files: int = 256
    """Open file descriptors of one process."""
    output_bytes: int = 64 * 1024
    """What is kept of standard output and standard error; the rest is dropped, and that is said."""
    frame_bytes: int = 64 * 1024**2
    """One message between the submission and the grader."""
    artefact_bytes: int = 4 * 1024**2
    """One exported function (StableHLO)."""
    submission_bytes: int = 20 * 1024**2
    """The submitted file, and a zip's contents unpacked."""
    restarts: int = 12
    """How often a submission's process may die and be started anew, in all."""
    restarts_per_question: int = 3
    """The same, within one question."""


@dataclass(frozen=True)
class Question:
    """One question: its functions and what it earns."""

    name: str
    title: str
    """What the heading says."""
    points: float
    """What its cases are worth together."""
    functions: tuple[str, ...]
    """The names of what a student writes; the stub defines them, and test cases take them."""
    bonus: bool = False
    """Whether it adds to the score and not to the points possible."""
    autodiff: bool = False
    """Whether its functions may call JAX's own differentiation (`jax.grad` and the like)."""
    call_seconds: float | None = None
    """Instead of the assignment's limit, where right solutions of this question may take longer."""
    minutes: int | None = None
    """An estimate of how long a student takes."""
    last: bool = False
    """Whether its cases are run after those of all other questions: for one that hands out what could answer others."""

    @property
    def heading(self) -> str:
        """The heading that the question has in the notebook, without its #."""
        points = f"{self.points:g}{' bonus' if self.bonus else ''} {'point' if self.points == 1 else 'points'}"
        about = f", about {self.minutes} minutes" if self.minutes is not None else ""
        return f"{self.name}: {self.title} ({points}{about})"


@dataclass(frozen=True)
class Assignment:
    """An assignment's folder and contract."""

    name: str
    title: str
    folder: Path
    questions: tuple[Question, ...]
    limits: Limits = field(default_factory=Limits)
    late: LatePolicy | None = None
    """What handing in late costs; None where nothing is taken off."""
    about: str = ""
    """What it is about, for the tables of all assignments."""
    budget: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many `operations` of JAX and `exports` the reference may need in all cases together."""
    notebook_url: str = ""
    """Where students can open the notebook; feedback links to its headings. Empty: the file beside the feedback."""

    @property
    def tests_dir(self) -> Path:
        """The folder with all test files, public and hidden cases."""
        return self.folder / "tests"

    @property
    def notebook(self) -> Path:
        """The notebook as text (jupytext percent format)."""
        return self.folder / "notebook.py"

    @property
    def functions(self) -> tuple[str, ...]:
        """Every function that a student writes, in the order of the questions."""
        return tuple(name for question in self.questions for name in question.functions)

    @property
    def points(self) -> float:
        """Points possible, without bonus questions."""
        return sum(question.points for question in self.questions if not question.bonus)

    def question(self, name: str) -> Question:
        """The question called `name`; KeyError when there is none."""
        for question in self.questions:
            if question.name == name:
                return question
        raise KeyError(name)

    @staticmethod
    def load(name_or_path: str | Path) -> "Assignment":
        """Reads an assignment by name (see `assignments_folder`) or by the path of its folder."""
        given = Path(name_or_path)
        folder = given if (given / "assignment.toml").is_file() else assignments_folder() / str(name_or_path)
        file = folder / "assignment.toml"
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = names()
            hint = did_you_mean(given.name, known)
            rest = f"{'The' if hint else '; the'} assignments here are: {', '.join(known) or 'none'}"
            raise AssignmentError(f"there is no assignment '{name_or_path}'{hint}{' ' if hint else ''}{rest}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise AssignmentError(f"{file}: not valid TOML: {error}") from None
        try:
            return _parse(folder, content)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise AssignmentError(f"{file}: {error}") from None


def assignments_folder() -> Path:
    """Where assignments are: $AUTOGRADER_ASSIGNMENTS, else `assignments/` beside this package or in this folder."""
    given = os.environ.get("AUTOGRADER_ASSIGNMENTS")
    if given:
        return Path(given)
    beside = Path(__file__).resolve().parent.parent / "assignments"
    return beside if beside.is_dir() else Path.cwd() / "assignments"


def names() -> list[str]:
    """The names of all assignments, sorted."""
    return sorted(file.parent.name for file in assignments_folder().glob("*/assignment.toml"))


def _parse(folder: Path, content: dict[str, Any]) -> Assignment:
    unknown = set(content) - {"title", "about", "questions", "limits", "budget", "late", "notebook_url"}
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    known = {entry.name: entry.type for entry in fields(Limits)}
    given: dict[str, Any] = content.get("limits", {})
    for key, value in given.items():
        if key not in known:
            raise ValueError(f"unknown limit '{key}'; limits are: {', '.join(known)}")
        _check_limit(f"limit '{key}'", value)
    return Assignment(
        name=folder.name,
        title=str(content["title"]),
        folder=folder,
        questions=tuple(_question(name, entry) for name, entry in content["questions"].items()),
        limits=Limits(**given),
        budget=_budget(content.get("budget", {})),
        late=LatePolicy.parse(content["late"]) if "late" in content else None,
        about=str(content.get("about", "")),
        notebook_url=_address(content.get("notebook_url", "")),
    )


def _budget(given: dict[str, Any]) -> dict[str, int]:
    for key, value in given.items():
        if key not in ("operations", "exports"):
            raise ValueError(f"unknown budget '{key}'; there are: operations, exports")
        _check_limit(f"budget '{key}'", value)
    return dict(given)


def _address(given: object) -> str:
    if not isinstance(given, str) or not re.fullmatch(r"(https://[!-~]+)?", given) or "#" in given:
        raise ValueError(f"notebook_url must be an address that begins with https:// and has no #, got {given!r}")
    return given


def _check_limit(what: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ValueError(f"{what} must be a positive number, got {value!r}")


def _question(name: str, entry: dict[str, Any]) -> Question:
    unknown = set(entry) - {"title", "points", "functions", "bonus", "autodiff", "call_seconds", "minutes", "last"}
    if unknown:
        raise ValueError(f"question {name}: unknown keys: {', '.join(sorted(unknown))}")
    if "call_seconds" in entry:
        _check_limit(f"question {name}: call_seconds", entry["call_seconds"])
    minutes = entry.get("minutes")
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, int) or minutes <= 0):
        raise ValueError(f"question {name}: minutes must be a positive whole number, got {minutes!r}")
    return Question(
        name=name,
        title=str(entry["title"]),
        points=float(entry["points"]),
        functions=tuple(str(function) for function in entry["functions"]),
        bonus=bool(entry.get("bonus", False)),
        autodiff=bool(entry.get("autodiff", False)),
        call_seconds=entry.get("call_seconds"),
        minutes=minutes,
        last=bool(entry.get("last", False)),
    )
