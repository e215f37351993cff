# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Forward mode, reverse mode, and choosing between them
#
# A program that computes numbers is a chain of small steps, each of which anyone can differentiate.
# Automatic differentiation (AD) puts the derivatives of the steps together by the chain rule, exactly, up
# to rounding. There are two ways to go through the chain, and choosing the right one can make a
# difference of a factor of a million. In this notebook you write both, find out what they cost, and see
# when each of them wins.
#
# <!-- questions -->
#
# > **Rules**
# >
# > - **Checks.** `grader.check("q1")` runs the public cases of a question, about 40 % of its points. The other cases
# >   use other inputs of the same kind and run after you hand in. Stuck? `grader.hint("q1")` asks you
# >   something back; called again, it gives an idea, and then a line of mathematics.
# > - **64-bit floats.** `import adkit` turns them on. A function may return NumPy or JAX arrays; where several results
# >   are asked for, a list is as good as a tuple. It must not change its arguments.
# > - **By hand.** This notebook is about what is inside automatic differentiation, so your functions may
# >   not call it: no `jax.grad`, `jax.vjp`, `jax.jvp`, `jax.jacobian` and the like. Comparing with them
# >   in a cell of your own is a good idea, and costs nothing.

# %% tags=["setup"]
import math
import os

try:
    import adkit  # before JAX: it turns 64-bit floats on
except ModuleNotFoundError as missing:
    where = f"There is no adkit/ in {os.getcwd()}: open this notebook in the folder it was handed out in."
    missing._render_traceback_ = lambda: [where]
    raise

import jax
import jax.numpy as jnp
import numpy as np
from IPython.display import display

grader = adkit.Notebook("ad_modes")

# %% [markdown]
# ## How a derivative flows
#
# Write a program as a list of steps: each new variable $v_i = \varphi_i(\ldots)$ is one primitive
# operation on variables that exist already. Say that $v_4 = \varphi(v_1, v_2, v_3)$.
#
# **Forward mode** asks: *if the inputs move, how does everything else move?* Each variable gets a
# **tangent** $\dot v_i$, the derivative of $v_i$ along the direction in which the inputs move. A step knows
# the tangents of its arguments and finds its own:
#
# ![Tangents of v1, v2, v3 times local partials add up to the tangent of v4](figures/forward_flow.svg)
#
# $$\dot v_i = \sum_{j \text{ argument of } i} \frac{\partial v_i}{\partial v_j}\, \dot v_j$$
#
# **Reverse mode** asks: *how much does each variable matter for the result?* Each variable gets an
# **adjoint** $\bar v_j$, the derivative of the result with respect to $v_j$. A variable knows the adjoints
# of the steps that use it:
#
# ![Adjoints of v2, v3, v4 times local partials add up to the adjoint of v1](figures/reverse_flow.svg)
#
# $$\bar v_j = \sum_{i \text{ uses } j} \bar v_i\, \frac{\partial v_i}{\partial v_j}$$
#
# Both are the chain rule with the same local partials $\partial v_i / \partial v_j$. Only the direction
# differs: a tangent is a sum over what *goes into* a step, so it can be found as the program runs. An
# adjoint is a sum over what *comes out of* a variable, so it is complete only when all later steps have
# been visited, from the end to the beginning.

# %% [markdown]
# ## The toy example
#
# $$f(x_1, x_2) = x_1 x_2 + \sin x_1$$
#
# as a program: $v_1 = x_1$, $v_2 = x_2$, $v_3 = v_1 v_2$, $v_4 = \sin v_1$, $v_5 = v_3 + v_4$. Its
# computational graph has a node for each step and an arrow for each argument (inputs are blue, the output
# has a double border):

# %%
toy = adkit.toy_graph()
toy

# %% [markdown]
# ## q1
#
# Go through the graph by hand, once in each direction.
#
# - `toy_forward(x1, x2, dx1, dx2)` returns the five pairs (value, tangent) of $v_1, \ldots, v_5$, where the
#   inputs move in the direction $(dx_1, dx_2)$: the tangents of $v_1$ and $v_2$ are $dx_1$ and $dx_2$.
# - `toy_reverse(x1, x2)` returns the five adjoints $(\bar v_1, \ldots, \bar v_5)$, where $\bar v_5 = 1$.
#   Which variable is used twice?


