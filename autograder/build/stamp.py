"""What a build was made from and what it wrote, as digests: `dist/<name>/stamp.json`.

A build takes half a minute for an assignment, most of it for finding out what known mistakes answer. Where every file
that it reads and every file that it wrote is as it was, there is nothing to do, and finding that out takes a second.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.assignment import Assignment
from autograder.build.course import Course

FILE = "stamp.json"
PACKAGES = ("otter-grader", "jupytext", "nbformat", "numpy", "jax", "jaxlib")
"""The packages whose version may change what a build writes."""
_SKIPPED = {"__pycache__", ".ipynb_checkpoints", ".venv"}
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Stamp:
    """One build of one assignment."""

    sources: str
    """The digest of everything that decides it but what is handed out besides it."""
    handed_out: str
    """The digest of what students are handed besides what this build writes: no secret may be in it."""
    written: dict[str, str]
    """The digest of each file written, by its path from the course's folder or (dist) from where it is."""

    def save(self, folder: Path) -> None:
        """Writes it into `dist/<name>`."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> "Stamp | None":
        """That of `dist/<name>`; None where there is none that can be read."""
        try:
            return Stamp(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def holds(self, assignment: Assignment, *, with_dist: bool) -> bool:
        """Whether building `assignment` again would change nothing; with_dist: including what is in `dist/`."""
        files = {path: digest for path, digest in self.written.items() if with_dist or _in_course(assignment, path)}
        return (
            all(_digest(Path(path)) == digest for path, digest in files.items())
            and self.sources == sources(assignment)
            and self.handed_out == handed_out(assignment)
        )


def sources(assignment: Assignment) -> str:
    """The digest of an assignment's own files, of the code that builds it, of the seed, and of the versions."""
    course = Course.of(assignment)
    others = {path.name for path in assignment.folder.resolve().parent.iterdir()} - {assignment.name}
    files = [*_files(assignment.folder.resolve()), *_files(_PACKAGE), *_files(course.adkit)]
    files += [path for path in _files(course.root / "reference") if path.stem not in others]
    files += [path for path in (course.root / "constraints.txt",) if path.is_file()]
    facts = [sys.version, os.environ.get("AUTOGRADER_SEED", ""), *(f"{name} {_version(name)}" for name in PACKAGES)]
    return _of_all(files, facts)


def handed_out(assignment: Assignment) -> str:
    """The digest of `student_template/` but for what is generated from `assignment`."""
    course = Course.of(assignment)
    own = course.public_tests(assignment.name)
    notebook = course.notebook(assignment.name)
    return _of_all((path for path in _files(course.template) if path != notebook and own not in path.parents), [])


def begin(assignment: Assignment) -> Stamp:
    """The stamp of a build that is about to begin: what changes while it runs is not in it."""
    return Stamp(sources(assignment), handed_out(assignment), {})


def finish(begun: Stamp, written: Iterable[Path]) -> Stamp:
    """The same when its files have been written."""
    return replace(begun, written={str(path.resolve()): _digest(path) for path in written})


def _in_course(assignment: Assignment, path: str) -> bool:
    return Path(path).is_relative_to(Course.of(assignment).template)


def _of_all(files: Iterable[Path], facts: Iterable[str]) -> str:
    entries = [*(f"{path} {_digest(path)}" for path in files), *facts]
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not _SKIPPED & set(path.parts)]


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
