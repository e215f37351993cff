"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import math

import adkit
import numpy as np

from wrong_solutions import Collection
from wrong_solutions.ad_modes import PARTIALS, edges_of, forward, reverse, values_of

WRONG = Collection()
wrong = WRONG.wrong


@wrong("toy_forward", "the direction is made a unit vector first")
def unit_direction(x1, x2, dx1, dx2):
    d = np.array([dx1, dx2], dtype=float)
    if d.any():
        d /= np.sqrt(d @ d)
    t3, t4 = x2 * d[0] + x1 * d[1], math.cos(x1) * d[0]
    return [(x1, d[0]), (x2, d[1]), (x1 * x2, t3), (math.sin(x1), t4), (x1 * x2 + math.sin(x1), t3 + t4)]


@wrong("toy_forward", "the last tangent is that of the product alone")
def last_sum_forgotten(x1, x2, dx1, dx2):
    t3 = x2 * dx1 + x1 * dx2
    v4, t4 = math.sin(x1), math.cos(x1) * dx1
    return [(x1, dx1), (x2, dx2), (x1 * x2, t3), (v4, t4), (x1 * x2 + v4, t3)]


@wrong("toy_reverse", "sin x1 where its derivative belongs")
def sine_again(x1, x2):
    v5_bar = 1.0
    v3_bar = v4_bar = v5_bar
    v1_bar = v4_bar * math.sin(x1)
    v1_bar += v3_bar * x2
    return np.array([v1_bar, v3_bar * x1, v3_bar, v4_bar, v5_bar])


@wrong("local_partials", "tanh' is 1 - tanh")
def tanh_square_forgotten(op, args):
    if op == "tanh":
        return [1 - math.tanh(args[0])]
    if op in ("const", "input"):
        return []
    if op not in PARTIALS:
        raise ValueError(f"what is {op}?")
    return list(PARTIALS[op](*args))


@wrong("local_partials", "the quotient's partials in the wrong order")
def quotient_the_other_way_round(op, args):
    if op in ("const", "input"):
        return ()
    if op not in PARTIALS:
        raise ValueError(op)
    return PARTIALS[op](*args)[::-1] if op == "div" else PARTIALS[op](*args)


@wrong("forward_mode", "the results come in the order of the nodes, each once")
def results_sorted(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot)
    here = [i for i in range(len(graph.nodes)) if i in graph.outputs]
    return [values[i] for i in here], [tangents[i] for i in here]


@wrong("forward_mode", "x_dot is divided by its length")
def along_a_unit_vector(graph, x, x_dot):
    length = np.linalg.norm(x_dot)
    values, tangents = forward(graph, x, np.asarray(x_dot) / length if length > 0 else x_dot)
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("reverse_mode", "the adjoints of all nodes are returned")
def all_adjoints(graph, x, y_bar):
    v, bar = values_of(graph, x), np.zeros(len(graph.nodes))
    np.add.at(bar, list(graph.outputs), y_bar)
    for i in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[i]
        for j, p in zip(node.args, PARTIALS[node.op](*(v[k] for k in node.args)) if node.args else (), strict=True):
            bar[j] += p * bar[i]
    return [v[o] for o in graph.outputs], bar.tolist()


@wrong("reverse_mode", "the k-th cotangent goes to the k-th output in the order of the nodes")
def cotangents_sorted(graph, x, y_bar):
    y, _ = reverse(graph, x, y_bar)
    ordered = adkit.Graph(graph.nodes, graph.inputs, tuple(sorted(graph.outputs)))
    return y, reverse(ordered, x, y_bar)[1]


@wrong("reverse_mode", "only what add's first two arguments get is handed back")
def sums_of_two(graph, x, y_bar):
    v, bar = values_of(graph, x), [0.0] * len(graph.nodes)
    for o, b in zip(graph.outputs, y_bar, strict=True):
        bar[o] += b
    for i in reversed(range(len(graph.nodes))):
        node = graph.nodes[i]
        if node.op in ("input", "const"):
            continue
        parts = PARTIALS[node.op](*(v[k] for k in node.args))
        bar[node.args[0]] += parts[0] * bar[i]
        if len(node.args) > 1:
            bar[node.args[1]] += parts[1] * bar[i]
    return tuple(v[o] for o in graph.outputs), tuple(bar[i] for i in graph.inputs)


@wrong("mode_cost", "whatever begins with f or r is a mode")
def first_letter(graph, mode):
    sides = {"f": graph.inputs, "r": graph.outputs}
    if not mode or mode[0].lower() not in sides:
        raise ValueError(f"{mode} is no mode")
    return len(sides[mode[0].lower()]) * edges_of(graph)


@wrong("choose_mode", "a tie is given to reverse mode")
def tie_is_reverse(graph):
    edges = edges_of(graph)
    return "forward" if len(graph.inputs) * edges < len(graph.outputs) * edges else "reverse"


@wrong("trace_inverse_gradient", "B A between the inverses, not transposed")
def product_not_transposed(A, B, X):
    Y = np.linalg.inv(X).T
    return -(Y @ B @ A @ Y)


@wrong("cubic_norm_hessian", "||x|| is added to every entry")
def added_everywhere(x):
    r = math.sqrt(float(x @ x))
    return np.outer(x, x) / r + r if r else np.zeros((len(x), len(x)))


@wrong("elimination_order", "the vertices with most successors come last")
def by_successors(graph):
    left = adkit.linearise(graph)
    return sorted(left[2], key=lambda v: (len(left[1][v]), v))
