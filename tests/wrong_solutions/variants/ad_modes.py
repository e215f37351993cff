"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import math
from collections import defaultdict

import adkit
import numpy as np

from reference import ad_modes as reference
from wrong_solutions import Collection
from wrong_solutions.ad_modes import partials_of, values_of

WRONG = Collection()
wrong = WRONG.wrong


# q1


@wrong("toy_forward", "tangent first, value second, and half of the product rule")
def swapped_and_half(x1, x2, dx1, dx2):
    v = [x1, x2, x1 * x2, math.sin(x1), x1 * x2 + math.sin(x1)]
    t = [dx1, dx2, dx1 * x2, math.cos(x1) * dx1]
    return [list(pair) for pair in zip([*t, t[2] + t[3]], v, strict=True)]


@wrong("toy_forward", "the tangents of the inputs are their values, and all else follows from that")
def values_for_the_seeds(x1, x2, dx1, dx2):
    t3, t4 = x1 * x2 + x2 * x1, math.cos(x1) * x1
    return [(x1, x1), (x2, x2), (x1 * x2, t3), (math.sin(x1), t4), (x1 * x2 + math.sin(x1), t3 + t4)]


@wrong("toy_forward", "the direction is divided by the sum of its absolute values, and the sine has the wrong sign")
def divided_and_negative(x1, x2, dx1, dx2):
    size = abs(dx1) + abs(dx2)
    a, b = dx1 / size, dx2 / size
    t3, t4 = a * x2 + x1 * b, -math.cos(x1) * a
    return np.array([[x1, a], [x2, b], [x1 * x2, t3], [np.sin(x1), t4], [x1 * x2 + np.sin(x1), t3 + t4]])


@wrong("toy_reverse", "only the sine's part of v1_bar is there, with a minus sign")
def negative_sine_alone(x1, x2):
    return [-math.cos(x1), x1, 1.0, 1.0, 1.0]


@wrong("toy_reverse", "v1_bar is the product of both parts, with the sine for its derivative")
def product_with_the_sine(x1, x2):
    v5 = v4 = v3 = 1.0
    return v3 * x2 * v4 * math.sin(x1), v3 * x1, v3, v4, v5


@wrong("toy_reverse", "from v5_bar to v1_bar, and what came through the sine is overwritten")
def backwards_and_overwritten(x1, x2):
    return (1.0, 1.0, 1.0, x1, x2)


# q2


def with_op(name, partials):
    """The right partials but for one op."""

    def local_partials(op, args):
        return partials(*args) if op == name else reference.local_partials(op, args)

    return local_partials


wrong("local_partials", "tanh' is one over the cosine, not squared", "cosh_not_squared")(
    with_op("tanh", lambda a: (1 / math.cosh(a),))
)
wrong("local_partials", "tanh' is 1 + tanh", "plus_tanh")(with_op("tanh", lambda a: [1 + math.tanh(a)]))
wrong("local_partials", "the derivative of the root is 2 / sqrt", "root_twice")(
    with_op("sqrt", lambda a: np.array([2 / np.sqrt(a)]))
)
wrong(
    "local_partials", "the two partials of a quotient are exchanged, and the minus sign is forgotten", "exchanged_plus"
)(with_op("div", lambda a, b: (a / b**2, 1 / b)))
wrong("local_partials", "the partials of a quotient are computed with the product divided by a factor", "by_division")(
    with_op("mul", lambda a, b: (a * b / a, a * b / b))
)


@wrong("local_partials", "add is unpacked into two")
def add_unpacked(op, args):
    if op == "add":
        a, b = args
        return (a**0, b**0)
    return reference.local_partials(op, args)


# q3


def forwards(graph, x, x_dot, combine):
    """A sweep with the tangent of a node left to `combine`."""
    v = values_of(graph, x)
    t = np.zeros(len(v))
    for i, each in zip(graph.inputs, x_dot, strict=True):
        t[i] = each
    for i, node in enumerate(graph.nodes):
        if node.args:
            t[i] = combine(node, v, t)
    return v, t


def right_tangent(node, v, t):
    return float(np.dot(partials_of(node, v), t[list(node.args)]))


def answer_of(graph, v, t):
    return [v[i] for i in graph.outputs], [t[i] for i in graph.outputs]


