"""Oracles of `matrix_gradients`: the complex step and differences in long floats, the definition of a subgradient.

Counts of what JAX traces are those of `adkit.measure`, as in the tests, on other systems.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from adkit import checks
from numpy.random import Generator
from oracles import numeric

from validity.oracles import Oracle, near, require


def matrix(random: Generator, n: int) -> np.ndarray:
    """An (n, n) matrix far from singular and from symmetric; its diagonal is none to begin an elimination with."""
    found = random.standard_normal((n, n))
    found = found + 2.0 * np.roll(np.eye(n), 1, axis=1)
    return found if np.linalg.cond(found) < 100 else matrix(random, n)


def cotangents(A: np.ndarray, b: np.ndarray, x_bar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(A_bar, b_bar) of x = A^-1 b, by the complex step of <x_bar, x>."""
    by_A = numeric.complex_step_gradient(lambda A: np.sum(x_bar * numeric.solve(A, b)), A)
    return by_A, numeric.complex_step_gradient(lambda b: np.sum(x_bar * numeric.solve(A, b)), b)


def solve_rule(functions: dict[str, Any]) -> None:
    function = functions["linear_solve_vjp"]
    random = np.random.default_rng(1)
    for n, columns in ((1, ()), (2, ()), (4, ()), (3, (2,)), (3, (1,)), (2, (5,)), (1, (3,)), (5, (5,))):
        A, b, x_bar = matrix(random, n), random.standard_normal((n, *columns)), random.standard_normal((n, *columns))
        for scale in (1.0, 1e-30, 1e30):
            found = function(scale * A, b, x_bar)
            by_A, by_b = cotangents(A, b, x_bar)
            near(found[0], by_A / scale / scale, f"A_bar, {n, columns, scale}", rtol=1e-10)
            near(found[1], by_b / scale, f"b_bar, {n, columns, scale}", rtol=1e-10)
    for columns in ((), (3,)):
        A = random.standard_normal((9, 9))
        b, x_bar = random.standard_normal((9, *columns)), random.standard_normal((9, *columns))
        work = checks.measured(function, A, b, x_bar).work
        require(work.factorizations == 1 and work.matrices <= 1 and work.largest <= 81, f"{work}")
        require(not (work.by_kind["svd"] or work.by_kind["eig"] or work.by_kind["cholesky"]), f"{work}")
        require(work.solve_columns <= 4 * np.prod(columns, dtype=int), f"{work}")


def solve_with_rule(functions: dict[str, Any]) -> None:
    function = functions["linear_solve"]
    random = np.random.default_rng(2)
    for n, columns in ((1, ()), (2, ()), (4, ()), (3, (2,)), (3, (1,)), (2, (5,))):
        A, b, x_bar = matrix(random, n), random.standard_normal((n, *columns)), random.standard_normal((n, *columns))
        near(function(A, b), numeric.solve(A, b).astype(float), f"x, {n, columns}", rtol=1e-10)
        x, pull_back = jax.vjp(function, jnp.asarray(A), jnp.asarray(b))
        near(x, numeric.solve(A, b).astype(float), f"x of the forward pass, {n, columns}", rtol=1e-10)
        for one, other in zip(pull_back(jnp.asarray(x_bar)), cotangents(A, b, x_bar), strict=True):
            near(one, other, f"a cotangent, {n, columns}", rtol=1e-9)
    A, b = np.stack([matrix(random, 3) for _ in range(4)]), random.standard_normal((4, 3, 2))
    expected = np.stack([numeric.solve(one, other) for one, other in zip(A, b, strict=True)]).astype(float)
    near(jax.vmap(function)(A, b), expected, "x under vmap", rtol=1e-10)
    near(jax.jit(function)(A[0], b[0]), expected[0], "x under jit", rtol=1e-10)

    def slope(A: Any, b: Any) -> Any:
        return jax.grad(lambda A: jnp.sum(jnp.sin(function(A, b))))(A)

    second = jax.grad(lambda A: jnp.sum(jnp.cos(slope(A, b[0]))))(jnp.asarray(A[0]))

    def paired(A: Any) -> Any:  # the same with the rule written out
        x = numeric.solve(A, b[0])
        return np.sum(np.cos(-numeric.solve(A.T, np.cos(x)) @ x.T))

    near(second, numeric.complex_step_gradient(paired, A[0]), "the second derivative", rtol=1e-8)
    A, b, x_bar = random.standard_normal((9, 9)), random.standard_normal(9), random.standard_normal(9)
    split = checks.measured(function, A, b, x_bar, transform="vjp_split")
    require(split.forward_work.factorizations == 1 and split.forward_work.solve_columns <= 2, "work forward")
    require(split.backward_work.factorizations == 0 and split.backward_work.solve_columns <= 2, "work backward")


def subgradient(functions: dict[str, Any]) -> None:
    function = functions["nuclear_norm_gradient"]
    random = np.random.default_rng(3)
    for m, n in ((1, 1), (1, 4), (4, 1), (3, 3), (5, 3), (3, 5)):
        for rank in range(min(m, n) + 1):
            for scale in (1.0, 1e-150, 1e150):
                U, V = (np.linalg.qr(random.standard_normal((k, k)))[0][:, :rank] for k in (m, n))
                s = random.choice([1.0, 1.0, 0.3, 2.0], rank)
                W = scale * (U * s) @ V.T
                G = np.asarray(function(W))
                require(G.shape == (m, n) and np.all(np.isfinite(G)), f"G at rank {rank} of {m, n}")
                require(np.linalg.norm(G, 2) <= 1 + 1e-10, f"||G|| at rank {rank} of {m, n}")
                require(abs(np.sum(G * (W / scale)) - s.sum()) <= 1e-10 * (1 + s.sum()), f"<G, W> at rank {rank}")


