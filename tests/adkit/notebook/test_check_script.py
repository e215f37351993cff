"""`python check.py`, as a student runs it."""

import subprocess
import sys
from pathlib import Path

from small_handout import DOUBLE, ENDLESS, EXPORT, ROOT, SETUP, STUB, TWICE, handout, notebook


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "check.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")


def test_it_says_what_the_checks_say_and_a_stub_is_a_sentence(tmp_path: Path) -> None:
    handout(tmp_path)
    (tmp_path / "small.ipynb").write_text(notebook(SETUP, STUB, TWICE, EXPORT))
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "· q1: Question 1  not filled in yet     0 of 4 points" in done.stdout
    assert "✓ q2: Question 2  2 of 2 public cases   1.5 of 4 points" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_byte_order_mark_and_another_name_are_taken(tmp_path: Path) -> None:
    handout(tmp_path)
    (tmp_path / "small (1).ipynb").write_text(notebook(SETUP, DOUBLE, TWICE), encoding="utf-8-sig")
    done = check(tmp_path, "small (1).ipynb")
    assert "2 questions: 2 passed" in done.stdout, done.stdout + done.stderr


def test_a_notebook_of_any_name_is_known_by_its_setup_cell(tmp_path: Path) -> None:
    handout(tmp_path)
    (tmp_path / "homework.ipynb").write_text(notebook(SETUP, DOUBLE, TWICE))
    assert "2 questions: 2 passed" in check(tmp_path, "homework").stdout


def test_an_endless_cell_is_left_out_and_an_endless_call_is_the_graders_sentence(tmp_path: Path) -> None:
    handout(tmp_path, cell_seconds=10)
    (tmp_path / "small.ipynb").write_text(notebook(SETUP, ENDLESS, "double(1)", TWICE))
    done = check(tmp_path)
    assert done.returncode == 1
    assert "code cell 3 was left out: it took longer than the 10 seconds of a cell" in done.stdout
    assert "double did not finish within 0.3 seconds." in done.stdout
    assert "✓ q2: Question 2" in done.stdout


def test_an_unknown_question_is_a_sentence_with_the_nearest_name(tmp_path: Path) -> None:
    handout(tmp_path)
    (tmp_path / "small.ipynb").write_text(notebook(SETUP, DOUBLE, TWICE))
    done = check(tmp_path, "-q", "Q2")
    assert done.returncode == 2
    assert done.stderr == "check.py: there is no question 'Q2'; did you mean 'q2'? There are q1, q2\n"


def test_one_question_can_be_asked_for(tmp_path: Path) -> None:
    handout(tmp_path)
    (tmp_path / "small.ipynb").write_text(notebook(SETUP, DOUBLE, TWICE))
    done = check(tmp_path, "small", "--question", "q2")
    assert "1 question: 1 passed" in done.stdout
    assert "q1" not in done.stdout


def test_help_says_what_can_be_said(tmp_path: Path) -> None:
    done = check(handout(tmp_path), "--help")
    assert done.returncode == 0
    assert "--question" in done.stdout
    assert "Exit codes" in done.stdout


def test_the_first_page_names_the_versions_that_the_grader_has_and_the_oldest_allowed() -> None:
    page = (ROOT / "student_template" / "README.md").read_text(encoding="utf-8")
    pins = [line.split(";")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    for package in ("numpy", "jax"):
        for pin in (pin for pin in pins if pin.startswith(f"{package}==")):
            assert pin.split("==")[1] in page, f"the grader's {pin} is not on the first page"
    bounds = dict(line.split(">=") for line in requirements() if ">=" in line and "," not in line)
    assert bounds["jax"] in page
    assert f"NumPy | {bounds['numpy']}" in page


def requirements() -> list[str]:
    lines = (ROOT / "student_template" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_both_lists_of_requirements_say_the_same() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "student_template" / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(project["project"]["dependencies"]) == sorted(requirements())
