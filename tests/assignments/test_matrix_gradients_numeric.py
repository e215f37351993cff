"""The references of `matrix_gradients` against numbers that know no rule, in extended precision."""

import jax.numpy as jnp
import numpy as np
import pytest
from adkit.tracing import export as artefact
from oracles import numeric

from reference import matrix_gradients as reference
from reference.inputs.matrix_gradients import invertible, orthogonal, with_singular_values


def relative(one, other):
    return np.linalg.norm(np.asarray(one) - np.asarray(other)) / np.linalg.norm(np.asarray(other))


@pytest.mark.parametrize("columns", [(), (3,), (1,)])
def test_the_solve_rule_agrees_with_the_complex_step(columns):
    random = np.random.default_rng(1)
    A, b, x_bar = invertible(random, 4), random.standard_normal((4, *columns)), random.standard_normal((4, *columns))
    A_bar, b_bar = reference.linear_solve_vjp(A, b, x_bar)
    by_A = numeric.complex_step_gradient(lambda A: np.sum(x_bar * numeric.solve(A, b)), A)
    by_b = numeric.complex_step_gradient(lambda b: np.sum(x_bar * numeric.solve(A, b)), b)
    assert relative(A_bar, by_A) < 1e-13
    assert relative(b_bar, by_b) < 1e-13


def test_backward_stable_solves_meet_the_tolerance_of_the_ill_conditioned_case_tenfold():
    import scipy.linalg as sla

    for seed in range(5):
        random = np.random.default_rng(seed)
        n, condition = 4, 1e7
        A = invertible(random, n, condition)
        b, x_bar = random.standard_normal(n), random.standard_normal(n)
        rtol = 100 * n * np.finfo(np.float64).eps * condition
        exact_x, exact_b_bar = numeric.solve(A, b), numeric.solve(A.T, x_bar)
        exact_A_bar = -np.outer(exact_b_bar, exact_x)
        Q, R = np.linalg.qr(A)
        by_qr = sla.solve_triangular(R, Q.T @ b), Q @ sla.solve_triangular(R, x_bar, trans=1)
        by_lu = np.linalg.solve(A, b), np.linalg.solve(A.T, x_bar)
        A_bar, b_bar = reference.linear_solve_vjp(A, b, x_bar)
        for b_bar_found, A_bar_found in (
            (b_bar, A_bar),
            *((y, -np.outer(y, x)) for x, y in (by_qr, by_lu)),
        ):
            assert 10 * relative(b_bar_found, exact_b_bar.astype(float)) < rtol
            assert 10 * relative(A_bar_found, exact_A_bar.astype(float)) < 2 * rtol


def test_the_solve_with_its_own_rule_has_the_right_first_and_second_derivatives():
    random = np.random.default_rng(2)
    A = invertible(random, 4)
    b, x_bar, b_bar_bar = (random.standard_normal(4) for _ in range(3))
    A_bar_bar = random.standard_normal((4, 4))
    first = artefact.measure(reference.linear_solve, A, b, x_bar, transform="vjp_split").outputs
    expected = reference.linear_solve_vjp(A, b, x_bar)
    assert relative(first[0], numeric.solve(A, b).astype(float)) < 1e-13
    assert relative(first[1], expected[0]) < 1e-13
    assert relative(first[2], expected[1]) < 1e-13
    arguments = (A, b, x_bar, (A_bar_bar, b_bar_bar))
    second = artefact.measure(reference.linear_solve, *arguments, transform="vjp_vjp").outputs

    def paired(A, b):
        y, x = numeric.solve(A.T, x_bar), numeric.solve(A, b)
        return np.sum(A_bar_bar * -np.outer(y, x)) + b_bar_bar @ y

    assert relative(second[0], numeric.complex_step_gradient(lambda A: paired(A, b), A)) < 1e-12
    assert relative(second[1], numeric.complex_step_gradient(lambda b: paired(A, b), b)) < 1e-12


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (1, 4), (4, 1)])
def test_the_nuclear_norm_gradient_agrees_with_differences(shape: tuple[int, int]):
    random = np.random.default_rng(3)
    W = with_singular_values(random, *shape, [3.0, 1.5, 0.7][: min(shape)])
    expected = numeric.central_gradient(lambda W: np.sum(numeric.svd(W)[1]), W)
    assert relative(reference.nuclear_norm_gradient(W), expected) < max(numeric.accuracy(), 1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4)])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_nuclear_norm_gradient_is_a_subgradient_at_kinks(shape: tuple[int, int], rank: int):
    random = np.random.default_rng(4)
    W = with_singular_values(random, *shape, [2.0, 1.0][:rank]) if rank else np.zeros(shape)
    G = np.asarray(reference.nuclear_norm_gradient(W))
    for _ in range(200):  # the definition, at other matrices
        Z = W + random.standard_normal(shape) * 10.0 ** random.uniform(-3, 1)
        norms = [np.linalg.svd(each, compute_uv=False).sum() for each in (Z, W)]
        assert norms[0] >= norms[1] + np.sum(G * (Z - W)) - 1e-12 * norms[0]


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (1, 4)])
@pytest.mark.parametrize("which", ["U", "s", "Vt", "all"])
def test_the_svd_rule_agrees_with_differences(shape, which):
    random = np.random.default_rng(5)
    k = min(shape)
    U, s, V = orthogonal(random, shape[0], k), np.array([3.0, 1.7, 0.8][:k]), orthogonal(random, shape[1], k)
    cotangents = [
        random.standard_normal(factor.shape) * (which in (name, "all"))
        for name, factor in (("U", U), ("s", s), ("Vt", V.T))
    ]

    def paired(W):
        u, t, vt = numeric.svd(W)
        sign = np.sign(np.sum(u * U, axis=0))
        return sum(np.sum(a * b) for a, b in zip((u * sign, t, vt * sign[:, None]), cotangents, strict=True))

    expected = numeric.central_gradient(paired, (U * s) @ V.T)
    W_bar = reference.svd_vjp(U, s, V.T, *cotangents)
    error = np.linalg.norm(W_bar - expected)
    assert error < max(numeric.accuracy(), 1e-12) * max(np.linalg.norm(expected), 1.0)


