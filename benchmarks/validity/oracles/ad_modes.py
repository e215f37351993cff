"""Oracles of `ad_modes`: the complex step on the graph itself, counting by hand, every order of elimination."""

from __future__ import annotations

import cmath
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from adkit import Graph, Node, toy_graph
from adkit.implementations import answered, question, returned
from numpy.random import Generator
from oracles import numeric

from validity.oracles import Oracle, near, refuses, require

STEP = 1e-40
UNARY: dict[str, Any] = {name: getattr(cmath, name) for name in ("sin", "cos", "exp", "log", "sqrt", "tanh")}
OPS: dict[str, Any] = {
    "add": lambda *a: sum(a[1:], a[0]),
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    **UNARY,
}


def complex_values(graph: Graph, x: Sequence[complex]) -> list[complex]:
    """The value of every node for complex inputs."""
    given = dict(zip(graph.inputs, x, strict=True))
    values: list[complex] = []
    for index, node in enumerate(graph.nodes):
        if node.op == "input":
            values.append(given.get(index, 0.0))
        elif node.op == "const":
            values.append(complex(node.value or 0.0))
        else:
            values.append(OPS[node.op](*(values[arg] for arg in node.args)))
    return values


def random_graph(random: Generator) -> tuple[Graph, list[float]]:
    """Any legal graph of up to 25 nodes, and a point well within the domains of its operations."""
    count = int(random.integers(1, 26))
    while True:
        nodes: list[Node] = []
        values: list[float] = []
        for _ in range(count):
            op = str(random.choice(["input", "input", "const", *OPS])) if nodes else "input"
            few = {"add": int(random.integers(2, 6)), "sub": 2, "mul": 2, "div": 2, "input": 0, "const": 0}.get(op, 1)
            args = tuple(int(arg) for arg in random.integers(0, len(nodes), few)) if few else ()
            number = 0.0 if random.random() < 0.1 else float(random.uniform(-2, 2))
            here = [values[arg] for arg in args]
            if (op == "div" and abs(here[1]) < 0.4) or (op in ("log", "sqrt") and here[0] < 0.3):
                op, args = "neg", args[:1]
            if op == "exp" and here[0] > 2:
                op = "tanh"
            value = number if op in ("input", "const") else complex(OPS[op](*(values[arg] for arg in args))).real
            nodes.append(Node(op, args, number if op == "const" else None))
            values.append(value)
        inputs = [index for index, node in enumerate(nodes) if node.op == "input"]
        order = [inputs[int(place)] for place in random.permutation(len(inputs))]
        outputs = [int(index) for index in random.integers(0, count, int(random.integers(1, 6)))]
        if max(map(abs, values)) < 50:
            return Graph(nodes, order, outputs), [values[index] for index in order]