# %% question="q1"
def toy_forward(x1, x2, dx1, dx2):
    """The forward trace: [(v1, v1_dot), …, (v5, v5_dot)], five pairs of numbers."""
    raise NotImplementedError("q1: toy_forward")


def toy_reverse(x1, x2):
    """The reverse trace: (v1_bar, v2_bar, v3_bar, v4_bar, v5_bar), five numbers; v5_bar is 1."""
    raise NotImplementedError("q1: toy_reverse")


# %% check="q1"
grader.check("q1")

# %% [markdown]
# Here are your two traces as tables. The forward trace is read from top to bottom, the reverse trace from
# bottom to top. The derivative with respect to $x_1$ appears twice: as the tangent of $v_5$ when the
# inputs move in the direction $(1, 0)$, and as the adjoint of $v_1$. For the derivative with respect to
# $x_2$ forward mode needs another sweep in the direction $(0, 1)$; the reverse trace has it already.

# %%
with adkit.skip_until_implemented():
    pairs = toy_forward(2.0, 3.0, 1.0, 0.0)
    values, tangents = zip(*pairs, strict=True)
    adjoints = toy_reverse(2.0, 3.0)
    display(adkit.trace_table(toy, values, tangents))
    display(adkit.trace_table(toy, values, adjoints=adjoints))
    display(adkit.draw(toy, values, tangents, adjoints))

# %% [markdown]
# ## From the toy to any program
#
# A graph is data. `adkit.Graph` holds a tuple of nodes in the order of execution, so that the arguments
# of a node come before it:
#
# - `graph.nodes[i]` is an `adkit.Node` with `op` (the primitive's name), `args` (the indices of its
#   arguments) and, for a `const` only, `value`;
# - `graph.inputs` are the indices of the `input` nodes: `x[k]` is the value of node `graph.inputs[k]`. They
#   need not be the first nodes, and need not be listed in ascending order;
# - `graph.outputs` are the indices of the nodes that are results. Any node can be one: it may feed other
#   nodes, too, it may be an input or a constant, and it may be listed twice.
#
# | op | value | | op | value |
# |---|---|---|---|---|
# | `input` | given | | `sin` | $\sin a$ |
# | `const` | `node.value` | | `cos` | $\cos a$ |
# | `add` | $a + b$ (also of three or more) | | `exp` | $e^a$ |
# | `sub` | $a - b$ | | `log` | $\ln a$ |
# | `mul` | $a b$ | | `sqrt` | $\sqrt a$ |
# | `div` | $a / b$ | | `tanh` | $\tanh a$ |
# | `neg` | $-a$ | | | |
#
# `adkit.trace(fn, n)` records a Python function of `n` numbers as a graph: it calls `fn` once, with
# stand-ins that write down what is done with them.


# %%
def bump(x, y):
    r = x * x + y * y
    return [np.exp(-r / 2.0), np.sqrt(r)]


bump_graph = adkit.trace(bump, 2)
for index, node in enumerate(bump_graph.nodes):
    print(index, node)
display(bump_graph)

# %% [markdown]
# Indices count from 0, and the drawing counts from 1 as the formulas do: node 0 is $v_1$. Note the node
# $v_1 \cdot v_1$: it has the same argument twice, and there are two arrows.
#
# ## q2
#
# `local_partials(op, args)` returns the partial derivatives of one primitive with respect to each of its
# arguments, as a tuple of floats. `args` are the *values* of the arguments. `input` and `const` have none:
# `()`. For an op that does not exist raise `ValueError`.


# %% question="q2"
def local_partials(op, args):
    """The partial derivatives of the primitive `op` at the argument values `args`, one for each argument."""
    raise NotImplementedError("q2: local_partials")


# %% check="q2"
grader.check("q2")

# %% [markdown]
# A quick comparison: your derivatives beside central differences.

# %%
with adkit.skip_until_implemented():
    for op, a in [("sin", 0.7), ("cos", 0.7), ("exp", 0.7), ("log", 0.7), ("sqrt", 0.7), ("tanh", 0.7)]:
        f = getattr(math, op)
        print(f"{op:5} {local_partials(op, [a])[0]: .9f} {(f(a + 1e-5) - f(a - 1e-5)) / 2e-5: .9f}")

