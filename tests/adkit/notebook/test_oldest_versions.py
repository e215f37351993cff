"""What students may install is what grades alike: the oldest versions of requirements.txt pass the public cases.

Made with pip in a virtual environment of its own, from the machine's package index. In CI one assignment is run; all of
them with `pytest -m slow tests/adkit/notebook/test_oldest_versions.py`.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from solved import solved_notebook

from autograder.assignment import Assignment, names

TEMPLATE = Path(__file__).parents[3] / "student_template"
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
SAMPLED = "matrix_gradients"
FIRST_WHEELS = {"numpy": {(3, 13): "2.1.0"}}
"""Where the oldest allowed version does not exist for a Python: the first that does."""


def oldest() -> list[str]:
    """The lower bounds of requirements.txt as pins; without the editor and Otter, which check.py does not use."""
    pins = ["ipython"]
    for line in (TEMPLATE / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(("#", "jupyterlab", "otter-grader")):
            continue
        requirement = Requirement(line)
        (bound,) = [entry.version for entry in requirement.specifier if entry.operator == ">="]
        pins.append(f"{requirement.name}=={FIRST_WHEELS.get(requirement.name, {}).get(sys.version_info[:2], bound)}")
        if requirement.name == "jax":
            pins.append(f"jaxlib=={bound}")
    return pins


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """student_template/ with solved notebooks, and an environment of the oldest versions in .venv."""
    folder = tmp_path_factory.mktemp("oldest") / "handout"
    ignored = shutil.ignore_patterns("__pycache__", ".venv", "*.zip")
    shutil.copytree(TEMPLATE, folder, ignore=ignored)
    for name in names():
        (folder / f"{name}.ipynb").write_text(solved_notebook(name), encoding="utf-8")
    venv.create(folder / ".venv", with_pip=True)
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", *oldest()]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 and not IN_CI:
        pytest.skip(f"the oldest versions could not be installed: {done.stderr[-500:]}")
    assert done.returncode == 0, done.stderr
    return folder


def passes(student: Path, name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [str(student / ".venv" / "bin" / "python"), "check.py", name]
    done = subprocess.run(command, cwd=student, env=environment, capture_output=True, text=True, encoding="utf-8")
    questions = len(Assignment.load(name).questions)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{questions} questions: {questions} passed" in done.stdout


@pytest.mark.skipif(not IN_CI, reason="installs packages: runs where CI is set, or with -m slow")
def test_a_solved_notebook_passes_with_the_oldest_versions(student: Path) -> None:
    passes(student, SAMPLED)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_every_solved_notebook_passes_with_the_oldest_versions(student: Path, name: str) -> None:
    passes(student, name)


def test_the_oldest_versions_are_those_of_the_first_page_and_of_jax_alone() -> None:
    assert {"jax==0.4.38", "jaxlib==0.4.38", "absl-py==2.1"} <= set(oldest())
