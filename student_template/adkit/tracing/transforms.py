"""The transformations of JAX under which a function is measured, as functions of flat lists of arrays.

A flat function takes the leaves of its arguments one by one and returns a tuple of arrays, so that what
crosses a process boundary is never more than arrays. `adkit.tracing.export` says what goes into each and comes out.
"""

# The types of JAX's transforms and trees are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

TRANSFORMS = ("call", "jit", "vmap", "jvp", "vjp", "vjp_at", "vjp_split", "vjp_vjp", "value_and_grad", "vmap_grad")
WITH_COTANGENT = ("vjp", "vjp_split", "vjp_vjp")

FlatFunction = Callable[..., tuple[Any, ...]]


class ShapeOfResultError(ValueError):
    """The function's results are not shaped as its cotangent is."""


def inputs_of(args: Sequence[Any], transform: str) -> tuple[list[np.ndarray], int]:
    """The leaves of all arguments as NumPy arrays, and how many of them belong to the primals.

    What is differentiated is made of floats: there, integers become floats. Raises `TypeError` for what is no
    array and `ValueError` for a wrong number of arguments.
    """
    primals = primals_of(args, transform)
    floats = transform in (*WITH_COTANGENT, "vjp_at", "value_and_grad", "vmap_grad", "jvp")
    return _arrays(args, floats), len(_arrays(primals, floats))


def primals_of(args: Sequence[Any], transform: str) -> tuple[Any, ...]:
    """The arguments of the function itself: all but the cotangents. Raises `ValueError`."""
    if transform not in TRANSFORMS:
        raise ValueError(f"unknown transform {transform!r}; there are {', '.join(TRANSFORMS)}")
    behind = 2 if transform == "vjp_vjp" else 1 if transform in WITH_COTANGENT else 0
    if len(args) <= behind:
        raise ValueError(f"{transform} takes the primals and {behind} cotangent(s), got {len(args)} arguments")
    return tuple(args[: len(args) - behind])


def flat_function(f: Callable[..., Any], args: Sequence[Any], transform: str, static: Sequence[Any]) -> FlatFunction:
    """`f` under `transform` (any but `vjp_at` and `vjp_split`) as a function of the leaves of `args`."""
    import jax
    from jax import tree_util

    structure = tree_util.tree_structure(tuple(args))
    primal_count = len(primals_of(args, transform))

    def function(*primals: Any) -> Any:
        return f(*primals, *static)

    def pull_back(primals: tuple[Any, ...], cotangent: Any) -> Any:
        value, vjp = jax.vjp(function, *primals)
        return vjp(like_result(cotangent, value))

    def a_number(*primals: Any) -> Any:
        result = function(*primals)
        if tree_util.tree_structure(result) != tree_util.tree_structure(0) or np.shape(result):
            shapes = [np.shape(leaf) for leaf in tree_util.tree_leaves(result)]
            raise ShapeOfResultError(f"it returns {_found(shapes)}; expected a single number, which has a gradient")
        return result

    def flat(*leaves: Any) -> tuple[Any, ...]:
        arguments = tree_util.tree_unflatten(structure, leaves)
        primals, cotangents = arguments[:primal_count], arguments[primal_count:]
        match transform:
            case "call":
                result = function(*primals)
            case "jit":
                result = jax.jit(function)(*primals)
            case "vmap":
                result = jax.vmap(function)(*primals)
            case "jvp":
                result = jax.jvp(function, primals, primals)
            case "vjp":
                result = pull_back(primals, cotangents[0])
            case "vjp_vjp":
                first, second = cotangents
                value, vjp = jax.vjp(lambda *p: pull_back(p, first), *primals)
                result = vjp(like_result(second, value))
            case "vmap_grad":
                result = jax.vmap(jax.grad(a_number, argnums=tuple(range(primal_count))))(*primals)
            case _:
                everything = tuple(range(primal_count))
                result = jax.value_and_grad(a_number, argnums=everything)(*primals)
        return as_arrays(result)

    return flat


