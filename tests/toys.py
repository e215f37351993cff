"""A course of one small assignment, to build and grade in tests without the real ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.assignment import Assignment

SOURCE = Path(__file__).parent / "toys_course"


def copy_course(folder: Path) -> Assignment:
    """A fresh copy of the toy course with the course's own adkit; the toy assignment in it."""
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "student_template").mkdir(exist_ok=True)
    return Assignment.load(folder / "assignments" / "toy")


def environment(course: Path) -> dict[str, str]:
    """The environment in which other processes find the toy course."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    paths = [str(course), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return inherited | {
        "AUTOGRADER_ASSIGNMENTS": str(course / "assignments"),
        "PYTHONPATH": os.pathsep.join(paths),
        "JAX_PLATFORMS": "cpu",
    }


def otter(*arguments: str, course: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs `otter …` as an instructor does."""
    script = Path(sys.executable).parent / "otter"
    return subprocess.run(
        [str(script), *arguments], cwd=cwd, env=environment(course), capture_output=True, text=True, timeout=300
    )
