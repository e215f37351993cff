"""The test cases of `ad_modes`: the reference passes, the template fails, a mistake costs its own question only."""

import inspect
import textwrap

import pytest
from ad_modes_scores import ASSIGNMENT, POINTS, REFERENCE, cases_of, results, score
from adkit.checks.autodiff import reading

from reference.inputs.seeds import DEFAULT_SEED
from reference.mistakes import catalogue

MISTAKES = catalogue("ad_modes")


def test_points_are_those_of_the_contract():
    assert {question.name: question.points for question in ASSIGNMENT.questions} == POINTS
    assert ASSIGNMENT.points == 30
    assert [question.name for question in ASSIGNMENT.questions if question.bonus] == ["q7", "q8"]


@pytest.mark.parametrize("question", POINTS)
def test_the_cases_points_add_up_and_about_40_percent_are_public(question):
    cases = cases_of(question).test_cases
    assert sum(case.points or 0 for case in cases) == POINTS[question]
    public = sum(case.points or 0 for case in cases if not case.hidden) / POINTS[question]
    assert 0.35 <= public <= 0.45


def test_case_names_are_unique_and_begin_with_their_question():
    functions = [(q, case.body.test_func) for q in POINTS for case in cases_of(q).test_cases]
    assert len({function.__name__ for _, function in functions}) == len(functions)
    assert all(function.__name__.startswith(f"test_{question}_") for question, function in functions)
    assert all(function.__doc__ for _, function in functions)


@pytest.mark.parametrize("seed", [DEFAULT_SEED, "another course"])
@pytest.mark.parametrize("question", POINTS)
def test_the_reference_gets_full_points_whatever_the_seed(question, seed, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SEED", seed)
    failed = [result.message for result in results(REFERENCE, question) if not result.passed]
    assert failed == []


@pytest.mark.parametrize("question", POINTS)
def test_the_empty_template_gets_nothing(question):
    def stub(*args):
        raise NotImplementedError(question)

    stubs = dict.fromkeys(ASSIGNMENT.functions, stub)
    assert score(stubs, question) == 0
    assert score({}, question) == 0


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.function}__{mistake.name}")
def test_a_mistake_loses_points_on_its_question(mistake):
    assert mistake.function in ASSIGNMENT.question(mistake.question).functions
    assert score({**REFERENCE, mistake.function: mistake.implementation}, mistake.question) < POINTS[mistake.question]


@pytest.mark.parametrize("question", POINTS)
def test_a_question_looks_at_its_own_functions_only(question):
    """So a mistake in a function can cost points on that function's question only."""
    for case in cases_of(question).test_cases:
        assert set(case.body._get_func_params()) <= set(ASSIGNMENT.question(question).functions)


def test_there_are_mistakes_for_every_function_with_a_sentence_each():
    assert len(MISTAKES) >= 20
    assert {mistake.function for mistake in MISTAKES} == set(ASSIGNMENT.functions)
    assert all(len(mistake.says) > 20 and mistake.says.endswith((".", ")")) for mistake in MISTAKES)


def test_mistakes_that_look_alike_are_still_told_apart():
    assert len({mistake.says for mistake in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(
    ("mistake", "points"),
    [
        ("elimination_order__greedy_alone", 2.5),
        ("elimination_order__forward", 0.0),
        ("elimination_order__reverse", 0.0),
        ("reverse_mode__repeated_argument_once", 6.0),
        ("choose_mode__sweeps_compared", 4.5),
    ],
)
def test_partial_credit_is_for_what_is_right(mistake, points):
    found = next(m for m in MISTAKES if f"{m.function}__{m.name}" == mistake)
    assert score({**REFERENCE, found.function: found.implementation}, found.question) == points


@pytest.mark.parametrize("question", ["q3", "q4"])
def test_messages_of_hidden_cases_hold_no_numbers_of_theirs(question):
    function = {"q3": "forward_mode", "q4": "reverse_mode"}[question]

    def wrong(graph, x, seeds):
        y, other = REFERENCE[function](graph, x, seeds)
        return y, [1.0625 + entry for entry in other]

    for result in results({**REFERENCE, function: wrong}, question):
        if result.test_case.hidden and not result.passed:
            told = result.message.split("CheckError:")[-1]
            assert "should be" not in told


def test_autodiff_costs_the_questions_points():
    import jax
    import jax.numpy as jnp

    def trace_inverse_gradient(A, B, X):
        return jax.grad(lambda X: jnp.trace(A @ jnp.linalg.solve(X, B)))(jnp.asarray(X))

    environment = {**REFERENCE, "trace_inverse_gradient": trace_inverse_gradient}
    with reading(["import jax", textwrap.dedent(inspect.getsource(trace_inverse_gradient))]):
        messages = [result.message for result in results(environment, "q6") if not result.passed]
        assert score(environment, "q6") == 3.0
    assert all("jax.grad" in message for message in messages)
