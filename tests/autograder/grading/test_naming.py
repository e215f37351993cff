"""What is told of wrong solutions written without a look at the catalogue (`benchmarks/naming.py` grades them all)."""

import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from adkit import checks
from adkit.checks import known_mistakes
from wrong_solutions.described import DESCRIBED

from autograder.grading import recognition
from reference.mistakes import catalogue, signs

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

import naming

SAMPLE = [
    ("ad_modes", "own_factor"),
    ("ad_modes", "no_sine"),
    ("ad_modes", "sub_like_add"),
    ("ad_modes", "compares_inputs_and_outputs"),
    ("ad_modes", "counts_nodes"),
    ("ad_modes", "softened"),
    ("ad_modes", "identity_only"),
    ("checkpointing", "last_layer_left_out"),
    ("checkpointing", "evaluated_twice"),
    ("checkpointing", "vanilla_instead"),
    ("checkpointing", "from_the_input"),
    ("checkpointing", "poor_within_segments"),
    ("checkpointing", "freed_at_the_end"),
    ("checkpointing", "repeats_pass"),
    ("checkpointing", "middle"),
]


def solution(assignment: str, name: str) -> Any:
    return next(s for which in naming.SETS for s in naming.solutions(assignment, which) if s.name == name)


@pytest.fixture
def said():
    def told(assignment: str, name: str) -> tuple[str, dict[str, dict[str, Any]]]:
        recognition.install(assignment)
        wrong = solution(assignment, name)
        failed = naming.lost(assignment, wrong.function, wrong.answer)
        cases = naming.told(assignment, wrong.function, failed)
        return naming.outcome(assignment, wrong.function, name, cases)[0], cases

    yield told
    known_mistakes.recogniser = None


@pytest.mark.parametrize(("assignment", "name"), SAMPLE, ids=lambda part: part)
def test_a_described_mistake_is_told_in_a_true_sentence(said, assignment, name):
    assert said(assignment, name)[0] == "right"


@pytest.mark.parametrize("name", ["two_rows", "product_at_the_end", "unknown_is_a_key_error", "both"])
def test_what_no_sentence_describes_is_told_none(said, name):
    outcome, cases = said("ad_modes", name)
    assert outcome == "other"
    assert cases


def test_every_judgement_is_about_a_solution_and_a_mistake_that_there_are():
    for assignment, judged in DESCRIBED.items():
        wrong = [s for which in naming.SETS for s in naming.solutions(assignment, which)]
        mistakes = {f"{m.function}__{m.name}" for m in catalogue(assignment)}
        for key in judged:
            functions = {s.function for s in wrong if key in (s.name, f"{s.function}:{s.name}")}
            assert functions, key
            assert any(
                naming.described_by(assignment, function, key.rpartition(":")[2]) <= mistakes for function in functions
            )


def test_an_exception_is_not_named_after_a_mistake_that_raises_elsewhere():
    failures = {"test_q3_deep_graph": checks.Failure("test_q3_deep_graph", 1, kinds=("ZeroDivisionError", "Exception"))}
    assert recognition.settle("ad_modes", "q3", failures) == {}


X = np.array([0.001, 1000.0, 2.0])


def differences(steps: Any, *, central: bool, x: Any = X) -> checks.Failure:
    """A numerical gradient with these steps, whose entries are wrong by a little, most where x is large."""
    points: list[Any] = [] if central else [x.copy()]
    for i, h in enumerate(steps):
        for side in (1, -1) if central else (1,):
            points.append(x.copy())
            points[-1][i] += side * h
    right = np.ones(len(x))
    return checks.Failure(
        "", 1, right + 1e-9 * np.maximum(1, np.abs(x)), True, right=right, arguments=(None, x), points=tuple(points)
    )


