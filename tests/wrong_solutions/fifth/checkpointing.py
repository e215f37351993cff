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
from jax.ad_checkpoint import checkpoint_name

from reference import checkpointing as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def valid(n, checkpoints):
    """The checkpoints as a list of ints; ValueError unless they are a strictly increasing subset of 1..n."""
    kept = list(map(int, checkpoints))
    if any(c not in range(1, n + 1) for c in kept) or any(a >= b for a, b in itertools.pairwise(kept)):
        raise ValueError(f"not checkpoints of {n} layers: {kept}")
    return kept


class Plan(list):
    """A schedule that is written by methods."""

    def up(self, start, end):
        """From a_start, which is at hand, to a_end; nothing is saved."""
        self.extend(("forward", i) for i in range(start + 1, end + 1))

    def up_and_save(self, start, end):
        for i in range(start + 1, end + 1):
            self.extend([("forward", i), ("save", i)])

    def down(self, high, low):
        """The backward steps from high to low, of saved activations, each freed afterwards."""
        for i in range(high, low - 1, -1):
            self.extend([("backward", i), ("free", i)])


def through(layers, a):
    return functools.reduce(lambda a, layer: adkit.mlp_layer(layer, a), layers, a)


def mse(a, y):
    return jnp.mean(jnp.square(a - y))


# q1


@wrong("vanilla_schedule", "every activation is freed before its backward step")
def freed_before_use(n):
    s = Plan()
    s.up_and_save(0, n)
    for i in range(n, 0, -1):
        s += [("free", i), ("backward", i)]
    return list(s)


@wrong("vanilla_schedule", "layers are counted from 0")
def from_zero(n):
    return [
        *(action for i in range(n) for action in (("forward", i), ("save", i))),
        *(action for i in reversed(range(n)) for action in (("backward", i), ("free", i))),
    ]


@wrong("vanilla_schedule", "the backward steps go up, from b_1 to b_n")
def backward_upwards(n):
    s = Plan()
    s.up_and_save(0, n)
    for i in range(1, n + 1):
        s.append(("backward", i))
        s.append(("free", i))
    return list(s)


# q2


@wrong("memory_poor_schedule", "the last sweep, for b_1, is missing: the loop ends at 2")
def without_the_last_sweep(n):
    s = Plan()
    for i in range(n, 1, -1):
        s.up(0, i)
        s.append(("backward", i))
    return list(s)


@wrong("memory_poor_schedule", "each sweep ends one activation short of the one that its backward step needs")
def sweep_too_short(n):
    sweeps = [[("forward", k) for k in range(1, i)] + [("backward", i)] for i in range(n, 0, -1)]
    return list(itertools.chain.from_iterable(sweeps))


@wrong("memory_poor_schedule", "a_1 is kept and the sweeps begin above it: a peak of 2, and fewer evaluations")
def first_one_kept(n):
    if n == 1:
        return [("forward", 1), ("backward", 1)]
    s = Plan([("forward", 1), ("save", 1)])
    for i in range(n, 1, -1):
        s.up(1, i)
        s.append(("backward", i))
    s.down(1, 1)
    return list(s)


# q3


@wrong("checkpointed_schedule", "the last segment is not kept on the way forward, and evaluated again like the others")
def last_segment_again(n, checkpoints):
    kept = valid(n, checkpoints)
    s = Plan()
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept:
            s.append(("save", i))
    ends = [*kept, n + 1] if n not in kept else kept
    starts = [0, *kept]
    if n in kept:
        s.down(n, n)
    for start, end in reversed(list(zip(starts, ends, strict=False))):
        s.up_and_save(start, end - 1)
        s.down(end - 1, start + 1)
        if start:
            s.down(start, start)
    return list(s)


@wrong("checkpointed_schedule", "the checkpoints are sorted and made unique, so invalid ones raise no ValueError")
def put_in_order(n, checkpoints):
    kept = sorted({int(c) for c in checkpoints})
    if kept and not 1 <= kept[0] <= kept[-1] <= n:
        raise ValueError("checkpoints must be layers")
    return reference.checkpointed_schedule(n, kept)


@wrong("checkpointed_schedule", "n itself is refused as a checkpoint")
def n_refused(n, checkpoints):
    kept = list(checkpoints)
    for position, c in enumerate(kept):
        if not 0 < c < n or c in kept[:position] or (position and c < kept[position - 1]):
            raise ValueError(f"bad checkpoint {c}")
    return reference.checkpointed_schedule(n, kept)


