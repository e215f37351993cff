"""The leak check: planted leaks are found, what is public anyway is not."""

import ast
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from courses import copy_course

from autograder.assignment import Assignment
from autograder.build import command
from autograder.build.command import build
from autograder.build.course import Course
from autograder.build.known_mistakes import Table, known_mistakes
from autograder.build.leaks import Secret, find_leaks, secrets
from autograder.build.percent import read_cells
from autograder.build.testfiles import read_test_files
from autograder.grading import recognition
from reference.mistakes import Mistake


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Secret, ...]:
    assignment = copy_course(tmp_path_factory.mktemp("course") / "toys")
    return secrets(assignment, read_cells(assignment), read_test_files(assignment))


def notebook(*cells: dict[str, object], **metadata: object) -> bytes:
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4}).encode()


def code(source: str, **extra: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "metadata": {}, **extra}


REFERENCE_LINE = "        best = candidate if candidate > best else best\n"
MISTAKE_LINE = "    return sum(xs) / (len(xs) - 1)\n"
HIDDEN_LINE = "    for number in (-17, 0, 1.25, 40_000):\n"


@pytest.mark.filterwarnings("error")
def test_text_that_is_nearly_code_brings_no_warning(hidden: tuple[Secret, ...]) -> None:
    """A cell's random name can look like a number with a keyword behind it."""
    assert find_leaks(hidden, {"n.ipynb": notebook(code("x = 1", id="1or 2"))}) == []


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        (REFERENCE_LINE, "reference/toy.py"),
        (MISTAKE_LINE, "reference/mistakes/toy.py"),
        (HIDDEN_LINE, "test_q1_of_many"),
    ],
)
@pytest.mark.parametrize(
    "place", ["code", "markdown", "metadata", "output", "json", "python", "attachment", "data URI"]
)
def test_a_planted_line_is_found_wherever_it_stands(
    hidden: tuple[Secret, ...], line: str, origin: str, place: str
) -> None:
    files = {
        "code": ("n.ipynb", notebook(code(f"x = 1\n{line}"))),
        "markdown": ("n.ipynb", notebook({"cell_type": "markdown", "source": f"Hint: `{line.strip()}`"})),
        "metadata": ("n.ipynb", notebook(code("x = 1"), hint=line)),
        "output": ("n.ipynb", notebook(code("x", outputs=[{"output_type": "stream", "text": [line]}]))),
        "json": ("tests/known_mistakes.json", json.dumps({"a": [["b", line]]}).encode()),
        "python": ("adkit/hints.py", f"def f(xs):\n{line}".encode()),
        "attachment": (
            "n.ipynb",
            notebook({"attachments": {"a.svg": {"image/svg+xml": base64.b64encode(line.encode()).decode()}}}),
        ),
        "data URI": (
            "n.ipynb",
            notebook({"source": f'<img src="data:image/png;base64,{base64.b64encode(line.encode()).decode()}">'}),
        ),
    }
    name, content = files[place]
    leaks = find_leaks(hidden, {name: content})
    assert [leak.file for leak in leaks] == [name]
    assert origin in leaks[0].origin


def test_other_whitespace_does_not_hide_a_line(hidden: tuple[Secret, ...]) -> None:
    changed = "best=candidate   if candidate>best \\\n   else best".replace("\\\n", "\n")
    assert find_leaks(hidden, {"a.py": changed.encode()})


def test_renamed_variables_do_not_hide_a_function(hidden: tuple[Secret, ...]) -> None:
    renamed = """def maximum(values):
    # my own idea
    top = _SMALLEST
    for v in values:
        top = (v if v > top
               else top)
    return top
"""
    leaks = find_leaks(hidden, {"n.ipynb": notebook(code(renamed))})
    assert [leak.secret for leak in leaks] == ["the body of largest"]
    fenced: dict[str, object] = {"cell_type": "markdown", "source": f"Like this:\n```python\n{renamed}```\n"}
    assert find_leaks(hidden, {"n.ipynb": notebook(fenced)})


def test_what_stubs_public_cases_and_common_lines_say_is_no_leak(hidden: tuple[Secret, ...]) -> None:
    public = (
        'def total(xs):\n    """The sum of the numbers xs; 0 when there are none."""\n'
        "    from adkit import checks\n    import math\n    result = 0\n    return result\n"
    )
    assert find_leaks(hidden, {"a.py": public.encode()}) == []


def test_a_line_as_the_tail_of_another_name_is_no_leak() -> None:
    secret = Secret("reference/x.py:1", "x = solve(A, b)", squeezed="x=solve(A,b)")
    assert find_leaks([secret], {"a.py": b"max = solve(A, b)"}) == []
    assert find_leaks([secret], {"a.py": b"; x = solve(A, b)"})


