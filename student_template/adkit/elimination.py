"""Cross-country elimination: the full Jacobian by removing vertices from the linearised graph.

The linearised graph of a `Graph` (Griewank & Walther, *Evaluating Derivatives*, 2nd ed., chapters 9 and 10)
has

- one vertex for each node that is not a `const`;
- one edge from u to v where u is an argument of v, however often it is one (the partials of a repeated
  argument are summed before the elimination begins, so that `mul(x, x)` gives one edge, unlike in the cost
  of a sweep);
- for each output that feeds other nodes, a *sink copy*: an extra vertex with a single edge from that output.
  The output itself can then be removed, and its copy keeps its row of the Jacobian. A node listed twice in
  `outputs` has one copy.

The *intermediate* vertices are the rest: not inputs, and not outputs that feed nothing. A node that is not an
output and feeds nothing is intermediate, too, and so is one that depends on constants only.

Eliminating the vertex v multiplies each edge into v by each edge out of it: (predecessors x successors)
multiplications, and afterwards every predecessor is joined to every successor (an edge that is there already
just gets the product added). When no intermediate vertex is left, the edges from inputs to outputs carry the
Jacobian. Forward mode eliminates in ascending order, reverse mode in descending order; any other order is
right too, and some are cheaper.
"""

import operator
from collections.abc import Iterable
from typing import NamedTuple

from adkit.graph import Graph


class Linearised(NamedTuple):
    """The linearised graph, as mutable sets that an elimination can work on.

    The vertex of node i is i, the sink copy of output i is len(graph.nodes) + i.
    """

    predecessors: dict[int, set[int]]
    successors: dict[int, set[int]]
    intermediates: tuple[int, ...]
    """What an elimination order orders, ascending."""


def linearise(graph: Graph) -> Linearised:
    """The linearised graph of `graph`, as this module defines it. Every call gives new sets."""
    size = len(graph.nodes)
    vertices = [index for index, node in enumerate(graph.nodes) if node.op != "const"]
    predecessors: dict[int, set[int]] = {vertex: set() for vertex in vertices}
    successors: dict[int, set[int]] = {vertex: set() for vertex in vertices}
    for vertex in vertices:
        for arg in graph.nodes[vertex].args:
            if graph.nodes[arg].op != "const":
                predecessors[vertex].add(arg)
                successors[arg].add(vertex)
    sinks = {output for output in graph.outputs if output in successors and not successors[output]}
    for output in set(graph.outputs) - sinks:
        if output in successors:
            copy = size + output
            predecessors[copy], successors[copy] = {output}, set()
            successors[output].add(copy)
    ends = sinks.union(graph.inputs)
    return Linearised(predecessors, successors, tuple(vertex for vertex in vertices if vertex not in ends))


def eliminate(linearised: Linearised, vertex: int) -> int:
    """Removes `vertex` from the linearised graph, in place, and returns the multiplications that it costs."""
    before = linearised.predecessors.pop(vertex)
    after = linearised.successors.pop(vertex)
    for u in before:
        linearised.successors[u].discard(vertex)
        linearised.successors[u] |= after
    for w in after:
        linearised.predecessors[w].discard(vertex)
        linearised.predecessors[w] |= before
    return len(before) * len(after)


def elimination_cost(graph: Graph, order: Iterable[int]) -> int:
    """Multiplications that accumulating the Jacobian costs when the vertices are eliminated in this order.

    `order` must hold every intermediate vertex of the linearised graph exactly once; ValueError otherwise.
    """
    linearised = linearise(graph)
    vertices = [operator.index(vertex) for vertex in order]
    wanted = set(linearised.intermediates)
    for vertex in vertices:
        if vertex not in wanted:
            raise ValueError(
                f"{vertex} does not belong in the elimination order: {_why_not(graph, linearised, vertex)}"
            )
        wanted.remove(vertex)
    if wanted:
        raise ValueError(f"the elimination order lacks {sorted(wanted)}")
    return sum(eliminate(linearised, vertex) for vertex in vertices)


def _why_not(graph: Graph, linearised: Linearised, vertex: int) -> str:
    """Why an elimination order cannot hold `vertex`, or not once more."""
    if vertex in linearised.intermediates:
        return "it is listed twice"
    if not 0 <= vertex < len(graph.nodes):
        return f"there is no such node, the indices are 0 … {len(graph.nodes) - 1}"
    if graph.nodes[vertex].op in ("input", "const"):
        return f"it is {'an input' if graph.nodes[vertex].op == 'input' else 'a constant'}"
    return "it is an output that feeds nothing"
