"""Wrong solutions of `checkpointing`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools

import adkit
import jax
import jax.numpy as jnp

from wrong_solutions import Collection
from wrong_solutions.checkpointing import best_split, binomial_above, checked, checkpointed, executed, segment_loss

WRONG = Collection()
wrong = WRONG.wrong


@wrong("vanilla_schedule", "all activations are evaluated before the first is saved")
def saved_too_late(n):
    return (
        [("forward", i) for i in range(1, n + 1)]
        + [("save", i) for i in range(1, n + 1)]
        + [(a, i) for i in range(n, 0, -1) for a in ("backward", "free")]
    )


@wrong("vanilla_schedule", "a_1 is never freed: the last loop ends too early")
def one_left(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    for i in range(n, 0, -1):
        s.append(("backward", i))
        if i > 1:
            s.append(("free", i))
    return s


@wrong("memory_poor_schedule", "everything is saved once and evaluated in one sweep, a tuple")
def all_kept(n):
    up = tuple(step for i in range(1, n + 1) for step in (("forward", i), ("save", i)))
    return up + tuple(step for i in range(n, 0, -1) for step in (("backward", i), ("free", i)))


@wrong("memory_poor_schedule", "one sweep too many at the beginning")
def warm_up(n):
    s = [("forward", k) for k in range(1, n + 1)]
    for i in range(n, 0, -1):
        s.extend([("forward", k) for k in range(1, i + 1)])
        s.append(("backward", i))
    return s


@wrong(
    "checkpointed_schedule",
    "all is kept until the last segment's turn is over: everything saved at first, extra freed late",
)
def keeps_all(n, checkpoints):
    checkpointed(n, checkpoints)
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [("backward", i) for i in range(n, 0, -1)] + [("free", i) for i in range(1, n + 1)]


@wrong("checkpointed_schedule", "the last run is thrown away and evaluated again like the others")
def last_run_again(n, checkpoints):
    c = sorted(checkpoints)
    checkpointed(n, checkpoints)
    s = [step for i in range(1, n + 1) for step in ([("forward", i), ("save", i)] if i in c else [("forward", i)])]
    bounds = [0, *c, n + 1]
    for low, high in reversed(list(itertools.pairwise(bounds))):
        for i in range(low + 1, high):
            s += [("forward", i), ("save", i)]
        for i in range(high - 1, low, -1):
            s += [("backward", i), ("free", i)]
        if low:
            s += [("backward", low), ("free", low)]
    return s


@wrong("checkpointed_schedule", "indices beyond n are ignored, not refused")
def beyond_ignored(n, checkpoints):
    c = [k for k in checkpoints if k <= n]
    if any(b <= a for a, b in itertools.pairwise([0, *c])):
        raise ValueError("not increasing")
    return checkpointed(n, c)


@wrong("choose_checkpoints", "one in the middle of n, rounded down, in a tuple")
def the_middle(n):
    return ((n + 1) // 2,)


@wrong("choose_checkpoints", "a checkpoint every ten layers")
def every_ten(n):
    return [i for i in range(1, n + 1) if i % 10 == 0]


@wrong("optimal_schedule", "halving, rounded down")
def bisected(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory, lambda length, m: max(1, length // 2))


@wrong("optimal_schedule", "two places are left unused")
def two_unused(n, memory):
    checked(n, memory)
    return binomial_above(0, n, max(1, memory - 2), best_split)


@wrong("optimal_schedule", "a ValueError for the memory alone")
def layers_not_checked(n, memory):
    if memory < 1:
        raise ValueError(memory)
    return binomial_above(0, max(n, 0), memory, best_split)


@wrong(
    "run_schedule", "W in place of W^T where the shapes allow it, padded where they do not: gradients of square layers"
)
def weights_not_transposed(schedule, params, x, y):
    transposed = [(W.T if W.shape[0] == W.shape[1] else W, c) for W, c in params]
    loss, _ = executed(schedule, params, x, y)
    saved, working, d, gradients = {}, None, None, [None] * len(params)
    for action, i in schedule:
        if action == "forward":
            working = adkit.mlp_layer(params[i - 1], x if i == 1 else saved.get(i - 1, working))
        elif action == "save":
            saved[i] = working
        elif action == "free":
            del saved[i]
        else:
            a = saved.get(i, working)
            if i == len(params):
                b = 2 * (a - y) / a.size
            else:
                gradients[i] = (a.T @ d, d.sum(axis=0))
                b = d @ transposed[i][0].T
            d = b * (1 - a**2)
    gradients[0] = (x.T @ d, d.sum(axis=0))
    return loss, gradients


@wrong("run_schedule", "the factor 2 and the mean are forgotten in the gradient: a_n - y")
def bare_difference(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    return loss, [(W * y.size / 2, c * y.size / 2) for W, c in gradients]


@wrong("checkpointed_loss", "the checkpoint after which each segment begins is one too high")
def one_too_late(params, x, y, checkpoints):
    n = len(params)
    c = [k + 1 for k in checkpoints if k + 1 < n]
    return segment_loss(params, x, y, list(itertools.pairwise([0, *c, n])))


@wrong("checkpointed_loss", "one segment for everything but the last layer")
def last_layer_apart(params, x, y, checkpoints):
    n = len(params)
    return segment_loss(params, x, y, [(0, n - 1), (n - 1, n)] if n > 1 else [(0, n)])


@wrong("checkpointed_loss", "segments within segments: a checkpoint around all segments together")
def wrapped_twice(params, x, y, checkpoints):
    n = len(params)
    bounds = list(itertools.pairwise([0, *(k for k in checkpoints if k < n), n]))

    @jax.checkpoint
    def network(params, a):
        for low, high in bounds:
            a = jax.checkpoint(lambda p, a: functools.reduce(lambda a, q: adkit.mlp_layer(q, a), p, a))(
                params[low:high], a
            )
        return a

    return jnp.mean((network(params, x) - y) ** 2)


@wrong("optimal_schedule_for", "costs[i] is taken for layer i: off by one")
def shifted_costs(sizes, costs, memory):
    from wrong_solutions.checkpointing import weighted

    shifted = [*costs[1:], costs[0]]
    return weighted(sizes, costs, memory, cost_of=lambda i: shifted[i - 1])


@wrong("nested_checkpointed_loss", "thirds on one level only")
def thirds(params, x, y):
    n = len(params)
    cuts = sorted({0, n // 3, 2 * n // 3, n})
    return segment_loss(params, x, y, list(itertools.pairwise(cuts)))
