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
# # Checkpointing: memory against recomputation
#
# Reverse mode computes the gradient of a loss for the price of a few evaluations, however many parameters there
# are. There is one catch: the backward pass needs what the forward pass computed, in the opposite order. A network
# of a thousand layers has a thousand activations waiting in memory for their turn. This notebook is about giving
# some of them up and computing them again: how much memory is enough, and what does it cost?
#
# You write the *schedules* of backpropagation: first the two extremes, then checkpoints, then the best schedule
# there is for a given memory. Then your schedules drive a real network, and at the end you train one with
# checkpoints of your own choosing and watch its memory go down.
#
# <!-- questions -->
#
# > **Rules**
# >
# > - **Checks.** `grader.check("q1")` runs the public cases of a question, about 40 % of its points. The other cases
# >   use other inputs of the same kind and run after you hand in. Stuck? `grader.hint("q1")` asks you
# >   something back; called again, it gives an idea, and then a line of mathematics.
# > - **Schedules.** A schedule is a list or a tuple of pairs `(action, i)`. A function must not change its arguments.
# > - **64-bit floats.** `import adkit` turns them on. Only q6, q7 and q9 compute with arrays, and there you may use
# >   JAX's differentiation as you like.

# %% tags=["setup"]
import os
import time

try:
    import adkit  # before JAX: it turns 64-bit floats on
except ModuleNotFoundError as missing:
    where = f"There is no adkit/ in {os.getcwd()}: open this notebook in the folder it was handed out in."
    missing._render_traceback_ = lambda: [where]
    raise

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from IPython.display import display

grader = adkit.Notebook("checkpointing")

# %% [markdown]
# ## The chain
#
# The input $a_0$ goes through $n$ layers, $a_i = f_i(a_{i-1})$, and the loss is a function of $a_n$. Write $b_i$
# for the gradient of the loss with respect to $a_i$. The chain rule takes it one layer down at a time,
#
# $$b_{i-1} = \Big(\frac{\partial f_i}{\partial a_{i-1}}(a_{i-1})\Big)^{\!\top} b_i ,$$
#
# so the backward pass runs $b_n, b_{n-1}, \dots, b_1$, and computing $b_i$ needs $b_{i+1}$ **and the activation
# $a_i$**. (Why $a_i$? It is what the derivative of the layer above is taken at, and for many layers, such as
# $\tanh$ with $\tanh' = 1 - \tanh^2$, what the derivative of its own layer is written with.) In the pictures, that
# is an arrow from each $f$ node down to the $b$ node under it:
#
# ![Vanilla backpropagation of 6 layers in three moments: three f nodes are saved, then all six, then three again while
# half of the b nodes have run](figures/vanilla.svg)
#
# And where are the gradients that training needs, those with respect to the parameters? Take layers
# $a_i = \tanh(a_{i-1} W_i + c_i)$, with a batch of examples in the rows of $a_i$. With $b_{i+1}$ and $a_i$ at hand
# the layer above gives
#
# $$d_{i+1} = b_{i+1} \odot \tanh'(a_i W_{i+1} + c_{i+1}), \qquad
#   \overline{W}_{i+1} = a_i^{\top} d_{i+1}, \qquad
#   \overline{c}_{i+1} = \text{the sum of the rows of } d_{i+1}, \qquad
#   b_i = d_{i+1} W_{i+1}^{\top} .$$
#
# So they come out on the way, at the moment when $b_i$ is computed and from the same two arrays, and no activation has
# to wait for them. They are as large as the parameters, whatever the batch, and are not counted here.
#
# ![A row of f nodes from the input to a_n, the loss at its end, and under it the row of b nodes back to the input; from
# each step down to b_i the gradients with respect to W_(i+1) and c_(i+1) come out](figures/gradients.svg)
#
# ### Schedules
#
# A schedule says in which order activations are evaluated, kept and given up. It is a list of pairs `(action, i)`.
# At any time there is a set $S$ of *saved* activations, and at most one *working* activation $w$: the one that was
# evaluated last.
#
# | action | legal when | effect |
# |---|---|---|
# | `("forward", i)` | $a_{i-1}$ is $a_0$, saved, or working | $w = i$; an unsaved old $w$ is gone; **one evaluation** |
# | `("save", i)` | $w = i$ | $i$ joins $S$ |
# | `("free", i)` | $i$ is in $S$ | $i$ leaves $S$ (and if $w = i$, that is gone, too) |
# | `("backward", i)` | $i$ is next ($n$ first, then $n-1$, …); $a_i$ is saved or working | if $w = i$, it is gone |
#
# Memory after an action is $|S \cup \{w\}|$, and the *peak* is its largest value. $a_0$ is the data: it is always
# at hand and never counted. A schedule is complete when $b_n, \dots, b_1$ have all run and nothing is left in
# memory, so whatever was saved must be freed. Backward steps are not counted: every schedule has $n$ of them.
#
# `adkit.simulate(n, schedule)` plays a schedule by these rules and reports its peak and its evaluations. When an
# action is illegal it says which one, where, why, and what was in memory then:

