"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import math
from typing import Any

import adkit
import jax.numpy as jnp
import numpy as np

from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong

FUNCTIONS: dict[str, Any] = {
    "add": lambda *a: sum(a),
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "sin": math.sin,
    "cos": math.cos,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}
PARTIALS: dict[str, Any] = {
    "add": lambda *a: tuple(1.0 for _ in a),
    "sub": lambda a, b: (1.0, -1.0),
    "mul": lambda a, b: (b, a),
    "div": lambda a, b: (1 / b, -a / b**2),
    "neg": lambda a: (-1.0,),
    "sin": lambda a: (math.cos(a),),
    "cos": lambda a: (-math.sin(a),),
    "exp": lambda a: (math.exp(a),),
    "log": lambda a: (1 / a,),
    "sqrt": lambda a: (0.5 / math.sqrt(a),),
    "tanh": lambda a: (1 - math.tanh(a) ** 2,),
}


def values_of(graph, x):
    """The value of each node, in a list."""
    values, given = [], dict(zip(graph.inputs, x, strict=True))
    for index, node in enumerate(graph.nodes):
        if node.op == "input":
            values.append(float(given[index]))
        elif node.op == "const":
            values.append(float(node.value))
        else:
            values.append(FUNCTIONS[node.op](*(values[a] for a in node.args)))
    return values


def partials_of(node, values) -> Any:
    return PARTIALS[node.op](*(values[a] for a in node.args)) if node.args else ()


# q1


@wrong("toy_forward", "the tangent of the product is the product of the tangents")
def product_of_tangents(x1, x2, dx1, dx2):
    return [
        (x1, dx1),
        (x2, dx2),
        (x1 * x2, dx1 * dx2),
        (np.sin(x1), np.cos(x1) * dx1),
        (x1 * x2 + np.sin(x1), dx1 * dx2 + np.cos(x1) * dx1),
    ]


@wrong("toy_forward", "the derivative of the sine has the wrong sign")
def minus_cosine(x1, x2, dx1, dx2):
    v3, t3 = x1 * x2, x2 * dx1 + x1 * dx2
    v4, t4 = math.sin(x1), -math.cos(x1) * dx1
    return ((x1, dx1), (x2, dx2), (v3, t3), (v4, t4), (v3 + v4, t3 + t4))


@wrong("toy_forward", "tangent first, value second")
def pairs_the_other_way_round(x1, x2, dx1, dx2):
    v = [x1, x2, x1 * x2, math.sin(x1)]
    v.append(v[2] + v[3])
    t = [dx1, dx2, dx1 * x2 + x1 * dx2, math.cos(x1) * dx1]
    t.append(t[2] + t[3])
    return list(zip(t, v, strict=True))


@wrong("toy_forward", "the tangent of sin(x1) is not multiplied by dx1")
def cosine_without_its_tangent(x1, x2, dx1, dx2):
    t3 = dx1 * x2 + x1 * dx2
    t4 = math.cos(x1)
    return [(x1, dx1), (x2, dx2), (x1 * x2, t3), (math.sin(x1), t4), (x1 * x2 + math.sin(x1), t3 + t4)]


@wrong("toy_forward", "the two terms of the product rule have each other's factor: x1 dx1 + x2 dx2")
def own_factor(x1, x2, dx1, dx2):
    v1, v2 = jnp.asarray(x1), jnp.asarray(x2)
    v3, d3 = v1 * v2, v1 * dx1 + v2 * dx2
    v4, d4 = jnp.sin(v1), jnp.cos(v1) * dx1
    return [(v1, dx1), (v2, dx2), (v3, d3), (v4, d4), (v3 + v4, d3 + d4)]


@wrong("toy_forward", "five values and then five tangents, where pairs are asked")
def two_rows(x1, x2, dx1, dx2):
    v3, v4 = x1 * x2, math.sin(x1)
    d3, d4 = x2 * dx1 + x1 * dx2, math.cos(x1) * dx1
    return [x1, x2, v3, v4, v3 + v4], [dx1, dx2, d3, d4, d3 + d4]


@wrong("toy_forward", "the last node multiplies where it should add")
def product_at_the_end(x1, x2, dx1, dx2):
    v3, v4 = x1 * x2, math.sin(x1)
    d3, d4 = x2 * dx1 + x1 * dx2, math.cos(x1) * dx1
    return [(x1, dx1), (x2, dx2), (v3, d3), (v4, d4), (v3 * v4, d3 * v4 + v3 * d4)]


