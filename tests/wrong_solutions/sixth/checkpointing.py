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

from reference import checkpointing as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


# q1


@wrong("vanilla_schedule", "a single layer is forgotten: the schedule is empty for n = 1")
def nothing_for_one_layer(n):
    return reference.vanilla_schedule(n) if n > 1 else []


# q2


@wrong("memory_poor_schedule", "a_1 is saved and every sweep starts from there: fewer evaluations, two in memory")
def starts_at_the_first(n):
    actions = [("forward", 1), ("save", 1)]
    for i in range(n, 1, -1):
        actions += [("forward", j) for j in range(2, i + 1)]
        actions.append(("backward", i))
    return [*actions, ("backward", 1), ("free", 1)]


# q3


def segments(n, checkpoints):
    """(start, end) of each stretch between the input, the checkpoints and the output."""
    return list(itertools.pairwise(dict.fromkeys([0, *checkpoints, n])))


def checked(n, checkpoints):
    kept = [int(c) for c in checkpoints]
    if any(not 1 <= c <= n for c in kept) or any(a >= b for a, b in itertools.pairwise(kept)):
        raise ValueError("the checkpoints must increase strictly within 1..n")
    return kept


@wrong(
    "checkpointed_schedule", "within a segment every backward step goes up from the checkpoint again, saving nothing"
)
def memory_poor_segments(n, checkpoints):
    kept = checked(n, checkpoints)
    actions = []
    for i in range(1, (kept[-1] if kept else 0) + 1):
        actions.append(("forward", i))
        if i in kept:
            actions.append(("save", i))
    below = [0, *kept]
    for i in range(n, 0, -1):
        if i in kept:
            actions += [("backward", i), ("free", i)]
            continue
        start = max(c for c in below if c < i)
        actions += [("forward", j) for j in range(start + 1, i + 1)]
        actions.append(("backward", i))
    return actions


@wrong("checkpointed_schedule", "the last segment is evaluated twice: first to reach a_n, then again to save it")
def last_segment_twice(n, checkpoints):
    kept = checked(n, checkpoints)
    actions = []
    for i in range(1, n + 1):
        actions.append(("forward", i))
        if i in kept:
            actions.append(("save", i))
    for start, end in reversed(segments(n, kept)):
        inner = [i for i in range(start + 1, end + 1) if i not in kept]
        actions += [step for i in inner for step in (("forward", i), ("save", i))]
        actions += [step for i in range(end, start, -1) for step in (("backward", i), ("free", i))]
    return actions


# q4


@wrong("choose_checkpoints", "two square roots of n apart: half as many checkpoints, and runs twice as long")
def twice_as_far(n):
    return list(range(2 * math.isqrt(n), n + 1, 2 * math.isqrt(n)))


@wrong("choose_checkpoints", "begins with 0, the input, which is no checkpoint")
def with_the_input(n):
    step = math.ceil(math.sqrt(n))
    return list(range(0, n, step))


# q5


def from_table(first, n, memory):
    """The schedule whose first checkpoint in a stretch of L layers with m places is first(L, m)."""
    if n < 1 or memory < 1:
        raise ValueError("n and memory must be positive")
    actions = []

    def work(start, length, places):
        while length > 0:
            j = first(length, places) if places > 1 else length
            if j >= length:
                actions.extend(("forward", i) for i in range(start + 1, start + length + 1))
                actions.append(("backward", start + length))
                length -= 1
                continue
            actions.extend(("forward", i) for i in range(start + 1, start + j + 1))
            actions.append(("save", start + j))
            work(start + j, length - j, places - 1)
            actions.extend([("backward", start + j), ("free", start + j)])
            length = j - 1

    work(0, n, memory)
    return actions