# %%
one_layer = [("forward", 1), ("backward", 1)]
print(adkit.simulate(1, one_layer))

try:
    adkit.simulate(2, [("forward", 1), ("forward", 2), ("backward", 2), ("backward", 1)])
except adkit.ScheduleError as error:
    print(error)

# %% [markdown]
# Two layers, and already the obvious loop is illegal: when $a_2$ was evaluated, $a_1$ was working and not saved,
# so it was gone when $b_1$ needed it. There are two ways out. Keep $a_1$, or evaluate it again. They are the two
# extremes of everything that follows.

# %% [markdown]
# ## q1
#
# Keep everything. Each activation is evaluated once and saved, and freed when its backward step has run: $n$
# evaluations, peak $n$. This is what an autodiff system does if nobody tells it otherwise.


# %% question="q1"
def vanilla_schedule(n):
    """The schedule that keeps every activation: a list of (action, i) pairs, peak n, n evaluations."""
    raise NotImplementedError("q1: vanilla_schedule")


# %% check="q1"
grader.check("q1")

# %% [markdown]
# Watch yours. (`animate` needs a legal schedule; the button pauses it. `adkit.step_through` shows the same action by
# action.)

# %%
with adkit.skip_until_implemented():
    display(adkit.animate(vanilla_schedule(8), 8, title="vanilla"))

# %% [markdown]
# ## q2
#
# Keep nothing. For every backward step go forward again from the input, with one working activation and nothing
# saved: peak 1. The price is $n + (n-1) + \dots + 1 = n(n+1)/2$ evaluations.
#
# ![Memory-poor backpropagation of 6 layers in four moments: a single f node is in memory at any time, and each b node
# has its own sweep from the input](figures/memory_poor.svg)


# %% question="q2"
def memory_poor_schedule(n):
    """The schedule with one activation in memory: a list of (action, i) pairs, n(n+1)/2 evaluations."""
    raise NotImplementedError("q2: memory_poor_schedule")


# %% check="q2"
grader.check("q2")

# %% [markdown]
# `adkit.space_time` shows a whole schedule at once. Time runs to the right, layers go up; a bar is an activation
# in memory, from its evaluation on (the block it begins with), and the memory in use is shown below. The area
# under that curve is what you pay in memory; the length of the picture is what you pay in time.

# %%
with adkit.skip_until_implemented():
    display(adkit.space_time(memory_poor_schedule(8), 8, title="memory-poor"))

