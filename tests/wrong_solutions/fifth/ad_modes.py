"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools
import math
import operator
from collections import defaultdict

import adkit
import jax.numpy as jnp
import numpy as np

from reference import ad_modes as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


FUNCTIONS = {
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    **{name: getattr(math, name) for name in ("sin", "cos", "exp", "log", "sqrt", "tanh")},
}


def evaluate(graph, x):
    """The value of every node, in a list."""
    given = dict(zip(graph.inputs, x, strict=True))
    values = []
    for i, node in enumerate(graph.nodes):
        args = [values[j] for j in node.args]
        if node.op == "input":
            values.append(float(given[i]))
        elif node.op == "const":
            values.append(node.value)
        elif node.op == "add":
            values.append(math.fsum(args))
        else:
            values.append(FUNCTIONS[node.op](*args))
    return values


def slopes(graph, i, values):
    return reference.local_partials(graph.nodes[i].op, [values[j] for j in graph.nodes[i].args])


# q1


@wrong("toy_forward", "the sine's derivative has a minus sign")
def minus_cosine(x1, x2, dx1, dx2):
    values = [x1, x2, x1 * x2, np.sin(x1)]
    tangents = [dx1, dx2, x2 * dx1 + x1 * dx2, -np.cos(x1) * dx1]
    values.append(values[2] + values[3])
    tangents.append(tangents[2] + tangents[3])
    return list(zip(values, tangents, strict=True))


@wrong("toy_forward", "the tangent of the product is the product of the tangents")
def product_of_tangents(x1, x2, dx1, dx2):
    v = {1: (x1, dx1), 2: (x2, dx2)}
    v[3] = (v[1][0] * v[2][0], v[1][1] * v[2][1])
    v[4] = (math.sin(v[1][0]), math.cos(v[1][0]) * v[1][1])
    v[5] = (v[3][0] + v[4][0], v[3][1] + v[4][1])
    return [v[k] for k in range(1, 6)]


@wrong("toy_forward", "the pairs are (tangent, value)")
def pairs_turned_round(x1, x2, dx1, dx2):
    v = np.zeros(5)
    v_dot = np.zeros(5)
    v[:2], v_dot[:2] = (x1, x2), (dx1, dx2)
    v[2], v_dot[2] = v[0] * v[1], v_dot[0] * v[1] + v[0] * v_dot[1]
    v[3], v_dot[3] = np.sin(v[0]), np.cos(v[0]) * v_dot[0]
    v[4], v_dot[4] = v[2] + v[3], v_dot[2] + v_dot[3]
    return [(float(t), float(p)) for p, t in zip(v, v_dot, strict=True)]


@wrong("toy_forward", "v4 is the sine of x2, in value and tangent")
def sine_of_the_other(x1, x2, dx1, dx2):
    product = (x1 * x2, dx1 * x2 + x1 * dx2)
    sine = (math.sin(x2), dx2 * math.cos(x2))
    return [(x1, dx1), (x2, dx2), product, sine, tuple(map(sum, zip(product, sine, strict=True)))]


@wrong("toy_reverse", "v1_bar has the sine's share only: it overwrites what came from the product")
def share_overwritten(x1, x2):
    bar = {"v5": 1.0}
    bar["v3"] = bar["v4"] = bar["v5"]
    bar["v1"] = bar["v3"] * x2
    bar["v2"] = bar["v3"] * x1
    bar["v1"] = bar["v4"] * math.cos(x1)
    return tuple(bar[f"v{k}"] for k in range(1, 6))


@wrong("toy_reverse", "the product hands each factor its own value where the other one's belongs")
def own_factor(x1, x2):
    v5_bar = 1.0
    v4_bar = v3_bar = v5_bar
    v1_bar = v3_bar * x1 + v4_bar * np.cos(x1)
    v2_bar = v3_bar * x2
    return [v1_bar, v2_bar, v3_bar, v4_bar, v5_bar]


@wrong("toy_reverse", "the adjoints are returned in the order in which they were found, v5_bar first")
def order_of_discovery(x1, x2):
    found = [1.0]
    found.append(found[0])  # v4
    found.append(found[0])  # v3
    found.append(found[2] * x1)  # v2
    found.append(found[2] * x2 + found[1] * math.cos(x1))  # v1
    return tuple(found)