@wrong("forward_mode", "a repeated argument counts once, and the outputs are in the order of the nodes")
def once_and_sorted(graph, x, x_dot):
    def combine(node, v, t):
        total = 0.0
        for position, (j, d) in enumerate(zip(node.args, partials_of(node, v), strict=True)):
            if j not in node.args[:position]:
                total += d * t[j]
        return total

    v, t = forwards(graph, x, x_dot, combine)
    outputs = sorted(graph.outputs)
    return [v[i] for i in outputs], [t[i] for i in outputs]


@wrong("forward_mode", "a difference or quotient of a node and itself is differentiated like a square")
def like_a_square(graph, x, x_dot):
    def combine(node, v, t):
        if len(node.args) == 2 and len(set(node.args)) == 1:
            j = node.args[0]
            return 2 * v[j] * t[j]
        return right_tangent(node, v, t)

    return answer_of(graph, *forwards(graph, x, x_dot, combine))


@wrong("forward_mode", "the tangent 1 for the last of the constants")
def one_constant_moves(graph, x, x_dot):
    v = values_of(graph, x)
    constants = [i for i, node in enumerate(graph.nodes) if node.op == "const"]
    t = np.zeros(len(v))
    t[constants[-1:]] = 1.0
    t[list(graph.inputs)] = x_dot
    for i, node in enumerate(graph.nodes):
        if node.args:
            t[i] = right_tangent(node, v, t)
    return answer_of(graph, v, t)


@wrong("forward_mode", "values and tangents of all nodes in two dictionaries' values")
def of_all_nodes(graph, x, x_dot):
    v, t = forwards(graph, x, x_dot, right_tangent)
    return tuple(v), tuple(t)


@wrong("forward_mode", "the tangents first, along the direction of length one")
def swapped_and_normalised(graph, x, x_dot):
    length = np.linalg.norm(x_dot) or 1.0
    v, t = forwards(graph, x, np.asarray(x_dot) / length, right_tangent)
    return [t[i] for i in graph.outputs], [v[i] for i in graph.outputs]


@wrong("forward_mode", "of a sum the first two count, and x_dot is replaced by ones")
def two_terms_along_ones(graph, x, x_dot):
    def combine(node, v, t):
        return sum(d * t[j] for j, d in list(zip(node.args, partials_of(node, v), strict=True))[:2])

    return answer_of(graph, *forwards(graph, x, np.ones(len(x)), combine))


@wrong("forward_mode", "an array with a row for each output: its value and its tangent")
def a_row_for_each(graph, x, x_dot):
    v, t = forwards(graph, x, x_dot, right_tangent)
    return np.array([[v[i], t[i]] for i in graph.outputs])


# q4


def seeds(graph, y_bar):
    found = defaultdict(float)
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        found[i] += float(bar)
    return found


def backwards(graph, x, adjoint, hand):
    """A sweep back in which `hand(adjoint, j, given)` gives a node what is handed back to it."""
    v = values_of(graph, x)
    for i in range(len(v) - 1, -1, -1):
        node = graph.nodes[i]
        for j, d in zip(node.args, partials_of(node, v), strict=True):
            hand(adjoint, j, d * adjoint[i])
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs]


def add_up(adjoint, j, given):
    adjoint[j] += given


@wrong("reverse_mode", "what is handed back first stays: later contributions are dropped")
def first_user_wins(graph, x, y_bar):
    adjoint, done = seeds(graph, y_bar), set()

    def hand(adjoint, j, given):
        if j not in done:
            adjoint[j] += given
            done.add(j)

    return backwards(graph, x, adjoint, hand)


@wrong("reverse_mode", "each contribution replaces the one before, but the seed of an output is kept")
def replaced_beside_the_seed(graph, x, y_bar):
    own = seeds(graph, y_bar)
    return backwards(graph, x, seeds(graph, y_bar), lambda a, j, given: a.__setitem__(j, own[j] + given))


@wrong("reverse_mode", "the contributions of one node are added up and then assigned")
def assigned_by_node(graph, x, y_bar):
    v, adjoint = values_of(graph, x), seeds(graph, y_bar)
    for i, node in reversed(list(enumerate(graph.nodes))):
        handed = defaultdict(float)
        for j, d in zip(node.args, partials_of(node, v), strict=True):
            handed[j] += d * adjoint[i]
        adjoint.update(handed)
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs]


