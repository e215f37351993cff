"""Known mistakes of `checkpointing`: off by one, freed too early or never, from the input, everything kept, …"""

# Written as students write, without annotations:
# pyright: basic

from itertools import pairwise

import jax
import jax.numpy as jnp
from adkit.network import mlp_layer, mlp_loss
from adkit.schedule import simulate
from jax.ad_checkpoint import checkpoint_name

from reference.checkpointing import (
    checkpointed_schedule,
    memory_poor_schedule,
    optimal_schedule_for,
    vanilla_schedule,
)
from reference.mistakes import Catalogue, signs

MISTAKES = Catalogue("checkpointing")

ONE_OUTPUT = (
    "Where there is one output, a_n and y are compared in different shapes, so that each entry of one meets all of the "
    "other: both are (batch, 1), so take no axis away and turn none."
)

# ---------------------------------------- q1: vanilla

q1 = MISTAKES.question("q1", reread="Schedules")

q1.edit(
    "vanilla_schedule__never_frees",
    ('[("backward", i), ("free", i)]', '[("backward", i)]'),
    sign=signs.frees_nothing,
    says="You never free: a complete schedule leaves nothing in memory, so each saved a_i has to be freed.",
)
q1.edit(
    "vanilla_schedule__never_saves",
    ('[("forward", i), ("save", i)]', '[("forward", i)]'),
    ('[("backward", i), ("free", i)]', '[("backward", i)]'),
    says="You do not save: the next forward step throws away a working activation that is not saved.",
)
q1.edit(
    "vanilla_schedule__off_by_one",
    ("range(1, n + 1)", "range(n)"),
    ("range(n, 0, -1)", "range(n - 1, -1, -1)"),
    sign=signs.counts_from_zero,
    says="Your loops are off by one: the layers are 1 … n (range(1, n + 1)), not 0 … n - 1.",
)
q1.edit(
    "vanilla_schedule__last_layer_missing",
    ("range(1, n + 1)", "range(1, n)"),
    ("range(n, 0, -1)", "range(n - 1, 0, -1)"),
    sign=signs.lacks_the_last_layer,
    says="Your last layer is missing: range(1, n) ends at n - 1, but the chain ends at a_n.",
    openly="Your last layer is missing: the chain ends at a_n.",
)
q1.edit(
    "vanilla_schedule__frees_too_early",
    ('[("backward", i), ("free", i)]', '[("free", i), ("backward", i)]'),
    says="You free before you use: b_i needs a_i, so a_i is freed after the backward step i.",
)
q1.edit(
    "vanilla_schedule__backward_upwards",
    ("range(n, 0, -1)", "range(1, n + 1)"),
    says="Your backward steps run upwards: b_i needs b_{i+1}, so they run n, n - 1, …, 1.",
)


@q1.mistake(
    sign=signs.evaluates_too_often,
    says="You recompute: vanilla backpropagation keeps every activation and evaluates each one once.",
    openly=True,
)
def vanilla_schedule__recomputes(n):
    return memory_poor_schedule(n)


# ---------------------------------------- q2: memory-poor

q2 = MISTAKES.question("q2", reread="Schedules")


@q2.mistake(
    sign=signs.keeps_everything,
    says="You save everything: memory-poor backpropagation has one activation in memory, the working one.",
    openly=True,
)
def memory_poor_schedule__saves_everything(n):
    return vanilla_schedule(n)


q2.edit(
    "memory_poor_schedule__forward_only_once",
    ("schedule = []", 'schedule = [("forward", k) for k in range(1, n + 1)]'),
    ('        schedule += [("forward", k) for k in range(1, i + 1)]\n', ""),
    says="You go forward only once: after b_n has run nothing is in memory, so a_{n-1} has to be evaluated again from "
    "the input.",
)
q2.edit(
    "memory_poor_schedule__sweep_one_short",
    ("range(1, i + 1)", "range(1, i)"),
    says="Your sweep is off by one: b_i needs a_i, so each sweep ends with the evaluation of a_i itself, not of "
    "a_{i-1}.",
)
q2.edit(
    "memory_poor_schedule__extra_sweep",
    ("schedule = []", 'schedule = [("forward", k) for k in range(1, n + 1)]'),
    says="You sweep once too often: the forward pass that reaches a_n is already the sweep for b_n.",
)
q2.edit(
    "memory_poor_schedule__sweeps_to_the_end",
    ("range(1, i + 1)", "range(1, n + 1)"),
    says="Each of your sweeps goes up to a_n: for b_i it has to stop at a_i, because a_i is gone otherwise.",
)
q2.edit(
    "memory_poor_schedule__saves_and_never_frees",
    ('schedule.append(("backward", i))', 'schedule += [("save", i), ("backward", i)]'),
    says="You save the working activation at the end of each sweep and never free it; it is at hand without being "
    "saved.",
)