def pulled_back_at(f: Callable[..., Any], point: Sequence[Any], static: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """The cotangents of `point`'s primals as numbers; the last entry of `point` is the cotangent of the result.

    They are computed step by step, so that `f` and its rules may look at values.
    """
    import jax
    import jax.numpy as jnp

    primals, cotangent = [jnp.asarray(leaf) for leaf in _arrays(list(point[:-1]), floats=True)], point[-1]
    value, vjp = jax.vjp(lambda *primals: f(*primals, *static), *primals)
    return tuple(np.asarray(leaf) for leaf in vjp(like_result(cotangent, value)))


class SplitVjp:
    """Reverse mode as two flat functions: `forward` keeps the residuals, `backward` uses them.

    `forward` must be traced before `backward`: only then is it known what it keeps.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], static: Sequence[Any]) -> None:
        from jax import tree_util

        self._f, self._static = f, tuple(static)
        self._primals, self._cotangent = primals_of(args, "vjp_split"), args[-1]
        self._structure = tree_util.tree_structure(self._primals)
        self._kept: tuple[Any, list[tuple[str, Any]], Any] | None = None
        self.residuals = 0

    def forward(self, *primals: Any) -> tuple[Any, ...]:
        """(primal leaves) -> (result leaves, residuals)."""
        import jax
        from jax import core, tree_util

        arguments = tree_util.tree_unflatten(self._structure, primals)
        value, vjp = jax.vjp(lambda *p: self._f(*p, *self._static), *arguments)
        like_result(self._cotangent, value)
        leaves, structure = tree_util.tree_flatten(vjp)
        residuals: list[Any] = []
        places: list[tuple[str, Any]] = []
        for leaf in leaves:
            primal = next((i for i, p in enumerate(primals) if p is leaf), None)
            again = next((i for i, r in enumerate(residuals) if r is leaf), None)
            if primal is not None:
                places.append(("primal", primal))
            elif again is not None:
                places.append(("residual", again))
            elif isinstance(leaf, core.Tracer):
                places.append(("residual", len(residuals)))
                residuals.append(leaf)
            else:  # depends on no argument: a constant of the backward pass
                places.append(("constant", leaf))
        results = as_arrays(value)
        self._kept = structure, places, tree_util.tree_structure(value)
        self.residuals = len(residuals)
        return (*results, *residuals)

    def backward(self, *arguments: Any) -> tuple[Any, ...]:
        """(primal leaves, residuals, cotangent leaves) -> cotangents of the primal leaves."""
        from jax import tree_util

        assert self._kept is not None, "forward is traced first"
        structure, places, result = self._kept
        primals = arguments[: self._structure.num_leaves]
        residuals = arguments[len(primals) : len(primals) + self.residuals]
        cotangents = arguments[len(primals) + self.residuals :]
        sources = {"primal": primals, "residual": residuals}
        leaves = [place if kind == "constant" else sources[kind][place] for kind, place in places]
        vjp = tree_util.tree_unflatten(structure, leaves)
        return as_arrays(vjp(tree_util.tree_unflatten(result, cotangents)))


def like_result(cotangent: Any, result: Any) -> Any:
    """`cotangent` in the structure of `result` (a list for a tuple is fine). Raises `ShapeOfResultError`."""
    import jax.numpy as jnp
    from jax import tree_util

    given, structure = tree_util.tree_flatten(result)
    expected = tree_util.tree_leaves(cotangent)
    shapes, wanted = [np.shape(leaf) for leaf in given], [np.shape(leaf) for leaf in expected]
    if shapes != wanted:
        raise ShapeOfResultError(f"it returns {_found(shapes)}; expected {_listed(wanted)}")
    cast = [jnp.asarray(c, dtype=jnp.result_type(g)) for c, g in zip(expected, given, strict=True)]
    return tree_util.tree_unflatten(structure, cast)


def _found(shapes: Sequence[tuple[int, ...]]) -> str:
    return f"arrays of shape {_listed(shapes)}" if shapes else "None, or nothing in a list (is a return missing?)"


def as_arrays(tree: Any) -> tuple[Any, ...]:
    """The leaves of a function's result as JAX arrays (numbers become arrays of shape ())."""
    import jax.numpy as jnp
    from jax import tree_util

    leaves = tree_util.tree_leaves(tree)
    try:
        return tuple(jnp.asarray(leaf) for leaf in leaves)
    except TypeError as problem:
        raise ShapeOfResultError(f"it returns something that is not an array of numbers ({problem})") from None


def _arrays(tree: Any, floats: bool) -> list[np.ndarray]:
    from jax import tree_util

    leaves = [np.asarray(leaf) for leaf in tree_util.tree_leaves(tree)]
    for i, leaf in enumerate(leaves):
        if leaf.dtype.kind not in ("fiu" if floats else "fiubc"):
            raise TypeError(f"an array of {leaf.dtype} cannot be an argument here")
        if floats and leaf.dtype.kind != "f":
            leaves[i] = leaf.astype(np.float64)
    return leaves


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "nothing"
