"""Runs Otter's own `assign` on a master notebook in a temporary folder and reads back what it wrote."""

import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import nbformat

from autograder.build import BuildError


@dataclass(frozen=True)
class Assigned:
    """Otter's two versions of a master notebook, and its test files by question."""

    student: Any
    student_tests: dict[str, str]
    autograder: Any
    autograder_tests: dict[str, str]


def assign(master: Any, name: str) -> Assigned:
    """Otter's student and autograder versions of `master`; BuildError when Otter refuses it."""
    from otter.assign import main as otter_assign

    with tempfile.TemporaryDirectory(prefix="autograder-assign-") as temporary:
        folder = Path(temporary)
        source = folder / f"{name}.ipynb"
        nbformat.write(master, source)  # pyright: ignore[reportUnknownMemberType]
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                otter_assign(str(source), str(folder / "out"), no_pdfs=True, no_run_tests=True)
            except Exception as error:
                raise BuildError(f"{name}: otter assign refused the notebook: {error}") from error
        return Assigned(*_version(folder / "out" / "student", name), *_version(folder / "out" / "autograder", name))


def _version(folder: Path, name: str) -> tuple[Any, dict[str, str]]:
    notebook = cast(Any, nbformat.read(folder / f"{name}.ipynb", as_version=4))  # pyright: ignore
    tests = {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "tests").glob("*.py"))}
    return notebook, tests