@wrong("toy_reverse", "the two shares of v1_bar are multiplied, not added")
def shares_multiplied(x1, x2):
    shares = jnp.array([x2, jnp.cos(x1)])
    return [jnp.prod(shares), jnp.asarray(x1), jnp.ones(()), jnp.ones(()), jnp.ones(())]


# q2


@wrong("local_partials", "the derivative of tanh is 1 / cosh, without the square")
def single_cosh(op, args):
    if op == "tanh":
        return (1 / math.cosh(args[0]),)
    return reference.local_partials(op, args)


@wrong("local_partials", "the second partial of a quotient has no minus sign")
def quotient_without_minus(op, args):
    binary = {
        "add": lambda *t: (1.0,) * len(t),
        "sub": lambda a, b: (1.0, -1.0),
        "mul": lambda a, b: (b, a),
        "div": lambda a, b: (1 / b, a / b**2),
    }
    if op in binary:
        return binary[op](*args)
    return reference.local_partials(op, args)


@wrong("local_partials", "an unknown op gets () like an input, where ValueError is asked for")
def unknown_is_empty(op, args):
    table = {
        "add": lambda: tuple(1.0 for _ in args),
        "sub": lambda: (1.0, -1.0),
        "mul": lambda: (args[1], args[0]),
        "div": lambda: (1 / args[1], -args[0] / args[1] / args[1]),
        "neg": lambda: (-1.0,),
        "sin": lambda: (math.cos(args[0]),),
        "cos": lambda: (-math.sin(args[0]),),
        "exp": lambda: (math.exp(args[0]),),
        "log": lambda: (1 / args[0],),
        "sqrt": lambda: (0.5 / math.sqrt(args[0]),),
        "tanh": lambda: (1 - math.tanh(args[0]) ** 2,),
    }
    return table.get(op, tuple)()


@wrong("local_partials", "the derivative of the root lacks the factor 1/2")
def root_without_half(op, args):
    match op, list(args):
        case "sqrt", [a]:
            return (1 / np.sqrt(a),)
        case _:
            return reference.local_partials(op, args)


@wrong("local_partials", "add has two partials, however many arguments it has")
def two_summands(op, args):
    fixed = {"input": (), "const": (), "add": (1.0, 1.0), "sub": (1.0, -1.0), "neg": (-1.0,)}
    if op in fixed:
        return fixed[op]
    return reference.local_partials(op, args)


@wrong("local_partials", "the derivative of log is that of the logarithm to base 10")
def common_logarithm(op, args):
    if op == "log":
        return (1 / (args[0] * math.log(10)),)
    return reference.local_partials(op, args)


# q3


@wrong("forward_mode", "an argument that is there twice counts once: the partials are kept in a dictionary by node")
def partials_by_node(graph, x, x_dot):
    v = evaluate(graph, x)
    tangents = dict(zip(graph.inputs, map(float, x_dot), strict=True))
    for i, node in enumerate(graph.nodes):
        if node.op != "input":
            partials = dict(zip(node.args, slopes(graph, i, v), strict=True))
            tangents[i] = sum(d * tangents[j] for j, d in partials.items())
    return [v[i] for i in graph.outputs], [tangents[i] for i in graph.outputs]


@wrong("forward_mode", "a recursion from the outputs, which a chain of 20 000 nodes makes too deep")
def recursion_from_the_end(graph, x, x_dot):
    at = {node: k for k, node in enumerate(graph.inputs)}

    @functools.cache
    def dual(i):
        node = graph.nodes[i]
        if node.op == "input":
            return float(x[at[i]]), float(x_dot[at[i]])
        if node.op == "const":
            return node.value, 0.0
        pairs = [dual(j) for j in node.args]
        args = [value for value, _ in pairs]
        value = sum(args) if node.op == "add" else FUNCTIONS[node.op](*args)
        return value, sum(d * t for d, (_, t) in zip(reference.local_partials(node.op, args), pairs, strict=True))

    results = [dual(i) for i in graph.outputs]
    return [value for value, _ in results], [tangent for _, tangent in results]


