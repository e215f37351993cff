"""Facts about answers of `ad_modes`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from itertools import combinations, product
from typing import Any

import numpy as np
from adkit.checks import Failure
from adkit.elimination import eliminate, elimination_cost, linearise
from adkit.graph import Graph
from adkit.implementations import Program

from reference.ad_modes import choose_mode, local_partials, markowitz_count, node_values
from reference.facts import (
    Array,
    Fact,
    Facts,
    UnseenError,
    alike,
    hessian_parts,
    is_none,
    multiple,
    near,
    numbers,
    raised,
)

FACTS = Facts()
MOST_NODES = 400
"""Of a graph whose derivatives are computed for a fact."""
MISUSES = ("ValueError", "TypeError", "IndexError", "KeyError", "UnboundLocalError")
"""What Python raises where code was not written for what it is given."""


def normalised(factor: float, direction: Any) -> bool:
    """Whether the factor is 1 over the length of the direction, in one of the usual norms, and not 1."""
    d = np.abs(np.asarray(direction, dtype=np.float64))
    lengths = (float(np.linalg.norm(d)), float(np.sum(d)), float(np.max(d)))
    return any(near(factor * length, 1.0) and not near(length, 1.0) for length in lengths)


# ---------------------------------------- q1: the toy example

Pairs = Callable[[tuple[float, ...], Array, Array], bool]


def of_pairs(*names: str) -> Callable[[Pairs], Pairs]:
    """Enters a fact about the values v_1 … v_5 and their tangents, for what was asked."""

    def enter(holds: Pairs) -> Pairs:
        def fact(failure: Failure) -> bool:
            pairs = numbers(failure.answer)
            if pairs.shape != (5, 2):
                return False
            v = numbers(failure.right)[:, 0]
            return alike(pairs[:, 0], v) and holds(failure.arguments, v, pairs[:, 1])

        FACTS.of(*(f"toy_forward__{name}" for name in names))(fact)
        return holds

    return enter


@of_pairs("values_for_tangents")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    seeds = alike(t[:2], v[:2]) and not alike(v[:2], asked[2:])
    return seeds or all(near(t[k], v[k]) for k in (2, 3, 4))


@of_pairs("inner_derivative_missing")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    return near(t[3], math.cos(v[0])) and not near(t[0], 1.0)


@of_pairs("sine_derivative_sign")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    return t[0] != 0 and near(t[3], -math.cos(v[0]) * t[0])


def product_rule(wrong: Callable[[Array, Array], float]) -> Pairs:
    """The tangent of v_3 is that one, made of the tangents of v_1 and v_2, and not the right one."""

    def holds(asked: tuple[float, ...], v: Array, t: Array) -> bool:
        right = t[0] * v[1] + v[0] * t[1]
        return near(t[2], wrong(v, t)) and not near(t[2], right) and bool(np.all(v[:2] != 0) and np.all(t[:2] != 0))

    return holds


of_pairs("half_a_product_rule")(product_rule(lambda v, t: t[0] * v[1]))
of_pairs("other_half_a_product_rule")(product_rule(lambda v, t: v[0] * t[1]))
of_pairs("product_of_tangents")(product_rule(lambda v, t: t[0] * t[1]))
of_pairs("product_rule_uncrossed")(product_rule(lambda v, t: v[0] * t[0] + v[1] * t[1]))


@of_pairs("direction_ignored")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    return tuple(t[:2]) in {(1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)} and not alike(t[:2], asked[2:])


@of_pairs("direction_normalised")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    return normalised(multiple(t[:2], asked[2:]), asked[2:])


@FACTS.of("toy_forward__pairs_swapped")
def _(failure: Failure) -> bool:
    """The values stand second, and the direction first."""
    pairs, v = numbers(failure.answer), numbers(failure.right)[:, 0]
    seeds = np.array(failure.arguments[2:])
    return pairs.shape == (5, 2) and alike(pairs[:, 1], v) and alike(pairs[:2, 0], seeds) and not alike(seeds, v[:2])


Reading = tuple[str, str, str]
"""How v1_bar is put together: what came back through the product, what through the sine, and "+" or "x"."""


def of_adjoint(*names: str) -> Callable[[Callable[[Reading], bool]], Callable[[Reading], bool]]:
    """Enters a fact about v1_bar, whichever way it can be read.

    Where the partials of the product are swapped, the first of them is the other one.
    """

    def enter(holds: Callable[[Reading], bool]) -> Callable[[Reading], bool]:
        def fact(failure: Failure) -> bool:
            x1, x2 = failure.arguments
            bar = numbers(failure.answer)
            if bar.shape != (5,) or not alike(bar[2:], np.ones(3)) or x1 == x2 or 0.0 in (x1, x2):
                return False
            swapped = near(bar[1], x2)
            if not (swapped or near(bar[1], x1)):
                return False
            found = list(read_adjoint(bar[0], x1 if swapped else x2, math.cos(x1), math.sin(x1)))
            return bool(found) and all(holds(each) for each in found)

        FACTS.of(*(f"toy_reverse__{name}" for name in names))(fact)
        return holds

    return enter


def read_adjoint(bar: float, p: float, c: float, s: float) -> Iterator[Reading]:
    """In which ways v1_bar is made of the partial p of the product and of a cosine or sine."""
    sines = {"": 0.0, "c": c, "-c": -c, "s": s, "-s": -s}
    for sine, value in sines.items():
        if near(bar, p + value):
            yield "p", sine, "+"
        if sine and near(bar, value):
            yield "", sine, "+"
        if sine and near(bar, p * value):
            yield "p", sine, "x"


of_adjoint("sine_derivative_sign")(lambda made: made[1] == "-c")
of_adjoint("sine_for_its_derivative")(lambda made: made[1] in ("s", "-s"))
of_adjoint("branches_multiplied")(lambda made: made[2] == "x")
of_adjoint("adjoint_overwritten")(lambda made: made[1] == "")
of_adjoint("product_branch_missing")(lambda made: made[0] == "")


@FACTS.of("toy_reverse__last_first")
def _(failure: Failure) -> bool:
    x1, x2 = failure.arguments
    bar = numbers(failure.answer)
    return (
        bar.shape == (5,)
        and alike(bar[:3], np.ones(3))
        and not near(bar[4], 1.0)
        and any(near(bar[3], x) for x in (x1, x2))
    )


@FACTS.of("toy_reverse__values_for_adjoints")
def _(failure: Failure) -> bool:
    x1, x2 = failure.arguments
    return alike(numbers(failure.answer)[:4], (x1, x2, x1 * x2, math.sin(x1)))


@FACTS.of("toy_reverse__product_partials_swapped")
def _(failure: Failure) -> bool:
    x1, x2 = failure.arguments
    bar = numbers(failure.answer)
    return bar.shape == (5,) and x1 != x2 and near(bar[1], x2) and alike(bar[2:], np.ones(3))


# ---------------------------------------- q2: local partials

Partials = Callable[[Sequence[float], Array], bool]


def of_op(op: str, *names: str) -> Callable[[Partials], Partials]:
    """Enters a fact about the partials of an op, given its arguments and as many numbers."""

    def enter(holds: Partials) -> Partials:
        def fact(failure: Failure) -> bool:
            asked, args = failure.arguments
            answer = np.atleast_1d(numbers(failure.answer))
            return asked == op and answer.shape == (len(args),) and holds(args, answer)

        FACTS.of(*(f"local_partials__{name}" for name in names))(fact)
        return holds

    return enter


of_op("mul", "product_swapped")(lambda args, d: alike(d, args) and args[0] != args[1])
of_op("sub", "difference_sign")(lambda args, d: alike(d, (1.0, 1.0)))
of_op("cos", "cosine_sign")(lambda args, d: near(d[0], math.sin(args[0])))
of_op("sin", "sine_sign")(lambda args, d: near(d[0], -math.cos(args[0])))


def is_one_of(d: float, *wrong: float) -> bool:
    """Whether a partial is one of the usual wrong ones."""
    return any(near(d, each) for each in wrong)


of_op("sqrt", "root_half_missing")(lambda args, d: is_one_of(d[0], 1 / math.sqrt(args[0]), 2 / math.sqrt(args[0])))
of_op("sqrt", "root_not_inverted")(lambda args, d: is_one_of(d[0], 0.5 * math.sqrt(args[0]), 2 * math.sqrt(args[0])))


def of_tanh(name: str, wrong: Callable[[float, float], Sequence[float]]) -> None:
    """Enters the fact that the partial of tanh is one of these numbers, of its argument and its value."""
    of_op("tanh", name)(lambda args, d: is_one_of(d[0], *wrong(args[0], math.tanh(args[0]))))


of_tanh("tanh_square_missing", lambda a, t: (1 - t, 1 + t, 1 / math.cosh(a)))
of_tanh("tanh_sign", lambda a, t: (1 + t**2, 1 + t, 1 + a**2))
of_tanh("tanh_argument_for_value", lambda a, t: (1 - a**2, 1 + a**2, 1 - a))


@of_op("div", "quotient_swapped")
def _(args: Sequence[float], d: Array) -> bool:
    first = 1 / args[1]
    exchanged = near(d[1], first) and not near(d[0], first) and second_of_a_quotient(args, d[0]) is not None
    return alike(d[::-1], local_partials("div", args)) or exchanged


def second_of_a_quotient(args: Sequence[float], d: float) -> tuple[float, float, float] | None:
    """(sign, power of a, power of b) with d = sign · a^power · b^power, for the usual ways to get d(a/b)/db wrong;
    None for another number, and where they are alike."""
    a, b = args
    found = [
        (sign, p, q) for sign in (1.0, -1.0) for p in (0, 1) for q in (-1, -2) if near(d, sign * a**p * b**q) and a * b
    ]
    return found[0] if len(found) == 1 else None


def of_quotient(name: str, holds: Callable[[tuple[float, float, float]], bool]) -> None:
    """Enters a fact about how the second partial of a quotient is made."""

    @of_op("div", name)
    def _(args: Sequence[float], d: Array) -> bool:
        found = second_of_a_quotient(args, d[1])
        return found is not None and holds(found)


of_quotient("quotient_sign", lambda made: made[0] > 0)
of_quotient("quotient_numerator_missing", lambda made: made[1] == 0)
of_quotient("quotient_square_missing", lambda made: made[2] == -1)


@FACTS.of("local_partials__value_for_derivative")
def _(failure: Failure) -> bool:
    op, args = failure.arguments
    value = {"sin": math.sin, "cos": math.cos, "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh}
    answer = np.atleast_1d(numbers(failure.answer))
    return op in value and answer.shape == (1,) and near(answer[0], value[op](args[0]))


@FACTS.of("local_partials__unknown_op_ignored", "mode_cost__unknown_mode_accepted")
def _(failure: Failure) -> bool:
    return failure.accepted


@FACTS.of("local_partials__leaves_have_one")
def _(failure: Failure) -> bool:
    return failure.arguments[0] in ("const", "input") and numbers(failure.answer).size > 0


@FACTS.of("local_partials__bare_number")
def _(failure: Failure) -> bool:
    return len(failure.arguments[1]) == 1 and numbers(failure.answer).shape == ()


@FACTS.of("local_partials__sum_of_two_only")
def _(failure: Failure) -> bool:
    op, args = failure.arguments
    return op == "add" and len(args) > 2 and (raised(failure, *MISUSES) or numbers(failure.answer).shape == (2,))


@FACTS.of("local_partials__product_divided_by_a_factor")
def _(failure: Failure) -> bool:
    op, args = failure.arguments
    divided = raised(failure, "ZeroDivisionError") or bool(np.isnan(numbers(failure.answer)).any())
    return op == "mul" and 0.0 in list(args) and divided


# ---------------------------------------- q3 and q4: the sweeps


def derivatives(graph: Graph, x: Any, *, most: int | None = None, first: bool = False) -> tuple[list[float], Array]:
    """The value of every node, and the derivative of every node by every node.

    most: as many arguments of a sum count, in its value and its derivative. first: of a repeated argument the first
    partial is the only one.
    """
    if len(graph.nodes) > MOST_NODES:
        raise UnseenError("the graph is too large")
    v = node_values(graph, x) if most is None else _values(graph, x, most)
    by = np.eye(len(graph.nodes))
    for i, node in enumerate(graph.nodes):
        args = node.args[:most] if most is not None and node.op == "add" else node.args
        partials = local_partials(node.op, [v[j] for j in args])
        counted = dict(reversed(list(zip(args, partials, strict=True)))) if first else None
        for j, d in counted.items() if counted is not None else zip(args, partials, strict=True):
            by[i] += d * by[j]
    return v, by


def _values(graph: Graph, x: Any, most: int) -> list[float]:
    cut = [type(node)(node.op, node.args[:most], node.value) if node.op == "add" else node for node in graph.nodes]
    return node_values(Graph(tuple(cut), graph.inputs, graph.outputs), x)


Sweep = Callable[[Graph, Any, Any, Any], int]


def of_tangents(*names: str) -> Callable[[Sweep], Sweep]:
    """Enters a fact about y_dot: of the graph, x, x_dot and the answer."""

    def enter(holds: Sweep) -> Sweep:
        def fact(failure: Failure) -> int:
            graph, x, x_dot = failure.arguments
            answer, right = numbers(failure.answer), numbers(failure.right)
            tangents, v = _tangents(graph, x, x_dot), node_values(graph, x)
            if alike(right, [v[i] for i in graph.outputs]) and not alike(right, tangents):
                return 0  # the check was one of y
            return holds(graph, np.asarray(x, dtype=np.float64), np.asarray(x_dot, dtype=np.float64), answer)

        FACTS.of(*(f"forward_mode__{name}" for name in names))(fact)
        return holds

    return enter


def _jacobian(graph: Graph, x: Any) -> Array:
    return derivatives(graph, x)[1][np.ix_(graph.outputs, graph.inputs)]


def _tangents(graph: Graph, x: Any, x_dot: Any) -> Array:
    return _jacobian(graph, x) @ np.asarray(x_dot, dtype=np.float64)


@of_tangents("direction_ignored")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    J = _jacobian(graph, x)
    right = J @ x_dot
    return any(alike(answer, wrong) for wrong in (J.sum(axis=1), *J.T)) and not alike(answer, right)


@of_tangents("direction_normalised")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    return normalised(multiple(answer, _tangents(graph, x, x_dot)), x_dot)


@of_tangents("values_for_tangents")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    v = node_values(graph, x)
    return answer.size > 1 and alike(answer, [v[i] for i in graph.outputs])


@of_tangents("inputs_in_node_order")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    _, by = derivatives(graph, x)
    wrong = by[np.ix_(graph.outputs, sorted(graph.inputs))] @ x_dot
    return alike(answer, wrong) and not alike(answer, _tangents(graph, x, x_dot))


@of_tangents("constants_move")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    constants = [i for i, node in enumerate(graph.nodes) if node.op == "const"]
    v, by = derivatives(graph, x)
    through = by[np.ix_(graph.outputs, constants)]
    parts = (through @ np.array([v[i] for i in constants]), through @ np.ones(len(constants)))
    more = answer - _tangents(graph, x, x_dot)
    return any(multiple(more, part) and np.linalg.norm(more) > 1e-6 * np.linalg.norm(answer) for part in parts)


@of_tangents("repeated_argument_once")
def _(graph: Graph, x: Any, x_dot: Any, answer: Array) -> bool:
    wrong = derivatives(graph, x, first=True)[1][np.ix_(graph.outputs, graph.inputs)] @ x_dot
    return alike(answer, wrong) and not alike(answer, _tangents(graph, x, x_dot))


def _has_long_sum(graph: Graph) -> bool:
    return any(node.op == "add" and len(node.args) > 2 for node in graph.nodes)


def two_of_a_sum(failure: Failure) -> int:
    """Of a sum of three or more, two count: in the values, in the derivative, or it cannot be computed at all."""
    graph, x, direction = failure.arguments
    if raised(failure, *MISUSES):
        return 1 if _has_long_sum(graph) else -1
    if not failure.answered or not _has_long_sum(graph):
        return 0
    v, by = derivatives(graph, x, most=2)
    J = by[np.ix_(graph.outputs, graph.inputs)]
    wrong = [np.array([v[i] for i in graph.outputs])]
    wrong += [each for each in (J @ direction if len(direction) == J.shape[1] else None,) if each is not None]
    wrong += [each for each in (direction @ J if len(direction) == J.shape[0] else None,) if each is not None]
    answer = numbers(failure.answer)
    return any(alike(answer, each) for each in wrong) and not alike(answer, failure.right)


FACTS.of("forward_mode__sum_of_two_only", "reverse_mode__sum_of_two_only")(two_of_a_sum)


@FACTS.of("forward_mode__outputs_in_node_order")
def _(failure: Failure) -> bool:
    graph, x, x_dot = failure.arguments
    v, by = derivatives(graph, x)
    answer, outputs = numbers(failure.answer), sorted(graph.outputs)
    y, y_dot = [v[i] for i in outputs], by[np.ix_(outputs, graph.inputs)] @ np.asarray(x_dot)
    return outputs != list(graph.outputs) and (alike(answer, y) or alike(answer, y_dot))


def of_cotangents(*names: str) -> Callable[[Sweep], Sweep]:
    """Enters a fact about x_bar: of the graph, the Jacobian, y_bar and the answer."""

    def enter(holds: Sweep) -> Sweep:
        def fact(failure: Failure) -> int:
            graph, x, y_bar = failure.arguments
            bar, J = np.asarray(y_bar, dtype=np.float64), _jacobian(graph, x)
            if failure.right is not None and not alike(failure.right, bar @ J):
                return 0  # the check was one of y
            return holds(graph, J, bar, numbers(failure.answer))

        FACTS.of(*(f"reverse_mode__{name}" for name in names))(fact)
        return holds

    return enter


@of_cotangents("cotangent_ignored")
def _(graph: Graph, J: Array, y_bar: Array, answer: Array) -> int:
    right, ones = y_bar @ J, J.sum(axis=0)
    if alike(answer, right):
        return 0
    # a multiple of the right x_bar: each output has the weight that y_bar gives it
    return 1 if alike(answer, ones) else -1 if multiple(answer, right) and not multiple(right, ones) else 0


@of_cotangents("first_output_only")
def _(graph: Graph, J: Array, y_bar: Array, answer: Array) -> bool:
    alone = [wrong for b, row in zip(y_bar, J, strict=True) for wrong in (b * row, row)]
    if len(set(graph.outputs)) < len(J) or np.count_nonzero(np.any(J, axis=1)) < 2:
        raise UnseenError("one output alone cannot be told from all of them")
    return any(alike(answer, wrong) for wrong in alone) and not alike(answer, y_bar @ J)


FACTS.weak.add("reverse_mode__first_output_only")


@of_cotangents("cotangents_summed")
def _(graph: Graph, J: Array, y_bar: Array, answer: Array) -> bool:
    same = (np.sum(y_bar), np.mean(y_bar), np.max(y_bar), np.linalg.norm(y_bar))
    return len(J) > 1 and any(alike(answer, b * J.sum(axis=0)) for b in same) and not alike(answer, y_bar @ J)


@FACTS.of("reverse_mode__repeated_argument_once")
def _(failure: Failure) -> bool:
    graph, x, y_bar = failure.arguments
    wrong = np.asarray(y_bar) @ derivatives(graph, x, first=True)[1][np.ix_(graph.outputs, graph.inputs)]
    answer = numbers(failure.answer)
    return alike(answer, wrong) and not alike(answer, failure.right)


@of_cotangents("whole_jacobian")
def _(graph: Graph, J: Array, y_bar: Array, answer: Array) -> bool:
    rows = (J, y_bar[:, None] * J)
    return answer.ndim == 2 and any(alike(answer, each) or alike(answer, each.T) for each in rows)


def _unused(graph: Graph) -> list[int]:
    used = {*graph.outputs, *(arg for node in graph.nodes for arg in node.args)}
    return [k for k, i in enumerate(graph.inputs) if i not in used]


@FACTS.of("reverse_mode__unused_input_left_out")
def _(failure: Failure) -> int:
    graph, x, y_bar = failure.arguments
    unused = _unused(graph)
    if raised(failure, "KeyError", "TypeError"):
        return 1 if unused else -1
    if not failure.answered or not unused:
        return 0
    answer = list(failure.answer)
    without = [each for each in answer if each is not None and each == each]
    right = np.delete(np.asarray(y_bar) @ _jacobian(graph, x), unused)
    return len(without) < len(graph.inputs) and alike(without, right)


# ---------------------------------------- q3 and q4: which mistakes a sweep was made with

ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "adjoint_overwritten": ("last", "first", "beside the seed", "by node", "where it is 0"),
    "repeated_argument_once": ("first", "last"),
    "repeated_argument_doubled": ("twice", "square"),
    "cotangents_in_node_order": ("each", "once"),
    "first_output_only": ("first", "last"),
    "repeated_output_once": ("first", "last"),
    "direction_normalised": ("length", "sum", "largest"),
    "outputs_in_node_order": ("each", "once"),
}
"""In which ways some mistakes are made; all others in one."""
OF_A_SWEEP = {
    "forward_mode": (
        "direction_ignored",
        "direction_normalised",
        "constants_move",
        "repeated_argument_once",
        "repeated_argument_doubled",
        "sum_of_two_only",
        "inputs_in_node_order",
        "outputs_in_node_order",
        "repeated_output_once",
    ),
    "reverse_mode": (
        "adjoint_overwritten",
        "repeated_argument_once",
        "repeated_argument_doubled",
        "sum_of_two_only",
        "cotangent_ignored",
        "cotangents_summed",
        "cotangents_in_node_order",
        "ends_for_outputs",
        "first_output_only",
        "repeated_output_once",
        "output_keeps_its_seed",
        "inner_seed_lost",
        "nodes_in_forward_order",
        "inputs_in_node_order",
    ),
}
Slopes = list[list[tuple[int, float]]]
"""Of each node its arguments, each with the partial."""
Mistaken = dict[str, str]
"""The mistakes that a sweep is made with, each with the way."""


def slopes_of(graph: Graph, x: Any) -> Slopes:
    """What the sweeps are made of."""
    v = node_values(graph, x)
    partials = [local_partials(node.op, [v[j] for j in node.args]) for node in graph.nodes]
    return [list(zip(node.args, d, strict=True)) for node, d in zip(graph.nodes, partials, strict=True)]


def counted(graph: Graph, slopes: Slopes, values: Sequence[float], made: Mistaken) -> Slopes:
    """The same with those mistakes that are about the arguments of one node."""
    found: Slopes = []
    for node, pairs in zip(graph.nodes, slopes, strict=True):
        if "sum_of_two_only" in made and node.op == "add":
            pairs = pairs[:2]
        if len({j for j, _ in pairs}) < len(pairs):
            once = made.get("repeated_argument_once")
            if once is not None:
                pairs = list(dict(pairs if once == "last" else reversed(pairs)).items())
            elif "repeated_argument_doubled" in made and len(pairs) == 2:
                (j, d), _ = pairs
                pairs = [(j, 2 * (values[j] if made["repeated_argument_doubled"] == "square" else d))]
        found.append(pairs)
    return found


def tangents_made(graph: Graph, slopes: Slopes, x_dot: Array, made: Mistaken) -> Array:
    """y_dot as a forward sweep with these mistakes makes it."""
    t = np.asarray(x_dot, dtype=np.float64)
    lengths = {"length": np.linalg.norm(t), "sum": np.sum(np.abs(t)), "largest": np.max(np.abs(t), initial=0.0)}
    if "direction_normalised" in made:
        t = t / (lengths[made["direction_normalised"]] or 1.0)
    if "direction_ignored" in made:
        t = np.ones(len(t))
    dot = [float("constants_move" in made and node.op == "const") for node in graph.nodes]
    for i, each in zip(sorted(graph.inputs) if "inputs_in_node_order" in made else graph.inputs, t, strict=True):
        dot[i] = float(each)
    for i, pairs in enumerate(slopes):
        if pairs:
            dot[i] = sum(d * dot[j] for j, d in pairs)
    outputs = list(graph.outputs)
    if "outputs_in_node_order" in made:
        outputs = sorted(set(outputs) if made["outputs_in_node_order"] == "once" else outputs)
    if "repeated_output_once" in made:
        outputs = list(dict.fromkeys(outputs))
    return np.array([dot[i] for i in outputs])


def seeds_made(graph: Graph, y_bar: Array, made: Mistaken) -> dict[int, float]:
    """The adjoints that a reverse sweep begins with, by node."""
    bars, outputs = [float(each) for each in y_bar], list(graph.outputs)
    used = {arg for node in graph.nodes for arg in node.args}
    if "cotangent_ignored" in made:
        bars = [1.0] * len(bars)
    if "cotangents_summed" in made:
        bars = [float(np.sum(y_bar))] * len(bars)
    if "cotangents_in_node_order" in made:
        outputs = sorted(set(outputs) if made["cotangents_in_node_order"] == "once" else outputs)
    if "ends_for_outputs" in made:
        outputs = [i for i in range(len(graph.nodes)) if i not in used]
    pairs = list(zip(outputs, bars, strict=False))
    if "first_output_only" in made:
        pairs = pairs[:1] if made["first_output_only"] == "first" else pairs[-1:]
    seeds: dict[int, float] = {}
    once = made.get("repeated_output_once")
    for i, bar in reversed(pairs) if once == "first" else pairs:
        seeds[i] = bar + (0.0 if once else seeds.get(i, 0.0))
    if "inner_seed_lost" in made:
        seeds = {i: bar for i, bar in seeds.items() if i not in used}
    return seeds


def adjoints_made(graph: Graph, slopes: Slopes, y_bar: Array, made: Mistaken) -> Array:
    """x_bar as a reverse sweep with these mistakes makes it."""
    seeds = seeds_made(graph, y_bar, made)
    bar = [seeds.get(i, 0.0) for i in range(len(graph.nodes))]
    how, written = made.get("adjoint_overwritten", ""), set[int]()
    order = range(len(graph.nodes))
    for i in order if "nodes_in_forward_order" in made else reversed(order):
        if "output_keeps_its_seed" in made and i in seeds:
            bar[i] = seeds[i]
        own: dict[int, float] = {}
        for j, d in slopes[i]:
            given = d * bar[i]
            own[j] = own.get(j, 0.0) + given
            if how == "last":
                bar[j] = given
            elif how == "by node":
                bar[j] = own[j]
            elif how == "beside the seed":
                bar[j] = seeds.get(j, 0.0) + given
            elif (how == "first" and j in written) or (how == "where it is 0" and bar[j]):
                continue
            else:
                bar[j] += given
            written.add(j)
    return np.array([bar[i] for i in (sorted(graph.inputs) if "inputs_in_node_order" in made else graph.inputs)])


SWEEPS = {"forward_mode": tangents_made, "reverse_mode": adjoints_made}


def ways_of(function: str) -> list[Mistaken]:
    """One mistake, in one way."""
    return [{name: way} for name in OF_A_SWEEP[function] for way in ALTERNATIVES.get(name, ("",))]


_readings: dict[int, tuple[Failure, list[set[str]]]] = {}
"""Of the last failures that were looked at."""


def readings(failure: Failure, function: str) -> list[set[str]]:
    """The fewest known mistakes, one or two, with which a sweep gives the derivatives that were answered: all such
    sets. Each of two matters, for neither alone is enough."""
    known = _readings.get(id(failure))
    if known is not None and known[0] is failure:
        return known[1]
    graph, x, direction = failure.arguments
    if len(graph.nodes) > MOST_NODES:
        raise UnseenError("the graph is too large")
    if len(_readings) > 50:
        _readings.clear()
    found = _read(graph, x, np.asarray(direction, dtype=np.float64), failure, function)
    _readings[id(failure)] = (failure, found)
    return found


def _read(graph: Graph, x: Any, direction: Array, failure: Failure, function: str) -> list[set[str]]:
    answer, slopes, values = numbers(failure.answer), slopes_of(graph, x), node_values(graph, x)
    sweep = SWEEPS[function]
    if answer.ndim != 1:
        return []
    right = sweep(graph, slopes, direction, {})
    if failure.right is not None and not alike(failure.right, right, 1e-7):
        return []  # the check was one of y
    if np.count_nonzero(answer) < 2:
        raise UnseenError("many mistakes may agree on one number")
    ways = ways_of(function)
    pairs = [one | other for one, other in combinations(ways, 2) if one.keys() != other.keys()]
    for several in (ways, pairs):
        found = [
            set(made)
            for made in several
            if alike(answer, sweep(graph, counted(graph, slopes, values, made), direction, made))
        ]
        if found:
            return found
    return []


def of_sweep(function: str, name: str) -> None:
    """Enters the fact that all readings of the derivatives have this mistake."""

    @FACTS.also(f"{function}__{name}")
    def _(failure: Failure) -> bool:
        found = readings(failure, function)
        return bool(found) and all(name in each for each in found)


for _function, _mistakes in OF_A_SWEEP.items():
    for _mistake in _mistakes:
        of_sweep(_function, _mistake)


def of_shape(function: str) -> None:
    """Enters facts about answers of either sweep with other entries than asked for, or with its parts exchanged."""

    def asked(failure: Failure) -> tuple[Graph, Array, list[float], Array, Array]:
        """The graph, y, the values of all nodes, the right derivatives, and the answer."""
        graph, x, direction = failure.arguments
        if len(graph.nodes) > MOST_NODES:
            raise UnseenError("the graph is too large")
        sweep = SWEEPS[function]
        v = node_values(graph, x)
        right = sweep(graph, slopes_of(graph, x), np.asarray(direction, dtype=np.float64), {})
        return graph, np.array([v[i] for i in graph.outputs]), v, right, numbers(failure.answer)

    @FACTS.also(f"{function}__parts_swapped")
    def _(failure: Failure) -> bool:
        _, y, _, right, answer = asked(failure)
        if failure.right is None:
            of_y = function == "reverse_mode" and answer.shape == right.shape
        else:
            of_y = alike(failure.right, y)
        if not of_y or alike(answer, y) or not np.any(answer):
            return False
        graph, x, direction = failure.arguments
        sweep, slopes = SWEEPS[function], slopes_of(graph, x)
        bar = np.asarray(direction, dtype=np.float64)
        ways: list[Mistaken] = [{}, *ways_of(function)]
        values = node_values(graph, x)
        return any(alike(answer, sweep(graph, counted(graph, slopes, values, made), bar, made)) for made in ways)

    @FACTS.also(f"{function}__every_node")
    def _(failure: Failure) -> bool:
        graph, _, v, right, answer = asked(failure)
        where = graph.outputs if function == "forward_mode" else graph.inputs
        if answer.shape != (len(graph.nodes),) or len(graph.nodes) == len(where) or failure.right is not None:
            return False
        return (function == "forward_mode" and alike(answer, v)) or alike(answer[list(where)], right)

    @FACTS.also(f"{function}__repeated_output_once")
    def _(failure: Failure) -> bool:
        graph, _, v, _, answer = asked(failure)
        once = set(graph.outputs)
        return (
            function == "forward_mode"
            and answer.shape == (len(once),)
            and len(once) < len(graph.outputs)
            and alike(np.sort(answer), np.sort([v[i] for i in once]))
        )


of_shape("forward_mode")
of_shape("reverse_mode")


@FACTS.also("forward_mode__outputs_in_node_order")
def _(failure: Failure) -> bool:
    graph, x, _ = failure.arguments
    v, outputs = node_values(graph, x), sorted(set(graph.outputs))
    in_their_order = list(dict.fromkeys(graph.outputs))
    return outputs != in_their_order and alike(numbers(failure.answer), [v[i] for i in outputs])


@FACTS.also("forward_mode__inputs_in_node_order")
def _(failure: Failure) -> bool:
    graph, x, _ = failure.arguments
    v = node_values(graph, x)
    moved = node_values(Graph(graph.nodes, tuple(sorted(graph.inputs)), graph.outputs), x)
    y, wrong = ([each[i] for i in graph.outputs] for each in (v, moved))
    return len(y) > 1 and alike(numbers(failure.answer), wrong) and not alike(y, wrong)


@FACTS.also("forward_mode__pair_for_each_output")
def _(failure: Failure) -> bool:
    graph, x, x_dot = failure.arguments
    answer, v = numbers(failure.answer), node_values(graph, x)
    y, y_dot = np.array([v[i] for i in graph.outputs]), _tangents(graph, x, x_dot)
    if answer.shape == (2,) and len(y) == 2:  # the first pair, in the place of y
        return alike(answer, (y[0], y_dot[0])) and not alike(answer, y)
    return answer.shape == (len(y), 2) and len(y) != 2 and alike(answer[:, 0], y)


@FACTS.also("forward_mode__constants_move")
def _(failure: Failure) -> bool:
    """Some constants have the tangent 1, or their own value, the others 0."""
    graph, x, x_dot = failure.arguments
    v, by = derivatives(graph, x)
    answer, right = numbers(failure.answer), by[np.ix_(graph.outputs, graph.inputs)] @ np.asarray(x_dot)
    if answer.shape != right.shape or not alike(failure.right, right, 1e-7):
        return False
    constants = [i for i, node in enumerate(graph.nodes) if node.op == "const"]
    others = [k for k, i in enumerate(graph.outputs) if i not in constants]
    if len(others) < len(answer) and others and alike(answer[others], right[others]):
        return not alike(answer, right)
    subsets = [each for k in range(1, len(constants)) for each in combinations(constants, k)][:50]
    return any(
        alike(answer, right + by[np.ix_(graph.outputs, some)] @ tangents) and not alike(answer, right)
        for some in subsets
        for tangents in (np.ones(len(some)), np.array([v[i] for i in some]))
    )


@FACTS.also("reverse_mode__constants_in_x_bar")
def _(failure: Failure) -> bool:
    """As many entries as there are inputs and constants, with those of the inputs among them, in any order."""
    graph, x, y_bar = failure.arguments
    answer, right = numbers(failure.answer), np.asarray(y_bar) @ _jacobian(graph, x)
    leaves = [i for i, node in enumerate(graph.nodes) if node.op in ("const", "input")]
    if len(leaves) == len(graph.inputs) or answer.shape != (len(leaves),):
        return False
    entries = answer.tolist()
    return all(any(near(entry, each) for entry in entries) for each in right)


# ---------------------------------------- q6: closed forms

Made = tuple[int, str, str, str]
"""The sign, and which factors stand left, in the middle and right: X^-1, its transpose, or none."""


def made_of(A: Array, B: Array, X: Array, answer: Array) -> Iterator[Made]:
    """In which ways the answer is a product like -X^-T A^T B^T X^-T."""
    Y, I = np.linalg.inv(X), np.eye(len(X))  # noqa: E741 (the identity)
    outer = {"Y": Y, "Y^T": Y.T, "": I}
    middle = {"A^T B^T": A.T @ B.T, "B A": B @ A}
    if len(A) == len(X):
        middle |= {"B^T A^T": B.T @ A.T, "A B": A @ B}
    for left, mid, right in product(outer, middle, outer):
        c = multiple(answer, outer[left] @ middle[mid] @ outer[right])
        if near(abs(c), 1.0):
            yield int(np.sign(c)), left, mid, right


def of_trace(name: str, holds: Callable[[Made], bool]) -> None:
    """Enters a fact about the product that was answered, whichever way it is read."""

    @FACTS.of(f"trace_inverse_gradient__{name}")
    def _(failure: Failure) -> bool:
        A, B, X = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
        found = list(made_of(A, B, X, numbers(failure.answer)))
        return bool(found) and all(holds(made) for made in found)


of_trace("sign", lambda made: made[0] > 0)
of_trace("transposed", lambda made: made[1:] == ("Y", "B A", "Y"))
of_trace("one_inverse", lambda made: (made[1] == "") != (made[3] == ""))
of_trace("a_b_not_transposed", lambda made: made[2] in ("B A", "A B") and made[1] == made[3] == "Y^T")
of_trace("a_and_b_swapped", lambda made: made[2] == "B^T A^T" or made[1:] == ("Y^T", "B A", "Y^T"))
of_trace("transposes_swapped", lambda made: made[1:] == ("Y^T", "B^T A^T", "Y^T"))
of_trace("inverse_not_transposed", lambda made: made[2] in ("A^T B^T", "B^T A^T") and made[1] == made[3] == "Y")
of_trace("right_inverse_not_transposed", lambda made: made[1:] == ("Y^T", "A^T B^T", "Y"))


@FACTS.of("cubic_norm_hessian__gradient")
def _(failure: Failure) -> bool:
    x = np.asarray(failure.arguments[0], dtype=np.float64)
    return bool(np.any(x)) and x.size > 1 and alike(np.squeeze(numbers(failure.answer)), np.linalg.norm(x) * x)


def of_hessian(mistake: str, holds: Callable[[dict[str, float], float], bool]) -> Fact:
    """A fact about the Hessian of 1/3 ||x||^3, of its parts and the length of x."""

    def fact(failure: Failure) -> bool:
        x = np.asarray(failure.arguments[0], dtype=np.float64)
        if x.size == 1:
            raise UnseenError("in one dimension nothing can be told apart")
        answer = failure.answer
        found = hessian_parts(x, answer)
        return found is not None and holds(found, float(np.linalg.norm(x)))

    return FACTS.of(f"cubic_norm_hessian__{mistake}")(fact)


def only_two(c: dict[str, float]) -> bool:
    """Whether nothing but x x^T and I is in it."""
    return is_none(c["ones"]) and is_none(c["diagonal"])


def is_round(t: float) -> bool:
    """Whether somebody would write this number: 1, 2 or 5 with a power of ten, or what a float is right to."""
    if not 0 < t < 1:
        return False
    eps = float(np.finfo(np.float64).eps)
    written = [k * 10.0 ** round(math.log10(t) + shift) for k in (1, 2, 5) for shift in (-1, 0)]
    return any(near(t, each, 1e-6) for each in (*written, eps, math.sqrt(eps)))


def shifted_norm(c: dict[str, float], r: float) -> float:
    """The number, larger than r, that stands for ||x|| in both terms; 0 where there is none."""
    there = only_two(c) and c["I"] > 1 + 1e-11 and c["x x^T"] > 0 and near(c["I"] - 1, 1 / c["x x^T"] - 1, 1e-3)
    return c["I"] * r if there else 0.0


def norm_regularised(c: dict[str, float], r: float) -> bool:
    """In the denominator alone, or in both terms; not where a number under the root explains it better."""
    there = shifted_norm(c, r)
    if there:
        return not is_round(there**2 - r**2) or is_round(there - r) or is_round(there)
    only_there = near(c["I"], 1.0) and only_two(c) and 1e-9 < c["x x^T"] < 1 - 1e-12
    return only_there and (r < 1e-5 or is_round(r / c["x x^T"] - r))


def root_regularised(c: dict[str, float], r: float) -> bool:
    there = shifted_norm(c, r)
    by_the_norm = is_round(there - r) or is_round(there)
    return there > 0 and (is_round(there**2 - r**2) or not by_the_norm)


HESSIANS: dict[str, Callable[[dict[str, float], float], bool]] = {
    "outer_product_missing": lambda c, r: is_none(c["x x^T"]) and only_two(c) and not is_none(c["I"]),
    "identity_missing": lambda c, r: is_none(c["I"]) and only_two(c) and not is_none(c["x x^T"]),
    "identity_forgotten": lambda c, r: is_none(c["I"]) and near(c["ones"], 1.0),
    "not_divided": lambda c, r: near(c["x x^T"], r) and not near(r, 1.0),
    "divided_by_the_square": lambda c, r: not near(r, 1.0) and (near(c["x x^T"], 1 / r) or near(c["x x^T"], 1 / r**2)),
    "outer_product_sign": lambda c, r: c["x x^T"] < -1e-9,
    "third_missing": lambda c, r: near(c["x x^T"], 3.0) or near(c["I"], 3.0),
    "norm_regularised": norm_regularised,
    "root_regularised": root_regularised,
}
for _mistake, _holds in HESSIANS.items():
    of_hessian(_mistake, _holds)


@FACTS.also("cubic_norm_hessian__norm_regularised", "cubic_norm_hessian__root_regularised")
def _(failure: Failure) -> bool:
    """At x = 0 a small multiple of the identity: something small stands there for the norm."""
    x, H = np.asarray(failure.arguments[0]), numbers(failure.answer)
    if np.any(x):
        raise UnseenError("x is not 0")
    if H.shape != (len(x), len(x)):
        return False
    return 0.0 < H[0, 0] < 1e-1 and np.array_equal(H, H[0, 0] * np.eye(len(x)))


@FACTS.of("cubic_norm_hessian__small_taken_for_zero")
def _(failure: Failure) -> int:
    if not failure.answered or np.any(numbers(failure.answer)):
        return 0
    size = float(np.linalg.norm(failure.arguments[0]))
    return 1 if 0 < size < 1e-5 else -1 if size else 0


@FACTS.of("cubic_norm_hessian__nan_at_zero")
def _(failure: Failure) -> int:
    at_zero = not np.any(failure.arguments[0])
    if raised(failure, "ZeroDivisionError", "FloatingPointError"):
        return 1 if at_zero else -1
    return at_zero and bool(np.isnan(numbers(failure.answer)).any())


# ---------------------------------------- q7: elimination orders


def order_of(failure: Failure) -> tuple[Graph, list[int]]:
    """The graph, and the order that was answered."""
    answer = np.asarray(failure.answer)
    if answer.ndim != 1 or answer.dtype.kind not in "iu":
        raise ValueError("the answer is not an order")
    return failure.arguments[0], [int(vertex) for vertex in answer]


@FACTS.of("elimination_order__greedy_alone")
def _(failure: Failure) -> bool:
    graph, order = order_of(failure)
    left = linearise(graph)
    vertices = set(left.intermediates)
    if set(order) != vertices or len(order) < 3:
        return False
    for vertex in order:
        if markowitz_count(left, vertex) > min(markowitz_count(left, v) for v in vertices):
            return False
        vertices.remove(vertex)
        eliminate(left, vertex)
    return True


@FACTS.of("elimination_order__better_of_two", weak=True)
def _(failure: Failure) -> int:
    """The cheaper of the two orders; an order that is the dearer one speaks against it."""
    graph, order = order_of(failure)
    forward = list(linearise(graph).intermediates)
    if order not in (forward, forward[::-1]):
        return 0
    costs = [elimination_cost(graph, each) for each in (order, order[::-1])]
    if costs[0] == costs[1]:
        raise UnseenError("the two cost the same")
    return 1 if costs[0] < costs[1] else -1


@FACTS.of("elimination_order__counted_once", weak=True)
def _(failure: Failure) -> bool:
    graph, order = order_of(failure)
    left = linearise(graph)
    if set(order) != set(left.intermediates) or sorted(order) in (order, order[::-1]):
        return False
    before = [len(left.predecessors[v]) for v in order]
    after = [len(left.successors[v]) for v in order]
    for count in (np.multiply(before, after), np.add(before, after), np.array(before), np.array(after)):
        steps = np.diff(count)
        if len(set(count)) > 2 and (np.all(steps >= 0) or np.all(steps <= 0)):
            return True
    return False


@FACTS.of("elimination_order__every_node")
def _(failure: Failure) -> bool:
    graph, order = order_of(failure)
    more = set(order) - set(linearise(graph).intermediates)
    return bool(more) and more <= {*graph.inputs, *graph.outputs} and set(linearise(graph).intermediates) <= set(order)


@FACTS.of("elimination_order__inner_outputs_left_out")
def _(failure: Failure) -> bool:
    graph, order = order_of(failure)
    vertices = set(linearise(graph).intermediates)
    inner = vertices & set(graph.outputs)
    return bool(inner) and set(order) == vertices - inner


@FACTS.of("elimination_order__counted_from_one")
def _(failure: Failure) -> bool:
    graph, order = order_of(failure)
    vertices = set(linearise(graph).intermediates)
    return set(order) == {v + 1 for v in vertices} != vertices


# ---------------------------------------- q8: a test that catches bugs


def spoiled(failure: Failure) -> str:
    """How the implementation was spoiled that is_right was handed last; empty where it is another one."""
    return getattr(failure.arguments[0], "spoiled", "")


STILL_RIGHT = ("", "lists", "tuples of whole numbers")
"""Of the ways to spoil an implementation those after which it is as right as before."""


def let_through(failure: Failure) -> bool:
    """Whether a wrong implementation was let through, or a right one refused; UnseenError without such a verdict."""
    if failure.kinds:
        raise UnseenError("there is no verdict")
    given = failure.arguments[0]
    if given.program is None:
        return given.spoiled not in STILL_RIGHT
    return given.program not in styles().values()


@lru_cache
def styles() -> dict[str, Program]:
    """The right implementations."""
    return import_module("reference.inputs.ad_modes").right_styles()


@lru_cache
def kinds_of_mistakes() -> dict[Program, tuple[str, str]]:
    """The wrong implementations, each with its kind and what a test must have asked to notice it."""
    kinds = import_module("reference.inputs.ad_modes").wrong_kinds()
    return {program: (kind, wrong.without) for kind, wrong in kinds.items() for program in wrong.programs}


NEVER_ASKED = {
    "cotangents_but_one": "cotangents_of_one",
    "several_outputs": "one_output",
    "inner_outputs": "no_inner_output",
    "listed_twice": "no_output_twice",
    "unused_inputs": "every_input_used",
    "repeats_in_products": "no_repeated_factor",
    "repeats_in_differences": "squares_alone",
}
"""What a test did not ask, and the mistake that it is."""


def not_asked(failure: Failure) -> set[str]:
    """What the test should have asked to notice this wrong implementation, and did not; empty where it has asked that,
    and where a right one was refused."""
    if not let_through(failure):
        return set()
    given, asked = failure.arguments[0], failure.arguments[0].asked
    kind, without = kinds_of_mistakes().get(given.program, ("", ""))
    needed = {
        "cotangents ignored": ["cotangents_but_one"],
        "first output only": ["several_outputs", "cotangents_but_one"],
        "unused inputs left out": ["unused_inputs"],
    }.get(given.spoiled, [without] if without else [])
    if kind == "cotangents":
        needed = [*needed, "cotangents_but_one"]
    if kind == "repeated in differences":
        needed = [*needed, "repeats_in_products"]
    if kind == "errors" or (kind == "entries" and "unused_input_left_out" in given.program.name):
        needed = ["unused_inputs"]
    return {name for name in needed if not getattr(asked, name)}


def of_test(name: str, mistake: str) -> None:
    """Enters the fact that a wrong implementation is let through, and that nothing was asked by which it is seen."""

    @FACTS.of(f"is_right__{mistake}")
    def _(failure: Failure) -> bool:
        missing = not_asked(failure)
        if "repeats_in_products" in missing:
            missing -= {"repeats_in_differences"}  # there are no factors, either
        return failure.arguments[0].asked.anything and name in missing


for _name, _mistake in NEVER_ASKED.items():
    of_test(_name, _mistake)


@FACTS.of("is_right__toy_graph_alone")
def _(failure: Failure) -> bool:
    asked = failure.arguments[0].asked
    more = (asked.repeats_in_products, asked.repeats_in_differences, asked.several_outputs, asked.unused_inputs)
    return bool(not_asked(failure)) and asked.anything and not any(more)


@FACTS.of("is_right__errors_not_caught")
def _(failure: Failure) -> bool:
    ended = spoiled(failure) == "nothing" and raised(failure, "TypeError", "ValueError", "AttributeError")
    return ended or raised(failure, "ImplementationError")


@FACTS.of("is_right__values_ignored")
def _(failure: Failure) -> bool:
    return spoiled(failure) == "without values" and not failure.kinds  # it said True, to this one and the right one


@FACTS.of("is_right__adjoints_ignored", weak=True)
def _(failure: Failure) -> bool:
    """One that ignores the cotangents is let through, though other ones than 1 were asked about."""
    if spoiled(failure) in ("cotangents ignored", "first output only"):
        return let_through(failure) and not not_asked(failure)
    if let_through(failure):
        raise UnseenError("there are more reasons")
    return False


@FACTS.of("is_right__sizes_compared", weak=True)
def _(failure: Failure) -> bool:
    """The one with the wrong sign is let through, and none whose numbers are of another size."""
    if spoiled(failure) == "negated":
        return let_through(failure)
    if let_through(failure) and (not_asked(failure) or not spoiled(failure)):
        raise UnseenError("there are more reasons")
    return False


@FACTS.of("is_right__lengths_not_compared")
def _(failure: Failure) -> bool:
    return spoiled(failure) == "unused inputs left out" and let_through(failure) and not not_asked(failure)


@FACTS.of("is_right__exactly_equal", weak=True)
def _(failure: Failure) -> bool:
    """Right numbers are refused in lists, too, if they are not rounded as the reference's are."""
    if let_through(failure):
        raise UnseenError("this is about right ones")
    given = failure.arguments[0]
    if given.program is None and given.spoiled == "lists":
        return True
    if given.program == styles()["lists"]:
        return False
    raise UnseenError("the numbers may be rounded as the reference's are, or not be in lists")


