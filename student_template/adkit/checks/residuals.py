"""Which activations of the network cross from the forward to the backward pass, judged by their values.

Reverse mode hands arrays, the residuals, from the forward pass to the backward pass: these are the memory
that backpropagation costs. `crossing` says of each number in them where it comes from:

- the parameters, x, y, and the constants 0, 1, -1 cost nothing: they are there anyway;
- what the loss needs of the output a_n (a_n itself, a_n - y, |a_n - y|, their products and multiples, the norms
  of their rows) is not counted;
- the values of a_i with i < n: activation i crosses, whether alone, transposed, or stacked with others;
- anything else (pre-activations, 1 - tanh^2, a scaled, shifted or rounded copy) is unexplained, and counts as
  soon as it is as large as half of the smallest activation. Scalars and other small things do not matter.

What costs nothing, or was counted already, is believed twice over, no more, unless it is in the order of a_n or y: many
zeros and ones in changing order are the bits of something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

_CONSTANTS = (0.0, 1.0, -1.0)
_SAME = 1e-10
"""Two numbers are the same when they differ by this part of them: far above rounding, far below the distance of
random activations."""

_ROUNDING = 1e-13
"""What activations computed in two ways may differ by, whatever their size. Zero is only itself: an activation times
1e-14 is as small, and nothing of it is lost."""


_COPIES = 2
"""How often an activation, and everything that is there anyway, may cross: right solutions keep each once."""


@dataclass(frozen=True)
class Crossing:
    """What crosses from the forward to the backward pass."""

    activations: tuple[int, ...]
    """The i < n of the activations a_i that cross, ascending."""
    unexplained: tuple[tuple[int, ...], ...]
    """The shapes of residuals as large as activations and none of them; empty when all is explained."""
    strange_numbers: int = 0
    """How many numbers are explained by nothing, also when they are too few to be as large as an activation."""


def activations(params: Sequence[tuple[ArrayLike, ArrayLike]], x: ArrayLike) -> list[Float[np.ndarray, "batch _"]]:
    """a_0, …, a_n of `adkit.mlp_layer`, computed by NumPy."""
    chain = [np.asarray(x, dtype=np.float64)]
    for W, b in params:
        chain.append(np.tanh(chain[-1] @ np.asarray(W) + np.asarray(b)))
    return chain


def crossing(
    params: Sequence[tuple[ArrayLike, ArrayLike]], x: ArrayLike, y: ArrayLike, residuals: Sequence[ArrayLike]
) -> Crossing:
    """Explains the residuals (`adkit.tracing.export.measure`, `vjp_split`) of a loss of the network on (params, x, y).

    Needs a batch much larger than the widths, so that no parameter is as large as an activation.
    """
    chain = activations(params, x)
    n = len(chain) - 1
    target = np.asarray(y, dtype=np.float64)
    arguments = [x, y, *(leaf for layer in params for leaf in layer)]
    given = _sorted([*arguments, _CONSTANTS])
    free = _COPIES * sum(np.size(argument) for argument in arguments)
    kept = [_sorted([a]) for a in chain[1:]]
    found = np.zeros(n + 1)
    strange: list[tuple[int, ...]] = []
    strange_numbers = 0
    for residual in residuals:
        values = _numbers(residual)
        if _of_the_output(values, chain[n], target):
            continue
        at_hand = _among(values, given)
        left = values[~at_hand]
        repeated = values[at_hand]
        free -= repeated.size - _constant(repeated)
        if free < 0:
            strange.append(np.shape(residual))
            strange_numbers -= free
            free = 0
        for i, a in enumerate(kept, start=1):
            here = _among(left, a)
            found[i] += np.count_nonzero(here)
            if found[i] > _COPIES * a.size:
                strange.append(np.shape(residual))
                strange_numbers += int(found[i] - _COPIES * a.size)
                found[i] = _COPIES * a.size
            left = left[~here]
        if left.size:
            strange.append(np.shape(residual))
            strange_numbers += left.size
    sizes = np.array([a.size for a in chain])
    cross = tuple(int(i) for i in range(1, n) if found[i] > 0.1 * sizes[i])
    large = strange_numbers >= sizes[1:].min() / 2
    return Crossing(cross, tuple(strange) if large else (), int(strange_numbers))


def _numbers(residual: ArrayLike) -> Float[np.ndarray, " size"]:
    array = np.asarray(residual)
    if array.dtype.kind == "c":
        return np.concatenate([np.real(array).ravel(), np.imag(array).ravel()]).astype(np.float64)
    return array.ravel().astype(np.float64)


def _constant(values: Float[np.ndarray, " size"]) -> int:
    """How many of the values are one constant, to the last bit: zeros of either sign, and ones that differ by rounding,
    can be told apart, and so hold something."""
    constants = np.ascontiguousarray(values[np.isin(np.round(values, 9), _CONSTANTS)])
    return int(np.unique(constants.view(np.int64), return_counts=True)[1].max(initial=0))


def _sorted(arrays: Sequence[ArrayLike]) -> Float[np.ndarray, " size"]:
    return np.sort(np.concatenate([np.ravel(np.asarray(array, dtype=np.float64)) for array in arrays]))


def _among(values: Float[np.ndarray, " size"], known: Float[np.ndarray, " known"]) -> Bool[np.ndarray, " size"]:
    """For each value whether it is one of the sorted `known` numbers."""
    right = np.searchsorted(known, values).clip(0, known.size - 1)
    left = (right - 1).clip(0)
    near = np.where(np.abs(values - known[left]) < np.abs(values - known[right]), known[left], known[right])
    allowed = np.where(near == 0, 0, _SAME * np.abs(near) + _ROUNDING)
    return np.abs(values - near) <= allowed


def _of_the_output(
    values: Float[np.ndarray, " size"], output: Float[np.ndarray, "batch d"], target: Float[np.ndarray, "batch d"]
) -> bool:
    """Whether `values` are computed from a_n and y alone.

    Entry by entry: a polynomial of degree three in a_n and y, the norm of the entry's row of a_n - y and its
    inverse beside it, which may be another one where a_n < y (an absolute value, a maximum). Row by row: a
    combination of the row of a_n, the row of y, and the norm, its square and its inverse.
    """
    if not np.isfinite(values).all():
        return False
    difference = output - target
    squares = np.sum(difference**2, axis=1)
    norms = np.sqrt(np.maximum(squares, np.finfo(np.float64).tiny))
    if values.size == len(output):
        return _spanned(values, [*output.T, *target.T, squares, norms, 1 / norms])
    if values.size != output.size:
        return False
    spread = np.broadcast_to(norms[:, None], output.shape)
    for turned in (False, True):
        a, y, d, norm = (_in_a_row(array, turned) for array in (output, target, difference, spread))
        basis = [p * q * r for p, q, r in combinations_with_replacement((np.ones_like(a), a, y), 3)][1:]
        basis += [norm, 1 / norm, d * norm, d / norm]
        if _spanned(values, basis) or all(
            _spanned(values[side], [column[side] for column in basis]) for side in (d < 0, d >= 0)
        ):
            return True
    return False


def _in_a_row(array: Float[np.ndarray, "batch d"], turned: bool) -> Float[np.ndarray, " batch*d"]:
    return (array.T if turned else array).ravel()


def _spanned(values: Float[np.ndarray, " size"], columns: Sequence[Float[np.ndarray, " size"]]) -> bool:
    """Whether `values` is a constant and a combination of `columns`; by far more numbers than columns tell."""
    basis = np.stack([np.ones_like(values), *columns], axis=1)
    if len(basis) < 3 * basis.shape[1]:
        return False
    coefficients = np.linalg.lstsq(basis, values, rcond=None)[0]
    return bool(np.abs(basis @ coefficients - values).max() <= 1e-9 * np.abs(values).max())
