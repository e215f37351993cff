"""Is a linear system solved in an answer?

Work is counted in what a function computes, and it is worth points where it serves the answer: one factorisation beside
an answer of zeros is no work. So a case for work asks in the end that a part of the answer comes out of a solve with A.
It need not be the right part nor the right solve: with A for A^T, with x_bar for b, with a factor of -2, with the
permutation of an LU forgotten or Q on the wrong side, it is one all the same, and so is an outer product with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from adkit.checks.failures import fail

if TYPE_CHECKING:
    from jaxtyping import Float, Shaped

TOLERANCE = 1e-2
"""The sine of the largest angle to a solution. It leaves room for 32-bit floats, a system that is refined too little or
to which something small is added. Of two random directions in twelve dimensions one pair in 1e22 is as close."""
OUTER_PRODUCTS = 2
"""The largest rank of an array in which the direction of a solution is looked for: an outer product has rank 1, one
that has been added to its transpose rank 2. In a matrix of full rank every direction is found."""


def uses_a_solve(answer: Sequence[Any], A: Float[np.ndarray, "n n"], *right: Float[np.ndarray, " n"]) -> None:
    """Passes when a part of `answer` is a multiple of T^-1 r, or an outer product with one; else a CheckError.

    T: A, A^T, or a product of factors of A (P, L, U or Q, R), as it comes about when they are put together wrongly.
    r: one of the vectors `right`, or a vector of ones, which stands for a cotangent that is ignored.
    answer: the arrays that the student's function gave. Meant for a random A of a dozen rows or more: for special
    ones (orthogonal, triangular, symmetric) other directions are solutions too.
    """
    solutions = _solutions(A, [*right, np.ones(len(A))])
    if any(_has_a_direction_of(np.asarray(part), solutions) for part in answer):
        return
    fail(
        "this work is not part of the answer: none of the arrays you return is computed from the solution of a linear "
        "system with A or A^T (zeros, constants and the arguments themselves are not), and only work that the answer "
        "needs earns these points",
        kind="too costly",
    )


def _solutions(
    A: Float[np.ndarray, "n n"], right: Sequence[Float[np.ndarray, " n"]]
) -> Float[np.ndarray, "n solutions"]:
    """The directions of T^-1 r, as the columns of a matrix, each of length 1."""
    import jax.scipy.linalg as jsl

    P, L, U = (np.asarray(factor) for factor in jsl.lu(A))
    Q, R = np.linalg.qr(A)
    inverse_L, inverse_U, inverse_R = (np.linalg.inv(factor) for factor in (L, U, R))
    found: list[Float[np.ndarray, " n"]] = []
    for orthogonal, inverses in (
        (P, (inverse_U @ inverse_L, inverse_L @ inverse_U, inverse_L, inverse_U)),
        (Q, (inverse_R,)),
    ):
        # what is left out (I), right, or transposed, before the triangular systems or after them
        for inverse, turn, r in product(inverses, (np.eye(len(A)), orthogonal, orthogonal.T), right):
            for one in (inverse, inverse.T):
                found += [one @ (turn @ r), turn @ (one @ r)]
    columns = np.stack(found, axis=1)
    return columns / np.linalg.norm(columns, axis=0)


def _has_a_direction_of(part: Shaped[np.ndarray, "..."], solutions: Float[np.ndarray, "n solutions"]) -> bool:
    """Whether a vector is parallel to a solution, or the column or row space of a matrix of low rank holds one."""
    if part.dtype.kind not in "fiu":
        return False
    n = len(solutions)
    array = np.squeeze(part.astype(np.float64))
    array = array[:, None] if array.ndim == 1 else array
    biggest = np.max(np.abs(array), initial=0.0)
    if array.ndim != 2 or n not in array.shape or not np.isfinite(biggest) or biggest == 0.0:
        return False
    left, sizes, right = np.linalg.svd(array / biggest, full_matrices=False)
    rank = int(np.sum(sizes > TOLERANCE * sizes[0]))
    if rank > OUTER_PRODUCTS:
        return False
    spaces = [space for space in (left[:, :rank], right[:rank].T) if len(space) == n]
    return any(
        bool(np.any(np.linalg.norm(solutions - space @ (space.T @ solutions), axis=0) <= TOLERANCE)) for space in spaces
    )