@wrong("toy_reverse", "v1_bar has the contribution of the sine only: the product's was overwritten")
def last_use_wins(x1, x2):
    bar = {5: 1.0}
    bar[3] = bar[5]
    bar[4] = bar[5]
    bar[1] = bar[3] * x2
    bar[2] = bar[3] * x1
    bar[1] = bar[4] * math.cos(x1)
    return tuple(bar[k] for k in range(1, 6))


@wrong("toy_reverse", "v1_bar has the contribution of the product only: the sine is forgotten")
def no_sine(x1, x2):
    return (x2, x1, 1.0, 1.0, 1.0)


@wrong("toy_reverse", "the two contributions to v1_bar are multiplied, not added")
def contributions_multiplied(x1, x2):
    return [x2 * math.cos(x1), x1, 1.0, 1.0, 1.0]


@wrong("toy_reverse", "the adjoints of the product go to the wrong arguments")
def factors_swapped(x1, x2):
    return np.array([x1 + np.cos(x1), x2, 1.0, 1.0, 1.0])


@wrong("toy_reverse", "the adjoints are in the order in which they were computed, v5_bar first")
def backwards_order(x1, x2):
    return 1.0, 1.0, 1.0, x1, x2 + math.cos(x1)


@wrong("toy_reverse", "the values of the nodes, not their adjoints")
def values_again(x1, x2):
    return x1, x2, x1 * x2, math.sin(x1), x1 * x2 + math.sin(x1)


# q2


def table(**changes):
    """local_partials with some entries changed."""
    rules = {**PARTIALS, **changes}

    def local_partials(op, args):
        if op in ("input", "const"):
            return ()
        if op not in rules:
            raise ValueError(f"unknown op {op}")
        return rules[op](*args)

    return local_partials


wrong("local_partials", "the second partial of a quotient lacks its minus sign", "div_without_minus")(
    table(div=lambda a, b: (1 / b, a / (b * b)))
)
wrong("local_partials", "the derivative of sqrt lacks the factor 1/2", "sqrt_without_half")(
    table(sqrt=lambda a: (1 / np.sqrt(a),))
)
wrong("local_partials", "tanh' is 1 minus the square of the argument, not of the value", "tanh_of_the_argument")(
    table(tanh=lambda a: (1 - a**2,))
)
wrong("local_partials", "both partials of a difference are 1", "sub_like_add")(table(sub=lambda a, b: (1.0, 1.0)))
wrong("local_partials", "the partials of a product are given in the wrong order", "mul_own_factor")(
    table(mul=lambda a, b: (a, b))
)
wrong("local_partials", "the derivative of the cosine lacks its minus sign", "cos_without_minus")(
    table(cos=lambda a: (math.sin(a),))
)
wrong("local_partials", "add has two partials whatever the number of its arguments", "add_of_two")(
    table(add=lambda *a: (1.0, 1.0))
)
wrong("local_partials", "the second partial of a quotient lacks its numerator", "div_without_numerator")(
    table(div=lambda a, b: (1 / b, -1 / b**2))
)
wrong("local_partials", "the power rule is used for the exponential", "power_rule_for_exp")(
    table(exp=lambda a: (a * math.exp(a - 1),))
)
wrong("local_partials", "log' is the reciprocal of the value, not of the argument", "log_of_the_value")(
    table(log=lambda a: (1 / math.log(a),))
)
wrong("local_partials", "tanh' is 1 + tanh^2", "tanh_plus")(table(tanh=lambda a: (1 + math.tanh(a) ** 2,)))
wrong("local_partials", "both partials of a quotient are divided by b once only", "div_not_squared")(
    table(div=lambda a, b: (1 / b, -a / b))
)
wrong("local_partials", "the derivative of -a is 1", "neg_forgotten")(table(neg=lambda a: (1.0,)))


@wrong("local_partials", "an unknown op gives () and no error")
def unknown_is_nothing(op, args):
    rule = PARTIALS.get(op)
    return rule(*args) if rule else ()


@wrong("local_partials", "an unknown op raises KeyError")
def unknown_is_a_key_error(op, args):
    if op == "input" or op == "const":
        return ()
    return PARTIALS[op](*args)


