"""What the tests of `ad_in_jax` give: all points to the reference, none to stubs, fewer to every mistake."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import ad_in_jax_solutions as solutions
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit import checks
from otter.test_files import ExceptionTestFile

import reference.ad_in_jax as reference
from autograder.assignment import Assignment
from reference.mistakes import Mistake, catalogue

ASSIGNMENT = Assignment.load("ad_in_jax")
RIGHT: dict[str, Callable[..., Any]] = {name: getattr(reference, name) for name in ASSIGNMENT.functions}
CONTRACT = {"q1": 5, "q2": 5, "q3": 6, "q4": 6, "q5": 4, "q6": 4, "q7": 5}


def file_of(question: str) -> ExceptionTestFile:
    return ExceptionTestFile.from_file(str(ASSIGNMENT.tests_dir / f"{question}.py"))


def lost(question: str, functions: dict[str, Any]) -> dict[str, str]:
    """{case: message} of the cases of a question that fail."""
    found: dict[str, str] = {}
    for case in file_of(question).test_cases:
        try:
            case.body.call_func(functions)
        except checks.CheckError as problem:
            found[case.body.test_func.__name__] = str(problem)
    return found


def loses_points(question: str, functions: dict[str, Any]) -> bool:
    """Whether a case fails; the cheapest that does is found first where public cases come first."""
    return any(
        checks.first_failure(lambda case=case: case.body.call_func(functions)) is not None
        for case in file_of(question).test_cases
    )


@pytest.mark.parametrize("question", CONTRACT)
def test_the_reference_earns_all_points(question: str) -> None:
    assert lost(question, RIGHT) == {}
    assert sum(float(case.points or 0) for case in file_of(question).test_cases) == CONTRACT[question]
    assert ASSIGNMENT.question(question).points == CONTRACT[question]


@pytest.mark.parametrize("question", CONTRACT)
def test_about_two_fifths_of_the_points_are_public(question: str) -> None:
    cases = file_of(question).test_cases
    public = sum(float(case.points or 0) for case in cases if not case.hidden)
    assert 0.35 <= public / CONTRACT[question] <= 0.45


def test_there_are_30_points_and_5_more() -> None:
    assert ASSIGNMENT.points == 30
    assert [question.name for question in ASSIGNMENT.questions if question.bonus] == ["q7"]


def test_jax_may_differentiate_everywhere() -> None:
    assert all(question.autodiff for question in ASSIGNMENT.questions)


def stub(*_: Any) -> Any:
    raise NotImplementedError("q: stub")


@pytest.mark.parametrize("question", CONTRACT)
@pytest.mark.parametrize("functions", [dict.fromkeys(RIGHT, stub), {}], ids=["stubs", "nothing"])
def test_a_template_that_nobody_filled_in_earns_nothing(question: str, functions: dict[str, Any]) -> None:
    assert len(lost(question, functions)) == len(file_of(question).test_cases)


def some(entries: list[Any], question_of: Callable[[Any], str], each: int = 1) -> list[Any]:
    """The entries as parameters: the first `each` of a question by default, and the others where slow tests run."""
    seen: Counter[str] = Counter()
    marked: list[Any] = []
    for entry in entries:
        question = question_of(entry)
        seen[question] += 1
        marked.append(pytest.param(entry, marks=pytest.mark.slow) if seen[question] > each else entry)
    return marked


def name_of(entry: Any) -> str:
    return f"{entry.function}__{entry.name}" if isinstance(entry, Mistake) else "-".join(" ".join(entry).split())


@pytest.mark.parametrize("entry", some([*catalogue("ad_in_jax")], lambda entry: entry.question, each=2), ids=name_of)
def test_every_known_mistake_loses_points(entry: Mistake) -> None:
    assert loses_points(entry.question, {**RIGHT, entry.function: entry.implementation})


QUESTION_OF = {name: question.name for question in ASSIGNMENT.questions for name in question.functions}


@pytest.mark.parametrize("entry", some([*solutions.RIGHT], lambda entry: QUESTION_OF[entry[0]]), ids=name_of)
def test_unusual_right_solutions_get_full_points(entry: tuple[str, str]) -> None:
    name, _ = entry
    assert lost(QUESTION_OF[name], {**RIGHT, name: solutions.RIGHT[entry]}) == {}


@pytest.mark.parametrize("entry", some([*solutions.WRONG], lambda entry: QUESTION_OF[entry[0]]), ids=name_of)
def test_subtly_wrong_solutions_lose_points(entry: tuple[str, str]) -> None:
    name, _ = entry
    assert loses_points(QUESTION_OF[name], {**RIGHT, name: solutions.WRONG[entry]})


def by_loops_of_python(f: Any, theta: Any, x0: Any, tolerance: float) -> Any:
    """A fixed point with a rule, both of which decide by values: right in a notebook, and nothing JAX can trace."""

    @jax.custom_vjp
    def solution(theta: Any, x0: Any) -> Any:
        x = x0
        while np.linalg.norm(f(x, theta) - x) > tolerance * max(1, np.linalg.norm(x)):
            x = f(x, theta)
        return jnp.asarray(x)

    def forward(theta: Any, x0: Any) -> Any:
        x = solution(theta, x0)
        return x, (x, theta)

    def backward(kept: Any, x_bar: Any) -> Any:
        _, pull_back = jax.vjp(f, *kept)
        w = change = x_bar
        while np.linalg.norm(change) > 1e-13 * np.linalg.norm(w):
            change = pull_back(change)[0]
            w = w + change
        return pull_back(w)[1], jnp.zeros_like(kept[0])

    solution.defvjp(forward, backward)
    return solution(jnp.asarray(theta), jnp.asarray(x0))


def test_a_fixed_point_that_cannot_be_traced_loses_the_points_for_memory_only() -> None:
    assert set(lost("q6", {"fixed_point": by_loops_of_python})) == {
        "test_q6_keeps_no_iterations",
        "test_q6_keeps_no_iterations_of_a_matrix",
    }


def test_a_wrong_derivative_that_cannot_be_traced_is_wrong() -> None:
    def twice(f: Any, theta: Any, x0: Any, tolerance: float) -> Any:
        found = by_loops_of_python(f, theta, x0, tolerance)
        return found + (found - jax.lax.stop_gradient(found))

    assert "test_q6_derivative_by_theta" in lost("q6", {"fixed_point": twice})


POINTS_FOR_WORK = {"q2": 2.0, "q6": 2.0}
"""As the notebook says it."""


@pytest.mark.parametrize("question", POINTS_FOR_WORK)
def test_as_many_points_as_the_text_says_are_for_what_is_counted(question: str) -> None:
    cases = file_of(question).test_cases
    counted = [case for case in cases if (case.body.test_func.__doc__ or "").startswith(("Work:", "Memory:"))]
    assert sum(float(case.points or 0) for case in counted) == POINTS_FOR_WORK[question]


def test_a_mistake_can_lose_points_on_its_own_question_only() -> None:
    for question in ASSIGNMENT.questions:
        for case in file_of(question.name).test_cases:
            assert set(case.body._get_func_params()) <= set(question.functions)
    assert all(entry.function in ASSIGNMENT.question(entry.question).functions for entry in catalogue("ad_in_jax"))
