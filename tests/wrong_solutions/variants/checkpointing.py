"""Wrong solutions of `checkpointing`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools
import math

import adkit
import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name

from wrong_solutions import Collection
from wrong_solutions.checkpointing import (
    best_split,
    binomial_above,
    checked,
    checkpointed,
    executed,
    least,
    segment_loss,
    segments,
    validate,
    weighted,
)

WRONG = Collection()
wrong = WRONG.wrong


def ups(low, high):
    """The evaluations from a_low to a_high."""
    return [("forward", i) for i in range(low + 1, high + 1)]


def run_layers(layers, a):
    for layer in layers:
        a = adkit.mlp_layer(layer, a)
    return a


# q1


@wrong("vanilla_schedule", "the backward loop counts from n - 1 to 0")
def down_to_zero(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [(a, i) for i in reversed(range(n)) for a in ("backward", "free")]


@wrong("vanilla_schedule", "the backward loop begins with b_{n-1}")
def begins_below(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [(a, i) for i in reversed(range(1, n)) for a in ("backward", "free")]


@wrong("vanilla_schedule", "a_{i-1} is freed before the backward step of i - 1")
def frees_the_one_below(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    for i in range(n, 0, -1):
        s.append(("backward", i))
        if i > 1:
            s.append(("free", i - 1))
    return [*s, ("free", n)]


# q2


def all_but_the_last(n):
    s = [(a, i) for i in range(1, n) for a in ("forward", "save")]
    s += [("forward", n), ("backward", n)]
    return s + [(a, i) for i in range(n - 1, 0, -1) for a in ("backward", "free")]


wrong("memory_poor_schedule", "all activations but the last one, which is at hand, are saved", "poor_but_the_last")(
    all_but_the_last
)


@wrong("memory_poor_schedule", "a single sweep, whose last activation is saved")
def sweep_with_a_saved_top(n):
    return [*ups(0, n), ("save", n), ("backward", n), ("free", n), *(("backward", i) for i in range(n - 1, 0, -1))]


@wrong("memory_poor_schedule", "every sweep saves what it evaluates, and nothing is freed")
def sweeps_that_save(n):
    s = []
    for top in range(n, 0, -1):
        s += [(a, i) for i in range(1, top + 1) for a in ("forward", "save")]
        s.append(("backward", top))
    return s


# q3


@wrong("checkpointed_schedule", "everything but a_n is saved on the way up")
def keeps_all_below(n, checkpoints):
    validate(n, checkpoints)
    return all_but_the_last(n)


@wrong("checkpointed_schedule", "a checkpoint is freed when its segment begins, before it is used")
def freed_at_the_start(n, checkpoints):
    s, c = [], validate(n, checkpoints)
    for action, i in checkpointed(n, checkpoints):
        if action == "free" and i in c:
            continue
        if action == "backward" and i in c:
            s.append(("free", i))
        s.append((action, i))
    return s


@wrong("checkpointed_schedule", "only the order of the checkpoints is looked at")
def bounds_unchecked(n, checkpoints):
    if any(b <= a for a, b in itertools.pairwise(checkpoints)):
        raise ValueError("not increasing")
    return checkpointed(n, [c for c in checkpoints if 0 < c <= n])


@wrong("checkpointed_schedule", "each activation is evaluated from the checkpoint below, and no checkpoint is freed")
def poor_and_unfreed(n, checkpoints):
    c = validate(n, checkpoints)
    s = [step for i in range(1, n + 1) for step in ([("forward", i), ("save", i)] if i in c else [("forward", i)])]
    for i in range(n, 0, -1):
        if i not in c and i < n:
            s += ups(max([0, *(k for k in c if k < i)]), i)
        s.append(("backward", i))
    return s


# q4


@wrong("choose_checkpoints", "Fibonacci's numbers")
def fibonacci(n):
    c, a, b = [], 1, 2
    while a <= n:
        c.append(a)
        a, b = b, a + b
    return c


@wrong("choose_checkpoints", "the root's distance, in the first half of the chain")
def first_half_alone(n):
    d = max(1, math.isqrt(n))
    return list(range(d, n // 2 + 1, d))


@wrong("choose_checkpoints", "every third layer")
def every_third(n):
    return list(range(3, n + 1, 3))


@wrong("choose_checkpoints", "every twentieth layer, from the first on")
def twenty_apart(n):
    return list(range(1, n + 1, 20))


# q5


def with_segments(n, c):
    """As in q3, without a look at the checkpoints."""
    return checkpointed(n, [k for k in c if 1 <= k <= n])


@wrong("optimal_schedule", "the square-root rule with the root rounded down, and memory is not used")
def floor_of_the_root(n, memory):
    checked(n, memory)
    d = math.isqrt(n)
    return with_segments(n, range(d, n + 1, d))


@wrong("optimal_schedule", "segments of the same length, each kept whole, as short as they have to be")
def segments_kept_whole(n, memory):
    checked(n, memory)
    for count in range(memory):
        d = math.ceil((n + 1) / (count + 1))
        if len(range(d, n, d)) + d - 1 <= memory:
            return with_segments(n, range(d, n, d))
    return binomial_above(0, n, memory, best_split)


@wrong("optimal_schedule", "the last of the best places, and the place of a checkpoint is lost below it")
def last_best_and_lost(n, memory):
    checked(n, memory)
    s = []

    def go(low, high, m):
        if low == high:
            return
        if m == 1:
            for top in range(high, low, -1):
                s.extend([*ups(low, top), ("backward", top)])
            return
        length = high - low
        j = low + min(
            range(length, 0, -1), key=lambda k: k + least(length - k, m - 1) + (least(k - 1, m) if k > 1 else 0)
        )
        s.extend([*ups(low, j), ("save", j)])
        go(j, high, m - 1)
        s.extend([("backward", j), ("free", j)])
        go(low, j - 1, m - 1)

    go(0, n, min(memory, n))
    return s


@wrong("optimal_schedule", "everything but a_n is saved, whatever the memory is")
def saves_all_but_one(n, memory):
    checked(n, memory)
    return all_but_the_last(n)


@wrong("optimal_schedule", "half of the places hold the first activations, and the rest comes from there")
def half_of_the_first(n, memory):
    checked(n, memory)
    k = min(memory // 2, n - 1)
    s = [(a, i) for i in range(1, k + 1) for a in ("forward", "save")]
    for top in range(n, k, -1):
        s += [*ups(k, top), ("backward", top)]
    return s + [(a, i) for i in range(k, 0, -1) for a in ("backward", "free")]


# q6


def with_slopes(schedule, params, x, y, slope):
    """Carries out a schedule; slope(i, a) is the derivative of tanh at layer i."""
    n, saved, working, d, loss = len(params), {}, None, None, None
    gradients = [None] * n
    for action, i in schedule:
        if action == "forward":
            working = adkit.mlp_layer(params[i - 1], x if i == 1 else saved.get(i - 1, working))
        elif action == "save":
            saved[i] = working
        elif action == "free":
            del saved[i]
        else:
            a = saved.get(i, working)
            if i == n:
                loss, b = jnp.mean((a - y) ** 2), 2 * (a - y) / a.size
            else:
                gradients[i] = (a.T @ d, d.sum(axis=0))
                b = d @ params[i][0].T
            d = b * slope(i, a)
    gradients[0] = (x.T @ d, d.sum(axis=0))
    return loss, gradients


@wrong("run_schedule", "the derivative of the last layer's tanh is left out")
def last_slope_missing(schedule, params, x, y):
    return with_slopes(schedule, params, x, y, lambda i, a: 1.0 if i == len(params) else 1 - a**2)


@wrong("run_schedule", "the derivative of the hidden layers' tanh is left out")
def hidden_slopes_missing(schedule, params, x, y):
    return with_slopes(schedule, params, x, y, lambda i, a: 1 - a**2 if i == len(params) else 1.0)


@wrong("run_schedule", "in the hidden layers the derivative of tanh is taken at the activation")
def hidden_tanh_twice(schedule, params, x, y):
    return with_slopes(schedule, params, x, y, lambda i, a: 1 - (a if i == len(params) else jnp.tanh(a)) ** 2)


@wrong("run_schedule", "the gradients of W are turned, and their factor 2 is missing")
def turned_and_halved(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y, factor=1.0)
    return loss, [(W.T, c) for W, c in gradients]


@wrong("run_schedule", "the gradients begin with the last layer's, and the factor 2 is missing")
def reversed_and_halved(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y, factor=1.0)
    return loss, gradients[::-1]


@wrong("run_schedule", "the means over the batch are the gradients of c, which lack the factor 2 as well")
def halved_means(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    return loss, [(W, c / len(x)) for W, c in gradients]


@wrong("run_schedule", "the first layer's gradients are not there, and the others come from the last one on")
def without_the_first_from_the_end(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    return loss, gradients[:0:-1] if len(gradients) > 1 else gradients


@wrong("run_schedule", "each layer is evaluated once, by jax.vjp, and what it needs to go back is kept")
def pullbacks_kept(schedule, params, x, y):
    a, back, gradients, bar, loss = {0: x}, {}, {}, None, None
    for action, i in schedule:
        if action == "forward" and i not in a:
            a[i], back[i] = jax.vjp(adkit.mlp_layer, params[i - 1], a[i - 1])
        elif action == "backward":
            if i == len(params):
                loss, bar = jnp.mean((a[i] - y) ** 2), 2 * (a[i] - y) / y.size
            gradients[i], bar = back[i](bar)
    return loss, [gradients[i] for i in range(1, len(params) + 1)]


# q7


@wrong("checkpointed_loss", "the sum of squares, and the last segment is not wrapped")
def sum_and_plain_end(params, x, y, checkpoints):
    bounds = segments(len(params), list(checkpoints))
    for low, high in bounds[:-1]:
        x = jax.checkpoint(run_layers)(params[low:high], x)
    return jnp.sum((run_layers(params[bounds[-1][0] :], x) - y) ** 2)


@wrong("checkpointed_loss", "half of the mean, and the segments end a layer too late")
def half_and_late(params, x, y, checkpoints):
    n = len(params)
    c = sorted({min(k + 1, n) for k in checkpoints})
    return 0.5 * segment_loss(params, x, y, segments(n, c))


@wrong("checkpointed_loss", "within the jax.checkpoint of a segment each layer is in one of its own")
def layers_wrapped_again(params, x, y, checkpoints):
    @jax.checkpoint
    def segment(layers, a):
        for layer in layers:
            a = jax.checkpoint(adkit.mlp_layer)(layer, a)
        return a

    for low, high in segments(len(params), list(checkpoints)):
        x = segment(params[low:high], x)
    return jnp.mean((x - y) ** 2)


@wrong("checkpointed_loss", "each jax.checkpoint holds its segment and all that come after it")
def all_that_follows(params, x, y, checkpoints):
    bounds = segments(len(params), list(checkpoints))

    def rest(k, params, a):
        low, high = bounds[k]
        a = run_layers(params[low:high], a)
        return a if k + 1 == len(bounds) else jax.checkpoint(functools.partial(rest, k + 1))(params, a)

    return jnp.mean((jax.checkpoint(functools.partial(rest, 0))(params, x) - y) ** 2)


@wrong("checkpointed_loss", "a policy that saves every activation by its name")
def every_name_saved(params, x, y, checkpoints):
    @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names("a"))
    def segment(layers, a):
        for layer in layers:
            a = checkpoint_name(adkit.mlp_layer(layer, a), "a")
        return a

    for low, high in segments(len(params), list(checkpoints)):
        x = segment(params[low:high], x)
    return jnp.mean((x - y) ** 2)


# q8


@wrong("optimal_schedule_for", "as many activations as the mean size leaves room for, by q5")
def places_of_mean_size(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return binomial_above(0, len(sizes), max(1, memory * len(sizes) // sum(sizes)), best_split)


@wrong("optimal_schedule_for", "a_i is taken to be as large as sizes[i]")
def size_of_the_next(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return weighted([*sizes[1:], sizes[-1]], costs, memory)


@wrong("optimal_schedule_for", "sizes are taken for costs and costs for sizes")
def one_for_the_other(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return weighted(costs, sizes, max(memory, *costs))


@wrong("optimal_schedule_for", "on its way to a checkpoint the working activation may be as large as it is")
def way_not_counted(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    n = len(sizes)

    @functools.cache
    def best(low, high, room):
        if low == high:
            return 0, high
        options = [(sum(costs[low:high]) + best(low, high - 1, room)[0], high)]
        for j in range(high - 1, low, -1):
            if sizes[j - 1] <= room:
                cost = sum(costs[low:j]) + best(j, high, room - sizes[j - 1])[0] + best(low, j - 1, room)[0]
                options.append((cost, j))
        return min(options)

    def build(low, high, room):
        if low == high:
            return []
        j = best(low, high, room)[1]
        if j == high:
            return [*ups(low, j), ("backward", j), *build(low, j - 1, room)]
        above = build(j, high, room - sizes[j - 1])
        return [*ups(low, j), ("save", j), *above, ("backward", j), ("free", j), *build(low, j - 1, room)]

    return build(0, n, memory)


@wrong("optimal_schedule_for", "everything but a_n is saved, whatever the memory is")
def all_but_the_last_for(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    return all_but_the_last(len(sizes))


# q9


@wrong("nested_checkpointed_loss", "halves of halves, with a policy that saves everything")
def halves_that_save(params, x, y):
    def go(layers, a):
        if len(layers) == 1:
            return adkit.mlp_layer(layers[0], a)
        half = jax.checkpoint(go, policy=jax.checkpoint_policies.everything_saveable)
        middle = len(layers) // 2
        return half(layers[middle:], half(layers[:middle], a))

    return jnp.mean((go(params, x) - y) ** 2)


@wrong("nested_checkpointed_loss", "one layer, and all that follow it in a jax.checkpoint, again and again")
def one_layer_at_a_time(params, x, y):
    def rest(layers, a):
        a = adkit.mlp_layer(layers[0], a)
        return jax.checkpoint(rest)(layers[1:], a) if len(layers) > 1 else a

    return jnp.mean((rest(params, x) - y) ** 2)


@wrong("nested_checkpointed_loss", "four segments, side by side")
def four_segments(params, x, y):
    n = len(params)
    cuts = sorted({k * n // 4 for k in range(5)})
    return segment_loss(params, x, y, list(itertools.pairwise(cuts)))


@wrong("nested_checkpointed_loss", "the loss itself in one jax.checkpoint, and the sum of squares")
def sum_in_one(params, x, y):
    return jax.checkpoint(lambda params: jnp.sum((run_layers(params, x) - y) ** 2))(params)