@wrong("local_partials", "functions of one argument give a number, not a tuple of one")
def bare_number(op, args):
    if op in ("input", "const"):
        return ()
    if op not in PARTIALS:
        raise ValueError(op)
    answer = PARTIALS[op](*args)
    return answer if len(answer) > 1 else answer[0]


@wrong("local_partials", "derivatives by one-sided differences with step 1e-6: not exact")
def by_differences(op, args):
    if op in {"input", "const"}:
        return ()
    if op not in FUNCTIONS:
        raise ValueError(op)
    f, h = FUNCTIONS[op], 1e-6
    here = f(*args)
    return tuple((f(*[a + h * (i == j) for j, a in enumerate(args)]) - here) / h for i in range(len(args)))


# q3


@wrong("forward_mode", "recursion from the outputs: deep graphs exceed the stack")
def recursive(graph, x, x_dot):
    known = {}

    def visit(i):
        if i not in known:
            node = graph.nodes[i]
            if node.op == "input":
                k = graph.inputs.index(i)
                known[i] = (x[k], x_dot[k])
            elif node.op == "const":
                known[i] = (node.value, 0.0)
            else:
                pairs = [visit(a) for a in node.args]
                a = [p[0] for p in pairs]
                known[i] = (
                    FUNCTIONS[node.op](*a),
                    sum(d * p[1] for d, p in zip(PARTIALS[node.op](*a), pairs, strict=True)),
                )
        return known[i]

    both = [visit(o) for o in graph.outputs]
    return [v for v, _ in both], [t for _, t in both]


def forward(graph, x, x_dot, *, const=0.0, args: Any = tuple, inputs=None, kind: Any = float):
    """A right forward sweep, with places to go wrong."""
    values = values_of(graph, x)
    tangents = []
    seeds = dict(zip(inputs or graph.inputs, x_dot, strict=True))
    for index, node in enumerate(graph.nodes):
        if node.op == "input":
            tangents.append(kind(seeds[index]))
        elif node.op == "const":
            tangents.append(kind(const))
        else:
            of = dict(zip(node.args, partials_of(node, values), strict=True))
            if args is tuple:
                t = sum(p * tangents[a] for a, p in zip(node.args, partials_of(node, values), strict=True))
            else:
                t = sum(of[a] * tangents[a] for a in args(node.args))
            tangents.append(kind(t))
    return values, tangents


@wrong("forward_mode", "a repeated argument counts once")
def arguments_in_a_set(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot, args=set)
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "add has two arguments at most")
def two_arguments(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot, args=lambda a: a[:2] if len(set(a)) > 1 else (a[0],) * len(a))
    for index, node in enumerate(graph.nodes):
        if node.op == "mul" and node.args[0] == node.args[1]:
            tangents[index] = 2 * values[node.args[0]] * tangents[node.args[0]]
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "constants move: their tangent is 1")
def moving_constants(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot, const=1.0)
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "the inputs are taken in ascending order of their nodes")
def sorted_inputs(graph, x, x_dot):
    position = {i: k for k, i in enumerate(sorted(graph.inputs))}
    x = [x[position[i]] for i in graph.inputs]
    x_dot = [x_dot[position[i]] for i in graph.inputs]
    values, tangents = forward(graph, x, x_dot)
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "the direction is ignored: every input moves with 1")
def ones_for_the_direction(graph, x, x_dot):
    values, tangents = forward(graph, x, [1.0 for _ in x_dot])
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "the values are returned where the tangents are asked")
def values_twice(graph, x, x_dot):
    values = values_of(graph, x)
    return [values[o] for o in graph.outputs], [values[o] for o in graph.outputs]


@wrong("forward_mode", "the first input only moves: x_dot[0] e_1")
def first_direction_only(graph, x, x_dot):
    only = [d if k == 0 else 0.0 for k, d in enumerate(x_dot)]
    values, tangents = forward(graph, x, only)
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong("forward_mode", "a central difference with step 1e-5: not exact")
def central_difference(graph, x, x_dot):
    def f(p):
        v = values_of(graph, p)
        return np.array([v[o] for o in graph.outputs])

    x, x_dot, h = np.asarray(x, float), np.asarray(x_dot, float), 1e-5
    return f(x).tolist(), ((f(x + h * x_dot) - f(x - h * x_dot)) / (2 * h)).tolist()