# %% [markdown]
# ## q3
#
# `forward_mode(graph, x, x_dot)` returns `(y, y_dot)`: the values of the outputs and their derivatives
# along the direction `x_dot`, two lists over `graph.outputs`. In terms of the Jacobian matrix $J$ (one
# row per output, one column per input) this is the product $\dot y = J \dot x$, found without forming
# $J$.
#
# - You need the value of each node, too: `math` (or NumPy) has the functions, and `local_partials` takes
#   values.
# - A constant does not move.
# - Any node can have the same argument twice, and `add` can have more than two: go through `node.args` one
#   by one, whatever the op.
# - Graphs can be deep: a chain of 20 000 nodes must work, and Python's stack holds about 1 000 calls. The
#   nodes are already in the order of execution.
# - The derivatives are exact up to rounding, and graded as such: a difference quotient is not exact
#   enough.


# %% question="q3"
def forward_mode(graph, x, x_dot):
    """(y, y_dot): the outputs of the graph at x, and their directional derivatives along x_dot."""
    raise NotImplementedError("q3: forward_mode")


# %% check="q3"
grader.check("q3")

# %% [markdown]
# Your forward mode can show every node's value and tangent: make every node an output.

# %%
with adkit.skip_until_implemented():
    all_nodes = adkit.Graph(bump_graph.nodes, bump_graph.inputs, range(len(bump_graph.nodes)))
    values, tangents = forward_mode(all_nodes, np.array([1.0, 0.5]), np.array([1.0, 0.0]))
    display(adkit.draw(bump_graph, values, tangents))

# %% [markdown]
# One sweep gives one column of the Jacobian, or one combination of columns. A function of $d$ inputs needs
# $d$ sweeps for its whole gradient: if the function itself takes $T$ operations, that is $d \cdot O(T)$.
# For a neural network with a million weights that is out of the question. On the other hand a sweep stores
# nothing that the program does not need anyway: a tangent may be forgotten together with its value.

# %% [markdown]
# ## q4
#
# `reverse_mode(graph, x, y_bar)` returns `(y, x_bar)`: the values of the outputs, and the vector-Jacobian
# product $\bar x = J^T \bar y$, a list over `graph.inputs`. `y_bar` holds a cotangent for each output: how
# much the final result (of a larger program, perhaps) depends on it. With a single output and $\bar y = 1$
# this is the gradient.
#
# - First forwards, to get the values; then backwards, from the last node to the first.
# - A node that several nodes use gets the sum of what they hand back. That holds for `mul(x, x)`, for an
#   output that feeds other nodes (its own cotangent is one of the terms), and for an output that is
#   listed twice.
# - An input that nothing uses gets 0.0.
# - The work must be linear in the number of edges. Do not follow paths: in a row of 60 diamonds like the
#   two below there are $2^{60}$ of them. And one sweep is enough for 15 000 inputs and 15 000 outputs: do
#   not make one for each input, or for each output.


# %%
def diamond(v):
    return np.sin(v) + np.tanh(v)


adkit.trace(lambda x: diamond(diamond(x)), 1)


# %% question="q4"
def reverse_mode(graph, x, y_bar):
    """(y, x_bar): the outputs of the graph at x, and the adjoints of its inputs for the cotangents y_bar."""
    raise NotImplementedError("q4: reverse_mode")


# %% check="q4"
grader.check("q4")

# %% [markdown]
# The two modes check each other. For every direction $\dot x$ and every cotangent $\bar y$ the number
# $\bar y^T J \dot x$ can be computed in two ways: as $\bar y \cdot \dot y$ and as $\bar x \cdot \dot x$.

# %%
with adkit.skip_until_implemented():
    x, x_dot, y_bar = np.array([1.0, 0.5]), np.array([0.3, -0.8]), np.array([2.0, -1.0])
    y, y_dot = forward_mode(bump_graph, x, x_dot)
    y, x_bar = reverse_mode(bump_graph, x, y_bar)
    print("forward ", np.dot(y_bar, y_dot))
    print("reverse ", np.dot(x_bar, x_dot))

