"""The reference of `ad_modes` against derivatives that are found in another way."""

import adkit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reference.ad_modes import (
    choose_mode,
    cubic_norm_hessian,
    elimination_order,
    forward_mode,
    local_partials,
    mode_cost,
    node_values,
    reverse_mode,
    toy_forward,
    toy_reverse,
    trace_inverse_gradient,
)
from reference.inputs import ad_modes as graphs

STEP = 1e-40
NUMPY = {
    "add": lambda *a: sum(a),
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    **{op: getattr(np, op) for op in ("sin", "cos", "exp", "log", "sqrt", "tanh")},
}


def complex_outputs(graph, x) -> NDArray[np.complex128]:
    """The outputs for complex inputs, by NumPy: all ops are analytic, so x + i h x_dot differentiates exactly."""
    values = dict(zip(graph.inputs, x, strict=True))
    for index, node in enumerate(graph.nodes):
        if node.op == "const":
            values[index] = complex(node.value)
        elif node.op != "input":
            values[index] = NUMPY[node.op](*(values[arg] for arg in node.args))
    return np.array([values[index] for index in graph.outputs])


BUILDERS = {
    "tree": graphs.tree,
    "shared": graphs.shared,
    "constants": lambda random: graphs.shared(random, constants=3),
    "repeats": lambda random: graphs.shared(random, repeats=True),
    "sums": graphs.sums,
    "inner outputs": graphs.inner_outputs,
    "shuffled inputs": graphs.shuffled_inputs,
    "chain": lambda random: graphs.chain(random, 300),
    "diamonds": lambda random: graphs.diamonds(random, 60),
    "wide": lambda random: graphs.wide(random, 40),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_both_modes_agree_with_the_complex_step(kind):
    for seed in range(8):
        random = np.random.default_rng(seed)
        problem = BUILDERS[kind](random)
        graph, x = problem.graph, list(problem.x)
        x_dot, y_bar = random.normal(size=len(x)), random.normal(size=len(graph.outputs))
        moved = complex_outputs(graph, problem.x + 1j * STEP * x_dot)
        y, y_dot = forward_mode(graph, x, list(x_dot))
        assert y == pytest.approx(list(moved.real), rel=1e-12)
        assert np.linalg.norm(y_dot - moved.imag / STEP) <= 1e-10 * np.linalg.norm(y_dot)
        columns = [complex_outputs(graph, problem.x + 1j * STEP * unit).imag / STEP for unit in np.eye(len(x))]
        y, x_bar = reverse_mode(graph, x, list(y_bar))
        assert y == pytest.approx(list(moved.real), rel=1e-12)
        assert np.linalg.norm(x_bar - np.array(columns) @ y_bar) <= 1e-10 * np.linalg.norm(x_bar)


@pytest.mark.parametrize("kind", BUILDERS)
def test_graphs_for_hidden_cases_stay_away_from_the_borders_of_domains(kind):
    for seed in range(8):
        problem = BUILDERS[kind](np.random.default_rng(seed))
        values = node_values(problem.graph, list(problem.x))
        for node in problem.graph.nodes:
            if node.op in ("log", "sqrt"):
                assert values[node.args[0]] > 0.25
            if node.op == "div":
                assert abs(values[node.args[1]]) > 0.25


@pytest.mark.parametrize("kind", ["shared", "constants", "repeats"])
def test_random_graphs_have_every_op(kind):
    graph = BUILDERS[kind](np.random.default_rng(1)).graph
    assert {node.op for node in graph.nodes} >= set(NUMPY)


def test_graphs_are_the_same_for_the_same_seed():
    assert graphs.shared(np.random.default_rng(7)).graph == graphs.shared(np.random.default_rng(7)).graph


point = st.floats(0.3, 2.0) | st.floats(-2.0, -0.3)


@given(op=st.sampled_from(sorted(NUMPY)), a=point, b=point)
def test_local_partials_agree_with_the_complex_step(op, a, b):
    args = [a, b] if op in ("add", "sub", "mul", "div") else [abs(a) if op in ("log", "sqrt") else a]
    for index, partial in enumerate(local_partials(op, args)):
        moved = [complex(arg, STEP if place == index else 0.0) for place, arg in enumerate(args)]
        assert partial == pytest.approx(NUMPY[op](*moved).imag / STEP, rel=1e-12)


@given(x1=point, x2=point, dx1=point, dx2=point)
def test_the_toy_example_by_hand_is_the_general_sweep_on_its_graph(x1, x2, dx1, dx2):
    toy = adkit.toy_graph()
    every = adkit.Graph(toy.nodes, toy.inputs, range(5))
    values, tangents = zip(*toy_forward(x1, x2, dx1, dx2), strict=True)
    y, y_dot = forward_mode(every, [x1, x2], [dx1, dx2])
    assert list(values) == pytest.approx(y)
    assert list(tangents) == pytest.approx(y_dot, abs=1e-12)
    assert list(toy_reverse(x1, x2)[:2]) == pytest.approx(reverse_mode(toy, [x1, x2], [1.0])[1], abs=1e-12)


@given(m=st.integers(1, 5), n=st.integers(1, 5), seed=st.integers(0, 100))
@settings(deadline=None)
def test_the_gradient_of_the_trace_agrees_with_the_complex_step(m, n, seed):
    random = np.random.default_rng(seed)
    A, B, X = random.normal(size=(m, n)), random.normal(size=(n, m)), random.normal(size=(n, n)) + 4 * np.eye(n)
    expected = np.zeros((n, n))
    for i, j in np.ndindex(n, n):
        moved = X.astype(complex)
        moved[i, j] += 1j * STEP
        expected[i, j] = np.trace(A @ np.linalg.solve(moved, B)).imag / STEP
    assert np.linalg.norm(trace_inverse_gradient(A, B, X) - expected) <= 1e-10 * np.linalg.norm(expected)


@given(n=st.integers(1, 6), seed=st.integers(0, 100))
@settings(deadline=None)
def test_the_hessian_agrees_with_the_complex_step_of_the_gradient(n, seed):
    x = np.random.default_rng(seed).normal(size=n)
    moved = [x + 1j * STEP * unit for unit in np.eye(n)]
    expected = np.array([(np.sqrt(np.sum(z * z)) * z).imag / STEP for z in moved])
    assert np.allclose(cubic_norm_hessian(x), expected, rtol=1e-10, atol=1e-12)


def test_the_hessian_is_continuous_at_zero():
    assert not cubic_norm_hessian(np.zeros(4)).any()
    assert np.abs(cubic_norm_hessian(np.full(4, 1e-9))).max() < 1e-8


@pytest.mark.parametrize("op", ["cosh", "", "Input"])
def test_an_unknown_op_is_refused(op):
    with pytest.raises(ValueError, match="unknown op"):
        local_partials(op, [1.0])


def test_the_costs_of_problem_1_are_24_and_40():
    graph = adkit.figure_4()
    assert (mode_cost(graph, "forward"), mode_cost(graph, "reverse")) == (24, 40)
    assert choose_mode(graph) == "forward"


def test_problem_1_costs_15_by_elimination_whichever_way_it_is_turned():
    graph = adkit.figure_4()
    turned_round = adkit.Graph(
        [*(adkit.Node("input") for _ in range(5)), adkit.Node("add", range(5)), *(adkit.Node("sin", (5,)),) * 3],
        inputs=range(5),
        outputs=(6, 7, 8),
    )
    for each in (graph, turned_round):
        order = elimination_order(each)
        assert len(order) == 1  # there is no other
        assert adkit.elimination_cost(each, order) == 15


def test_reverse_mode_visits_each_edge_once(monkeypatch):
    """The work on 60 diamonds (2^60 paths) and on a chain of 20 000 nodes, counted where the partials are found."""
    import reference.ad_modes as module

    for problem in (
        graphs.diamonds(np.random.default_rng(0), 60),
        graphs.chain(np.random.default_rng(0), 20_000),
        graphs.wide(np.random.default_rng(0), 10_000),
    ):
        edges = []

        def counted(op, args, edges=edges):
            edges.extend(args)
            return local_partials(op, args)

        monkeypatch.setattr(module, "local_partials", counted)
        reverse_mode(problem.graph, list(problem.x), [1.0] * len(problem.graph.outputs))
        assert len(edges) == sum(len(node.args) for node in problem.graph.nodes)
