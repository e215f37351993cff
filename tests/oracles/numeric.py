"""Derivatives by numbers alone, in extended precision: what the references are checked with.

Nothing here knows a derivative rule. Linear systems are solved by elimination and singular values found by Jacobi
rotations in NumPy's longest floats (80 bits on x86-64), so that differences of them are good to about 15 digits; the
complex step needs no difference at all. Where a machine has no longer floats these are doubles, and `accuracy` says so.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def accuracy() -> float:
    """The relative error to expect of `central_gradient`: eps^(4/5) of the longest floats, with a margin of 100."""
    return 100 * float(np.finfo(np.longdouble).eps) ** 0.8


def complex_step_gradient(f: Callable[[Array], Any], x: ArrayLike) -> NDArray[np.float64]:
    """The gradient of a real analytic f as Im f(x + i h e) / h: no cancellation, so h can be next to nothing.

    f must work on complex arrays and be analytic in them: no absolute values, no singular values.
    (W. Squire and G. Trapp, *Using complex variables to estimate derivatives of real functions*, 1998.)
    """
    real = np.asarray(x, dtype=np.longdouble)
    h = np.longdouble(1e-30)
    gradient = np.zeros(real.shape, dtype=np.float64)
    for i in np.ndindex(real.shape):
        shifted = real.astype(np.clongdouble)
        shifted[i] += 1j * h
        gradient[i] = float(np.imag(f(shifted)) / h)
    return gradient


def central_gradient(f: Callable[[Array], Any], x: ArrayLike) -> NDArray[np.float64]:
    """The gradient of f by the five-point central difference (error h^4) in the longest floats."""
    real = np.asarray(x, dtype=np.longdouble)
    gradient = np.zeros(real.shape, dtype=np.float64)
    for i in np.ndindex(real.shape):
        h = np.finfo(np.longdouble).eps ** np.longdouble(0.2) * max(np.longdouble(1), abs(real[i]))
        values = [f(_shifted(real, i, k * h)) for k in (-2, -1, 1, 2)]
        gradient[i] = float((values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h))
    return gradient


def _shifted(x: Array, index: tuple[int, ...], by: Any) -> Array:
    moved = x.copy()
    moved[index] += by
    return moved


def solve(A: ArrayLike, b: ArrayLike) -> Array:
    """A^-1 b by elimination with partial pivoting, in the type of the arguments, real or complex, of any length.

    A: (n, n), b: (n,) or (n, k). ValueError when A is singular.
    """
    left, right = np.asarray(A), np.asarray(b)
    kind = np.result_type(left, right, np.longdouble)
    left, right = left.astype(kind), right.astype(kind)
    n = len(left)
    for j in range(n):
        pivot = j + int(np.argmax(np.abs(left[j:, j])))
        if left[pivot, j] == 0:
            raise ValueError("the matrix is singular")
        left[[j, pivot]], right[[j, pivot]] = left[[pivot, j]], right[[pivot, j]]
        for i in range(j + 1, n):
            factor = left[i, j] / left[j, j]
            left[i] = left[i] - factor * left[j]
            right[i] = right[i] - factor * right[j]
    for j in reversed(range(n)):
        right[j] = (right[j] - left[j, j + 1 :] @ right[j + 1 :]) / left[j, j]
    return right


def svd(W: ArrayLike) -> tuple[Array, Array, Array]:
    """The thin SVD (U, s, Vt) by one-sided Jacobi rotations, in the longest floats; W of full rank, (m, n).

    (Golub and Van Loan, *Matrix Computations*, 4th ed., section 8.6.3.)
    """
    A = np.array(W, dtype=np.longdouble)
    if A.shape[0] < A.shape[1]:
        U, s, Vt = svd(A.T)
        return Vt.T, s, U.T
    n = A.shape[1]
    V = np.eye(n, dtype=np.longdouble)
    for _ in range(60):
        largest = np.longdouble(0)
        for p in range(n):
            for q in range(p + 1, n):
                a, b, c = A[:, p] @ A[:, p], A[:, q] @ A[:, q], A[:, p] @ A[:, q]
                if c == 0:
                    continue
                largest = max(largest, abs(c) / np.sqrt(a * b))
                zeta = (b - a) / (2 * c)
                t = (1 if zeta >= 0 else -1) / (abs(zeta) + np.sqrt(1 + zeta * zeta))
                cosine = 1 / np.sqrt(1 + t * t)
                rotation = np.array([[cosine, cosine * t], [-cosine * t, cosine]])
                A[:, [p, q]] = A[:, [p, q]] @ rotation
                V[:, [p, q]] = V[:, [p, q]] @ rotation
        if largest < 4 * np.finfo(np.longdouble).eps:
            break
    s = np.sqrt(np.sum(A * A, axis=0))
    order = np.argsort(-s)
    return (A / s)[:, order], s[order], V[:, order].T