# %% [markdown]
# One backward sweep gives the whole gradient, whatever the number of inputs: $O(T)$, at most a small
# multiple of the cost of the program itself (the *cheap gradient principle*). How small? Take a program of
# sums, differences, products and quotients. Backwards, $v = ab$ costs two multiplications and two additions
# ($\bar a \mathrel{+}= \bar v\, b$ and $\bar b \mathrel{+}= \bar v\, a$), and so does $v = a/b$ with a
# division in place of a multiplication; a sum costs two additions. With the operation itself that makes at
# most 5: value and gradient together take at most **five times the arithmetic operations** of the program.
# If only multiplications and divisions count, it is three times (Baur and Strassen, 1983). Neither number
# says anything about time or memory; in a model that also counts memory accesses the factor is between 3
# and 4 (Griewank and Walther, chapter 4). The price is memory. The
# backward sweep begins with the last step and needs the values of the first ones at the very end, so
# everything that the forward sweep computed must be stored, or computed again. How to get by with less is
# what the notebook on checkpointing is about.
#
# Count it for $f(x) = \sum_{k} \sin(x_k)\, x_k$ in $d$ variables:


# %%
def many(*x):
    total = np.sin(x[0]) * x[0]
    for entry in x[1:]:
        total = total + np.sin(entry) * entry
    return total


print("inputs   steps   values stored by reverse mode   sweeps for the gradient")
for d in (1, 10, 100, 1000):
    graph = adkit.trace(many, d)
    steps = sum(bool(node.args) for node in graph.nodes)
    print(f"{d:6} {steps:7} {len(graph.nodes):15} {'':15} forward {d}, reverse 1")

# %% [markdown]
# ## Which mode?
#
# Problem 1 of the seminar: three weights, one hidden node, five losses.

# %%
figure_4 = adkit.figure_4()
adkit.draw(figure_4, labels=["w1", "w2", "w3", "v1", "L1", "L2", "L3", "L4", "L5"])

# %% [markdown]
# Suppose that **the full Jacobian** is wanted: all fifteen derivatives $\partial L_i / \partial w_j$, not
# only the gradient of one loss or of their sum. (For the sum of the losses a single backward sweep would
# do, and reverse mode wins.)
#
# A sweep multiplies once for each *edge*: forward mode computes
# $\frac{\partial v_i}{\partial v_j} \cdot \dot v_j$, reverse mode
# $\bar v_i \cdot \frac{\partial v_i}{\partial v_j}$. An edge is one (argument, node) pair whose argument
# is not a `const` (a constant has the tangent 0, and nobody asks for its adjoint). `mul(x, x)` has two
# edges. We count *dense* sweeps, which multiply at every edge, even where a factor happens to be 0 or 1,
# or where an edge leads to no output.
#
# | mode | one sweep gives | sweeps for the full Jacobian | multiplications |
# |---|---|---|---|
# | forward | a column: one input | one for each input | inputs x edges |
# | reverse | a row: one output | one for each output (each entry of `graph.outputs`) | outputs x edges |
#
# ## q5
#
# - `mode_cost(graph, mode)` returns the number of multiplications for the full Jacobian with `mode`
#   `"forward"` or `"reverse"`. For any other mode raise `ValueError`.
# - `choose_mode(graph)` returns the name of the mode that costs less, or `"either"` when they cost the
#   same.


# %% question="q5"
def mode_cost(graph, mode):
    """Multiplications that the full Jacobian costs by dense sweeps in that mode."""
    raise NotImplementedError("q5: mode_cost")


def choose_mode(graph):
    """The cheaper mode for the full Jacobian: "forward", "reverse" or "either"."""
    raise NotImplementedError("q5: choose_mode")


# %% check="q5"
grader.check("q5")

# %% [markdown]
# For problem 1 forward mode wins, 24 against 40, as long as the sweeps are dense. It is not the last word: q7
# comes back to this graph and finds its Jacobian with 15 multiplications. Turn the graph round, five weights and
# three losses, and the answer turns with it:

# %%
turned_round = adkit.Graph(
    nodes=[
        *[adkit.Node("input") for _ in range(5)],
        adkit.Node("add", (0, 1, 2, 3, 4)),
        *[adkit.Node(op, (5,)) for op in ("sin", "cos", "exp")],
    ],
    inputs=(0, 1, 2, 3, 4),
    outputs=(6, 7, 8),
)
display(adkit.draw(turned_round, labels=["w1", "w2", "w3", "w4", "w5", "v1", "L1", "L2", "L3"]))
with adkit.skip_until_implemented():
    for name, graph in (("problem 1", figure_4), ("turned round", turned_round), ("toy example", toy)):
        costs = mode_cost(graph, "forward"), mode_cost(graph, "reverse")
        print(f"{name:13} forward {costs[0]:3}, reverse {costs[1]:3}: {choose_mode(graph)}")