def test_build_refuses_to_write_a_leak_and_check_reports_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assignment = copy_course(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
    text = assignment.notebook.read_text()
    assignment.notebook.write_text(
        text.replace("# Try it before you check it.", "# Try `return sum(xs) / (len(xs) - 1)`.")
    )
    assert build(["toy"], tmp_path / "dist", check=False) == 1
    assert "toy.ipynb holds a line of reference/mistakes/toy.py" in capsys.readouterr().err
    assert not (tmp_path / "course" / "student_template" / "toy.ipynb").exists()
    assignment.notebook.write_text(text)
    assert build(["toy"], tmp_path / "dist", check=False) == 0
    (tmp_path / "course" / "student_template" / "notes.md").write_text(REFERENCE_LINE)
    assert build(["toy"], tmp_path / "dist", check=True) == 1
    assert "notes.md" in capsys.readouterr().err


def test_a_line_marked_public_may_be_shown(tmp_path: Path) -> None:
    assignment: Assignment = copy_course(tmp_path / "course")
    path = tmp_path / "course" / "reference" / "toy.py"
    path.write_text(path.read_text().replace("else best\n", "else best  # public\n"))
    found = secrets(assignment, read_cells(assignment), read_test_files(assignment))
    assert find_leaks(found, {"a.md": REFERENCE_LINE.encode()}) == []


# --- sealed sentences -----------------------------------------------------------------------------------------------


def of_q3(monkeypatch: pytest.MonkeyPatch, *planted: Mistake) -> Table:
    """The table for one question when these are all the known mistakes there are."""
    assignment = Assignment.load("matrix_gradients")
    monkeypatch.setattr(recognition, "catalogue", lambda _: planted)
    file = Course.of(assignment).public_tests("matrix_gradients") / "q3.py"
    public = {"tests/matrix_gradients/q3.py": file.read_text(encoding="utf-8")}
    files = {"notebook.ipynb": notebook(code("expected = np.array([[7.125, -3.0625], [0.4321, 1.9], [2.7, 8.111]])"))}
    table = known_mistakes(assignment, read_cells(assignment), public, files)
    assert table is not None
    return table


def planted(answer: Callable[[Any], Any], openly: str | None = None) -> Mistake:
    return Mistake("planted", "q3", "nuclear_norm_gradient", "It is U V^T, of an SVD.", answer, openly)


@pytest.mark.parametrize(
    ("answer", "origin"),
    [
        (lambda W: W, "an input of test_q3_a_tall_matrix"),
        (lambda W: 0.0 * W, "zeros"),
        (lambda W: np.full_like(W, np.nan), "NaN"),
        (lambda W: np.array([[7.125, -3.0625], [0.4321, 1.9], [2.7, 8.111]]), "a constant of notebook.ipynb"),
        (lambda W: np.full_like(W, 2.5), "little to guess"),
    ],
    ids=["input", "zeros", "NaN", "constant", "few numbers"],
)
def test_a_planted_sentence_that_a_student_can_open_is_found(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Any], Any], origin: str
) -> None:
    table = of_q3(monkeypatch, planted(answer))
    [found] = [entry.guess for entry in table.entries if entry.test == "test_q3_a_tall_matrix"]
    assert found.startswith(origin)
    assert "openly" in table.problems()[0]
    assert "U V^T" not in table.render()
    assert not table.guessed


def test_a_sentence_that_only_its_mistake_opens_is_sealed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    table = of_q3(monkeypatch, planted(lambda W: 1.2345 * np.sin(W) + 0.1))
    assert not table.problems()
    assert "It is U V^T, of an SVD." in table.sentences


def test_nothing_is_written_while_a_sentence_has_to_be_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = of_q3(monkeypatch, planted(lambda W: W))
    assignment = copy_course(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
    monkeypatch.setattr(command, "known_mistakes", lambda *_: table)
    assert build(["toy"], tmp_path / "dist", check=False) == 1
    assert "nuclear_norm_gradient__planted" in capsys.readouterr().err
    assert not (tmp_path / "course" / "student_template" / "toy.ipynb").exists()


def test_a_secret_line_in_a_sealed_sentence_is_a_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    says = f"Write `{REFERENCE_LINE.strip()}`."
    entry = Mistake("planted", "q3", "nuclear_norm_gradient", says, lambda W: 1.2345 * np.sin(W) + 0.1)
    table = of_q3(monkeypatch, entry)
    assignment = copy_course(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
    monkeypatch.setattr(command, "known_mistakes", lambda *_: table)
    assert build(["toy"], tmp_path / "dist", check=False) == 1
    assert "known_mistakes.json (unsealed) holds a line of reference/toy.py" in capsys.readouterr().err


def test_what_a_students_own_test_is_graded_with_is_not_handed_out() -> None:
    """Right and wrong implementations of question 4, the reference's and those of q8's own module."""
    assignment = Assignment.load("ad_modes")
    kept = secrets(assignment, read_cells(assignment), read_test_files(assignment))
    root = Course.of(assignment).root
    for file in (f"implementations/{assignment.name}.py", f"{assignment.name}.py"):
        source = (root / "reference" / file).read_text(encoding="utf-8")
        origins = {leak.origin.partition(":")[0] for leak in find_leaks(kept, {"adkit/handed.py": source.encode()})}
        assert f"reference/{file}" in origins
        for function in (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)):
            renamed = ast.unparse(function).replace("bars", "adjoints").replace("v_bar", "adjoints")
            if function.name in ("arrays", "only_what_is_needed", "raises_for_unused_inputs", "reverse_mode"):
                assert find_leaks(kept, {"renamed.py": renamed.encode()}), function.name
