"""Reference implementations for `checkpointing`: schedules from vanilla to optimal, and a real network.

The binomial bound and its splits are Griewank & Walther, "Algorithm 799: revolve", ACM TOMS 26(1), 2000.
In their notation the chain here has n + 1 steps (the loss is the last one, which nobody has to store),
and m live activations count as their m snapshots: their snapshot of the input is free here, their working
state is not. So T(n, m) = t(n + 1, m). Chains with sizes and costs: the persistent dynamic program of
Beaumont, Eyraud-Dubois, Herrmann, Joly & Shilova, "Optimal checkpointing for heterogeneous chains", INRIA
RR-9302, 2019, in these rules.
"""

# The type of jax.checkpoint is partly unknown, and of what it gives.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import comb, isqrt
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from adkit.network import mlp_layer
from jax import Array

if TYPE_CHECKING:
    from adkit.network import Parameters
    from jaxtyping import Float

Schedule = list[tuple[str, int]]


def vanilla_schedule(n: int) -> Schedule:
    """Keeps every activation: peak n, n evaluations."""
    _check_layers(n)
    schedule: Schedule = []
    for i in range(1, n + 1):
        schedule += [("forward", i), ("save", i)]
    for i in range(n, 0, -1):
        schedule += [("backward", i), ("free", i)]
    return schedule


def memory_poor_schedule(n: int) -> Schedule:
    """Keeps nothing but the working activation: peak 1, n + (n - 1) + … + 1 = n(n+1)/2 evaluations."""
    _check_layers(n)
    schedule: Schedule = []
    for i in range(n, 0, -1):
        schedule += [("forward", k) for k in range(1, i + 1)]
        schedule.append(("backward", i))
    return schedule


def checkpointed_schedule(n: int, checkpoints: Sequence[int]) -> Schedule:
    """Keeps the checkpoints, then goes through the segments from the last to the first.

    The last segment is kept whole on the way forward; every other one is evaluated again from the checkpoint
    before it (or the input) once its turn comes. A checkpoint is freed as soon as its backward node has run.
    With k checkpoints the peak is at most k + the longest run of activations between two neighbours.
    Raises `ValueError` unless `checkpoints` is a strictly increasing subset of 1..n.
    """
    _check_layers(n)
    kept = [int(c) for c in checkpoints]
    if any(not 1 <= c <= n for c in kept) or any(b <= a for a, b in pairwise(kept)):
        raise ValueError(f"checkpoints must be a strictly increasing subset of 1..{n}, got {kept}")
    bounds = [0, *kept, n + 1]
    last_run = range(bounds[-2] + 1, n + 1)
    schedule: Schedule = []
    for i in range(1, n + 1):
        schedule.append(("forward", i))
        if i in kept or i in last_run:
            schedule.append(("save", i))
    for start, end in reversed(list(pairwise(bounds))):
        if end <= n:
            for i in range(start + 1, end):
                schedule += [("forward", i), ("save", i)]
        for i in range(end - 1, start, -1):
            schedule += [("backward", i), ("free", i)]
        if start > 0:
            schedule += [("backward", start), ("free", start)]
    return schedule


def choose_checkpoints(n: int) -> list[int]:
    """Every s-th activation, s = ceil(sqrt n): at most ceil(n/s) checkpoints, with runs of s - 1 between them.

    Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear memory cost", 2016, section 3.
    """
    _check_layers(n)
    spacing = isqrt(n - 1) + 1
    return list(range(spacing, n + 1, spacing))


def optimal_schedule(n: int, memory: int) -> Schedule:
    """A schedule with peak <= memory and T(n, memory) = r(n+1) - C(m+r, r-1) evaluations, the least there is.

    Bring a_j to memory, work on the layers above it with one place less, run b_j, give a_j up, work on
    the layers below it with all places:

        E(L, m) = min over 1 <= j <= L of  j + E(L - j, m - 1) + E(j - 1, m),   E(0, m) = 0.

    The minimum is attained where both parts need no more repetitions than the whole (Griewank & Walther,
    2000, theorem 1), so that no dynamic program is needed. Raises `ValueError` for n < 1 or memory < 1.
    """
    _check_layers(n)
    if memory < 1:
        raise ValueError(f"memory must be at least 1, got {memory}")
    schedule: Schedule = []
    # Each entry says: with a_start at hand and `places` free, run b_end … b_{start+1}; or, with places 0,
    # run b_end, which is saved, and give it up. A stack, because a chain of 1000 layers would nest 1000 deep.
    todo = [(0, n, min(memory, n))]
    while todo:
        start, end, places = todo.pop()
        if places == 0:
            schedule += [("backward", end), ("free", end)]
            continue
        if start == end:
            continue
        split = start + _first_checkpoint(end - start, places)
        schedule += [("forward", i) for i in range(start + 1, split + 1)]
        todo.append((start, split - 1, places))
        if split == end:
            schedule.append(("backward", end))
        else:
            schedule.append(("save", split))
            todo.append((split, split, 0))
            todo.append((split, end, places - 1))
    return schedule


