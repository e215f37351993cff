"""Oracles of `checkpointing`: the simulator, schedules enumerated by their definition, the complex step on networks.

Counts and peaks of what JAX traces are those of `adkit.measure`, as in the tests, on other networks; a bound that the
contract states is the bound here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from math import inf, isqrt
from typing import Any

import numpy as np
from adkit import ScheduleError, simulate
from adkit.checks import network, runs
from adkit.checks.errors import CheckError
from numpy.random import Generator
from oracles import numeric

from validity.oracles import Oracle, WrongError, near, refuses, require

Schedule = list[tuple[str, int]]


def run(n: int, schedule: Any, **chain: Any) -> Any:
    """What the simulator says; WrongError for an illegal schedule."""
    try:
        return simulate(n, list(schedule), **chain)
    except ScheduleError as problem:
        raise WrongError(f"n = {n}: {problem}") from None


def counts(n: int, trace: Any) -> list[int]:
    """How often each activation is evaluated."""
    found = [0] * (n + 1)
    for name, i in trace.schedule:
        found[i] += name == "forward"
    return found[1:]


def vanilla(functions: dict[str, Any]) -> None:
    for n in [*range(1, 41), 500, 2000]:
        trace = run(n, functions["vanilla_schedule"](n))
        require((trace.evaluations, trace.peak) == (n, n), f"n = {n}: {trace}")


def memory_poor(functions: dict[str, Any]) -> None:
    for n in [*range(1, 41), 200]:
        trace = run(n, functions["memory_poor_schedule"](n))
        require((trace.evaluations, trace.peak) == (n * (n + 1) // 2, 1), f"n = {n}: {trace}")


def some_checkpoints() -> list[tuple[int, list[int]]]:
    """Every set of checkpoints of up to 7 layers, and random ones of up to 60."""
    random = np.random.default_rng(1)
    every = [
        (n, list(c)) for n in range(1, 8) for k in range(n + 1) for c in itertools.combinations(range(1, n + 1), k)
    ]
    for _ in range(150):
        n = int(random.integers(8, 60))
        every.append((n, sorted(int(c) + 1 for c in random.choice(n, int(random.integers(0, n)), replace=False))))
    return every


def longest_run(n: int, checkpoints: Sequence[int]) -> int:
    """The longest run of activations between neighbours, before the first, or after the last."""
    bounds = [0, *checkpoints, n + 1]
    return max(after - before - 1 for before, after in itertools.pairwise(bounds))


def checkpointed(functions: dict[str, Any]) -> None:
    function = functions["checkpointed_schedule"]
    for n, checkpoints in some_checkpoints():
        trace = run(n, function(n, checkpoints))
        last = max(checkpoints, default=0)
        often = counts(n, trace)
        where = f"n = {n}, checkpoints {checkpoints}"
        require(max(often) <= 2 and max(often[last:], default=1) <= 1, f"{where}: evaluated {often}")
        require(trace.peak <= len(checkpoints) + longest_run(n, checkpoints), f"{where}: peak {trace.peak}")
    for n, wrong in ((6, [0, 3]), (6, [3, 7]), (6, [4, 2]), (6, [2, 2]), (6, [-1]), (1, [2]), (1, [0]), (5, [1, 3, 3])):
        refuses(function, n, wrong, what=f"n = {n}, checkpoints {wrong}")


def segment_by_segment(n: int, checkpoints: Sequence[int]) -> Schedule:
    """The last segment is kept on the way up, the others are evaluated again; all is given up once it is used."""
    schedule: Schedule = []
    last = checkpoints[-1] if checkpoints else 0
    for i in range(1, n + 1):
        schedule += [("forward", i), ("save", i)] if i in checkpoints or i > last else [("forward", i)]
    for before, after in reversed(list(itertools.pairwise([0, *checkpoints, n + 1]))):
        if after <= n:
            schedule += [step for i in range(before + 1, after) for step in (("forward", i), ("save", i))]
        schedule += [step for i in range(after - 1, max(before, 1) - 1, -1) for step in (("backward", i), ("free", i))]
    return schedule


def chosen(functions: dict[str, Any]) -> None:
    for n in [*range(1, 301), 500, 899, 900, 901]:
        found = [int(c) for c in functions["choose_checkpoints"](n)]
        legal = all(1 <= c <= n for c in found) and all(a < b for a, b in itertools.pairwise(found))
        require(legal, f"n = {n}: {found} are no checkpoints")
        trace = run(n, segment_by_segment(n, found))
        require(trace.peak <= 2 * (isqrt(n - 1) + 1), f"n = {n}: {found} peaks at {trace.peak}")


@cache
def least(n: int, memory: int) -> int:
    """The least evaluations, by the recursion over every place of the first checkpoint."""
    if n == 0:
        return 0
    if memory == 1:
        return n * (n + 1) // 2
    return min(j + least(n - j, memory - 1) + least(j - 1, memory) for j in range(1, n + 1))


def binomial(functions: dict[str, Any]) -> None:
    function = functions["optimal_schedule"]
    random = np.random.default_rng(2)
    asked = [(n, m) for n in range(1, 19) for m in range(1, n + 3)]
    asked += [(int(random.integers(19, 71)), int(random.integers(1, 13))) for _ in range(60)]
    for n, memory in asked:
        trace = run(n, function(n, memory))
        require(trace.peak <= memory, f"n = {n}, memory {memory}: peak {trace.peak}")
        require(trace.evaluations == least(n, memory), f"n = {n}, memory {memory}: {trace.evaluations} evaluations")
    for n, memory in ((1000, 8), (1000, 20), (1000, 45), (1000, 1000)):
        trace = run(n, function(n, memory))
        require(trace.peak <= memory and trace.evaluations <= 6 * n, f"n = {n}, memory {memory}: {trace}")
    for n, memory in ((0, 3), (-1, 3), (5, 0), (5, -1)):
        refuses(function, n, memory, what=f"n = {n}, memory {memory}")


def cheapest(sizes: Sequence[int], costs: Sequence[int], memory: int) -> float:
    """The least cost of a persistent schedule: what is saved stays until its backward step has run. inf for none."""

    @cache
    def above(start: int, end: int, free: int) -> float:
        found = inf
        for j in range(start + 1, end + 1):
            if max(sizes[start:j]) > free:
                break
            upper = above(j, end, free - sizes[j - 1]) if j < end else 0.0
            lower = above(start, j - 1, free) if j - 1 > start else 0.0
            found = min(found, sum(costs[start:j]) + upper + lower)
        return found

    return above(0, len(sizes), memory)


def unequal(functions: dict[str, Any]) -> None:
    function = functions["optimal_schedule_for"]
    random = np.random.default_rng(3)
    for number in range(260):
        n = int(random.integers(1, 9 if number < 200 else 31))
        sizes, costs = ([int(k) for k in random.integers(1, 8, n)] for _ in range(2))
        memory = max(sizes) + int(random.integers(-2, 20))
        least_cost = cheapest(sizes, costs, memory)
        where = f"sizes {sizes}, costs {costs}, memory {memory}"
        if least_cost == inf:
            refuses(function, sizes, costs, memory, what=where)
        else:
            trace = run(n, function(sizes, costs, memory), sizes=sizes, costs=costs)
            require(trace.peak <= memory and trace.cost <= least_cost, f"{where}: peak {trace.peak}, cost {trace.cost}")


# ---------------------------------------- networks


def loss_and_gradients(params: Any, x: np.ndarray, y: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """mean((a_n - y)^2), and its gradient with respect to every W_i and c_i by the complex step."""

    def loss(leaves: Sequence[np.ndarray]) -> Any:
        a = x
        for W, c in zip(leaves[::2], leaves[1::2], strict=True):
            a = np.tanh(a @ W + c)
        return np.mean((a - y) ** 2)

    leaves = [np.asarray(leaf) for layer in params for leaf in layer]
    gradients = [
        numeric.complex_step_gradient(lambda leaf, k=k: loss([*leaves[:k], leaf, *leaves[k + 1 :]]), leaves[k])
        for k in range(len(leaves))
    ]
    return float(loss(leaves)), gradients


def persistent(n: int, random: Generator, vain: float) -> Schedule:
    """A legal schedule at random: what is saved stays until its backward step; some evaluations are in vain."""

    def between(start: int, end: int) -> Schedule:
        if start >= end:
            return []
        j = int(random.integers(start + 1, end + 1))
        forward: Schedule = [("forward", i) for i in range(start + 1, j + 1)]
        if random.random() < vain:
            forward = forward + forward
        if j == end:
            return [*forward, ("backward", j), *between(start, j - 1)]
        rest = [("backward", j), ("free", j), *between(start, j - 1)]
        return [*forward, ("save", j), *between(j, end), *rest]

    return between(0, n)


def checked(check: Any, *args: Any) -> Any:
    """One of the tests' own checks of a count, as an oracle's."""
    try:
        return check(*args)
    except CheckError as problem:
        raise WrongError(str(problem)) from None


def driven(functions: dict[str, Any]) -> None:
    function = functions["run_schedule"]
    random = np.random.default_rng(4)
    for n in (1, 2, 3, 5, 6):
        widths = [int(w) for w in random.integers(1, 5, n + 1)]
        problem = network.network(widths, 3, [], random)
        loss, gradients = loss_and_gradients(problem.params, problem.x, problem.y)
        every = [f(n) for f in (_keep_all, _keep_none)] + [persistent(n, random, 0.3) for _ in range(4)]
        for schedule in every:
            found, pairs = function(schedule, problem.params, problem.x, problem.y)
            near(found, loss, f"the loss, n = {n}", rtol=1e-11)
            require(len(pairs) == n, f"{len(pairs)} gradients for {n} layers")
            for one, other in zip([part for pair in pairs for part in pair], gradients, strict=True):
                near(one, other, f"a gradient, n = {n}, {schedule}", rtol=1e-9, atol=1e-13)
    wide = network.network([3] * 11, 300, [], random)
    for schedule in (_keep_all(10), _keep_none(10), segment_by_segment(10, [3, 7]), persistent(10, random, 0.0)):
        result = checked(runs.traced, function, schedule, wide)
        checked(runs.carries_it_out, result, schedule, wide)
        checked(runs.peaks_with_the_schedule, result, schedule, wide)


def _keep_all(n: int) -> Schedule:
    return segment_by_segment(n, [])


def _keep_none(n: int) -> Schedule:
    return [step for i in range(n, 0, -1) for step in (*(("forward", k) for k in range(1, i + 1)), ("backward", i))]


def with_checkpoints(functions: dict[str, Any]) -> None:
    function = functions["checkpointed_loss"]
    random = np.random.default_rng(5)
    for n, checkpoints in ((1, []), (1, [1]), (3, [2]), (4, []), (4, [1, 2, 3, 4]), (6, [1, 5]), (7, [2, 3, 6, 7])):
        widths = [3] * (n + 1)
        problem = network.network(widths, 150, checkpoints, random)
        result = checked(network.measured, function, problem)
        loss, gradients = loss_and_gradients(problem.params, problem.x, problem.y)
        near(result.outputs[0], loss, "the loss", rtol=1e-11)
        for one, other in zip(result.outputs[1 : 1 + 2 * n], gradients, strict=True):
            near(one, other, f"a gradient, n = {n}, checkpoints {checkpoints}", rtol=1e-9, atol=1e-13)
        if n > 1:
            checked(network.keeps_the_checkpoints, result, problem)
            checked(network.recomputes_once, result, problem)
    for n, checkpoints in ((24, [6, 12, 18]), (24, [3, 9, 13, 20])):
        problem = network.network([2] * (n + 1), 512, checkpoints, random)
        checked(network.one_segment_at_a_time, checked(network.measured, function, problem), problem)


def nested(functions: dict[str, Any]) -> None:
    function = functions["nested_checkpointed_loss"]
    random = np.random.default_rng(6)
    for n in (1, 2, 3, 5, 8, 11):
        problem = network.network([int(w) for w in random.integers(2, 5, n + 1)], 20, [], random)
        result = checked(network.nested, function, problem)
        loss, gradients = loss_and_gradients(problem.params, problem.x, problem.y)
        near(result.outputs[0], loss, "the loss", rtol=1e-11)
        for one, other in zip(result.outputs[1 : 1 + 2 * n], gradients, strict=True):
            near(one, other, f"a gradient, n = {n}", rtol=1e-9, atol=1e-13)
    for n in (64, 256):
        problem = network.network([2] * (n + 1), 600, [], random)
        result = network.nested(function, problem, run=False)
        checked(network.peaks_low, result, problem)
        checked(network.evaluates_few_times, result, problem)


ORACLES = {
    "q1": Oracle("the simulator", vanilla),
    "q2": Oracle("the simulator", memory_poor),
    "q3": Oracle("the simulator, every set of checkpoints of up to 7 layers", checkpointed),
    "q4": Oracle("the simulator, every n up to 300", chosen),
    "q5": Oracle("the recursion over every first checkpoint, and the simulator", binomial),
    "q6": Oracle("complex step of the network, and the counts that the contract bounds", driven),
    "q7": Oracle("complex step of the network, and the counts that the contract bounds", with_checkpoints),
    "q8": Oracle("every persistent schedule, and the simulator", unequal),
    "q9": Oracle("complex step of the network, and the counts that the contract bounds", nested),
}
