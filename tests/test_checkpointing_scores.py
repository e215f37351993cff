"""What the tests of `checkpointing` give: all points to the reference, none to stubs, fewer to every mistake."""

from collections.abc import Callable
from typing import Any

import pytest
from adkit import checks
from otter.test_files import ExceptionTestFile

import reference.checkpointing as reference
from autograder.assignment import Assignment
from reference.mistakes import Mistake, catalogue

ASSIGNMENT = Assignment.load("checkpointing")
RIGHT: dict[str, Callable[..., Any]] = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
CONTRACT = {"q1": 3, "q2": 3, "q3": 6, "q4": 4, "q5": 10, "q6": 9, "q7": 5}


def file_of(question: str) -> ExceptionTestFile:
    return ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))


def earned(question: str, functions: dict[str, Any]) -> float:
    file = file_of(question)
    file.run(functions)
    return sum(float(result.test_case.points or 0) for result in file.test_case_results if result.passed)


@pytest.mark.parametrize("question", CONTRACT)
def test_the_reference_earns_all_points(question: str) -> None:
    assert earned(question, RIGHT) == CONTRACT[question] == ASSIGNMENT.question(question).points


@pytest.mark.parametrize("question", CONTRACT)
def test_about_two_fifths_of_the_points_are_public(question: str) -> None:
    cases = file_of(question).test_cases
    public = sum(float(case.points or 0) for case in cases if not case.hidden)
    assert 0.35 <= public / CONTRACT[question] <= 0.45


def test_there_are_35_points_and_5_more() -> None:
    assert ASSIGNMENT.points == 35
    assert [question.name for question in ASSIGNMENT.questions if question.bonus] == ["q7"]


def stub(*_: Any) -> Any:
    raise NotImplementedError("q: stub")


@pytest.mark.parametrize("question", CONTRACT)
@pytest.mark.parametrize("functions", [dict.fromkeys(RIGHT, stub), {}], ids=["stubs", "nothing"])
def test_a_template_that_nobody_filled_in_earns_nothing(question: str, functions: dict[str, Any]) -> None:
    assert earned(question, functions) == 0


@pytest.mark.parametrize("entry", catalogue("checkpointing"), ids=lambda entry: f"{entry.function}__{entry.name}")
def test_every_known_mistake_loses_points(entry: Mistake) -> None:
    functions = {**RIGHT, entry.function: entry.implementation}
    for case in file_of(entry.question).test_cases:
        try:
            case.body.call_func(functions)
        except AssertionError:
            return
    pytest.fail("no case notices it")


def test_a_mistake_can_lose_points_on_its_own_question_only() -> None:
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            assert set(case.body._get_func_params()) <= set(question.functions)
    assert all(entry.function in ASSIGNMENT.question(entry.question).functions for entry in catalogue("checkpointing"))


def test_lists_of_lists_and_numpy_integers_earn_the_same() -> None:
    import numpy as np

    def unusual(schedule: Any) -> Any:
        return tuple([name, np.int64(i)] for name, i in schedule)

    functions: dict[str, Any] = {
        name: (lambda *args, right=right: unusual(right(*args)))
        for name, right in RIGHT.items()
        if name not in ("choose_checkpoints", "checkpointed_loss")
    }
    functions["choose_checkpoints"] = lambda n: np.array(RIGHT["choose_checkpoints"](n), dtype=np.int32)
    for question in ("q1", "q2", "q3", "q4", "q5", "q7"):
        assert earned(question, functions) == CONTRACT[question]


@pytest.mark.parametrize("answer", [None, 3, "schedule", [("forward", 10**30)], {}, float("nan"), [[[]]], [("x",)] * 9])
def test_a_strange_answer_costs_its_cases_and_nothing_else(answer: Any) -> None:
    functions = dict.fromkeys(RIGHT, lambda *_: answer)
    for question in ("q1", "q2", "q3", "q4", "q5", "q7"):
        file = file_of(question)
        file.run(functions)
        for result in file.test_case_results:
            assert not result.passed
            assert result.message is not None
            assert "CheckError" in result.message or "StudentError" in result.message


def test_mistakes_that_keep_the_same_are_told_apart() -> None:
    """One jax.checkpoint around everything and nested ones both keep nothing: each has a sentence of its own."""
    case = next(c for c in file_of("q6").test_cases if "keeps_the_checkpoints" in c.body.test_func.__name__)
    answers: list[Any] = []
    for entry in catalogue("checkpointing"):
        if entry.function == "checkpointed_loss" and entry.name in ("whole_network", "nested"):
            functions = {entry.function: entry.implementation}
            failure = checks.first_failure(lambda functions=functions: case.body.call_func(functions))
            assert failure is not None
            answers.append(failure.answer)
    assert len(answers) == 2
    assert answers[0] != answers[1]
