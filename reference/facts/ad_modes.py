"""Facts about answers of `ad_modes`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from adkit.checks import Failure
from adkit.elimination import eliminate, linearise
from adkit.graph import Graph

from reference.ad_modes import local_partials, markowitz_count, node_values
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
    return all(near(t[k], v[k]) for k in (2, 3, 4))


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
    return tuple(t[:2]) in {(1.0, 0.0), (1.0, 1.0), (0.0, 1.0)} and not alike(t[:2], asked[2:])


@of_pairs("direction_normalised")
def _(asked: tuple[float, ...], v: Array, t: Array) -> bool:
    return normalised(multiple(t[:2], asked[2:]), asked[2:])


def of_adjoint(*names: str) -> Callable[[Callable[..., bool]], Callable[..., bool]]:
    """Enters a fact about v1_bar: given it, what comes back through the product and through the sine, and the sine.

    Where the partials of the product are swapped, the first of them is the other one.
    """

    def enter(holds: Callable[..., bool]) -> Callable[..., bool]:
        def fact(failure: Failure) -> bool:
            x1, x2 = failure.arguments
            bar = numbers(failure.answer)
            if bar.shape != (5,) or not alike(bar[2:], np.ones(3)) or x1 == x2:
                return False
            swapped = near(bar[1], x2)
            return (swapped or near(bar[1], x1)) and holds(bar[0], x1 if swapped else x2, math.cos(x1), math.sin(x1))

        FACTS.of(*(f"toy_reverse__{name}" for name in names))(fact)
        return holds

    return enter


of_adjoint("sine_derivative_sign")(lambda bar, p, c, s: near(bar, p - c))
of_adjoint("sine_for_its_derivative")(lambda bar, p, c, s: near(bar, p + s) or near(bar, p - s))
of_adjoint("branches_multiplied")(lambda bar, p, c, s: near(bar, p * c) and not near(bar, p) and not near(bar, c))
of_adjoint("adjoint_overwritten")(lambda bar, p, c, s: near(bar, p) and p != 0)
of_adjoint("product_branch_missing")(lambda bar, p, c, s: near(bar, c) and p != 0)


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
of_op("sqrt", "root_half_missing")(lambda args, d: near(d[0], 1 / math.sqrt(args[0])))
of_op("sqrt", "root_not_inverted")(lambda args, d: near(d[0], 0.5 * math.sqrt(args[0])))
of_op("tanh", "tanh_square_missing")(lambda args, d: near(d[0], 1 - math.tanh(args[0])))
of_op("tanh", "tanh_sign")(lambda args, d: near(d[0], 1 + math.tanh(args[0]) ** 2))
of_op("tanh", "tanh_argument_for_value")(lambda args, d: near(d[0], 1 - args[0] ** 2))


@of_op("div", "quotient_swapped")
def _(args: Sequence[float], d: Array) -> bool:
    return alike(d[::-1], local_partials("div", args))


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
def _(graph: Graph, J: Array, y_bar: Array, answer: Array) -> bool:
    return alike(answer, J.sum(axis=0)) and not alike(answer, y_bar @ J)


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
of_trace("a_b_not_transposed", lambda made: made[1:] == ("Y^T", "B A", "Y^T"))
of_trace("transposes_swapped", lambda made: made[1:] == ("Y^T", "B^T A^T", "Y^T"))
of_trace("inverse_not_transposed", lambda made: made[1:] == ("Y", "A^T B^T", "Y"))
of_trace("right_inverse_not_transposed", lambda made: made[1:] == ("Y^T", "A^T B^T", "Y"))


def of_hessian(mistake: str, holds: Callable[[dict[str, float], float], bool]) -> Fact:
    """A fact about the Hessian of 1/3 ||x||^3, of its parts and the length of x."""

    def fact(failure: Failure) -> bool:
        x = np.asarray(failure.arguments[0], dtype=np.float64)
        answer = failure.answer
        found = hessian_parts(x, answer)
        return found is not None and holds(found, float(np.linalg.norm(x)))

    return FACTS.of(f"cubic_norm_hessian__{mistake}")(fact)


def only_two(c: dict[str, float]) -> bool:
    """Whether nothing but x x^T and I is in it."""
    return is_none(c["ones"]) and is_none(c["diagonal"])


HESSIANS: dict[str, Callable[[dict[str, float], float], bool]] = {
    "outer_product_missing": lambda c, r: is_none(c["x x^T"]) and only_two(c) and not is_none(c["I"]),
    "identity_missing": lambda c, r: is_none(c["I"]) and only_two(c) and not is_none(c["x x^T"]),
    "identity_forgotten": lambda c, r: is_none(c["I"]) and near(c["ones"], 1.0),
    "not_divided": lambda c, r: near(c["x x^T"], r) and not near(r, 1.0),
    "divided_by_the_square": lambda c, r: not near(r, 1.0) and (near(c["x x^T"], 1 / r) or near(c["x x^T"], 1 / r**2)),
    "outer_product_sign": lambda c, r: c["x x^T"] < -1e-9,
    "third_missing": lambda c, r: near(c["x x^T"], 3.0) or near(c["I"], 3.0),
    "norm_regularised": lambda c, r: near(c["I"], 1.0) and only_two(c) and 1e-9 < c["x x^T"] < 1 - 1e-12 and r < 1e-5,
    "root_regularised": lambda c, r: c["I"] > 1 + 1e-12 and near(c["x x^T"] * c["I"], 1.0) and r < 1e-3,
}
for _mistake, _holds in HESSIANS.items():
    of_hessian(_mistake, _holds)


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


@FACTS.of("is_right__errors_not_caught")
def _(failure: Failure) -> bool:
    return spoiled(failure) == "nothing" and raised(failure, "TypeError", "ValueError", "ImplementationError")


@FACTS.of("is_right__values_ignored")
def _(failure: Failure) -> bool:
    return spoiled(failure) == "without values" and not failure.kinds  # it said True, to this one and the right one


# ---------------------------------------- recursion


def recursion(failure: Failure) -> bool:
    """Python's recursion limit was reached on a graph that is that deep."""
    return raised(failure, "RecursionError") and len(failure.arguments[0].nodes) > 900


