"""Facts about answers (`reference.facts`): each belongs to a known mistake, and none speaks of a right answer."""

import numpy as np
import pytest
from adkit.checks import Failure

from reference.facts import alike, combination, facts_of, multiple
from reference.mistakes import catalogue

ASSIGNMENTS = ("ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_fact_is_that_of_a_known_mistake(assignment):
    known = {f"{mistake.function}__{mistake.name}" for mistake in catalogue(assignment)}
    facts = facts_of(assignment)
    assert facts
    assert set(facts) <= known
    assert facts.weak <= set(facts)


def test_an_assignment_without_facts_has_none():
    assert facts_of("an_assignment_without_facts") == {}


def test_a_multiple_is_found_with_its_factor():
    a = np.array([[1.0, -2.0], [0.0, 3.0]])
    assert multiple(-0.5 * a, a) == pytest.approx(-0.5)
    assert multiple(a + np.eye(2), a) == 0.0
    assert multiple(a, np.zeros((2, 2))) == 0.0
    assert multiple(a[0], a) == 0.0


def test_nan_is_alike_nothing():
    assert not alike([np.nan], [np.nan])
    assert alike([1.0, 2.0], [1.0, 2.0 + 1e-12])
    assert not alike([1.0], [1.0, 1.0])


def test_a_combination_of_parts_is_found_only_where_there_is_one():
    x, ones = np.array([1.0, 2.0, 3.0]), np.ones(3)
    assert combination(2 * x - ones, {"x": x, "ones": ones}) == pytest.approx({"x": 2.0, "ones": -1.0})
    assert combination(x**2, {"x": x, "ones": ones}) is None
    assert combination(x, {"x": x, "twice": 2 * x}) is None


def asked(*arguments, answer, right=None):
    return Failure("", 1, answer=answer, answered=True, arguments=arguments, right=right)


def test_the_tangents_of_the_toy_are_read_one_by_one():
    facts = facts_of("ad_modes")
    x1, x2, dx1, dx2 = 0.7, -1.3, 0.5, 2.0
    t3, t4 = dx1 * x2, np.cos(x1)  # half a product rule, and the inner derivative is missing
    v = [x1, x2, x1 * x2, np.sin(x1), x1 * x2 + np.sin(x1)]
    right = np.array([v, [dx1, dx2, dx1 * x2 + x1 * dx2, np.cos(x1) * dx1, 1.0]]).T
    failure = asked(x1, x2, dx1, dx2, answer=list(zip(v, [dx1, dx2, t3, t4, t3 + t4], strict=True)), right=right)
    found = {name for name, fact in facts.items() if name.startswith("toy_forward") and fact(failure) > 0}
    assert found == {"toy_forward__half_a_product_rule", "toy_forward__inner_derivative_missing"}


def test_an_a_bar_is_read_as_an_outer_product():
    random = np.random.default_rng(0)
    A, b, x_bar = random.standard_normal((3, 3)), random.standard_normal(3), random.standard_normal(3)
    x, b_bar = np.linalg.solve(A, b), np.linalg.solve(A.T, x_bar)
    facts = facts_of("matrix_gradients")

    def found(answer):
        failure = asked(A, b, x_bar, answer=answer, right=-np.outer(b_bar, x))
        return {name[18:] for name, fact in facts.items() if name.startswith("linear_solve_vjp") and fact(failure) > 0}

    assert found(np.outer(x, b_bar)) == {"minus_missing", "a_bar_transposed"}
    assert found(np.outer(np.linalg.solve(A, x_bar), b)) == {"minus_missing", "transpose_missing", "b_for_x"}
    assert found(-np.outer(b_bar, x)) == set()
    assert found(random.standard_normal((3, 3))) == set()
