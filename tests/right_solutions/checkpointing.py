"""Right solutions of `checkpointing`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools
import math
from bisect import bisect_left
from collections import deque
from typing import Any

import adkit
import jax
import jax.numpy as jnp
import numpy as np

from right_solutions import Collection

RIGHT = Collection()
right = RIGHT.right

# q1


@right("vanilla_schedule", "a tuple of tuples, by itertools")
def chained(n):
    up = (((("forward", i)), ("save", i)) for i in range(1, n + 1))
    down = ((("backward", i), ("free", i)) for i in range(n, 0, -1))
    return tuple(itertools.chain.from_iterable(itertools.chain(up, down)))


@right("vanilla_schedule", "a deque that grows in the middle")
def from_the_middle(n):
    steps: deque[Any] = deque()
    for i in range(n, 0, -1):
        steps.appendleft(("save", i))
        steps.appendleft(("forward", i))
        steps.append(("backward", i))
        steps.append(("free", i))
    return steps


@right("vanilla_schedule", "a class that records")
def recorder(n):
    class Tape:
        def __init__(self):
            self.steps: list[Any] = []

        def __getattr__(self, name):
            return lambda i: self.steps.append([name, i])

    tape = Tape()
    for i in range(1, n + 1):
        tape.forward(i)
        tape.save(i)
    for i in reversed(range(1, 1 + n)):
        tape.backward(i)
        tape.free(i)
    return tape.steps


@right("vanilla_schedule", "a_n is not saved: it is working when it is needed")
def last_one_only_working(n):
    s = [(a, np.int64(i)) for i in range(1, n) for a in ("forward", "save")]
    s += [("forward", n), ("backward", n)]
    return s + [(a, i) for i in range(n - 1, 0, -1) for a in ("backward", "free")]


@right("vanilla_schedule", "all are freed at the very end")
def freed_at_the_end(n):
    s = [(a, i) for i in range(1, n + 1) for a in ("forward", "save")]
    return s + [("backward", i) for i in range(n, 0, -1)] + [("free", i) for i in range(1, n + 1)]


# q2


@right("memory_poor_schedule", "a generator within, turned into a list")
def generated(n):
    def steps():
        for top in range(n, 0, -1):
            yield from (("forward", i) for i in range(1, top + 1))
            yield "backward", top

    return list(steps())


@right("memory_poor_schedule", "functools.reduce, sums of lists")
def reduced(n):
    sweeps = ([*(("forward", k) for k in range(1, i + 1)), ("backward", i)] for i in range(n, 0, -1))
    return functools.reduce(lambda a, b: a + b, sweeps)


@right("memory_poor_schedule", "the working activation is saved and freed in each sweep")
def saved_and_freed(n):
    s = []
    for i in range(n, 0, -1):
        for k in range(1, i + 1):
            s.append(("forward", k))
        s += [("save", i), ("backward", i), ("free", i)]
    return s


@right("memory_poor_schedule", "while loops and two counters")
def two_counters(n: int) -> list[tuple[str, int]]:
    out: list[tuple[str, int]] = []
    top, k = n, 0
    while top > 0:
        k += 1
        out.append(("forward", k))
        if k == top:
            out.append(("backward", top))
            top, k = top - 1, 0
    return out


# q3


def refused(n, checkpoints):
    previous = 0
    for c in checkpoints:
        if c != int(c) or not previous < c <= n:
            raise ValueError(f"{checkpoints} is not a strictly increasing subset of 1..{n}")
        previous = c


@right("checkpointed_schedule", "segment by segment, with a stack of pieces")
def stack_of_segments(n, checkpoints):
    refused(n, checkpoints)
    bounds = [0, *map(int, checkpoints)]
    s = []
    for low, high in itertools.pairwise(bounds):
        s += [("forward", i) for i in range(low + 1, high + 1)] + [("save", high)]
    pieces = list(itertools.pairwise([*bounds, n + 1]))
    first = True
    while pieces:
        low, high = pieces.pop()
        inner = range(low + 1, high)
        s += [(a, i) for i in inner for a in ("forward", "save")]
        s += [(a, i) for i in reversed(inner) for a in ("backward", "free")]
        if low:
            s += [("backward", low), ("free", low)]
        first = False
    assert not first or n == 0
    return s


@right("checkpointed_schedule", "a set of what is held, looked up at each backward step")
def held(n, checkpoints):
    refused(n, checkpoints)
    kept, held, s = {int(c) for c in checkpoints}, set(), []

    def climb(low, high, keep):
        for i in range(low + 1, high + 1):
            s.append(("forward", i))
            if keep(i):
                s.append(("save", i))
                held.add(i)

    last = max(kept, default=0)
    climb(0, n, lambda i: i in kept or i > last)
    for i in range(n, 0, -1):
        if i not in held:
            climb(max((j for j in held if j < i), default=0), i, lambda j: True)
        s.extend([("backward", i), ("free", i)])
        held.discard(i)
    return s


@right("checkpointed_schedule", "bisection in a NumPy array of bounds")
def searched(n, checkpoints):
    refused(n, checkpoints)
    c = [int(k) for k in checkpoints]
    last = c[-1] if c else 0
    s = []
    for i in range(1, n + 1):
        s.append(("forward", i))
        k = bisect_left(c, i)
        if i > last or (k < len(c) and c[k] == i):
            s.append(("save", i))
    i = n
    while i:
        if i > last or i in c:
            s += [("backward", i), ("free", i)]
        else:
            low = c[bisect_left(c, i) - 1] if bisect_left(c, i) else 0
            for j in range(low + 1, i + 1):
                s += [("forward", j), ("save", j)]
            for j in range(i, low, -1):
                s += [("backward", j), ("free", j)]
            i = low + 1
        i -= 1
    return s


@right("checkpointed_schedule", "the top of a segment is not saved, it is working when it is needed")
def top_not_saved(n, checkpoints):
    refused(n, checkpoints)
    bounds = [0, *(int(c) for c in checkpoints)]
    s = []
    for low, high in itertools.pairwise(bounds):
        s += [("forward", i) for i in range(low + 1, high + 1)]
        s.append(("save", high))
    for low, high in reversed(list(itertools.pairwise([*bounds, n + 1]))):
        top = high - 1
        for i in range(low + 1, high):
            s.append(("forward", i))
            if i < top:
                s.append(("save", i))
        for i in range(top, low, -1):
            s.append(("backward", i))
            if i < top:
                s.append(("free", i))
        if low:
            s += [("backward", low), ("free", low)]
    return s


# q4


@right("choose_checkpoints", "a NumPy range as an array")
def numpy_range(n):
    d = max(1, int(np.floor(np.sqrt(n))))
    return np.arange(d, n + 1, d)


@right("choose_checkpoints", "ranges are sequences too")
def a_range(n):
    return range(math.isqrt(n), n + 1, math.isqrt(n))


@right("choose_checkpoints", "the least peak of all distances is looked for")
def best_distance(n):
    def peak(c):
        bounds = [0, *c, n + 1]
        return max([len(c), *(j + b - a - 1 for j, (a, b) in enumerate(itertools.pairwise(bounds)))])

    return min((list(range(d, n + 1, d)) for d in range(1, min(n, 60) + 1)), key=peak)


@right("choose_checkpoints", "shrinking segments: long ones first, whose checkpoints are few by then")
def shrinking(n):
    k = 0
    while k * (k + 1) // 2 < n:
        k += 1
    found, at = [], 0
    for width in range(k, 0, -1):
        at += width
        if at <= n:
            found.append(at)
    return found


# q5


def smallest_repetition(length, m):
    r = 0
    while math.comb(m + r, r) < length + 1:
        r += 1
    return r


def evaluations(length, m):
    if length <= 0:
        return 0
    r = smallest_repetition(length, m)
    return r * (length + 1) - math.comb(m + r, r - 1)


@right("optimal_schedule", "the formula at every split, with a stack of what is to be done")
def formula_and_stack(n, memory):
    if n < 1 or memory < 1:
        raise ValueError("n and memory have to be positive")
    s, work = [], [("solve", 0, n, min(memory, n))]
    while work:
        what, low, high, m = work.pop()
        if what == "done":
            s += [("backward", low), ("free", low)]
            continue
        if low == high:
            continue
        if m == 1:
            for top in range(high, low, -1):
                s += [("forward", i) for i in range(low + 1, top + 1)]
                s.append(("backward", top))
            continue
        length = high - low
        target = evaluations(length, m)
        j = next(
            j for j in range(1, length + 1) if j + evaluations(length - j, m - 1) + evaluations(j - 1, m) == target
        )
        s += [("forward", low + i) for i in range(1, j + 1)]
        s.append(("save", low + j))
        work += [("solve", low, low + j - 1, m), ("done", low + j, 0, 0), ("solve", low + j, high, m - 1)]
    return s


@right("optimal_schedule", "the binomial split, the largest that is optimal, recursion on the upper part only")
def binomial_split(n, memory):
    if min(n, memory) < 1:
        raise ValueError("must be at least 1")
    s: list[Any] = []

    def solve(low, high, m):
        while high > low:
            length = high - low
            if m == 1:
                for top in range(high, low, -1):
                    s.extend(("forward", i) for i in range(low + 1, top + 1))
                    s.append(("backward", top))
                return
            target = evaluations(length, m)
            j = max(j for j in _near(length, m) if j + evaluations(length - j, m - 1) + evaluations(j - 1, m) == target)
            s.extend(("forward", low + i) for i in range(1, j + 1))
            s.append(("save", low + j))
            solve(low + j, high, m - 1)
            s.extend([("backward", low + j), ("free", low + j)])
            high = low + j - 1

    if memory >= n:
        s.extend((action, i) for i in range(1, n + 1) for action in ("forward", "save"))
        s.extend((action, i) for i in range(n, 0, -1) for action in ("backward", "free"))
    else:
        solve(0, n, memory)
    return s


def _near(length, m):
    return range(1, length + 1)


@right("optimal_schedule", "a table by rows in NumPy, the split remembered")
def table(n, memory):
    if n < 1:
        raise ValueError("no layers")
    if memory < 1:
        raise ValueError("no memory")
    m = min(int(memory), n, 64 if n > 200 else n)
    if memory >= n:
        return [(a, i) for i in range(1, n + 1) for a in ("forward", "save")] + [
            (a, i) for i in range(n, 0, -1) for a in ("backward", "free")
        ]
    if m < memory and evaluations(n, m) != evaluations(n, memory):
        return formula_and_stack(n, memory)
    cost = np.zeros((m + 1, n + 1), dtype=np.int64)
    split = np.zeros((m + 1, n + 1), dtype=np.int64)
    lengths = np.arange(n + 1)
    cost[1] = lengths * (lengths + 1) // 2
    for k in range(2, m + 1):
        for length in range(1, n + 1):
            j = np.arange(1, length + 1)
            total = j + cost[k - 1, length - j] + cost[k, j - 1]
            best = int(np.argmin(total))
            cost[k, length], split[k, length] = total[best], best + 1
    s, work = [], [(0, n, m, 0)]
    while work:
        low, high, k, closing = work.pop()
        if closing:
            s += [("backward", closing), ("free", closing)]
        elif high > low and k == 1:
            for top in range(high, low, -1):
                s += [*(("forward", i) for i in range(low + 1, top + 1)), ("backward", top)]
        elif high > low:
            j = low + int(split[k, high - low])
            s += [*(("forward", i) for i in range(low + 1, j + 1)), ("save", j)]
            work += [(low, j - 1, k, 0), (0, 0, 0, j), (j, high, k - 1, 0)]
    return s


# q6


@right("run_schedule", "a class with a method for each action")
def machine(schedule, params, x, y):
    class Machine:
        def __init__(self):
            self.saved: dict[int, Any] = {0: x}
            self.working: tuple[int, Any] = (0, x)
            self.found: dict[int, Any] = {}
            self.loss: Any = None
            self.b: Any = None

        def at(self, i):
            return self.saved[i] if i in self.saved else self.working[1]

        def forward(self, i):
            W, c = params[i - 1]
            self.working = (i, jnp.tanh(jnp.dot(self.at(i - 1), W) + c))

        def save(self, i):
            self.saved[i] = self.working[1]

        def free(self, i):
            del self.saved[i]

        def backward(self, i):
            a = self.at(i)
            if i == len(params):
                difference = a - y
                self.loss = jnp.sum(difference**2) / difference.size
                self.b = 2.0 / difference.size * difference
            else:
                self.step(i, a)
            self.b = self.b * (1 - a) * (1 + a)

        def step(self, i, a):
            W = params[i][0]
            self.found[i] = (jnp.einsum("bi,bj->ij", a, self.b), self.b.sum(0))
            self.b = self.b @ W.T

    m = Machine()
    for action, i in schedule:
        getattr(m, action)(i)
    m.step(0, x)
    return m.loss, [m.found[i] for i in range(len(params))]


@right("run_schedule", "jax.vjp of each layer as it is needed, products computed again")
def by_pullbacks(schedule, params, x, y):
    saved, w, grads, b, loss = {}, None, {}, None, None
    for action, i in schedule:
        match action:
            case "forward":
                w = adkit.mlp_layer(params[i - 1], x if i == 1 else saved.get(i - 1, w))
            case "save":
                saved[i] = w
            case "free":
                saved.pop(i)
            case _:
                a = saved.get(i, w)
                if i == len(params):
                    loss, pull = jax.vjp(lambda a: jnp.mean(jnp.square(a - y)), a)
                    (b,) = pull(jnp.ones_like(loss))
                else:
                    _, pull = jax.vjp(adkit.mlp_layer, params[i], a)
                    grads[i], b = pull(b)
    _, pull = jax.vjp(lambda p: adkit.mlp_layer(p, x), params[0])
    (grads[0],) = pull(b)
    return loss, [grads[k] for k in sorted(grads)]


@right("run_schedule", "closures over nonlocal names, gradients as lists of lists")
def closures(schedule, params, x, y):
    saved: dict[int, Any] = {}
    working: Any = x
    d: Any = None
    loss: Any = None
    gradients: list[Any] = [None for _ in params]

    def below(i):
        return x if i == 0 else saved.get(i, working)

    for action, i in schedule:
        if action == "forward":
            W, c = params[i - 1]
            working = jnp.tanh(below(i - 1) @ W + c)
        elif action == "save":
            saved = {**saved, i: working}
        elif action == "free":
            saved = {k: v for k, v in saved.items() if k != i}
        else:
            a = below(i)
            if i == len(params):
                loss = ((a - y) ** 2).mean()
                b = 2 * (a - y) / y.size
            else:
                gradients[i] = [a.T @ d, jnp.ones(len(a)) @ d]
                b = jnp.matmul(d, jnp.transpose(params[i][0]))
            d = b - b * a**2
    gradients[0] = [jnp.asarray(x).T @ d, d.sum(axis=0)]
    return [loss, gradients]


# q7


@right("checkpointed_loss", "functools.reduce over segments")
def reduced_segments(params, x, y, checkpoints):
    n = len(params)
    bounds = [0, *(int(c) for c in checkpoints if c < n), n]

    @jax.checkpoint
    def segment(a, layers):
        return functools.reduce(lambda a, layer: adkit.mlp_layer(layer, a), layers, a)

    a = functools.reduce(lambda a, ends: segment(a, params[ends[0] : ends[1]]), itertools.pairwise(bounds), x)
    return jnp.mean((a - y) ** 2)


@right("checkpointed_loss", "jax.remat as a decorator with nothing saveable, layers written out")
def written_out(params, x, y, checkpoints):
    groups: list[list[Any]] = [[]]
    marks = set(map(int, checkpoints))
    for i, pair in enumerate(params, start=1):
        groups[-1].append(pair)
        if i in marks and i < len(params):
            groups.append([])

    @functools.partial(jax.remat, policy=jax.checkpoint_policies.nothing_saveable)
    def run(group, a):
        for W, c in group:
            a = jnp.tanh(jnp.dot(a, W) + c)
        return a

    for group in groups:
        x = run(group, x)
    return ((x - y) ** 2).mean()


@right("checkpointed_loss", "a list of functions, each with its own parameters in a dictionary")
def list_of_functions(params, x, y, checkpoints):
    ends = sorted({*map(int, checkpoints), len(params)})
    a, start = jnp.asarray(x), 0

    def make(count):
        def run(tree, a):
            for k in range(count):
                a = adkit.mlp_layer((tree["W"][k], tree["c"][k]), a)
            return a

        return jax.checkpoint(run)

    for end in ends:
        part = params[start:end]
        a = make(len(part))({"W": [W for W, _ in part], "c": [c for _, c in part]}, a)
        start = end
    r = a - y
    return jnp.sum(r * r) / r.size


# q8


@right("optimal_schedule_for", "a dynamic program from below, with dictionaries")
def from_below(sizes, costs, memory):
    n = len(sizes)
    size, cost = [0, *map(int, sizes)], [0, *map(int, costs)]
    best: dict[tuple[int, int, int], Any] = {}
    for length in range(n + 1):
        for low in range(n - length + 1):
            high = low + length
            for room in range(int(memory) + 1):
                if length == 0:
                    best[low, high, room] = (0, 0)
                    continue
                answer, way = None, 0
                for j in range(low + 1, high + 1):
                    if size[j] > room:
                        break
                    way += cost[j]
                    above, below = best[j, high, room - size[j]], best[low, j - 1, room]
                    if above is not None and below is not None:
                        total = way + above[0] + below[0]
                        if answer is None or total < answer[0]:
                            answer = (total, j)
                best[low, high, room] = answer
    if best[0, n, int(memory)] is None:
        raise ValueError("the memory is too small")
    s, work = [], [(0, n, int(memory), 0)]
    while work:
        low, high, room, closing = work.pop()
        if closing:
            s += [("backward", closing), ("free", closing)]
        elif high > low:
            j = best[low, high, room][1]
            s += [*(("forward", i) for i in range(low + 1, j + 1)), ("save", j)]
            work += [(low, j - 1, room, 0), (0, 0, 0, j), (j, high, room - size[j], 0)]
    return s


@right("optimal_schedule_for", "a cached recursion that raises where nothing fits")
def recursion_that_raises(sizes, costs, memory):
    impossible = (math.inf, None)

    @functools.cache
    def best(low, high, room):
        if low == high:
            return 0, None
        options = [impossible]
        for j in range(low + 1, high + 1):
            if sizes[j - 1] > room:
                break
            total = sum(costs[low:j]) + best(j, high, room - sizes[j - 1])[0] + best(low, j - 1, room)[0]
            options.append((total, j))
        return min(options, key=lambda option: option[0])

    def write(low, high, room):
        if low == high:
            return
        j = best(low, high, room)[1]
        for i in range(low + 1, j + 1):
            yield "forward", i
        yield "save", j
        yield from write(j, high, room - sizes[j - 1])
        yield "backward", j
        yield "free", j
        yield from write(low, j - 1, room)

    if best(0, len(sizes), memory)[0] == math.inf:
        raise ValueError(f"a chain of {sizes} does not fit into {memory}")
    return list(write(0, len(sizes), memory))


# q9


@right("nested_checkpointed_loss", "halves, the longer one first, each with its own part of the parameters")
def longer_half_first(params, x, y):
    def go(part, a):
        if len(part) == 1:
            return adkit.mlp_layer(part[0], a)
        middle = (len(part) + 1) // 2
        half = jax.checkpoint(go)
        return half(part[middle:], half(part[:middle], a))

    return jnp.mean((go(list(params), x) - y) ** 2)


@right("nested_checkpointed_loss", "a tree built from below out of pairs")
def tree_of_pairs(params, x, y):
    def layer(pair):
        return lambda p, a: adkit.mlp_layer(p, a)

    nodes: list[Any] = [(layer(pair), pair) for pair in params]
    while len(nodes) > 1:
        paired = []
        for k in range(0, len(nodes) - 1, 2):
            (f, p), (g, q) = nodes[k], nodes[k + 1]
            paired.append((lambda both, a, f=f, g=g: jax.checkpoint(g)(both[1], jax.checkpoint(f)(both[0], a)), (p, q)))
        if len(nodes) % 2:
            paired.append(nodes[-1])
        nodes = paired
    run, tree = nodes[0]
    return jnp.mean((run(tree, x) - y) ** 2)
