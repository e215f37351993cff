"""What the hidden cases of `ad_modes` share: random computational graphs, points at which to differentiate them,
and the comparison of a student's function with the reference on them.

Graphs are built together with their values, so that no operation comes near the border of its domain (log,
sqrt, div), and those in which large terms cancel are thrown away: evaluated in any right way, in 64-bit floats,
the answers have a relative error of some 1e-15 (5e-15 was the largest of 3 000), and the cases' tolerance of 1e-12
(relative to the norm of the answer) is met. A central difference is a few 1e-12 off at its best.
Each builder isolates one property of graphs; what the others test is left out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from adkit import checks
from adkit.elimination import elimination_cost, linearise
from adkit.graph import Graph, Node
from adkit.implementations import Implementation, Program
from numpy.random import Generator
from numpy.typing import NDArray

from reference import ad_modes as reference
from reference import implementations
from reference.ad_modes import local_partials, markowitz_order, node_values, reverse_mode

UNARY: dict[str, tuple[Callable[[float], float], Callable[[float], bool]]] = {
    "neg": (lambda a: -a, lambda a: True),
    "sin": (math.sin, lambda a: True),
    "cos": (math.cos, lambda a: True),
    "exp": (math.exp, lambda a: a < 1.5),
    "log": (math.log, lambda a: 0.4 < a < 4.0),
    "sqrt": (math.sqrt, lambda a: 0.3 < a < 5.0),
    "tanh": (math.tanh, lambda a: abs(a) < 2.0),
}
"""Each unary op: its function, and where it may be applied."""

BINARY: dict[str, tuple[Callable[[float, float], float], Callable[[float, float], bool]]] = {
    "add": (lambda a, b: a + b, lambda a, b: True),
    "sub": (lambda a, b: a - b, lambda a, b: True),
    "mul": (lambda a, b: a * b, lambda a, b: True),
    "div": (lambda a, b: a / b, lambda a, b: 0.4 < abs(b) < 4.0),
}

LARGEST_VALUE = 6.0


@dataclass(frozen=True)
class Problem:
    """A graph and a point at which all its nodes are well away from the borders of their domains."""

    graph: Graph
    x: NDArray[np.float64]


@dataclass
class _Builder:
    """Nodes so far, with their values at the point that is chosen on the way."""

    random: Generator
    nodes: list[Node] = field(default_factory=list[Node])
    values: list[float] = field(default_factory=list[float])

    def input(self) -> int:
        return self.append(Node("input"), self.random.uniform(0.5, 1.5))

    def const(self) -> int:
        value = float(self.random.uniform(0.5, 1.5))
        return self.append(Node("const", (), value), value)

    def apply(self, op: str, pool: Sequence[int], repeat: bool = False) -> int | None:
        """A new node of kind `op` on nodes of the pool, all different unless `repeat`; None where none is
        possible.
        """
        binary = op in BINARY
        if binary and len(pool) < 2:
            return None
        for _ in range(40):
            if not binary:
                args = [int(self.random.choice(pool))]
            elif repeat:
                args = [int(self.random.choice(pool))] * 2
            else:
                args = [int(arg) for arg in self.random.choice(pool, size=2, replace=False)]
            operands = [self.values[arg] for arg in args]
            evaluate, allowed = BINARY[op] if binary else UNARY[op]
            if allowed(*operands) and abs(evaluate(*operands)) < LARGEST_VALUE:
                return self.append(Node(op, tuple(args)), evaluate(*operands))
        return None

    def append(self, node: Node, value: float) -> int:
        self.nodes.append(node)
        self.values.append(float(value))
        return len(self.nodes) - 1

    def problem(self, outputs: Sequence[int], inputs: Sequence[int] | None = None) -> Problem:
        if inputs is None:
            inputs = [index for index, node in enumerate(self.nodes) if node.op == "input"]
        graph = Graph(tuple(self.nodes), tuple(inputs), tuple(outputs))
        return Problem(graph, np.array([self.values[index] for index in inputs]))


def tree(random: Generator) -> Problem:
    """Every op on 14 inputs, each node used once: nothing is shared, no constants."""
    while True:
        build = _Builder(random)
        pool = [build.input() for _ in range(14)]
        if all(_consume(build, str(op), pool) for op in random.permutation([*UNARY, *BINARY, *UNARY])):
            problem = build.problem(outputs=sorted(pool))
            if _well_conditioned(problem):
                return problem


def _consume(build: _Builder, op: str, pool: list[int]) -> bool:
    """Applies `op` to nodes of the pool and replaces them there by the result."""
    index = build.apply(op, pool)
    if index is None:
        return False
    for arg in build.nodes[index].args:
        pool.remove(arg)
    pool.append(index)
    return True


def shared(random: Generator, *, constants: int = 0, repeats: bool = False, operations: int = 24) -> Problem:
    """Every op on 4 inputs, nodes used any number of times; the outputs are the nodes that nothing uses (2
    to 7 of them, not 4, so that rows and columns of the Jacobian cannot be mixed up).

    constants: how many constants take part. repeats: whether add, sub, mul and div each have a node that is both
    of their arguments somewhere (x - x and x / x are constants, and their two partials cancel).
    """
    ops = [*UNARY, *BINARY]
    while True:
        build = _Builder(random)
        pool = [build.input() for _ in range(4)] + [build.const() for _ in range(constants)]
        once = [*random.permutation(ops), *random.choice(ops, size=operations - len(ops))]
        wanted = [(str(op), False) for op in once]
        if repeats:
            wanted += [(op, True) for op in (*BINARY, "mul", "add")]
            wanted = [wanted[int(place)] for place in random.permutation(len(wanted))]
        used: set[int] = set()
        for op, repeat in wanted:
            unused = [index for index in pool if index not in used]
            among = unused if len(unused) > 2 and random.random() < 0.6 else pool[-12:]
            index = build.apply(op, among, repeat=repeat)
            if index is not None:
                pool.append(index)
                used.update(build.nodes[index].args)
        ends = [index for index, node in enumerate(build.nodes) if node.args and index not in used]
        complete = {node.op for node in build.nodes} >= set(ops)
        if repeats:
            complete &= {node.op for node in build.nodes if len(node.args) > len(set(node.args))} == set(BINARY)
        if complete and used.issuperset(range(4 + constants)) and len(ends) in (2, 3, 5, 6, 7):
            problem = build.problem(outputs=ends)
            if _well_conditioned(problem):
                return problem


def sums(random: Generator) -> Problem:
    """Sums of three, four and five different nodes, among products and sines; all of their terms matter."""
    while True:
        build = _Builder(random)
        pool = [build.input() for _ in range(6)]
        for count in random.permutation([3, 4, 5, 3]):
            terms = [int(term) for term in random.choice(pool, size=int(count), replace=False)]
            pool.append(build.append(Node("add", tuple(terms)), sum(build.values[term] for term in terms)))
            for op in ("sin", "mul"):
                index = build.apply(op, pool[-4:])
                if index is not None:
                    pool.append(index)
        used = {arg for node in build.nodes for arg in node.args}
        ends = [index for index in range(6, len(build.nodes)) if index not in used]
        if used.issuperset(range(6)) and len(ends) > 1:
            problem = build.problem(outputs=ends)
            if _well_conditioned(problem):
                return problem


def zeros(random: Generator) -> Problem:
    """Products and quotients of three inputs, one of which is 0, and of what is 0 with it: values vanish, derivatives
    do not.

    What is 0 is a factor on either side, a numerator, and once both factors (then the derivative is 0, too).
    """
    nodes = [Node("input") for _ in range(3)]
    zero, one, two = (int(index) for index in random.permutation(3))
    nodes += [
        Node("mul", (zero, one)),
        Node("div", (zero, two)),
        Node("mul", (two, 3)),
        Node("div", (4, one)),
        Node("mul", (3, 4)),
        Node("add", (7, 5)),
        Node("mul", (one, two)),
        Node("sub", (9, 6)),
    ]
    x = random.uniform(0.5, 2.0, size=3) * random.choice([-1, 1], size=3)
    x[zero] = 0.0
    return Problem(Graph(tuple(nodes), (0, 1, 2), (8, 10)), x)


def inner_outputs(random: Generator) -> Problem:
    """A shared graph with three outputs that feed other nodes, and one that does not."""
    while True:
        problem = shared(random)
        nodes = problem.graph.nodes
        used = sorted({arg for node in nodes for arg in node.args if nodes[arg].args})
        inner = [int(index) for index in random.choice(used, size=3, replace=False)]
        outputs = (*inner, problem.graph.outputs[-1])
        problem = Problem(Graph(nodes, problem.graph.inputs, outputs), problem.x)
        if _well_conditioned(problem):
            return problem


def unusual_outputs(problem: Problem, random: Generator) -> list[Problem]:
    """The problem's graph with a repeated output and inputs and constants among the outputs; the two graphs of one
    node; a graph with shuffled inputs.

    problem: a `shared` one with a single constant, which is node 4.
    """
    last = problem.graph.outputs[-1]
    return [
        Problem(Graph(problem.graph.nodes, problem.graph.inputs, (last, 1, 4, last, 1)), problem.x),
        Problem(Graph((Node("input"),), (0,), (0,)), random.uniform(1, 2, 1)),
        Problem(Graph((Node("const", (), 0.75),), (), (0,)), np.zeros(0)),
        shuffled_inputs(random),
    ]


def shuffled_inputs(random: Generator) -> Problem:
    """Inputs that stand between the other nodes and are listed in another order; all of them matter."""
    while True:
        build = _Builder(random)
        pool = [build.input(), build.input()]
        for op in random.permutation(["add", "mul", "sub", "div", "add", "mul"]):
            pool.append(build.input())
            if not _consume(build, str(op), pool):
                break
        else:
            inputs = [index for index, node in enumerate(build.nodes) if node.op == "input"]
            order = [int(index) for index in random.permutation(inputs)]
            problem = build.problem(outputs=pool, inputs=order)
            if order != inputs and _well_conditioned(problem):
                return problem


def _well_conditioned(problem: Problem) -> bool:
    """Whether no answer is small because large terms cancel.

    For each output the gradient is compared with the same sum over all paths with every term taken positive.
    """
    graph, count = problem.graph, len(problem.graph.outputs)
    values = node_values(graph, list(problem.x))
    y = np.array([values[index] for index in graph.outputs])
    if not 1e-2 < np.linalg.norm(y) < 1e2:
        return False
    bound: list[float] = []
    for node in graph.nodes:
        partials = local_partials(node.op, [values[arg] for arg in node.args])
        own = 1.0 if node.op == "input" else 0.0
        bound.append(own + sum(abs(d) * bound[arg] for d, arg in zip(partials, node.args, strict=True)))
    for output, seed in zip(graph.outputs, np.eye(count), strict=True):
        gradient = np.linalg.norm(reverse_mode(graph, list(problem.x), list(seed))[1])
        if not 1e-3 * bound[output] < gradient < 1e3:
            return False
    return True


def chain(random: Generator, length: int) -> Problem:
    """`length` operations in a row on one input: products, sums and differences with eight constants, and
    neg.

    The derivative is a product of factors that scatter about 1, so that it stays of moderate size.
    """
    nodes = [Node("input")]
    nodes += [Node("const", (), float(np.exp(0.01 * random.normal()))) for _ in range(8)]
    nodes += [Node("const", (), float(0.01 * random.normal())) for _ in range(4)]
    last = 0
    for kind in random.integers(0, 4, size=length):
        if kind == 0:
            nodes.append(Node("neg", (last,)))
        elif kind == 1:
            nodes.append(Node("add", (int(random.integers(9, 13)), last)))
        elif kind == 2:
            nodes.append(Node("sub", (last, int(random.integers(9, 13)))))
        else:
            nodes.append(Node("mul", (int(random.integers(1, 9)), last)))
        last = len(nodes) - 1
    return Problem(Graph(tuple(nodes), (0,), (last,)), np.array([random.uniform(0.5, 1.5)]))


def diamonds(random: Generator, levels: int) -> Problem:
    """`levels` diamonds in a row, each two branches that meet again: 2^levels paths through 4 levels + 1
    nodes.

    Each level is v -> c1 v + c2 v with two constants of its own, c1 + c2 near 1.
    """
    nodes = [Node("input")]
    last = 0
    for _ in range(levels):
        share = float(random.uniform(0.2, 0.8))
        total = float(np.exp(0.1 * random.normal()))
        at = len(nodes)
        nodes += [Node("const", (), share * total), Node("const", (), (1 - share) * total)]
        nodes += [Node("mul", (last, at)), Node("mul", (at + 1, last)), Node("add", (at + 2, at + 3))]
        last = at + 4
    return Problem(Graph(tuple(nodes), (0,), (last,)), np.array([random.uniform(0.5, 1.5)]))


def wide(random: Generator, width: int) -> Problem:
    """`width` inputs and as many outputs, each the product of two inputs: one sweep, or `width` of them.

    One sweep for each input (forward mode) or for each output is 2 `width`^2 steps; no path is longer than one edge,
    so that only the width is hard.
    """
    ring = [int(index) for index in random.permutation(width)]
    nodes = [Node("input") for _ in range(width)]
    nodes += [Node("mul", (ring[place - 1], ring[place])) for place in range(width)]
    graph = Graph(tuple(nodes), tuple(range(width)), tuple(range(width, 2 * width)))
    return Problem(graph, random.uniform(0.5, 1.5, size=width) * random.choice([-1, 1], size=width))


def structure(random: Generator, n_inputs: int, n_inner: int, n_outputs: int, reach: int = 5) -> Graph:
    """A graph of products for counting: node i uses two different ones of the `reach` nodes before it.

    No constants, no repeated arguments, and every node that nothing uses is an output.
    """
    nodes = [Node("input") for _ in range(n_inputs)]
    for index in range(n_inputs, n_inputs + n_inner + n_outputs):
        end = min(index, n_inputs + n_inner)
        start = max(0, end - reach)
        if end - start < 2:
            nodes.append(Node("sin", (start,)))
        else:
            args = random.choice(np.arange(start, end), size=2, replace=False)
            nodes.append(Node("mul", tuple(int(arg) for arg in args)))
    used = {arg for node in nodes for arg in node.args}
    ends = [index for index in range(n_inputs, len(nodes)) if index not in used]
    return Graph(tuple(nodes), tuple(range(n_inputs)), tuple(ends))


def with_idle_nodes(random: Generator) -> Graph:
    """A graph for counting with an input that nothing uses, edges that lead to no output, and as outputs, all listed
    twice, two ends, a node that may feed another, an input and a constant: all of them count.

    More outputs than inputs, and more inputs than different outputs.
    """
    graph = structure(random, 4, int(random.integers(4, 8)), 2)
    size = len(graph.nodes)
    idle = [Node("input"), Node("mul", (int(random.integers(0, 4)), size)), Node("sin", (size + 1,)), Node("input")]
    constant = Node("const", (), 2.0)
    inner = int(random.integers(4, 6))
    outputs = [*graph.outputs[:2], inner, 1, size + len(idle)]
    outputs = [outputs[int(place)] for place in random.permutation([0, 1, 2, 3, 4] * 2)]
    inputs = random.permutation([*graph.inputs, size, size + 3])
    return Graph((*graph.nodes, *idle, constant), tuple(int(index) for index in inputs), tuple(outputs))


@dataclass(frozen=True)
class RivalCosts:
    """What the three orders of question 7 cost on a graph."""

    forward: int
    reverse: int
    markowitz: int

    @property
    def least(self) -> int:
        """The bound that full points ask for."""
        return min(self.forward, self.reverse, self.markowitz)

    @property
    def winner(self) -> str:
        """The order that is cheaper than both others, "none" on a tie for the lowest cost."""
        costs = {"forward": self.forward, "reverse": self.reverse, "markowitz": self.markowitz}
        winners = [name for name, cost in costs.items() if cost == self.least]
        return winners[0] if len(winners) == 1 else "none"


def rival_costs(graph: Graph) -> RivalCosts:
    """Costs of the forward, the reverse and the greedy Markowitz order."""
    vertices = linearise(graph).intermediates
    return RivalCosts(
        forward=elimination_cost(graph, vertices),
        reverse=elimination_cost(graph, vertices[::-1]),
        markowitz=elimination_cost(graph, markowitz_order(graph)),
    )


def won_by(random: Generator, winner: str, count: int) -> list[Graph]:
    """`count` random graphs of 8 to 12 inner nodes on which that order is cheaper than both others."""
    graphs: list[Graph] = []
    while len(graphs) < count:
        inner = int(random.integers(8, 13))
        graph = structure(random, 3, inner, 3, reach=int(random.integers(4, 7)))
        if rival_costs(graph).winner == winner:
            graphs.append(graph)
    return graphs


def with_inner_outputs(random: Generator, count: int) -> list[Graph]:
    """The same with two outputs that feed other nodes, on which one order is cheaper than both others."""
    graphs: list[Graph] = []
    while len(graphs) < count:
        graph = structure(random, 3, 9, 2)
        inner = [int(index) for index in random.choice(np.arange(3, 12), size=2, replace=False)]
        graph = Graph(graph.nodes, graph.inputs, tuple(sorted({*graph.outputs, *inner})))
        if rival_costs(graph).winner != "none":
            graphs.append(graph)
    return graphs


def with_constants(random: Generator, count: int) -> list[Graph]:
    """The same with constants among the arguments, a node that depends on constants only, one that nothing uses,
    and an output listed twice.
    """
    graphs: list[Graph] = []
    while len(graphs) < count:
        plain = structure(random, 3, 8, 3)
        nodes = [Node("const", (), 2.0), Node("const", (), 0.5), Node("div", (0, 1))]
        shift = len(nodes)
        for node in plain.nodes:
            args = [arg + shift for arg in node.args]
            if len(args) == 2 and random.random() < 0.25:
                args[int(random.integers(0, 2))] = int(random.integers(0, shift))
            nodes.append(Node(node.op, tuple(args)))
        nodes.append(Node("sin", (int(random.integers(shift + 3, shift + 9)),)))
        outputs = [index + shift for index in plain.outputs]
        graph = Graph(tuple(nodes), tuple(range(shift, shift + 3)), (*outputs, outputs[0]))
        if rival_costs(graph).winner != "none":
            graphs.append(graph)
    return graphs


# --- comparing with the reference -------------------------------------------------------------------------------


def compare_sweep(
    mode: Literal["forward", "reverse"],
    sweep: Any,
    problem: Problem,
    random: Generator,
    *,
    rtol: float = 1e-12,
    y_rtol: float = 1e-12,
    y_atol: float = 0.0,
    repeat: bool = True,
) -> None:
    """Fails unless the student's `sweep` gives the reference's outputs, and its tangents for a random direction or its
    adjoints for a random cotangent.

    repeat: whether the function is called twice and has to answer the same.
    """
    if mode == "forward":
        reference_sweep, entries, what = reference.forward_mode, len(problem.x), "y_dot"
    else:
        reference_sweep, entries, what = reference.reverse_mode, len(problem.graph.outputs), "x_bar"
    given = random.normal(size=entries)
    y, derivatives = checks.call(sweep, problem.graph, problem.x, given, returns=2, repeat=repeat)
    expected, expected_derivatives = reference_sweep(problem.graph, list(problem.x), list(given))
    checks.close(y, expected, rtol=y_rtol, atol=y_atol, what="y")
    checks.close(derivatives, expected_derivatives, rtol=rtol, what=what)


def compare_costs(mode_cost: Any, graph: Graph) -> None:
    """Fails unless `mode_cost` gives the reference's cost of both modes."""
    for mode in ("forward", "reverse"):
        expected = reference.mode_cost(graph, mode)
        checks.equal(checks.call(mode_cost, graph, mode), expected, what=f"the {mode} cost")


