"""Random matrices whose conditioning is known, for the hidden cases of every assignment.

What two assignments share is here: a container has no module that is named after another assignment.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def orthogonal(random: Generator, m: int, k: int) -> Matrix:
    """An (m, k) matrix with orthonormal columns, k <= m, uniformly distributed."""
    Q, R = np.linalg.qr(random.standard_normal((m, k)))
    return Q * np.sign(np.diag(R))


def with_singular_values(random: Generator, m: int, n: int, s: Sequence[float]) -> Matrix:
    """An (m, n) matrix with the singular values `s` (at most min(m, n); the rest are 0) and random singular vectors."""
    U, V = orthogonal(random, m, len(s)), orthogonal(random, n, len(s))
    return (U * np.asarray(s, dtype=np.float64)) @ V.T


def invertible(random: Generator, n: int, condition: float = 4.0) -> Matrix:
    """An (n, n) matrix with that condition number, far from symmetric."""
    return with_singular_values(random, n, n, np.geomspace(2.0, 2.0 / condition, n).tolist())


def with_pivot(random: Generator, n: int, pivot: float) -> Matrix:
    """An (n, n) matrix of condition at most 30 on whose diagonal elimination finds `pivot` first, for A and for A^T.

    pivot: 0, or a positive number below 1e-6. The other entries of the first row and of the first column are negative:
    the largest of them is not the largest in absolute value.
    """
    while True:
        A = invertible(random, n)
        A[0, 1:], A[1:, 0] = -np.abs(A[0, 1:]), -np.abs(A[1:, 0])
        A[0, 0] = pivot
        if np.linalg.cond(A) <= 30:
            return A