@wrong(
    "optimal_schedule", "the first checkpoint is always in the middle: near the least number of evaluations, not at it"
)
def always_the_middle(n, memory):
    return from_table(lambda length, places: (length + 1) // 2, n, memory)


@wrong("optimal_schedule", "the working activation is not counted: the schedule is the best for memory + 1")
def one_place_more(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("n and memory must be positive")
    return reference.optimal_schedule(n, memory + 1)


# q6


def carry_out(schedule, params, x, y, loss_slope=None, slope=lambda a: 1 - a**2, bias=lambda d: d.sum(0)):
    n = len(params)
    saved, working, loss, d = {}, (0, x), None, None
    gradients = [None] * n
    for action, i in schedule:
        at_hand = {**saved, working[0]: working[1], 0: x}
        if action == "forward":
            working = (i, adkit.mlp_layer(params[i - 1], at_hand[i - 1]))
        elif action == "save":
            saved[i] = working[1]
        elif action == "free":
            del saved[i]
            if working[0] == i:
                working = (0, x)
        else:
            a = at_hand[i]
            if i == n:
                loss = jnp.mean((a - y) ** 2)
                b = loss_slope(a, y) if loss_slope else 2 * (a - y) / a.size
            else:
                gradients[i] = (a.T @ d, bias(d))
                b = d @ jnp.asarray(params[i][0]).T
            d = b * slope(a)
            if working[0] == i:
                working = (0, x)
    gradients[0] = (jnp.asarray(x).T @ d, bias(d))
    return loss, gradients


@wrong("run_schedule", "the loss's gradient is divided by the batch alone, not by all entries (right for one output)")
def divided_by_the_batch(schedule, params, x, y):
    return carry_out(schedule, params, x, y, loss_slope=lambda a, y: 2 * (a - y) / len(a))


@wrong("run_schedule", "tanh' is taken as (1 - a)^2")
def square_of_the_difference(schedule, params, x, y):
    return carry_out(schedule, params, x, y, slope=lambda a: (1 - a) ** 2)


@wrong("run_schedule", "c_bar is the mean over the batch, and not the sum")
def bias_by_the_mean(schedule, params, x, y):
    return carry_out(schedule, params, x, y, bias=lambda d: d.mean(0))


@wrong("run_schedule", "every backward step evaluates its activation from x, whatever the schedule has saved")
def always_from_the_input(schedule, params, x, y):
    n = len(params)
    order = [i for action, i in schedule if action == "backward"]
    gradients, d, loss = [None] * n, None, None
    for i in order:
        a = x
        for layer in params[:i]:
            a = adkit.mlp_layer(layer, a)
        if i == n:
            loss, b = jnp.mean((a - y) ** 2), 2 * (a - y) / a.size
        else:
            gradients[i] = (a.T @ d, d.sum(0))
            b = d @ jnp.asarray(params[i][0]).T
        d = b * (1 - a**2)
    gradients[0] = (jnp.asarray(x).T @ d, d.sum(0))
    return loss, gradients


# q7


def through(layers, a):
    for layer in layers:
        a = adkit.mlp_layer(layer, a)
    return a


@wrong("checkpointed_loss", "the last segment is not wrapped, so its activations are kept")
def last_segment_plain(params, x, y, checkpoints):
    a = x
    for start, end in segments(len(params), checkpoints):
        last = end == len(params)
        a = (through if last else jax.checkpoint(through))(params[start:end], a)
    return jnp.mean((a - y) ** 2)


@wrong("checkpointed_loss", "every segment begins one layer too early: a_(c-1) is kept for each checkpoint c")
def kept_one_too_early(params, x, y, checkpoints):
    a = x
    shifted = [c - 1 for c in checkpoints if c > 1]
    for start, end in segments(len(params), shifted):
        a = jax.checkpoint(through)(params[start:end], a)
    return jnp.mean((a - y) ** 2)


@wrong(
    "checkpointed_loss", "stop_gradient where a segment begins: the layers below the last checkpoint get no gradient"
)
def gradient_stopped(params, x, y, checkpoints):
    a = x
    for start, end in segments(len(params), checkpoints):
        a = jax.checkpoint(through)(params[start:end], jax.lax.stop_gradient(a))
    return jnp.mean((a - y) ** 2)


@wrong(
    "checkpointed_loss",
    "the chain up to each checkpoint is wrapped, one inside the next and all in one: no checkpoint is kept",
)
def wrapped_again_and_again(params, x, y, checkpoints):
    def chain(params, x, cuts):
        if not cuts:
            return through(params, x)
        inner = jax.checkpoint(functools.partial(chain, cuts=cuts[:-1]))(params[: cuts[-1]], x)
        return through(params[cuts[-1] :], inner)

    wrapped = jax.checkpoint(lambda params, x: chain(params, x, list(checkpoints)))
    return jnp.mean((wrapped(params, x) - y) ** 2)


# q8


@wrong("optimal_schedule_for", "all activations count as large as the largest: legal, dearer, and at times impossible")
def all_as_large_as_the_largest(sizes, costs, memory):
    return reference.optimal_schedule(len(sizes), memory // max(sizes))


@wrong("optimal_schedule_for", "the best schedule when every layer costs the same: the costs are not looked at")
def costs_ignored(sizes, costs, memory):
    return reference.optimal_schedule_for(sizes, [1] * len(sizes), memory)


# q9


@wrong("nested_checkpointed_loss", "two levels: segments of about the square root of n, each of them wrapped")
def segments_of_the_root(params, x, y):
    n = len(params)
    step = max(1, math.isqrt(n))
    a = x
    for start in range(0, n, step):
        a = jax.checkpoint(through)(params[start : start + step], a)
    return jnp.mean((a - y) ** 2)


@wrong("nested_checkpointed_loss", "the layers but the last are wrapped in a wrapper, and so on: products like n^2")
def one_layer_at_a_time(params, x, y):
    def chain(params, x):
        if not params:
            return x
        return adkit.mlp_layer(params[-1], jax.checkpoint(chain)(params[:-1], x))

    return jnp.mean((jax.checkpoint(chain)(params, x) - y) ** 2)


@wrong("nested_checkpointed_loss", "the halves have n // 2 layers both, so the last layer of an odd number is left out")
def halves_of_equal_length(params, x, y):
    def halved(params, a):
        if len(params) == 1:
            return adkit.mlp_layer(params[0], a)
        half = len(params) // 2
        a = jax.checkpoint(halved)(params[:half], a)
        return jax.checkpoint(halved)(params[half : 2 * half], a)

    return jnp.mean((halved(params, x) - y) ** 2)