# ---------------------------------------- q3: given checkpoints

q3 = MISTAKES.question("q3")

q3.edit(
    "checkpointed_schedule__from_the_input",
    ("if i in kept or i in last_run:", "if i in kept:"),
    (
        "        if end <= n:\n"
        "            for i in range(start + 1, end):\n"
        '                schedule += [("forward", i), ("save", i)]\n',
        "",
    ),
    ('[("backward", i), ("free", i)]', '[("forward", k) for k in range(1, i + 1) if i < n] + [("backward", i)]'),
    sign=signs.recomputes_from_the_input,
    says="You recompute from the input: a segment is evaluated again from the checkpoint before it.",
)
q3.edit(
    "checkpointed_schedule__sweeps_within_the_segment",
    ("if i in kept or i in last_run:", "if i in kept:"),
    (
        "        if end <= n:\n"
        "            for i in range(start + 1, end):\n"
        '                schedule += [("forward", i), ("save", i)]\n',
        "",
    ),
    (
        '[("backward", i), ("free", i)]',
        '[("forward", k) for k in range(start + 1, i + 1) if i < n] + [("backward", i)]',
    ),
    sign=signs.starts_again_at_the_checkpoint,
    says="You start again at the checkpoint for every single activation: evaluate a segment once and save its "
    "activations, then no activation is evaluated more than twice.",
)
q3.edit(
    "checkpointed_schedule__last_segment_again",
    ("if i in kept or i in last_run:", "if i in kept:"),
    (
        "        if end <= n:\n",
        "        if end <= n + 1:\n",
    ),
    sign=signs.evaluates_the_last_segment_again,
    says="You evaluate the last segment again: nothing after the last checkpoint has to be evaluated twice; keep it "
    "on the way forward.",
)
q3.edit(
    "checkpointed_schedule__saves_everything",
    ("return schedule", "return vanilla_schedule(n)"),
    sign=signs.saves_more_than_the_checkpoints,
    says="You save everything: of the activations before the last checkpoint only the checkpoints are kept on the way "
    "forward.",
)
q3.edit(
    "checkpointed_schedule__never_frees_checkpoints",
    ('[("backward", start), ("free", start)]', '[("backward", start)]'),
    says="You never free the checkpoints: each is freed when its own backward step has run.",
)
q3.edit(
    "checkpointed_schedule__frees_too_early",
    ('[("backward", start), ("free", start)]', '[("free", start), ("backward", start)]'),
    says="You free a checkpoint before its own backward step, which still needs it.",
)
q3.edit(
    "checkpointed_schedule__off_by_one",
    (
        "bounds = [0, *kept, n + 1]",
        "kept = [c - 1 for c in kept if c > 1]\n    bounds = [0, *kept, n + 1]",
    ),
    says="Your checkpoints are off by one: a checkpoint c means that a_c is kept (layers count from 1), not a_{c-1}.",
)
q3.edit(
    "checkpointed_schedule__does_not_validate",
    ("[int(c) for c in checkpoints]", "sorted({int(c) for c in checkpoints if 1 <= c <= n})"),
    # true also where only some of it is checked, which answers the same
    sign=signs.accepted,
    says="You accept invalid checkpoints: anything but a strictly increasing subset of 1..n must raise ValueError (0, "
    "indices beyond n, repeated ones, ones out of order).",
)
q3.edit(
    "checkpointed_schedule__never_frees_segments",
    ('[("backward", i), ("free", i)]', '[("backward", i)]'),
    sign=signs.keeps_recomputed_activations,
    says="You keep recomputed activations: free each activation of a segment when its backward step has run.",
)

