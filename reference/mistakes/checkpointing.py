"""Known mistakes of `checkpointing`: off by one, freed too early or never, from the input, everything kept, …"""

# Written as students write, without annotations:
# pyright: basic

from functools import cache
from itertools import pairwise
from math import isqrt

import jax
import jax.numpy as jnp

from reference.mistakes import mistake

# q1


@mistake(
    question="q1",
    says="You never free: a complete schedule leaves nothing in memory, so each saved a_i has to be freed.",
)
def vanilla_schedule__never_frees(n):
    up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
    return up + [("backward", i) for i in range(n, 0, -1)]


@mistake(
    question="q1", says="You do not save: the next forward step throws away a working activation that is not saved."
)
def vanilla_schedule__never_saves(n):
    return [("forward", i) for i in range(1, n + 1)] + [("backward", i) for i in range(n, 0, -1)]


@mistake(question="q1", says="Your loops are off by one: the layers are 1 … n (range(1, n + 1)), not 0 … n - 1.")
def vanilla_schedule__off_by_one(n):
    up = [action for i in range(n) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(n - 1, -1, -1) for action in (("backward", i), ("free", i))]


@mistake(question="q1", says="Your last layer is missing: range(1, n) ends at n - 1, but the chain ends at a_n.")
def vanilla_schedule__last_layer_missing(n):
    up = [action for i in range(1, n) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(n - 1, 0, -1) for action in (("backward", i), ("free", i))]


@mistake(question="q1", says="You free before you use: b_i needs a_i, so a_i is freed after the backward step i.")
def vanilla_schedule__frees_too_early(n):
    up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(n, 0, -1) for action in (("free", i), ("backward", i))]


@mistake(question="q1", says="Your backward steps run upwards: b_i needs b_{i+1}, so they run n, n - 1, …, 1.")
def vanilla_schedule__backward_upwards(n):
    up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(1, n + 1) for action in (("backward", i), ("free", i))]


@mistake(
    question="q1",
    says="You recompute: vanilla backpropagation keeps every activation and evaluates each one once.",
    openly=True,
)
def vanilla_schedule__recomputes(n):
    return memory_poor(n)


# q2


@mistake(
    question="q2",
    says="You save everything: memory-poor backpropagation has one activation in memory, the working one.",
    openly=True,
)
def memory_poor_schedule__saves_everything(n):
    up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(n, 0, -1) for action in (("backward", i), ("free", i))]


@mistake(
    question="q2",
    says=(
        "You go forward only once: after b_n has run nothing is in memory, so a_{n-1} has to be evaluated"
        " again from the input."
    ),
)
def memory_poor_schedule__forward_only_once(n):
    return [("forward", i) for i in range(1, n + 1)] + [("backward", i) for i in range(n, 0, -1)]


@mistake(
    question="q2",
    says=(
        "Your sweep is off by one: b_i needs a_i, so each sweep ends with the evaluation of a_i itself, not of a_{i-1}."
    ),
)
def memory_poor_schedule__sweep_one_short(n):
    return [action for i in range(n, 0, -1) for action in [*(("forward", k) for k in range(1, i)), ("backward", i)]]


@mistake(
    question="q2", says="You sweep once too often: the forward pass that reaches a_n is already the sweep for b_n."
)
def memory_poor_schedule__extra_sweep(n):
    return [("forward", k) for k in range(1, n + 1)] + memory_poor(n)


@mistake(
    question="q2",
    says="Every sweep of yours goes up to a_n: for b_i it may stop at a_i, and must, as a_i is gone otherwise.",
)
def memory_poor_schedule__sweeps_to_the_end(n):
    return [action for i in range(n, 0, -1) for action in [*(("forward", k) for k in range(1, n + 1)), ("backward", i)]]


@mistake(
    question="q2",
    says=(
        "You save the working activation at the end of each sweep and never free it; it is at hand without being saved."
    ),
)
def memory_poor_schedule__saves_and_never_frees(n):
    schedule = []
    for i in range(n, 0, -1):
        schedule += [("forward", k) for k in range(1, i + 1)] + [("save", i), ("backward", i)]
    return schedule


# q3