# %% [markdown]
# ## q3
#
# Between the extremes: keep a few activations, the *checkpoints*. They cut the chain into segments. On the way
# forward only they are saved, except in the last segment, whose activations are needed at once. Then the segments
# are worked off from the last to the first: evaluate a segment again from the checkpoint below it (or from the
# input), this time saving its activations, and run its backward steps.
#
# ![Ten layers with checkpoints 3, 6 and 9 in four moments: the checkpoints stay in memory while the segments between
# them fill up and empty again from the right to the left](figures/checkpoints.svg)
#
# ![The same schedule in space and time: three long bars for the checkpoints, and a small triangle of bars for
# each segment](figures/checkpoints_lifetimes.svg)
#
# `checkpoints` is a strictly increasing subset of $1..n$ (it may be empty, and may contain $n$); anything else is
# a `ValueError`. The requirements:
#
# - no activation is evaluated more than twice, and none after the last checkpoint more than once;
# - the peak is at most the number of checkpoints plus the longest *run*: the most activations in a row that are
#   not checkpoints, between two neighbours, before the first one, or after the last one.


# %% question="q3"
def checkpointed_schedule(n, checkpoints):
    """The schedule that keeps `checkpoints` and evaluates the segments before the last one again.

    checkpoints: a strictly increasing sequence of indices from 1..n; ValueError otherwise.
    """
    raise NotImplementedError("q3: checkpointed_schedule")


# %% check="q3"
grader.check("q3")

# %%
with adkit.skip_until_implemented():
    display(adkit.space_time(checkpointed_schedule(20, [5, 10, 15]), 20, title="checkpoints 5, 10, 15"))

# %% [markdown]
# Step by step, and beside the two extremes on the same scale:

# %%
with adkit.skip_until_implemented():
    display(adkit.step_through(checkpointed_schedule(9, [3, 6]), 9, title="checkpoints 3, 6"))
    three = {
        "vanilla": vanilla_schedule(9),
        "checkpoints 3, 6": checkpointed_schedule(9, [3, 6]),
        "memory-poor": memory_poor_schedule(9),
    }
    display(adkit.compare(9, three))

# %% [markdown]
# ## q4
#
# Few checkpoints leave long runs, many checkpoints are themselves the memory. With $k$ checkpoints at equal
# distances the peak is about $k + n/k$. Find checkpoints for which it is at most
#
# $$2\,\lceil \sqrt n\, \rceil .$$
#
# (The peak is that of a schedule as in q3 that frees each checkpoint as soon as its own backward step has run.)
# This is the square-root rule of Chen, Xu, Zhang and Guestrin (2016): a network of 10 000 layers in the memory of
# 200, for one more forward pass.


# %% question="q4"
def choose_checkpoints(n):
    """Checkpoints for a chain of n layers, with which the peak is at most 2*ceil(sqrt(n)): a list of indices."""
    raise NotImplementedError("q4: choose_checkpoints")


# %% check="q4"
grader.check("q4")

# %%
with adkit.skip_until_implemented():
    for layers in (16, 100, 900):
        print(adkit.simulate(layers, checkpointed_schedule(layers, choose_checkpoints(layers))))