@wrong("reverse_mode", "only nodes whose adjoint is still 0 get something")
def where_it_is_zero(graph, x, y_bar):
    def hand(adjoint, j, given):
        if not adjoint[j]:
            adjoint[j] = given

    return backwards(graph, x, seeds(graph, y_bar), hand)


@wrong("reverse_mode", "the first cotangent of an output that is listed twice, setdefault")
def first_cotangent_kept(graph, x, y_bar):
    adjoint = defaultdict(float)
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        adjoint.setdefault(i, float(bar))
    return backwards(graph, x, adjoint, add_up)


@wrong("reverse_mode", "the cotangents are ones, and adjoints are overwritten")
def ones_and_overwritten(graph, x, y_bar):
    adjoint = defaultdict(float)
    for i in graph.outputs:
        adjoint[i] += 1.0
    return backwards(graph, x, adjoint, lambda a, j, given: a.__setitem__(j, given))


@wrong("reverse_mode", "the adjoints of inputs and constants, the inputs first")
def constants_at_the_end(graph, x, y_bar):
    adjoint = seeds(graph, y_bar)
    y, bars = backwards(graph, x, adjoint, add_up)
    return y, bars + [adjoint[i] for i, node in enumerate(graph.nodes) if node.op == "const"]


@wrong("reverse_mode", "the fancy index of NumPy: a repeated argument gets the last contribution only")
def by_index(graph, x, y_bar):
    v, bars = values_of(graph, x), np.zeros(len(graph.nodes))
    np.add.at(bars, list(graph.outputs), y_bar)
    for i in range(len(v))[::-1]:
        args = list(graph.nodes[i].args)
        if args:
            bars[args] += bars[i] * np.array(partials_of(graph.nodes[i], v))
    return [v[i] for i in graph.outputs], bars[list(graph.inputs)]


@wrong("reverse_mode", "a node with the same argument twice hands back as a square does")
def back_like_a_square(graph, x, y_bar):
    v, adjoint = values_of(graph, x), seeds(graph, y_bar)
    for i in reversed(range(len(v))):
        args = graph.nodes[i].args
        if len(args) == 2 and args[0] == args[1]:
            adjoint[args[0]] += 2 * v[args[0]] * adjoint[i]
            continue
        for j, d in zip(args, partials_of(graph.nodes[i], v), strict=True):
            adjoint[j] += d * adjoint[i]
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs]


@wrong("reverse_mode", "x_bar in the order of the nodes, and sums hand back to two of their arguments")
def sorted_and_two(graph, x, y_bar):
    v, adjoint = values_of(graph, x), seeds(graph, y_bar)
    for i in reversed(range(len(v))):
        for j, d in list(zip(graph.nodes[i].args, partials_of(graph.nodes[i], v), strict=True))[:2]:
            adjoint[j] += d * adjoint[i]
    return [v[i] for i in graph.outputs], [adjoint[i] for i in sorted(graph.inputs)]


@wrong("reverse_mode", "x_bar comes first, and y second, as arrays")
def x_bar_first(graph, x, y_bar):
    y, bars = backwards(graph, x, seeds(graph, y_bar), add_up)
    return np.array(bars), np.array(y)


@wrong("reverse_mode", "an output is set to its cotangent when the sweep comes to it, and the last cotangent counts")
def set_on_the_way(graph, x, y_bar):
    v, given = values_of(graph, x), dict(zip(graph.outputs, y_bar, strict=True))
    bars = [0.0] * len(v)
    for i in reversed(range(len(v))):
        bars[i] = float(given.get(i, bars[i]))
        for j, d in zip(graph.nodes[i].args, partials_of(graph.nodes[i], v), strict=True):
            bars[j] += d * bars[i]
    return [v[i] for i in graph.outputs], [bars[i] for i in graph.inputs]


# q5


def edges_of(graph, *, constants=False, distinct=False):
    found = [(j, i) for i, node in enumerate(graph.nodes) for j in node.args]
    found = [edge for edge in found if constants or graph.nodes[edge[0]].op != "const"]
    return len(set(found)) if distinct else len(found)


@wrong("mode_cost", "constants count as edges, and repeated edges once")
def all_distinct_edges(graph, mode):
    if mode not in ("forward", "reverse"):
        raise ValueError(mode)
    return edges_of(graph, constants=True, distinct=True) * len(graph.inputs if mode == "forward" else graph.outputs)


