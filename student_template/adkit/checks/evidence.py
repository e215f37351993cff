"""What a picture of a fault is drawn from (`adkit.drawing.wrong`): plain data, small, of a public case alone.

Each function gives a mapping with one entry, the name of the picture, or None where there is nothing that could be
drawn in a readable size. What a student's function answered is in it as numbers, never as text.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from adkit.graph import Graph
from adkit.schedule import ACTIONS, integer

__all__ = ["Evidence", "adjoints", "entries", "noting", "schedule", "steps", "watched"]

Evidence = dict[str, Any]

MOST_ENTRIES = 24
"""Rows and columns of a matrix."""
MOST_ACTIONS = 600
MOST_NODES = 20
_STEPS = np.logspace(-13, -1, 25)


def entries(given: NDArray[np.float64], right: NDArray[np.float64], what: str) -> Evidence | None:
    """A matrix beside the right one; both of the same shape (m, n)."""
    if right.ndim != 2 or min(right.shape) < 2 or max(right.shape) > MOST_ENTRIES:
        return None
    return {"entries": {"what": what, "given": given.tolist(), "right": right.tolist()}}


def schedule(n: int, answer: Any, *, position: int | None = None, memory: int | None = None) -> Evidence | None:
    """A student's schedule of `n` layers.

    position: of the first action that is not legal; None where every action is. memory: what was allowed.
    """
    if not isinstance(answer, list | tuple) or not 1 <= n <= MOST_ENTRIES * 4:
        return None
    actions: list[list[Any]] = []
    for action in cast("Sequence[Any]", answer)[: MOST_ACTIONS if position is None else position + 1]:
        pair = cast("Sequence[Any]", action) if isinstance(action, list | tuple) else ()
        name, i = (pair[0], integer(pair[1])) if len(pair) == 2 else ("", None)
        # what is not an action has no name here: it would be a text of the student's
        actions.append([str(name) if isinstance(name, str) and name in ACTIONS else "", i or 0])
    if len(actions) >= MOST_ACTIONS:
        return None
    return {"schedule": {"n": n, "actions": actions, "position": position, "memory": memory}}


def adjoints(
    graph: Graph, nodes: Sequence[int]
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], Evidence | None]:
    """For `checks.close(…, shows=…)`: the adjoints of these nodes, in the order of the answer, in their graph."""

    def shows(given: NDArray[np.float64], right: NDArray[np.float64]) -> Evidence | None:
        if len(graph.nodes) > MOST_NODES or given.shape != (len(nodes),):
            return None
        return {
            "adjoints": {
                "nodes": [[node.op, list(node.args), node.value] for node in graph.nodes],
                "inputs": list(graph.inputs),
                "outputs": list(graph.outputs),
                "of": list(nodes),
                "given": given.tolist(),
                "right": right.tolist(),
            }
        }

    return shows


def watched(f: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], list[NDArray[np.float64]]]:
    """`f`, and the list of the points at which it is evaluated from now on."""
    points: list[NDArray[np.float64]] = []
    return noting(f, points), points


def noting(f: Callable[[Any], Any], points: list[NDArray[np.float64]]) -> Callable[[Any], Any]:
    """`f`, which adds the points at which it is evaluated to `points`."""

    def evaluated(x: Any) -> Any:
        if len(points) < 4096:
            with suppress(Exception):  # under jax.vmap or jit there is no point, only its shape
                points.append(np.array(x, dtype=np.float64))
        return f(x)

    return evaluated


def steps(
    f: Callable[[Any], Any], x: NDArray[np.float64], points: Sequence[NDArray[np.float64]]
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], Evidence | None]:
    """For `checks.close(…, shows=…)`: the error of a numerical gradient of `f` at `x` against its step.

    points: where the student's function evaluated `f`, from `watched`. Of the entry that is furthest from right: the
    step that was taken, one-sided or central, and the error of that quotient at other steps.
    """

    def shows(given: NDArray[np.float64], right: NDArray[np.float64]) -> Evidence | None:
        worst = int(np.argmax(np.abs(given - right)))
        offsets = sorted({float(h) for point in points if (h := _offset(point, x, worst)) is not None})
        exact = float(right.flat[worst])
        if not offsets or exact == 0.0:
            return None
        step = min(offsets, key=abs)
        central = any(abs(h + step) <= 1e-3 * abs(step) for h in offsets)
        quotient = _central if central else _one_sided
        curve = [(float(h), abs(quotient(f, x, worst, h) - exact) / abs(exact)) for h in _STEPS]
        error = abs(float(given.flat[worst]) - exact) / abs(exact)
        return {"steps": {"central": central, "step": abs(step), "error": error, "curve": curve}}

    return shows


def _offset(point: NDArray[np.float64], x: NDArray[np.float64], entry: int) -> float | None:
    """How far a point is from x, where it differs in that entry alone."""
    if point.shape != x.shape:
        return None
    difference = (point - x).ravel()
    return float(difference[entry]) if np.flatnonzero(difference).tolist() == [entry] else None


def _moved(x: NDArray[np.float64], entry: int, h: float) -> NDArray[np.float64]:
    moved = x.copy()
    moved.flat[entry] += h
    return moved


def _central(f: Callable[[Any], Any], x: NDArray[np.float64], entry: int, h: float) -> float:
    return (float(f(_moved(x, entry, h))) - float(f(_moved(x, entry, -h)))) / (2 * h)


def _one_sided(f: Callable[[Any], Any], x: NDArray[np.float64], entry: int, h: float) -> float:
    return (float(f(_moved(x, entry, h))) - float(f(x))) / h