# %% [markdown]
# ## q5
#
# Is $2\sqrt n$ the end? No: nothing forbids evaluating an activation three times. While a segment is worked on,
# places in memory are free again, and in them one can set checkpoints *within* the segment. How few evaluations
# are possible when at most $m$ activations may be in memory? The answer is known exactly (Griewank and Walther,
# 2000). Let $r$ be the least number with $\binom{m+r}{r} \ge n+1$. Then
#
# $$T(n, m) = r\,(n+1) - \binom{m+r}{r-1}$$
#
# evaluations are enough, and no schedule can do with fewer. In words: with $m$ places, and each layer evaluated
# $r$ times at most, a chain of $\binom{m+r}{r} - 1$ layers can be done. That grows fast: ten places and ten
# repetitions are enough for 184 755 layers. Memory needs to grow only with the *logarithm* of the number of layers,
# if the number of repetitions may grow like it, too; with a fixed number $r$ of repetitions it grows like the $r$-th
# root.
#
# ![Memory against evaluations for 100 layers: vanilla at one end, memory-poor at the other, the square-root rule
# near the optimal curve, an optimal schedule for 7 activations on it](figures/trade_off.svg)
#
# ![An optimal schedule of 100 layers in space and time with 7 activations: a large triangle that contains ever
# smaller copies of itself](figures/optimal_lifetimes.svg)
#
# Write a schedule that is legal, complete, never has more than `memory` activations in memory, and needs exactly
# $T(n, m)$ evaluations. `memory < 1` or `n < 1` is a `ValueError`.
#
# **Hints.** Let $E(L, m)$ be the least number of evaluations with which $L$ layers above an activation that is at
# hand can be worked off with $m$ places. Where does the first checkpoint go? Say, $j$ layers up. What remains to
# be done above it, with how many places? And below it, afterwards? This gives a recursion with a minimum over
# $j$; check its values against `adkit.least_evaluations(n, m)`, which is the formula above. A table of all
# $E(L, m)$ is fast enough for most of the tests; for $n = 1000$ think about which $j$ can be the best one (it
# moves little from one $L$ to the next, and there is a formula, too). The limit for one schedule is ten seconds.
# And mind Python's limit on nested calls: for memory 1 and 200 layers a recursion can become 200 deep, which is
# fine; 1000 is not.


# %% question="q5"
def optimal_schedule(n, memory):
    """A schedule with peak <= memory and the least possible number of evaluations, T(n, memory).

    ValueError for n < 1 or memory < 1.
    """
    raise NotImplementedError("q5: optimal_schedule")


# %% check="q5"
grader.check("q5")

# %% [markdown]
# Your schedules among the others, over the curve that nobody can go below. The axes are logarithmic.

# %%
with adkit.skip_until_implemented():
    schedules = {
        "vanilla": vanilla_schedule(100),
        "memory-poor": memory_poor_schedule(100),
        "square root": checkpointed_schedule(100, choose_checkpoints(100)),
        "optimal, 4": optimal_schedule(100, 4),
        "optimal, 8": optimal_schedule(100, 8),
    }
    display(adkit.trade_off(100, schedules))

# %%
with adkit.skip_until_implemented():
    display(adkit.space_time(optimal_schedule(60, 5), 60, title="optimal with 5 activations"))

# %% [markdown]
# ## q6
#
# So far a schedule was a list of words. Now it does something: it computes the gradient of a real network.
#
# `adkit.mlp(widths, key)` makes the parameters of a network, a list of $n$ pairs $(W_i, c_i)$, and
# `adkit.mlp_layer((W, c), a)` is one layer, $\tanh(a W + c)$; every layer is such a layer, the last one too. The loss
# is the mean of $(a_n - y)^2$ over all entries.
#
# `run_schedule(schedule, params, x, y)` gets a legal, complete schedule for these layers and carries it out, action
# by action. It returns `(loss, gradients)`, the gradients a list of pairs $(\overline{W}_i, \overline{c}_i)$ in the
# order of `params`.
#
# - `("forward", i)` evaluates layer $i$ at $a_{i-1}$, which is $x$, saved, or working.
# - `("save", i)` and `("free", i)` do to your collection of saved arrays what they say.
# - `("backward", i)`: for $i = n$ the loss and $b_n$ are computed from $a_n$; for $i < n$ the formulas of *The chain*
#   give $\overline{W}_{i+1}$, $\overline{c}_{i+1}$ and $b_i$ from $b_{i+1}$ and $a_i$. For $\tanh'$ you may compute
#   the product $a_i W_{i+1}$ again. Or hand down $d_i$ in the place of $b_i$: since $a_i$ is the $\tanh$ of its layer,
#   $d_i = b_i \odot (1 - a_i^2)$, and $a_i$ is at hand.
# - When $b_1$ has run, the first layer's gradients remain: they need $x$ and $b_1$ (or $d_1$).
#
# What is graded:
#
# - loss and gradients, for schedules of every kind, also for legal ones that follow no strategy;
# - the matrix products: one for each evaluation in the schedule (one that nothing needs may be left out), and for the
#   backward steps $2n - 1$, or up to $3n - 1$ if you compute products again;
# - the memory: at most six activations more than in the simulation are alive at a time.
#
# Products and memory are counted in what JAX traces of your function with the schedule fixed. These points need
# `jax.numpy`; a function written with NumPy can earn the others.


