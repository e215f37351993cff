"""The output folder: whose it is, what it holds, and `run.json`, which says how its results came about."""

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import autograder
from autograder.assignment import Assignment
from autograder.records import journal

FILE = "run.json"
_FORMAT = 1
_OURS = (
    journal.FILE,
    FILE,
    "final_grades.csv",
    "grades_detail.csv",
    "report.html",
    "roster.csv",
    "sources.csv",
    "moodle_worksheet.csv",
    "regraded.csv",
)
INSTRUCTORS = ("adjustments.csv", "extensions.csv", "adjustments.before.csv", "extensions.before.csv")
"""What a person puts into the folder: read, and never replaced or removed with the results."""
_OUR_FOLDERS = ("results", "feedback", "lms")
_ONCE_ASKED_FOR = ("viva", "viva_key")
"""Folders that `autograder viva` makes."""
SUMMARIES = "grading-summaries"
"""Otter's texts, where they were wanted."""


class OutputError(Exception):
    """An output folder that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """How a run was made: everything the reports need beside the journal."""

    assignment: str
    title: str
    questions: tuple[dict[str, Any], ...]
    """name, title, points, bonus; heading (in the notebook), minutes (what it asks of a student, or None)."""
    seed: str
    contract: str
    """SHA-256 of the tests, references and checks: results of different ones are not mixed."""
    isolated: bool
    isolation: tuple[str, ...] = ()
    """The layers of isolation."""
    versions: dict[str, str] = field(default_factory=dict[str, str])
    machine: str = ""
    jobs: int = 1
    shards: tuple[str, ...] = ()
    """Which parts of the class: ("2/3",); of merged ones all; empty for the whole."""
    submissions: int = 0
    """How many there are to grade."""
    ignored: tuple[str, ...] = ()
    """Files that were passed over."""
    started: str = ""
    seconds: float = 0.0
    finished: bool = False
    late: dict[str, str] = field(default_factory=dict[str, str])
    """The late policy in force, as assignment.toml has it; empty for none."""
    cap: bool | None = None
    """Whether a grade is capped at the points possible; None where nobody decided, and then it is not."""
    missing: str = ""
    """What who handed in nothing gets in the tables: zero, blank, or (none, empty) no line."""
    mail_from: str = ""
    """The sender of lms/mail.mbox; empty for a placeholder."""
    notebook: str = ""
    """Where students can open the notebook; empty for a file of the assignment's name beside their feedback."""
    regrades: tuple[dict[str, Any], ...] = ()
    """Each `autograder regrade`: when, how many, which questions, with which contract."""

    @property
    def possible(self) -> float:
        """Points possible, bonus excluded."""
        return sum(float(question["points"]) for question in self.questions if not question["bonus"])

    @staticmethod
    def of(assignment: Assignment, seed: str, contract: str, *, isolated: bool, jobs: int) -> "Run":
        """A run that begins now."""
        return Run(
            assignment=assignment.name,
            title=assignment.title,
            questions=tuple(
                {
                    "name": question.name,
                    "title": question.title,
                    "points": question.points,
                    "bonus": question.bonus,
                    "heading": question.heading,
                    "minutes": question.minutes,
                }
                for question in assignment.questions
            ),
            seed=seed,
            contract=contract,
            isolated=isolated,
            versions=versions(),
            machine=f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores",
            jobs=jobs,
            notebook=assignment.notebook_url,
            late=dict(assignment.late.text or {}) if assignment.late else {},
            started=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        )

    def resumed_by(self, other: "Run") -> str:
        """Why `other` cannot continue this run; empty when it can."""
        for what in ("assignment", "contract", "seed", "isolated", "shards"):
            if getattr(self, what) != getattr(other, what):
                return {
                    "assignment": f"it holds results of '{self.assignment}'",
                    "contract": "the assignment's tests, references or checks have changed since",
                    "seed": "it was graded with another AUTOGRADER_SEED",
                    "isolated": "it was graded " + ("with" if self.isolated else "without") + " isolation",
                    "shards": f"it holds shard {', '.join(self.shards) or 'the whole class'}",
                }[what]
        return ""

    def write(self, folder: Path) -> None:
        """Writes run.json."""
        content = {"autograder": _FORMAT, **asdict(self)}
        write_atomically(folder / FILE, json.dumps(content, indent=2) + "\n")

    @staticmethod
    def read(folder: Path) -> "Run":
        """Reads run.json; OutputError when the folder has none of ours."""
        try:
            content: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if content.pop("autograder") != _FORMAT:
                raise OutputError(f"{folder} was written by another version of the autograder")
            for key in ("questions", "isolation", "shards", "ignored", "regrades"):
                content[key] = tuple(content.get(key, ()))
            return Run(**content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise OutputError(f"{folder} holds no results of `autograder grade` (no usable {FILE})") from None


def prepare(folder: Path, run: Run, *, resume: bool, force: bool) -> Run:
    """Makes the folder ready for `run` and writes run.json. It replaces nothing unless told to (`force`).

    Returns the run to go on with: `resume` keeps what is there, if it was made in the same way.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, the output must be a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        present = {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise OutputError(f"{folder} cannot be used for the output: {error.strerror}") from None
    if present and FILE in present and not force:
        earlier = Run.read(folder)
        if not resume and any(True for _ in journal.read(folder)):
            raise OutputError(
                f"{folder} holds the results of an earlier run: --resume grades what is missing, "
                "--force begins anew and replaces them"
            )
        difference = earlier.resumed_by(run)
        if difference and resume:
            raise OutputError(f"{folder} cannot be resumed: {difference}; --force begins anew")
        if resume:
            run = replace(
                run,
                started=earlier.started,
                seconds=earlier.seconds,
                cap=earlier.cap if run.cap is None else run.cap,
                missing=run.missing or earlier.missing,
                mail_from=run.mail_from or earlier.mail_from,
                regrades=earlier.regrades,
            )
    elif present - set(INSTRUCTORS) and not force:
        raise OutputError(
            f"{folder} is not empty and was not created by autograder; choose another folder or pass --force"
        )
    elif present and FILE in present:
        _clear(folder)
    try:
        for name in _OUR_FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        run.write(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from None
    return run


def write_atomically(path: Path, text: str) -> None:
    """Writes a whole file or, after a crash, none: readers never see a part."""
    write_bytes_atomically(path, text.encode("utf-8", "replace"))


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """The same, of bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def versions() -> dict[str, str]:
    """Versions of everything that takes part in a score."""
    found: Mapping[str, str] = {"autograder": autograder.__version__, "python": platform.python_version()}
    packages = ("jax", "jaxlib", "numpy", "scipy", "otter-grader")
    return {**found, **{package: _version(package) for package in packages}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _clear(folder: Path) -> None:
    """Removes what a run writes, and nothing else."""
    for name in _OURS:
        with suppress(FileNotFoundError):
            (folder / name).unlink()
    for name in (*_OUR_FOLDERS, *_ONCE_ASKED_FOR, SUMMARIES):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
