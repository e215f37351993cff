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
import numpy as np

from reference import checkpointing as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def ups(low, high):
    """The evaluations from a_low to a_high."""
    return [("forward", i) for i in range(low + 1, high + 1)]


def checked(n, checkpoints):
    kept = [int(c) for c in checkpoints]
    if kept != sorted(set(kept)) or any(c < 1 or c > n for c in kept):
        raise ValueError("checkpoints must be a strictly increasing subset of 1..n")
    return kept


def run_layers(layers, a):
    for layer in layers:
        a = adkit.mlp_layer(layer, a)
    return a


# q1


@wrong("vanilla_schedule", "everything is evaluated before anything is saved, and by then only a_n is there")
def saved_afterwards(n):
    up = [("forward", i) for i in range(1, n + 1)]
    keep = [("save", i) for i in range(1, n + 1)]
    down = [(action, i) for i in range(n, 0, -1) for action in ("backward", "free")]
    return up + keep + down


@wrong("vanilla_schedule", "the loop that frees ends one too early, and a_n stays in memory")
def last_one_stays(n):
    s = []
    for i in range(1, n + 1):
        s.append(("forward", i))
        s.append(("save", i))
    for i in reversed(range(1, n + 1)):
        s.append(("backward", i))
    for i in range(1, n):
        s.append(("free", i))
    return s


@wrong("vanilla_schedule", "layers are counted from 0 to n - 1")
def from_zero(n):
    return [(a, i) for i in range(n) for a in ("forward", "save")] + [
        (a, i) for i in range(n - 1, -1, -1) for a in ("backward", "free")
    ]


# q2


@wrong("memory_poor_schedule", "a forward pass for the loss comes first, and is made again for b_n")
def loss_first(n):
    s = ups(0, n)
    for top in range(n, 0, -1):
        s += ups(0, top)
        s.append(("backward", top))
    return s


@wrong("memory_poor_schedule", "each activation is saved until the next one is there, so two are in memory")
def two_at_a_time(n):
    s = []
    for top in range(n, 0, -1):
        for i in range(1, top + 1):
            s += [("forward", i), ("save", i)]
            if i > 1:
                s.append(("free", i - 1))
        s += [("backward", top), ("free", top)]
    return s


# q3


@wrong("checkpointed_schedule", "within a segment nothing is saved: each b walks up again from the checkpoint")
def poor_within_segments(n, checkpoints):
    kept = checked(n, checkpoints)
    s = []
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept:
            s.append(("save", i))
    at_hand = n
    for i in range(n, 0, -1):
        if i in kept:
            s += [("backward", i), ("free", i)]
        else:
            if i != at_hand:
                s += ups(max((c for c in kept if c < i), default=0), i)
            s.append(("backward", i))
        at_hand = None
    return s


@wrong("checkpointed_schedule", "checkpoints that are not valid are put in order and thinned out instead of refused")
def tidied_up(n, checkpoints):
    kept = sorted({int(c) for c in checkpoints if 1 <= c <= n})
    return reference.checkpointed_schedule(n, kept)


@wrong("checkpointed_schedule", "a checkpoint at n is refused")
def n_refused(n, checkpoints):
    previous = 0
    for c in checkpoints:
        if not previous < c < n:
            raise ValueError(f"checkpoint {c} is not possible")
        previous = c
    return reference.checkpointed_schedule(n, checkpoints)


@wrong("checkpointed_schedule", "what a segment saved is freed at the very end only")
def freed_at_the_end(n, checkpoints):
    kept = checked(n, checkpoints)
    bounds = [0, *kept, n + 1]
    s = []
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept or i > bounds[-2]:
            s.append(("save", i))
    for low, high in reversed(list(itertools.pairwise(bounds))):
        if high <= n:
            for i in range(low + 1, high):
                s += [("forward", i), ("save", i)]
        s += [("backward", i) for i in range(high - 1, max(low, 1) - 1, -1)]
    return s + [("free", i) for i in range(1, n + 1)]


@wrong("checkpointed_schedule", "the last segment is not saved on the way forward either, and evaluated again")
def last_segment_again(n, checkpoints):
    kept = checked(n, checkpoints)
    s = []
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept:
            s.append(("save", i))
    segments = list(zip([0, *kept], [*kept, n + 1], strict=True))
    while segments:
        low, high = segments.pop()
        for i in range(low + 1, high):
            s.extend([("forward", i), ("save", i)])
        for i in range(high - 1, low, -1):
            s.extend([("backward", i), ("free", i)])
        if low > 0:
            s.extend([("backward", low), ("free", low)])
    return s


# q4