# %% question="q6"
def run_schedule(schedule, params, x, y):
    """(loss, gradients) by carrying out a schedule: mean((a_n - y)^2) and a list of pairs (W_bar, c_bar).

    schedule: legal and complete; params: list of n pairs (W, c); x: (batch, d_0); y: (batch, d_n).
    """
    raise NotImplementedError("q6: run_schedule")


# %% check="q6"
grader.check("q6")

# %% [markdown]
# Your own schedules, on a network of twelve layers. `adkit.watch(schedule)` is the schedule itself, as a list that
# notes how many bytes of arrays are alive in this process whenever you ask it for the next action (so go over it with
# `for`, and do not copy it). Under the diagram, the filled steps are the memory of the simulation, the line is what was
# measured. It follows them a few arrays higher: there are also the gradient on its way down and what your variables
# still hold. For the memory-poor schedule these few are most of the memory.

# %%
layers, width, batch = 12, 32, 2048
one_activation = batch * width * 8  # bytes
wide_x = jnp.asarray(np.random.default_rng(1).normal(size=(batch, width)))
wide_y = jnp.tanh(wide_x[:, ::-1])
wide = adkit.mlp([width] * (layers + 1), key=1)

with adkit.skip_until_implemented():
    for name, schedule in (
        ("vanilla", vanilla_schedule(layers)),
        ("memory-poor", memory_poor_schedule(layers)),
        ("checkpoints", checkpointed_schedule(layers, choose_checkpoints(layers))),
        ("optimal with 3", optimal_schedule(layers, 3)),
    ):
        watched = adkit.watch(schedule)
        loss, gradients = run_schedule(watched, wide, wide_x, wide_y)
        trace = adkit.simulate(layers, schedule)
        print(f"{name}: {trace.evaluations} evaluations, peak {trace.peak} in the simulation, loss {loss:.12f}")
        display(adkit.space_time(schedule, layers, title=name, measured=watched.bytes, unit=one_activation))

# %% [markdown]
# The same gradients from every schedule, so it can train. Here with the optimal schedule for three activations:

# %%
with adkit.skip_until_implemented():
    trained, schedule = wide, optimal_schedule(layers, 3)
    for step in range(31):
        loss, gradients = run_schedule(schedule, trained, wide_x[:64], wide_y[:64])
        if step % 10 == 0:
            print(f"step {step}: loss {loss:.6f}")
        trained = [(W - W_bar, c - c_bar) for (W, c), (W_bar, c_bar) in zip(trained, gradients, strict=True)]