def compare_trace_gradients(trace_inverse_gradient: Any, random: Generator, m: int, n: int) -> None:
    """Fails unless the gradient of tr(A X^-1 B) is the reference's, for random A (m, n), B (n, m) and X (n, n).

    X is not symmetric, and its condition is at most 5.
    """
    U, V = (np.linalg.qr(random.normal(size=(n, n)))[0] for _ in range(2))
    X = U @ np.diag(random.uniform(0.5, 2.5, size=n)) @ V.T
    A, B = random.normal(size=(m, n)), random.normal(size=(n, m))
    gradient = checks.call(trace_inverse_gradient, A, B, X)
    checks.close(gradient, reference.trace_inverse_gradient(A, B, X), rtol=1e-12, what="the gradient")


# --- judging a student's test -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wrong:
    """A kind of mistake: implementations that have it, what is said of them, and what a test must have asked."""

    programs: tuple[Program, ...]
    what: str
    without: str = ""
    """A field of `adkit.implementations.Asked`."""


def right_styles() -> dict[str, Program]:
    """Right implementations of reverse mode, by what they return."""
    return {
        "lists": implementations.reference("ad_modes", "reverse_mode"),
        "arrays": implementations.own("ad_modes", "arrays"),
        "whole numbers": implementations.own("ad_modes", "tuples_of_whole_numbers"),
        "NumPy scalars": implementations.own("ad_modes", "lists_of_numpy_scalars"),
        "what is needed": implementations.own("ad_modes", "only_what_is_needed"),
    }