def run_schedule(
    schedule: Sequence[tuple[str, int]],
    params: Parameters,
    x: Float[Array, "batch d_0"],
    y: Float[Array, "batch d_n"],
) -> tuple[Float[Array, ""], list[tuple[Float[Array, "_d _e"], Float[Array, " _e"]]]]:
    """The loss mean((a_n - y)^2) and its gradients with respect to all W_i and c_i, by carrying out a schedule.

    Going down, what is handed on is d_i, the gradient with respect to a_{i-1} W_i + c_i: with it and a_{i-1}

        W_i_bar = a_{i-1}^T d_i,   c_i_bar = the sum of d_i over the batch,   d_{i-1} = (d_i W_i^T) (1 - a_{i-1}^2)

    so that the backward step of a_i also makes the gradients of the layer above it, and evaluates nothing again.
    """
    n = len(params)
    saved: dict[int, Array] = {}
    working, a = 0, x  # a_working, which is x at first
    loss, d = jnp.zeros(()), x
    gradients: list[tuple[Array, Array]] = []
    for action, i in schedule:
        if action == "forward":
            below = x if i == 1 else a if working == i - 1 else saved[i - 1]
            working, a = i, mlp_layer(params[i - 1], below)
        elif action == "save":
            saved[i] = a
        elif action == "free":
            del saved[i]
        else:
            here = a if working == i else saved[i]
            if i == n:
                loss = jnp.mean((here - y) ** 2)
                a_bar = 2 * (here - y) / here.size
            else:
                gradients.insert(0, (here.T @ d, jnp.sum(d, axis=0)))
                a_bar = d @ jnp.asarray(params[i][0]).T
            d = a_bar * (1 - here**2)
    return loss, [(x.T @ d, jnp.sum(d, axis=0)), *gradients]


def checkpointed_loss(
    params: Parameters, x: Float[Array, "batch d_0"], y: Float[Array, "batch d_n"], checkpoints: Sequence[int]
) -> Float[Array, ""]:
    """mean((a_n - y)^2), of whose activations exactly those in `checkpoints` are kept for the backward pass.

    Each segment, from a checkpoint (or x) to the next (or a_n), is one `jax.checkpoint`: of what is
    computed in it only its input is kept, and the backward pass evaluates it again.
    """
    a = x
    start = 0
    for end in sorted({*(int(c) for c in checkpoints), len(params)}):
        a = jax.checkpoint(_segment)(params[start:end], a)
        start = end
    return jnp.mean((a - y) ** 2)


def optimal_schedule_for(sizes: Sequence[int], costs: Sequence[int], memory: int) -> Schedule:
    """The cheapest persistent schedule of a chain of unequal layers: what is saved stays until its b has run.

    C(s, e, M), the cost of running b_e … b_{s+1} with a_s at hand and M units for the activations above
    it, is

        min over s < j <= e of  cost(s+1 … j) + C(j, e, M - size_j) + C(s, j - 1, M)

    where every activation on the way to j must fit into M by itself; for j = e nothing lies above. Raises
    `ValueError` when the memory is too small, and for sizes and costs that are not positive integers.
    """
    n = len(sizes)
    size, cost = [int(s) for s in sizes], [int(c) for c in costs]
    if n < 1 or len(cost) != n or min(size) < 1 or min(cost) < 1:
        raise ValueError("sizes and costs must be positive integers, one of each a layer")

    @cache
    def best(start: int, end: int, free: int) -> tuple[float, int]:
        if start == end:
            return 0, end
        cheapest: tuple[float, int] = (float("inf"), end)
        forward = 0
        for j in range(start + 1, end + 1):
            if size[j - 1] > free:
                break
            forward += cost[j - 1]
            above = best(j, end, free - size[j - 1])[0] if j < end else 0
            cheapest = min(cheapest, (forward + above + best(start, j - 1, free)[0], j))
        return cheapest

    if best(0, n, memory)[0] == float("inf"):
        raise ValueError(f"no schedule fits into memory {memory}: the largest activation needs {max(size)}")

    def write(start: int, end: int, free: int) -> Schedule:
        if start == end:
            return []
        j = best(start, end, free)[1]
        forward: Schedule = [("forward", i) for i in range(start + 1, j + 1)]
        if j == end:
            return [*forward, ("backward", j), *write(start, j - 1, free)]
        above = write(j, end, free - size[j - 1])
        return [*forward, ("save", j), *above, ("backward", j), ("free", j), *write(start, j - 1, free)]

    return write(0, n, memory)


def nested_checkpointed_loss(
    params: Parameters, x: Float[Array, "batch d_0"], y: Float[Array, "batch d_n"]
) -> Float[Array, ""]:
    """mean((a_n - y)^2) with checkpoints within checkpoints: every half of the layers is a `jax.checkpoint`, and so is
    every half of a half, down to single layers.

    At any time at most one activation for each level of the recursion is kept, so memory grows with the logarithm of
    n, and so does the number of times that a layer is evaluated (Griewank, 1992; Chen et al., 2016, section 4.3).
    """
    return jnp.mean((_halved(params, x) - y) ** 2)


def _check_layers(n: int) -> None:
    if n < 1:
        raise ValueError(f"a chain has at least one layer, got n = {n}")


def _first_checkpoint(length: int, places: int) -> int:
    """The j of E(length, places): how far the first checkpoint lies above a_start."""
    if places == 1:
        return length  # nothing may stay behind while the layers above are worked on
    repetitions = 1
    while comb(places + repetitions, repetitions) < length + 1:
        repetitions += 1
    # Both parts as long as they may be with one repetition less below (C(m+r-1, r-1) steps, j of them)
    # and one place less above (C(m+r-1, r) steps): any j in between is optimal.
    above = comb(places + repetitions - 1, repetitions)
    least = comb(places + repetitions - 2, repetitions - 2) if repetitions > 1 else 1
    return max(1, least, length + 1 - above)


def _halved(layers: Parameters, a: Float[Array, "batch d"]) -> Float[Array, "batch e"]:
    if len(layers) == 1:
        return mlp_layer(layers[0], a)
    half = jax.checkpoint(_halved)
    middle = len(layers) // 2
    return half(layers[middle:], half(layers[:middle], a))


def _segment(layers: Parameters, a: Float[Array, "batch d"]) -> Float[Array, "batch e"]:
    for layer in layers:
        a = mlp_layer(layer, a)
    return a