# %% [markdown]
# ## q7
#
# A Python loop over actions is good for seeing what happens. In practice one tells JAX what to keep.
# `jax.checkpoint(f)` computes what `f` computes, but when it is differentiated it keeps only the *arguments* of `f`,
# and evaluates `f` again during the backward pass to get what is inside. So it matters what you wrap:
#
# - the whole network in one `jax.checkpoint`: nothing is kept, but the backward pass evaluates everything again at
#   once, and then all activations are in memory after all;
# - the whole network, with a *policy* that saves the checkpoints: they are kept, but everything between them is
#   again evaluated at once;
# - each single layer: the argument of each layer is kept, so every activation is;
# - each *segment*, from one checkpoint to the next: exactly the checkpoints are kept, and one segment is evaluated
#   again at a time.
#
# Write the loss with segments: of the activations $a_1, \dots, a_n$ exactly those in `checkpoints` are kept for the
# backward pass, and every segment is recomputed, the last one too (unlike in q3; that is simpler here). `checkpoints`
# is as in q3, but always valid; it may be empty and may contain $n$. `adkit.mlp_loss(params, x, y)` is the loss without
# checkpoints.
#
# What is graded:
#
# - the loss and all gradients;
# - what crosses from the forward to the backward pass: of the activations exactly the checkpoints below $n$, and
#   nothing else as large. Parameters, $x$, $y$ and what the loss itself needs of $a_n$ are not counted;
# - the matrix products in the backward pass: $3n$, two for each layer and one to evaluate it again (a few less if you
#   write a rule by hand);
# - **the peak of live activations in the backward pass**: at most the number of checkpoints below $n$, plus two for
#   each layer of the longest segment, plus 8. (Two, since JAX computes $\tanh'$ as $(1 - a_i)(1 + a_i)$ and keeps
#   $1 - a_i$ beside $a_i$.)
#
# The peak is counted in the program that JAX traces, in the order in which it is written, as numbers divided by
# batch times width: stacking, raveling or splitting arrays hides nothing. Keep the layers of a segment in a Python
# loop; a `jax.lax.scan` over them keeps stacked copies.


# %% question="q7"
def checkpointed_loss(params, x, y, checkpoints):
    """mean((a_n - y)^2) of the network, of whose activations only the checkpoints are kept for the backward pass.

    params: list of n pairs (W, c); x: (batch, d_0); y: (batch, d_n); checkpoints: indices from 1..n, increasing.
    """
    raise NotImplementedError("q7: checkpointed_loss")


# %% check="q7"
grader.check("q7")

# %% [markdown]
# Train with it. Both runs start from the same parameters and make the same steps; the losses agree to rounding,
# because checkpointing changes when things are computed, not what.

# %%
depth, width, batch = 12, 8, 256
checkpoints = [4, 8]
data = np.random.default_rng(0)
x = jnp.asarray(data.uniform(-2, 2, size=(batch, 2)))
y = 0.8 * jnp.sin(x[:, :1] + x[:, 1:])


def train(loss, steps=200, rate=0.5):
    params = adkit.mlp([2] + [width] * (depth - 1) + [1], key=0)
    step = jax.jit(jax.value_and_grad(loss))
    losses = []
    for _ in range(steps):
        value, gradient = step(params)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradient)
        losses.append(float(value))
    return np.array(losses)


with adkit.skip_until_implemented():
    with_checkpoints = train(lambda params: checkpointed_loss(params, x, y, checkpoints))
    plain = train(lambda params: adkit.mlp_loss(params, x, y))
    print("loss at the start and at the end:", plain[0], plain[-1])
    print("largest difference between the two runs:", np.abs(plain - with_checkpoints).max())

# %% [markdown]
# What crosses from the forward to the backward pass? `adkit.artefact.measure` counts it, as in *ad_in_jax*. Of these
# arrays, the residuals, those as long as the batch are what costs memory. Without checkpoints there are 25 of them for
# twelve layers: the twelve $a_i$, the twelve $1 - a_i$, and $a_n - y$, which the loss needs. With checkpoints at 4 and
# 8 there are three: $a_4$, $a_8$, and $a_n - y$.

# %%
params = adkit.mlp([2] + [width] * (depth - 1) + [1], key=0)
with adkit.skip_until_implemented():
    checkpointed_loss(params, x, y, checkpoints)  # is it written?
    for name, loss, extra in (
        ("plain", adkit.mlp_loss, ()),
        ("checkpoints", checkpointed_loss, (checkpoints,)),
    ):
        measured = adkit.artefact.measure(
            loss, params, x, y, np.float64(1), transform="vjp_split", static=extra, autodiff=True
        )
        large = [residual.shape for residual in measured.residuals if residual.size >= batch]
        backward = measured.backward_work
        print(f"{name}: {len(large)} large residuals {large}")
        print(f"    products: {measured.forward_work.products} forward, {backward.products} backward")
        print(f"    peak in the backward pass: {backward.peak / (batch * width):.1f} activations of width {width}")