@wrong("forward_mode", "a one-sided difference with step 1e-7: not exact")
def one_sided_difference(graph, x, x_dot):
    here = values_of(graph, x)
    there = values_of(graph, [a + 1e-7 * d for a, d in zip(x, x_dot, strict=True)])
    return [here[o] for o in graph.outputs], [(there[o] - here[o]) / 1e-7 for o in graph.outputs]


@wrong("forward_mode", "an output that is listed twice is returned once")
def outputs_once(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot)
    seen = list(dict.fromkeys(graph.outputs))
    return [values[o] for o in seen], [tangents[o] for o in seen]


@wrong("forward_mode", "tangents are stored in 32-bit floats")
def single_precision(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot, kind=np.float32)
    return [values[o] for o in graph.outputs], [float(tangents[o]) for o in graph.outputs]


@wrong("forward_mode", "the last nodes are returned, not graph.outputs")
def last_nodes(graph, x, x_dot):
    values, tangents = forward(graph, x, x_dot)
    k = len(graph.outputs)
    return values[-k:], tangents[-k:]


@wrong("forward_mode", "the quotient's second partial lacks its minus sign")
def quotient_rule_with_plus(graph, x, x_dot):
    v, t = [0.0] * len(graph.nodes), [0.0] * len(graph.nodes)
    for k, i in enumerate(graph.inputs):
        v[i], t[i] = x[k], x_dot[k]
    for i, node in enumerate(graph.nodes):
        a = [v[j] for j in node.args]
        if node.op == "const":
            v[i] = node.value
        elif node.op == "div":
            v[i] = a[0] / a[1]
            t[i] = t[node.args[0]] / a[1] + a[0] * t[node.args[1]] / a[1] ** 2
        elif node.op != "input":
            v[i] = FUNCTIONS[node.op](*a)
            t[i] = sum(p * t[j] for p, j in zip(PARTIALS[node.op](*a), node.args, strict=True))
    return [v[o] for o in graph.outputs], [t[o] for o in graph.outputs]


# q4


def reverse(graph, x, y_bar, *, assign=False, seed="add", args: Any = tuple, order: Any = reversed):
    """A right reverse sweep, with places to go wrong."""
    values = values_of(graph, x)
    bar = [0.0] * len(graph.nodes)
    for o, b in zip(graph.outputs, y_bar, strict=True):
        bar[o] = bar[o] + b if seed == "add" else b
    for index in order(range(len(graph.nodes))):
        node = graph.nodes[index]
        pairs: Any = list(zip(node.args, partials_of(node, values), strict=True))
        if args is not tuple:
            pairs = args(pairs).items()
        for a, p in pairs:
            bar[a] = bar[index] * p if assign else bar[a] + bar[index] * p
    return [values[o] for o in graph.outputs], [bar[i] for i in graph.inputs]


@wrong("reverse_mode", "adjoints are overwritten, not accumulated")
def overwritten(graph, x, y_bar):
    return reverse(graph, x, y_bar, assign=True)


@wrong("reverse_mode", "the cotangents are ignored: every output starts with 1")
def ones_for_the_cotangents(graph, x, y_bar):
    return reverse(graph, x, np.ones(len(graph.outputs)))


@wrong("reverse_mode", "an output listed twice keeps the last of its cotangents only")
def seed_assigned(graph, x, y_bar):
    return reverse(graph, x, y_bar, seed="set")


@wrong("reverse_mode", "a repeated argument gets one of its contributions only")
def arguments_in_a_dictionary(graph, x, y_bar):
    return reverse(graph, x, y_bar, args=dict)


@wrong("reverse_mode", "the sweep goes from the first node to the last")
def wrong_direction(graph, x, y_bar):
    return reverse(graph, x, y_bar, order=iter)


@wrong("reverse_mode", "the cotangent of an output replaces what the nodes that use it have handed back")
def output_replaces(graph, x, y_bar):
    values, bar = values_of(graph, x), np.zeros(len(graph.nodes))
    seeds = {}
    for o, b in zip(graph.outputs, y_bar, strict=True):
        seeds[o] = seeds.get(o, 0.0) + b
    for index in range(len(graph.nodes) - 1, -1, -1):
        if index in seeds:
            bar[index] = seeds[index]
        for a, p in zip(graph.nodes[index].args, partials_of(graph.nodes[index], values), strict=True):
            bar[a] += bar[index] * p
    return [values[o] for o in graph.outputs], list(bar[list(graph.inputs)])


