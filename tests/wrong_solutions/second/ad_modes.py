"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import math

import adkit
import numpy as np

from wrong_solutions import Collection
from wrong_solutions.ad_modes import PARTIALS, values_of

WRONG = Collection()
wrong = WRONG.wrong


@wrong("toy_forward", "only the second term of the product rule is there")
def second_term_only(x1, x2, dx1, dx2):
    v, t = np.zeros(5), np.zeros(5)
    v[:2], t[:2] = (x1, x2), (dx1, dx2)
    v[2], t[2] = v[0] * v[1], v[0] * t[1]
    v[3], t[3] = np.sin(v[0]), np.cos(v[0]) * t[0]
    v[4], t[4] = v[2] + v[3], t[2] + t[3]
    return np.stack([v, t], axis=1)


@wrong("toy_forward", "the derivative is taken along (1, 0), whatever the direction")
def along_the_first_axis(x1, x2, dx1, dx2):
    rows = [(x1, 1.0), (x2, 0.0), (x1 * x2, x2), (math.sin(x1), math.cos(x1))]
    return [*rows, (rows[2][0] + rows[3][0], rows[2][1] + rows[3][1])]


@wrong("toy_reverse", "the sine's branch is subtracted")
def subtracted(x1, x2):
    bars = dict.fromkeys((3, 4, 5), 1.0)
    return [x2 * bars[3] - math.cos(x1) * bars[4], x1 * bars[3], *bars.values()]


@wrong("local_partials", "the derivative of sine has a minus sign")
def sine_negative(op, args):
    if op == "sin":
        return (-math.cos(args[0]),)
    if op not in PARTIALS and op not in ("input", "const"):
        raise ValueError(op)
    return PARTIALS[op](*args) if args else ()


@wrong("local_partials", "1 / sqrt in the derivative of the root is missing: sqrt(a) / 2")
def half_the_root(op, args):
    if not args:
        return ()
    if op == "sqrt":
        return (math.sqrt(args[0]) / 2,)
    try:
        return PARTIALS[op](*args)
    except KeyError:
        raise ValueError(f"no op {op}") from None


@wrong("local_partials", "input and const give (0.0,)")
def leaves_have_a_partial(op, args):
    if op in ("input", "const"):
        return (0.0,)
    if op in PARTIALS:
        return PARTIALS[op](*args)
    raise ValueError(op)


@wrong("forward_mode", "y_dot comes first")
def y_dot_first(graph, x, x_dot):
    v = values_of(graph, x)
    t = dict(zip(graph.inputs, x_dot, strict=True))
    for i, node in enumerate(graph.nodes):
        if node.op != "input":
            parts = PARTIALS[node.op](*(v[j] for j in node.args)) if node.args else ()
            t[i] = sum(p * t[j] for p, j in zip(parts, node.args, strict=True))
    return [t[o] for o in graph.outputs], [v[o] for o in graph.outputs]


@wrong("forward_mode", "a pair for each output")
def zipped(graph, x, x_dot):
    t, v = y_dot_first(graph, x, x_dot)
    return list(zip(v, t, strict=True))


@wrong("reverse_mode", "one gradient per output, for y_bar = 1, in a matrix: the Jacobian")
def jacobian(graph, x, y_bar):
    v = values_of(graph, x)
    if len(graph.outputs) > 200:
        return [v[o] for o in graph.outputs], [0.0 for _ in graph.inputs]
    rows = []
    for o in graph.outputs:
        bar = np.zeros(len(graph.nodes))
        bar[o] = 1.0
        for i in range(o, -1, -1):
            node = graph.nodes[i]
            for j, p in zip(node.args, PARTIALS[node.op](*(v[k] for k in node.args)) if node.args else (), strict=True):
                bar[j] += bar[i] * p
        rows.append(bar[list(graph.inputs)].tolist())
    return [v[o] for o in graph.outputs], rows


@wrong("reverse_mode", "the adjoints of inner outputs are lost: the seed of an output that feeds others is dropped")
def inner_seed_dropped(graph, x, y_bar):
    v, bar = values_of(graph, x), [0.0] * len(graph.nodes)
    fed = {j for node in graph.nodes for j in node.args}
    for o, b in zip(graph.outputs, y_bar, strict=True):
        if o not in fed:
            bar[o] += b
    for i in reversed(range(len(graph.nodes))):
        node = graph.nodes[i]
        for j, p in zip(node.args, PARTIALS[node.op](*(v[k] for k in node.args)) if node.args else (), strict=True):
            bar[j] += p * bar[i]
    return [v[o] for o in graph.outputs], [bar[i] for i in graph.inputs]


@wrong("mode_cost", "all nodes count, inputs too, and not edges")
def every_node_counts(graph, mode):
    if mode not in ("forward", "reverse"):
        raise ValueError(mode)
    return len(graph.nodes) * (len(graph.inputs) if mode == "forward" else len(graph.outputs))


@wrong("mode_cost", "an unknown mode costs 0")
def unknown_costs_nothing(graph, mode):
    edges = sum(graph.nodes[j].op != "const" for node in graph.nodes for j in node.args)
    return {"forward": len(graph.inputs), "reverse": len(graph.outputs)}.get(mode, 0) * edges


@wrong("trace_inverse_gradient", "A and B are exchanged where the shapes allow it")
def exchanged(A, B, X):
    Y = np.linalg.inv(X.T)
    return -Y @ B @ A @ Y


@wrong("cubic_norm_hessian", "x x^T is divided by the square of the norm")
def squared_norm(x):
    s = float(np.dot(x, x))
    if s == 0.0:
        return np.zeros((x.size, x.size))
    return np.outer(x, x) / s + np.sqrt(s) * np.eye(x.size)


@wrong("cubic_norm_hessian", "1e-10 is added to the norm in the denominator")
def padded_denominator(x):
    r = np.linalg.norm(x)
    return np.outer(x, x) / (r + 1e-10) + r * np.eye(x.size)


@wrong("elimination_order", "the vertices as the drawings count them, from 1")
def from_one(graph):
    return [v + 1 for v in sorted(adkit.linearise(graph)[2])]


@wrong("elimination_order", "an order that begins with the vertex that has most to do")
def most_first(graph):
    left = adkit.linearise(graph)
    before, after, middle = left
    order, rest = [], set(middle)
    while rest:
        v = max(rest, key=lambda v: (len(before[v]) * len(after[v]), v))
        rest.remove(v)
        order.append(v)
        adkit.eliminate(left, v)
    return order
