"""The shapes in signatures are true: what goes in and what comes out has them, all in one call the same letters."""

from collections.abc import Callable
from typing import Any, get_args, get_origin, get_type_hints

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from adkit import network
from jaxtyping import Shaped, jaxtyped

from reference import ad_modes, checkpointing, matrix_gradients

random = np.random.default_rng(0)
A, W = random.normal(size=(4, 4)), random.normal(size=(5, 3))
U, s, Vt = np.linalg.svd(W, full_matrices=False)
PARAMS = network.mlp([3, 4, 2], 0)
x, y = (jnp.asarray(random.normal(size=(6, width))) for width in (3, 2))


def agree(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether arguments and result are arrays of the kinds and shapes that the signature says."""
    hints = get_type_hints(function, {**vars(jaxtyping), **vars(network), **function.__globals__})
    result = hints.pop("return")
    with jaxtyped("context"):  # a letter stands for the same length everywhere in it
        return all(map(_is, arguments, hints.values())) and _is(function(*arguments), result)


def _is(value: Any, hint: Any) -> bool:
    if get_origin(hint) is tuple:
        return len(value) == len(get_args(hint)) and all(map(_is, value, get_args(hint)))
    shaped = [kind for kind in (get_args(hint) or (hint,)) if isinstance(kind, type) and hasattr(kind, "dim_str")]
    return not shaped or any(isinstance(value, kind) for kind in shaped)


CALLS = [
    (matrix_gradients.linear_solve_vjp, (A, A[0], A[1])),
    (matrix_gradients.linear_solve_vjp, (A, A[:, :2], A[:, 2:])),
    (matrix_gradients.nuclear_norm_gradient, (W,)),
    (matrix_gradients.numerical_gradient, (np.sum, W)),
    (matrix_gradients.svd_vjp, (U, s, Vt, U, s, Vt)),
    (ad_modes.trace_inverse_gradient, (W[:, :3], W[:, :3].T, A[:3, :3])),
    (ad_modes.cubic_norm_hessian, (s,)),
    (checkpointing.checkpointed_loss, (PARAMS, x, y, [1])),
    (network.mlp_layer, (PARAMS[0], x)),
    (network.mlp_loss, (PARAMS, x, y)),
]


@pytest.mark.parametrize(("function", "arguments"), CALLS, ids=lambda part: getattr(part, "__name__", ""))
def test_a_call_has_the_shapes_that_the_signature_says(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    assert agree(function, arguments)


def test_another_shape_is_noticed() -> None:
    def transposed(W: Shaped[np.ndarray, "m n"]) -> Shaped[np.ndarray, "m n"]:
        return W.T

    assert not agree(transposed, (W,))
    assert agree(transposed, (A,))