def smooth(random: Generator, shape: tuple[int, ...], mixed: bool) -> tuple[Any, Any, np.ndarray]:
    """(f, its gradient, x), f smooth on the scale of max(1, |x_i|) with |f| <= 1000 ||gradient||."""
    x = np.asarray(random.uniform(0.5, 1.5, shape) * random.choice([-1, 1], shape))
    if mixed:
        x = np.asarray(x * 10.0 ** random.choice([-3, 3, 0], shape))
    weight, phase, scale = random.uniform(0.5, 2.0, shape), random.uniform(-1.2, 1.2, shape), np.maximum(1.0, abs(x))
    there = np.sin(x / scale + phase)

    def f(z: Any) -> Any:
        return np.sum(weight * scale * (np.sin(np.asarray(z) / scale + phase) - there))

    def slope(z: Any) -> Any:
        return weight * np.cos(np.asarray(z) / scale + phase)

    return f, slope, x


def differences(functions: dict[str, Any]) -> None:
    random = np.random.default_rng(4)
    for number in range(60):
        shape = ((), (1,), (4,), (2, 3), (2, 1, 2))[number % 5]
        f, slope, x = smooth(random, shape, mixed=number % 2 == 0)
        for size in (1.0, 1e9, 1e-9):

            def g(z: Any, f: Any = f, size: float = size) -> Any:
                return size * f(z)

            def right(z: Any, slope: Any = slope, size: float = size) -> Any:
                return size * slope(z)

            near(functions["numerical_gradient"](g, x), right(x), f"the gradient at {x}", rtol=1e-7)
            for given in (right, *_wrong(random, right, x)):
                answer = functions["check_gradient"](g, given, x)
                require(isinstance(answer, bool | np.bool_), f"{answer!r} is no bool")
                require(bool(answer) is (given is right), f"{answer} for a gradient at {x}")
    near(functions["numerical_gradient"](lambda z: 400.0 + np.sum(np.sin(z)), np.array([0.2, 0.4])),
         np.cos([0.2, 0.4]), "the gradient where f is large", rtol=1e-7)  # fmt: skip


def _wrong(random: Generator, right: Any, x: np.ndarray) -> list[Any]:
    """Wrong gradients, each different from the right one by a hundredth at least."""
    place = np.unravel_index(int(random.integers(x.size)), x.shape)
    one = np.zeros(x.shape)
    one[place] = 1.0
    found = [
        lambda z: 1.02 * right(z),
        lambda z: -right(z),
        lambda z: np.where(one, np.nan, right(z)),
        lambda z: np.where(one, np.inf, right(z)),
        lambda z: right(z) + 0.05 * one * np.linalg.norm(right(z)),
        lambda z: np.zeros(x.shape),
        lambda z: right(z)[None],
    ]
    if x.ndim:
        found.append(lambda z: np.sum(right(z)))
    return found


def singular_vectors(functions: dict[str, Any]) -> None:
    function = functions["svd_vjp"]
    random = np.random.default_rng(5)
    for m, n in ((1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (4, 3), (3, 4), (5, 2)):
        k = min(m, n)
        U, V = (np.linalg.qr(random.standard_normal((rows, k)))[0] for rows in (m, n))
        s = np.array([3.0, 1.7, 0.8][:k]) if (m + n) % 2 else np.array([0.9, 2.1, 1.4][:k])
        order = np.argsort(-s)
        for which in ("U", "s", "Vt", "all"):
            bars = [
                random.standard_normal(factor.shape) * (which in (name, "all"))
                for name, factor in (("U", U), ("s", s), ("Vt", V.T))
            ]

            def paired(W: Any, bars: Any = bars, U: Any = U, order: Any = order) -> Any:
                u, t, vt = numeric.svd(W)
                sign = np.sign(np.sum(u * U[:, order], axis=0))
                given = bars[0][:, order], bars[1][order], bars[2][order]
                return sum(np.sum(a * b) for a, b in zip((u * sign, t, vt * sign[:, None]), given, strict=True))

            expected = numeric.central_gradient(paired, (U * s) @ V.T)
            near(function(U, s, V.T, *bars), expected, f"W_bar of {which}, {m, n}", rtol=1e-8, atol=1e-9)
            for scale in (1e12, 1e-12):  # the factors' cotangents shrink with the size of W, that of s does not
                found = function(U, scale * s, V.T, bars[0], bars[1] / scale, bars[2])
                near(np.asarray(found) * scale, expected, f"W_bar of {which}, {m, n}, {scale}", rtol=1e-8, atol=1e-9)


ORACLES = {
    "q1": Oracle("complex step of an elimination in long floats, and counted work", solve_rule),
    "q2": Oracle("complex step of an elimination in long floats, and counted work", solve_with_rule),
    "q3": Oracle("the definition of a subgradient", subgradient),
    "q4": Oracle("functions with known gradients", differences),
    "q5": Oracle("differences of a Jacobi SVD in long floats", singular_vectors),
}