# %% [markdown]
# Training a neural network has one loss and millions of weights. That is why backpropagation, which is
# reverse mode, is what everyone uses there. A program with few parameters and many results (a sensitivity
# study, a curve that depends on time) is a case for forward mode.

# %% [markdown]
# ## The same in matrices
#
# A step need not be a scalar operation. For matrices it is easiest to work with differentials: write $df$
# in terms of $dX$, bring it to the form $df = \langle G, dX \rangle = \operatorname{tr}(G^T dX)$, and $G$
# is the gradient. It has the shape of $X$.
#
# **The first example** is $f(X) = \operatorname{tr}(A X^{-1} B)$ with $X$ $(n,n)$ invertible, $A$ $(m,n)$
# and $B$ $(n,m)$. From $X X^{-1} = I$ it follows that $dX\, X^{-1} + X\, d(X^{-1}) = 0$, so
#
# $$d(X^{-1}) = -X^{-1}\, dX\, X^{-1}, \qquad df = -\operatorname{tr}(A X^{-1}\, dX\, X^{-1} B).$$
#
# Move the factors round in the trace and read off $G$.
#
# **The second example** is $g(x) = \frac13 \|x\|_2^3$ for $x$ $(n,)$. Its gradient is $\nabla g = \|x\|\,
# x$. Differentiate once more (product rule: $\|x\|$ varies, too) to get the Hessian, an $(n,n)$ matrix. At
# $x = 0$ your formula will have a $0/0$: what is its limit there?
#
# ## q6
#
# Write both in closed form. (In `ad_in_jax`, the next notebook, JAX does it, and you have two answers to compare.)
#
# - `trace_inverse_gradient(A, B, X)` returns the gradient of $f$ at $X$, shape $(n, n)$;
# - `cubic_norm_hessian(x)` returns the Hessian of $g$ at $x$, shape $(n, n)$, also at $x = 0$. It scales
#   with $x$: a tiny $x$ is not 0 yet.


# %% question="q6"
def trace_inverse_gradient(A, B, X):
    """The gradient of tr(A X^-1 B) with respect to X; A (m,n), B (n,m), X (n,n) -> (n,n)."""
    raise NotImplementedError("q6: trace_inverse_gradient")


def cubic_norm_hessian(x):
    """The Hessian of ||x||^3 / 3; x (n,) -> (n,n)."""
    raise NotImplementedError("q6: cubic_norm_hessian")


# %% check="q6"
grader.check("q6")

# %% [markdown]
# JAX finds both without any algebra, `jax.grad` in reverse mode and `jax.hessian` with forward mode over
# reverse mode. Compare:


# %%
def f(X, A, B):
    return jnp.trace(A @ jnp.linalg.solve(X, B))


def g(x):
    return jnp.linalg.norm(x) ** 3 / 3


with adkit.skip_until_implemented():
    random = np.random.default_rng(0)
    A, B = random.normal(size=(2, 4)), random.normal(size=(4, 2))
    X, x = random.normal(size=(4, 4)) + 3 * np.eye(4), random.normal(size=3)
    print("gradient, largest difference:", np.abs(trace_inverse_gradient(A, B, X) - jax.grad(f)(X, A, B)).max())
    print("Hessian,  largest difference:", np.abs(cubic_norm_hessian(x) - jax.hessian(g)(x)).max())
    print("at x = 0, by hand:", np.asarray(cubic_norm_hessian(np.zeros(2))).tolist())
    print("at x = 0, by jax.hessian:", jax.hessian(g)(jnp.zeros(2)).tolist())

# %% [markdown]
# At $x = 0$ the chain rule is applied to a norm that has no derivative there, and the result is NaN,
# although $g$ itself is twice differentiable. AD differentiates the program, not the function. What to do
# about it is a question of `ad_in_jax`.