@FACTS.of("is_right__lists_alone", weak=True)
def _(failure: Failure) -> bool:
    """No right implementation is refused that returns lists."""
    if let_through(failure):
        raise UnseenError("this is about right ones")
    given = failure.arguments[0]
    in_arrays = (given.program is None and given.spoiled == "") or given.program == styles()["arrays"]
    in_tuples = given.spoiled == "tuples of whole numbers" or given.program == styles()["whole numbers"]
    return in_arrays or in_tuples


# ---------------------------------------- recursion


def recursion(failure: Failure) -> bool:
    """Python's recursion limit was reached on a graph that is that deep."""
    return raised(failure, "RecursionError") and len(failure.arguments[0].nodes) > 900


FACTS.of("forward_mode__recursive", "reverse_mode__recursive")(recursion)

# ---------------------------------------- q5: cost

OF_A_COST = (
    "nodes_counted",
    "nodes_counted, without inputs",
    "nodes_counted, without constants",
    "operations_counted",
    "constants_counted",
    "repeated_edges_once",
    "useless_edges_left_out",
    "modes_swapped",
    "single_sweep",
    "repeated_outputs_once",
    "used_inputs_only",
    "used_inputs_only, outputs too",
)
"""The mistakes that a cost can be made with, some of them in more than one way."""


