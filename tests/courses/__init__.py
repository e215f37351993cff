"""Small courses on disk, and what is handed in for them: to build and grade in tests without the real ones.

toy/       one assignment as an author writes it: notebook, figure, tests, reference, known mistakes
awkward/   an assignment, and nothing around it, whose tests and texts are what a grader has to bear: a title with
           markup, a plain assert, a test with a bug, a hidden input in the title of its case
vault/     the assignment that attacks are handed in for (hostile/)
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from autograder.assignment import Assignment, Limits, Question

COURSES = Path(__file__).parent
TOY, AWKWARD, VAULT = COURSES / "toy", COURSES / "awkward", COURSES / "vault"

# what may be handed in for the awkward one
RIGHT = "def double(x):\n    return 2 * x\ndef negate(x):\n    return -x\n"
EXTRA = "def extra():\n    return 1\n"
WRONG = "def double(x):\n    return x\ndef negate(x):\n    raise ValueError(f'got {x}')\n"


def copy_course(folder: Path) -> Assignment:
    """A fresh copy of the toy course with the course's own adkit; the toy assignment in it."""
    shutil.copytree(TOY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "student_template").mkdir(exist_ok=True)
    return Assignment.load(folder / "assignments" / "toy")


def awkward_assignment(folder: Path) -> Assignment:
    """A fresh copy of the awkward assignment: `folder`/toy."""
    shutil.copytree(AWKWARD / "assignments", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return Assignment.load(folder / "toy")


def one_question(limits: Limits, *functions: str) -> Assignment:
    """An assignment without files, whose only question has these functions: for tests of what a session does."""
    return Assignment("toy", "Toy", Path(), (Question("q1", "t", 1, functions),), limits)


def notebook(*cells: str) -> str:
    """A notebook's text."""
    return json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
                for cell in cells
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


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