@wrong("forward_mode", "the inputs are taken in the order of the nodes, not in that of graph.inputs")
def inputs_as_they_come(graph, x, x_dot):
    coming = iter(zip(x, x_dot, strict=True))
    v, v_dot = [], []
    for node in graph.nodes:
        args = [v[j] for j in node.args]
        if node.op == "input":
            value, tangent = next(coming)
        elif node.op == "const":
            value, tangent = node.value, 0.0
        else:
            value = sum(args) if node.op == "add" else FUNCTIONS[node.op](*args)
            partials = reference.local_partials(node.op, args)
            tangent = sum(p * v_dot[j] for p, j in zip(partials, node.args, strict=True))
        v.append(float(value))
        v_dot.append(float(tangent))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@wrong("forward_mode", "a constant has the tangent 1")
def constants_move(graph, x, x_dot):
    v = evaluate(graph, x)
    v_dot = np.ones(len(graph.nodes))
    v_dot[list(graph.inputs)] = x_dot
    for i, node in enumerate(graph.nodes):
        if node.args:
            v_dot[i] = np.dot(slopes(graph, i, v), v_dot[list(node.args)])
    return [v[i] for i in graph.outputs], [float(v_dot[i]) for i in graph.outputs]


@wrong("forward_mode", "of a sum's arguments only the first two are added, in value and tangent")
def sums_of_two(graph, x, x_dot):
    v = dict(zip(graph.inputs, map(float, x), strict=True))
    v_dot = dict(zip(graph.inputs, map(float, x_dot), strict=True))
    for i, node in enumerate(graph.nodes):
        match node.op:
            case "input":
                pass
            case "const":
                v[i], v_dot[i] = node.value, 0.0
            case "add":
                a, b = node.args[0], node.args[1]
                v[i], v_dot[i] = v[a] + v[b], v_dot[a] + v_dot[b]
            case op:
                args = [v[j] for j in node.args]
                v[i] = FUNCTIONS[op](*args)
                partials = reference.local_partials(op, args)
                v_dot[i] = sum(partials[k] * v_dot[j] for k, j in enumerate(node.args))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


@wrong("forward_mode", "x_dot is made a unit vector first, as if only its direction counted")
def unit_direction(graph, x, x_dot):
    length = np.linalg.norm(x_dot)
    direction = np.asarray(x_dot, dtype=float) / length if length > 0 else np.zeros(len(x))
    return reference.forward_mode(graph, x, direction)


# q4


@wrong("reverse_mode", "an output listed twice keeps the last of its cotangents, not their sum")
def last_cotangent(graph, x, y_bar):
    v = evaluate(graph, x)
    seeds = {output: float(bar) for output, bar in zip(graph.outputs, y_bar, strict=True)}
    v_bar = [seeds.get(i, 0.0) for i in range(len(v))]
    for i in range(len(v) - 1, -1, -1):
        for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
            v_bar[j] += d * v_bar[i]
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@wrong("reverse_mode", "adjoints are assigned, not accumulated, so of several users the first node's share stays")
def first_user_only(graph, x, y_bar):
    v = np.array(evaluate(graph, x))
    v_bar = np.zeros(len(v))
    np.add.at(v_bar, list(graph.outputs), np.asarray(y_bar, dtype=float))
    for i in reversed(range(len(v))):
        for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
            v_bar[j] = d * v_bar[i]
    return v[list(graph.outputs)].tolist(), v_bar[list(graph.inputs)].tolist()


@wrong("reverse_mode", "every path from an output is followed on its own: 2^60 of them in a row of diamonds")
def path_by_path(graph, x, y_bar):
    v = evaluate(graph, x)
    x_bar = dict.fromkeys(graph.inputs, 0.0)
    pending = list(zip(graph.outputs, map(float, y_bar), strict=True))
    while pending:
        i, bar = pending.pop()
        if i in x_bar:
            x_bar[i] += bar
        partials = slopes(graph, i, v)
        pending.extend((j, bar * d) for j, d in zip(graph.nodes[i].args, partials, strict=True))
    return [v[i] for i in graph.outputs], [x_bar[i] for i in graph.inputs]