def mistakes_of(made: frozenset[str]) -> set[str]:
    """Their names in the catalogue."""
    return {each.partition(",")[0] for each in made}


def edges_made(graph: Graph, made: frozenset[str]) -> int:
    """What is taken for the number of edges."""
    ops = [node.op for node in graph.nodes]
    counts = {
        "nodes_counted": len(ops),
        "nodes_counted, without inputs": len(ops) - ops.count("input"),
        "nodes_counted, without constants": len(ops) - ops.count("const"),
        "operations_counted": sum(bool(node.args) for node in graph.nodes),
    }
    for name, count in counts.items():
        if name in made:
            return count
    needed = set(graph.outputs)
    for i in reversed(range(len(ops))):
        if i in needed or "useless_edges_left_out" not in made:
            needed.add(i)
            needed.update(graph.nodes[i].args)
    edges = [(arg, i) for i in sorted(needed) for arg in graph.nodes[i].args]
    edges = [edge for edge in edges if ops[edge[0]] != "const" or "constants_counted" in made]
    return len(set(edges)) if "repeated_edges_once" in made else len(edges)


def sweeps_made(graph: Graph, mode: str, made: frozenset[str]) -> int:
    """What is taken for the number of sweeps."""
    used = {arg for node in graph.nodes for arg in node.args}
    if "used_inputs_only, outputs too" in made:
        used.update(graph.outputs)
    inputs, outputs = list(graph.inputs), list(graph.outputs)
    if "used_inputs_only" in mistakes_of(made):
        inputs = [i for i in inputs if i in used]
    if "repeated_outputs_once" in made:
        outputs = list(set(outputs))
    if "single_sweep" in made:
        return 1
    return len(inputs if (mode == "forward") is not ("modes_swapped" in made) else outputs)