@wrong("checkpointed_schedule", "the checkpoints are ignored: everything is kept, as in q1")
def all_kept(n, checkpoints):
    valid(n, checkpoints)
    s = Plan()
    s.up_and_save(0, n)
    s.down(n, 1)
    return list(s)


@wrong("checkpointed_schedule", "each segment is evaluated again from the input, not from the checkpoint before it")
def again_from_the_input(n, checkpoints):
    kept = valid(n, checkpoints)
    bounds = [0, *kept]
    s = Plan()
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept or i > bounds[-1]:
            s.append(("save", i))
    s.down(n, bounds[-1] + 1)
    for start, end in reversed(list(itertools.pairwise(bounds))):
        s.down(end, end)
        if end - start > 1:
            s.up(0, start)
            s.up_and_save(start, end - 1)
            s.down(end - 1, start + 1)
    return list(s)


@wrong("checkpointed_schedule", "nothing but the checkpoints is ever freed before the end")
def freed_at_the_end(n, checkpoints):
    kept = valid(n, checkpoints)
    s = Plan()
    last = kept[-1] if kept else 0
    for i in range(1, n + 1):
        s.append(("forward", i))
        if i in kept or i > last:
            s.append(("save", i))
    edges = [0, *kept, n + 1]
    for low, high in reversed(list(itertools.pairwise(edges))):
        if high <= n:
            s.up_and_save(low, high - 1)
        s.extend(("backward", i) for i in range(high - 1, low, -1))
        if low:
            s.down(low, low)
    s.extend(("free", i) for i in range(1, n + 1) if i not in kept)
    return list(s)


# q4