# %% [markdown]
# ## For the curious: between the modes
#
# Forward and reverse are not the only orders in which the chain rule can be put together. Take the graph
# with its partials on the edges (the *linearised graph*) and **eliminate** an intermediate vertex $v$: for
# each edge $u \to v$ and each edge $v \to w$ multiply the two, add the product to the edge $u \to w$ (make
# one if there is none), and remove $v$. That costs
#
# $$\text{predecessors of } v \;\times\; \text{successors of } v$$
#
# multiplications. When no intermediate vertex is left, the edges lead straight from inputs to outputs and
# *are* the Jacobian. Eliminating in the order of the program is forward mode (without multiplying by tangents
# that are 0, or by the 1 that a sweep starts with), eliminating backwards is reverse mode in the same sense.
#
# **Problem 1 again.** Its only intermediate vertex $v_1$ has three predecessors and five successors, so there is
# one order, and it costs $3 \times 5 = 15$: one product $\frac{\partial L_i}{\partial v_1} \cdot
# \frac{\partial v_1}{\partial w_j}$ for each entry of the Jacobian.

# %%
for name, graph in (("problem 1", figure_4), ("turned round", turned_round)):
    print(f"{name}:", adkit.elimination_cost(graph, adkit.linearise(graph).intermediates))

# %% [markdown]
# The dense forward sweeps cost $24 = 15 + 9$: each of the three also multiplies the 1 and the two 0s it starts with
# by the three edges that leave the inputs. The reverse sweeps cost $40 = 15 + 25$, since each of the five does so
# at the five edges that lead to the outputs. Without these, it no longer matters which way you go.
#
# On larger graphs the order does matter. Any order is right, and on some graphs both modes lose. Two hourglasses in
# a row, where each node is named after its index:

# %%
hourglasses = adkit.Graph(
    nodes=[
        *[adkit.Node("input") for _ in range(3)],
        adkit.Node("add", (0, 1, 2)),
        *[adkit.Node(op, (3,)) for op in ("sin", "cos", "exp")],
        adkit.Node("add", (4, 5, 6)),
        *[adkit.Node(op, (7,)) for op in ("sin", "cos", "exp")],
    ],
    inputs=(0, 1, 2),
    outputs=(8, 9, 10),
)
display(adkit.draw(hourglasses, labels=[f"n{index}" for index in range(11)]))
print("forward:", adkit.elimination_cost(hourglasses, [3, 4, 5, 6, 7]))
print("reverse:", adkit.elimination_cost(hourglasses, [7, 6, 5, 4, 3]))

# %% [markdown]
# There is an order that costs 15 (by chance as much as problem 1). Can you see it?
#
# The exact rules, which `adkit.linearise` follows:
#
# - one vertex for each node that is not a `const`; one edge from an argument to the node that uses it,
#   even if it uses it twice;
# - an output that feeds other nodes gets a *sink copy*, an extra vertex at the end of one extra edge, so
#   that the output itself can be eliminated like any other vertex;
# - the intermediate vertices are all but the inputs and the outputs that feed nothing.
#
# `adkit.linearise(graph)` returns `(predecessors, successors, intermediates)`: two dictionaries from a
# vertex to a set of vertices, and the tuple of the vertices to be ordered.
# `adkit.eliminate(linearised, v)` removes a vertex from them, in place, and returns the cost;
# `adkit.elimination_cost(graph, order)` is the cost of a whole order.
#
# Finding the best order is hard in general. A good rule of thumb is Markowitz's (1957, for sparse
# matrices): always eliminate the vertex that costs least at that moment, the one with the lowest index if
# there are several. It is not always best.
#
# ## q7
#
# `elimination_order(graph)` returns an order of all intermediate vertices: a list of their node indices. The
# graphs of the tests have up to 14 of them, too many to try all orders.
#
# - Half of the points: it costs less than both the forward and the reverse order wherever the greedy
#   Markowitz order does.
# - All points: it never costs more than the best of the three.


# %% question="q7"
def elimination_order(graph):
    """An order in which to eliminate the intermediate vertices of the linearised graph: a list of node indices."""
    raise NotImplementedError("q7: elimination_order")


# %% check="q7"
grader.check("q7")

# %%
with adkit.skip_until_implemented():
    for name, graph in (("problem 1", figure_4), ("hourglasses", hourglasses)):
        order = list(elimination_order(graph))
        print(f"{name}: your order {order} costs {adkit.elimination_cost(graph, order)}")

