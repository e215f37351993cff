"""What the hidden cases of `ad_in_jax` share: random functions whose conditioning is known."""

from __future__ import annotations

import numpy as np
from adkit import functions
from numpy.random import Generator
from numpy.typing import NDArray

from reference.inputs.matrices import Matrix, invertible, orthogonal

__all__ = [
    "contraction",
    "invertible",
    "logistic",
    "logistic_hessian",
    "sparse",
    "sparse_map_jacobian",
    "spread_logistic",
    "tanh_map",
    "tanh_map_jacobian",
]


def tanh_map(random: Generator, n: int, k: int, m: int) -> functions.TanhMap:
    """R^n -> R^m through k numbers, none of which is far into the flat part of tanh."""
    A = random.standard_normal((k, n)) / np.sqrt(n)
    return functions.TanhMap(A, random.standard_normal(k), random.standard_normal((m, k)))


def tanh_map_jacobian(f: functions.TanhMap, x: Matrix) -> Matrix:
    """B diag(1 - tanh^2(A x + b)) A: in closed form, so that the grader has nothing to compile."""
    A, b, B = (np.asarray(array) for array in (f.A, f.b, f.B))
    return B * (1 - np.tanh(A @ x + b) ** 2) @ A


def logistic(random: Generator, samples: int, n: int, penalty: float = 0.1) -> functions.Logistic:
    """Logistic regression on random data with random labels."""
    X, y = random.standard_normal((samples, n)), np.where(random.random(samples) < 0.5, -1.0, 1.0)
    return functions.Logistic(X, y, penalty)


def spread_logistic(random: Generator, samples: int, n: int) -> functions.Logistic:
    """The same with features of sizes from 1e-2 to 1e2, and a penalty that hardly helps: ill-conditioned."""
    f = logistic(random, samples, n, 1e-4)
    return functions.Logistic(np.asarray(f.X) * np.geomspace(1e-2, 1e2, n), f.y, f.penalty)


def logistic_hessian(f: functions.Logistic, x: Matrix) -> Matrix:
    """1/samples X^T diag(p (1 - p)) X + penalty I, p_i the logistic function of X_i x."""
    X = np.asarray(f.X)
    p = 1 / (1 + np.exp(-X @ x))
    return X.T * (p * (1 - p)) @ X / len(X) + np.asarray(f.penalty) * np.eye(x.size)


def contraction(random: Generator, n: int, rho: float, g: str) -> functions.Contraction:
    """f(x, theta) = rho Q g(x) + theta with a random orthogonal Q."""
    return functions.Contraction(rho * orthogonal(random, n, n), g)


def sparse(random: Generator, pattern: NDArray[np.bool_]) -> functions.SparseMap:
    """A function whose Jacobian has entries where `pattern` is True."""
    rows, columns = np.nonzero(pattern)
    weights = random.uniform(0.5, 1.5, rows.size) * random.choice([-1.0, 1.0], rows.size)
    return functions.SparseMap(weights, tuple(rows.tolist()), tuple(columns.tolist()), len(pattern))


def sparse_map_jacobian(f: functions.SparseMap, x: Matrix) -> Matrix:
    """diag(cos(W x)) W."""
    W = np.zeros((f.m, x.size))
    W[list(f.rows), list(f.columns)] = np.asarray(f.weights)
    return np.cos(W @ x)[:, None] * W