@wrong("mode_cost", "the modes are exchanged, and outputs that are listed twice count once")
def exchanged_and_once(graph, mode):
    sweeps = {"reverse": len(graph.inputs), "forward": len(set(graph.outputs))}
    if mode in sweeps:
        return sweeps[mode] * edges_of(graph)
    raise ValueError("no such mode")


@wrong("mode_cost", "all nodes but the constants are counted")
def nodes_that_move(graph, mode):
    count = sum(node.op != "const" for node in graph.nodes)
    if mode == "forward":
        return count * len(graph.inputs)
    if mode == "reverse":
        return count * len(graph.outputs)
    raise ValueError(mode)


@wrong("mode_cost", "upper and lower case are not told apart")
def in_lower_case(graph, mode):
    match mode.lower():
        case "forward":
            return edges_of(graph) * len(graph.inputs)
        case "reverse":
            return edges_of(graph) * len(graph.outputs)
    raise ValueError(mode)


@wrong("mode_cost", "a mode that begins with forward or with reverse will do")
def begins_with(graph, mode):
    for name, ends in (("forward", graph.inputs), ("reverse", graph.outputs)):
        if mode.startswith(name):
            return edges_of(graph) * len(ends)
    raise ValueError(mode)


@wrong("choose_mode", "the dearer mode, and forward on a tie")
def dearer_or_forward(graph):
    costs = {mode: reference.mode_cost(graph, mode) for mode in ("forward", "reverse")}
    return max(costs, key=lambda mode: costs[mode])


@wrong("choose_mode", "the number of different outputs is compared with that of the inputs")
def different_outputs(graph):
    n, m = len(graph.inputs), len(set(graph.outputs))
    return "either" if n == m else "forward" if n < m else "reverse"


# q6


@wrong("trace_inverse_gradient", "A^T and B^T the other way round, and the inverses not transposed")
def swapped_not_transposed(A, B, X):
    Y = np.linalg.inv(X)
    return -(Y @ B.T @ A.T @ Y if A.shape == B.shape else Y @ A.T @ B.T @ Y)


@wrong("trace_inverse_gradient", "A B between two transposed inverses, with a plus")
def product_as_it_is(A, B, X):
    Y = np.linalg.inv(X).T
    return Y @ A @ B @ Y if len(A) == len(X) else Y @ (B @ A).T @ Y


@wrong("cubic_norm_hessian", "1e-8 is added to the norm itself, so that nothing needs to be looked at")
def longer_norm(x):
    r = np.linalg.norm(x) + 1e-8
    return np.outer(x, x) / r + r * np.eye(len(x))


@wrong("cubic_norm_hessian", "1e-3 under the root")
def much_under_the_root(x):
    r = math.sqrt(float(np.dot(x, x)) + 1e-3)
    return [[x[i] * x[j] / r + r * (i == j) for j in range(len(x))] for i in range(len(x))]


@wrong("cubic_norm_hessian", "the norm is at least 1e-12")
def at_least(x):
    r = max(float(np.linalg.norm(x)), 1e-12)
    return np.outer(x, x) / r + np.linalg.norm(x) * np.identity(len(x))


@wrong("cubic_norm_hessian", "the gradient as a column")
def gradient_in_a_column(x):
    return (np.linalg.norm(x) * x)[:, None]


# q7


@wrong("elimination_order", "the cheaper of the two modes, reverse where they cost the same")
def reverse_unless_dearer(graph):
    forward = list(adkit.linearise(graph).intermediates)
    reverse = forward[::-1]
    return reverse if adkit.elimination_cost(graph, reverse) <= adkit.elimination_cost(graph, forward) else forward


@wrong("elimination_order", "greedy, ties by the largest index")
def greedy_from_the_end(graph):
    left = adkit.linearise(graph)
    remaining, order = set(left.intermediates), []
    while remaining:
        costs = {v: len(left.predecessors[v]) * len(left.successors[v]) for v in remaining}
        v = max(v for v in remaining if costs[v] == min(costs.values()))
        adkit.eliminate(left, v)
        remaining.discard(v)
        order.append(v)
    return order


# q8