@pytest.mark.parametrize(
    ("failure", "name"),
    [
        (differences(1e-10 * np.maximum(1, X), central=True), "step_too_small"),
        (differences(1e-8 * np.maximum(1, X), central=True), "step_too_small"),
        (differences(1e-3 * np.maximum(1, X), central=True), "step_too_large"),
        (differences(3e-2 * np.maximum(1, X), central=True), "step_too_large"),
        (differences(np.full(3, 1e-5), central=True), "step_unscaled"),
        (differences(6e-6 * X, central=True), "step_proportional"),
        (differences(np.full(3, 1e-5), central=False), "one_sided"),
        (differences(-1e-7 * np.maximum(1, X), central=False), "one_sided"),
        (differences(6e-6 * np.maximum(1, X), central=True), ""),
    ],
)
def test_a_difference_quotient_is_known_by_the_points_that_it_asks_for(failure, name):
    shown = [
        mistake.name
        for mistake in catalogue("matrix_gradients")
        if mistake.function == "numerical_gradient" and mistake.sign is not None and mistake.sign(failure)
    ]
    assert shown == ([name] if name else [])


def asked(function: str, *arguments: Any, answer: Any, right: Any = None, assignment: str = "ad_in_jax") -> set[str]:
    """The mistakes of a function that a sign shows in an answer."""
    distance = None
    if right is not None:
        distance = float(np.linalg.norm(np.asarray(answer) - right) / np.linalg.norm(right))
    failure = checks.Failure("", 1, np.asarray(answer), True, right=right, arguments=arguments, distance=distance)
    known = [m for m in catalogue(assignment) if m.function == function and m.sign is not None]
    return {mistake.name for mistake in known if recognition.shown(mistake, failure) > 0}


def cubes(x: Any) -> Any:
    return x**3 + x[::-1] ** 2


def their_sum(x: Any) -> Any:
    return (x**3 + x * x[::-1] ** 2).sum()


Y = np.array([0.7, -1.3, 2.1])


@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-7, 2.0**-26])
@pytest.mark.parametrize("side", [1, -1, 0])
def test_a_jacobian_of_difference_quotients_is_known_by_them(step, side):
    def column(e: Any) -> Any:
        if side == 0:
            return (cubes(Y + step * e) - cubes(Y - step * e)) / (2 * step)
        return (cubes(Y + side * step * e) - cubes(Y)) / (side * step)

    right = np.diag(3 * Y**2) + 2 * Y * np.eye(3)[::-1]
    made = np.stack([column(e) for e in np.eye(3)], axis=1)
    assert asked("jacobian", cubes, Y, answer=made, right=right) == {"finite_difference"}
    noise = 1e-8 * np.random.default_rng(0).standard_normal((3, 3))
    assert asked("jacobian", cubes, Y, answer=right + noise, right=right) == set()


def test_a_difference_of_gradients_is_known_and_an_inexact_product_is_none():
    gradient, v = jax.grad(their_sum), np.array([1.0, -2.0, 0.5])
    right = np.asarray(jax.hessian(their_sum)(Y)) @ v
    made = (gradient(Y + 1e-4 * v) - gradient(Y - 1e-4 * v)) / 2e-4
    assert asked("hvp", their_sum, Y, v, answer=made, right=right) == {"difference_of_gradients"}
    assert asked("hvp", their_sum, Y, v, answer=right * (1 + 1e-8), right=right) == set()


@pytest.mark.parametrize("end", [10.0, 30.0, 87.5])
def test_values_at_points_that_were_clipped_are_known(end):
    x = np.array([-700.0, -90.0, -2.0, 0.0, 3.0, 120.0, 800.0])
    right = np.logaddexp(0.0, x)
    assert asked("log1pexp", x, answer=np.logaddexp(0.0, np.clip(x, -end, end)), right=right) == {"clipped"}
    assert asked("log1pexp", x, answer=np.where(x > end, 0.0, right), right=right) == set()


def test_what_is_added_under_the_root_is_told_from_what_is_added_to_the_norm():
    right = np.array([2.0, 0.0, 1e-9, 0.7])
    assert asked("safe_norm", right, answer=np.sqrt(right**2 + 1e-10), right=right) == {"shifted"}
    assert asked("safe_norm", right, answer=right + 1e-5, right=right) == set()
    assert asked("safe_norm", right, answer=np.maximum(right, 1e-5), right=right) == set()


M = 0.99 * np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]


def contraction(x: Any, theta: Any) -> Any:
    return M @ x + theta


