"""What the hidden cases of `ad_in_jax` share: random functions whose conditioning is known."""

from __future__ import annotations

import numpy as np
from adkit import functions
from numpy.random import Generator
from numpy.typing import NDArray

from reference.inputs.matrix_gradients import invertible, orthogonal

Matrix = NDArray[np.float64]

__all__ = ["contraction", "invertible", "logistic", "sparse", "spread_logistic", "tanh_map"]


def tanh_map(random: Generator, n: int, k: int, m: int) -> functions.TanhMap:
    """R^n -> R^m through k numbers, none of which is far into the flat part of tanh."""
    A = random.standard_normal((k, n)) / np.sqrt(n)
    return functions.TanhMap(A, random.standard_normal(k), random.standard_normal((m, k)))


def logistic(random: Generator, samples: int, n: int, penalty: float = 0.1) -> functions.Logistic:
    """Logistic regression on random data with random labels."""
    X, y = random.standard_normal((samples, n)), np.where(random.random(samples) < 0.5, -1.0, 1.0)
    return functions.Logistic(X, y, penalty)


def spread_logistic(random: Generator, samples: int, n: int) -> functions.Logistic:
    """The same with features of sizes from 1e-2 to 1e2, and a penalty that hardly helps: ill-conditioned."""
    f = logistic(random, samples, n, 1e-4)
    return functions.Logistic(np.asarray(f.X) * np.geomspace(1e-2, 1e2, n), f.y, f.penalty)


def contraction(random: Generator, n: int, rho: float, g: str) -> functions.Contraction:
    """f(x, theta) = rho Q g(x) + theta with a random orthogonal Q."""
    return functions.Contraction(rho * orthogonal(random, n, n), g)


def sparse(random: Generator, pattern: NDArray[np.bool_]) -> functions.SparseMap:
    """A function whose Jacobian has entries where `pattern` is True."""
    rows, columns = np.nonzero(pattern)
    weights = random.uniform(0.5, 1.5, rows.size) * random.choice([-1.0, 1.0], rows.size)
    return functions.SparseMap(weights, tuple(rows.tolist()), tuple(columns.tolist()), len(pattern))
