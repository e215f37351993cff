"""Checks of elimination orders: what an order costs, whatever the student's function returned."""

from typing import Any

from adkit.checks.failures import fail
from adkit.checks.values import array
from adkit.elimination import elimination_cost
from adkit.graph import Graph


def order_and_cost(answer: Any, graph: Graph) -> tuple[list[int], int]:
    """The answer as a list of vertices, and its cost in multiplications; fails where it is not an elimination order
    of `graph`.
    """
    order = array(answer, kind="i", what="the order")
    if order.ndim != 1:
        fail("the order should be a single list of node indices", answer=answer, kind="wrong shape")
    vertices = [int(vertex) for vertex in order]
    try:
        return vertices, elimination_cost(graph, vertices)
    except ValueError as problem:
        rule = "the order must hold every intermediate vertex exactly once"
        fail(str(problem), hidden=rule, answer=answer)