@wrong("reverse_mode", "the adjoints of the inputs come in ascending order of their nodes")
def ascending_inputs(graph, x, y_bar):
    y, x_bar = reverse(graph, x, y_bar)
    of = dict(zip(graph.inputs, x_bar, strict=True))
    return y, [of[i] for i in sorted(graph.inputs)]


@wrong("reverse_mode", "inputs that nothing uses are left out")
def unused_left_out(graph, x, y_bar):
    y, x_bar = reverse(graph, x, y_bar)
    used = {a for node in graph.nodes for a in node.args} | set(graph.outputs)
    return y, [b for i, b in zip(graph.inputs, x_bar, strict=True) if i in used]


@wrong("reverse_mode", "an input that nothing uses gets None")
def unused_is_none(graph, x, y_bar):
    y, x_bar = reverse(graph, x, y_bar)
    used = {a for node in graph.nodes for a in node.args} | set(graph.outputs)
    return y, [b if i in used else None for i, b in zip(graph.inputs, x_bar, strict=True)]


@wrong("reverse_mode", "only the first output's cotangent is used")
def first_output_only(graph, x, y_bar):
    return reverse(graph, x, [b if k == 0 else 0.0 for k, b in enumerate(y_bar)])


@wrong("reverse_mode", "recursion from the outputs: deep graphs exceed the stack")
def recursive_sweep(graph, x, y_bar):
    values, users = values_of(graph, x), {}
    for i, node in enumerate(graph.nodes):
        for k, a in enumerate(node.args):
            users.setdefault(a, []).append((i, k))
    seeds, known = {}, {}
    for o, b in zip(graph.outputs, y_bar, strict=True):
        seeds[o] = seeds.get(o, 0.0) + b

    def adjoint(i):
        if i not in known:
            known[i] = seeds.get(i, 0.0) + sum(
                adjoint(j) * partials_of(graph.nodes[j], values)[k] for j, k in users.get(i, [])
            )
        return known[i]

    return [values[o] for o in graph.outputs], [adjoint(i) for i in graph.inputs]


@wrong("reverse_mode", "the second of two arguments gets nothing")
def first_argument_only(graph, x, y_bar):
    values, bar = values_of(graph, x), [0.0] * len(graph.nodes)
    for o, b in zip(graph.outputs, y_bar, strict=True):
        bar[o] += b
    for i in reversed(range(len(graph.nodes))):
        if graph.nodes[i].args:
            bar[graph.nodes[i].args[0]] += bar[i] * partials_of(graph.nodes[i], values)[0]
    return [values[o] for o in graph.outputs], [bar[i] for i in graph.inputs]


@wrong("reverse_mode", "x_bar and y in the wrong order")
def answers_swapped(graph, x, y_bar):
    y, x_bar = reverse(graph, x, y_bar)
    return x_bar, y


# q5


def edges_of(graph, distinct=False):
    pairs = [(a, i) for i, node in enumerate(graph.nodes) for a in node.args if graph.nodes[a].op != "const"]
    return len(set(pairs)) if distinct else len(pairs)


@wrong("mode_cost", "forward counts outputs and reverse counts inputs")
def swapped_cost(graph, mode):
    if mode == "forward":
        return len(graph.outputs) * edges_of(graph)
    elif mode == "reverse":
        return len(graph.inputs) * edges_of(graph)
    raise ValueError(mode)


@wrong("mode_cost", "nodes are counted, not edges")
def counts_nodes(graph, mode):
    sweeps = {"forward": len(graph.inputs), "reverse": len(graph.outputs)}
    if mode not in sweeps:
        raise ValueError("no such mode")
    return sweeps[mode] * sum(1 for node in graph.nodes if node.op not in ("input", "const"))


@wrong("mode_cost", "edges from constants count")
def counts_constants(graph, mode):
    if mode not in ("forward", "reverse"):
        raise ValueError
    n = len(graph.inputs) if mode == "forward" else len(graph.outputs)
    return n * sum(len(node.args) for node in graph.nodes)