def many_graphs():
    """Graphs of all kinds, as (graph, x)."""
    x, two = adkit.Node("input"), adkit.Node("const", (), 2.0)

    def on_one(*nodes, outputs, at=0.9):
        return adkit.Graph((x, *(adkit.Node(op, args) for op, args in nodes)), (0,), outputs), [at]

    everything = adkit.trace(
        lambda a, b: [np.exp(np.sin(a)) * b - np.log(b), np.sqrt(a * b + 1) / np.tanh(a), np.cos(-a) + 2.5], 2
    )
    unused = adkit.Graph((x, two, x, x, adkit.Node("mul", (1, 3)), adkit.Node("div", (2, 4))), (3, 2, 0), (5,))
    return [
        (adkit.toy_graph(), [0.7, -1.3]),
        (everything, [0.8, 1.7]),
        (unused, [0.5, 0.7, 1.0]),
        on_one(("mul", (0, 0)), outputs=(1,)),
        on_one(("add", (0, 0, 0)), outputs=(1,)),
        on_one(("sub", (0, 0)), ("sin", (0,)), ("add", (1, 2)), outputs=(3,)),
        on_one(("div", (0, 0)), ("mul", (1, 0)), outputs=(2,)),
        on_one(("exp", (0,)), ("sin", (1,)), outputs=(2, 1)),
        on_one(("neg", (0,)), ("tanh", (1,)), ("add", (1, 2)), outputs=(1, 3, 2)),
        on_one(("cos", (0,)), outputs=(1, 1)),
    ]


def expected(graph, x, y_bar):
    columns = [reference.forward_mode(graph, x, list(e))[1] for e in np.eye(len(x))]
    return np.array(reference.forward_mode(graph, x, x)[0]), np.array(columns) @ np.array(y_bar)


def a_test(agree, *, graphs=many_graphs, exact=False, caught=(Exception,), bars=(0.7, -1.3, 1.9)):
    """A test that compares both parts by `agree(ours, right)`; None for a part that is not looked at."""

    def is_right(reverse_mode):
        for graph, x in graphs():
            y_bar = list(bars[: len(graph.outputs)])
            right = reference.reverse_mode(graph, x, y_bar) if exact else expected(graph, x, y_bar)
            try:
                ours = reverse_mode(graph, x, y_bar)
                if len(ours) != 2 or not all(agree(a, b) for a, b in zip(ours, right, strict=True)):
                    return False
            except caught:
                return False
        return True

    return is_right


def near(ours, right):
    ours, right = np.asarray(ours, dtype=float), np.asarray(right)
    return ours.shape == right.shape and bool(np.all(np.abs(ours - right) <= 1e-9 * (1 + np.abs(right))))


wrong("is_right", "numbers are compared with ==, on graphs of all kinds", "all_digits")(
    a_test(lambda ours, right: list(ours) == list(right), exact=True)
)
wrong("is_right", "only lists are taken for an answer", "instance_of_list")(
    a_test(lambda ours, right: isinstance(ours, list) and near(ours, right))
)
wrong("is_right", "absolute values are compared", "absolute_values")(
    a_test(lambda ours, right: near(np.abs(np.asarray(ours, dtype=float)), np.abs(right)))
)
wrong("is_right", "zip ends with the shorter list, so that missing entries are not noticed", "shorter_list")(
    a_test(lambda ours, right: all(abs(a - b) < 1e-9 for a, b in zip(ours, right, strict=False)))
)
wrong("is_right", "an error of the implementation is not caught", "nothing_caught")(a_test(near, caught=()))


@wrong("is_right", "only y is compared")
def only_y(reverse_mode):
    for graph, x in many_graphs():
        y_bar = [0.7, -1.3, 1.9][: len(graph.outputs)]
        try:
            y, _ = reverse_mode(graph, x, y_bar)
            if not near(y, expected(graph, x, y_bar)[0]):
                return False
        except Exception:
            return False
    return True


wrong("is_right", "no graph with an output that feeds another node", "outputs_at_the_end")(
    a_test(
        near,
        graphs=lambda: [(g, x) for g, x in many_graphs() if not {*g.outputs} & {a for n in g.nodes for a in n.args}],
    )
)
wrong("is_right", "no output is listed twice", "outputs_differ")(
    a_test(near, graphs=lambda: [(g, x) for g, x in many_graphs() if len(set(g.outputs)) == len(g.outputs)])
)
wrong("is_right", "no node is an argument twice, and no input is unused", "nothing_repeated")(
    a_test(
        near,
        graphs=lambda: [
            (g, x)
            for g, x in many_graphs()
            if all(len(set(n.args)) == len(n.args) for n in g.nodes)
            and {*g.inputs} <= {a for n in g.nodes for a in n.args}
        ],
    )
)
wrong("is_right", "every graph has one output", "single_outputs")(
    a_test(near, graphs=lambda: [(g, x) for g, x in many_graphs() if len(g.outputs) == 1])
)
wrong("is_right", "all cotangents are 1, on graphs of all kinds", "only_ones")(a_test(near, bars=(1.0, 1.0, 1.0)))
wrong("is_right", "products of a node with itself are asked about, and no differences or quotients", "only_squares")(
    a_test(near, graphs=lambda: [(g, x) for i, (g, x) in enumerate(many_graphs()) if i not in (5, 6)])
)