# %% [markdown]
# And now for real: 32 layers of width 64 and a batch of 2048, where one activation has 1 MiB. `adkit.live_bytes()`
# watches the arrays of this process while JAX goes forward (`jax.vjp`) and backward, one operation after the other;
# that takes some seconds. The more checkpoints, the more is kept between the passes; the fewer, the longer the
# segment that is evaluated again. In between lies the square root. The price is the work of one more forward pass. The
# seconds in the right picture are those of one run on your machine, and may hide it.

# %%
deep = adkit.mlp([64] * 33, key=2)
deep_x = jnp.asarray(np.random.default_rng(2).normal(size=(2048, 64)))
deep_y = jnp.tanh(deep_x[:, ::-1])


def both_passes(loss, between=lambda: None):
    value, pull_back = jax.vjp(loss, deep)
    between()
    jax.block_until_ready(pull_back(jnp.ones_like(value)))


def watch(loss):
    """Bytes between the passes and at the peak, and the seconds that both passes take when nobody watches."""
    with adkit.live_bytes() as live:
        both_passes(loss, between=lambda: live.mark("between"))
    started = time.perf_counter()
    both_passes(loss)
    return live.marks["between"], live.peak, time.perf_counter() - started


with adkit.skip_until_implemented():
    checkpointed_loss(deep[:1], deep_x, deep_y, [])  # is it written?
    rows = []
    for distance in (2, 4, 8, 16):
        kept = list(range(distance, 32, distance))
        rows.append((kept, *watch(lambda params, kept=kept: checkpointed_loss(params, deep_x, deep_y, kept))))
    without = watch(lambda params: adkit.mlp_loss(params, deep_x, deep_y))
    display(adkit.memory_plot(32, rows, {"without checkpoints": without}, unit=deep_x.nbytes))

# %% [markdown]
# **Do not believe every memory report.** JAX can also be asked how much temporary memory the *compiled* program
# uses, as below. On a GPU or TPU the number means something. On a CPU it depends on the version: before jaxlib
# 0.11.1 the CPU compiler recognises that a segment is computed twice, keeps the first result, and so quietly undoes
# the recomputation; the program then uses as much memory as without checkpoints, or more. From 0.11.1 on it does
# what it was told. That is why you are graded on what was traced, and not on this. (The batch is much larger than the
# width here, because the gradients of the parameters are temporary memory, too.)

# %%
large_x, large_y = jnp.ones((4096, 2)), jnp.zeros((4096, 1))
print("jaxlib", jaxlib.__version__)
with adkit.skip_until_implemented():
    checkpointed_loss(params, large_x, large_y, checkpoints)  # is it written?
    for name, loss in (
        ("plain", lambda params: adkit.mlp_loss(params, large_x, large_y)),
        ("checkpoints", lambda params: checkpointed_loss(params, large_x, large_y, checkpoints)),
    ):
        analysis = jax.jit(jax.grad(loss)).lower(params).compile().memory_analysis()
        print(f"{name}: {analysis.temp_size_in_bytes / 2**20:.2f} MiB of temporary memory, says the compiler")

# %% [markdown]
# ## q8
#
# Real networks have wide and narrow layers, cheap and expensive ones. Activation $a_i$ has the size
# `sizes[i - 1]`, and evaluating layer $i$ costs `costs[i - 1]` (all positive integers); `memory` is a total of
# sizes. Saved and working activations together may never exceed it. Write a schedule whose total cost is as low
# as you can make it: full points for never costing more than the best *persistent* schedule, in which an
# activation that is saved stays until its backward step has run. `ValueError` when it is impossible. There are up
# to 30 layers, and memory up to 60.
#
# The recursion of q5 still works, with two more things to watch: the free memory is now a number from which sizes
# are subtracted, and on its way to a checkpoint the working activation has to fit, too. There is no formula for
# the best split any more, so let the computer try all of them, and remember what it found.
#
# `adkit.simulate(n, schedule, sizes, costs)` counts memory in sizes and adds up the costs.