@wrong("reverse_mode", "an output that feeds others ends up with its own cotangent, which overwrites what they gave")
def outputs_reset(graph, x, y_bar):
    v = evaluate(graph, x)
    own = defaultdict(float)
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        own[output] += float(bar)
    v_bar = [0.0] * len(v)
    for i in reversed(range(len(v))):
        if i in own:
            v_bar[i] = own[i]
        for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
            v_bar[j] += d * v_bar[i]
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@wrong("reverse_mode", "an input that nothing uses gets None, not 0.0")
def none_for_unused(graph, x, y_bar):
    v = evaluate(graph, x)
    adjoints = {}
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        adjoints[output] = adjoints.get(output, 0.0) + float(bar)
    for i in reversed(range(len(v))):
        if i in adjoints:
            for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
                adjoints[j] = adjoints.get(j, 0.0) + d * adjoints[i]
    return [v[i] for i in graph.outputs], [adjoints.get(i) for i in graph.inputs]


@wrong("reverse_mode", "a backward sweep of its own for each output, added up at the end")
def sweep_for_each_output(graph, x, y_bar):
    v = evaluate(graph, x)
    partials = [slopes(graph, i, v) for i in range(len(v))]
    total = np.zeros(len(graph.inputs))
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        v_bar = np.zeros(len(v))
        v_bar[output] = bar
        for i in range(output, -1, -1):
            for d, j in zip(partials[i], graph.nodes[i].args, strict=True):
                v_bar[j] += d * v_bar[i]
        total += v_bar[list(graph.inputs)]
    return [v[i] for i in graph.outputs], total.tolist()


@wrong("reverse_mode", "of a node with the same argument twice only the last partial is handed back")
def one_share_each(graph, x, y_bar):
    v = evaluate(graph, x)
    v_bar = [0.0] * len(v)
    for k, output in enumerate(graph.outputs):
        v_bar[output] += float(y_bar[k])
    for i in reversed(range(len(v))):
        shares = {j: d * v_bar[i] for j, d in zip(graph.nodes[i].args, slopes(graph, i, v), strict=True)}
        for j in shares:
            v_bar[j] += shares[j]
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


@wrong("reverse_mode", "x_bar is in the order of the nodes, not in that of graph.inputs")
def adjoints_sorted(graph, x, y_bar):
    v = evaluate(graph, x)
    v_bar = [0.0] * len(v)
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        v_bar[output] += float(bar)
    for i in reversed(range(len(v))):
        for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
            v_bar[j] += d * v_bar[i]
    x_bar = [v_bar[i] for i, node in enumerate(graph.nodes) if node.op == "input"]
    return [v[i] for i in graph.outputs], x_bar


TAPE = defaultdict(float)


@wrong("reverse_mode", "adjoints live in a global dictionary that is never emptied: a second call adds to the first")
def adjoints_left_over(graph, x, y_bar):
    v = evaluate(graph, x)
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        TAPE[output] += float(bar)
    for i in reversed(range(len(v))):
        for d, j in zip(slopes(graph, i, v), graph.nodes[i].args, strict=True):
            TAPE[j] += d * TAPE[i]
    return [v[i] for i in graph.outputs], [TAPE[i] for i in graph.inputs]


# q5


@wrong("mode_cost", "an argument that is a constant counts as an edge")
def constants_have_edges(graph, mode):
    edges = sum(len(node.args) for node in graph.nodes)
    sweeps = {"forward": len(graph.inputs), "reverse": len(graph.outputs)}
    if mode not in sweeps:
        raise ValueError(f"no such mode: {mode}")
    return sweeps[mode] * edges


@wrong("mode_cost", "a repeated argument is one edge: they are gathered in a set of pairs")
def set_of_edges(graph, mode):
    edges = {(j, i) for i, node in enumerate(graph.nodes) for j in node.args if graph.nodes[j].op != "const"}
    if mode == "forward":
        return len(graph.inputs) * len(edges)
    elif mode == "reverse":
        return len(graph.outputs) * len(edges)
    raise ValueError(mode)


@wrong("mode_cost", "everything but forward is taken for reverse: no ValueError for other modes")
def else_is_reverse(graph, mode):
    edges = 0
    for node in graph.nodes:
        for j in node.args:
            edges += graph.nodes[j].op != "const"
    return edges * (len(graph.inputs) if mode == "forward" else len(graph.outputs))