def jacobian(graph: Graph, x: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Values of the outputs and their Jacobian, a complex step for each input; large terms may cancel in it."""
    columns: list[list[complex]] = []
    for place in range(len(x)):
        moved = complex_values(graph, [complex(v, STEP if p == place else 0) for p, v in enumerate(x)])
        columns.append([moved[index] for index in graph.outputs])
    still = complex_values(graph, [complex(v) for v in x])
    y = np.array([still[index].real for index in graph.outputs])
    return y, np.imag(np.array(columns, dtype=complex)).reshape(len(x), len(y)).T / STEP


def toy(functions: dict[str, Any]) -> None:
    random = np.random.default_rng(1)
    points = [random.uniform(-3, 3, 4) * random.choice([0, 1, 1, 1], 4) for _ in range(60)]

    def program(x1: complex, x2: complex, moved: int | None = None) -> list[complex]:
        v: list[complex] = []
        for place, value in enumerate((lambda: x1, lambda: x2, lambda: v[0] * v[1], lambda: cmath.sin(v[0]))):
            v.append(value() + (1j * STEP if moved == place else 0))
        v.append(v[2] + v[3] + (1j * STEP if moved == 4 else 0))
        return v

    for x1, x2, dx1, dx2 in (tuple(map(float, point)) for point in points):
        v = program(x1 + 1j * STEP * dx1, x2 + 1j * STEP * dx2)
        pairs = [(value.real, value.imag / STEP) for value in v]
        near(functions["toy_forward"](x1, x2, dx1, dx2), pairs, f"pairs at {x1, x2, dx1, dx2}", rtol=1e-13, atol=1e-14)
        adjoints = [program(x1, x2, place)[4].imag / STEP for place in range(5)]
        near(functions["toy_reverse"](x1, x2), adjoints, f"adjoints at {x1, x2}", rtol=1e-13, atol=1e-14)


def partials(functions: dict[str, Any]) -> None:
    function = functions["local_partials"]
    random = np.random.default_rng(2)
    for op in OPS:
        for _ in range(20):
            few = int(random.integers(2, 6)) if op == "add" else 2 if op in ("sub", "mul", "div") else 1
            args = [float(arg) for arg in random.uniform(0.2, 3, few) * random.choice([-1, 1], few)]
            if op in ("log", "sqrt"):
                args = [abs(args[0])]
            if op in ("mul", "div") and random.random() < 0.3:
                args[0] = 0.0
            expected = [
                complex(OPS[op](*(complex(a, STEP if p == place else 0) for p, a in enumerate(args)))).imag / STEP
                for place in range(few)
            ]
            for one, other in zip(function(op, args), expected, strict=True):
                near(one, other, f"partials of {op} at {args}", rtol=1e-13)
    for leaf in ("input", "const"):
        require(len(function(leaf, [])) == 0, f"{leaf} has partials")
    for op in ("cosh", "", "Add", "inputs", "something else", "nothing of the kind"):
        refuses(function, op, [0.5], what=f"op {op!r}")


def deep() -> list[tuple[Graph, list[float], float, float]]:
    """Graphs on which a bad way does not finish, a derivative of each, and its size: (graph, x, y, dy/dx)."""
    chain = Graph([Node("input"), *(Node("neg", (i,)) for i in range(20_000))], (0,), (20_000,))
    nodes = [Node("input"), Node("const", (), 0.5), Node("const", (), 0.75)]
    for _ in range(60):
        last = len(nodes) - 1 if len(nodes) > 3 else 0
        nodes += [Node("mul", (1, last)), Node("mul", (last, 2))]
        nodes.append(Node("add", (len(nodes) - 2, len(nodes) - 1)))
    return [(chain, [1.5], 1.5, 1.0), (Graph(nodes, (0,), (len(nodes) - 1,)), [2.0], 2 * 1.25**60, 1.25**60)]


def sweep(name: str, functions: dict[str, Any]) -> None:
    random = np.random.default_rng(3)
    for number in range(400):
        graph, x = random_graph(random)
        y, J = jacobian(graph, x)
        if not np.all(np.isfinite(J)) or np.abs(J).max(initial=0) > 1e6:
            continue
        given = random.standard_normal(J.shape[1] if name == "forward_mode" else J.shape[0])
        found, derivative = functions[name](graph, x if number % 2 else np.array(x), given)
        expected = J @ given if name == "forward_mode" else J.T @ given
        large = 1e-10 * (1 + np.abs(J).max(initial=0))  # of what cancels
        near(found, y, f"y of {graph} at {x}", rtol=1e-12, atol=1e-10)
        near(derivative, expected, f"derivative of {graph} at {x}", rtol=1e-12, atol=large)
    for graph, x, y, slope in deep():
        found, derivative = functions[name](graph, x, [2.0])
        near(found, [y], "y of a deep graph", rtol=1e-9)
        near(derivative, [2 * slope], "derivative of a deep graph", rtol=1e-9)


def costs(functions: dict[str, Any]) -> None:
    random = np.random.default_rng(4)
    for number in range(300):
        graph, _ = random_graph(random)
        if number % 3 == 0:  # many ties and graphs without edges
            graph = Graph(graph.nodes, graph.inputs, (graph.outputs * len(graph.nodes))[: len(graph.inputs)])
        edges = 0
        for node in graph.nodes:
            edges += len([arg for arg in node.args if graph.nodes[arg].op != "const"])
        costs = {"forward": len(graph.inputs) * edges, "reverse": len(graph.outputs) * edges}
        for mode, cost in costs.items():
            found = functions["mode_cost"](graph, mode)
            require(found == cost and not isinstance(found, bool), f"the {mode} cost of {graph}")
        least = [mode for mode, cost in costs.items() if cost == min(costs.values())]
        expected = least[0] if len(least) == 1 else "either"
        require(functions["choose_mode"](graph) == expected, f"the mode for {graph}")
    for mode in ("", "sideways", "either", "FORWARD", "rev", "something else", None):
        refuses(functions["mode_cost"], toy_graph(), mode, what=f"mode {mode!r}")


def closed_forms(functions: dict[str, Any]) -> None:
    random = np.random.default_rng(5)
    for m, n in ((1, 1), (1, 3), (3, 1), (2, 4), (4, 2), (3, 3), (5, 5)):
        A, B = random.standard_normal((m, n)), random.standard_normal((n, m))
        X = random.standard_normal((n, n)) + 3 * np.eye(n)
        expected = numeric.complex_step_gradient(lambda X, A=A, B=B: np.trace(A @ numeric.solve(X, B)), X)
        near(functions["trace_inverse_gradient"](A, B, X), expected, f"the gradient, {m, n}", rtol=1e-11)
    for n in (1, 2, 3, 6):
        for scale in (0.0, 1e-20, 1e-9, 1.0, 1e6):
            x = scale * random.standard_normal(n)
            size = np.longdouble(np.linalg.norm(x)) or np.longdouble(1)

            def slope(z: np.ndarray, size: Any = size) -> np.ndarray:
                return np.sqrt(np.sum((z / size) ** 2)) * z

            rows = [numeric.complex_step_gradient(lambda z, i=i, f=slope: f(z)[i], x / size) for i in range(n)]
            expected = float(size) * np.array(rows) if scale else np.zeros((n, n))
            # of the scaled vector, whose slope is scaled by size^2: g is homogeneous of degree three
            expected = expected * float(size) if scale else expected
            near(functions["cubic_norm_hessian"](x), expected, f"the Hessian at {x}", rtol=1e-11)


Edges = set[tuple[int, int]]


def edges_of(graph: Graph) -> Edges:
    """The linearised graph: constants left out, an output that feeds others with a sink of its own."""
    linear = [index for index, node in enumerate(graph.nodes) if node.op != "const"]
    edges = {(arg, index) for index in linear for arg in graph.nodes[index].args if graph.nodes[arg].op != "const"}
    feeds = {arg for arg, _ in edges}
    return edges | {(output, -1 - output) for output in graph.outputs if output in feeds}


def without(edges: Edges, vertex: int) -> tuple[int, Edges]:
    """What it costs to eliminate a vertex, and the edges after it."""
    before, after = {a for a, b in edges if b == vertex}, {b for a, b in edges if a == vertex}
    left = {(a, b) for a, b in edges if vertex not in (a, b)}
    return len(before) * len(after), left | set(itertools.product(before, after))


def cost_of(graph: Graph, order: Sequence[int]) -> int:
    """Multiplications of an order of elimination; it must name each inner vertex once."""
    edges = edges_of(graph)
    feeds, outputs = {arg for arg, _ in edges}, set(graph.outputs)
    inner = [
        i for i, n in enumerate(graph.nodes) if n.op not in ("const", "input") and (i in feeds or i not in outputs)
    ]
    require(sorted(order) == inner, f"{order} is no order of {inner}")
    total = 0
    for vertex in order:
        cost, edges = without(edges, vertex)
        total += cost
    return total


def greedy(graph: Graph, inner: Sequence[int]) -> list[int]:
    """The Markowitz order: always the vertex that costs least now, the first of several."""
    edges, left, order = edges_of(graph), list(inner), list[int]()
    while left:
        before, after = Counter(b for _, b in edges), Counter(a for a, _ in edges)
        order.append(min(left, key=lambda vertex: before[vertex] * after[vertex]))
        left.remove(order[-1])
        _, edges = without(edges, order[-1])
    return order


def elimination(functions: dict[str, Any]) -> None:
    from adkit.elimination import linearise

    random = np.random.default_rng(6)
    for kind in [*[0] * 60, *[1] * 20, *[2] * 200]:
        graph = two_each(random) if kind == 2 else products(random, least=12 * kind + 1)
        inner = list(linearise(graph).intermediates)  # which vertices there are, is the course's convention
        rivals = [cost_of(graph, rival) for rival in (inner, inner[::-1], greedy(graph, inner))]
        if kind == 2 and rivals[2] >= min(rivals[:2]):
            continue  # forward or reverse order is as good: many an order is
        order = [int(vertex) for vertex in functions["elimination_order"](graph)]
        require(cost_of(graph, order) <= min(rivals), f"{graph}: {order} costs more than {min(rivals)}")


def two_each(random: Generator) -> Graph:
    """A graph of 12 to 16 products of two of the last few nodes: the greedy order often is the best of three there."""
    n, inner, reach = 3, int(random.integers(12, 17)), int(random.integers(3, 8))
    nodes = [Node("input")] * n
    for _ in range(inner):
        args = random.choice(np.arange(max(0, len(nodes) - reach), len(nodes)), 2, replace=False)
        nodes.append(Node("mul", tuple(int(arg) for arg in args)))
    used = {arg for node in nodes for arg in node.args}
    ends = [index for index in range(n, len(nodes)) if index not in used]
    return Graph(nodes, range(n), {*ends, *(int(index) for index in random.integers(n, n + inner, 2))})


def products(random: Generator, least: int) -> Graph:
    """A graph of products of up to 18 inner vertices, with constants, and outputs that feed others now and then."""
    n, inner = int(random.integers(1, 5)), int(random.integers(least, least + 6 if least > 1 else 16))
    nodes = [Node("input")] * n + [Node("const", (), 2.0)] * int(random.integers(0, 2))
    for _ in range(inner):
        reach = int(random.integers(2, 8))
        few = int(random.integers(1, 3))
        args = tuple(int(a) for a in random.integers(max(0, len(nodes) - reach), len(nodes), few))
        nodes.append(Node("sin" if few == 1 else "mul", args))
    used = {arg for node in nodes for arg in node.args}
    outputs = [index for index in range(n, len(nodes)) if index not in used]
    outputs += [int(index) for index in random.integers(0, len(nodes), int(random.integers(0, 3)))]
    return Graph(nodes, range(n), outputs)


# ---------------------------------------- a test of one's own: implementations of reverse mode, right and wrong


Partials = Callable[[str, list[float]], list[float]]
"""The partial derivatives of an operation."""


def slopes(op: str, args: list[float]) -> list[float]:
    """The right ones, by the complex step."""
    moved = [[complex(a, STEP if p == place else 0) for p, a in enumerate(args)] for place in range(len(args))]
    return [complex(OPS[op](*point)).imag / STEP for point in moved]


def swept(
    graph: Graph,
    x: Any,
    y_bar: Any,
    *,
    partials: Partials = slopes,
    arguments: Callable[[Node], Sequence[int]] = lambda node: range(len(node.args)),
    seeded: Callable[[int, int], bool] = lambda place, users: True,
    inner: str = "added",
    overwrites: bool = False,
) -> tuple[list[float], list[float]]:
    """(y, x_bar) edge by edge, with what can be wrong in it.

    arguments: the places of a node's arguments that get anything. seeded: whether the output at a place, whose node has
    so many users, gets its cotangent. inner: what becomes of the adjoint of an output that feeds others: its cotangent
    is added, is all of it ("alone"), or nothing is handed on below it ("ends").
    """
    v = [value.real for value in complex_values(graph, [complex(entry) for entry in x])]
    users = Counter(arg for node in graph.nodes for arg in node.args)
    seeds = [0.0] * len(v)
    for place, (output, bar) in enumerate(zip(graph.outputs, y_bar, strict=True)):
        seeds[output] += float(bar) if seeded(place, users[output]) else 0.0
    bars = list(seeds)
    for index in reversed(range(len(v))):
        node = graph.nodes[index]
        if index in graph.outputs and users[index] and inner != "added":
            bars[index] = seeds[index]
            if inner == "ends":
                continue
        if not node.args:
            continue
        found = partials(node.op, [v[arg] for arg in node.args])
        for place in arguments(node):
            arg = node.args[place]
            bars[arg] = bars[index] * found[place] + (0.0 if overwrites else bars[arg])
    return [v[output] for output in graph.outputs], [bars[entry] for entry in graph.inputs]


def _factor(wrong: str, factor: float) -> Partials:
    return lambda op, args: [factor * d for d in slopes(op, args)] if op == wrong else slopes(op, args)


def _once(ops: Sequence[str]) -> Callable[[Node], Sequence[int]]:
    """The first place only of an argument that a node of these ops has twice."""
    return lambda node: [
        place for place, arg in enumerate(node.args) if node.op not in ops or node.args.index(arg) == place
    ]


def _unused(graph: Graph) -> set[int]:
    used = {*graph.outputs, *(arg for node in graph.nodes for arg in node.args)}
    return set(graph.inputs) - used


def _raises(when: Callable[[Graph], Any]) -> Callable[..., Any]:
    def implementation(graph: Graph, x: Any, y_bar: Any) -> Any:
        if when(graph):
            raise KeyError("an implementation's own")
        return swept(graph, x, y_bar)

    return implementation


def right_ones() -> dict[str, Callable[..., Any]]:
    """Right implementations, which differ in what they return."""

    def columns(graph: Graph, x: Any, y_bar: Any) -> Any:
        y, J = jacobian(graph, [float(entry) for entry in x])
        return y, J.T @ y_bar

    def plain(numbers: Any) -> list[Any]:
        return [int(number) if number == int(number) else float(number) for number in numbers]

    return {
        "lists": swept,
        "arrays, by columns": columns,
        "a list of tuples": lambda *asked: [tuple(part) for part in swept(*asked)],
        "whole numbers": lambda *asked: tuple(plain(part) for part in swept(*asked)),
        "NumPy scalars": lambda *asked: tuple([np.float64(number) for number in part] for part in columns(*asked)),
    }


def wrong_ones() -> dict[str, Callable[..., Any]]:
    """Wrong implementations: something of each kind that the question names."""

    def with_bars(change: Callable[[Any], Any]) -> Callable[..., Any]:
        return lambda graph, x, y_bar: swept(graph, x, change(np.asarray(y_bar, float)))

    def with_entries(change: Callable[[Graph, list[float]], list[float]]) -> Callable[..., Any]:
        def implementation(graph: Graph, x: Any, y_bar: Any) -> Any:
            y, x_bar = swept(graph, x, y_bar)
            return y, change(graph, x_bar)

        return implementation

    def answer(change: Callable[[list[float], list[float]], Any]) -> Callable[..., Any]:
        return lambda *asked: change(*swept(*asked))

    def option(**options: Any) -> Callable[..., Any]:
        return lambda *asked: swept(*asked, **options)

    def listed_once(last: bool) -> Callable[..., Any]:
        def implementation(graph: Graph, x: Any, y_bar: Any) -> Any:
            outputs = list(graph.outputs)
            ends = {output: place for place, output in enumerate(outputs)}
            alone = [
                place
                for place, output in enumerate(outputs)
                if (ends[output] if last else outputs.index(output)) == place
            ]
            return swept(graph, x, y_bar, seeded=lambda place, _: place in alone)

        return implementation

    found = {f"{op} times {factor}": option(partials=_factor(op, factor)) for op in OPS for factor in (-1, 2, 0)}
    # Nodes that are added to themselves, and cotangents that lose their sign, are no kinds that the question names.
    found |= {f"{op} once": option(arguments=_once((op,))) for op in ("mul", "sub", "div")}
    return found | {
        "no cotangents": with_bars(np.ones_like),
        "their sum": with_bars(lambda bars: np.full_like(bars, bars.sum())),
        "in another order": with_bars(lambda bars: bars[::-1]),
        "the first": with_bars(lambda bars: bars * (np.arange(len(bars)) == 0)),
        "the last": with_bars(lambda bars: bars * (np.arange(len(bars)) == len(bars) - 1)),
        "overwritten": option(overwrites=True),
        "two terms of a sum": option(arguments=lambda node: range(min(2, len(node.args)))),
        "inputs in the order of nodes": with_entries(
            lambda graph, bars: [bar for _, bar in sorted(zip(graph.inputs, bars, strict=True))]
        ),
        "unused inputs left out": with_entries(
            lambda graph, bars: [
                bar for index, bar in zip(graph.inputs, bars, strict=True) if index not in _unused(graph)
            ]
        ),
        "constants too": with_entries(
            lambda graph, bars: [*bars, *[0.0 for node in graph.nodes if node.op == "const"]]
        ),
        "listed twice, the first": listed_once(last=False),
        "listed twice, the last": listed_once(last=True),
        "raises for unused inputs": _raises(_unused),
        "raises always": _raises(lambda graph: True),
        "an inner seed lost": option(seeded=lambda place, users: not users),
        "an inner seed alone": option(inner="alone"),
        "ends at outputs": option(inner="ends"),
        "no values": answer(lambda y, bars: ([0.0] * len(y), bars)),
        "values in another order": answer(lambda y, bars: (y[::-1], bars)),
        "parts swapped": answer(lambda y, bars: (bars, y)),
        "no answer": answer(lambda y, bars: None),
        "one part": answer(lambda y, bars: (bars,)),
        "three parts": answer(lambda y, bars: (y, bars, bars)),
        "an entry too many": answer(lambda y, bars: (y, [*bars, 0.0])),
        "values too many": answer(lambda y, bars: ([*y, 0.0], bars)),
        "a column": answer(lambda y, bars: (y, [[bar] for bar in bars])),
        "not a number": answer(lambda y, bars: (y, [float("nan")] * len(bars))),
    }


def judged(functions: dict[str, Any]) -> None:
    is_right = functions["is_right"]
    for right, implementations in ((True, right_ones()), (False, wrong_ones())):
        for name, function in implementations.items():

            def given(graph: Any, x: Any, y_bar: Any, function: Any = function) -> Any:
                return returned(answered(function, question(graph, x, y_bar)))

            require(is_right(given) is right, f"is_right does not say {right} to: {name}")


def _forward(functions: dict[str, Any]) -> None:
    sweep("forward_mode", functions)


def _reverse(functions: dict[str, Any]) -> None:
    sweep("reverse_mode", functions)


ORACLES = {
    "q1": Oracle("complex step of the five statements", toy),
    "q2": Oracle("complex step of every operation", partials),
    "q3": Oracle("complex step of 400 random graphs", _forward),
    "q4": Oracle("complex step of 400 random graphs", _reverse),
    "q5": Oracle("edges counted one by one", costs),
    "q6": Oracle("complex step in long floats", closed_forms),
    "q7": Oracle("costs on sets of edges", elimination),
    "q8": Oracle("implementations, right and wrong, by the complex step", judged),
}