# %% [markdown]
# ## For the careful: a test that catches bugs
#
# You have a reverse mode that passes its tests. Somebody else has one, too. Is it right? You cannot look at it, you can
# only call it, and it has one bug at most. This is what every test suite is for, and the question that remains is
# whether the tests are any good. Here that is measured: by the wrong implementations that your test notices.
#
# Three implementations to begin with. JAX can differentiate a graph, because a graph can be called with an array. The
# second one spoils the answer, the third one the question:


# %%
def by_jax(graph, x, y_bar):
    y, pull_back = jax.vjp(graph, jnp.array(x))
    return y, pull_back(jnp.array(y_bar))[0]


def negated(graph, x, y_bar):
    y, x_bar = by_jax(graph, x, y_bar)
    return y, -x_bar


def deaf(graph, x, y_bar):
    return by_jax(graph, x, np.ones(len(y_bar)))


for implementation in (by_jax, negated, deaf):
    y, x_bar = implementation(toy, [2.0, 3.0], [1.0])
    print(f"{implementation.__name__:8}", np.array(y), np.array(x_bar))

# %% [markdown]
# This question tells the second one from the first, and not the third. That is not the graph's fault: it is a number
# that was chosen because it is convenient. So:
#
# 1. **What would it take?** Take a mistake, and ask for the smallest graph, point and cotangent where it changes the
#    answer. If the answer is the same, no test there can notice it, however closely it looks.
# 2. **Which mistakes are there?** Go through your own `reverse_mode` line by line. What if this line did only half of
#    what it does? What if it did it once where it does it twice, or in another order? For each sentence in the list of
#    q4 there is somebody who has not read it.
# 3. **What do you compare with?** You know two ways to find $J^T \bar y$ that do not need reverse mode, and on a small
#    graph a third one: by hand.
# 4. **What is not a mistake?** A right implementation may return lists, tuples or arrays, whole numbers where they are
#    whole, and it rounds in its own way. Where a function is not defined it may answer NaN or raise an error. To refuse
#    it is as bad as to let a wrong one through.
#
# ## q8
#
# `is_right(reverse_mode)` is handed an implementation of q4, calls it as often as it likes, and returns `True` if it
# answers as q4 asks, `False` if not.
#
# - Each case hands you a right implementation and some that are wrong in one way: signs, cotangents, what is returned,
#   and so on to what shows on a few graphs only. All of them have to be told apart.
# - An implementation that raises an error at a question that is in order, or returns `None` or too few numbers, is
#   wrong. Whatever it raises arrives as an `adkit.ImplementationError`.
# - Questions have limits, because the implementations are run somewhere else: a graph has at most 400 nodes and 1000
#   arguments in all of them, 200 inputs and 200 outputs, and an implementation is called at most 2000 times. Beyond
#   them it raises a `ValueError` that says which limit it was.
# - An implementation answers during the call of `is_right` that it was handed to, and not later.
# - By hand, as everywhere in this notebook: `is_right` may use your own functions, and not `jax.vjp` or those above.


# %% question="q8"
def is_right(reverse_mode):
    """Whether the implementation reverse_mode(graph, x, y_bar) answers as q4 asks: True or False."""
    raise NotImplementedError("q8: is_right")


# %% check="q8"
grader.check("q8")

# %% [markdown]
# What does your test say to your own reverse mode? And to the implementations of the public cases, the first three of
# which are right:

# %%
with adkit.skip_until_implemented():
    print("your own".ljust(25), is_right(reverse_mode))
    for spoiled in ("", *adkit.implementations.SPOILED):
        print((spoiled or "not spoiled").ljust(25), is_right(adkit.Implementation(spoiled=spoiled)))

# %% [markdown]
# ## Further reading
#
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008, chapters 3 and 4, and for the bonus
#   chapters 9 and 10.
# - W. Baur and V. Strassen, *The complexity of partial derivatives*, Theoretical Computer Science 22, 1983.
# - A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind, *Automatic differentiation in machine learning:
#   a survey*, Journal of Machine Learning Research 18, 2018.
#
# ## Hand in
#
# Run this cell: it saves the notebook where it can (elsewhere it asks you to), makes the file to hand in, and runs the
# public checks once more on what is in it.

# %% tags=["export"]
grader.export()
