"""Wrong solutions of `checkpointing`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools
import math
from typing import Any

import adkit
import jax
import jax.numpy as jnp
import numpy as np

from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong

# q1


@wrong("vanilla_schedule", "nothing is freed")
def never_frees(n):
    s = []
    for i in range(1, n + 1):
        s += [("forward", i), ("save", i)]
    for i in range(n, 0, -1):
        s.append(("backward", i))
    return s


@wrong("vanilla_schedule", "the last activation is not evaluated")
def last_layer_left_out(n):
    up = [(action, i) for i in range(1, n) for action in ("forward", "save")]
    return up + [(action, i) for i in range(n, 0, -1) for action in ("backward", "free")]


@wrong("vanilla_schedule", "layers are counted from 0")
def from_zero(n):
    s = []
    for i in range(n):
        s.append(("forward", i))
        s.append(("save", i))
    for i in reversed(range(n)):
        s.append(("backward", i))
        s.append(("free", i))
    return s


@wrong("vanilla_schedule", "each activation is freed before its backward step")
def freed_before(n):
    s = [pair for i in range(1, n + 1) for pair in (("forward", i), ("save", i))]
    for i in range(n, 0, -1):
        s.extend((("free", i), ("backward", i)))
    return s


@wrong("vanilla_schedule", "the backward steps run upwards")
def backward_upwards(n):
    return [(a, i) for i in range(1, n + 1) for a in ("forward", "save")] + [
        (a, i) for i in range(1, n + 1) for a in ("backward", "free")
    ]


@wrong("vanilla_schedule", "nothing is saved")
def nothing_saved(n):
    return [("forward", i) for i in range(1, n + 1)] + [("backward", i) for i in range(n, 0, -1)]


@wrong("vanilla_schedule", "everything is evaluated twice")
def evaluated_twice(n):
    s = [("forward", i) for i in range(1, n + 1)]
    for i in range(1, n + 1):
        s += [("forward", i), ("save", i)]
    for i in range(n, 0, -1):
        s += [("backward", i), ("free", i)]
    return s


@wrong("vanilla_schedule", "the last backward step is left out")
def stops_at_two(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [(a, i) for i in range(n, 1, -1) for a in ("backward", "free")]


@wrong("vanilla_schedule", "pairs of (index, action)")
def index_first(n):
    s = [(i, a) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [(i, a) for i in range(n, 0, -1) for a in ("backward", "free")]


@wrong("vanilla_schedule", "the memory-poor schedule: everything is recomputed from the input")
def poor_instead(n):
    s = []
    for top in range(n, 0, -1):
        s += [("forward", i) for i in range(1, top + 1)] + [("backward", top)]
    return s


# q2


@wrong("memory_poor_schedule", "everything is saved: the vanilla schedule")
def vanilla_instead(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [(a, i) for i in range(n, 0, -1) for a in ("backward", "free")]


@wrong("memory_poor_schedule", "each sweep stops one layer too early")
def one_layer_short(n):
    s = []
    for k in range(n, 0, -1):
        for i in range(1, k):
            s.append(("forward", i))
        s.append(("backward", k))
    return s


@wrong("memory_poor_schedule", "each sweep goes all the way to n")
def sweeps_to_the_top(n):
    s = []
    for k in range(n, 0, -1):
        s.extend(("forward", i) for i in range(1, n + 1))
        s.append(("backward", k))
    return s


@wrong("memory_poor_schedule", "the activation is saved before its backward step and never freed")
def saved_for_backward(n):
    s = []
    for k in range(n, 0, -1):
        s += [("forward", i) for i in range(1, k + 1)]
        s += [("save", k), ("backward", k)]
    return s


@wrong("memory_poor_schedule", "the first layer stays saved, so that two activations are in memory")
def keeps_the_first(n):
    if n == 1:
        return [("forward", 1), ("backward", 1)]
    s = [("forward", 1), ("save", 1)]
    for k in range(n, 1, -1):
        s += [("forward", i) for i in range(2, k + 1)]
        s.append(("backward", k))
    return [*s, ("backward", 1), ("free", 1)]


@wrong("memory_poor_schedule", "one forward sweep for all backward steps")
def one_sweep_only(n):
    s = [("forward", i) for i in range(1, n + 1)]
    return s + [("backward", i) for i in range(n, 0, -1)]


@wrong("memory_poor_schedule", "the sweeps run for 1, 2, ..., n: the backward steps go upwards")
def growing_sweeps(n):
    s = []
    for k in range(1, n + 1):
        s += [*(("forward", i) for i in range(1, k + 1)), ("backward", k)]
    return s


@wrong("memory_poor_schedule", "the sweep starts at layer 0")
def starts_at_zero(n):
    return [step for k in range(n, 0, -1) for step in [*(("forward", i) for i in range(k + 1)), ("backward", k)]]


# q3


def validate(n, checkpoints):
    c = list(checkpoints)
    if any(not 1 <= i <= n for i in c) or any(a >= b for a, b in itertools.pairwise(c)):
        raise ValueError("checkpoints")
    return c


def segments(n, c):
    edges = [0, *c, n] if not c or c[-1] != n else [0, *c]
    return list(itertools.pairwise(edges))


def checkpointed(n, checkpoints, *, free=True, last_again=False, save_all=False, from_input=False, slots=0):
    """A right schedule for checkpoints, with places to go wrong."""
    c = validate(n, checkpoints)
    s = []
    last = c[-1] if c else 0
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in c or (i > last and not last_again) or save_all:
            s.append(("save", i))
    have = set(c) | (set(range(last + 1, n + 1)) if not last_again else set())
    if save_all:
        have = set(range(1, n + 1))
    for i in range(n, 0, -1):
        if i not in have:
            below = 0 if from_input else max([0, *(k for k in c if k < i)])
            top = i
            for j in range(below + 1, top + 1):
                s.append(("forward", j))
                if j not in have:
                    s.append(("save", j))
                    have.add(j)
        s.append(("backward", i))
        if free or i not in c:
            s.append(("free", i))
    return s


@wrong("checkpointed_schedule", "the checkpoints are never freed")
def checkpoints_not_freed(n, checkpoints):
    return checkpointed(n, checkpoints, free=False)


@wrong("checkpointed_schedule", "everything is saved")
def saves_everything(n, checkpoints):
    return checkpointed(n, checkpoints, save_all=True)


@wrong("checkpointed_schedule", "the last segment is evaluated twice")
def last_segment_again(n, checkpoints):
    return checkpointed(n, checkpoints, last_again=True)


@wrong("checkpointed_schedule", "checkpoints are not validated")
def no_validation(n, checkpoints):
    c = sorted({i for i in checkpoints if 1 <= i <= n})
    return checkpointed(n, c)


@wrong("checkpointed_schedule", "segments are recomputed from the input, through the segments below")
def from_the_input(n, checkpoints):
    c = validate(n, checkpoints)
    s, last = [], (c[-1] if c else 0)
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in c or i > last:
            s.append(("save", i))
    have = set(c) | set(range(last + 1, n + 1))
    for i in range(n, 0, -1):
        if i not in have:
            low = max([0, *(k for k in c if k < i)])
            for j in range(1, i + 1):
                s.append(("forward", j))
                if j > low:
                    s.append(("save", j))
                    have.add(j)
        s += [("backward", i), ("free", i)]
    return s


@wrong(
    "checkpointed_schedule", "within a segment every activation is evaluated anew from the checkpoint: more than twice"
)
def poor_within_segments(n, checkpoints):
    c = validate(n, checkpoints)
    s, last = [], (c[-1] if c else 0)
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in c or i > last:
            s.append(("save", i))
    for i in range(n, 0, -1):
        if i in c or i > last:
            s += [("backward", i), ("free", i)]
        else:
            s += [("forward", j) for j in range(max([0, *(k for k in c if k < i)]) + 1, i + 1)]
            s.append(("backward", i))
    return s


@wrong("checkpointed_schedule", "the checkpoint itself is freed before its segment is recomputed from it")
def freed_too_early(n, checkpoints):
    c = validate(n, checkpoints)
    s = checkpointed(n, c)
    for k in c:
        if ("forward", k + 1) in s[s.index(("forward", n)) :]:
            s.remove(("free", k))
            where = len(s) - 1 - s[::-1].index(("forward", k + 1))
            s.insert(where, ("free", k))
    return s


@wrong("checkpointed_schedule", "an empty list of checkpoints is refused")
def empty_refused(n, checkpoints):
    if not checkpoints or checkpoints[0] < 1 or checkpoints[-1] > n:
        raise ValueError("no checkpoints")
    return checkpointed(n, checkpoints)


@wrong("checkpointed_schedule", "repeated checkpoints pass")
def repeats_pass(n, checkpoints):
    if list(checkpoints) != sorted(checkpoints) or any(c < 1 or c > n for c in checkpoints):
        raise ValueError("must increase")
    return checkpointed(n, sorted(set(checkpoints)))


@wrong("checkpointed_schedule", "a checkpoint at n is refused")
def n_refused(n, checkpoints):
    if any(not 1 <= c < n for c in checkpoints):
        raise ValueError("outside")
    return checkpointed(n, checkpoints)


@wrong("checkpointed_schedule", "the recomputed activations stay until the whole backward pass is over")
def freed_at_the_end(n, checkpoints):
    s = checkpointed(n, checkpoints)
    return [a for a in s if a[0] != "free"] + [a for a in s if a[0] == "free"]


# q4


@wrong("choose_checkpoints", "all layers are checkpoints")
def all_layers(n):
    return list(range(1, n + 1))


@wrong("choose_checkpoints", "no checkpoint at all")
def none_at_all(n):
    return []


@wrong("choose_checkpoints", "one checkpoint, in the middle")
def middle(n):
    return [n // 2] if n > 1 else []


@wrong("choose_checkpoints", "counted from 0")
def multiples_from_zero(n):
    d = max(1, math.isqrt(n))
    return list(range(0, n, d))


@wrong("choose_checkpoints", "log2 n of them, at powers of two")
def powers_of_two(n):
    return [2**k for k in range(n.bit_length()) if 2**k <= n]


@wrong("choose_checkpoints", "sqrt(n) checkpoints, but all at the beginning")
def at_the_beginning(n):
    return list(range(1, math.isqrt(n) + 1))


@wrong("choose_checkpoints", "distance log n in place of sqrt(n)")
def logarithmic_distance(n):
    d = max(1, round(math.log2(n))) if n > 1 else 1
    return list(range(d, n + 1, d))


@wrong("choose_checkpoints", "every other layer")
def every_other(n):
    return list(range(2, n + 1, 2))


@wrong("choose_checkpoints", "floats, not whole numbers")
def floats(n):
    return [float(k) for k in np.arange(1, n + 1) if k % math.ceil(math.sqrt(n)) == 0]


@wrong("choose_checkpoints", "the squares 1, 4, 9: the last run is about 2 sqrt(n) long beside sqrt(n) checkpoints")
def squares(n):
    return [k * k for k in range(1, math.isqrt(n) + 1)]


# q5


def binomial_above(low, high, m, split):
    """A recursive schedule, with the place of the first checkpoint as a parameter."""
    if low == high:
        return []
    if m == 1:
        return [
            step
            for top in range(high, low, -1)
            for step in [*(("forward", i) for i in range(low + 1, top + 1)), ("backward", top)]
        ]
    length = high - low
    j = low + min(max(1, split(length, m)), length)
    return [
        *(("forward", i) for i in range(low + 1, j + 1)),
        ("save", j),
        *binomial_above(j, high, m - 1, split),
        ("backward", j),
        ("free", j),
        *binomial_above(low, j - 1, m, split),
    ]


def checked(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("n and memory must be at least 1")


@functools.cache
def least(length, m):
    if length == 0:
        return 0
    r = 0
    while math.comb(m + r, r) < length + 1:
        r += 1
    return r * (length + 1) - math.comb(m + r, r - 1)


def best_split(length, m):
    return min(range(1, length + 1), key=lambda j: j + least(length - j, m - 1) + least(j - 1, m))


@wrong("optimal_schedule", "the chain is halved: not the best place for the first checkpoint")
def halves(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory, lambda length, m: (length + 1) // 2)


@wrong("optimal_schedule", "checkpoints at equal distances, one level only")
def uniform(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory, lambda length, m: math.ceil(length / m))


@wrong("optimal_schedule", "one place too few is used: more evaluations than necessary")
def one_place_unused(n, memory):
    checked(n, memory)
    return binomial_above(0, n, max(1, memory - 1), best_split)


@wrong("optimal_schedule", "one place too many is used: the peak is memory + 1")
def one_place_too_many(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory + 1, best_split)


@wrong("optimal_schedule", "no ValueError for n or memory below 1")
def no_value_error(n, memory):
    if n < 1 or memory < 1:
        return []
    return binomial_above(0, n, memory, best_split)


@wrong("optimal_schedule", "the vanilla schedule whatever the memory")
def vanilla_whatever(n, memory):
    checked(n, memory)
    return [(a, i) for i in range(1, n + 1) for a in ("forward", "save")] + [
        (a, i) for i in range(n, 0, -1) for a in ("backward", "free")
    ]


@wrong("optimal_schedule", "the memory-poor schedule whatever the memory")
def poor_whatever(n, memory):
    checked(n, memory)
    s = []
    for k in range(n, 0, -1):
        s += [("forward", i) for i in range(1, k + 1)]
        s.append(("backward", k))
    return s


@wrong("optimal_schedule", "the place of a freed checkpoint is not used again below it")
def place_lost(n, memory):
    checked(n, memory)

    def go(low, high, m):
        if low == high:
            return []
        if m == 1:
            return [
                a for top in range(high, low, -1)
                for a in [*(("forward", i) for i in range(low + 1, top + 1)), ("backward", top)]
            ]  # fmt: skip
        j = low + best_split(high - low, m)
        s = [("forward", i) for i in range(low + 1, j + 1)]
        s.append(("save", j))
        s.extend(go(j, high, m - 1))
        s.extend([("backward", j), ("free", j)])
        s.extend(go(low, j - 1, m - 1))
        return s

    return go(0, n, memory)


@wrong("optimal_schedule", "checkpoints are not freed after their backward step")
def never_frees_checkpoints(n, memory):
    checked(n, memory)
    return [a for a in binomial_above(0, n, memory, best_split) if a[0] != "free"]


@wrong("optimal_schedule", "the first memory - 1 activations are kept, the rest is recomputed from the last of them")
def keeps_the_first_ones(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory, lambda length, m: 1)


@wrong("optimal_schedule", "a recursion as deep as the chain: RecursionError for long ones")
def deep_recursion(n, memory):
    checked(n, memory)

    def down(i):
        if i == 0:
            return []
        return [*down(i - 1), ("forward", i)]

    down(n)
    return binomial_above(0, n, memory, best_split)


@wrong("optimal_schedule", "the square-root rule in place of the optimum")
def square_root_rule(n, memory):
    checked(n, memory)
    d = max(1, math.isqrt(n))
    c = list(range(d, n + 1, d))[: max(0, memory - d)]
    return checkpointed(n, c)


# q6


def layer_gradients(W, below, above, b):
    d = b * (1 - above**2)
    return below.T @ d, d.sum(axis=0), d @ W.T


def executed(schedule, params, x, y, *, factor=2.0, sum_c=True, free=True, mean=True, minus=False, derivative=None):
    """A right execution of a schedule, with places to go wrong."""
    n = len(params)
    saved: dict[int, Any] = {}
    gradients: list[Any] = [None] * n
    working: Any = None
    d: Any = None
    loss: Any = None
    for action, i in schedule:
        if action == "forward":
            below = x if i == 1 else saved.get(i - 1, working)
            working = adkit.mlp_layer(params[i - 1], below)
        elif action == "save":
            saved[i] = working
        elif action == "free":
            if free:
                del saved[i]
        else:
            a = saved.get(i, working)
            if i == n:
                e = y - a if minus else a - y
                loss = jnp.mean(e**2) if mean else jnp.sum(e**2)
                b = factor * e / (a.size if mean else 1)
            else:
                W = params[i][0]
                gradients[i] = (a.T @ d, d.sum(axis=0) if sum_c else d.mean(axis=0))
                b = d @ W.T
            d = b * (1 - a**2) if derivative is None else b * derivative(a)
    gradients[0] = (x.T @ d, d.sum(axis=0) if sum_c else d.mean(axis=0))
    return loss, gradients


@wrong("run_schedule", "the loss is the sum of squares, not their mean")
def sum_for_mean(schedule, params, x, y):
    return executed(schedule, params, x, y, mean=False)


@wrong("run_schedule", "the factor 2 of the loss's derivative is missing")
def two_forgotten(schedule, params, x, y):
    return executed(schedule, params, x, y, factor=1.0)


@wrong("run_schedule", "the biases' gradients are means over the batch, not sums")
def mean_for_biases(schedule, params, x, y):
    return executed(schedule, params, x, y, sum_c=False)


@wrong("run_schedule", "the error is y - a_n: all gradients have the wrong sign")
def wrong_sign(schedule, params, x, y):
    return executed(schedule, params, x, y, minus=True)


@wrong("run_schedule", "tanh' is taken to be 1 - a in place of 1 - a^2")
def one_minus_a(schedule, params, x, y):
    return executed(schedule, params, x, y, derivative=lambda a: 1 - a)


@wrong("run_schedule", "tanh' is left out")
def no_activation_derivative(schedule, params, x, y):
    return executed(schedule, params, x, y, derivative=jnp.ones_like)


@wrong("run_schedule", "tanh' is 1 - tanh(a)^2: tanh is applied a second time")
def tanh_twice(schedule, params, x, y):
    return executed(schedule, params, x, y, derivative=lambda a: 1 - jnp.tanh(a) ** 2)


@wrong("run_schedule", "the schedule is ignored: plain backpropagation by JAX")
def ignored(schedule, params, x, y):
    return jax.value_and_grad(adkit.mlp_loss)(params, x, y)


@wrong("run_schedule", "all activations are evaluated first and kept, whatever the schedule says")
def keeps_all(schedule, params, x, y):
    activations = [x]
    for pair in params:
        activations.append(adkit.mlp_layer(pair, activations[-1]))
    loss = jnp.mean((activations[-1] - y) ** 2)
    d = 2 * (activations[-1] - y) / y.size * (1 - activations[-1] ** 2)
    gradients = []
    for i in range(len(params), 0, -1):
        gradients.insert(0, (activations[i - 1].T @ d, d.sum(axis=0)))
        d = (d @ params[i - 1][0].T) * (1 - activations[i - 1] ** 2)
    return loss, gradients


@wrong("run_schedule", "the gradients come in the order of the backward pass")
def gradients_reversed(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    return loss, gradients[::-1]


@wrong("run_schedule", "the first layer's gradients are zero: the loop ends at b_1")
def first_layer_zero(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    W, c = params[0]
    return loss, [(jnp.zeros_like(W), jnp.zeros_like(c)), *gradients[1:]]


@wrong("run_schedule", "the gradients, without the loss")
def no_loss(schedule, params, x, y):
    return executed(schedule, params, x, y)[1]


@wrong("run_schedule", "the loss is divided by the batch alone, not by all entries")
def mean_over_batch(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    k = y.shape[1]
    return loss * k, [(k * W, k * c) for W, c in gradients]


# q7


def segment_loss(params, x, y, bounds, wrap=jax.checkpoint):
    def run(part, a):
        for pair in part:
            a = adkit.mlp_layer(pair, a)
        return a

    for low, high in bounds:
        x = wrap(run)(params[low:high], x)
    return jnp.mean((x - y) ** 2)


@wrong("checkpointed_loss", "no checkpoint at all: everything is kept")
def plain_loss(params, x, y, checkpoints):
    return segment_loss(params, x, y, segments(len(params), list(checkpoints)), wrap=lambda f: f)


@wrong("checkpointed_loss", "the whole network in one jax.checkpoint")
def whole_network(params, x, y, checkpoints):
    return segment_loss(params, x, y, [(0, len(params))])


@wrong("checkpointed_loss", "each single layer in a jax.checkpoint: every activation is kept")
def each_layer(params, x, y, checkpoints):
    return segment_loss(params, x, y, [(i, i + 1) for i in range(len(params))])


@wrong("checkpointed_loss", "the last segment is not wrapped")
def last_segment_plain(params, x, y, checkpoints):
    a = x
    bounds = segments(len(params), list(checkpoints))
    for low, high in bounds[:-1]:
        a = jax.checkpoint(lambda part, a: functools.reduce(lambda a, p: adkit.mlp_layer(p, a), part, a))(
            params[low:high], a
        )
    for pair in params[bounds[-1][0] :]:
        a = adkit.mlp_layer(pair, a)
    return jnp.mean((a - y) ** 2)


@wrong("checkpointed_loss", "the segments begin one layer too early: off by one")
def off_by_one(params, x, y, checkpoints):
    c = [k - 1 for k in checkpoints if k > 1]
    return segment_loss(params, x, y, segments(len(params), c))


@wrong("checkpointed_loss", "the whole network with a policy that saves the named checkpoints")
def policy(params, x, y, checkpoints):
    from jax.ad_checkpoint import checkpoint_name

    @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names("kept"))
    def network(params, x):
        for i, pair in enumerate(params, start=1):
            x = adkit.mlp_layer(pair, x)
            if i in checkpoints:
                x = checkpoint_name(x, "kept")
        return x

    return jnp.mean((network(params, x) - y) ** 2)


@wrong("checkpointed_loss", "the sum of squares, not the mean")
def sum_of_squares(params, x, y, checkpoints):
    return segment_loss(params, x, y, segments(len(params), list(checkpoints))) * y.size


@wrong("checkpointed_loss", "half the mean of the squares")
def half_the_mean(params, x, y, checkpoints):
    return 0.5 * segment_loss(params, x, y, segments(len(params), list(checkpoints)))


@wrong("checkpointed_loss", "the layers after the last checkpoint are forgotten")
def end_forgotten(params, x, y, checkpoints):
    c = list(checkpoints) or [len(params)]
    a = x
    for low, high in zip([0, *c], c, strict=False):
        for pair in params[low:high]:
            a = jax.checkpoint(adkit.mlp_layer)(pair, a)
    return jnp.mean((a - y) ** 2) if a.shape == y.shape else jnp.mean(a**2)


@wrong(
    "checkpointed_loss",
    "no gradient passes from one segment to the one below: stop_gradient between them, and nothing is checkpointed",
)
def stopped(params, x, y, checkpoints):
    a = x
    for low, high in segments(len(params), list(checkpoints)):
        a = jax.lax.stop_gradient(a)
        for pair in params[low:high]:
            a = adkit.mlp_layer(pair, a)
    return jnp.mean((a - y) ** 2)


@wrong("checkpointed_loss", "the last layer is linear")
def linear_at_the_end(params, x, y, checkpoints):
    W, c = params[-1]
    bounds = segments(len(params), list(checkpoints))
    a = x
    for low, high in bounds:
        part = params[low : min(high, len(params) - 1)]
        a = jax.checkpoint(lambda part, a: functools.reduce(lambda a, p: jnp.tanh(a @ p[0] + p[1]), part, a))(part, a)
    return jnp.mean((a @ W + c - y) ** 2)


@wrong("checkpointed_loss", "a scan over the layers of a segment keeps stacked copies where widths are equal")
def scanned(params, x, y, checkpoints):
    a = x
    for low, high in segments(len(params), list(checkpoints)):
        part = params[low:high]
        if len({W.shape for W, _ in part}) == 1 and part[0][0].shape[0] == part[0][0].shape[1]:
            stacked = jax.tree.map(lambda *p: jnp.stack(p), *part)
            a = jax.checkpoint(lambda p, a: jax.lax.scan(lambda a, q: (adkit.mlp_layer(q, a), None), a, p)[0])(
                stacked, a
            )
        else:
            a = jax.checkpoint(lambda p, a: functools.reduce(lambda a, q: adkit.mlp_layer(q, a), p, a))(part, a)
    return jnp.mean((a - y) ** 2)


# q8


@wrong("optimal_schedule_for", "the vanilla schedule, whatever the memory")
def vanilla_for(sizes, costs, memory):
    n = len(sizes)
    if max(sizes) > memory:
        raise ValueError("impossible")
    return [(a, i) for i in range(1, n + 1) for a in ("forward", "save")] + [
        (a, i) for i in range(n, 0, -1) for a in ("backward", "free")
    ]


@wrong("optimal_schedule_for", "the memory-poor schedule, the cheapest in memory and the dearest in cost")
def poor_for(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return poor_whatever(len(sizes), 1)


@wrong("optimal_schedule_for", "sizes and costs are ignored: the optimum for units, with memory // max(sizes) places")
def units(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return binomial_above(0, len(sizes), memory // max(sizes), best_split)


def weighted(sizes, costs, memory, *, cost_of=None, fits=None):
    """A dynamic program over persistent schedules, with places to go wrong."""
    n = len(sizes)
    cost_of = cost_of or (lambda i: costs[i - 1])
    size = lambda i: sizes[i - 1]  # noqa: E731
    fits = fits or (lambda low, j, room: all(size(i) <= room for i in range(low + 1, j + 1)))

    @functools.cache
    def best(low, high, room) -> Any:
        if low == high:
            return 0, 0
        answers = []
        for j in range(low + 1, high + 1):
            if not fits(low, j, room):
                break
            above = best(j, high, room - size(j))
            below = best(low, j - 1, room)
            if above and below:
                answers.append((sum(cost_of(i) for i in range(low + 1, j + 1)) + above[0] + below[0], j))
        return min(answers) if answers else None

    def build(low, high, room):
        if low == high:
            return []
        j = best(low, high, room)[1]
        return [
            *(("forward", i) for i in range(low + 1, j + 1)),
            ("save", j),
            *build(j, high, room - size(j)),
            ("backward", j),
            ("free", j),
            *build(low, j - 1, room),
        ]

    if not best(0, n, memory):
        raise ValueError("impossible")
    return build(0, n, memory)


@wrong("optimal_schedule_for", "evaluations are counted, not their costs")
def counts_evaluations(sizes, costs, memory):
    return weighted(sizes, costs, memory, cost_of=lambda i: 1)


@wrong("optimal_schedule_for", "an empty schedule where it is impossible, and no ValueError")
def nothing_for_impossible(sizes, costs, memory):
    try:
        return weighted(sizes, costs, memory)
    except ValueError:
        return []


@wrong("optimal_schedule_for", "one unit of memory stays unused")
def one_unit_unused(sizes, costs, memory):
    return weighted(sizes, costs, memory - 1)


@wrong("optimal_schedule_for", "one unit of memory too many is used")
def one_unit_too_many(sizes, costs, memory):
    return weighted(sizes, costs, memory + 1)


# q9


@wrong("nested_checkpointed_loss", "no checkpoints at all")
def not_nested(params, x, y):
    return adkit.mlp_loss(params, x, y)


@wrong("nested_checkpointed_loss", "one level of checkpoints, at distance sqrt(n)")
def square_root_levels(params, x, y):
    n = len(params)
    d = max(1, math.isqrt(n))
    return segment_loss(params, x, y, [(i, min(i + d, n)) for i in range(0, n, d)])


@wrong("nested_checkpointed_loss", "the whole network in one jax.checkpoint")
def one_checkpoint(params, x, y):
    return segment_loss(params, x, y, [(0, len(params))])


@wrong("nested_checkpointed_loss", "each layer within a checkpoint of all layers below it: the products grow like n^2")
def nested_in_a_row(params, x, y):
    def up_to(k, params, x):
        if k == 0:
            return x
        return adkit.mlp_layer(params[k - 1], jax.checkpoint(functools.partial(up_to, k - 1))(params, x))

    return jnp.mean((up_to(len(params), params, x) - y) ** 2)


@wrong("nested_checkpointed_loss", "only lengths that are powers of two: the rest of the layers is dropped")
def powers_only(params, x, y):
    def go(part, a):
        if len(part) == 1:
            return adkit.mlp_layer(part[0], a)
        half = len(part) // 2
        a = jax.checkpoint(go)(part[:half], a)
        return jax.checkpoint(go)(part[half : 2 * half], a)

    return jnp.mean((go(params, x) - y) ** 2)


@wrong("nested_checkpointed_loss", "bisection without any jax.checkpoint")
def bisection_alone(params, x, y):
    def go(low, high, a):
        if high - low == 1:
            return adkit.mlp_layer(params[low], a)
        middle = (low + high) // 2
        return go(middle, high, go(low, middle, a))

    return jnp.mean((go(0, len(params), x) - y) ** 2)
