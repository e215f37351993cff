"""Hints in steps and headings to read again: the build asks for all of them, and hands out no solution in them."""

import json
from pathlib import Path

import pytest
from courses import copy_course

from autograder.assignment import Assignment, names
from autograder.build import BuildError
from autograder.build.command import facts
from autograder.build.hints import STEPS, check_rereads, headings, read_hints
from autograder.build.leaks import find_leaks, secrets
from autograder.build.percent import read_cells
from autograder.build.testfiles import read_test_files
from autograder.report.feedback import anchor

HINTS = {name: {step: f"A {step} for {name}?" for step in STEPS} for name in ("q1", "q2", "q3")}


@pytest.fixture
def toy(tmp_path: Path) -> Assignment:
    return copy_course(tmp_path / "course")


def write(assignment: Assignment, hints: dict[str, dict[str, str]]) -> None:
    lines = [
        f"[{name}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in steps.items()) for name, steps in hints.items()
    ]
    (assignment.folder / "hints.toml").write_text("\n\n".join(lines))


def test_hints_are_handed_out_with_the_facts_about_a_question(toy: Assignment) -> None:
    assert "hints" not in facts(toy, read_test_files(toy))
    write(toy, HINTS)
    questions = json.loads(facts(toy, read_test_files(toy)))["questions"]
    assert questions[1]["hints"] == ["A question for q2?", "A idea for q2?", "A mathematics for q2?"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda hints: hints.pop("q2"), "the questions are q1, q2, q3"),
        (lambda hints: hints["q1"].pop("idea"), "a hint has question, idea, mathematics"),
        (lambda hints: hints["q1"].update(idea=""), "idea must be one line"),
        (lambda hints: hints["q1"].update(idea="two\nlines"), "idea must be one line"),
        (lambda hints: hints["q1"].update(question="No question."), "question must be a question"),
    ],
)
def test_hints_that_are_not_complete_are_an_error(toy: Assignment, change, words: str) -> None:
    hints = {name: dict(steps) for name, steps in HINTS.items()}
    change(hints)
    write(toy, hints)
    with pytest.raises(BuildError, match=words):
        read_hints(toy)


def test_a_solution_in_a_hint_is_a_leak(toy: Assignment) -> None:
    reference = (toy.folder.parent.parent / "reference" / "toy.py").read_text()
    line = next(
        line.strip() for line in reference.splitlines() if line.strip().startswith("return ") and len(line) > 20
    )
    write(toy, {**HINTS, "q1": {**HINTS["q1"], "mathematics": line}})
    tests = read_test_files(toy)
    found = find_leaks(secrets(toy, read_cells(toy), tests), {"assignment.json": facts(toy, tests).encode()})
    assert found


@pytest.mark.parametrize("name", names())
def test_every_question_has_hints_and_every_mistake_a_heading_that_is_there(name: str) -> None:
    assignment = Assignment.load(name)
    assert set(read_hints(assignment)) == {question.name for question in assignment.questions}
    check_rereads(assignment, read_cells(assignment))


def test_a_heading_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = Assignment.load("ad_modes")
    cells = [cell for cell in read_cells(assignment) if "## Which mode?" not in cell.source]
    with pytest.raises(BuildError, match="points to the heading 'Which mode\\?'"):
        check_rereads(assignment, cells)


def test_headings_are_found_at_every_level_and_have_jupyters_anchors() -> None:
    found = headings(read_cells(Assignment.load("matrix_gradients")))
    assert {"Gradients of matrix functions", "Forwards first"} <= found
    assert anchor("Cotangents, and the trace trick") == "Cotangents,-and-the-trace-trick"
