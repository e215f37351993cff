"""Wrong solutions of `checkpointing`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import itertools

import adkit
import jax
import jax.numpy as jnp

from wrong_solutions import Collection
from wrong_solutions.checkpointing import (
    best_split,
    binomial_above,
    checked,
    checkpointed,
    executed,
    segment_loss,
    segments,
)

WRONG = Collection()
wrong = WRONG.wrong


@wrong("vanilla_schedule", "everything is saved, the backward pass recomputes each activation before its step")
def once_more_for_each(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    for i in range(n, 0, -1):
        s += [("forward", i), ("backward", i), ("free", i)]
    return s


@wrong("memory_poor_schedule", "every second activation is saved")
def every_second_saved(n):
    s = []
    for i in range(1, n + 1):
        s += [("forward", i), ("save", i)] if i % 2 == 0 else [("forward", i)]
    for i in range(n, 0, -1):
        if i % 2 == 0:
            s += [("backward", i), ("free", i)]
        else:
            s += [("forward", i), ("backward", i)] if i < n else [("backward", i)]
    return s


@wrong("checkpointed_schedule", "a checkpoint is freed when its segment above has been evaluated again")
def freed_when_left(n, checkpoints):
    s, late = [], set(checkpoints)
    for action, i in checkpointed(n, checkpoints):
        if action == "backward" and i in late:
            s += [("free", i), (action, i)]
        elif action != "free" or i not in late:
            s.append((action, i))
    return s


@wrong("checkpointed_schedule", "0 is a checkpoint like any other")
def zero_allowed(n, checkpoints):
    return checkpointed(n, [c for c in checkpoints if c != 0])


@wrong("checkpointed_schedule", "each activation of a segment is evaluated from the checkpoint below it, none is kept")
def short_of_memory(n, checkpoints):
    checkpointed(n, checkpoints)
    kept = sorted(checkpoints)
    s = [step for i in range(1, n + 1) for step in ([("forward", i), ("save", i)] if i in kept else [("forward", i)])]
    for i in range(n, 0, -1):
        if i in kept:
            s += [("backward", i), ("free", i)]
            continue
        if i < n:
            s += [("forward", k) for k in range(max([0, *(c for c in kept if c < i)]) + 1, i + 1)]
        s.append(("backward", i))
    return s


@wrong("choose_checkpoints", "every fifth layer, whatever n")
def every_fifth(n):
    return list(range(5, n + 1, 5))


@wrong("optimal_schedule", "evenly spread, memory-poor between them")
def evenly_and_poor(n, memory):
    checked(n, memory)
    kept = sorted({round(k * n / memory) for k in range(1, memory)} & set(range(1, n)))
    s = [step for i in range(1, n + 1) for step in ([("forward", i), ("save", i)] if i in kept else [("forward", i)])]
    for i in range(n, 0, -1):
        if i in kept:
            s += [("backward", i), ("free", i)]
            continue
        if i < n:
            s += [("forward", k) for k in range(max([0, *(c for c in kept if c < i)]) + 1, i + 1)]
        s.append(("backward", i))
    return s


@wrong("optimal_schedule", "two activations more than allowed")
def two_too_many(n, memory):
    checked(n, memory)
    return binomial_above(0, n, memory + 2, best_split)


@wrong("optimal_schedule", "half of the memory is used")
def half_of_the_memory(n, memory):
    checked(n, memory)
    return binomial_above(0, n, max(1, memory // 2), best_split)


@wrong("run_schedule", "the mean over the examples only, in the loss as well")
def examples_alone(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    width = y.shape[1]
    return loss * width, [(W * width, c * width) for W, c in gradients]


@wrong("run_schedule", "the gradients of W come transposed")
def weights_on_their_side(schedule, params, x, y):
    loss, gradients = executed(schedule, params, x, y)
    return loss, [(W.T, c) for W, c in gradients]


@wrong("checkpointed_loss", "the first segment is plain")
def first_one_plain(params, x, y, checkpoints):
    a = x
    for number, (low, high) in enumerate(segments(len(params), list(checkpoints))):

        def run(part, a):
            for layer in part:
                a = adkit.mlp_layer(layer, a)
            return a

        a = run(params[low:high], a) if number == 0 else jax.checkpoint(run)(params[low:high], a)
    return jnp.mean((a - y) ** 2)


@wrong("checkpointed_loss", "segments of about sqrt(n) layers, whatever the checkpoints")
def own_segments(params, x, y, checkpoints):
    n = len(params)
    step = max(1, int(n**0.5))
    return segment_loss(params, x, y, list(itertools.pairwise([*range(0, n, step), n])))


@wrong("nested_checkpointed_loss", "two halves, each in a jax.checkpoint, and no further")
def two_halves(params, x, y):
    n = len(params)
    return segment_loss(params, x, y, [(0, n // 2), (n // 2, n)] if n > 1 else [(0, n)])
