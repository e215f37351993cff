"""The feed-forward network of the course: n layers a_i = tanh(a_{i-1} W_i + c_i), all alike.

Every layer, the last one too, is one `mlp_layer`, so the network is exactly the chain of a schedule:
a_0 is the data, a_n the output, and the loss is the mean of (a_n - y)^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

if TYPE_CHECKING:
    from jaxtyping import Float

Parameters = Sequence[tuple[ArrayLike, ArrayLike]]
"""(W_1, c_1), …, (W_n, c_n): W_i of shape (d_{i-1}, d_i), c_i of shape (d_i,)."""


def mlp(widths: Sequence[int], key: Array | int) -> list[tuple[Array, Array]]:
    """The parameters of a network, `[(W_1, c_1), …, (W_n, c_n)]`, with `n = len(widths) - 1` layers.

    `widths` are d_0, …, d_n; W_i has shape (d_{i-1}, d_i), c_i has shape (d_i,). The entries are normal,
    those of W_i with variance 1 / d_{i-1}, so that activations keep their size from layer to layer (Glorot &
    Bengio, 2010). `key` is a JAX random key or an integer seed. Raises `ValueError` for fewer than two widths
    or one below 1.
    """
    if len(widths) < 2 or any(width < 1 for width in widths):
        raise ValueError(f"widths must be at least two positive integers d_0, …, d_n, got {list(widths)}")
    chain = jax.random.key(key) if isinstance(key, int) else key
    parameters: list[tuple[Array, Array]] = []
    for inputs, outputs in pairwise(widths):
        chain, for_weights, for_bias = jax.random.split(chain, 3)
        weights = jax.random.normal(for_weights, (inputs, outputs)) / jnp.sqrt(inputs)
        parameters.append((weights, 0.1 * jax.random.normal(for_bias, (outputs,))))
    return parameters


def mlp_layer(
    parameters: tuple[Float[ArrayLike, "d e"], Float[ArrayLike, " e"]], a: Float[ArrayLike, "batch d"]
) -> Float[Array, "batch e"]:
    """One layer, tanh(a W + c), with `parameters` (W, c)."""
    W, c = parameters
    return jnp.tanh(jnp.matmul(a, W) + c)


def mlp_loss(
    params: Parameters, x: Float[ArrayLike, "batch d_0"], y: Float[ArrayLike, "batch d_n"]
) -> Float[Array, ""]:
    """The mean squared error mean((a_n - y)^2), without checkpoints: its gradient keeps every activation."""
    a = x
    for layer in params:
        a = mlp_layer(layer, a)
    return jnp.mean(jnp.subtract(a, y) ** 2)
