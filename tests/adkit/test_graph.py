"""Computational graphs: what the constructor accepts and refuses, and what `trace` records."""

import copy

import adkit
import numpy as np
import pytest
from adkit.graph import ARITY, Graph, Node


@pytest.mark.parametrize(
    ("nodes", "inputs", "outputs", "message"),
    [
        ([Node("input"), Node("cosh", (0,))], [0], [1], r"node 1 \(cosh\).*unknown op"),
        ([Node("input"), Node("sin", (0, 0))], [0], [1], r"node 1 \(sin\).*takes 1 arguments, got 2"),
        ([Node("input"), Node("mul", (0,))], [0], [1], r"node 1 \(mul\).*takes 2 arguments, got 1"),
        ([Node("input"), Node("mul", (0, 0, 0))], [0], [1], r"node 1 \(mul\)"),
        ([Node("input"), Node("add", (0,))], [0], [1], r"node 1 \(add\).*2 or more"),
        ([Node("input", (0,))], [0], [0], r"node 0 \(input\)"),
        ([Node("input"), Node("sin", (1,))], [0], [1], r"node 1 \(sin\).*argument 1 is not an earlier node"),
        ([Node("input"), Node("sin", (2,)), Node("neg", (0,))], [0], [1], r"node 1 \(sin\).*argument 2"),
        ([Node("input"), Node("sin", (-1,))], [0], [1], r"node 1 \(sin\).*argument -1"),
        ([Node("const")], [], [0], r"node 0 \(const\).*finite value"),
        ([Node("const", (), float("nan"))], [], [0], r"node 0 \(const\).*finite value"),
        ([Node("input", (), 2.0)], [0], [0], r"node 0 \(input\).*only a const"),
        ([Node("input")], [0], [1], "outputs: there is no node 1"),
        ([Node("input")], [0], [-1], "outputs: there is no node -1"),
        ([Node("input")], [0, 1], [0], "inputs: there is no node 1"),
        ([Node("input"), Node("neg", (0,))], [0, 1], [1], "node 1 is not an input but a neg"),
        ([Node("input")], [0, 0], [0], "listed twice"),
        ([Node("input"), Node("input")], [1], [1], r"node 0 \(input\) is missing from inputs"),
        ([Node("input")], [0.5], [0], "inputs must be a sequence of whole numbers"),
    ],
)
def test_an_invalid_graph_is_refused_with_the_node_named(nodes, inputs, outputs, message):
    with pytest.raises(ValueError, match=message):
        Graph(nodes, inputs, outputs)


def test_arguments_that_are_no_indices_are_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        Node("sin", ("x",))  # pyright: ignore[reportArgumentType]


def test_lists_and_numpy_numbers_become_tuples_of_python_numbers():
    graph = Graph(
        [Node("input", []), Node("const", [], np.float64(2)), Node("mul", list(np.arange(2)))],  # pyright: ignore[reportArgumentType]
        np.array([0]),  # pyright: ignore[reportArgumentType]
        [np.int64(2)],  # pyright: ignore[reportArgumentType]
    )
    assert graph == Graph((Node("input"), Node("const", (), 2.0), Node("mul", (0, 1))), (0,), (2,))
    assert [type(entry) for entry in (*graph.inputs, *graph.outputs, *graph.nodes[2].args)] == [int] * 4
    assert hash(graph) == hash(Graph(graph.nodes, (0,), (2,)))


def test_outputs_may_be_repeated_inputs_constants_and_inner_nodes():
    nodes = (Node("input"), Node("const", (), 1.0), Node("add", (0, 1)), Node("sin", (2,)))
    assert Graph(nodes, (0,), (2, 0, 1, 2, 3)).outputs == (2, 0, 1, 2, 3)


def test_a_sum_may_have_three_terms():
    assert Graph((*[Node("input")] * 3, Node("add", (0, 1, 2))), (0, 1, 2), (3,)).nodes[3].args == (0, 1, 2)


def test_a_graph_cannot_be_changed_and_its_copy_is_itself():
    graph = adkit.toy_graph()
    with pytest.raises(AttributeError):
        graph.outputs = (0,)
    assert copy.deepcopy([graph])[0] is graph


def test_a_large_graph_prints_in_one_short_line():
    nodes = (Node("input"), *(Node("sin", (index,)) for index in range(20_000)))
    graph = Graph(nodes, (0,), tuple(range(20_001)))
    assert repr(graph) == "Graph(20001 nodes, inputs=(0,), outputs=(0, 1, 2, 3, 4, … 20001 in all))"
    assert graph._repr_svg_() is None


def test_the_toy_example_is_what_tracing_its_formula_gives():
    assert adkit.trace(lambda x1, x2: x1 * x2 + np.sin(x1), 2) == adkit.toy_graph()


def test_figure_4_has_three_weights_one_node_and_five_losses():
    graph = adkit.figure_4()
    assert (len(graph.inputs), len(graph.outputs)) == (3, 5)
    assert sum(len(node.args) for node in graph.nodes) == 8


def test_trace_records_every_op():
    def everything(x, y):
        a = np.exp(np.sin(x)) - np.cos(y) / 2
        return [np.log(a), np.sqrt(+a), -np.tanh(a * 3.0), 1.0]

    graph = adkit.trace(everything, 2)
    assert {node.op for node in graph.nodes} == set(ARITY) - {"add"}
    assert len(graph.outputs) == 4


def test_trace_takes_numbers_on_either_side_and_numpy_scalars():
    def shifted(x):
        return 1 + x, x + 1, 2 - x, np.float64(3) * x, 4 / x, np.add(x, np.float64(5))

    ops = [node.op for node in adkit.trace(shifted, 1).nodes if node.args]
    assert ops == ["add", "add", "sub", "mul", "div", "add"]


def test_a_whole_power_is_a_repeated_product():
    graph = adkit.trace(lambda x: x**3, 1)
    assert [node.args for node in graph.nodes] == [(), (0, 0), (1, 0)]


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda x: x if x > 0 else -x, "branch"),
        (lambda x: np.arctan(x), "np.arctan cannot be traced"),
        (lambda x: float(x), "no value yet"),
        (lambda x: x**0.5, "whole powers"),
        (lambda x: x**-1, "whole powers"),
    ],
)
def test_what_cannot_be_traced_is_said(fn, message):
    with pytest.raises(TypeError, match=message):
        adkit.trace(fn, 1)


def test_a_variable_of_another_trace_is_refused():
    kept = []
    adkit.trace(lambda x: kept.append(x) or x, 1)
    with pytest.raises(ValueError, match="another trace"):
        adkit.trace(lambda x: x + kept[0], 1)


def test_demonstrations_wait_for_stubs_and_nothing_else(capsys):
    with adkit.skip_until_implemented():
        raise NotImplementedError("q1: toy_forward")
    assert "q1: toy_forward" in capsys.readouterr().out
    with pytest.raises(ValueError, match="own"), adkit.skip_until_implemented():
        raise ValueError("the student's own")