# more of them


@wrong("toy_forward", "the tangents are zero for the second input, and the product rule has its factors uncrossed")
def along_one_uncrossed(x1, x2, dx1, dx2):
    t1, t2 = 1.0, 0.0
    t3, t4 = x1 * t1 + x2 * t2, math.cos(x1) * t1
    return [[x1, t1], [x2, t2], [x1 * x2, t3], [math.sin(x1), t4], [x1 * x2 + math.sin(x1), t3 + t4]]


@wrong("toy_reverse", "the partials of the product are swapped, and the sine's derivative is negative")
def swapped_negative(x1, x2):
    return x1 - math.cos(x1), x2, 1.0, 1.0, 1.0


@wrong("local_partials", "every function of one argument gives a number, and the cosine has the wrong sign")
def number_and_sign(op, args):
    if op == "cos":
        return math.sin(args[0])
    partials = reference.local_partials(op, args)
    return partials[0] if len(partials) == 1 else partials


@wrong("local_partials", "the quotient's second partial has neither the square nor the minus sign")
def quotient_of_both(op, args):
    return (1 / args[1], args[0] / args[1]) if op == "div" else reference.local_partials(op, args)


@wrong("forward_mode", "along the first input only: x_dot is not looked at")
def along_the_first(graph, x, x_dot):
    unit = np.zeros(len(x))
    unit[:1] = 1.0
    return answer_of(graph, *forwards(graph, x, unit, right_tangent))


@wrong("forward_mode", "x_dot by the order of the nodes, and outputs that are listed twice once")
def sorted_and_once(graph, x, x_dot):
    v, t = values_of(graph, x), np.zeros(len(graph.nodes))
    t[sorted(graph.inputs)] = x_dot
    for i, node in enumerate(graph.nodes):
        if node.args:
            t[i] = right_tangent(node, v, t)
    outputs = list(dict.fromkeys(graph.outputs))
    return [v[i] for i in outputs], [t[i] for i in outputs]


@wrong("forward_mode", "constants move with their own value, in a recursion")
def constants_by_recursion(graph, x, x_dot):
    v = values_of(graph, x)
    t = dict(zip(graph.inputs, map(float, x_dot), strict=True))

    def tangent(i):
        node = graph.nodes[i]
        if i not in t:
            t[i] = (
                node.value
                if node.op == "const"
                else sum(d * tangent(j) for j, d in zip(node.args, partials_of(node, v), strict=True))
            )
        return t[i]

    return [v[i] for i in graph.outputs], [tangent(i) for i in graph.outputs]


@wrong("reverse_mode", "the cotangents are added up and given to the first output")
def all_to_the_first(graph, x, y_bar):
    adjoint = defaultdict(float)
    for i in graph.outputs[:1]:
        adjoint[i] = float(np.sum(y_bar))
    return backwards(graph, x, adjoint, add_up)


@wrong("reverse_mode", "y_bar by the order of the nodes, and repeated arguments once")
def sorted_bars_once(graph, x, y_bar):
    v, adjoint = values_of(graph, x), defaultdict(float)
    for i, bar in zip(sorted(graph.outputs), y_bar, strict=True):
        adjoint[i] += float(bar)
    for i, node in reversed(list(enumerate(graph.nodes))):
        for j, d in dict(zip(node.args, partials_of(node, v), strict=True)).items():
            adjoint[j] += d * adjoint[i]
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs]


@wrong("reverse_mode", "a dictionary of adjoints of the inputs that have one")
def in_a_dictionary(graph, x, y_bar):
    adjoint = {}
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        adjoint[i] = adjoint.get(i, 0.0) + float(bar)
    v = values_of(graph, x)
    for i, node in reversed(list(enumerate(graph.nodes))):
        for j, d in zip(node.args, partials_of(node, v), strict=True):
            adjoint[j] = adjoint.get(j, 0.0) + d * adjoint.get(i, 0.0)
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs if i in adjoint]


