"""Known mistakes of `ad_modes`: what the grader recognises in an answer, and says."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from adkit.elimination import elimination_cost, linearise
from adkit.graph import Graph
from numpy.typing import NDArray

from reference.ad_modes import local_partials, markowitz_count, markowitz_order, node_values, reverse_mode
from reference.mistakes import Catalogue

MISTAKES = Catalogue("ad_modes")
Sweep = tuple[list[float], list[float]]

# ---------------------------------------- q1: the toy example

q1 = MISTAKES.question("q1", reread="How a derivative flows")

q1.edit(
    "toy_forward__values_for_tangents",
    (
        "[(v1, v1_dot), (v2, v2_dot), (v3, v3_dot), (v4, v4_dot), (v5, v5_dot)]",
        "[(v1, v1), (v2, v2), (v3, v3), (v4, v4), (v5, v5)]",
    ),
    says="The pairs hold values where tangents belong: each pair is (value, tangent), and the tangents begin with dx1 "
    "and dx2.",
)
q1.edit(
    "toy_forward__inner_derivative_missing",
    ("math.cos(v1) * v1_dot", "math.cos(v1)"),
    says="The tangent of v4 = sin v1 lacks the inner derivative: by the chain rule it is cos(v1) times the tangent of "
    "v1.",
)
q1.edit(
    "toy_forward__half_a_product_rule",
    ("v1_dot * v2 + v1 * v2_dot", "v1_dot * v2"),
    says="The tangent of v3 = v1 v2 has one term only: the product rule has two, v1_dot v2 + v1 v2_dot.",
)
q1.edit(
    "toy_forward__product_of_tangents",
    ("v1_dot * v2 + v1 * v2_dot", "v1_dot * v2_dot"),
    says="The tangent of v3 is the product of the tangents: the product rule is v1_dot v2 + v1 v2_dot.",
)
q1.edit(
    "toy_forward__direction_ignored",
    ("v1, v1_dot = x1, dx1", "v1, v1_dot = x1, 1.0"),
    ("v2, v2_dot = x2, dx2", "v2, v2_dot = x2, 0.0"),
    says="The direction (dx1, dx2) is ignored: the tangents of v1 and v2 are dx1 and dx2, whatever they are.",
)
q1.edit(
    "toy_forward__direction_normalised",
    (
        "v1, v1_dot = x1, dx1",
        "length = math.hypot(dx1, dx2) or 1.0\n    dx1, dx2 = dx1 / length, dx2 / length\n    v1, v1_dot = x1, dx1",
    ),
    says="The direction was normalised, that is divided by its length: the tangents of v1 and v2 are dx1 and dx2 as "
    "given.",
)
q1.edit(
    "toy_forward__pairs_swapped",
    (
        "[(v1, v1_dot), (v2, v2_dot), (v3, v3_dot), (v4, v4_dot), (v5, v5_dot)]",
        "[(v1_dot, v1), (v2_dot, v2), (v3_dot, v3), (v4_dot, v4), (v5_dot, v5)]",
    ),
    says="The two parts of each pair are swapped: the value comes first, then the tangent.",
)
q1.edit(
    "toy_forward__product_rule_uncrossed",
    ("v1_dot * v2 + v1 * v2_dot", "v1 * v1_dot + v2 * v2_dot"),
    says="The tangent of v3 = v1 v2 pairs each factor with its own tangent: the product rule is v1_dot v2 + v1 v2_dot.",
)
q1.edit(
    "toy_forward__other_half_a_product_rule",
    ("v1_dot * v2 + v1 * v2_dot", "v1 * v2_dot"),
    says="Only the term v1 v2_dot of the product rule is there: the tangent of v3 is v1_dot v2 + v1 v2_dot.",
)
q1.edit(
    "toy_forward__sine_derivative_sign",
    ("math.cos(v1) * v1_dot", "-math.cos(v1) * v1_dot"),
    says="The tangent of v4 = sin v1 has the wrong sign: the derivative of sin is cos.",
)
q1.edit(
    "toy_reverse__values_for_adjoints",
    ("return v1_bar, v2_bar, v3_bar, v4_bar, v5_bar", "return v1, v2, v1 * v2, math.sin(v1), v1 * v2 + math.sin(v1)"),
    says="Values were returned where adjoints were asked for: v5_bar is 1, and the others follow from it backwards.",
)
q1.edit(
    "toy_reverse__sine_for_its_derivative",
    ("math.cos(v1)", "math.sin(v1)"),
    says="v1_bar has sin v1 where the derivative of sin belongs, which is cos v1.",
)
q1.edit(
    "toy_reverse__sine_derivative_sign",
    ("+ v4_bar * math.cos(v1)", "- v4_bar * math.cos(v1)"),
    says="The derivative of sin is cos, with a plus sign: v1_bar is v3_bar v2 + v4_bar cos v1.",
)
q1.edit(
    "toy_reverse__branches_multiplied",
    ("v3_bar * v2 + v4_bar * math.cos(v1)", "v3_bar * v2 * v4_bar * math.cos(v1)"),
    says="The contributions of v3 and v4 to v1_bar were multiplied: the contributions of the nodes that use a "
    "variable are added.",
)
q1.edit(
    "toy_reverse__adjoint_overwritten",
    ("v3_bar * v2 + v4_bar * math.cos(v1)", "v3_bar * v2"),
    says="v1 feeds two nodes, v3 and v4: its adjoint lacks what comes back through the sine v4, which is added to the "
    "rest, and does not take its place.",
    openly="v1 feeds two nodes, and its adjoint lacks what comes back through one of them.",
)
q1.edit(
    "toy_reverse__product_branch_missing",
    ("v3_bar * v2 + v4_bar * math.cos(v1)", "v4_bar * math.cos(v1)"),
    says="v1 feeds two nodes, v3 and v4: its adjoint lacks what comes back through the product v3, which is added to "
    "the rest.",
)
q1.edit(
    "toy_reverse__product_partials_swapped",
    ("v2_bar = v3_bar * v1", "v2_bar = v3_bar * v2"),
    ("v1_bar = v3_bar * v2", "v1_bar = v3_bar * v1"),
    says="The partials of v3 = v1 v2 are swapped: the one with respect to v1 is v2, and the one with respect to v2 is "
    "v1.",
)
q1.edit(
    "toy_reverse__last_first",
    ("return v1_bar, v2_bar, v3_bar, v4_bar, v5_bar", "return v5_bar, v4_bar, v3_bar, v2_bar, v1_bar"),
    says="The adjoints are in the wrong order: v1_bar comes first and v5_bar, which is 1, last.",
)

# ---------------------------------------- q2: local partials

q2 = MISTAKES.question("q2", reread="From the toy to any program")

q2.edit(
    "local_partials__product_swapped",
    ("(args[1], args[0])", "(args[0], args[1])"),
    says="The partials of a product are swapped: d(a b)/da is b, and d(a b)/db is a.",
)
q2.edit(
    "local_partials__product_divided_by_a_factor",
    ("(args[1], args[0])", "tuple(args[0] * args[1] / arg if arg else 0.0 for arg in args)"),
    says="The product was divided by one of its factors, which may be 0: d(a b)/da is b, whatever a is.",
)
q2.edit(
    "local_partials__quotient_sign",
    ("-args[0] / args[1] ** 2", "args[0] / args[1] ** 2"),
    says="The partials of a quotient lack a minus sign: d(a/b)/db is -a / b^2.",
)
q2.edit(
    "local_partials__quotient_square_missing",
    ("-args[0] / args[1] ** 2", "-args[0] / args[1]"),
    says="The square is missing in the partials of a quotient: d(a/b)/db is -a / b^2.",
)
q2.edit(
    "local_partials__cosine_sign",
    ("-math.sin(args[0])", "math.sin(args[0])"),
    says="The derivative of cos lacks its minus sign: it is -sin.",
)
q2.edit(
    "local_partials__root_half_missing",
    ("0.5 / math.sqrt(args[0])", "1.0 / math.sqrt(args[0])"),
    says="The derivative of sqrt lacks the factor 1/2: it is 1 / (2 sqrt(a)).",
)
q2.edit(
    "local_partials__tanh_square_missing",
    ("1.0 - math.tanh(args[0]) ** 2", "1.0 - math.tanh(args[0])"),
    says="The square is missing in the derivative of tanh: it is 1 - tanh(a)^2.",
)
q2.edit(
    "local_partials__tanh_argument_for_value",
    ("1.0 - math.tanh(args[0]) ** 2", "1.0 - args[0] ** 2"),
    says="args holds the argument of tanh, not its value: the derivative is 1 - tanh(a)^2, not 1 - a^2.",
)
q2.edit(
    "local_partials__value_for_derivative",
    ("1.0 / args[0]", "math.log(args[0])"),
    says="The value of the function was returned where its derivative was asked for (log: 1/a, not log a).",
)
q2.edit(
    "local_partials__difference_sign",
    ("(1.0, -1.0)", "(1.0, 1.0)"),
    says="Both partials of a difference are 1: the one with respect to what is subtracted is -1.",
    openly="Both partials of a difference are the same here.",
)
q2.edit(
    "local_partials__unknown_op_ignored",
    ('raise ValueError(f"unknown op {op!r}")', "return ()"),
    says="An unknown op gets an answer: it must raise ValueError, or a typo goes unnoticed.",
    openly=True,
)
q2.edit(
    "local_partials__leaves_have_one",
    ("return ()", "return (0.0,)"),
    says="const and input have no arguments, so they have no partials either: return ().",
    openly="const and input got a partial, but they have no arguments.",
)


@q2.mistake(
    says="A bare number was returned: the answer is a tuple even for one argument, (d,) with a comma; (d) is just d.",
    openly=True,
)
def local_partials__bare_number(op: str, args: Sequence[float]) -> tuple[float, ...] | float:
    partials = local_partials(op, args)
    return partials[0] if len(partials) == 1 else partials


q2.edit(
    "local_partials__sum_of_two_only",
    ("(1.0,) * len(args)", "(1.0, 1.0)"),
    says="add was taken for a sum of two: it takes two or more arguments, and the partial is 1 for each.",
    openly="add was taken for a sum of two: it takes two or more arguments.",
)
q2.edit(
    "local_partials__quotient_swapped",
    ("(1.0 / args[1], -args[0] / args[1] ** 2)", "(-args[0] / args[1] ** 2, 1.0 / args[1])"),
    says="The partials of a quotient are swapped: first d(a/b)/da = 1/b, then d(a/b)/db = -a / b^2.",
)
q2.edit(
    "local_partials__quotient_numerator_missing",
    ("-args[0] / args[1] ** 2", "-1.0 / args[1] ** 2"),
    says="The numerator is missing in a quotient's second partial: d(a/b)/db is -a / b^2.",
)
q2.edit(
    "local_partials__root_not_inverted",
    ("0.5 / math.sqrt(args[0])", "0.5 * math.sqrt(args[0])"),
    says="The derivative of sqrt is 1 / (2 sqrt(a)): the root is in the denominator.",
)
q2.edit(
    "local_partials__sine_sign",
    ("math.cos(args[0])", "-math.cos(args[0])"),
    says="The derivative of sin has the wrong sign: it is cos.",
)
q2.edit(
    "local_partials__tanh_sign",
    ("1.0 - math.tanh(args[0]) ** 2", "1.0 + math.tanh(args[0]) ** 2"),
    says="The derivative of tanh has a plus sign: it is 1 - tanh(a)^2.",
)

# ---------------------------------------- q3: forward mode

q3 = MISTAKES.question("q3")

q3.edit(
    "forward_mode__direction_ignored",
    ("float(tangent)", "1.0"),
    says="x_dot is ignored: every input was given the tangent 1 (the sum of all partial derivatives).",
    openly=True,
)
q3.edit(
    "forward_mode__direction_normalised",
    ("float(tangent)", "float(tangent) / (math.hypot(*x_dot) or 1.0)"),
    says="x_dot was normalised, that is divided by its length: y_dot is J x_dot with x_dot as given, so twice x_dot "
    "gives twice y_dot.",
    openly=True,
)
q3.edit(
    "forward_mode__constants_move",
    ("v_dot = [0.0] * len(graph.nodes)", 'v_dot = [float(node.op == "const") for node in graph.nodes]'),
    says="A constant has a tangent that is not 0: it does not depend on the inputs, so its tangent is 0.",
    openly="A constant has a tangent that is not 0, as if it depended on the inputs.",
)
q3.edit(
    "forward_mode__values_for_tangents",
    ("[v_dot[i] for i in graph.outputs]", "[v[i] for i in graph.outputs]"),
    says="Values were returned where tangents were asked for: the answer is (y, y_dot).",
    openly=True,
)
q3.edit(
    "forward_mode__parts_swapped",
    (
        "return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]",
        "return [v_dot[i] for i in graph.outputs], [v[i] for i in graph.outputs]",
    ),
    says="The two parts of the answer are swapped: first the values y, then y_dot.",
    openly=True,
)
q3.edit(
    "forward_mode__repeated_argument_once",
    (
        "for d, j in zip(partials, node.args, strict=True)",
        "for j, d in dict(zip(node.args, partials, strict=True)).items()",
    ),
    says="A repeated argument counts only once: mul(x, x) depends on x twice, and both terms are added.",
)
q3.edit(
    "forward_mode__outputs_in_node_order",
    (
        "return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]",
        "outputs = sorted(set(graph.outputs))\n    return [v[i] for i in outputs], [v_dot[i] for i in outputs]",
    ),
    says="The outputs are in the order of the nodes: they belong in the order of graph.outputs, each as often as it "
    "is listed there.",
    openly=True,
)
q3.edit(
    "forward_mode__inputs_in_node_order",
    (
        "v = node_values(graph, x)",
        "graph = Graph(graph.nodes, tuple(sorted(graph.inputs)), graph.outputs)\n    v = node_values(graph, x)",
    ),
    says="x or x_dot was assigned in the order of the nodes: their entries k belong to the node graph.inputs[k], "
    "wherever that node is.",
    openly=True,
)


@q3.mistake(
    says="The sweep calls itself once per node: a graph can be deeper than Python's stack, so go through the nodes in "
    "their order with a loop.",
)
def forward_mode__recursive(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> Sweep:
    v = node_values(graph, x)
    known: dict[int, float] = dict(zip(graph.inputs, map(float, x_dot), strict=True))

    def tangent(i: int) -> float:
        if i not in known:
            node = graph.nodes[i]
            partials = local_partials(node.op, [v[j] for j in node.args])
            known[i] = sum(d * tangent(j) for d, j in zip(partials, node.args, strict=True))
        return known[i]

    return [v[i] for i in graph.outputs], [tangent(i) for i in graph.outputs]


q3.edit(
    "forward_mode__sum_of_two_only",
    ("zip(partials, node.args, strict=True)", "list(zip(partials, node.args, strict=True))[:2]"),
    says="add was treated as a sum of two: it takes two or more arguments, and each of them counts.",
)
q3.edit(
    "forward_mode__repeated_argument_doubled",
    (
        "partials = local_partials(node.op, [v[j] for j in node.args])",
        "partials = local_partials(node.op, [v[j] for j in node.args])\n"
        "            if len(node.args) == 2 and node.args[0] == node.args[1]:\n"
        "                partials = (2 * partials[0], 0.0)",
    ),
    says="A node with the same argument twice was treated as a square or a double: sub(x, x) and div(x, x) do not "
    "change with x, so go through the arguments one by one, whatever the op.",
)
q3.edit(
    "forward_mode__pair_for_each_output",
    (
        "return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]",
        "return [(v[i], v_dot[i]) for i in graph.outputs]",
    ),
    says="The answer has a pair for each output: return two lists, all values y and all tangents y_dot.",
    openly=True,
)
q3.edit(
    "forward_mode__every_node",
    ("return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]", "return v, v_dot"),
    says="The answer is about every node: return the values and tangents of graph.outputs only, in their order.",
)
q3.edit(
    "forward_mode__repeated_output_once",
    (
        "return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]",
        "outputs = list(dict.fromkeys(graph.outputs))\n    return [v[i] for i in outputs], [v_dot[i] for i in outputs]",
    ),
    says="An output that is listed twice is in the answer only once: there is one entry for each entry of "
    "graph.outputs.",
    openly=True,
)

# ---------------------------------------- q4: reverse mode

q4 = MISTAKES.question("q4")

q4.edit(
    "reverse_mode__adjoint_overwritten",
    ("v_bar[j] += v_bar[i] * d", "v_bar[j] = v_bar[i] * d"),
    says="Adjoints are overwritten: a node that several nodes use gets the sum of what they hand back (+=, not =).",
    openly="The adjoint of a node that several nodes use was overwritten.",
)
q4.edit(
    "reverse_mode__repeated_argument_once",
    (
        "for d, j in zip(partials, node.args, strict=True)",
        "for j, d in dict(zip(node.args, partials, strict=True)).items()",
    ),
    says="A repeated argument counts only once: mul(x, x) hands its adjoint back to x twice.",
    openly="An argument that is repeated, as in x times x, counts only once.",
)
q4.edit(
    "reverse_mode__cotangent_ignored",
    ("float(cotangent)", "1.0"),
    says="y_bar is ignored: every output was given the adjoint 1 (the gradient of the sum of the outputs).",
    openly=True,
)
q4.edit(
    "reverse_mode__first_output_only",
    ("zip(graph.outputs, y_bar, strict=True)", "zip(graph.outputs[:1], y_bar[:1], strict=True)"),
    says="Only one of the outputs is differentiated: the sweep starts with the adjoints of all of them at once.",
    openly="Only one of the outputs is differentiated.",
)
q4.edit(
    "reverse_mode__repeated_output_once",
    ("v_bar[index] += float(cotangent)", "v_bar[index] = float(cotangent)"),
    says="An output that is listed twice kept only one of its two cotangents: they are added.",
)
q4.edit(
    "reverse_mode__output_keeps_its_seed",
    (
        "for i in reversed(range(len(graph.nodes))):",
        "outputs = set(graph.outputs)\n    for i in reversed(range(len(graph.nodes))):",
    ),
    ("v_bar[j] += v_bar[i] * d", "v_bar[j] += v_bar[i] * d if j not in outputs else 0.0"),
    says="An output that feeds other nodes lost what comes back from them: its adjoint is its own cotangent plus "
    "their contributions.",
    openly="An output that feeds other nodes lost what comes back from them.",
)
q4.edit(
    "reverse_mode__inner_seed_lost",
    (
        "for index, cotangent in",
        "used = {arg for node in graph.nodes for arg in node.args}\n    for index, cotangent in",
    ),
    ("float(cotangent)", "float(cotangent) if index not in used else 0.0"),
    says="An output that feeds other nodes lost its own cotangent: its adjoint is its cotangent plus what comes back "
    "from the nodes that it feeds.",
    openly="An output that feeds other nodes lost its own cotangent.",
)
q4.edit(
    "reverse_mode__unused_input_left_out",
    (
        "return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]",
        "used = {*graph.outputs, *(arg for node in graph.nodes for arg in node.args)}\n"
        "    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs if i in used]",
    ),
    says="Inputs that nothing uses have no adjoint: there is one entry of x_bar per input, and theirs is 0.0.",
    openly="Inputs that nothing uses have no adjoint: there is one entry of x_bar per input.",
)
q4.edit(
    "reverse_mode__nodes_in_forward_order",
    ("reversed(range(len(graph.nodes)))", "range(len(graph.nodes))"),
    says="The outputs' cotangents do not reach the inputs: go from the last node back to the first, so that each hands "
    "on an adjoint that is complete.",
    openly="The outputs' cotangents do not reach the inputs: look at the order in which the nodes are visited.",
)
q4.edit(
    "reverse_mode__inputs_in_node_order",
    ("[v_bar[i] for i in graph.inputs]", "[v_bar[i] for i in sorted(graph.inputs)]"),
    says="x_bar is in the order of the nodes: its entry k belongs to node graph.inputs[k], wherever that node is.",
    openly=True,
)


@q4.mistake(
    says="The adjoints are found by recursion: a graph can be deeper than Python's stack, so go through the nodes "
    "backwards with a loop.",
)
def reverse_mode__recursive(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> Sweep:
    v = node_values(graph, x)
    users: dict[int, list[tuple[int, float]]] = {}
    for i, node in enumerate(graph.nodes):
        for d, j in zip(local_partials(node.op, [v[j] for j in node.args]), node.args, strict=True):
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


q4.edit(
    "reverse_mode__parts_swapped",
    (
        "return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]",
        "return [v_bar[i] for i in graph.inputs], [v[i] for i in graph.outputs]",
    ),
    says="The two parts of the answer are swapped: first the values y, then x_bar.",
    openly=True,
)
q4.edit(
    "reverse_mode__every_node",
    ("[v_bar[i] for i in graph.inputs]", "v_bar"),
    says="The answer holds the adjoint of every node: x_bar holds those of graph.inputs only, in their order.",
)
q4.edit(
    "reverse_mode__constants_in_x_bar",
    ("for i in graph.inputs]", 'for i, node in enumerate(graph.nodes) if node.op in ("const", "input")]'),
    says="x_bar has an entry for each constant, too: it holds the adjoints of graph.inputs only, in their order.",
    openly=True,
)
q4.edit(
    "reverse_mode__sum_of_two_only",
    ("zip(partials, node.args, strict=True)", "list(zip(partials, node.args, strict=True))[:2]"),
    says="add was treated as a sum of two: it takes two or more arguments, and each gets the adjoint of the sum.",
)
q4.edit(
    "reverse_mode__repeated_argument_doubled",
    (
        "partials = local_partials(node.op, [v[j] for j in node.args])",
        "partials = local_partials(node.op, [v[j] for j in node.args])\n"
        "        if len(node.args) == 2 and node.args[0] == node.args[1]:\n"
        "            partials = (2 * partials[0], 0.0)",
    ),
    says="A node with the same argument twice was treated as a square or a double: sub(x, x) and div(x, x) hand back "
    "nothing, so go through the arguments one by one, whatever the op.",
)
q4.edit(
    "reverse_mode__cotangents_summed",
    ("float(cotangent)", "float(sum(y_bar))"),
    says="Every output was given the same adjoint, made of all cotangents: each output has its own entry of y_bar.",
    openly=True,
)
q4.edit(
    "reverse_mode__cotangents_in_node_order",
    ("zip(graph.outputs, y_bar", "zip(sorted(graph.outputs), y_bar"),
    says="y_bar was assigned in the order of the nodes: y_bar[k] belongs to the node graph.outputs[k].",
)
q4.edit(
    "reverse_mode__ends_for_outputs",
    (
        "for index, cotangent in zip(graph.outputs, y_bar, strict=True)",
        "used = {arg for node in graph.nodes for arg in node.args}\n"
        "    ends = [i for i in range(len(graph.nodes)) if i not in used]\n"
        "    for index, cotangent in zip(ends, y_bar, strict=False)",
    ),
    says="The cotangents went to the nodes that nothing uses: they belong to graph.outputs, which may feed others.",
    openly=True,
)


@q4.mistake(
    says="This has a number for each output and each input, as the whole Jacobian has: x_bar is one number for each "
    "input, the sum over the outputs of their cotangents times their gradients.",
    openly="This has a number for each output and each input, as the whole Jacobian has.",
)
def reverse_mode__whole_jacobian(
    graph: Graph, x: Sequence[float], y_bar: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    rows: list[list[float]] = np.eye(len(y_bar)).tolist() if len(y_bar) <= 100 else []
    return reverse_mode(graph, x, y_bar)[0], [reverse_mode(graph, x, row)[1] for row in rows]


# ---------------------------------------- q5: cost

q5 = MISTAKES.question("q5", reread="Which mode?")

q5.edit(
    "mode_cost__nodes_counted",
    ('sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)', "len(graph.nodes)"),
    says="Nodes were counted instead of edges: a multiplication belongs to each edge.",
    openly="This is a count of nodes.",
)
q5.edit(
    "mode_cost__operations_counted",
    (
        'sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)',
        "sum(bool(node.args) for node in graph.nodes)",
    ),
    says="Operations were counted instead of edges: a node with two arguments has two edges, each with its "
    "multiplication.",
    openly="This is a count of operations.",
)
q5.edit(
    "mode_cost__constants_counted",
    (
        'sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)',
        "sum(len(node.args) for node in graph.nodes)",
    ),
    says="Arguments that are constants were counted: their tangent is 0, so they are not edges.",
)
q5.edit(
    "mode_cost__repeated_edges_once",
    ("for arg in node.args)", "for arg in set(node.args))"),
    says="A repeated argument was counted once: mul(x, x) has two edges.",
)
q5.edit(
    "mode_cost__modes_swapped",
    (
        '"forward":\n        return len(graph.inputs)',
        '"forward":\n        return len(graph.outputs)',
    ),
    (
        '"reverse":\n        return len(graph.outputs)',
        '"reverse":\n        return len(graph.inputs)',
    ),
    says="Forward and reverse are swapped: a forward sweep gives one column of the Jacobian (one input), a reverse "
    "sweep one row (one output).",
    openly="Forward and reverse are swapped.",
)
q5.edit(
    "mode_cost__single_sweep",
    ("return len(graph.inputs) * edges", "return edges"),
    ("return len(graph.outputs) * edges", "return edges"),
    says="This is the cost of one sweep: the full Jacobian takes one for each input (forward) or output (reverse).",
    openly="This is the cost of one sweep, and not of the full Jacobian.",
)
q5.edit(
    "mode_cost__unknown_mode_accepted",
    ('raise ValueError(f\'mode must be "forward" or "reverse", got {mode!r}\')', "return len(graph.outputs) * edges"),
    says="A mode that does not exist gets an answer: it must raise ValueError.",
    openly=True,
)
q5.edit(
    "mode_cost__repeated_outputs_once",
    ("len(graph.outputs)", "len(set(graph.outputs))"),
    says="An output that is listed twice was counted once: the Jacobian has a row for each entry of graph.outputs.",
)
q5.edit(
    "mode_cost__used_inputs_only",
    ("len(graph.inputs)", "len({arg for node in graph.nodes for arg in node.args}.intersection(graph.inputs))"),
    says="Inputs that nothing uses were left out: the full Jacobian has a column for each entry of graph.inputs.",
)
q5.edit(
    "mode_cost__useless_edges_left_out",
    (
        'edges = sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)',
        "needed = set(graph.outputs)\n"
        "    for index in reversed(range(len(graph.nodes))):\n"
        "        if index in needed:\n"
        "            needed.update(graph.nodes[index].args)\n"
        '    edges = sum(graph.nodes[arg].op != "const" for index in needed for arg in graph.nodes[index].args)',
    ),
    says="Edges that lead to no output were left out: a dense sweep multiplies at every edge.",
)
q5.edit(
    "mode_cost__mode_guessed",
    (
        "edges = sum(",
        'mode = {"f": "forward", "r": "reverse"}.get(mode[:1].lower(), mode)\n    edges = sum(',
    ),
    says='Only "forward" and "reverse" are modes, spelled exactly like that: anything else, "either" and "Reverse" '
    "included, must raise ValueError.",
    openly=True,
)
q5.edit(
    "choose_mode__tie_is_forward",
    ('return "either"', 'return "forward"'),
    says='On a tie neither mode is better: the answer is "either".',
    openly="On a tie forward mode is no better than reverse mode.",
)
q5.edit(
    "choose_mode__tie_is_reverse",
    ('return "either"', 'return "reverse"'),
    says='On a tie reverse mode is no better than forward mode: the answer is "either".',
    openly="On a tie reverse mode is no better than forward mode.",
)
q5.edit(
    "choose_mode__dearer_mode",
    ("forward < reverse", "forward > reverse"),
    says="The more expensive mode was chosen: forward mode is cheaper with fewer inputs than outputs, reverse mode "
    "with fewer outputs.",
    openly="The more expensive mode was chosen.",
)
q5.edit(
    "choose_mode__sweeps_compared",
    ('mode_cost(graph, "forward"), mode_cost(graph, "reverse")', "len(graph.inputs), len(graph.outputs)"),
    says="Without edges both modes cost 0, which is a tie, however many inputs and outputs there are: compare the "
    "costs, and count edges.",
)

# ---------------------------------------- q6: closed forms

q6 = MISTAKES.question("q6", reread="The same in matrices")

q6.edit(
    "trace_inverse_gradient__sign",
    ("-left @ right.T", "left @ right.T"),
    says="The minus sign is missing: d(X^-1) = -X^-1 dX X^-1.",
)
q6.edit(
    "trace_inverse_gradient__transposed",
    ("-left @ right.T", "-right @ left.T"),
    says="The gradient is transposed: it has the layout of X, <gradient, dX> = df, so X^-1 appears transposed.",
)
q6.edit(
    "trace_inverse_gradient__inverse_not_transposed",
    ("solve(X.T, A.T)", "solve(X, A.T)"),
    ("solve(X, B)", "solve(X.T, B)"),
    says="The outer factors lack their transpose: both are X^-T.",
)
q6.edit(
    "trace_inverse_gradient__a_and_b_swapped",
    ("solve(X, B)", "solve(X, A.T)"),
    ("solve(X.T, A.T)", "solve(X.T, B)"),
    says="A and B are in the wrong order: the gradient is X^-T A^T B^T X^-T, up to its sign.",
)
q6.edit(
    "trace_inverse_gradient__right_inverse_not_transposed",
    ("solve(X, B)", "solve(X.T, B)"),
    says="The right factor lacks its transpose: X^-T is on both sides.",
)
q6.edit(
    "trace_inverse_gradient__a_b_not_transposed",
    ("solve(X.T, A.T)", "solve(X.T, A)"),
    ("solve(X, B)", "solve(X, B.T)"),
    says="A and B are not transposed: what belongs between the two factors X^-T is A^T B^T, which is (B A)^T.",
)
q6.edit(
    "trace_inverse_gradient__transposes_swapped",
    ("solve(X.T, A.T)", "solve(X.T, B.T)"),
    ("solve(X, B)", "solve(X, A)"),
    says="A^T and B^T are the wrong way round: B^T A^T is (A B)^T, which is m x m; A^T B^T is needed.",
)
q6.edit(
    "trace_inverse_gradient__one_inverse",
    ("np.linalg.solve(X, B)", "B"),
    says="X^-1 appears only once: d(X^-1) = -X^-1 dX X^-1 has it on both sides.",
    openly="The inverse of X appears only once.",
)
q6.edit(
    "cubic_norm_hessian__outer_product_missing",
    ("np.outer(x, x) / norm + norm * np.eye(len(x))", "norm * np.eye(len(x))"),
    says="The Hessian lacks its term x x^T / ||x||: the factor ||x|| of the gradient varies, too.",
    openly="The Hessian lacks a term: the other factor of the gradient varies, too.",
)
q6.edit(
    "cubic_norm_hessian__identity_missing",
    ("np.outer(x, x) / norm + norm * np.eye(len(x))", "np.outer(x, x) / norm"),
    says="The Hessian lacks its term ||x|| I.",
)
q6.edit(
    "cubic_norm_hessian__nan_at_zero",
    (
        "if norm == 0:\n        return np.zeros((len(x), len(x)))\n    return",
        'with np.errstate(invalid="ignore"):\n        return',
    ),
    says="At x = 0 the Hessian divides 0 by 0, which is NaN or an error: its value there is 0.",
    openly="At the origin zero is divided by zero, which is NaN or an error.",
)
q6.edit(
    "cubic_norm_hessian__small_taken_for_zero",
    ("norm == 0", "np.allclose(x, 0)"),
    says="A small x was taken for 0 (np.allclose does so below 1e-8): the Hessian is 0 only at x = 0, and elsewhere "
    "it is proportional to x.",
)
q6.edit(
    "cubic_norm_hessian__identity_forgotten",
    ("norm * np.eye(len(x))", "norm"),
    says="||x|| was added to every entry: the second term is ||x|| times the identity matrix, on the diagonal only.",
)
q6.edit(
    "cubic_norm_hessian__divided_by_the_square",
    ("np.outer(x, x) / norm", "np.outer(x, x) / norm**2"),
    says="x x^T is divided by ||x||^2 or a higher power: differentiating ||x|| gives x / ||x||.",
)
q6.edit(
    "cubic_norm_hessian__outer_product_sign",
    ("np.outer(x, x) / norm", "-np.outer(x, x) / norm"),
    says="The outer product x x^T has a minus sign: both terms of the product rule are added.",
)
q6.edit(
    "cubic_norm_hessian__norm_regularised",
    ("np.outer(x, x) / norm", "np.outer(x, x) / (norm + 1e-8)"),
    says="A small number was added to the norm, or put in its place, to avoid 0 / 0: that changes the Hessian of small "
    "x. Treat x = 0 as a case of its own.",
    first_order=True,
)
q6.edit(
    "cubic_norm_hessian__root_regularised",
    ("np.linalg.norm(x)", "np.sqrt(np.sum(x**2) + 1e-12)"),
    says="A small number was added under the root to avoid 0 / 0: that changes the Hessian of small x, and at x = 0 it "
    "is not 0.",
    first_order=True,
)
q6.edit(
    "cubic_norm_hessian__not_divided",
    ("np.outer(x, x) / norm", "np.outer(x, x)"),
    says="x x^T is not divided by ||x||.",
)
q6.edit(
    "cubic_norm_hessian__third_missing",
    ("np.outer(x, x) / norm + norm * np.eye(len(x))", "3 * (np.outer(x, x) / norm + norm * np.eye(len(x)))"),
    says="This is the Hessian of ||x||^3: the factor 1/3 of g is missing.",
)


@q6.mistake(
    says="This is the gradient of g, ||x|| x: the Hessian is its derivative, an (n,n) matrix.",
    openly="This is the gradient of g: the Hessian is its derivative, an (n,n) matrix.",
)
def cubic_norm_hessian__gradient(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(x) * x


# ---------------------------------------- q7: elimination orders

q7 = MISTAKES.question("q7", reread="For the curious: between the modes")


@q7.mistake(
    says="This is the forward order, by index: on some graphs the reverse order or greedy Markowitz is cheaper.",
    openly=True,
)
def elimination_order__forward(graph: Graph) -> list[int]:
    return list(linearise(graph).intermediates)


@q7.mistake(
    says="This is the reverse order: on some graphs the forward order or greedy Markowitz is cheaper.",
    openly=True,
)
def elimination_order__reverse(graph: Graph) -> list[int]:
    return list(linearise(graph).intermediates[::-1])


@q7.mistake(
    says="Here your order is that of greedy Markowitz: on some graphs the forward or the reverse order is cheaper, so "
    "compare the three costs.",
)
def elimination_order__greedy_alone(graph: Graph) -> list[int]:
    return markowitz_order(graph)


@q7.mistake(
    says="The vertices are in the order of a count in the original graph, such as predecessors x successors: an "
    "elimination changes it for the neighbours, so count again after each one.",
)
def elimination_order__counted_once(graph: Graph) -> list[int]:
    left = linearise(graph)
    return sorted(left.intermediates, key=lambda v: (markowitz_count(left, v), v))


@q7.mistake(
    says="This is the cheaper of the forward and the reverse order: on some graphs greedy Markowitz is cheaper still.",
    openly=True,
)
def elimination_order__better_of_two(graph: Graph) -> list[int]:
    forward = list(linearise(graph).intermediates)
    return min((forward, forward[::-1]), key=lambda order: elimination_cost(graph, order))


@q7.mistake(
    says="Indices count from 0: v1 of the drawings is node 0.",
    openly=True,
)
def elimination_order__counted_from_one(graph: Graph) -> list[int]:
    return [vertex + 1 for vertex in linearise(graph).intermediates]


@q7.mistake(
    says="Outputs that feed other nodes are missing: they have a sink copy, so they are eliminated like the rest.",
)
def elimination_order__inner_outputs_left_out(graph: Graph) -> list[int]:
    # of the best order, so that it is recognised only where something is left out
    forward = list(linearise(graph).intermediates)
    orders = (forward, forward[::-1], markowitz_order(graph))
    best = min(orders, key=lambda order: elimination_cost(graph, order))
    return [vertex for vertex in best if vertex not in graph.outputs]


@q7.mistake(
    says="The order holds inputs or outputs: only intermediate vertices are eliminated.",
)
def elimination_order__every_node(graph: Graph) -> list[int]:
    return list(range(len(graph.nodes)))


# ---------------------------------------- q8: a test that catches bugs

q8 = MISTAKES.question("q8")


@q8.mistake(
    says="is_right never calls the implementation that it is given, and says True to all of them.",
    openly=True,
)
def is_right__always_true(reverse_mode: Callable[..., Any]) -> bool:
    return True


@q8.mistake(
    says="is_right never calls the implementation that it is given, and says False to all of them.",
    openly=True,
)
def is_right__always_false(reverse_mode: Callable[..., Any]) -> bool:
    return False


q8.edit(
    "is_right__toy_graph_alone",
    ("x in _graphs_that_show_mistakes():", "x in _graphs_that_show_mistakes()[:1]:"),
    says="Graphs like the toy example alone show little: no repeated argument, one output, and every input is used.",
    openly=True,
)
q8.edit(
    "is_right__cotangents_of_one",
    ("0.7 + 0.6 * k if k % 2 == 0 else -1.3 - 0.2 * k for k", "1.0 for k"),
    says="Every cotangent that is_right asks about is 1: an implementation that ignores y_bar looks right then.",
    openly=True,
)
q8.edit(
    "is_right__one_output",
    (
        "x in _graphs_that_show_mistakes():",
        "x in _graphs_that_show_mistakes():\n        if len(graph.outputs) > 1:\n            continue",
    ),
    says="Every graph that is_right asks about has one output: what is done with several cotangents is not seen.",
    openly=True,
)
q8.edit(
    "is_right__no_repeated_factor",
    ('        (Graph((x, Node("mul", (0, 0))), (0,), (1,)), [0.9]),\n', ""),
    says="No graph that is_right asks about multiplies a node by itself, and there an argument is easily counted once.",
)
q8.edit(
    "is_right__squares_alone",
    (
        '        (Graph((x, Node("sub", (0, 0)), Node("sin", (0,)), Node("add", (1, 2))), (0,), (3,)), [0.9]),\n'
        '        (Graph((x, Node("div", (0, 0)), Node("mul", (1, 0))), (0,), (2,)), [0.9]),\n',
        "",
    ),
    says="The only repeated arguments that is_right asks about are factors: a node can be subtracted from itself and "
    "divided by itself as well, and there another mistake shows.",
)
q8.edit(
    "is_right__no_inner_output",
    ('        (Graph((x, Node("exp", (0,)), Node("sin", (1,))), (0,), (2, 1)), [0.3]),\n', ""),
    ("(0, 1), (3, 4)), [0.4, 1.2])", "(0, 1), (4,)), [0.4, 1.2])"),
    says="No graph that is_right asks about has an output that feeds another node.",
)
q8.edit(
    "is_right__no_output_twice",
    ('        (Graph((x, Node("cos", (0,))), (0,), (1, 1)), [0.8]),\n', ""),
    says="No graph that is_right asks about lists an output twice.",
)
q8.edit(
    "is_right__every_input_used",
    (
        '        (Graph((x, two, x, x, Node("mul", (1, 3)), Node("div", (2, 4))), (3, 2, 0), (5,)), [0.5, 0.7, 1]),\n',
        "",
    ),
    says="Every graph that is_right asks about uses all of its inputs.",
    openly=True,
)
q8.edit(
    "is_right__values_ignored",
    ("all(_agree(*parts) for parts in zip(answer, expected, strict=True))", "_agree(answer[1], expected[1])"),
    says="Wrong values of the outputs get through: an answer has two parts, and both have to be compared.",
    openly=True,
)
q8.edit(
    "is_right__adjoints_ignored",
    ("all(_agree(*parts) for parts in zip(answer, expected, strict=True))", "_agree(answer[0], expected[0])"),
    says="Wrong adjoints get through: an answer has two parts, and both have to be compared.",
    openly=True,
)
q8.edit(
    "is_right__sizes_compared",
    ("numbers - expected)", "np.abs(numbers) - np.abs(expected))"),
    says="Adjoints with the wrong sign get through: sizes are compared, and not numbers.",
    openly=True,
)
q8.edit(
    "is_right__errors_not_caught",
    ("except (ImplementationError, TypeError, ValueError):\n            return False", "finally:\n            pass"),
    says="An implementation that returns None, or raises an error, ends is_right with an error: it is wrong, so the "
    "verdict on it is False.",
    openly=True,
)
q8.edit(
    "is_right__exactly_equal",
    ("np.linalg.norm(numbers - expected) <= 1e-9 * np.linalg.norm(expected)", "np.all(numbers == expected)"),
    says="Numbers are compared exactly: two right implementations differ by rounding, so allow for that.",
    openly=True,
)
q8.edit(
    "is_right__lists_alone",
    ("if len(answer) != 2", "if not all(isinstance(part, list) for part in answer) or len(answer) != 2"),
    says="Answers that are not lists are refused: tuples and arrays are as right.",
    openly=True,
)
q8.edit(
    "is_right__lengths_not_compared",
    (
        "numbers.shape != np.shape(expected):\n        return False",
        "numbers.ndim != 1:\n        return False\n    expected = np.array(expected)[: len(numbers)]\n"
        "    numbers = numbers[: len(expected)]",
    ),
    says="Answers with too few entries get through: compare the number of entries, too.",
    openly=True,
)
