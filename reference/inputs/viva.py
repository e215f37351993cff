"""Small inputs for questions about a student's own code, by assignment and function: none is that of a hidden case.

A function takes a random generator and returns the arguments of one call, so small that the answer can be found with
pen and paper.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from adkit.graph import Graph, Node

Maker = Callable[[np.random.Generator], tuple[Any, ...]]


def _whole(random: np.random.Generator, low: int = 1, high: int = 5) -> float:
    return float(random.integers(low, high + 1))


def _graph(random: np.random.Generator) -> Graph:
    """Two inputs, a product, and a sum in which an input is used again."""
    first = Node("mul", (0, 1))
    second = Node("add", (2, int(random.integers(2))))
    last = Node("mul", (2, 3)) if random.integers(2) else Node("sub", (3, int(random.integers(2))))
    return Graph((Node("input"), Node("input"), first, second, last), (0, 1), (4,))


def _numbers(random: np.random.Generator, count: int) -> np.ndarray[Any, Any]:
    return np.array([_whole(random) for _ in range(count)])


_AD_MODES: Mapping[str, Maker] = {
    "local_partials": lambda random: ("mul", (_whole(random), _whole(random, 6, 9))),
    "forward_mode": lambda random: (_graph(random), _numbers(random, 2), np.array([1.0, 2.0])),
    "reverse_mode": lambda random: (_graph(random), _numbers(random, 2), np.array([1.0])),
    "mode_cost": lambda random: (_graph(random), "reverse" if random.integers(2) else "forward"),
    "cubic_norm_hessian": lambda random: (np.array([3.0, 4.0]) * _whole(random, 1, 2),),
}
_CHECKPOINTING: Mapping[str, Maker] = {
    "vanilla_schedule": lambda random: (int(random.integers(2, 4)),),
    "memory_poor_schedule": lambda random: (int(random.integers(2, 4)),),
    "checkpointed_schedule": lambda random: (3, [int(random.integers(1, 3))]),
    "choose_checkpoints": lambda random: (int(random.integers(5, 17)),),
    "optimal_schedule": lambda random: (3, int(random.integers(1, 3))),
}
_MATRIX_GRADIENTS: Mapping[str, Maker] = {
    "linear_solve_vjp": lambda random: (
        np.array([[2.0, float(random.integers(1, 4))], [0.0, 1.0]]),
        np.array([2.0, _whole(random)]),
        np.array([2.0, _whole(random)]),
    ),
    "nuclear_norm_gradient": lambda random: (np.diag([_whole(random), -_whole(random)]),),
}
_AD_IN_JAX: Mapping[str, Maker] = {
    "cubic_norm_derivatives": lambda random: (np.array([3.0, 4.0]) * _whole(random, 1, 2),),
    "log1pexp": lambda random: (np.array([0.0, 40.0 * _whole(random, 1, 2)]),),
    "safe_norm": lambda random: (np.array([3.0, 4.0]) * _whole(random, 1, 3),),
}
MAKERS: Mapping[str, Mapping[str, Maker]] = {
    "ad_in_jax": _AD_IN_JAX,
    "ad_modes": _AD_MODES,
    "checkpointing": _CHECKPOINTING,
    "matrix_gradients": _MATRIX_GRADIENTS,
}