@wrong("choose_checkpoints", "the range begins at 0, which is not a checkpoint")
def begins_at_zero(n):
    d = math.isqrt(n - 1) + 1
    return list(range(0, n, d))


@wrong("choose_checkpoints", "powers of two, so that the last run is up to half of the chain")
def doubling(n):
    c, k = [], 1
    while k <= n:
        c.append(k)
        k *= 2
    return c


@wrong("choose_checkpoints", "one in every log2(n) layers: too many checkpoints")
def logarithmic_distance(n):
    d = max(1, math.ceil(math.log2(n)))
    return [i for i in range(1, n + 1) if i % d == 0]


# q5


@wrong("optimal_schedule", "the first checkpoint is always half way up, which is not the best place")
def always_half(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("n and memory have to be at least 1")

    def solve(low, high, m):
        while high > low:
            if m == 1:
                s.extend(ups(low, high))
                s.append(("backward", high))
                high -= 1
                continue
            j = (low + high + 1) // 2
            s.extend(ups(low, j))
            s.append(("save", j))
            solve(j, high, m - 1)
            s.extend([("backward", j), ("free", j)])
            high = j - 1

    s = []
    solve(0, n, memory)
    return s


@wrong(
    "optimal_schedule", "the first m - 1 activations are saved, and the rest is evaluated again from there each time"
)
def first_ones_saved(n, memory):
    if min(n, memory) < 1:
        raise ValueError("at least 1")
    saved = min(memory - 1, n)
    s = []
    for i in range(1, saved + 1):
        s += [("forward", i), ("save", i)]
    for top in range(n, saved, -1):
        s += [*ups(saved, top), ("backward", top)]
    for i in range(saved, 0, -1):
        s += [("backward", i), ("free", i)]
    return s


@wrong("optimal_schedule", "the layers above a checkpoint are planned with all places, though the checkpoint needs one")
def place_not_subtracted(n, memory):
    if n < 1:
        raise ValueError(f"n = {n}")
    if memory < 1:
        raise ValueError(f"memory = {memory}")
    s, work = [], [(0, n, False)]
    while work:
        low, high, done = work.pop()
        if done:
            s += [("backward", low), ("free", low)]
        elif high > low:
            length = high - low
            target = adkit.least_evaluations(length, memory)
            jump = 1
            for j in range(1, length + 1):
                above = adkit.least_evaluations(length - j, memory) if j < length else 0
                below = adkit.least_evaluations(j - 1, memory) if j > 1 else 0
                if j + above + below <= target:
                    jump = j
                    break
            s += [*ups(low, low + jump), ("save", low + jump)]
            work += [(low, low + jump - 1, False), (low + jump, low + jump, True), (low + jump, high, False)]
    return s


@wrong("optimal_schedule", "the table tries every first checkpoint in plain Python: minutes for 1000 layers")
def slow_table(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("must be positive")
    E = [[0] * (n + 1) for _ in range(memory + 1)]
    J = [[0] * (n + 1) for _ in range(memory + 1)]
    for m in range(1, memory + 1):
        for length in range(1, n + 1):
            if m == 1:
                E[m][length], J[m][length] = length * (length + 1) // 2, length
                continue
            choices = [(j + E[m - 1][length - j] + E[m][j - 1], j) for j in range(1, length + 1)]
            E[m][length], J[m][length] = min(choices)
    s, todo = [], [(0, n, memory, 0)]
    while todo:
        low, high, m, finish = todo.pop()
        if finish:
            s += [("backward", finish), ("free", finish)]
        elif high > low:
            j = low + J[m][high - low]
            s += [*ups(low, j), ("save", j)]
            todo += [(low, j - 1, m, 0), (0, 0, 0, j), (j, high, m - 1, 0)]
    return s


@wrong("optimal_schedule", "a memory below 1 is taken for 1 instead of refused")
def at_least_one(n, memory):
    return reference.optimal_schedule(n, max(1, memory))


# q6


def pulled_down(params, gradients, i, a, d):
    """The gradients of layer i + 1, stored, and b_i."""
    gradients[i] = (a.T @ d, d.sum(axis=0))
    return d @ params[i][0].T


@wrong("run_schedule", "the schedule is not carried out: plain backpropagation that keeps everything")
def schedule_ignored(schedule, params, x, y):
    activations = [x]
    for layer in params:
        activations.append(adkit.mlp_layer(layer, activations[-1]))
    loss = jnp.mean((activations[-1] - y) ** 2)
    b = 2 * (activations[-1] - y) / y.size
    gradients = [()] * len(params)
    for i in range(len(params), 0, -1):
        d = b * (1 - activations[i] ** 2)
        b = pulled_down(params, gradients, i - 1, activations[i - 1], d)
    return loss, gradients


@wrong("run_schedule", "nothing is given up: an activation that was evaluated once is kept and not evaluated again")
def kept_for_good(schedule, params, x, y):
    n, a = len(params), {0: x}
    loss, b, gradients = None, None, [()] * len(params)
    for action, i in schedule:
        if action == "forward" and i not in a:
            a[i] = adkit.mlp_layer(params[i - 1], a[i - 1])
        elif action == "backward":
            if i == n:
                loss, b = jnp.mean((a[n] - y) ** 2), 2 / y.size * (a[n] - y)
            else:
                b = pulled_down(params, gradients, i, a[i], b * (1 - a[i + 1] ** 2))
    pulled_down(params, gradients, 0, x, b * (1 - a[1] ** 2))
    return loss, gradients


@wrong("run_schedule", "tanh' is taken at a_i instead of at what went into the tanh: 1 - tanh(a_i)^2")
def tanh_twice(schedule, params, x, y):
    saved, w, d, loss = {}, None, None, None
    grads = [()] * len(params)
    for action, i in schedule:
        if action == "forward":
            w = adkit.mlp_layer(params[i - 1], x if i == 1 else saved.get(i - 1, w))
        elif action == "save":
            saved[i] = w
        elif action == "free":
            del saved[i]
        else:
            a = saved.get(i, w)
            if i == len(params):
                loss = jnp.mean((a - y) ** 2)
                b = 2 * (a - y) / a.size
            else:
                b = pulled_down(params, grads, i, a, d)
            d = b * (1 - jnp.tanh(a) ** 2)
    pulled_down(params, grads, 0, x, d)
    return loss, grads


@wrong("run_schedule", "the gradient of the loss is divided by the batch, not by the number of entries of a_n")
def divided_by_the_batch(schedule, params, x, y):
    class State:
        saved: dict[int, object] = {}  # noqa: RUF012
        working = None

    state, n = State(), len(params)
    state.saved = {}
    gradients = [()] * n
    loss = d = None
    for action, i in schedule:
        match action:
            case "forward":
                below = x if i == 1 else state.saved.get(i - 1, state.working)
                state.working = adkit.mlp_layer(params[i - 1], below)
            case "save":
                state.saved[i] = state.working
            case "free":
                state.saved.pop(i)
            case "backward":
                a = state.saved.get(i, state.working)
                if i == n:
                    loss = jnp.mean((a - y) ** 2)
                    b = 2 * (a - y) / len(x)
                else:
                    b = pulled_down(params, gradients, i, a, d)
                d = b * (1 - a * a)
    pulled_down(params, gradients, 0, x, d)
    return loss, gradients


@wrong("run_schedule", "the gradients are in the order of the backward steps: the last layer's come first")
def backwards_in_the_list(schedule, params, x, y):
    saved, working, b, loss, grads = {}, x, None, None, []
    for action, i in schedule:
        if action == "forward":
            working = adkit.mlp_layer(params[i - 1], saved.get(i - 1, x if i == 1 else working))
        elif action == "save":
            saved[i] = working
        elif action == "free":
            saved.pop(i)
        else:
            a = saved.get(i, working)
            if i == len(params):
                loss, b = jnp.mean((a - y) ** 2), 2 * (a - y) / y.size
            else:
                _, pull = jax.vjp(adkit.mlp_layer, params[i], a)
                layer_bar, b = pull(b)
                grads.append(layer_bar)
    grads.append(jax.vjp(lambda p: adkit.mlp_layer(p, x), params[0])[1](b)[0])
    return loss, grads


# q7


@wrong("checkpointed_loss", "the layers after the last checkpoint are left out")
def ends_at_the_last_checkpoint(params, x, y, checkpoints):
    a, start = x, 0
    for end in checkpoints:
        a = jax.checkpoint(run_layers)(params[start:end], a)
        start = end
    return jnp.mean((a - y) ** 2)


@wrong("checkpointed_loss", "the last segment is not wrapped, so all its activations are kept")
def last_segment_plain(params, x, y, checkpoints):
    bounds = [0, *(int(c) for c in checkpoints)]
    for low, high in itertools.pairwise(bounds):
        x = jax.checkpoint(run_layers)(params[low:high], x)
    return jnp.mean((run_layers(params[bounds[-1] :], x) - y) ** 2)


@wrong("checkpointed_loss", "the segments end one layer too early: a_(c-1) is kept for a_c")
def one_layer_early(params, x, y, checkpoints):
    kept = {int(c) for c in checkpoints}
    a, layers = x, []
    for i, layer in enumerate(params):
        if i + 1 in kept and layers:
            a = jax.checkpoint(run_layers)(layers, a)
            layers = []
        layers.append(layer)
    return jnp.mean((jax.checkpoint(run_layers)(layers, a) - y) ** 2)


@wrong("checkpointed_loss", "a policy that saves everything makes the checkpoints do nothing")
def everything_saveable(params, x, y, checkpoints):
    segment = jax.checkpoint(run_layers, policy=jax.checkpoint_policies.everything_saveable)
    bounds = [0, *checkpoints]
    if bounds[-1] != len(params):
        bounds.append(len(params))
    a = functools.reduce(lambda a, k: segment(params[bounds[k] : bounds[k + 1]], a), range(len(bounds) - 1), x)
    return jnp.mean(jnp.square(a - y))


@wrong("checkpointed_loss", "the squares are summed over the outputs and averaged over the batch only")
def mean_over_the_batch(params, x, y, checkpoints):
    ends = sorted({*map(int, checkpoints), len(params)})
    a = x
    for start, end in zip([0, *ends], ends, strict=False):
        a = jax.checkpoint(run_layers)(params[start:end], a)
    return jnp.mean(jnp.sum((a - y) ** 2, axis=1))


# q8


def dynamic_program(size, weight, memory, working_counts=True):
    n = len(size)

    @functools.cache
    def best(low, high, room):
        if low == high:
            return 0, None
        options, way = [(math.inf, None)], 0
        for j in range(low + 1, high + 1):
            way += weight[j - 1]
            if size[j - 1] > room and working_counts:
                break
            if size[j - 1] > room and j < high:
                continue
            total = way + best(j, high, room - size[j - 1])[0] + best(low, j - 1, room)[0]
            options.append((total, j))
        return min(options, key=lambda option: option[0])

    def write(low, high, room):
        if low == high:
            return []
        j = best(low, high, room)[1]
        if j == high:
            return [*ups(low, j), ("backward", j), *write(low, j - 1, room)]
        above = write(j, high, room - size[j - 1])
        return [*ups(low, j), ("save", j), *above, ("backward", j), ("free", j), *write(low, j - 1, room)]

    if best(0, n, memory)[0] == math.inf:
        raise ValueError("the memory is too small")
    return write(0, n, memory)


@wrong("optimal_schedule_for", "the number of evaluations is made small, whatever they cost")
def costs_ignored(sizes, costs, memory):
    return dynamic_program(tuple(sizes), (1,) * len(costs), memory)


@wrong("optimal_schedule_for", "only what is saved has to fit into the memory, the working activation comes on top")
def working_not_counted(sizes, costs, memory):
    return dynamic_program(tuple(sizes), tuple(costs), memory, working_counts=False)


@wrong("optimal_schedule_for", "every activation is taken for as large as the largest, and q5 does the rest")
def all_as_the_largest(sizes, costs, memory):
    places = memory // max(sizes)
    if places < 1:
        raise ValueError(f"memory {memory} is too small")
    return reference.optimal_schedule(len(sizes), places)


# q9


@wrong(
    "nested_checkpointed_loss", "two levels, the root of n segments with each layer wrapped: memory like the root of n"
)
def two_levels(params, x, y):
    d = max(1, round(math.sqrt(len(params))))

    @jax.checkpoint
    def segment(layers, a):
        for layer in layers:
            a = jax.checkpoint(adkit.mlp_layer)(layer, a)
        return a

    for start in range(0, len(params), d):
        x = segment(params[start : start + d], x)
    return jnp.mean((x - y) ** 2)


@wrong("nested_checkpointed_loss", "two halves of the same length: of an odd number of layers the last one is lost")
def odd_one_lost(params, x, y):
    @jax.checkpoint
    def go(part, a):
        if len(part) == 1:
            return adkit.mlp_layer(part[0], a)
        half = len(part) // 2
        lower, upper = np.arange(half), np.arange(half, 2 * half)
        return go([part[k] for k in upper], go([part[k] for k in lower], a))

    return jnp.mean((go(list(params), x) - y) ** 2)


@wrong("nested_checkpointed_loss", "the halving ends at blocks of eight layers, which keep all their activations")
def blocks_of_eight(params, x, y):
    def go(low, high, a):
        if high - low <= 8:
            return run_layers(params[low:high], a)
        middle = (low + high) // 2
        a = jax.checkpoint(lambda a: go(low, middle, a))(a)
        return jax.checkpoint(lambda a: go(middle, high, a))(a)

    return jnp.mean((go(0, len(params), x) - y) ** 2)