def of_cost(name: str) -> None:
    """Enters the fact that the cost can be read only so, with one mistake or with two of which both are needed."""

    def fact(failure: Failure) -> bool:
        if len(failure.arguments) != 2 or failure.accepted or not failure.answered:
            raise UnseenError("no cost was asked for")
        graph, mode = failure.arguments
        if len(graph.nodes) > MOST_NODES:
            raise UnseenError("the graph is too large")
        answer = failure.answer

        def is_made(made: frozenset[str]) -> bool:
            return edges_made(graph, made) * sweeps_made(graph, mode, made) == answer

        several = [frozenset(each) for count in (1, 2) for each in combinations(OF_A_COST, count)]
        found: list[frozenset[str]] = []
        for made in several:
            if is_made(made) and not any(fewer < made for fewer in found):
                found.append(made)
        there = [name in mistakes_of(made) for made in found]
        if there and all(there):
            return True
        if any(there) or any(is_made(made | {name}) for made in found):
            raise UnseenError("there are other readings, or it makes no difference here")
        return False

    FACTS.of(f"mode_cost__{name}", weak=True)(fact)


for _name in dict.fromkeys(each.partition(",")[0] for each in OF_A_COST):
    of_cost(_name)


@FACTS.of("mode_cost__mode_guessed")
def _(failure: Failure) -> bool:
    return failure.accepted and failure.arguments[1] not in ("sideways", "either")