@mistake(
    question="q3", says="You recompute from the input: a segment is evaluated again from the checkpoint before it."
)
def checkpointed_schedule__from_the_input(n, checkpoints):
    kept = valid(n, checkpoints)
    schedule = []
    for i in range(1, n + 1):
        schedule += [("forward", i), *([("save", i)] if i in kept else [])]
    for i in range(n, 0, -1):
        if i not in kept and i != n:
            schedule += [("forward", k) for k in range(1, i + 1)]
        schedule += [("backward", i), *([("free", i)] if i in kept else [])]
    return schedule


@mistake(
    question="q3",
    says=(
        "You start again at the checkpoint for every single activation: evaluate a segment once and save "
        "its activations, then no activation is evaluated more than twice."
    ),
)
def checkpointed_schedule__sweeps_within_the_segment(n, checkpoints):
    kept = valid(n, checkpoints)
    schedule = []
    for i in range(1, n + 1):
        schedule += [("forward", i), *([("save", i)] if i in kept else [])]
    for i in range(n, 0, -1):
        if i not in kept and i != n:
            start = max([c for c in kept if c < i], default=0)
            schedule += [("forward", k) for k in range(start + 1, i + 1)]
        schedule += [("backward", i), *([("free", i)] if i in kept else [])]
    return schedule


@mistake(
    question="q3",
    says=(
        "You evaluate the last segment again: nothing after the last checkpoint has to be evaluated "
        "twice, keep it on the way forward."
    ),
)
def checkpointed_schedule__last_segment_again(n, checkpoints):
    return segments(n, checkpoints, last_again=True)


@mistake(
    question="q3",
    says=(
        "You save everything: of the activations before the last checkpoint only the checkpoints are kept"
        " on the way forward."
    ),
)
def checkpointed_schedule__saves_everything(n, checkpoints):
    valid(n, checkpoints)
    up = [action for i in range(1, n + 1) for action in (("forward", i), ("save", i))]
    return up + [action for i in range(n, 0, -1) for action in (("backward", i), ("free", i))]


@mistake(question="q3", says="You never free the checkpoints: each is freed when its own backward step has run.")
def checkpointed_schedule__never_frees_checkpoints(n, checkpoints):
    kept = valid(n, checkpoints)
    return [action for action in segments(n, kept) if not (action[0] == "free" and action[1] in kept)]


@mistake(
    question="q3",
    says=(
        "You free a checkpoint as soon as its segment has been evaluated again, but its own backward step"
        " still needs it."
    ),
)
def checkpointed_schedule__frees_too_early(n, checkpoints):
    kept = valid(n, checkpoints)
    schedule = []
    for name, i in segments(n, kept):
        if i in kept and name == "backward":
            schedule += [("free", i), ("backward", i)]
        elif not (i in kept and name == "free"):
            schedule.append((name, i))
    return schedule


@mistake(
    question="q3",
    says=("Your checkpoints are off by one: a checkpoint c means that a_c is kept (layers count from 1), not a_{c-1}."),
)
def checkpointed_schedule__off_by_one(n, checkpoints):
    return segments(n, [c - 1 for c in valid(n, checkpoints) if c > 1])


@mistake(
    question="q3",
    # True also where only some of it is checked, which answers the same.
    says=(
        "You accept checkpoints that are none: anything but a strictly increasing subset of 1..n is a ValueError (0, "
        "indices beyond n, repeated ones, ones out of order)."
    ),
)
def checkpointed_schedule__does_not_validate(n, checkpoints):
    return segments(n, sorted({c for c in checkpoints if 1 <= c <= n}))


@mistake(
    question="q3",
    says="You keep recomputed activations: free each activation of a segment when its backward step has run.",
)
def checkpointed_schedule__never_frees_segments(n, checkpoints):
    kept = valid(n, checkpoints)
    return [action for action in segments(n, kept) if not (action[0] == "free" and action[1] not in kept)]


# q4


@mistake(question="q4", says="You keep every activation: that is vanilla backpropagation, and peaks at n.")
def choose_checkpoints__all(n):
    return list(range(1, n + 1))


@mistake(
    question="q4",
    says="You keep nothing, so the whole chain is one segment, and its backward pass peaks at n.",
    openly=True,
)
def choose_checkpoints__none(n):
    return []


@mistake(
    question="q4",
    says=(
        "Your checkpoints are bunched at the beginning: the longest run without a checkpoint counts, so "
        "spread them evenly."
    ),
)
def choose_checkpoints__at_the_beginning(n):
    return list(range(1, isqrt(n) + 1))


