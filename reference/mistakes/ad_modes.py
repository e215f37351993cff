"""Known mistakes of `ad_modes`: what the grader recognises in an answer, and says.

The functions without a decorator are what several mistakes share: a right evaluation and right partials.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from adkit.elimination import eliminate, elimination_cost, linearise
from adkit.graph import Graph
from numpy.typing import NDArray

from reference.mistakes import mistake

Array = NDArray[np.float64]
Pairs = list[tuple[float, float]]
Sweep = tuple[list[float], list[float]]


def evaluated(graph: Graph, x: Sequence[float]) -> list[float]:
    """The value of every node."""
    v: list[float] = [0.0] * len(graph.nodes)
    for index, value in zip(graph.inputs, x, strict=True):
        v[index] = float(value)
    for i, node in enumerate(graph.nodes):
        a = [v[j] for j in node.args]
        if node.value is not None:
            v[i] = node.value
        elif node.op == "add":
            v[i] = sum(a)
        elif node.op == "sub":
            v[i] = a[0] - a[1]
        elif node.op == "mul":
            v[i] = a[0] * a[1]
        elif node.op == "div":
            v[i] = a[0] / a[1]
        elif node.op == "neg":
            v[i] = -a[0]
        elif node.op != "input":
            v[i] = getattr(math, node.op)(a[0])
    return v


def right_partials(op: str, args: Sequence[float]) -> tuple[float, ...]:
    """The right partial derivatives of each op."""
    if op in ("input", "const"):
        return ()
    if op == "add":
        return (1.0,) * len(args)
    if op == "sub":
        return (1.0, -1.0)
    if op == "mul":
        return (args[1], args[0])
    if op == "div":
        return (1 / args[1], -args[0] / args[1] ** 2)
    a = args[0]
    unary: dict[str, Callable[[], float]] = {
        "neg": lambda: -1.0,
        "sin": lambda: math.cos(a),
        "cos": lambda: -math.sin(a),
        "exp": lambda: math.exp(a),
        "log": lambda: 1 / a,
        "sqrt": lambda: 0.5 / math.sqrt(a),
        "tanh": lambda: 1 - math.tanh(a) ** 2,
    }
    if op not in unary:
        raise ValueError(f"unknown op {op!r}")
    return (unary[op](),)


def partials_of(graph: Graph, v: list[float], i: int) -> list[tuple[int, float]]:
    """(argument, partial) for each argument of node i."""
    node = graph.nodes[i]
    return list(zip(node.args, right_partials(node.op, [v[j] for j in node.args]), strict=True))


# ---------------------------------------- q1: the toy example


@mistake(
    question="q1",
    says="Values stand where tangents were asked: each pair is (value, tangent), and the tangents begin with "
    "dx1 and dx2.",
)
def toy_forward__values_for_tangents(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    values = (x1, x2, x1 * x2, math.sin(x1), x1 * x2 + math.sin(x1))
    return [(value, value) for value in values]


@mistake(
    question="q1",
    says="The tangent of v4 = sin v1 lacks the inner derivative: by the chain rule it is cos(v1) times the "
    "tangent of v1.",
)
def toy_forward__inner_derivative_missing(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = dx1 * x2 + x1 * dx2, math.cos(x1)
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="The tangent of v3 = v1 v2 has one term only: the product rule has two, v1_dot v2 + v1 v2_dot.",
)
def toy_forward__half_a_product_rule(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = dx1 * x2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="The tangent of v3 is the product of the tangents: the product rule is v1_dot v2 + v1 v2_dot.",
)
def toy_forward__product_of_tangents(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = dx1 * dx2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="The direction (dx1, dx2) is ignored: the tangents of v1 and v2 are dx1 and dx2, whatever they are.",
)
def toy_forward__direction_ignored(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = x2, math.cos(x1)
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, 1.0), (x2, 0.0), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="The direction was scaled to the length 1: the tangents of v1 and v2 are dx1 and dx2 as they are given.",
)
def toy_forward__direction_normalised(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    length = math.hypot(dx1, dx2) or 1.0
    dx1, dx2 = dx1 / length, dx2 / length
    v3_dot, v4_dot = dx1 * x2 + x1 * dx2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(question="q1", says="The two parts of each pair are swapped: the value comes first, then the tangent.")
def toy_forward__pairs_swapped(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = dx1 * x2 + x1 * dx2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(dx1, x1), (dx2, x2), (v3_dot, v3), (v4_dot, v4), (v3_dot + v4_dot, v3 + v4)]


@mistake(
    question="q1",
    says="The tangent of v3 = v1 v2 pairs each factor with its own tangent: the product rule is v1_dot v2 + v1 v2_dot.",
)
def toy_forward__product_rule_uncrossed(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = x1 * dx1 + x2 * dx2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="Of the product rule only v1 v2_dot is there: the tangent of v3 is v1_dot v2 + v1 v2_dot.",
)
def toy_forward__other_half_a_product_rule(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = x1 * dx2, math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(question="q1", says="The tangent of v4 = sin v1 has the wrong sign: the derivative of sin is cos.")
def toy_forward__sine_derivative_sign(x1: float, x2: float, dx1: float, dx2: float) -> Pairs:
    v3_dot, v4_dot = dx1 * x2 + x1 * dx2, -math.cos(x1) * dx1
    v3, v4 = x1 * x2, math.sin(x1)
    return [(x1, dx1), (x2, dx2), (v3, v3_dot), (v4, v4_dot), (v3 + v4, v3_dot + v4_dot)]


@mistake(
    question="q1",
    says="Values were returned where adjoints were asked: v5_bar is 1, and the others follow from it backwards.",
)
def toy_reverse__values_for_adjoints(x1: float, x2: float) -> list[float]:
    return [x1, x2, x1 * x2, math.sin(x1), x1 * x2 + math.sin(x1)]


@mistake(
    question="q1",
    says="v1_bar holds sin v1, and not the derivative of sin, which is cos v1.",
)
def toy_reverse__sine_for_its_derivative(x1: float, x2: float) -> list[float]:
    return [x2 + math.sin(x1), x1, 1.0, 1.0, 1.0]


@mistake(question="q1", says="The derivative of sin is cos, with a plus sign: v1_bar is v3_bar v2 + v4_bar cos v1.")
def toy_reverse__sine_derivative_sign(x1: float, x2: float) -> list[float]:
    return [x2 - math.cos(x1), x1, 1.0, 1.0, 1.0]


@mistake(
    question="q1",
    says="What v1 gets back from v3 and from v4 was multiplied: the contributions of the nodes that use it are added.",
)
def toy_reverse__branches_multiplied(x1: float, x2: float) -> list[float]:
    return [x2 * math.cos(x1), x1, 1.0, 1.0, 1.0]


@mistake(
    question="q1",
    says="v1 feeds two nodes, v3 and v4, and its adjoint was overwritten: the contributions of both are added.",
    openly="v1 feeds two nodes, and the adjoint from one of them was overwritten.",
)
def toy_reverse__adjoint_overwritten(x1: float, x2: float) -> list[float]:
    return [x2, x1, 1.0, 1.0, 1.0]


@mistake(
    question="q1",
    says="v1 feeds two nodes, v3 and v4: its adjoint lacks what comes back through the product v3.",
)
def toy_reverse__product_branch_missing(x1: float, x2: float) -> list[float]:
    return [math.cos(x1), x1, 1.0, 1.0, 1.0]


@mistake(
    question="q1",
    says="The partials of v3 = v1 v2 are swapped: the one with respect to v1 is v2, and the other way round.",
)
def toy_reverse__product_partials_swapped(x1: float, x2: float) -> list[float]:
    return [x1 + math.cos(x1), x2, 1.0, 1.0, 1.0]


@mistake(question="q1", says="The adjoints are in the wrong order: v1_bar comes first and v5_bar, which is 1, last.")
def toy_reverse__last_first(x1: float, x2: float) -> list[float]:
    return [1.0, 1.0, 1.0, x1, x2 + math.cos(x1)]


# ---------------------------------------- q2: local partials


@mistake(question="q2", says="The partials of a product are swapped: d(a b)/da is b, and d(a b)/db is a.")
def local_partials__product_swapped(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (args[0], args[1]) if op == "mul" else right_partials(op, args)


@mistake(
    question="q2",
    says="The product was divided by one of its factors, which may be 0: d(a b)/da is b, whatever a is.",
)
def local_partials__product_divided_by_a_factor(op: str, args: Sequence[float]) -> tuple[float, ...]:
    if op != "mul":
        return right_partials(op, args)
    product = args[0] * args[1]
    return tuple(product / arg if arg else 0.0 for arg in args)


@mistake(question="q2", says="The partials of a quotient lack a minus sign: d(a/b)/db is -a / b^2.")
def local_partials__quotient_sign(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 / args[1], args[0] / args[1] ** 2) if op == "div" else right_partials(op, args)


@mistake(question="q2", says="In the partials of a quotient the square is missing: d(a/b)/db is -a / b^2.")
def local_partials__quotient_square_missing(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 / args[1], -args[0] / args[1]) if op == "div" else right_partials(op, args)


@mistake(question="q2", says="The derivative of cos lacks its minus sign: it is -sin.")
def local_partials__cosine_sign(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (math.sin(args[0]),) if op == "cos" else right_partials(op, args)


@mistake(question="q2", says="The derivative of sqrt lacks the factor 1/2: it is 1 / (2 sqrt(a)).")
def local_partials__root_half_missing(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 / math.sqrt(args[0]),) if op == "sqrt" else right_partials(op, args)


@mistake(question="q2", says="In the derivative of tanh the square is missing: it is 1 - tanh(a)^2.")
def local_partials__tanh_square_missing(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 - math.tanh(args[0]),) if op == "tanh" else right_partials(op, args)


@mistake(
    question="q2",
    says="The argument of tanh was taken for its value: with args = [a] the derivative is 1 - tanh(a)^2, not 1 - a^2.",
)
def local_partials__tanh_argument_for_value(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 - args[0] ** 2,) if op == "tanh" else right_partials(op, args)


@mistake(
    question="q2",
    says="The value of the function was returned where its derivative was asked (log: 1/a, not log a).",
)
def local_partials__value_for_derivative(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (math.log(args[0]),) if op == "log" else right_partials(op, args)


@mistake(
    question="q2",
    says="Both partials of a difference are 1: the one with respect to what is subtracted is -1.",
    openly="Both partials of a difference are the same here.",
)
def local_partials__difference_sign(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1.0, 1.0) if op == "sub" else right_partials(op, args)


@mistake(
    question="q2",
    says="An unknown op gives (): it must raise ValueError, or a typing error goes unnoticed.",
    openly=True,
)
def local_partials__unknown_op_ignored(op: str, args: Sequence[float]) -> tuple[float, ...]:
    try:
        return right_partials(op, args)
    except ValueError:
        return ()


@mistake(
    question="q2",
    says="const and input have no arguments, so they have no partials either: return ().",
    openly="const and input got a partial, but they have no arguments.",
)
def local_partials__leaves_have_one(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (0.0,) if op in ("const", "input") else right_partials(op, args)


@mistake(
    question="q2",
    says="A bare number was returned: the answer is a tuple, also for one argument, (d,) with a comma: (d) is just d.",
    openly=True,
)
def local_partials__bare_number(op: str, args: Sequence[float]) -> tuple[float, ...] | float:
    partials = right_partials(op, args)
    return partials[0] if len(partials) == 1 else partials


@mistake(
    question="q2",
    says="add got two partials whatever the number of its arguments: it takes two or more, and has a 1 for each.",
    openly="add got two partials whatever the number of its arguments: it takes two or more.",
)
def local_partials__sum_of_two_only(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1.0, 1.0) if op == "add" else right_partials(op, args)


@mistake(
    question="q2", says="The partials of a quotient are swapped: first d(a/b)/da = 1/b, then d(a/b)/db = -a / b^2."
)
def local_partials__quotient_swapped(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return right_partials(op, args)[::-1] if op == "div" else right_partials(op, args)


@mistake(question="q2", says="The numerator is missing in a quotient's second partial: d(a/b)/db is -a / b^2.")
def local_partials__quotient_numerator_missing(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 / args[1], -1 / args[1] ** 2) if op == "div" else right_partials(op, args)


@mistake(question="q2", says="The derivative of sqrt is 1 / (2 sqrt(a)): the root stands in the denominator.")
def local_partials__root_not_inverted(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (0.5 * math.sqrt(args[0]),) if op == "sqrt" else right_partials(op, args)


@mistake(question="q2", says="The derivative of sin has the wrong sign: it is cos.")
def local_partials__sine_sign(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (-math.cos(args[0]),) if op == "sin" else right_partials(op, args)


@mistake(question="q2", says="The derivative of tanh has a plus sign: it is 1 - tanh(a)^2.")
def local_partials__tanh_sign(op: str, args: Sequence[float]) -> tuple[float, ...]:
    return (1 + math.tanh(args[0]) ** 2,) if op == "tanh" else right_partials(op, args)


# ---------------------------------------- q3: forward mode


def tangents(graph: Graph, v: list[float], seeds: dict[int, float], constant: float = 0.0) -> list[float]:
    """A right forward sweep from the given tangents of the inputs."""
    v_dot: list[float] = []
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            v_dot.append(constant)
        elif node.op == "input":
            v_dot.append(seeds.get(i, 0.0))
        else:
            v_dot.append(sum(d * v_dot[j] for j, d in partials_of(graph, v, i)))
    return v_dot


@mistake(
    question="q3",
    says="x_dot is ignored: every input was given the tangent 1 (the sum of all partial derivatives).",
    openly=True,
)
def forward_mode__direction_ignored(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict.fromkeys(graph.inputs, 1.0))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="x_dot was scaled to the length 1: y_dot is J x_dot with x_dot as it is given, twice as long for twice x_dot.",
    openly=True,
)
def forward_mode__direction_normalised(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    length = math.hypot(*x_dot) or 1.0
    v_dot = tangents(graph, v, {i: float(tangent) / length for i, tangent in zip(graph.inputs, x_dot, strict=True)})
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="A constant has a tangent of 1: it does not depend on the inputs, so its tangent is 0.",
    openly="A constant has a tangent of 1, as if it depended on the inputs.",
)
def forward_mode__constants_move(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)), constant=1.0)
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(question="q3", says="Values were returned where tangents were asked: the answer is (y, y_dot).", openly=True)
def forward_mode__values_for_tangents(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    return [v[i] for i in graph.outputs], [v[i] for i in graph.outputs]


@mistake(question="q3", says="The two parts of the answer are swapped: first the values y, then y_dot.", openly=True)
def forward_mode__parts_swapped(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)))
    return [v_dot[i] for i in graph.outputs], [v[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="A repeated argument counts once: mul(x, x) depends on x twice, and both terms are added.",
)
def forward_mode__repeated_argument_once(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot: list[float] = [0.0] * len(graph.nodes)
    for index, tangent in zip(graph.inputs, x_dot, strict=True):
        v_dot[index] = float(tangent)
    for i, node in enumerate(graph.nodes):
        if node.args:
            v_dot[i] = sum(d * v_dot[j] for j, d in dict(partials_of(graph, v, i)).items())
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="The outputs are in the order of the nodes: they belong in the order of graph.outputs, each as often "
    "as it is listed there.",
    openly=True,
)
def forward_mode__outputs_in_node_order(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)))
    outputs = sorted(set(graph.outputs))
    return [v[i] for i in outputs], [v_dot[i] for i in outputs]


@mistake(
    question="q3",
    says="x was handed out in the order of the nodes: x[k] belongs to the node graph.inputs[k], wherever it stands.",
    openly=True,
)
def forward_mode__inputs_in_node_order(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    sorted_graph = Graph(graph.nodes, tuple(sorted(graph.inputs)), graph.outputs)
    v = evaluated(sorted_graph, x)
    v_dot = tangents(sorted_graph, v, dict(zip(sorted_graph.inputs, map(float, x_dot), strict=True)))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="The sweep calls itself once a node: a graph can be deeper than Python's stack, so go through the "
    "nodes in their order with a loop.",
)
def forward_mode__recursive(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    known: dict[int, float] = dict(zip(graph.inputs, map(float, x_dot), strict=True))

    def tangent(i: int) -> float:
        if i not in known:
            known[i] = sum(d * tangent(j) for j, d in partials_of(graph, v, i))
        return known[i]

    return [v[i] for i in graph.outputs], [tangent(i) for i in graph.outputs]


@mistake(
    question="q3",
    says="add was taken for a sum of two: it takes two or more arguments, and each of them counts.",
)
def forward_mode__sum_of_two_only(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot: list[float] = [0.0] * len(graph.nodes)
    for index, tangent in zip(graph.inputs, x_dot, strict=True):
        v_dot[index] = float(tangent)
    for i, node in enumerate(graph.nodes):
        if node.args:
            v_dot[i] = sum(d * v_dot[j] for j, d in partials_of(graph, v, i)[:2])
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="A node with the same argument twice was taken for a square or a double: sub(x, x) and div(x, x) do not "
    "change with x, so go through the arguments one by one whatever the op.",
)
def forward_mode__repeated_argument_doubled(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot: list[float] = [0.0] * len(graph.nodes)
    for index, tangent in zip(graph.inputs, x_dot, strict=True):
        v_dot[index] = float(tangent)
    for i, node in enumerate(graph.nodes):
        if len(node.args) == 2 and node.args[0] == node.args[1]:
            v_dot[i] = 2 * partials_of(graph, v, i)[0][1] * v_dot[node.args[0]]
        elif node.args:
            v_dot[i] = sum(d * v_dot[j] for j, d in partials_of(graph, v, i))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@mistake(
    question="q3",
    says="The answer has a pair for each output: return two lists, all values y and all tangents y_dot.",
    openly=True,
)
def forward_mode__pair_for_each_output(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Pairs:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)))
    return [(v[i], v_dot[i]) for i in graph.outputs]


@mistake(
    question="q3",
    says="The answer is about every node: return the values and tangents of graph.outputs only, in their order.",
)
def forward_mode__every_node(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    return v, tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)))


@mistake(
    question="q3",
    says="An output that is listed twice is in the answer once: there is one entry for each entry of graph.outputs.",
    openly=True,
)
def forward_mode__repeated_output_once(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_dot = tangents(graph, v, dict(zip(graph.inputs, map(float, x_dot), strict=True)))
    outputs = list(dict.fromkeys(graph.outputs))
    return [v[i] for i in outputs], [v_dot[i] for i in outputs]


# ---------------------------------------- q4: reverse mode


@mistake(
    question="q4",
    says="Adjoints are overwritten: a node that several nodes use gets the sum of what they hand back (+=, not =).",
    openly="The adjoint of a node that several nodes use was overwritten.",
)
def reverse_mode__adjoint_overwritten(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] = v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="A repeated argument counts once: mul(x, x) hands its adjoint back to x twice.",
    openly="An argument that is repeated, as in x times x, counts once only.",
)
def reverse_mode__repeated_argument_once(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in dict(partials_of(graph, v, i)).items():
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="y_bar is ignored: every output was given the adjoint 1 (the gradient of the sum of the outputs).",
    openly=True,
)
def reverse_mode__cotangent_ignored(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index in graph.outputs:
        v_bar[index] += 1.0
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="Only the first output is differentiated: the sweep starts with the adjoints of all outputs at once.",
    openly="Only the first output is differentiated.",
)
def reverse_mode__first_output_only(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    v_bar[graph.outputs[0]] = float(y_bar[0])
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="An output that is listed twice kept one of its two cotangents only: they are added.",
)
def reverse_mode__repeated_output_once(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] = float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="An output that feeds other nodes lost what comes back from them: its adjoint is its own cotangent "
    "plus their contributions.",
    openly="An output that feeds other nodes lost what comes back from them.",
)
def reverse_mode__output_keeps_its_seed(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    seeds: dict[int, float] = {}
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        seeds[index] = seeds.get(index, 0.0) + float(cotangent)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for i in reversed(range(len(graph.nodes))):
        v_bar[i] = seeds.get(i, v_bar[i])
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="An output that feeds other nodes lost its own cotangent: its adjoint is its cotangent plus what "
    "comes back from the nodes that it feeds.",
    openly="An output that feeds other nodes lost its own cotangent.",
)
def reverse_mode__inner_seed_lost(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    used = {arg for node in graph.nodes for arg in node.args}
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        if index not in used:
            v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="x_bar leaves out the inputs that nothing uses: there is one entry an input, and theirs is 0.0.",
    openly="x_bar leaves out the inputs that nothing uses: there is one entry an input.",
)
def reverse_mode__unused_input_left_out(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: dict[int, float] = {}
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] = v_bar.get(index, 0.0) + float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] = v_bar.get(j, 0.0) + v_bar.get(i, 0.0) * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs if i in v_bar]


@mistake(
    question="q4",
    says="The outputs' cotangents do not get to the inputs: a node's adjoint is complete only when all nodes that "
    "use it have been visited, so begin with the last node and go backwards.",
    openly="The outputs' cotangents do not get to the inputs: look at the order in which the nodes are visited.",
)
def reverse_mode__nodes_in_forward_order(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in range(len(graph.nodes)):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="x_bar is in the order of the nodes: its entry k belongs to the node graph.inputs[k], wherever it stands.",
    openly=True,
)
def reverse_mode__inputs_in_node_order(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in sorted(graph.inputs)]


@mistake(
    question="q4",
    says="The adjoints are found by recursion: a graph can be deeper than Python's stack, so go through the "
    "nodes backwards with a loop.",
)
def reverse_mode__recursive(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    users: dict[int, list[tuple[int, float]]] = {}
    for i in range(len(graph.nodes)):
        for j, d in partials_of(graph, v, i):
            users.setdefault(j, []).append((i, d))
    seeds: dict[int, float] = {}
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        seeds[index] = seeds.get(index, 0.0) + float(cotangent)
    known: dict[int, float] = {}

    def adjoint(j: int) -> float:
        if j not in known:
            known[j] = seeds.get(j, 0.0) + sum(adjoint(i) * d for i, d in users.get(j, []))
        return known[j]

    return [v[i] for i in graph.outputs], [adjoint(i) for i in graph.inputs]


def adjoints(graph: Graph, v: list[float], y_bar: Sequence[float]) -> list[float]:
    """A right backward sweep: the adjoint of every node."""
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i):
            v_bar[j] += v_bar[i] * d
    return v_bar


@mistake(question="q4", says="The two parts of the answer are swapped: first the values y, then x_bar.", openly=True)
def reverse_mode__parts_swapped(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar = adjoints(graph, v, y_bar)
    return [v_bar[i] for i in graph.inputs], [v[i] for i in graph.outputs]


@mistake(
    question="q4",
    says="The answer holds the adjoint of every node: x_bar is those of graph.inputs only, in their order.",
)
def reverse_mode__every_node(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    return [v[i] for i in graph.outputs], adjoints(graph, v, y_bar)


@mistake(
    question="q4",
    says="x_bar has an entry for each constant, too: it holds the adjoints of graph.inputs only, in their order.",
    openly=True,
)
def reverse_mode__constants_in_x_bar(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar = adjoints(graph, v, y_bar)
    leaves = [i for i, node in enumerate(graph.nodes) if node.op == "const" or i in graph.inputs]
    return [v[i] for i in graph.outputs], [v_bar[i] for i in leaves]


@mistake(
    question="q4",
    says="add was taken for a sum of two: it takes two or more arguments, and each gets the adjoint of the sum.",
)
def reverse_mode__sum_of_two_only(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        for j, d in partials_of(graph, v, i)[:2]:
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="A node with the same argument twice was taken for a square or a double: sub(x, x) and div(x, x) hand back "
    "nothing, so go through the arguments one by one whatever the op.",
)
def reverse_mode__repeated_argument_doubled(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar: list[float] = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        handed = partials_of(graph, v, i)
        if len(handed) == 2 and handed[0][0] == handed[1][0]:
            handed = [(handed[0][0], 2 * handed[0][1])]
        for j, d in handed:
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="The cotangents were summed and given to every output: each output has its own entry of y_bar.",
    openly=True,
)
def reverse_mode__cotangents_summed(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    total = [float(sum(y_bar))] * len(graph.outputs)
    v_bar = adjoints(graph, v, total)
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="y_bar was handed out in the order of the nodes: y_bar[k] belongs to the node graph.outputs[k].",
)
def reverse_mode__cotangents_in_node_order(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    v_bar = adjoints(Graph(graph.nodes, graph.inputs, tuple(sorted(graph.outputs))), v, y_bar)
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="The cotangents went to the nodes that nothing uses: they belong to graph.outputs, which may feed others.",
    openly=True,
)
def reverse_mode__ends_for_outputs(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = evaluated(graph, x)
    used = {arg for node in graph.nodes for arg in node.args}
    ends = [i for i in range(len(graph.nodes)) if i not in used]
    seeds = [0.0] * len(graph.nodes)
    for i, cotangent in zip(ends, y_bar, strict=False):
        seeds[i] = float(cotangent)
    v_bar = adjoints(Graph(graph.nodes, graph.inputs, tuple(range(len(graph.nodes)))), v, seeds)
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@mistake(
    question="q4",
    says="This is the whole Jacobian: x_bar is one number for each input, the sum over the outputs of their cotangents "
    "times their gradients.",
    openly="This is the whole Jacobian: x_bar is one number for each input.",
)
def reverse_mode__whole_jacobian(
    graph: Graph, x: Sequence[float], y_bar: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    v = evaluated(graph, x)
    rows: list[list[float]] = []
    if len(y_bar) <= 100:
        for row in np.eye(len(y_bar)):
            v_bar = adjoints(graph, v, [float(entry) for entry in row])
            rows.append([v_bar[i] for i in graph.inputs])
    return [v[i] for i in graph.outputs], rows


# ---------------------------------------- q5: cost


def edge_count(graph: Graph) -> int:
    """The right number of edges."""
    return sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)


def sweeps(graph: Graph, mode: str) -> int:
    """The right number of sweeps."""
    if mode not in ("forward", "reverse"):
        raise ValueError(mode)
    return len(graph.inputs if mode == "forward" else graph.outputs)


@mistake(
    question="q5",
    says="Nodes were counted instead of edges: a multiplication belongs to each edge.",
    openly="This is a count of nodes.",
)
def mode_cost__nodes_counted(graph: Graph, mode: str) -> int:
    return sweeps(graph, mode) * len(graph.nodes)


@mistake(
    question="q5",
    says="Operations were counted instead of edges: a node with two arguments has two edges, each with its "
    "multiplication.",
    openly="This is a count of operations.",
)
def mode_cost__operations_counted(graph: Graph, mode: str) -> int:
    return sweeps(graph, mode) * sum(bool(node.args) for node in graph.nodes)


@mistake(question="q5", says="Arguments that are constants were counted: their tangent is 0, so they are no edges.")
def mode_cost__constants_counted(graph: Graph, mode: str) -> int:
    return sweeps(graph, mode) * sum(len(node.args) for node in graph.nodes)


@mistake(question="q5", says="A repeated argument was counted once: mul(x, x) has two edges.")
def mode_cost__repeated_edges_once(graph: Graph, mode: str) -> int:
    edges = {(arg, i) for i, node in enumerate(graph.nodes) for arg in node.args}
    return sweeps(graph, mode) * sum(graph.nodes[arg].op != "const" for arg, _ in edges)


@mistake(
    question="q5",
    says="Forward and reverse are swapped: a forward sweep gives one column of the Jacobian (one input), a "
    "reverse sweep one row (one output).",
    openly="Forward and reverse are swapped.",
)
def mode_cost__modes_swapped(graph: Graph, mode: str) -> int:
    return sweeps(graph, {"forward": "reverse", "reverse": "forward"}.get(mode, mode)) * edge_count(graph)


@mistake(
    question="q5",
    says="This is the cost of one sweep: the full Jacobian takes one for each input (forward) or output (reverse).",
    openly="This is the cost of one sweep, and not of the full Jacobian.",
)
def mode_cost__single_sweep(graph: Graph, mode: str) -> int:
    return edge_count(graph) * bool(sweeps(graph, mode))


@mistake(question="q5", says="An unknown mode is taken for reverse: it must raise ValueError.", openly=True)
def mode_cost__unknown_mode_accepted(graph: Graph, mode: str) -> int:
    return sweeps(graph, "forward" if mode == "forward" else "reverse") * edge_count(graph)


@mistake(
    question="q5",
    says="An output that is listed twice was counted once: the Jacobian has a row for each entry of graph.outputs.",
)
def mode_cost__repeated_outputs_once(graph: Graph, mode: str) -> int:
    return sweeps(Graph(graph.nodes, graph.inputs, tuple(set(graph.outputs))), mode) * edge_count(graph)


@mistake(
    question="q5",
    says="Inputs that nothing uses were left out: the full Jacobian has a column for each entry of graph.inputs.",
)
def mode_cost__used_inputs_only(graph: Graph, mode: str) -> int:
    used = {arg for node in graph.nodes for arg in node.args}
    count = sum(index in used for index in graph.inputs) if mode == "forward" else sweeps(graph, mode)
    return count * edge_count(graph)


@mistake(
    question="q5",
    says="Edges that lead to no output were left out: a dense sweep multiplies at every edge.",
)
def mode_cost__useless_edges_left_out(graph: Graph, mode: str) -> int:
    needed = set(graph.outputs)
    for index in reversed(range(len(graph.nodes))):
        if index in needed:
            needed.update(graph.nodes[index].args)
    edges = sum(graph.nodes[arg].op != "const" for index in needed for arg in graph.nodes[index].args)
    return sweeps(graph, mode) * edges


@mistake(
    question="q5",
    says='Only "forward" and "reverse" are modes, written just so: anything else, "either" and "Reverse" too, must '
    "raise ValueError.",
    openly=True,
)
def mode_cost__mode_guessed(graph: Graph, mode: str) -> int:
    guessed = {"f": "forward", "r": "reverse"}.get(mode[:1].lower(), mode)
    return sweeps(graph, guessed) * edge_count(graph)


@mistake(
    question="q5",
    says='On a tie neither mode is better: the answer is "either".',
    openly="On a tie forward mode is no better than reverse mode.",
)
def choose_mode__tie_is_forward(graph: Graph) -> str:
    forward, reverse = (sweeps(graph, mode) * edge_count(graph) for mode in ("forward", "reverse"))
    return "forward" if forward <= reverse else "reverse"


@mistake(
    question="q5",
    says='On a tie reverse mode is no better than forward mode: the answer is "either".',
    openly="On a tie reverse mode is no better than forward mode.",
)
def choose_mode__tie_is_reverse(graph: Graph) -> str:
    forward, reverse = (sweeps(graph, mode) * edge_count(graph) for mode in ("forward", "reverse"))
    return "reverse" if reverse <= forward else "forward"


@mistake(
    question="q5",
    says="The dearer mode was chosen: forward mode is cheaper with fewer inputs than outputs, reverse mode with "
    "fewer outputs.",
    openly="The dearer mode was chosen.",
)
def choose_mode__dearer_mode(graph: Graph) -> str:
    forward, reverse = (sweeps(graph, mode) * edge_count(graph) for mode in ("forward", "reverse"))
    return "either" if forward == reverse else "forward" if forward > reverse else "reverse"


@mistake(
    question="q5",
    says="Without edges both modes cost 0, which is a tie, however many inputs and outputs there are: compare the "
    "costs, and count edges.",
)
def choose_mode__sweeps_compared(graph: Graph) -> str:
    forward, reverse = sweeps(graph, "forward"), sweeps(graph, "reverse")
    return "either" if forward == reverse else "forward" if forward < reverse else "reverse"


# ---------------------------------------- q6: closed forms


@mistake(question="q6", says="The minus sign is missing: d(X^-1) = -X^-1 dX X^-1.")
def trace_inverse_gradient__sign(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X).T
    return inverse @ A.T @ B.T @ inverse


@mistake(
    question="q6",
    says="The gradient is transposed: it has the layout of X, <gradient, dX> = df, so X^-1 appears transposed.",
)
def trace_inverse_gradient__transposed(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X)
    return -inverse @ B @ A @ inverse


@mistake(question="q6", says="The outer factors lack their transpose: they are X^-T, and so is the whole product.")
def trace_inverse_gradient__inverse_not_transposed(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X)
    return -inverse @ A.T @ B.T @ inverse


@mistake(
    question="q6",
    says="A and B are in the wrong order: from the left the gradient is X^-T A^T B^T X^-T, up to its sign.",
)
def trace_inverse_gradient__a_and_b_swapped(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X).T
    return -inverse @ B @ A @ inverse


@mistake(
    question="q6",
    says="The right factor lacks its transpose: X^-T stands on both sides.",
)
def trace_inverse_gradient__right_inverse_not_transposed(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X)
    return -inverse.T @ A.T @ B.T @ inverse


@mistake(
    question="q6",
    says="A and B are not transposed: between the two factors X^-T stands A^T B^T, which is (B A)^T.",
)
def trace_inverse_gradient__a_b_not_transposed(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X).T
    return -inverse @ A @ B @ inverse


@mistake(
    question="q6",
    says="A^T and B^T are the wrong way round: B^T A^T is (A B)^T and m x m, what is needed is A^T B^T.",
)
def trace_inverse_gradient__transposes_swapped(A: Array, B: Array, X: Array) -> Array:
    inverse = np.linalg.inv(X).T
    return -inverse @ B.T @ A.T @ inverse


@mistake(
    question="q6",
    says="X^-1 appears once only: d(X^-1) = -X^-1 dX X^-1 has it on both sides.",
    openly="The inverse of X appears once only.",
)
def trace_inverse_gradient__one_inverse(A: Array, B: Array, X: Array) -> Array:
    return -np.linalg.inv(X).T @ A.T @ B.T


@mistake(
    question="q6",
    says="The Hessian lacks its term x x^T / ||x||: the factor ||x|| of the gradient varies, too.",
    openly="The Hessian lacks a term: the other factor of the gradient varies, too.",
)
def cubic_norm_hessian__outer_product_missing(x: Array) -> Array:
    return np.linalg.norm(x) * np.eye(len(x))


@mistake(question="q6", says="The Hessian lacks its term ||x|| I.")
def cubic_norm_hessian__identity_missing(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return np.outer(x, x) / norm if norm else np.zeros((len(x), len(x)))


@mistake(
    question="q6",
    says="The Hessian is NaN at x = 0, where 0 / 0 was computed: its value there is 0.",
    openly="The Hessian is NaN at the origin, where zero was divided by zero.",
)
def cubic_norm_hessian__nan_at_zero(x: Array) -> Array:
    norm = np.linalg.norm(x)
    with np.errstate(invalid="ignore"):
        return np.outer(x, x) / norm + norm * np.eye(len(x))


@mistake(
    question="q6",
    says="A small x was taken for 0 (np.allclose does so from 1e-8 on): the Hessian is 0 at x = 0 only, and elsewhere "
    "it is in proportion to x.",
)
def cubic_norm_hessian__small_taken_for_zero(x: Array) -> Array:
    if np.allclose(x, 0):
        return np.zeros((len(x), len(x)))
    norm = np.linalg.norm(x)
    return np.outer(x, x) / norm + norm * np.eye(len(x))


@mistake(
    question="q6",
    says="||x|| was added to every entry: the second term is ||x|| times the identity matrix, on the diagonal only.",
)
def cubic_norm_hessian__identity_forgotten(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return np.outer(x, x) / norm + norm if norm else np.zeros((len(x), len(x)))


@mistake(question="q6", says="x x^T is divided by ||x||^2 or a higher power: differentiating ||x|| gives x / ||x||.")
def cubic_norm_hessian__divided_by_the_square(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return np.outer(x, x) / norm**2 + norm * np.eye(len(x)) if norm else np.zeros((len(x), len(x)))


@mistake(question="q6", says="The outer product x x^T has a minus sign: both terms of the product rule are added.")
def cubic_norm_hessian__outer_product_sign(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return norm * np.eye(len(x)) - np.outer(x, x) / norm if norm else np.zeros((len(x), len(x)))


@mistake(
    question="q6",
    says="A small number was added to the norm to avoid 0 / 0: that changes the Hessian of small x. Treat x = 0 "
    "as a case of its own.",
)
def cubic_norm_hessian__norm_regularised(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return np.outer(x, x) / (norm + 1e-8) + norm * np.eye(len(x))


@mistake(question="q6", says="x x^T is not divided by ||x||.")
def cubic_norm_hessian__not_divided(x: Array) -> Array:
    return np.outer(x, x) + np.linalg.norm(x) * np.eye(len(x))


@mistake(
    question="q6",
    says="This is the Hessian of ||x||^3: the factor 1/3 of g is missing.",
)
def cubic_norm_hessian__third_missing(x: Array) -> Array:
    norm = np.linalg.norm(x)
    outer = np.outer(x, x) / norm if norm else np.zeros((len(x), len(x)))
    return 3 * (outer + norm * np.eye(len(x)))


@mistake(
    question="q6",
    says="This is the gradient of g, ||x|| x: the Hessian is its derivative, an (n,n) matrix.",
    openly="This is the gradient of g: the Hessian is its derivative, an (n,n) matrix.",
)
def cubic_norm_hessian__gradient(x: Array) -> Array:
    return np.linalg.norm(x) * x


# ---------------------------------------- q7: elimination orders


def greedy_order(graph: Graph) -> list[int]:
    """The greedy Markowitz order, ties by index."""
    left = linearise(graph)
    remaining, order = set(left.intermediates), list[int]()
    while remaining:
        vertex = min(remaining, key=lambda v: (len(left.predecessors[v]) * len(left.successors[v]), v))
        eliminate(left, vertex)
        remaining.remove(vertex)
        order.append(vertex)
    return order


@mistake(
    question="q7",
    says="This is the forward order, by index: on some graphs the reverse order or greedy Markowitz is cheaper.",
    openly=True,
)
def elimination_order__forward(graph: Graph) -> list[int]:
    return list(linearise(graph).intermediates)


@mistake(
    question="q7",
    says="This is the reverse order: on some graphs the forward order or greedy Markowitz is cheaper.",
    openly=True,
)
def elimination_order__reverse(graph: Graph) -> list[int]:
    return list(linearise(graph).intermediates[::-1])


@mistake(
    question="q7",
    says="This is the greedy Markowitz order: on some graphs forward or reverse order is cheaper, so compare the "
    "three costs.",
)
def elimination_order__greedy_alone(graph: Graph) -> list[int]:
    return greedy_order(graph)


@mistake(
    question="q7",
    says="The vertices are sorted by predecessors x successors of the graph as it was at first: an elimination "
    "changes both for the neighbours, so count again after each one.",
)
def elimination_order__counted_once(graph: Graph) -> list[int]:
    left = linearise(graph)
    return sorted(left.intermediates, key=lambda v: (len(left.predecessors[v]) * len(left.successors[v]), v))


@mistake(
    question="q7",
    says="This is the cheaper of the forward and the reverse order: on some graphs greedy Markowitz is cheaper still.",
    openly=True,
)
def elimination_order__better_of_two(graph: Graph) -> list[int]:
    forward = list(linearise(graph).intermediates)
    return min((forward, forward[::-1]), key=lambda order: elimination_cost(graph, order))


@mistake(
    question="q7",
    says="Indices count from 0: v1 of the drawings is node 0.",
    openly=True,
)
def elimination_order__counted_from_one(graph: Graph) -> list[int]:
    return [vertex + 1 for vertex in linearise(graph).intermediates]


@mistake(
    question="q7",
    says="Outputs that feed other nodes are missing: they have a sink copy, so they are eliminated like the rest.",
)
def elimination_order__inner_outputs_left_out(graph: Graph) -> list[int]:
    # of the best order, so that it is recognised only where something is left out
    forward = list(linearise(graph).intermediates)
    orders = (forward, forward[::-1], greedy_order(graph))
    best = min(orders, key=lambda order: elimination_cost(graph, order))
    return [vertex for vertex in best if vertex not in graph.outputs]


@mistake(
    question="q7",
    says="The order holds inputs or outputs: only intermediate vertices are eliminated.",
)
def elimination_order__every_node(graph: Graph) -> list[int]:
    return list(range(len(graph.nodes)))