Choice = Callable[[str, str], bool]


def of_choice(name: str, holds: Choice) -> None:
    """Enters a fact about the mode that was chosen, and the right one, of a graph with edges."""

    @FACTS.of(f"choose_mode__{name}")
    def _(failure: Failure) -> bool:
        (graph,) = failure.arguments
        if not any(node.args for node in graph.nodes):
            raise UnseenError("without edges there are other reasons")
        return holds(str(failure.answer), choose_mode(graph))


of_choice("tie_is_forward", lambda chosen, right: (chosen, right) == ("forward", "either"))
of_choice("tie_is_reverse", lambda chosen, right: (chosen, right) == ("reverse", "either"))


@FACTS.of("choose_mode__dearer_mode", weak=True)
def _(failure: Failure) -> bool:
    (graph,) = failure.arguments
    chosen = str(failure.answer)
    if not any(node.args for node in graph.nodes) and chosen != by_sweeps(graph):
        raise UnseenError("no mode is dearer")
    return {chosen, choose_mode(graph)} == {"forward", "reverse"}


def by_sweeps(graph: Graph) -> str:
    """The mode that takes fewer sweeps."""
    return "forward" if len(graph.inputs) < len(graph.outputs) else "reverse"


@FACTS.of("choose_mode__sweeps_compared")
def _(failure: Failure) -> bool:
    (graph,) = failure.arguments
    return not any(node.args for node in graph.nodes) and str(failure.answer) == by_sweeps(graph)
