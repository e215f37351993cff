"""The linearised graph, what an elimination order costs, and how good the reference's orders are."""

from itertools import permutations

import adkit
import numpy as np
import pytest
from adkit.elimination import linearise
from adkit.graph import Graph, Node

from reference.ad_modes import (
    EXACT_LIMIT,
    LOOK_AHEAD,
    elimination_order,
    local_partials,
    markowitz_order,
    node_values,
    reverse_mode,
)
from reference.inputs.ad_modes import rival_costs, shared, structure, with_inner_outputs, won_by


def test_constants_have_no_vertex_and_repeated_arguments_one_edge():
    graph = adkit.trace(lambda x: np.exp(x * x * 3.0), 1)
    linearised = linearise(graph)
    assert set(linearised.predecessors) == {0, 1, 3, 4}
    assert linearised.predecessors[1] == {0}
    assert linearised.intermediates == (1, 3)


def test_an_output_that_feeds_others_gets_one_sink_copy():
    nodes = (Node("input"), Node("sin", (0,)), Node("cos", (1,)))
    linearised = linearise(Graph(nodes, (0,), (1, 2, 1)))
    assert linearised.intermediates == (1,)
    assert linearised.successors[1] == {2, 3 + 1}
    assert linearised.predecessors[4] == {1}


def test_an_output_that_is_an_input_is_no_intermediate_vertex():
    assert linearise(Graph((Node("input"),), (0,), (0,))).intermediates == ()
    assert linearise(Graph((Node("input"), Node("neg", (0,))), (0,), (0, 1))).intermediates == ()


def test_two_hourglasses_cost_27_in_both_modes_and_15_at_best():
    nodes = (*[Node("input")] * 3, Node("add", (0, 1, 2)))
    nodes += (*[Node("sin", (3,))] * 3, Node("add", (4, 5, 6)))
    nodes += (*[Node("sin", (7,))] * 3,)
    graph = Graph(nodes, (0, 1, 2), (8, 9, 10))
    costs = rival_costs(graph)
    assert (costs.forward, costs.reverse, costs.markowitz) == (27, 27, 15)
    assert adkit.elimination_cost(graph, elimination_order(graph)) == 15


@pytest.mark.parametrize("order", [[3, 3], [], [3, 4], [0, 3], [8]])
def test_an_order_that_is_no_arrangement_of_the_intermediates_is_refused(order):
    with pytest.raises(ValueError, match="elimination order"):
        adkit.elimination_cost(adkit.figure_4(), order)


def test_elimination_computes_the_jacobian():
    """Carried out with numbers on the edges, an elimination ends with the Jacobian that reverse mode finds."""
    problem = shared(np.random.default_rng(5), constants=2)
    graph, values = problem.graph, node_values(problem.graph, list(problem.x))
    edges: dict[tuple[int, int], float] = {}
    for index, node in enumerate(graph.nodes):
        partials = local_partials(node.op, [values[arg] for arg in node.args])
        for arg, partial in zip(node.args, partials, strict=True):
            if graph.nodes[arg].op != "const":
                edges[arg, index] = edges.get((arg, index), 0.0) + partial
    multiplications = 0
    order = elimination_order(graph)
    for vertex in order:
        into = {u: value for (u, v), value in edges.items() if v == vertex}
        out = {w: value for (v, w), value in edges.items() if v == vertex}
        edges = {key: value for key, value in edges.items() if vertex not in key}
        for u, first in into.items():
            for w, second in out.items():
                edges[u, w] = edges.get((u, w), 0.0) + first * second
                multiplications += 1
    assert multiplications == adkit.elimination_cost(graph, order)
    for row, output in zip(np.eye(len(graph.outputs)), graph.outputs, strict=True):
        gradient = reverse_mode(graph, list(problem.x), list(row))[1]
        assert [edges.get((u, output), 0.0) for u in graph.inputs] == pytest.approx(gradient, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_the_references_order_is_optimal_on_small_graphs(seed):
    random = np.random.default_rng(seed)
    graph = structure(random, 3, 6, 2, reach=int(random.integers(3, 6)))
    vertices = linearise(graph).intermediates
    assert len(vertices) <= 7
    best = min(adkit.elimination_cost(graph, order) for order in permutations(vertices))
    assert adkit.elimination_cost(graph, elimination_order(graph)) == best


@pytest.mark.parametrize("size", [4, EXACT_LIMIT, EXACT_LIMIT + 2, 25, 50])
def test_the_references_order_is_never_worse_than_its_rivals(size):
    for seed in range(4):
        graph = structure(np.random.default_rng([size, seed]), 3, size, 4, reach=6)
        cost = adkit.elimination_cost(graph, elimination_order(graph))
        ahead = adkit.elimination_cost(graph, markowitz_order(graph, LOOK_AHEAD))
        assert cost <= min(rival_costs(graph).least, ahead)


@pytest.mark.parametrize("winner", ["forward", "reverse", "markowitz"])
def test_each_rival_wins_on_the_graphs_that_are_drawn_for_it(winner):
    for graph in won_by(np.random.default_rng(0), winner, 3):
        costs = rival_costs(graph)
        assert getattr(costs, winner) == costs.least
        assert sorted([costs.forward, costs.reverse, costs.markowitz])[1] > costs.least


def test_graphs_with_inner_outputs_have_sink_copies():
    for graph in with_inner_outputs(np.random.default_rng(0), 3):
        assert max(linearise(graph).predecessors) >= len(graph.nodes)


@pytest.mark.parametrize(
    ("vertex", "why"),
    [(0, "an input"), (1, "a constant"), (4, "feeds nothing"), (3, "twice"), (9, "0 … 4"), (-1, "no such node")],
)
def test_what_does_not_belong_in_an_order_is_told_with_the_reason(vertex, why):
    nodes = (Node("input"), Node("const", (), 2.0), Node("mul", (0, 1)), Node("sin", (2,)), Node("exp", (3,)))
    with pytest.raises(ValueError, match=f"{vertex} does not belong .*{why}"):
        adkit.elimination_cost(Graph(nodes, (0,), (4,)), [2, 3, vertex])