FACTS.of("forward_mode__recursive", "reverse_mode__recursive")(recursion)

# ---------------------------------------- q5: cost


def counts_of(graph: Graph) -> tuple[dict[str, int], dict[str, int]]:
    """What may be taken for the number of edges, and for that of sweeps, with the mistake that it is ("" for none).

    The sweeps are those of reverse mode.
    """
    nodes = graph.nodes
    pairs = [(arg, i) for i, node in enumerate(nodes) for arg in node.args]
    edges = [(arg, i) for arg, i in pairs if nodes[arg].op != "const"]
    of_edges = {
        "": len(edges),
        "nodes_counted": len(nodes),
        "nodes_counted, without inputs": sum(node.op != "input" for node in nodes),
        "operations_counted": sum(bool(node.args) for node in nodes),
        "constants_counted": len(pairs),
        "repeated_edges_once": len(set(edges)),
        "constants_counted repeated_edges_once": len(set(pairs)),
    }
    return of_edges, {"": len(graph.outputs), "modes_swapped": len(graph.inputs), "single_sweep": 1}


def cost_read_as(failure: Failure) -> set[str]:
    """The mistakes with which a cost can be explained, in one way or another."""
    graph, mode = failure.arguments
    if len(graph.nodes) > MOST_NODES:
        raise UnseenError("the graph is too large")
    edges, sweeps = counts_of(graph)
    if mode == "forward":
        sweeps = {"": sweeps["modes_swapped"], "modes_swapped": sweeps[""], "single_sweep": 1}
    found: set[str] = set()
    for (first, count), (second, times) in product(edges.items(), sweeps.items()):
        if count * times == failure.answer:
            found |= {*first.replace(", without inputs", "").split(), *second.split()}
    return found


def of_cost(name: str) -> None:
    """Enters the fact that the cost in every case can be read so."""
    FACTS.of(f"mode_cost__{name}", weak=True)(lambda failure: name in cost_read_as(failure))


for _name in (
    "nodes_counted",
    "operations_counted",
    "constants_counted",
    "repeated_edges_once",
    "modes_swapped",
    "single_sweep",
):
    of_cost(_name)