@wrong("mode_cost", "repeated edges count once")
def distinct_edges(graph, mode):
    match mode:
        case "forward":
            return len(graph.inputs) * edges_of(graph, True)
        case "reverse":
            return len(graph.outputs) * edges_of(graph, True)
        case _:
            raise ValueError(mode)


@wrong("mode_cost", "an output that is listed twice counts once")
def distinct_outputs(graph, mode):
    if mode == "forward":
        return len(graph.inputs) * edges_of(graph)
    if mode == "reverse":
        return len(set(graph.outputs)) * edges_of(graph)
    raise ValueError(f"mode must be forward or reverse, not {mode}")


@wrong("mode_cost", "the cost of one sweep, not of the full Jacobian")
def one_sweep(graph, mode):
    if mode not in ["forward", "reverse"]:
        raise ValueError
    return edges_of(graph)


@wrong("mode_cost", "any other mode is taken for reverse")
def anything_else_is_reverse(graph, mode):
    return (len(graph.inputs) if mode == "forward" else len(graph.outputs)) * edges_of(graph)


@wrong("mode_cost", "inputs that nothing uses do not count")
def used_inputs(graph, mode):
    used = {a for node in graph.nodes for a in node.args}
    if mode == "forward":
        return sum(i in used for i in graph.inputs) * edges_of(graph)
    if mode == "reverse":
        return len(graph.outputs) * edges_of(graph)
    raise ValueError(mode)


@wrong("mode_cost", "edges that lead to no output do not count")
def live_edges(graph, mode):
    alive = set(graph.outputs)
    for i in reversed(range(len(graph.nodes))):
        if i in alive:
            alive.update(graph.nodes[i].args)
    edges = sum(graph.nodes[a].op != "const" for i, node in enumerate(graph.nodes) if i in alive for a in node.args)
    if mode not in ("forward", "reverse"):
        raise ValueError(mode)
    return edges * len(graph.inputs if mode == "forward" else graph.outputs)


@wrong("choose_mode", "a tie is given to forward mode")
def tie_is_forward(graph):
    return "forward" if len(graph.inputs) <= len(graph.outputs) else "reverse"


@wrong("choose_mode", "a graph without edges is no tie: inputs and outputs alone are compared")
def compares_inputs_and_outputs(graph):
    n, m = len(graph.inputs), len(graph.outputs)
    return "either" if n == m else "forward" if n < m else "reverse"


@wrong("choose_mode", "the dearer mode is named")
def dearer(graph):
    forward_cost, reverse_cost = (len(which) * edges_of(graph) for which in (graph.inputs, graph.outputs))
    if forward_cost == reverse_cost:
        return "either"
    return "forward" if forward_cost > reverse_cost else "reverse"


@wrong("choose_mode", "a tie is called 'both'")
def both(graph):
    difference = (len(graph.inputs) - len(graph.outputs)) * edges_of(graph)
    return "both" if difference == 0 else ("reverse" if difference > 0 else "forward")


# q6


@wrong("trace_inverse_gradient", "the minus sign is missing")
def plus(A, B, X):
    Y = np.linalg.inv(X).T
    return Y @ A.T @ B.T @ Y


@wrong("trace_inverse_gradient", "the transpose of the gradient")
def transposed(A, B, X):
    return -np.linalg.solve(X, B) @ A @ np.linalg.inv(X)


@wrong("trace_inverse_gradient", "the inverses are not transposed")
def inverses_not_transposed(A, B, X):
    Z = jnp.linalg.inv(X)
    return -(Z @ A.T @ B.T @ Z)


@wrong("trace_inverse_gradient", "the reciprocal of each entry in place of the inverse")
def entrywise(A, B, X):
    R = (1.0 / X).T
    return -R @ A.T @ B.T @ R


@wrong("trace_inverse_gradient", "the second of the two inverses is missing")
def one_inverse_missing(A, B, X):
    return -np.linalg.inv(X).T @ A.T @ B.T


@wrong("trace_inverse_gradient", "a ridge of 1e-6 is added to X before it is inverted")
def ridge(A, B, X):
    Y = np.linalg.inv(X + 1e-6 * np.eye(len(X))).T
    return -Y @ A.T @ B.T @ Y


@wrong("trace_inverse_gradient", "computed in 32-bit floats")
def in_single(A, B, X):
    A, B, X = (np.asarray(M, np.float32) for M in (A, B, X))
    Y = np.linalg.inv(X).T
    return -Y @ A.T @ B.T @ Y


