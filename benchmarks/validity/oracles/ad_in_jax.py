"""Oracles of `ad_in_jax`: the complex step and differences in long floats, closed forms, properties of the answer.

Counts of what JAX traces are those of `adkit.measure`, as in the tests, on other functions.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from adkit import functions as made
from adkit.checks import transformations
from adkit.checks.errors import CheckError
from numpy.random import Generator
from oracles import numeric

from validity.oracles import Oracle, WrongError, near, require

LONG = np.longdouble


def checked(check: Any, *args: Any, **options: Any) -> Any:
    """One of the tests' own checks of a count, as an oracle's."""
    try:
        return check(*args, **options)
    except CheckError as problem:
        raise WrongError(str(problem)) from None


def second(gradient: Any, x: np.ndarray) -> np.ndarray:
    """The derivative of a gradient, [i…, k…] = d gradient_i / dx_k, by the complex step."""
    size = np.asarray(gradient(x.astype(np.clongdouble))).shape
    rows = [numeric.complex_step_gradient(lambda z, i=i: gradient(z)[i], x) for i in np.ndindex(size)]
    return np.array(rows).reshape(*size, *x.shape)


def derivatives(functions: dict[str, Any]) -> None:
    random = np.random.default_rng(1)
    for m, n in ((1, 1), (1, 2), (2, 3), (3, 2), (3, 3)):
        A, B, X = random.standard_normal((m, n)), random.standard_normal((n, m)), invertible(random, n)
        gradient, hessian = functions["trace_inverse_derivatives"](A, B, X)
        by_X = numeric.complex_step_gradient(lambda X, A=A, B=B: np.trace(A @ numeric.solve(X, B)), X)

        def slope(X: Any, A: Any = A, B: Any = B) -> Any:  # checked against the line above
            return -(numeric.solve(X, B) @ numeric.solve(X.T, A.T).T).T

        near(np.asarray(slope(X), float), by_X, "the oracle's own gradient", rtol=1e-12)
        near(gradient, by_X, f"the gradient of f, {m, n}", rtol=1e-10)
        near(hessian, second(slope, X), f"the Hessian of f, {m, n}", rtol=1e-10)
    for n in (1, 2, 5):
        for scale in (0.0, 1e-6, 1.0, 1e6):
            x = random.standard_normal(n)
            gradient, hessian = functions["cubic_norm_derivatives"](scale * x)
            by_x = numeric.complex_step_gradient(lambda z: np.sum(z * z) ** 1.5 / 3, x)
            near(gradient, scale * scale * by_x, f"the gradient of g at {scale * x}", rtol=1e-10)
            twice = second(lambda z: np.sqrt(np.sum(z * z)) * z, x)
            near(hessian, scale * twice, f"the Hessian of g at {scale * x}", rtol=1e-10)
    x = np.array([0.0, -2.0, 0.0])
    near(functions["cubic_norm_derivatives"](x)[1], [[2.0, 0, 0], [0, 4.0, 0], [0, 0, 2.0]], "on an axis", rtol=1e-10)


def invertible(random: Generator, n: int) -> np.ndarray:
    """An (n, n) matrix of moderate condition, far from symmetric."""
    found = random.standard_normal((n, n)) + 1.5 * np.roll(np.eye(n), 1, axis=1)
    return found if np.linalg.cond(found) < 20 else invertible(random, n)


def tanh_map(random: Generator, n: int, k: int, m: int) -> tuple[Any, Any]:
    """A function and the same one for complex numbers."""
    A, b, B = random.standard_normal((k, n)) / np.sqrt(n), random.standard_normal(k), random.standard_normal((m, k))
    return made.TanhMap(A, b, B), lambda z: B @ np.tanh(A @ z + b)


def jacobians(functions: dict[str, Any]) -> None:
    function = functions["jacobian"]
    random = np.random.default_rng(2)
    for n, k, m in ((1, 1, 1), (3, 2, 1), (1, 2, 3), (3, 4, 3), (5, 2, 2), (2, 3, 5)):
        f, g = tanh_map(random, n, k, m)
        x = random.standard_normal(n)
        near(function(f, x), second(g, x), f"the Jacobian, {m, n}", rtol=1e-10)
    for n, m in ((30, 1), (30, 3), (1, 30), (3, 30), (50, 5), (5, 50)):
        f, _ = tanh_map(random, n, 15, m)
        checked(transformations.by_the_cheaper_mode, function, f, random.standard_normal(n))


def products(functions: dict[str, Any]) -> None:
    function = functions["hvp"]
    random = np.random.default_rng(3)
    for n, k in ((1, 1), (3, 2), (4, 5), (2, 1)):
        X, y = random.standard_normal((5, n)), random.choice([-1.0, 1.0], 5)
        f, x = made.Logistic(X, y, 0.2), random.standard_normal(n)

        def slope(w: Any, X: Any = X, y: Any = y) -> Any:
            return -(y / (1 + np.exp(y * (X @ w)))) @ X / 5 + LONG(0.2) * w

        H = second(slope, x)
        for length in (1.0, 1e-8, 1e6, 0.0):
            v = length * random.standard_normal(n)
            near(function(f, x, v), H @ v, f"H v, n = {n}", rtol=1e-10)
            rows = length * random.standard_normal((k, n))
            near(function(f, x, rows), rows @ H, f"the rows, n = {n}", rtol=1e-10)
            near(jax.vmap(lambda v, f=f, x=x: function(f, x, v))(rows), rows @ H, "under vmap", rtol=1e-10)
    n, samples = 90, 12
    f = made.Logistic(random.standard_normal((samples, n)), np.ones(samples), 0.3)
    for shape in ((n,), (4, n)):
        for few in (True, False):
            v = random.standard_normal(shape)
            checked(transformations.without_a_hessian, function, f, random.standard_normal(n), v, few=few)


def minimisers(functions: dict[str, Any]) -> None:
    function = functions["newton_cg"]
    random = np.random.default_rng(4)
    for number in range(6):
        n = (1, 3, 5)[number % 3]
        X, y = random.standard_normal((20, n)), random.choice([-1.0, 1.0], 20)
        spread = np.geomspace(1e-2, 1e2, n) if number % 2 == 0 else np.ones(n)
        f = made.Logistic(X * spread, y, 1e-4 if number % 2 == 0 else 10.0 ** random.uniform(-3, 0))
        _minimises(function, f, 3.0 * random.standard_normal(n) / spread, 10.0 ** random.uniform(-8, -3))
    for n in (1, 5):
        M = random.standard_normal((n, n))
        f = made.Quadratic(M @ M.T + 0.1 * np.eye(n), random.standard_normal(n))
        _minimises(function, f, 100 * random.standard_normal(n), 1e-8)
        _minimises(function, f, np.linalg.solve(np.asarray(f.A), np.asarray(f.b)), 1e-8)
    for start in (0.0, 30.0, -12.0):
        f = made.LogSumExp(np.array([[1.5], [-1.5]]), np.zeros(2), 1e-3)
        _minimises(function, f, np.array([start]), 1e-8)
    for _ in range(2):
        f = made.LogSumExp(3 * random.standard_normal((8, 3)), random.standard_normal(8), 1e-2)
        _minimises(function, f, 10 * random.standard_normal(3), 1e-8)
    n = 6_000
    f = made.Logistic(random.standard_normal((10, n)) / np.sqrt(n), np.ones(10), 0.1)
    _minimises(function, f, np.zeros(n), 1e-8)  # a Hessian would take 300 MB


def _minimises(function: Any, f: Any, x0: np.ndarray, tolerance: float) -> None:
    x = np.asarray(function(f, x0, tolerance))
    require(x.shape == x0.shape and np.all(np.isfinite(x)), "no minimiser")
    slope = jax.grad(f)
    left, first = (float(np.linalg.norm(np.asarray(slope(jnp.asarray(point))))) for point in (x, x0))
    require(left <= tolerance * max(1.0, first) * (1 + 1e-6), f"||grad|| is {left} from {first}, {tolerance}")


def stable(functions: dict[str, Any]) -> None:
    log1pexp, safe_norm = functions["log1pexp"], functions["safe_norm"]
    random = np.random.default_rng(5)
    x = np.concatenate([random.uniform(-40, 40, 40), random.uniform(-690, 1000, 20), [0.0, 1e-9, -1e-9, 1000, -600]])
    z = x.astype(LONG)
    value = np.where(z > 0, z, 0) + np.log1p(np.exp(-np.abs(z)))
    first = np.where(z > 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))
    twice = np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2
    for place, point in enumerate(x):
        near(log1pexp(point), float(value[place]), f"log1pexp at {point}", rtol=1e-12)
        slope = jax.grad(log1pexp)
        near(slope(point), float(first[place]), f"its derivative at {point}", rtol=1e-12)
        near(jax.grad(slope)(point), float(twice[place]), f"its second derivative at {point}", rtol=0, atol=1e-12)
    ones = jnp.ones_like(x)
    for found, pushed in (
        jax.jvp(log1pexp, (jnp.asarray(x),), (ones,)),
        (jax.jit(log1pexp)(x), jax.vmap(jax.grad(log1pexp))(jnp.asarray(x))),
    ):
        for one, other in ((found, value), (pushed, first)):
            ratio = np.asarray(one, LONG) / other
            require(np.all(np.isfinite(ratio)) and np.abs(ratio - 1).max() <= 1e-12, "log1pexp of an array")
    near(log1pexp(x.reshape(5, -1)), value.astype(float).reshape(5, -1), "log1pexp of a matrix", rtol=1e-12)
    for n in (1, 2, 5):
        for scale in (1.0, 1e-8, 1e8):
            point, v = scale * random.standard_normal(n), random.standard_normal(n)
            size = float(np.linalg.norm(point))
            unit = point / size
            near(safe_norm(point), size, f"the norm of {point}", rtol=1e-12)
            near(jax.grad(safe_norm)(point), unit, f"its gradient at {point}", rtol=1e-12)
            near(jax.jvp(safe_norm, (point,), (v,))[1], unit @ v, "pushed", rtol=1e-12, atol=1e-15)
            curved = (v - unit * (unit @ v)) / size
            near(
                jax.grad(lambda p, v=v: jax.grad(safe_norm)(p) @ v)(point),
                curved,
                "second",
                rtol=1e-9,
                atol=1e-9 / size,
            )
            near(jax.hessian(safe_norm)(point) @ v, curved, "Hessian", rtol=1e-9, atol=1e-9 / size)
        zero = jnp.zeros(n)
        near(safe_norm(zero), 0.0, "the norm of 0", rtol=0)
        near(jax.grad(safe_norm)(zero), np.zeros(n), "its gradient at 0", rtol=0)
        require(np.all(np.isfinite(jax.jvp(safe_norm, (zero,), (zero + 1,))[1])), "pushed at 0")
        batch = jnp.stack([zero, zero + 1, zero])
        expected = np.stack([np.zeros(n), np.ones(n) / np.sqrt(n), np.zeros(n)])
        near(jax.vmap(safe_norm)(batch), [0, np.sqrt(n), 0], "norms through vmap", rtol=1e-12)
        near(jax.vmap(jax.grad(safe_norm))(batch), expected, "gradients through vmap", rtol=1e-12)
        require(np.all(np.isfinite(jax.vmap(jax.jacfwd(safe_norm))(batch))), "forward through vmap")


def fixed_points(functions: dict[str, Any]) -> None:
    function = functions["fixed_point"]
    random = np.random.default_rng(6)
    for n, rho in ((1, 0.5), (2, 0.9), (3, 0.99), (5, 0.3)):
        M = rho * np.linalg.qr(random.standard_normal((n, n)))[0]
        theta, x_bar = 10.0 ** random.integers(-2, 3) * random.standard_normal(n), random.standard_normal(n)
        for g, shape in (("identity", (n,)), ("identity", (1, n)), ("tanh", (n,))):
            f = made.Contraction(M, g)
            given = jnp.asarray(theta.reshape(shape))
            for x0, tolerance in ((np.zeros(n), 1e-12), (100 * random.standard_normal(n), 1e-12), (np.ones(n), 1e-4)):
                x = np.asarray(function(f, given, jnp.asarray(x0), tolerance))
                off = np.linalg.norm(np.asarray(f(jnp.asarray(x), given)) - x)
                allowed = tolerance * max(1.0, float(np.linalg.norm(x)))
                require(off <= allowed * (1 + 1e-6) + 1e-15 * np.linalg.norm(x), f"x is off by {off}, {n, rho, g}")
            solve = jnp.asarray(100 * random.standard_normal(n))
            _, pull_back = jax.vjp(lambda t, x0, f=f: function(f, t, x0, 1e-12), given, solve)
            theta_bar, x0_bar = pull_back(jnp.asarray(x_bar))
            at = np.asarray(function(f, given, solve, 1e-12))
            J = M if g == "identity" else M / np.cosh(at) ** 2
            expected = np.linalg.solve((np.eye(n) - J).T, x_bar).reshape(shape)
            near(theta_bar, expected, f"theta_bar, {n, rho, g}", rtol=1e-9)
            near(x0_bar, np.zeros(n), "x0_bar", rtol=0)
    n = 5
    f = made.Equilibrium(random.standard_normal(n))
    theta, x_bar = 0.3 * np.linalg.qr(random.standard_normal((n, n)))[0], random.standard_normal(n)
    for far in (0.0, 1e3):
        args = (f, theta, far + np.zeros(n), x_bar, 1e-12)
        x, theta_bar = checked(transformations.keeps_what_one_step_needs, function, *args)
        b = np.asarray(f.b)

        def solution(t: Any, b: Any = b) -> Any:
            z = b * 0
            for _ in range(120):
                z = np.tanh(t @ z + b)
            return z

        near(x, solution(theta), "a layer at rest", rtol=1e-10)
        by_theta = numeric.complex_step_gradient(lambda t: x_bar @ solution(t), theta)
        near(theta_bar, by_theta, "theta_bar of a layer at rest", rtol=1e-9)
    for e in (0.0, 0.3, 0.9):
        kepler = made.Kepler(np.array([0.1, 2.0, 5.5]))
        E, pull_back = jax.vjp(lambda e, kepler=kepler: function(kepler, e, jnp.zeros(3), 1e-12), jnp.asarray(e))
        near(E - e * np.sin(E), np.asarray(kepler.M), "Kepler's equation", rtol=1e-11)
        expected = np.sum(np.sin(E) / (1 - e * np.cos(E)))
        near(pull_back(jnp.ones(3))[0], expected, "its derivative", rtol=1e-9)


def sparse(functions: dict[str, Any]) -> None:
    function = functions["sparse_jacobian"]
    random = np.random.default_rng(7)
    for number in range(15):
        m, n = (int(k) for k in random.integers(1, 8, 2))
        pattern = random.random((m, n)) < (0.0, 1.0, 0.2, 0.4, 0.7)[number % 5]
        rows, columns = np.nonzero(pattern)
        weights = random.uniform(0.5, 1.5, rows.size)
        f = made.SparseMap(weights, tuple(rows.tolist()), tuple(columns.tolist()), m)
        W = np.zeros((m, n))
        W[rows, columns] = weights
        x = random.standard_normal(n)
        expected = second(lambda z, W=W: np.sin(W @ z), x)
        near(function(f, x, pattern), expected, f"the Jacobian for {pattern.tolist()}", rtol=1e-10)
    for pattern, most in _colourable(random):
        rows, columns = np.nonzero(pattern)
        weights = random.uniform(0.5, 1.5, rows.size)
        f = made.SparseMap(weights, tuple(rows.tolist()), tuple(columns.tolist()), len(pattern))
        x = random.standard_normal(pattern.shape[1])
        checked(transformations.pushes_few_vectors, function, f, x, pattern, most)


def _colourable(random: Generator) -> list[tuple[np.ndarray, int]]:
    """Patterns, and how many colours their columns need at least: the entries of the fullest row, which are enough."""
    rows, columns = np.indices((14, 12))
    band = (rows - columns >= 0) & (rows - columns <= 2)
    blocks = np.kron(np.eye(5, dtype=bool), np.ones((2, 3), bool))
    shuffled = blocks[:, random.permutation(15)]
    return [(band, 3), (np.eye(9, dtype=bool), 1), (blocks, 3), (shuffled, 3), (np.ones((3, 4), bool), 4)]


ORACLES = {
    "q1": Oracle("complex step in long floats", derivatives),
    "q2": Oracle("complex step in long floats, and counted work", jacobians),
    "q3": Oracle("complex step in long floats, and counted work", products),
    "q4": Oracle("the gradient at the answer", minimisers),
    "q5": Oracle("closed forms in long floats", stable),
    "q6": Oracle("the equation itself, closed forms, and the complex step of its iteration", fixed_points),
    "q7": Oracle("complex step in long floats, and counted vectors", sparse),
}
