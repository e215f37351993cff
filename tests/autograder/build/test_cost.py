"""The build counts what grading the reference takes, and stops above an assignment's budget."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from autograder.assignment import Assignment, AssignmentError
from autograder.build import BuildError
from autograder.build.cost import CaseCost, Cost, cost_of
from autograder.grading.cache import digest_of

ASSIGNMENT = Assignment.load("matrix_gradients")


@pytest.fixture(scope="module")
def cost() -> Cost:
    return cost_of(ASSIGNMENT)


def test_every_case_is_counted_and_within_the_budget(cost: Cost) -> None:
    assert len(cost.cases) == sum(1 for case in cost.cases if case.case.startswith("test_q"))
    assert {case.question for case in cost.cases} == {question.name for question in ASSIGNMENT.questions}
    assert 50 < cost.operations <= ASSIGNMENT.budget["operations"]
    assert 5 < cost.exports <= ASSIGNMENT.budget["exports"]
    assert cost.problems(ASSIGNMENT) == []


def test_what_a_case_has_met_is_not_new_in_the_next(cost: Cost) -> None:
    vectors = [case for case in cost.cases if case.question == "q1" and case.operations]
    assert len(vectors) < len([case for case in cost.cases if case.question == "q1"])


def test_the_functions_of_a_test_are_not_the_submissions_work(cost: Cost) -> None:
    checks = [case for case in cost.cases if case.question == "q4"]
    assert sum(case.operations for case in checks) == 0  # the reference's are NumPy


def test_above_the_budget_the_dearest_cases_are_named(cost: Cost) -> None:
    tight = dataclasses.replace(ASSIGNMENT, budget={"operations": 10, "exports": 100})
    (problem,) = cost.problems(tight)
    assert f"needs {cost.operations} operations, the budget is 10" in problem
    dearest = max(cost.cases, key=lambda case: case.operations)
    assert f"{dearest.case} {dearest.operations}" in problem


@pytest.mark.parametrize(
    ("hidden", "found"), [(("3x3",), True), (("3x3", "4x4"), False), (("number",), False), ((), False)]
)
def test_hidden_cases_keep_a_size_of_their_own(hidden: tuple[str, ...], found: bool) -> None:
    cases = (
        CaseCost("q1", "test_q1_public", False, 0, 0, ("3x3", "number")),
        CaseCost("q1", "test_q1_hidden", True, 0, 0, hidden),
    )
    problems = Cost(cases).problems(ASSIGNMENT)
    assert any("every size of the hidden cases" in problem for problem in problems) == found


def test_a_reference_that_fails_its_tests_cannot_be_counted(tmp_path: Path) -> None:
    root = ASSIGNMENT.folder.parents[1]
    for folder in ("assignments/matrix_gradients", "reference"):
        shutil.copytree(root / folder, tmp_path / folder)
    reference = tmp_path / "reference" / "matrix_gradients.py"
    text = reference.read_text()
    reference.write_text(text + "\n\ndef nuclear_norm_gradient(W):\n    return W\n")
    with pytest.raises(BuildError, match="the reference fails test_q3_"):
        cost_of(Assignment.load(tmp_path / "assignments" / "matrix_gradients"))


def test_the_budget_is_checked_and_is_no_change_of_the_contract(tmp_path: Path) -> None:
    folder = tmp_path / "assignments" / "matrix_gradients"
    shutil.copytree(ASSIGNMENT.folder, folder)
    before = digest_of(Assignment.load(folder))
    file = folder / "assignment.toml"
    text = file.read_text()
    file.write_text(text.replace("operations = 150", "operations = 151"))
    assert digest_of(Assignment.load(folder)) == before
    file.write_text('notebook_url = "https://example.org/x.html"\n' + text)
    assert digest_of(Assignment.load(folder)) == before
    file.write_text(text.replace("operations = 150", "operation = 150"))
    with pytest.raises(AssignmentError, match="unknown budget 'operation'"):
        Assignment.load(folder)
    file.write_text(text.replace("operations = 150", "operations = 0"))
    with pytest.raises(AssignmentError, match="must be a positive number"):
        Assignment.load(folder)