@wrong("cubic_norm_hessian", "the term x x^T / ||x|| is missing")
def identity_only(x):
    return np.linalg.norm(x) * np.eye(len(x))


@wrong("cubic_norm_hessian", "the identity term is missing")
def outer_only(x):
    r = np.linalg.norm(x)
    return np.outer(x, x) / r if r > 0 else np.zeros((x.size, x.size))


@wrong("cubic_norm_hessian", "0/0 at x = 0")
def nan_at_zero(x):
    r = jnp.linalg.norm(x)
    return jnp.outer(x, x) / r + r * jnp.eye(x.shape[0])


@wrong("cubic_norm_hessian", "a tiny x is taken for 0")
def threshold(x):
    r = np.sqrt(x @ x)
    if r < 1e-8:
        return np.zeros((len(x), len(x)))
    return x[:, None] * x[None, :] / r + r * np.identity(len(x))


@wrong("cubic_norm_hessian", "the gradient, not the Hessian")
def gradient_returned(x):
    return np.linalg.norm(x) * np.asarray(x)


@wrong("cubic_norm_hessian", "x x^T is not divided by ||x||")
def not_divided(x):
    return np.outer(x, x) + np.linalg.norm(x) * np.eye(len(x))


@wrong("cubic_norm_hessian", "x^T x, a number, in place of x x^T")
def inner_for_outer(x):
    r = np.linalg.norm(x)
    return r * np.eye(len(x)) + (x @ x) / (r if r else 1.0)


@wrong("cubic_norm_hessian", "a small number is added under the root, which changes tiny x")
def softened(x):
    r = np.sqrt(np.sum(x**2) + 1e-12)
    return np.outer(x, x) / r + r * np.eye(len(x))


@wrong("cubic_norm_hessian", "the identity at x = 0")
def identity_at_zero(x):
    r = np.linalg.norm(x)
    if r == 0:
        return np.eye(len(x))
    return np.outer(x, x) / r + r * np.eye(len(x))


@wrong("cubic_norm_hessian", "the Hessian of ||x||^3: three times too large")
def third_forgotten(x):
    r = np.linalg.norm(x)
    return np.zeros((len(x), len(x))) if r == 0 else 3 * (np.outer(x, x) / r + r * np.eye(len(x)))


# q7


@wrong("elimination_order", "forward order, whatever it costs")
def always_forward(graph):
    return sorted(adkit.linearise(graph)[2])


@wrong("elimination_order", "reverse order, whatever it costs")
def always_reverse(graph):
    return sorted(adkit.linearise(graph)[2], reverse=True)


@wrong("elimination_order", "Markowitz degrees are computed once, at the start")
def static_markowitz(graph):
    before, after, middle = adkit.linearise(graph)
    return sorted(middle, key=lambda v: (len(before[v]) * len(after[v]), v))


@wrong("elimination_order", "Markowitz alone: where forward or reverse is cheaper, it costs more")
def markowitz_alone(graph):
    linearised = adkit.linearise(graph)
    before, after, middle = linearised
    left, order = set(middle), []
    while left:
        v = min(left, key=lambda v: (len(before[v]) * len(after[v]), v))
        adkit.eliminate(linearised, v)
        left.remove(v)
        order.append(v)
    return order


@wrong("elimination_order", "the sum of predecessors and successors is minimised, not the product")
def sum_of_degrees(graph):
    linearised = adkit.linearise(graph)
    before, after, middle = linearised
    left, order = list(middle), []
    while left:
        left.sort(key=lambda v: (len(before[v]) + len(after[v]), v))
        order.append(left.pop(0))
        adkit.eliminate(linearised, order[-1])
    return order


@wrong("elimination_order", "inputs and outputs are in the order too")
def everything(graph):
    return list(range(len(graph.nodes)))


@wrong("elimination_order", "outputs that feed other nodes are left out")
def outputs_left_out(graph):
    return [v for v in adkit.linearise(graph)[2] if v not in graph.outputs]


@wrong("elimination_order", "the cheaper of forward and reverse order only")
def better_of_two(graph):
    order = sorted(adkit.linearise(graph)[2])
    return min(order, order[::-1], key=lambda o: adkit.elimination_cost(graph, o))
