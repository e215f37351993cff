"""What the hidden cases of `matrix_gradients` share: random matrices, systems and singular value decompositions whose
conditioning is known, so that a case's tolerance can be, and the comparison of a student's function with the reference
on them.
"""

from typing import Any

import numpy as np
from adkit import checks
from numpy.random import Generator

from reference import matrix_gradients as reference
from reference.inputs.matrices import Matrix, invertible, orthogonal, with_pivot, with_singular_values

__all__ = [
    "PIVOTS",
    "SINGULAR_VALUES",
    "compare_solve",
    "compare_svd",
    "factors",
    "invertible",
    "orthogonal",
    "system",
    "with_namespace",
    "with_pivot",
    "with_singular_values",
]

PIVOTS = (0.0, 1e-10, 1e-18)
"""The first divides by zero. The others are not zero, and without an exchange of rows they leave six correct digits,
and none. A stable solve of these systems, of condition 30 at most, errs by 1e-14."""
SINGULAR_VALUES = (3.0, 1.7, 0.8)
"""Well apart: F is at most 1 / (1.7^2 - 0.8^2) = 0.44 and 1 / s at most 1.25, so that no rounding is amplified."""


def system(random: Generator, *columns: int) -> tuple[Matrix, Matrix, Matrix]:
    """A (4, 4) of condition 4, and b and x_bar of shape (4,), or (4, k) where `columns` is k."""
    A = invertible(random, 4)
    return A, random.standard_normal((4, *columns)), random.standard_normal((4, *columns))


def compare_solve(linear_solve_vjp: Any, A: Matrix, b: Matrix, x_bar: Matrix, *, only: str = "") -> None:
    """Fails unless `linear_solve_vjp` gives the reference's b_bar and A_bar, or the one of them that `only` names."""
    A_bar, b_bar = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    expected_A, expected_b = reference.linear_solve_vjp(A, b, x_bar)
    if only in ("", "b_bar"):
        checks.close(b_bar, expected_b, rtol=1e-9, what="b_bar")
    if only in ("", "A_bar"):
        checks.close(A_bar, expected_A, rtol=1e-9, what="A_bar")


def factors(random: Generator, m: int, n: int) -> tuple[Matrix, Matrix, Matrix]:
    """U (m, 3), s (3,) and Vt (3, n) of a random (m, n) matrix with the singular values above."""
    return orthogonal(random, m, 3), np.array(SINGULAR_VALUES), orthogonal(random, n, 3).T


def compare_svd(svd_vjp: Any, *arguments: Matrix, rtol: float = 1e-10) -> None:
    """Fails unless `svd_vjp` of U, s, Vt and their cotangents is the reference's W_bar."""
    checks.close(checks.call(svd_vjp, *arguments), reference.svd_vjp(*arguments), rtol=rtol, what="W_bar")


def with_namespace(x: Any) -> tuple[Any, Any]:
    """x as an array, and the module whose functions take it: `jax.numpy` for what is JAX's, traced or not, else NumPy.

    A student's function asks for a test's function at hundreds of points. At such sizes NumPy answers in a hundredth of
    the time that JAX takes; under a transformation of JAX only JAX does.
    """
    import jax
    import jax.numpy as jnp

    xp: Any = jnp if isinstance(x, jax.Array) else np
    return xp.asarray(x), xp