# ---------------------------------------- q4: the square root

q4 = MISTAKES.question("q4")

q4.edit(
    "choose_checkpoints__all",
    ("list(range(spacing, n + 1, spacing))", "list(range(1, n + 1))"),
    says="You keep every activation: that is vanilla backpropagation, whose peak is n.",
)
q4.edit(
    "choose_checkpoints__none",
    ("list(range(spacing, n + 1, spacing))", "[]"),
    says="You keep nothing, so the whole chain is one segment, and its backward pass peaks at n.",
    openly=True,
)
q4.edit(
    "choose_checkpoints__at_the_beginning",
    ("list(range(spacing, n + 1, spacing))", "list(range(1, isqrt(n) + 1))"),
    says="Your checkpoints are bunched at the beginning: the longest run without a checkpoint counts, so spread them "
    "evenly.",
)
q4.edit(
    "choose_checkpoints__from_zero",
    ("list(range(spacing, n + 1, spacing))", "list(range(0, n, spacing))"),
    says="You count from 0: a_0 is the data, not a checkpoint; checkpoints are a subset of 1..n.",
)
q4.edit(
    "choose_checkpoints__halves",
    ("list(range(spacing, n + 1, spacing))", "[(n + 1) // 2]"),
    says="One checkpoint in the middle halves the memory; about sqrt(n) of them bring it down to about 2 sqrt(n).",
    openly="One checkpoint in the middle halves the memory; more of them bring it down further.",
)
q4.edit(
    "choose_checkpoints__every_second",
    ("list(range(spacing, n + 1, spacing))", "list(range(2, n + 1, 2)) or [1]"),
    says="Every second activation halves the memory; a distance of about sqrt(n) brings it down to about 2 sqrt(n).",
)
q4.edit(
    "choose_checkpoints__every_tenth",
    ("list(range(spacing, n + 1, spacing))", "list(range(10, n + 1, 10))"),
    sign=signs.distance,
    repeated=True,
    says="The distance between your checkpoints does not grow with n: with one every ten layers, say, the memory is at "
    "least n/10.",
    openly="The distance between your checkpoints does not grow with n.",
)

# ---------------------------------------- q5: the optimal schedule

q5 = MISTAKES.question("q5")