@pytest.mark.parametrize("terms", [1, 2, 7, 200])
def test_a_series_that_is_broken_off_is_known_whatever_its_length(terms):
    theta, x_bar = np.ones(3), np.array([1.0, -1.0, 2.0])
    made = sum(np.linalg.matrix_power(M.T, k) @ x_bar for k in range(terms))
    right = np.linalg.solve((np.eye(3) - M).T, x_bar)
    arguments = (contraction, theta, x_bar, np.zeros(3), 1e-12)
    failure = checks.Failure("", 1, np.asarray(made), True, right=right, arguments=arguments)
    assert signs.terms_of_the_series(failure) == terms
    assert ("few_terms" in asked("fixed_point", *arguments, answer=made, right=right)) is (terms > 1)
    assert asked("fixed_point", *arguments, answer=1.01 * right, right=right) == set()


@pytest.mark.parametrize(("turns", "told"), [((40, 40), {"fixed_point__fixed_number"}), ((40, 55), set())])
def test_a_fixed_number_of_turns_is_the_same_in_two_cases(turns, told):
    failures: dict[str, checks.Failure] = {}
    for times, test in zip(turns, ("test_q6_a_slow_contraction", "test_q6_other_equations"), strict=True):
        x = np.zeros(3)
        for _ in range(times):
            x = contraction(x, np.ones(3))
        failures[test] = checks.Failure(test, 2, x, True, arguments=(contraction, np.ones(3), np.zeros(3), 1e-12))
    settled = recognition.settle("ad_in_jax", "q6", failures)
    assert {name for found in settled.values() for name in found.names} == told


A, X_BAR = np.array([[2.0, 1.0, 0.0], [-1.0, 3.0, 0.5], [0.0, 1.0, 1.0]]), np.array([1.0, -2.0, 3.0])


@pytest.mark.parametrize("t", [1e-9, 1e-4, 0.3])
def test_a_system_with_a_shifted_diagonal_is_known_whatever_the_shift(t):
    def told(answer: Any) -> set[str]:
        right = np.linalg.solve(A.T, X_BAR)
        return asked("linear_solve_vjp", A, X_BAR, X_BAR, answer=answer, right=right, assignment="matrix_gradients")

    assert told(np.linalg.solve((A + t * np.eye(3)).T, X_BAR)) == {"regularised"}
    assert told(np.linalg.solve((A + t * np.diag([1.0, 2.0, 3.0])).T, X_BAR)) == set()
    assert told(np.linalg.solve(A.T, X_BAR)) == set()


@pytest.mark.parametrize("scale", [1e-20, 1.0])
def test_what_is_added_to_the_singular_values_is_known_whatever_it_is(scale):
    U, s, Vt = np.linalg.svd(scale * A[:, :2], full_matrices=False)
    s[1] *= 1e-5

    def told(answer: Any) -> set[str]:
        W = (U * s) @ Vt
        return asked("nuclear_norm_gradient", W, answer=answer, right=U @ Vt, assignment="matrix_gradients")

    assert told((U * (s / (s + 1e-9))) @ Vt) == {"damped"}
    assert told((U * s) @ Vt) == set()
    assert told((U * (s > 1e-3 * s[0])) @ Vt) == set()


def test_single_precision_is_known_by_its_digits():
    right = np.array([1 / 3, 2 / 7])
    rounded = right.astype(np.float32).astype(np.float64)
    failure = checks.Failure("", 1, rounded, True, distance=1e-8)
    assert signs.single_precision(failure)
    assert not signs.single_precision(checks.Failure("", 1, right * (1 + 1e-8), True, distance=1e-8))
    assert not signs.single_precision(checks.Failure("", 1, np.array([0.5, 0.25]), True, distance=1e-8))


def test_what_is_nearly_right_is_given_a_cause_only_where_the_digits_show_it():
    right = np.array([1 / 3, 2 / 7])
    for answer, cause in ((right.astype(np.float32), True), (right * (1 + 1e-8), False)):
        with pytest.raises(checks.CheckError) as problem:
            checks.close(answer, right, rtol=1e-12, what="x")
        assert ("32-bit floats" in problem.value.hidden) is cause
        assert "nearly right" in problem.value.hidden