@wrong("reverse_mode", "the sweep begins with the sinks of the graph, and with 1 at each")
def ones_at_the_ends(graph, x, y_bar):
    used = {j for node in graph.nodes for j in node.args}
    adjoint = defaultdict(float, {i: 1.0 for i in range(len(graph.nodes)) if i not in used})
    return backwards(graph, x, adjoint, add_up)


@wrong("reverse_mode", "the gradient of each output for its own cotangent, a row for each")
def rows_of_gradients(graph, x, y_bar):
    rows = [
        backwards(graph, x, defaultdict(float, {i: float(bar)}), add_up)[1]
        for i, bar in list(zip(graph.outputs, y_bar, strict=True))[:50]
    ]
    return [values_of(graph, x)[i] for i in graph.outputs], np.array(rows)


@wrong("mode_cost", "an edge to an output that nothing needs is not counted, and constants are")
def live_with_constants(graph, mode):
    needed, stack = set(), list(graph.outputs)
    while stack:
        i = stack.pop()
        if i not in needed:
            needed.add(i)
            stack.extend(graph.nodes[i].args)
    edges = sum(len(graph.nodes[i].args) for i in needed)
    return edges * {"forward": len(graph.inputs), "reverse": len(graph.outputs)}[mode]


@wrong("mode_cost", "one multiplication for each operation and sweep, the modes exchanged")
def operations_exchanged(graph, mode):
    operations = len([node for node in graph.nodes if node.op not in ("input", "const")])
    if mode == "forward":
        return operations * len(graph.outputs)
    if mode == "reverse":
        return operations * len(graph.inputs)
    raise ValueError(mode)


@wrong("trace_inverse_gradient", "the transpose of the gradient, with one inverse")
def transposed_one_inverse(A, B, X):
    return -np.linalg.solve(X, B @ A)


@wrong("cubic_norm_hessian", "x x^T / ||x||^2 with a minus sign")
def negative_square(x):
    r2 = float(x @ x)
    return math.sqrt(r2) * np.eye(len(x)) - np.outer(x, x) / r2 if r2 else np.zeros((len(x), len(x)))


@wrong("cubic_norm_hessian", "vectors below 1e-10 count as 0, and the rest has no 1/3")
def small_and_three(x):
    r = np.linalg.norm(x)
    if r < 1e-10:
        return np.zeros((len(x), len(x)))
    return 3 * (np.outer(x, x) / r + r * np.eye(len(x)))


@wrong("elimination_order", "the vertices by their number of predecessors in the original graph, the largest first")
def by_predecessors(graph):
    left = adkit.linearise(graph)
    return sorted(left.intermediates, key=lambda v: (-len(left.predecessors[v]), v))


@wrong("elimination_order", "greedy, without the outputs that feed others")
def greedy_without_outputs(graph):
    left = adkit.linearise(graph)
    remaining, order = [v for v in left.intermediates if v not in graph.outputs], []
    while remaining:
        v = min(remaining, key=lambda v: len(left.predecessors[v]) * len(left.successors[v]))
        adkit.eliminate(left, v)
        remaining.remove(v)
        order.append(v)
    return order


wrong("is_right", "the entries are printed with sixteen digits and compared", "sixteen_digits")(
    a_test(lambda ours, right: [float(f"{a:.16g}") for a in ours] == [float(f"{b:.16g}") for b in right], exact=True)
)
wrong("is_right", "type(part) is list is asked for", "type_is_list")(
    a_test(lambda ours, right: type(ours) is list and near(ours, right))
)


@wrong("is_right", "the toy example at three points, with a cotangent of 2")
def three_points(reverse_mode):
    try:
        for x in ([0.7, -1.3], [0.1, 2.0], [-1.0, 0.4]):
            y, x_bar = reverse_mode(adkit.toy_graph(), x, [2.0])
            right = expected(adkit.toy_graph(), x, [2.0])
            if not (near(y, right[0]) and near(x_bar, right[1])):
                return False
    except Exception:
        return False
    return True


@wrong("is_right", "it compares squares, so that the sign does not matter")
def squares_compared(reverse_mode):
    agree = a_test(lambda ours, right: near(np.square(np.asarray(ours, dtype=float)), np.square(right)))
    return agree(reverse_mode)