@q5.mistake(
    says="Your checkpoints are uniform, spread evenly. With little memory it is cheaper to set checkpoints within a "
    "segment as well, in the places that have become free (the binomial schedule).",
)
def optimal_schedule__uniform(n, memory):
    possible(n, memory)
    if memory >= n:
        return vanilla_schedule(n)
    for count in range(memory):
        spacing = -(-n // (count + 1))
        kept = list(range(spacing, n, spacing))
        bounds = [0, *kept, n + 1]
        if max(k + b - a - 1 for k, (a, b) in enumerate(pairwise(bounds))) <= memory:
            return checkpointed_schedule(n, kept)
    return sweeps(n, [round(k * n / memory) for k in range(1, memory)])


q5.edit(
    "optimal_schedule__bisection",
    ("_first_checkpoint(end - start, places)", "(end - start if places == 1 else (end - start + 1) // 2)"),
    sign=signs.splits_in_the_middle,
    says="You always split in the middle: that is legal, but the best split is where both parts need no more "
    "repetitions than the whole (binomial), not halfway.",
)


@q5.mistake(
    says="You spend the memory on the first checkpoints and continue memory-poor: give each segment the places that "
    "are free by then.",
)
def optimal_schedule__memory_poor_within(n, memory):
    possible(n, memory)
    return sweeps(n, [k * n // memory for k in range(1, memory) if k * n // memory >= 1])


q5.edit(
    "optimal_schedule__one_too_many",
    ("min(memory, n)", "min(memory + 1, n)"),
    sign=signs.needs_one_activation_more,
    says="Your schedule needs one activation more than allowed: saved ones and the working one count together.",
)
q5.edit(
    "optimal_schedule__one_too_few",
    ("min(memory, n)", "min(max(1, memory - 1), n)"),
    sign=signs.leaves_memory_unused,
    says="You do not use all of the memory: with one activation more you would need fewer evaluations.",
)
q5.edit(
    "optimal_schedule__loses_a_place",
    ("(start, split - 1, places)", "(start, split - 1, max(1, places - 1))"),
    says="You leave places unused: after b_j has run, its place is free for the layers below it.",
)
q5.edit(
    "optimal_schedule__saves_everything",
    ("return schedule", "return vanilla_schedule(n)"),
    sign=signs.keeps_everything,
    says="You save everything: never more than `memory` activations may be in memory, so most have to be given up.",
)
q5.edit(
    "optimal_schedule__square_root",
    ("return schedule", "return checkpointed_schedule(n, choose_checkpoints(n))"),
    says="You do not use `memory`: this is the square-root rule of q4, whose peak is about 2 sqrt(n) whatever was "
    "asked for.",
)


@q5.mistake(
    says="You keep the first activations and evaluate all the others from there again and again: spread the "
    "checkpoints over the whole chain.",
)
def optimal_schedule__keeps_the_first(n, memory):
    possible(n, memory)
    return sweeps(n, range(1, memory))


q5.edit(
    "optimal_schedule__does_not_validate",
    (
        '_check_layers(n)\n    if memory < 1:\n        raise ValueError(f"memory must be at least 1, got {memory}")',
        "if n < 1:\n        return []",
    ),
    ("min(memory, n)", "min(max(memory, 1), n)"),
    sign=signs.accepted,
    says="You accept impossible arguments: n < 1 must raise ValueError, and so must memory < 1.",
)

# ---------------------------------------- q6: a schedule drives a network

q6 = MISTAKES.question("q6")

q6.edit(
    "run_schedule__loss_sum",
    ("loss = jnp.mean((here - y) ** 2)", "loss = jnp.sum((here - y) ** 2)"),
    ("a_bar = 2 * (here - y) / here.size", "a_bar = 2 * (here - y)"),
    says="The loss is the mean of (a_n - y)^2 over all entries, not the sum; its gradient with respect to a_n is "
    "2 (a_n - y) divided by the number of entries.",
)
q6.edit(
    "run_schedule__mean_over_examples",
    ("/ here.size", "/ here.shape[0]"),
    says="You divide the gradient with respect to a_n by the number of examples: the mean is over all entries of a_n, "
    "batch x d_n of them.",
)
q6.edit(
    "run_schedule__loss_mean_over_examples",
    ("loss = jnp.mean((here - y) ** 2)", "loss = jnp.sum((here - y) ** 2) / here.shape[0]"),
    ("/ here.size", "/ here.shape[0]"),
    says="You divide by the number of examples: the mean is over all entries of a_n, batch x d_n of them.",
)
q6.edit(
    "run_schedule__factor_two_missing",
    ("a_bar = 2 * (here - y) / here.size", "a_bar = (here - y) / here.size"),
    says="A factor of 2 is missing: the derivative of (a_n - y)^2 is 2 (a_n - y).",
)
q6.edit(
    "run_schedule__sign",
    ("a_bar = 2 * (here - y) / here.size", "a_bar = 2 * (y - here) / here.size"),
    says="Your gradients have the wrong sign: the derivative of (a_n - y)^2 is 2 (a_n - y), not 2 (y - a_n).",
)
q6.edit(
    "run_schedule__no_tanh",
    ("d = a_bar * (1 - here**2)", "d = a_bar"),
    says="The derivative of tanh is missing: with a_i = tanh(z_i), the gradient with respect to z_i is "
    "b_i times 1 - a_i^2.",
)
q6.edit(
    "run_schedule__tanh_of_the_activation",
    ("d = a_bar * (1 - here**2)", "d = a_bar * (1 - jnp.tanh(here) ** 2)"),
    says="Your derivative of tanh is taken at a_i: it is 1 - tanh(z_i)^2, and tanh(z_i) is a_i itself, so 1 - a_i^2.",
)
q6.edit(
    "run_schedule__no_weights",
    ("a_bar = d @ jnp.asarray(params[i][0]).T", "a_bar = d @ jnp.asarray(params[i][0])"),
    says="A transpose is missing on the way down: b_i is d_{i+1} W_{i+1}^T.",
)
q6.edit(
    "run_schedule__weights_transposed",
    ("gradients.insert(0, (here.T @ d, jnp.sum(d, axis=0)))", "gradients.insert(0, (d.T @ here, jnp.sum(d, axis=0)))"),
    ("[(x.T @ d, jnp.sum(d, axis=0)), *gradients]", "[(d.T @ x, jnp.sum(d, axis=0)), *gradients]"),
    says="Your gradients of the weights are transposed: W_i_bar = a_{i-1}^T d_i has the shape of W_i.",
)
q6.edit(
    "run_schedule__bias_mean",
    ("(here.T @ d, jnp.sum(d, axis=0))", "(here.T @ d, jnp.mean(d, axis=0))"),
    ("(x.T @ d, jnp.sum(d, axis=0))", "(x.T @ d, jnp.mean(d, axis=0))"),
    says="Your gradients of the biases are means over the batch: c is added to every row, so its gradient is the sum "
    "of the rows of d.",
)
q6.edit(
    "run_schedule__last_layer_first",
    ("gradients.insert(0, (here.T @ d, jnp.sum(d, axis=0)))", "gradients.append((here.T @ d, jnp.sum(d, axis=0)))"),
    ("[(x.T @ d, jnp.sum(d, axis=0)), *gradients]", "[*gradients, (x.T @ d, jnp.sum(d, axis=0))]"),
    says="Your gradients are in the order of the backward pass, from the last layer to the first: params begin with "
    "the first.",
    openly=True,
)
q6.edit(
    "run_schedule__first_layer_missing",
    ("return loss, [(x.T @ d, jnp.sum(d, axis=0)), *gradients]", "return loss, gradients"),
    says="The first layer's gradients are missing: no backward step is left when b_1 has run, but a_0 and b_1 still "
    "make them.",
)
q6.edit(
    "run_schedule__first_layer_zero",
    ("[(x.T @ d, jnp.sum(d, axis=0)), *gradients]", "[(0 * (x.T @ d), 0 * jnp.sum(d, axis=0)), *gradients]"),
    says="The first layer's gradients are zero: no backward step is left when b_1 has run, but a_0 and b_1 still make "
    "them.",
    openly="The first layer's gradients are zero.",
)
q6.edit(
    "run_schedule__keeps_every_activation",
    (
        '        if action == "forward":\n',
        '        if action == "forward" and i in made:\n'
        "            working, a = i, made[i]\n"
        '        elif action == "forward":\n',
    ),
    ("working, a = 0, x  # a_working, which is x at first", "working, a, made = 0, x, {}"),
    (
        "            working, a = i, mlp_layer(params[i - 1], below)\n",
        "            working, a = i, mlp_layer(params[i - 1], below)\n            made[i] = a\n",
    ),
    says="You keep every activation that was ever evaluated and take it from there: what is neither saved nor working "
    "is gone, and a forward step evaluates the layer again.",
    openly="You keep every activation that was ever evaluated.",
)
q6.edit(
    "run_schedule__squeezed",
    ("loss = jnp.mean((here - y) ** 2)", "loss = jnp.mean((jnp.squeeze(here) - y) ** 2)"),
    says=ONE_OUTPUT,
)


@q6.mistake(
    says="You do not carry out the schedule: this is plain backpropagation, whatever the schedule says.",
    openly=True,
)
def run_schedule__ignores_the_schedule(schedule, params, x, y):
    return jax.value_and_grad(mlp_loss)(params, x, y)


# ---------------------------------------- q7: a network

q7 = MISTAKES.question("q7")

q7.edit(
    "checkpointed_loss__whole_network",
    ("sorted({*(int(c) for c in checkpoints), len(params)})", "[len(params)]"),
    says="Your jax.checkpoint wraps the whole network: it keeps none of the checkpoints and evaluates everything "
    "again at once. Wrap each segment, from one checkpoint to the next.",
    openly="Your jax.checkpoint wraps the whole network: it keeps none of the checkpoints.",
)
q7.edit(
    "checkpointed_loss__no_checkpoint",
    ("jax.checkpoint(_segment)", "_segment"),
    says="Nothing is checkpointed: every activation is kept for the backward pass, as it is without jax.checkpoint.",
)
q7.edit(
    "checkpointed_loss__every_layer",
    ("sorted({*(int(c) for c in checkpoints), len(params)})", "range(1, len(params) + 1)"),
    says="Every activation is kept, and evaluated again all the same, as where a jax.checkpoint wraps each single "
    "layer: what goes into it is kept. Wrap each segment, and keep nothing else.",
    openly=True,
)
q7.edit(
    "checkpointed_loss__square_root",
    ("sorted({*(int(c) for c in checkpoints), len(params)})", "[*choose_checkpoints(len(params)), len(params)]"),
    sign=signs.keeps_every_root,
    says="You do not use `checkpoints`: these segments are those of the square-root rule, whatever was asked for. A "
    "segment ends at each of the checkpoints.",
    openly="You do not use `checkpoints`: these segments are those of the square-root rule, whatever was asked for.",
)
q7.edit(
    "checkpointed_loss__one_late",
    ("int(c) for c in checkpoints", "c + 1 for c in checkpoints if c < len(params)"),
    says="Your segments end one layer too late: checkpoint c is a_c, the output of params[c - 1], so a segment ends "
    "before params[c].",
)
q7.edit(
    "checkpointed_loss__one_early",
    ("int(c) for c in checkpoints", "c - 1 for c in checkpoints if c > 1"),
    says="Your segments end one layer too early: checkpoint c is a_c, the output of params[c - 1], so params[c - 1] "
    "belongs to the segment that ends there.",
    openly="Your segments end one layer too early.",
)
q7.edit(
    "checkpointed_loss__last_segment_kept",
    ("jax.checkpoint(_segment)", "(jax.checkpoint(_segment) if end < len(params) else _segment)"),
    says="Your last segment, from the last checkpoint to a_n, is not within a jax.checkpoint: its activations are "
    "kept.",
)
q7.edit(
    "checkpointed_loss__sum",
    ("jnp.mean((a - y) ** 2)", "jnp.sum((a - y) ** 2)"),
    says="The loss is the mean of (a_n - y)^2 over all entries, not the sum.",
)
q7.edit(
    "checkpointed_loss__half",
    ("jnp.mean((a - y) ** 2)", "0.5 * jnp.mean((a - y) ** 2)"),
    says="The loss is the mean of (a_n - y)^2; there is no factor 1/2 in it.",
)
q7.edit(
    "checkpointed_loss__sum_over_entries",
    ("jnp.mean((a - y) ** 2)", "jnp.mean(jnp.sum((a - y) ** 2, axis=1))"),
    says="The loss is the mean over all entries: you sum over those of an example, and average only over the examples.",
)
q7.edit(
    "checkpointed_loss__root",
    ("jnp.mean((a - y) ** 2)", "jnp.sqrt(jnp.mean((a - y) ** 2))"),
    says="The loss is the mean of (a_n - y)^2 itself, without a square root.",
)
q7.edit(
    "checkpointed_loss__first_segment_kept",
    ("jax.checkpoint(_segment)", "(jax.checkpoint(_segment) if start > 0 else _segment)"),
    says="Your first segment, from x to the first checkpoint, is not within a jax.checkpoint: its activations are "
    "kept.",
    openly=True,
)
q7.edit(
    "checkpointed_loss__last_checkpoint_lost",
    ("*(int(c) for c in checkpoints)", "*[c for c in checkpoints if c < len(params)][:-1]"),
    says="Your last checkpoint is not used: the part from it to a_n is a segment of its own, so there is one segment "
    "more than there are checkpoints below n.",
    openly="Your last checkpoint is not used.",
)
q7.edit(
    "checkpointed_loss__squeezed",
    ("jnp.mean((a - y) ** 2)", "jnp.mean((jnp.squeeze(a) - y) ** 2)"),
    says=ONE_OUTPUT,
)
q7.edit(
    "checkpointed_loss__linear_output",
    (
        "a = x\n",
        "*params, (W, c) = params\n    a = x\n",
    ),
    ("jnp.mean((a - y) ** 2)", "jnp.mean((a @ W + c - y) ** 2)"),
    says="Your output layer has no tanh: every layer of this network is tanh(a W + c), the last one too.",
)


@q7.mistake(
    says="A jax.checkpoint is nested in another one: each level evaluates its layers again. Use one jax.checkpoint "
    "per segment, side by side.",
    openly="A jax.checkpoint is nested in another one: each level evaluates its layers again.",
    sign=signs.wraps_the_segments_as_a_whole,
)
def checkpointed_loss__nested(params, x, y, checkpoints):
    ends = sorted({*(c for c in checkpoints if c < len(params)), len(params)})

    def upto(count, a):
        if count == 0:
            return a
        start = ends[count - 2] if count > 1 else 0
        a = jax.checkpoint(lambda given: upto(count - 1, given))(a)
        for layer in params[start : ends[count - 1]]:
            a = mlp_layer(layer, a)
        return a

    return jnp.mean((jax.checkpoint(lambda given: upto(len(ends), given))(x) - y) ** 2)


@q7.mistake(
    says="The checkpoints are kept, but all the other activations are evaluated again at once, as one jax.checkpoint "
    "with a policy round the whole network does: as much is in memory as without checkpoints. One jax.checkpoint for "
    "each segment recomputes one segment at a time.",
    openly="A policy keeps the checkpoints, but everything else is evaluated again at once.",
)
def checkpointed_loss__policy(params, x, y, checkpoints):
    kept = [f"a_{int(c)}" for c in checkpoints if c < len(params)]

    def network(params, a):
        for i, layer in enumerate(params, 1):
            a = checkpoint_name(mlp_layer(layer, a), f"a_{i}")
        return a

    policy = jax.checkpoint_policies.save_only_these_names(*kept)
    return jnp.mean((jax.checkpoint(network, policy=policy)(params, x) - y) ** 2)


# ---------------------------------------- q8: unequal layers

q8 = MISTAKES.question("q8")


def costs_ignored(failure):
    """The schedule fits and has as few evaluations as there can be, although others cost less."""
    sizes, costs, memory = failure.arguments
    if simulate(len(sizes), failure.answer, sizes, costs).peak > memory:
        return False
    fewest = optimal_schedule_for(list(sizes), [1] * len(sizes), memory)
    taken = signs.indices(signs.actions_of(failure), "forward")
    return 0 < len(taken) <= len(signs.indices(fewest, "forward")) and not failure.accepted


def costs_shifted(failure):
    """The schedule fits and is as cheap as there can be with the costs of the layers above or below."""
    sizes, costs, memory = failure.arguments
    if failure.accepted or simulate(len(sizes), failure.answer, sizes, costs).peak > memory:
        return False
    taken = signs.indices(signs.actions_of(failure), "forward")
    for shifted in ([*costs[1:], costs[0]], [*costs[1:], costs[-1]], [costs[-1], *costs[:-1]], [costs[0], *costs[:-1]]):
        cheapest = optimal_schedule_for(list(sizes), shifted, memory)
        best = sum(shifted[i - 1] for i in signs.indices(cheapest, "forward"))
        if taken and sum(shifted[i - 1] for i in taken) <= best:
            return True
    return False


@q8.mistake(
    says="You count activations: the memory is a total of sizes, and a large activation takes the place of several "
    "small ones.",
)
def optimal_schedule_for__ignores_sizes(sizes, costs, memory):
    if memory < max(sizes):
        raise ValueError("an activation does not fit into the memory")
    mean = max(1, sum(sizes) // len(sizes))
    return optimal_schedule_for([mean] * len(sizes), costs, memory)


q8.edit(
    "optimal_schedule_for__ignores_costs",
    ("[int(c) for c in costs]", "[1] * n"),
    sign=costs_ignored,
    says="You minimise the number of evaluations: evaluating layer i costs costs[i - 1], and the sum of these is what "
    "counts.",
)
q8.edit(
    "optimal_schedule_for__costs_off_by_one",
    ("[int(c) for c in costs]", "[*costs[1:], costs[0]]"),
    sign=costs_shifted,
    says="Your costs are off by one: evaluating layer i costs costs[i - 1].",
)
q8.edit(
    "optimal_schedule_for__exchanged",
    (
        "size, cost = [int(s) for s in sizes], [int(c) for c in costs]",
        "size, cost = [int(c) for c in costs], [int(s) for s in sizes]\n    memory = max(memory, *size)",
    ),
    says="You swap sizes and costs: memory is a total of sizes, work a total of costs.",
)
q8.edit(
    "optimal_schedule_for__saves_everything",
    ("return write(0, n, memory)", "return vanilla_schedule(n)"),
    says="You save everything: the sizes of what is in memory at the same time may add up to `memory` and no more.",
)
q8.edit(
    "optimal_schedule_for__forgets_the_working_one",
    (
        "            if size[j - 1] > free:\n                break\n            forward += cost[j - 1]\n",
        "            forward += cost[j - 1]\n"
        "            if size[j - 1] > free and j < end:\n"
        "                continue\n",
    ),
    says="Your schedule fits only the saved activations into memory: the working activation counts, too.",
)
q8.edit(
    "optimal_schedule_for__off_by_one",
    (
        "size, cost = [int(s) for s in sizes], [int(c) for c in costs]",
        "size, cost = [*sizes[1:], sizes[0]], [*costs[1:], costs[0]]",
    ),
    says="You index sizes and costs by i: a_i has the size sizes[i - 1], and layer i costs costs[i - 1].",
)
q8.edit(
    "optimal_schedule_for__memory_poor",
    ("return write(0, n, memory)", "return memory_poor_schedule(n)"),
    says="You keep nothing but the working activation: that is legal, but the rest of the memory can save evaluations.",
)
q8.edit(
    "optimal_schedule_for__never_refuses",
    (
        "    @cache\n",
        "    memory = max(memory, *size)\n\n    @cache\n",
    ),
    sign=signs.accepted,
    says="You return an answer although an activation is larger than the memory: that is impossible, and must raise "
    "ValueError.",
)


# ---------------------------------------- q9: checkpoints within checkpoints

q9 = MISTAKES.question("q9")

q9.edit(
    "nested_checkpointed_loss__no_checkpoint",
    ("half = jax.checkpoint(_halved)", "half = _halved"),
    says="Nothing is checkpointed: every activation is kept for the backward pass, as it is without jax.checkpoint.",
    openly=True,
)
q9.edit(
    "nested_checkpointed_loss__one_level",
    ("jnp.mean((_halved(params, x) - y) ** 2)", "checkpointed_loss(params, x, y, choose_checkpoints(len(params)))"),
    says="You have one level of checkpoints, whose memory grows at least like the square root of n: put checkpoints "
    "within each segment, and within its segments again.",
    openly="You have one level of checkpoints, whose memory grows at least like the square root of n.",
    sign=signs.evaluates_each_layer_twice,
)
q9.edit(
    "nested_checkpointed_loss__whole_network",
    ("_halved(params, x)", "jax.checkpoint(_segment)(params, x)"),
    says="One jax.checkpoint wraps the whole network: the backward pass evaluates everything again at once, and then "
    "all activations are in memory.",
    openly=True,
)
q9.edit(
    "nested_checkpointed_loss__one_off_the_end",
    ("middle = len(layers) // 2", "middle = len(layers) - 1"),
    says="Your parts are not halves: with a single layer split off at a time the recursion is n levels deep, and each "
    "level evaluates all the layers below it again.",
)
q9.edit(
    "nested_checkpointed_loss__squeezed",
    ("jnp.mean((_halved(params, x) - y) ** 2)", "jnp.mean((jnp.squeeze(_halved(params, x)) - y) ** 2)"),
    says=ONE_OUTPUT,
)
q9.edit(
    "nested_checkpointed_loss__sum",
    ("jnp.mean((_halved(params, x) - y) ** 2)", "jnp.sum((_halved(params, x) - y) ** 2)"),
    says="The loss is the mean of (a_n - y)^2 over all entries, not the sum.",
)

# ---------------------------------------- shared by the mistakes of q5


def sweeps(n, checkpoints):
    """Keeps those checkpoints; every other activation is evaluated again from the one before it."""
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