# %% question="q8"
def optimal_schedule_for(sizes, costs, memory):
    """A schedule of peak size <= memory whose cost is at most that of the best persistent schedule.

    sizes, costs: n positive integers each, of activation and layer i at index i - 1. ValueError if impossible.
    """
    raise NotImplementedError("q8: optimal_schedule_for")


# %% check="q8"
grader.check("q8")

# %%
sizes, costs = [8, 8, 4, 4, 2, 2, 1, 1, 8, 4], [9, 9, 5, 5, 3, 3, 1, 1, 2, 9]
with adkit.skip_until_implemented():
    for memory in (9, 14, 20, 43):
        trace = adkit.simulate(10, optimal_schedule_for(sizes, costs, memory), sizes, costs)
        print(f"memory {memory}: peak size {trace.peak}, cost {trace.cost}")

# %% [markdown]
# ## q9
#
# In q7 memory grows like $\sqrt n$. Nothing forbids a `jax.checkpoint` inside a `jax.checkpoint`: while a segment is
# evaluated again, it can keep checkpoints of its own, and so on. Write the loss so that for $n$ layers
#
# - at most $2 \lceil \log_2 n \rceil + 4$ arrays as large as an activation are alive at a time, counted as in q7, in
#   loss and gradient together, and
# - there are at most $3n + n \lceil \log_2 n \rceil$ matrix products in all.
#
# For 64 layers that is 16 and 576, for 256 it is 20 and 2816. The points for the products are only for a loss that
# saves memory, with at most $n$ arrays alive. Loss and gradients have to be right for every $n$, from one layer on. How
# often is the first layer evaluated in your scheme? You do not have to halve: any scheme within the limits is right.


# %% question="q9"
def nested_checkpointed_loss(params, x, y):
    """mean((a_n - y)^2) of the network, with checkpoints within checkpoints: memory like log n.

    params: list of n pairs (W, c); x: (batch, d_0); y: (batch, d_n).
    """
    raise NotImplementedError("q9: nested_checkpointed_loss")


# %% check="q9"
grader.check("q9")

# %%
with adkit.skip_until_implemented():
    for layers in (4, 16, 64):
        chain = adkit.mlp([2] * (layers + 1), key=0)
        work = adkit.artefact.measure(
            nested_checkpointed_loss,
            chain,
            jnp.ones((1024, 2)),
            jnp.zeros((1024, 2)),
            transform="value_and_grad",
            autodiff=True,
            run=False,
        ).work
        print(f"{layers} layers: peak {work.peak / 2048:.1f} activations, {work.matrix_products} matrix products")

# %% [markdown]
# ## Further reading
#
# - A. Griewank and A. Walther, *Algorithm 799: revolve*, ACM Transactions on Mathematical Software 26(1), 2000.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008, chapter 12.
# - A. Griewank, *Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
#   differentiation*, Optimization Methods and Software 1(1), 1992.
# - T. Chen, B. Xu, C. Zhang and C. Guestrin, *Training deep nets with sublinear memory cost*, 2016.
# - O. Beaumont, L. Eyraud-Dubois, J. Herrmann, A. Joly and A. Shilova, *Optimal checkpointing for heterogeneous
#   chains*, INRIA research report 9302, 2019.
#
# ## Hand in
#
# Run this cell: it saves the notebook where it can (elsewhere it asks you to), makes the file to hand in, and runs the
# public checks once more on what is in it.

# %% tags=["export"]
grader.export()