STYLES = {
    "lists": "which returns lists of numbers, and raises an error where a function is not defined",
    "arrays": "which returns arrays, with NaN where a function is not defined",
    "whole numbers": "which returns tuples, and whole numbers where they are whole",
    "NumPy scalars": "which returns lists of NumPy scalars, rounded in another way",
    "what is needed": "which evaluates no node that leads to no output",
}
"""What is said of each of them where it is refused."""


def wrong_kinds() -> dict[str, Wrong]:
    """Wrong implementations of reverse mode, by the kind of mistake."""

    def mistakes(*names: str) -> tuple[Program, ...]:
        return tuple(implementations.mistaken("ad_modes", f"reverse_mode__{name}") for name in names)

    def partials(*names: str) -> tuple[Program, ...]:
        every = (f"local_partials__{name}" for name in names)
        return tuple(implementations.mistaken("ad_modes", name, "reverse_mode") for name in every)

    def own(name: str) -> Program:
        return implementations.own("ad_modes", name)

    return {
        "primitives": Wrong(
            partials(
                "difference_sign", "quotient_sign", "cosine_sign", "root_half_missing", "tanh_square_missing",
                "value_for_derivative",
            ),
            "in which the derivative of a single primitive is wrong",
        ),
        "cotangents": Wrong(
            mistakes("cotangents_summed", "cotangents_in_node_order"),
            "in which outputs get the cotangents of others",
            "several_outputs",
        ),
        "several users": Wrong(
            mistakes("adjoint_overwritten", "sum_of_two_only"),
            "which loses a part of an adjoint where a node has several users, or add several arguments",
            "shared_nodes",
        ),
        "entries": Wrong(
            mistakes("inputs_in_node_order", "constants_in_x_bar", "unused_input_left_out"),
            "whose x_bar has other entries than one for each input, in the order of graph.inputs",
        ),
        "listed twice": Wrong(
            mistakes("repeated_output_once"), "which takes an output that is listed twice for one", "listed_twice"
        ),
        "errors": Wrong((own("raises_for_unused_inputs"),), "which raises an error on a graph that is right"),
        "inner outputs": Wrong(
            mistakes("output_keeps_its_seed", "inner_seed_lost", "ends_for_outputs"),
            "which is wrong where an output feeds other nodes",
            "inner_outputs",
        ),
        "repeated factors": Wrong(
            (own("repeated_factor_lost"), own("follows_every_path")),
            "which is wrong where a node is multiplied by itself",
            "repeats_in_products",
        ),
        "repeated in differences": Wrong(
            (*mistakes("repeated_argument_doubled"), own("repeated_term_lost"), own("repeated_in_quotient_lost")),
            "which is wrong where a node is subtracted from itself, or divided by itself",
            "repeats_in_differences",
        ),
    }  # fmt: skip


def judge(is_right: Any, style: str, kind: str) -> None:
    """Fails unless the student's test accepts the right implementation of that style and refuses every wrong one."""
    checks.accepts(is_right, Implementation(right_styles()[style]), STYLES[style])
    wrong = wrong_kinds()[kind]
    for program in wrong.programs:
        checks.refuses(is_right, Implementation(program), wrong.what, without=wrong.without)