def test_numerical_gradient_meets_its_bound_with_a_margin_of_ten():
    random = np.random.default_rng(6)
    for x in (random.uniform(1, 2, 4) * np.array([1e-3, 1e3, -1e-3, 300.0]), random.uniform(-1, 1, (2, 3))):
        scale = np.maximum(1.0, np.abs(x))
        found = reference.numerical_gradient(lambda x, scale=scale: jnp.sum(8 * jnp.sin(x / scale + 0.7)) + 300, x)
        assert 10 * relative(found, 8 / scale * np.cos(x / scale + 0.7)) < 1e-7


def test_numerical_gradient_meets_its_bound_at_the_edge_of_what_is_promised():
    random = np.random.default_rng(8)
    for _ in range(50):
        x = random.uniform(1, 2, 5) * np.array([1e-3, 1e3, -1e-3, -300.0, 0.0])
        scale, phase = np.maximum(1.0, np.abs(x)), random.uniform(-0.5, 0.5, 5)
        gradient = 10 / scale * np.cos(phase)  # third derivatives of a hundred times that, by scale^2
        size = 1000 * np.linalg.norm(gradient)

        def f(z, x=x, scale=scale, phase=phase, size=size):
            return size + np.sum(np.sin(10 * (z - x) / scale + phase)) - np.sum(np.sin(phase))

        assert relative(reference.numerical_gradient(f, x), gradient) < 1e-7


def test_check_gradient_holds_where_the_gradient_vanishes():
    x = np.array([1.0, 2.0, 3.0])
    assert reference.check_gradient(lambda z: np.sum((z - x) ** 2) + 5.0, lambda z: 2 * (z - x), x)
    assert not reference.check_gradient(lambda z: np.sum((z - x) ** 2) + 5.0, lambda z: 2 * (z - x) + 1e-3, x)


def test_the_extended_svd_is_one():
    random = np.random.default_rng(7)
    for shape in ((4, 3), (3, 4)):
        W = random.standard_normal(shape)
        U, s, Vt = numeric.svd(W)
        assert np.max(np.abs((U * s) @ Vt - W)) < 1e-15
        assert np.max(np.abs(U.T @ U - np.eye(3))) < 1e-15
        assert np.all(np.diff(s) < 0)


def test_the_extended_solve_refuses_singular_matrices():
    with pytest.raises(ValueError, match="singular"):
        numeric.solve(np.zeros((2, 2)), np.ones(2))


def test_the_error_plot_is_self_contained_and_skips_what_is_not_finite():
    from adkit import differences

    plot = differences.error_plot(
        {"one-sided <&>": lambda h: differences.forward_difference(np.sin, 0.3, 1.0, h), "nan": lambda h: np.nan},
        exact=np.cos(0.3),
    )
    svg = plot._repr_svg_()
    assert svg.startswith("<svg")
    assert "&lt;&amp;&gt;" in svg
    assert "nan," not in svg
    assert "<script" not in svg
    with pytest.raises(ValueError, match="exact is 0"):
        differences.error_plot({}, exact=0.0)


def test_the_valleys_of_the_two_differences_are_where_the_notebook_says():
    from adkit import differences

    steps = np.logspace(-12, -1, 45)
    for difference, low, high in (
        (differences.forward_difference, 1e-9, 1e-6),
        (differences.central_difference, 1e-7, 1e-4),
    ):
        errors = [abs(difference(np.exp, 0.4, 1.0, h) - np.exp(0.4)) for h in steps]
        assert low < steps[int(np.argmin(errors))] < high