@mistake(question="q4", says="You count from 0: a_0 is the data and no checkpoint, checkpoints are a subset of 1..n.")
def choose_checkpoints__from_zero(n):
    return list(range(0, n, isqrt(n - 1) + 1))


@mistake(
    question="q4",
    says="One checkpoint in the middle halves the memory; about sqrt(n) of them bring it down to about 2 sqrt(n).",
    openly="One checkpoint in the middle halves the memory; more of them bring it down further.",
)
def choose_checkpoints__halves(n):
    return [(n + 1) // 2]


@mistake(
    question="q4",
    says=("Every second activation halves the memory; a distance of about sqrt(n) brings it down to about 2 sqrt(n)."),
)
def choose_checkpoints__every_second(n):
    return list(range(2, n + 1, 2)) or [1]


@mistake(
    question="q4",
    says="Your distance does not grow with n: with checkpoints every ten layers the memory is n/10 and more.",
    openly="The distance between your checkpoints does not grow with n.",
)
def choose_checkpoints__every_tenth(n):
    return list(range(10, n + 1, 10))


# q5


@mistake(
    question="q5",
    says=(
        "Your checkpoints are uniform: spread evenly, and each segment kept whole. With little memory it "
        "is cheaper to set checkpoints within a segment again, with the places that became free (the "
        "binomial schedule)."
    ),
)
def optimal_schedule__uniform(n, memory):
    possible(n, memory)
    if memory >= n:
        return segments(n, [])
    for count in range(memory):
        spacing = -(-n // (count + 1))
        kept = list(range(spacing, n, spacing))
        bounds = [0, *kept, n + 1]
        if max(k + b - a - 1 for k, (a, b) in enumerate(pairwise(bounds))) <= memory:
            return segments(n, kept)
    return sweeps(n, [round(k * n / memory) for k in range(1, memory)])


@mistake(
    question="q5",
    says=(
        "You always split in the middle: that is legal, but the best split is where both parts need no "
        "more repetitions than the whole (binomial), not halfway."
    ),
)
def optimal_schedule__bisection(n, memory):
    possible(n, memory)
    return recursive(0, n, memory, lambda length, places: length if places == 1 else (length + 1) // 2)


@mistake(
    question="q5",
    says=(
        "You use the memory for the first checkpoints and go on memory-poor: give each segment the places"
        " that are free then."
    ),
)
def optimal_schedule__memory_poor_within(n, memory):
    possible(n, memory)
    return sweeps(n, [k * n // memory for k in range(1, memory) if k * n // memory >= 1])


@mistake(
    question="q5", says="Your schedule needs one activation more than allowed: the working activation counts, too."
)
def optimal_schedule__one_too_many(n, memory):
    possible(n, memory)
    return recursive(0, n, memory + 1, binomial_split)


@mistake(
    question="q5", says="You do not use all of the memory: with one activation more you would need fewer evaluations."
)
def optimal_schedule__one_too_few(n, memory):
    possible(n, memory)
    return recursive(0, n, max(1, memory - 1), binomial_split)


@mistake(question="q5", says="You keep places back: after b_j has run, its place is free for the layers below it.")
def optimal_schedule__loses_a_place(n, memory):
    possible(n, memory)

    def write(start, end, places):
        if start == end:
            return []
        split = start + binomial_split(end - start, places)
        forward = [("forward", i) for i in range(start + 1, split + 1)]
        below = write(start, split - 1, max(1, places - 1))
        if split == end:
            return [*forward, ("backward", end), *below]
        above = write(split, end, places - 1)
        return [*forward, ("save", split), *above, ("backward", split), ("free", split), *below]

    return write(0, n, min(memory, n))


@mistake(
    question="q5",
    says="You save everything: never more than `memory` activations may be in memory, so most have to be given up.",
)
def optimal_schedule__saves_everything(n, memory):
    possible(n, memory)
    return segments(n, [])


@mistake(
    question="q5",
    says=(
        "You do not use `memory`: this is the square-root rule of q4, whose peak is about 2 sqrt(n) whatever was "
        "asked for."
    ),
)
def optimal_schedule__square_root(n, memory):
    possible(n, memory)
    spacing = isqrt(n - 1) + 1
    return segments(n, list(range(spacing, n + 1, spacing)))


@mistake(
    question="q5",
    says=(
        "You keep the first activations and evaluate all the others from there again and again: spread the "
        "checkpoints over the whole chain."
    ),
)
def optimal_schedule__keeps_the_first(n, memory):
    possible(n, memory)
    return sweeps(n, range(1, memory))


@mistake(question="q5", says="You answer what cannot be done: n < 1 is a ValueError, and so is memory < 1.")
def optimal_schedule__does_not_validate(n, memory):
    return recursive(0, n, max(memory, 1), binomial_split) if n > 0 else []


# q6


@mistake(
    question="q6",
    says=(
        "Your jax.checkpoint wraps the whole network: it keeps none of the checkpoints and evaluates "
        "everything again at once. Wrap each segment, from one checkpoint to the next."
    ),
    openly="Your jax.checkpoint wraps the whole network: it keeps none of the checkpoints.",
)
def checkpointed_loss__whole_network(params, x, y, checkpoints):
    return jnp.mean((jax.checkpoint(layers)(params, x) - y) ** 2)


@mistake(
    question="q6",
    says="Nothing is checkpointed: without jax.checkpoint every activation is kept for the backward pass.",
)
def checkpointed_loss__no_checkpoint(params, x, y, checkpoints):
    return jnp.mean((layers(params, x) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "Your jax.checkpoint wraps each single layer: what goes into it is kept, so every activation is. "
        "Wrap each segment."
    ),
)
def checkpointed_loss__every_layer(params, x, y, checkpoints):
    return jnp.mean((chunks(params, x, range(1, len(params))) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "You do not use `checkpoints`: these segments are those of the square-root rule, whatever was asked for. A "
        "segment ends at each of the checkpoints."
    ),
    openly="You do not use `checkpoints`: these segments are those of the square-root rule, whatever was asked for.",
)
def checkpointed_loss__square_root(params, x, y, checkpoints):
    spacing = isqrt(len(params) - 1) + 1
    return jnp.mean((chunks(params, x, range(spacing, len(params), spacing)) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "Your segments end one layer too late: checkpoint c is a_c, the output of params[c - 1], so a "
        "segment ends before params[c]."
    ),
)
def checkpointed_loss__one_late(params, x, y, checkpoints):
    return jnp.mean((chunks(params, x, [c + 1 for c in checkpoints if c + 1 < len(params)]) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "Your segments end one layer too early: checkpoint c is a_c, the output of params[c - 1], so "
        "params[c - 1] belongs to the segment that ends there."
    ),
    openly="Your segments end one layer too early.",
)
def checkpointed_loss__one_early(params, x, y, checkpoints):
    return jnp.mean((chunks(params, x, [c - 1 for c in checkpoints if c > 1]) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "Your last segment, from the last checkpoint to a_n, is not within a jax.checkpoint: its activations are kept."
    ),
)
def checkpointed_loss__last_segment_kept(params, x, y, checkpoints):
    last = max([c for c in checkpoints if c < len(params)], default=0)
    a = chunks(params[:last], x, checkpoints) if last else x
    return jnp.mean((layers(params[last:], a) - y) ** 2)


@mistake(question="q6", says="The loss is the mean of (a_n - y)^2 over all entries, not the sum.")
def checkpointed_loss__sum(params, x, y, checkpoints):
    return jnp.sum((chunks(params, x, checkpoints) - y) ** 2)


@mistake(question="q6", says="The loss is the mean of (a_n - y)^2; there is no factor 1/2 in it.")
def checkpointed_loss__half(params, x, y, checkpoints):
    return 0.5 * jnp.mean((chunks(params, x, checkpoints) - y) ** 2)


@mistake(
    question="q6",
    says="The loss is the mean over all entries: you add up over those of an example, and average over examples only.",
)
def checkpointed_loss__sum_over_entries(params, x, y, checkpoints):
    return jnp.mean(jnp.sum((chunks(params, x, checkpoints) - y) ** 2, axis=1))


@mistake(question="q6", says="The loss is the mean of (a_n - y)^2 itself, without a square root.")
def checkpointed_loss__root(params, x, y, checkpoints):
    return jnp.sqrt(jnp.mean((chunks(params, x, checkpoints) - y) ** 2))


@mistake(
    question="q6",
    says=(
        "Your first segment, from x to the first checkpoint, is not within a jax.checkpoint: its activations are kept."
    ),
)
def checkpointed_loss__first_segment_kept(params, x, y, checkpoints):
    first = min([*checkpoints, len(params)])
    later = [c - first for c in checkpoints if first < c]
    a = layers(params[:first], x)
    return jnp.mean(((chunks(params[first:], a, later) if first < len(params) else a) - y) ** 2)


@mistake(
    question="q6",
    says=(
        "Your last checkpoint is not used: the segment from it to a_n is one of its own, so there is one segment more "
        "than there are checkpoints below n."
    ),
    openly="Your last checkpoint is not used.",
)
def checkpointed_loss__last_checkpoint_lost(params, x, y, checkpoints):
    return jnp.mean((chunks(params, x, [c for c in checkpoints if c < len(params)][:-1]) - y) ** 2)


@mistake(
    question="q6", says="Your output layer has no tanh: every layer of this network is tanh(a W + b), the last one too."
)
def checkpointed_loss__linear_output(params, x, y, checkpoints):
    a = chunks(params[:-1], x, checkpoints)
    return jnp.mean((a @ params[-1][0] + params[-1][1] - y) ** 2)


@mistake(
    question="q6",
    says=(
        "A jax.checkpoint around the segments of another one: each level evaluates its layers again. One "
        "jax.checkpoint a segment, side by side."
    ),
    openly="A jax.checkpoint around the segments of another one: each level evaluates its layers again.",
)
def checkpointed_loss__nested(params, x, y, checkpoints):
    ends = sorted({*(c for c in checkpoints if c < len(params)), len(params)})

    def upto(count, a):
        if count == 0:
            return a
        start = ends[count - 2] if count > 1 else 0
        below = jax.checkpoint(lambda given: upto(count - 1, given))(a)
        return layers(params[start : ends[count - 1]], below)

    return jnp.mean((jax.checkpoint(lambda given: upto(len(ends), given))(x) - y) ** 2)


# q7


@mistake(
    question="q7",
    says=(
        "You count activations: the memory is a total of sizes, and a large activation takes the place of"
        " several small ones."
    ),
)
def optimal_schedule_for__ignores_sizes(sizes, costs, memory):
    if memory < max(sizes):
        raise ValueError("an activation does not fit into the memory")
    mean = max(1, sum(sizes) // len(sizes))
    return persistent([mean] * len(sizes), costs, max(memory, mean))


@mistake(
    question="q7",
    says="You minimise the number of evaluations: a layer's evaluation costs costs[i - 1], and their sum counts.",
)
def optimal_schedule_for__ignores_costs(sizes, costs, memory):
    return persistent(sizes, [1] * len(sizes), memory)


@mistake(question="q7", says="Your costs are off by one: evaluating layer i costs costs[i - 1].")
def optimal_schedule_for__costs_off_by_one(sizes, costs, memory):
    return persistent(sizes, [*costs[1:], costs[0]], memory)


@mistake(question="q7", says="You exchange sizes and costs: memory is a total of sizes, work a total of costs.")
def optimal_schedule_for__exchanged(sizes, costs, memory):
    return persistent(costs, sizes, max(memory, *costs)) if len(sizes) > 1 else memory_poor(1)


@mistake(
    question="q7",
    says="You save everything: the sizes of what is in memory at the same time may add up to `memory` and no more.",
)
def optimal_schedule_for__saves_everything(sizes, costs, memory):
    if memory < max(sizes):
        raise ValueError("an activation does not fit into the memory")
    return segments(len(sizes), [])


@mistake(
    question="q7",
    says="Only the saved activations fit into your memory: the working activation counts, too.",
)
def optimal_schedule_for__forgets_the_working_one(sizes, costs, memory):
    return persistent(sizes, costs, memory, passing=False)


@mistake(
    question="q7", says="You index sizes and costs by i: a_i has the size sizes[i - 1], and layer i costs costs[i - 1]."
)
def optimal_schedule_for__off_by_one(sizes, costs, memory):
    return persistent([*sizes[1:], sizes[0]], [*costs[1:], costs[0]], memory)


@mistake(
    question="q7",
    says="You keep nothing but the working activation: legal, but memory that is there can save evaluations.",
)
def optimal_schedule_for__memory_poor(sizes, costs, memory):
    if memory < max(sizes):
        raise ValueError("an activation does not fit into the memory")
    return memory_poor(len(sizes))


@mistake(
    question="q7",
    says=("Your schedule is built although an activation is larger than the memory: that is impossible, a ValueError."),
)
def optimal_schedule_for__never_refuses(sizes, costs, memory):
    return persistent(sizes, costs, max(memory, *sizes)) if len(sizes) > 1 else memory_poor(1)


# What the mistakes above share.


def memory_poor(n):
    return [action for i in range(n, 0, -1) for action in [*(("forward", k) for k in range(1, i + 1)), ("backward", i)]]


def valid(n, checkpoints):
    kept = [int(c) for c in checkpoints]
    if kept != sorted(set(kept)) or any(not 1 <= c <= n for c in kept):
        raise ValueError("checkpoints must be a strictly increasing subset of 1..n")
    return kept


def segments(n, checkpoints, last_again=False):
    kept = valid(n, checkpoints)
    bounds = [0, *kept, n + 1]
    schedule = []
    for i in range(1, n + 1):
        schedule += [("forward", i), *([("save", i)] if i in kept or (i > bounds[-2] and not last_again) else [])]
    for start, end in reversed(list(pairwise(bounds))):
        if end <= n or last_again:
            schedule += [action for i in range(start + 1, end) for action in (("forward", i), ("save", i))]
        schedule += [action for i in range(end - 1, start, -1) for action in (("backward", i), ("free", i))]
        schedule += [("backward", start), ("free", start)] if start else []
    return schedule


def sweeps(n, checkpoints):
    kept = sorted({c for c in checkpoints if 1 <= c < n})
    schedule = []
    for i in range(1, n + 1):
        schedule += [("forward", i), *([("save", i)] if i in kept else [])]
    for i in range(n, 0, -1):
        if i not in kept and i != n:
            start = max([c for c in kept if c < i], default=0)
            schedule += [("forward", k) for k in range(start + 1, i + 1)]
        schedule += [("backward", i), *([("free", i)] if i in kept else [])]
    return schedule


def possible(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("n and memory must be at least 1")


def binomial_split(length, places):
    if places == 1:
        return length
    repetitions, steps = 1, places + 1
    while steps < length + 1:
        repetitions += 1
        steps = steps * (places + repetitions) // repetitions
    above = steps * places // (places + repetitions)
    below = steps * repetitions // (places + repetitions)
    least = below * (repetitions - 1) // (places + repetitions - 1)
    return max(1, least, length + 1 - above)


def recursive(start, end, places, split_of):
    schedule, todo = [], [(start, end, min(places, end - start))]
    while todo:
        start, end, places = todo.pop()
        if places == 0:
            schedule += [("backward", end), ("free", end)]
        elif start < end:
            split = start + split_of(end - start, places)
            schedule += [("forward", i) for i in range(start + 1, split + 1)]
            todo.append((start, split - 1, places))
            if split == end:
                schedule.append(("backward", end))
            else:
                schedule.append(("save", split))
                todo += [(split, split, 0), (split, end, places - 1)]
    return schedule


def layers(params, a):
    for W, b in params:
        a = jnp.tanh(a @ W + b)
    return a


def chunks(params, a, checkpoints):
    start = 0
    for end in sorted({*(c for c in checkpoints if c < len(params)), len(params)}):
        a = jax.checkpoint(layers)(params[start:end], a)
        start = end
    return a


def persistent(sizes, costs, memory, passing=True):
    @cache
    def best(start, end, free):
        if start == end:
            return 0, end
        cheapest, forward = (float("inf"), end), 0
        for j in range(start + 1, end + 1):
            if passing and sizes[j - 1] > free:
                break
            forward += costs[j - 1]
            if sizes[j - 1] <= free or (not passing and j == end):
                above = best(j, end, free - sizes[j - 1])[0] if j < end else 0
                cheapest = min(cheapest, (forward + above + best(start, j - 1, free)[0], j))
        return cheapest

    if best(0, len(sizes), memory)[0] == float("inf"):
        raise ValueError("no schedule fits into the memory")

    def write(start, end, free):
        if start == end:
            return []
        j = best(start, end, free)[1]
        forward = [("forward", i) for i in range(start + 1, j + 1)]
        if j == end:
            return [*forward, ("backward", j), *write(start, j - 1, free)]
        above = write(j, end, free - sizes[j - 1])
        return [*forward, ("save", j), *above, ("backward", j), ("free", j), *write(start, j - 1, free)]

    return write(0, len(sizes), memory)