@wrong("choose_checkpoints", "a single checkpoint in the middle")
def in_the_middle(n):
    return [max(1, n // 2)]


@wrong("choose_checkpoints", "the squares 1, 4, 9, …, whose distances grow to 2 sqrt n")
def square_numbers(n):
    return [k * k for k in range(1, math.isqrt(n) + 1)]


@wrong("choose_checkpoints", "the powers of two: the last run is half of the chain")
def powers(n):
    return [2**k for k in range(n.bit_length())]


@wrong("choose_checkpoints", "multiples of the spacing from 0 on: 0 is no checkpoint")
def zero_included(n):
    spacing = math.ceil(math.sqrt(n))
    return np.arange(0, n, spacing).tolist()


# q5


def planned(n, memory, split, from_input=False):
    """The schedule whose first checkpoint above a_start is split(length, places) layers up."""
    if n < 1 or memory < 1:
        raise ValueError("n and memory must be at least 1")
    s = Plan()
    jobs = [("work", 0, n, memory)]
    while jobs:
        job, start, end, places = jobs.pop()
        if job == "drop":
            s.down(end, end)
        elif start < end:
            j = end if places == 1 else start + split(end - start, places)
            s.up(0 if from_input and places == 1 else start, j)
            jobs.append(("work", start, j - 1, places))
            if j == end:
                s.append(("backward", j))
            else:
                s.append(("save", j))
                jobs += [("drop", 0, j, 0), ("work", j, end, places - 1)]
    return list(s)


@wrong("optimal_schedule", "the first checkpoint is always in the middle: legal, and more evaluations than T(n, m)")
def always_halved(n, memory):
    return planned(n, memory, lambda length, places: (length + 1) // 2)


@wrong("optimal_schedule", "the working activation is not counted in the memory: a peak of m + 1")
def working_one_extra(n, memory):
    if memory < 1:
        raise ValueError("no memory")
    return reference.optimal_schedule(n, memory + 1)


@wrong("optimal_schedule", "a memory below 1 is taken for 1, no ValueError")
def at_least_one_place(n, memory):
    if n < 1:
        raise ValueError("no layers")
    return reference.optimal_schedule(n, max(1, memory))


@wrong("optimal_schedule", "a plain recursion that tries every split and remembers nothing: exponential time")
def nothing_remembered(n, memory):
    if n < 1 or memory < 1:
        raise ValueError((n, memory))

    def least(length, places):
        if length == 0:
            return 0, 0
        if places == 1:
            return length * (length + 1) // 2, length
        return min((j + least(length - j, places - 1)[0] + least(j - 1, places)[0], j) for j in range(1, length + 1))

    return planned(n, memory, lambda length, places: least(length, places)[1])


@wrong("optimal_schedule", "with one place left every sweep starts at the input, not at the checkpoint below")
def last_place_from_the_input(n, memory):
    @functools.cache
    def split(length, places):
        r = 1
        while math.comb(places + r, r) < length + 1:
            r += 1
        least = math.comb(places + r - 2, r - 2) if r > 1 else 1
        return max(1, least, length + 1 - math.comb(places + r - 1, r))

    return planned(n, memory, split, from_input=True)


@wrong("optimal_schedule", "below the checkpoint j it takes j layers and not j - 1: a_j is evaluated once more")
def one_layer_too_many(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("at least one layer and one place")
    memory = min(memory, n)
    table = np.zeros((memory + 1, n + 1), dtype=int)
    choice = np.zeros((memory + 1, n + 1), dtype=int)
    table[1] = choice[1] = np.arange(n + 1)
    table[1] = table[1] * (table[1] + 1) // 2
    for m in range(2, memory + 1):
        for length in range(1, n + 1):
            j = np.arange(1, length)
            costs = j + table[m - 1, length - j] + table[m, j]
            last = length + table[m, length - 1]
            best = int(np.argmin(costs)) if length > 1 else 0
            if length == 1 or last <= costs[best]:
                table[m, length], choice[m, length] = last, length
            else:
                table[m, length], choice[m, length] = costs[best], j[best]
    s = Plan()
    jobs = [(0, n, memory)]
    while jobs:
        start, end, places = jobs.pop()
        if places < 0:
            s.append(("free", end))
        elif start < end:
            j = start + int(choice[places, end - start])
            s.up(start, j)
            if j == end:
                s.append(("backward", j))
                jobs.append((start, j - 1, places))
            else:
                s.append(("save", j))
                jobs += [(start, j, places), (j, j, -1), (j, end, places - 1)]
    return list(s)


# q6


class Machine:
    """Carries out a schedule; what students get wrong are its methods."""

    def __init__(self, params, x, y):
        self.params, self.x, self.y = params, x, y
        self.n = len(params)
        self.saved, self.working = {}, (0, x)
        self.gradients = [None] * self.n

    def get(self, i):
        return self.x if i == 0 else self.working[1] if self.working[0] == i else self.saved[i]

    def forward(self, i):
        self.working = i, adkit.mlp_layer(self.params[i - 1], self.get(i - 1))

    def save(self, i):
        self.saved[i] = self.working[1]

    def free(self, i):
        del self.saved[i]

    def slope(self, a):
        return 1 - a**2

    def start(self, a):
        return 2 * (a - self.y) / a.size

    def gradient(self, a, d):
        return a.T @ d, d.sum(axis=0)

    def backward(self, i):
        a = self.get(i)
        if i == self.n:
            self.loss = mse(a, self.y)
            b = self.start(a)
        else:
            self.gradients[i] = self.gradient(a, self.d)
            b = self.d @ jnp.asarray(self.params[i][0]).T
        self.d = b * self.slope(a)

    def run(self, schedule):
        for action, i in schedule:
            getattr(self, action)(i)
        self.gradients[0] = self.gradient(self.x, self.d)
        return self.loss, self.gradients


@wrong("run_schedule", "the loss is differentiated as a sum: 2 (a_n - y) is not divided by the number of entries")
def sum_for_mean(schedule, params, x, y):
    class Summed(Machine):
        def start(self, a):
            return 2 * (a - self.y)

    return Summed(params, x, y).run(schedule)


@wrong("run_schedule", "tanh' is taken at the activation: 1 - tanh(a)^2 where 1 - a^2 belongs")
def tanh_twice(schedule, params, x, y):
    class Twice(Machine):
        def slope(self, a):
            return 1 - jnp.tanh(a) ** 2

    return Twice(params, x, y).run(schedule)


@wrong("run_schedule", "the last layer's tanh' is missing: d_n is the loss's own gradient")
def linear_at_the_end(schedule, params, x, y):
    class Linear(Machine):
        def backward(self, i):
            super().backward(i)
            if i == self.n:
                self.d = self.start(self.get(i))

    return Linear(params, x, y).run(schedule)


@wrong("run_schedule", "the bias's gradient is the mean over the batch, not the sum")
def mean_over_the_batch(schedule, params, x, y):
    class Mean(Machine):
        def gradient(self, a, d):
            return a.T @ d, jnp.mean(d, axis=0)

    return Mean(params, x, y).run(schedule)


@wrong("run_schedule", "the schedule is not carried out: every activation is kept, in plain backpropagation")
def schedule_unread(schedule, params, x, y):
    activations = [x]
    for layer in params:
        activations.append(adkit.mlp_layer(layer, activations[-1]))
    bar = 2 * (activations[-1] - y) / activations[-1].size
    gradients = []
    for (W, _), below, a in zip(params[::-1], activations[-2::-1], activations[:0:-1], strict=True):
        d = bar * (1 - a**2)
        gradients.append((below.T @ d, d.sum(0)))
        bar = d @ W.T
    return jnp.mean((activations[-1] - y) ** 2), gradients[::-1]


@wrong("run_schedule", "a layer is evaluated at what is working, also where the schedule goes on from a saved one")
def always_from_working(schedule, params, x, y):
    class Blind(Machine):
        def forward(self, i):
            below = self.x if i == 1 else self.working[1]
            self.working = i, adkit.mlp_layer(self.params[i - 1], below)

    return Blind(params, x, y).run(schedule)


@wrong("run_schedule", "an activation that was evaluated once is remembered and taken from there the next time")
def remembered(schedule, params, x, y):
    cache = {0: x}
    n, grads, d, loss = len(params), {}, None, None
    for action, i in schedule:
        if action == "forward" and i not in cache:
            cache[i] = jnp.tanh(cache[i - 1] @ params[i - 1][0] + params[i - 1][1])
        if action == "backward":
            if i == n:
                loss = jnp.mean((cache[n] - y) ** 2)
                d = 2 / y.size * (cache[n] - y) * (1 - cache[n] ** 2)
            else:
                d = (d @ params[i][0].T) * (1 - cache[i] ** 2)
            grads[i] = (cache[i - 1].T @ d, d.sum(axis=0))
    return loss, [grads[i] for i in range(1, n + 1)]


@wrong("run_schedule", "W_bar is d^T a, the transpose")
def weights_transposed(schedule, params, x, y):
    class Transposed(Machine):
        def gradient(self, a, d):
            return jnp.einsum("bo,bi->oi", d, a), jnp.einsum("bo->o", d)

    return Transposed(params, x, y).run(schedule)


# q7


@wrong("checkpointed_loss", "one jax.checkpoint around the whole network")
def one_around_all(params, x, y, checkpoints):
    return mse(jax.checkpoint(through)(params, x), y)


@wrong("checkpointed_loss", "a jax.checkpoint around each single layer: every activation is kept")
def one_around_each(params, x, y, checkpoints):
    layer = jax.checkpoint(adkit.mlp_layer)
    a = x
    for pair in params:
        a = layer(pair, a)
    return mse(a, y)


@wrong("checkpointed_loss", "one jax.checkpoint with a policy that keeps the named checkpoints")
def kept_by_name(params, x, y, checkpoints):
    wanted = set(checkpoints)

    @functools.partial(jax.checkpoint, policy=jax.checkpoint_policies.save_only_these_names("kept"))
    def network(params, a):
        for i, pair in enumerate(params, start=1):
            a = adkit.mlp_layer(pair, a)
            if i in wanted and i < len(params):
                a = checkpoint_name(a, "kept")
        return a

    return mse(network(params, x), y)


@wrong("checkpointed_loss", "the segments end one layer early: the activations before the checkpoints are kept")
def one_layer_early(params, x, y, checkpoints):
    cuts = [0, *[c - 1 for c in checkpoints if c > 1], len(params)]
    a = x
    for low, high in itertools.pairwise(cuts):
        a = jax.checkpoint(through)(params[low:high], a)
    return mse(a, y)


@wrong("checkpointed_loss", "the last segment is not wrapped, so all of its activations are kept")
def last_segment_bare(params, x, y, checkpoints):
    a, start = x, 0
    for end in checkpoints:
        a = jax.checkpoint(through)(params[start:end], a)
        start = end
    return mse(through(params[start:], a), y)


@wrong("checkpointed_loss", "the squares are added up over the outputs, and the mean is over the batch only")
def sum_over_outputs(params, x, y, checkpoints):
    a = x
    bounds = sorted({0, *checkpoints, len(params)})
    for low, high in itertools.pairwise(bounds):
        a = jax.checkpoint(through)(params[low:high], a)
    return jnp.mean(jnp.sum((a - y) ** 2, axis=1))


@wrong("checkpointed_loss", "stop_gradient at the checkpoints: what lies below the last one gets the gradient 0")
def cut_off(params, x, y, checkpoints):
    a, start = x, 0
    for end in [*checkpoints, len(params)]:
        a = jax.checkpoint(through)(params[start:end], jax.lax.stop_gradient(a))
        start = end
    return mse(a, y)


# q8


def persistent(size, cost, memory):
    """The dynamic program over persistent schedules."""
    n = len(size)

    @functools.cache
    def best(start, end, free):
        if start == end:
            return 0, None
        options = [(math.inf, None)]
        for j in range(start + 1, end + 1):
            if max(size[start:j]) <= free:
                above = best(j, end, free - size[j - 1])[0] if j < end else 0
                options.append((sum(cost[start:j]) + above + best(start, j - 1, free)[0], j))
        return min(options, key=lambda option: option[0])

    if best(0, n, memory)[0] == math.inf:
        raise ValueError("too little memory")
    s = Plan()

    def write(start, end, free):
        if start == end:
            return
        j = best(start, end, free)[1]
        s.up(start, j)
        if j == end:
            s.append(("backward", j))
        else:
            s.append(("save", j))
            write(j, end, free - size[j - 1])
            s.down(j, j)
        write(start, j - 1, free)

    write(0, n, memory)
    return list(s)


@wrong("optimal_schedule_for", "the number of evaluations is made small, not their cost")
def evaluations_counted(sizes, costs, memory):
    return persistent(sizes, [1] * len(costs), memory)


@wrong("optimal_schedule_for", "where it is impossible it returns an empty schedule, no ValueError")
def empty_if_impossible(sizes, costs, memory):
    try:
        return reference.optimal_schedule_for(sizes, costs, memory)
    except ValueError:
        return []


@wrong("optimal_schedule_for", "everything is kept if it fits, and nothing at all if it does not")
def all_or_nothing(sizes, costs, memory):
    if max(sizes) > memory:
        raise ValueError("impossible")
    n = len(sizes)
    return reference.vanilla_schedule(n) if sum(sizes) <= memory else reference.memory_poor_schedule(n)


# q9


@wrong("nested_checkpointed_loss", "two levels only: segments of sqrt n layers, each a jax.checkpoint")
def segments_of_root_n(params, x, y):
    s = math.isqrt(len(params) - 1) + 1
    a = x
    for start in range(0, len(params), s):
        a = jax.checkpoint(through)(params[start : start + s], a)
    return mse(a, y)


@wrong("nested_checkpointed_loss", "the layers are halved again and again, without any jax.checkpoint")
def halved_in_vain(params, x, y):
    def half(layers, a):
        if len(layers) < 2:
            return adkit.mlp_layer(layers[0], a)
        middle = len(layers) // 2
        return half(layers[middle:], half(layers[:middle], a))

    return mse(half(params, x), y)


@wrong("nested_checkpointed_loss", "both halves are n // 2 layers long, so an odd number loses its last layer")
def odd_one_lost(params, x, y):
    @jax.checkpoint
    def half(layers, a):
        h = len(layers) // 2
        if h == 0:
            return adkit.mlp_layer(layers[0], a)
        return half(layers[h : 2 * h], half(layers[:h], a))

    return mse(half(params, x), y)


@wrong("nested_checkpointed_loss", "the upper half comes before the lower one: the layers are in the wrong order")
def upper_half_first(params, x, y):
    def half(layers, a):
        if len(layers) == 1:
            return adkit.mlp_layer(layers[0], a)
        lower, upper = layers[: len(layers) // 2], layers[len(layers) // 2 :]
        return jax.checkpoint(half)(lower, jax.checkpoint(half)(upper, a))

    return mse(half(params, x), y)


@wrong("nested_checkpointed_loss", "a checkpoint around all layers below, for each layer: n(n+1)/2 evaluations")
def onion(params, x, y):
    def upto(layers, a):
        if not layers:
            return a
        return adkit.mlp_layer(layers[-1], jax.checkpoint(upto)(layers[:-1], a))

    return mse(upto(list(params), x), y)
