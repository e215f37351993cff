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
# there is for a given memory. At the end you train a real network with checkpoints of your own choosing.
#
# | question | you write | points | minutes |
# |---|---|--:|--:|
# | q1 | `vanilla_schedule` | 3 | 15 |
# | q2 | `memory_poor_schedule` | 3 | 15 |
# | q3 | `checkpointed_schedule` | 6 | 40 |
# | q4 | `choose_checkpoints` | 4 | 25 |
# | q5 | `optimal_schedule` | 10 | 75 |
# | q6 | `checkpointed_loss` | 9 | 45 |
# | q7 (bonus) | `optimal_schedule_for` | +5 | 60 |
#
# > **Rules**
# >
# > - **Checks.** `grader.check("q1")` runs the public cases of a question, about 40 % of its points. The other cases
# >   use other inputs of the same kind and run after you hand in.
# > - **Schedules.** A schedule is a list or a tuple of pairs `(action, i)`. A function must not change its arguments.
# > - **64-bit floats.** `import adkit` turns them on. Only q6 computes with arrays, and there you may use JAX's
# >   differentiation as you like.

# %% tags=["setup"]
import os

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
# ## q1: Vanilla backpropagation (3 points, about 15 minutes)
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
# Watch yours. (`animate` needs a legal schedule; the button pauses it.)

# %%
with adkit.skip_until_implemented():
    display(adkit.animate(vanilla_schedule(8), 8, title="vanilla"))

# %% [markdown]
# ## q2: Memory-poor backpropagation (3 points, about 15 minutes)
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
# ## q3: Backpropagation with checkpoints (6 points, about 40 minutes)
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
# ## q4: Where to put the checkpoints (4 points, about 25 minutes)
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
# ## q5: The best schedule for a given memory (10 points, about 75 minutes)
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
# repetitions are enough for 184 755 layers. Memory needs to grow with the *logarithm* of the number of layers
# only.
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
# ## q6: A real network (9 points, about 45 minutes)
#
# Now with numbers. `adkit.mlp(widths, key)` makes the parameters of a network, a list of $n$ pairs $(W_i, b_i)$,
# and `adkit.mlp_layer((W, b), a)` is one layer, $\tanh(a W + b)$; every layer is such a layer, the last one too.
# The loss is the mean of $(a_n - y)^2$ over all entries. `adkit.mlp_loss(params, x, y)` is that loss without
# checkpoints.
#
# JAX has what you need built in. `jax.checkpoint(f)` computes what `f` computes, but when it is differentiated it
# keeps only the *arguments* of `f`, and evaluates `f` again during the backward pass to get what is inside. So it
# matters what you wrap:
#
# - the whole network in one `jax.checkpoint`: nothing is kept, but the backward pass evaluates everything again at
#   once, and then all activations are in memory after all;
# - each single layer: the argument of each layer is kept, so every activation is;
# - each *segment*, from one checkpoint to the next: exactly the checkpoints are kept.
#
# Write the loss with segments: of the activations $a_1, \dots, a_n$ exactly those in `checkpoints` are kept for
# the backward pass, and every segment is recomputed, the last one too. (Unlike in q3, that is simpler here.)
# `checkpoints` is as in q3; it may be empty and may contain $n$.
#
# What is graded: the loss and all gradients; the activations that really cross from the forward to the backward
# pass; and the number of matrix products in the backward pass. Parameters, $x$, $y$ and what the loss itself
# needs of $a_n$ are not counted. You may use JAX's differentiation in this question as you like.


# %% question="q6"
def checkpointed_loss(params, x, y, checkpoints):
    """mean((a_n - y)^2) of the network, of whose activations only the checkpoints are kept for the backward pass.

    params: list of n pairs (W, b); x: (batch, d_0); y: (batch, d_n); checkpoints: indices from 1..n, increasing.
    """
    raise NotImplementedError("q6: checkpointed_loss")


# %% check="q6"
grader.check("q6")

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
    plain = train(lambda params: adkit.mlp_loss(params, x, y))
    with_checkpoints = train(lambda params: checkpointed_loss(params, x, y, checkpoints))
    print("loss at the start and at the end:", plain[0], plain[-1])
    print("largest difference between the two runs:", np.abs(plain - with_checkpoints).max())

# %% [markdown]
# What crosses from the forward to the backward pass? `adkit.artefact.measure` takes the two passes apart, runs
# them one after the other and counts. The arrays handed over are called residuals; those that are as long as the
# batch are what costs memory.

# %%
params = adkit.mlp([2] + [width] * (depth - 1) + [1], key=0)
with adkit.skip_until_implemented():
    for name, loss, extra in (
        ("plain", adkit.mlp_loss, ()),
        ("checkpoints", checkpointed_loss, (checkpoints,)),
    ):
        measured = adkit.artefact.measure(
            loss, params, x, y, np.float64(1), transform="vjp_split", static=extra, autodiff=True
        )
        large = [residual.shape for residual in measured.residuals if residual.size >= batch]
        print(f"{name}: {len(large)} large residuals {large}")
        print(f"    products: {measured.forward_work.products} forward, {measured.backward_work.products} backward")

# %% [markdown]
# **Do not believe every memory report.** JAX can also be asked how much temporary memory the *compiled* program
# uses, as below. On a GPU or TPU the number means something. On a CPU it depends on the version: before jaxlib
# 0.12 the CPU compiler recognises that a segment is computed twice, keeps the first result, and so quietly undoes
# the recomputation; the program then uses as much memory as without checkpoints, or more. That is why you are
# graded on what was traced, and not on this. (The batch is much larger than the width here, because the gradients
# of the parameters are temporary memory, too.)

# %%
large_x, large_y = jnp.ones((4096, 2)), jnp.zeros((4096, 1))
print("jaxlib", jaxlib.__version__)
with adkit.skip_until_implemented():
    for name, loss in (
        ("plain", lambda params: adkit.mlp_loss(params, large_x, large_y)),
        ("checkpoints", lambda params: checkpointed_loss(params, large_x, large_y, checkpoints)),
    ):
        analysis = jax.jit(jax.grad(loss)).lower(params).compile().memory_analysis()
        print(f"{name}: {analysis.temp_size_in_bytes / 2**20:.2f} MiB of temporary memory, says the compiler")

# %% [markdown]
# ## q7: Layers that are not alike (5 bonus points, about 60 minutes)
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


# %% question="q7"
def optimal_schedule_for(sizes, costs, memory):
    """A schedule of peak size <= memory whose cost is at most that of the best persistent schedule.

    sizes, costs: n positive integers each, of activation and layer i at index i - 1. ValueError if impossible.
    """
    raise NotImplementedError("q7: optimal_schedule_for")


# %% check="q7"
grader.check("q7")

# %%
sizes, costs = [8, 8, 4, 4, 2, 2, 1, 1, 8, 4], [9, 9, 5, 5, 3, 3, 1, 1, 2, 9]
with adkit.skip_until_implemented():
    for memory in (9, 14, 20, 43):
        trace = adkit.simulate(10, optimal_schedule_for(sizes, costs, memory), sizes, costs)
        print(f"memory {memory}: peak size {trace.peak}, cost {trace.cost}")

# %% [markdown]
# ## Further reading
#
# - A. Griewank and A. Walther, *Algorithm 799: revolve*, ACM Transactions on Mathematical Software 26(1), 2000.
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008, chapter 12.
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