@wrong("mode_cost", "edges that lead to no output are left out, although dense sweeps multiply there, too")
def useful_edges_only(graph, mode):
    if mode not in ("forward", "reverse"):
        raise ValueError("forward or reverse")
    useful = set(graph.outputs)
    edges = 0
    for i in reversed(range(len(graph.nodes))):
        if i in useful:
            args = [j for j in graph.nodes[i].args if graph.nodes[j].op != "const"]
            useful.update(args)
            edges += len(args)
    return edges * len(graph.inputs if mode == "forward" else graph.outputs)


@wrong("choose_mode", "a tie is forward")
def first_of_the_cheapest(graph):
    costs = {mode: reference.mode_cost(graph, mode) for mode in ("forward", "reverse")}
    return min(costs, key=costs.get)


@wrong("choose_mode", "inputs and outputs are compared, not costs: a graph without edges is no tie then")
def ends_compared(graph):
    n, m = len(graph.inputs), len(graph.outputs)
    if n == m:
        return "either"
    return ["forward", "reverse"][int(m < n)]


# q6


@wrong("trace_inverse_gradient", "the gradient is transposed: -X^-1 B A X^-1")
def as_in_the_differential(A, B, X):
    inverse = np.linalg.inv(X)
    return -np.linalg.multi_dot([inverse, B, A, inverse])


@wrong("trace_inverse_gradient", "the minus sign is missing")
def plus_sign(A, B, X):
    Y = jnp.linalg.inv(jnp.asarray(X))
    return jnp.einsum("ji,kj,lk,ml->im", Y, A, B, Y)


@wrong("trace_inverse_gradient", "the inverse is squared entry by entry, as in d(1/x) = -1/x^2 for numbers")
def entrywise_square(A, B, X):
    return -(np.asarray(B) @ np.asarray(A)).T * np.linalg.inv(X).T ** 2


@wrong("cubic_norm_hessian", "||x|| I is missing")
def rank_one(x):
    x = np.asarray(x, dtype=float)
    size = np.sqrt(x @ x)
    return x[:, None] * x[None, :] / size if size > 0 else np.zeros((x.size, x.size))


@wrong("cubic_norm_hessian", "x^T x in the place of x x^T: a number, which is added to every entry")
def inner_for_outer(x):
    norm = np.linalg.norm(x)
    if norm == 0.0:
        return np.zeros((len(x), len(x)))
    return np.dot(x, x) / norm + norm * np.identity(len(x))


@wrong("cubic_norm_hessian", "0/0 at x = 0: NaN")
def nothing_at_zero(x):
    x = jnp.asarray(x, dtype=float)
    r = jnp.linalg.norm(x)
    return r * jnp.eye(x.shape[0]) + jnp.outer(x, x) / r


@wrong("cubic_norm_hessian", "everything shorter than 1e-6 is taken for 0")
def short_is_zero(x):
    n = len(x)
    r = math.sqrt(sum(t * t for t in x))
    H = np.zeros((n, n))
    if r > 1e-6:
        for i, j in itertools.product(range(n), repeat=2):
            H[i, j] = x[i] * x[j] / r + (r if i == j else 0.0)
    return H


# q7


@wrong("elimination_order", "the Markowitz counts are those of the graph at the start, never brought up to date")
def counts_of_the_start(graph):
    before, after, vertices = adkit.linearise(graph)
    return sorted(vertices, key=lambda v: len(before[v]) * len(after[v]))


@wrong("elimination_order", "outputs that feed others are left out of the order")
def outputs_forgotten(graph):
    left = adkit.linearise(graph)
    remaining = [v for v in left.intermediates if v not in graph.outputs]
    order = []
    while remaining:
        v = min(remaining, key=lambda v: (len(left.predecessors[v]) * len(left.successors[v]), v))
        adkit.eliminate(left, v)
        remaining.remove(v)
        order.append(v)
    return order


@wrong("elimination_order", "greedy by predecessors plus successors where their product is the cost")
def by_degree(graph):
    left = adkit.linearise(graph)
    order = []
    for _ in left.intermediates:
        rest = set(left.intermediates).difference(order)
        v = min(sorted(rest), key=lambda v: len(left.predecessors[v]) + len(left.successors[v]))
        order.append(v)
        adkit.eliminate(left, v)
    return order


