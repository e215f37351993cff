"""When is a matrix a subgradient of the nuclear norm?

R(W) = ||W||_*, the sum of the singular values, is convex. G is a subgradient at W when R(Z) >= R(W) + <G, Z - W> for
all Z: the plane through W with slope G lies nowhere above R. For a norm that is so if and only if

    <G, W> = ||W||_*    and    ||G||_2 <= 1

(the spectral norm is the nuclear norm's dual: R(Z) = max of <G, Z> over ||G||_2 <= 1). Where W has full rank there
is one such G, the gradient; at a rank-deficient W there are many, and each is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adkit.checks.failures import fail
from adkit.checks.values import array

if TYPE_CHECKING:
    from jaxtyping import Float

TOLERANCE = 1e-9
"""Relative: an SVD of a small matrix is accurate to about 1e-15, whatever the matrix is."""


def check_subgradient(G: Any, W: Float[np.ndarray, "m n"], what: str = "G") -> None:
    """Passes if and only if `G` is a subgradient of the nuclear norm at `W`; else a CheckError."""
    given = array(G, shape=W.shape, what=what)
    biggest = float(np.max(np.abs(W)))
    unit = W / biggest if biggest > 0 else W  # so that products neither overflow nor underflow
    norm = float(np.linalg.svd(unit, compute_uv=False).sum())
    slope = float(np.sum(given * unit))
    length = float(np.linalg.norm(given, 2)) if np.max(np.abs(given)) < 1e100 else np.inf
    if length > 1 + TOLERANCE:
        fail(
            f"{what} is not a subgradient: its largest singular value is more than 1, so the plane with slope {what} "
            "rises above R somewhere",
            answer=G,
            distance=length - 1,
        )
    if abs(slope - norm) > TOLERANCE * norm:
        fail(
            f"{what} is not a subgradient: <{what}, W> is not the nuclear norm of W",
            answer=G,
            distance=abs(slope - norm) / norm,
        )