@wrong("elimination_order", "the better one of forward and reverse, nothing else")
def better_of_two(graph):
    ascending = list(adkit.linearise(graph).intermediates)
    candidates = (ascending, ascending[::-1])
    return min(candidates, key=functools.partial(adkit.elimination_cost, graph))


# q8


SMALL = [
    (adkit.toy_graph(), [0.8, -1.3]),
    (adkit.trace(lambda a, b: [np.exp(a / b) - np.cos(b), np.tanh(a * a) + np.log(b)], 2), [0.4, 1.7]),
    (adkit.trace(lambda a: [-np.sqrt(a) * a, np.sin(a)], 1), [2.3]),
]


def wanted(graph, x, y_bar):
    """By forward mode, column by column."""
    y, x_bar = reference.forward_mode(graph, x, x)[0], []
    for k in range(len(x)):
        _, column = reference.forward_mode(graph, x, np.eye(len(x))[k])
        x_bar.append(sum(b * c for b, c in zip(y_bar, column, strict=True)))
    return np.array(y), np.array(x_bar)


@wrong("is_right", "only the toy example is asked, once")
def toy_only(reverse_mode):
    try:
        y, x_bar = reverse_mode(adkit.toy_graph(), [2.0, 3.0], [1.0])
        return bool(np.allclose(y, [6 + math.sin(2)]) and np.allclose(x_bar, [3 + math.cos(2), 2.0]))
    except Exception:
        return False


@wrong("is_right", "answers have to be lists: right implementations that return arrays or tuples are refused")
def lists_only(reverse_mode):
    for graph, x in SMALL:
        y_bar = [1.5, -0.5][: len(graph.outputs)]
        y, x_bar = wanted(graph, x, y_bar)
        try:
            ours, ours_bar = reverse_mode(graph, x, y_bar)
        except adkit.ImplementationError:
            return False
        if not (isinstance(ours, list) and isinstance(ours_bar, list)):
            return False
        if not (np.allclose(ours, y) and np.allclose(ours_bar, x_bar)):
            return False
    return True


@wrong("is_right", "x_bar is compared with differences as if they were exact: right implementations are refused")
def differences_believed(reverse_mode):
    h = 1e-5
    for graph, x in SMALL:
        y_bar = np.array([1.5, -0.5])[: len(graph.outputs)]
        slope = []
        for e in np.eye(len(x)):
            up, down = (np.array(reference.forward_mode(graph, x + s * h * e, e)[0]) for s in (1, -1))
            slope.append(y_bar @ (up - down) / (2 * h))
        try:
            _, x_bar = reverse_mode(graph, x, y_bar)
        except adkit.ImplementationError:
            return False
        if np.max(np.abs(np.array(x_bar) - slope)) > 1e-13:
            return False
    return True


@wrong("is_right", "the sum of x_bar is compared with one directional derivative, along (1, …, 1)")
def one_direction(reverse_mode):
    for graph, x in SMALL:
        y_bar = np.array([1.5, -0.5])[: len(graph.outputs)]
        y, y_dot = reference.forward_mode(graph, x, [1.0] * len(x))
        try:
            ours, x_bar = reverse_mode(graph, x, y_bar)
            if not np.allclose(ours, y) or not math.isclose(sum(x_bar), float(y_bar @ y_dot), rel_tol=1e-9):
                return False
        except Exception:
            return False
    return True


@wrong("is_right", "every node has one user and other arguments than its neighbours: what accumulates is not tested")
def trees_only(reverse_mode):
    trees = [
        (adkit.trace(lambda a, b, c: [np.sin(a) * np.exp(b), np.sqrt(c) / 3.0], 3), [0.4, 1.1, 2.5]),
        (adkit.trace(lambda a, b, c: np.tanh(a) - np.log(b) * np.cos(-c), 3), [0.4, 1.1, 2.5]),
    ]
    for graph, x in trees:
        y_bar = [0.9, -2.1][: len(graph.outputs)]
        try:
            answer = [np.asarray(part, dtype=float) for part in reverse_mode(graph, x, y_bar)]
            for part, truth in zip(answer, wanted(graph, x, y_bar), strict=True):
                if part.shape != truth.shape or not np.allclose(part, truth, rtol=1e-9):
                    return False
        except Exception:
            return False
    return True
