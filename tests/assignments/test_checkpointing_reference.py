"""The reference schedules are as good as the theory says, and no schedule is better."""

import heapq
from functools import cache
from itertools import pairwise

import pytest
from adkit import least_evaluations, simulate
from adkit.checks.schedules import evaluations_of, longest_run, peak_with
from checkpoint_schedules import Forward, MultistageCheckpointSchedule
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.checkpointing import (
    checkpointed_schedule,
    choose_checkpoints,
    memory_poor_schedule,
    optimal_schedule,
    optimal_schedule_for,
    vanilla_schedule,
)


@cache
def dynamic_program(layers: int, memory: int) -> int:
    """E(L, m) = min over j of j + E(L - j, m - 1) + E(j - 1, m), by trying every j."""
    if layers == 0:
        return 0
    if memory == 1:
        return layers * (layers + 1) // 2
    return min(
        j + dynamic_program(layers - j, memory - 1) + dynamic_program(j - 1, memory) for j in range(1, layers + 1)
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.integers(1, 20))
def test_the_closed_form_is_the_dynamic_program(n: int, memory: int) -> None:
    assert least_evaluations(n, memory) == dynamic_program(n, memory)


def cheapest_of_all(n: int) -> dict[int, int]:
    """The least evaluations for every memory, over *all* legal schedules, by Dijkstra's algorithm on the states.

    A state is (S, w, next backward index). Freeing and saving cost nothing, an evaluation costs one.
    """
    least: dict[int, int] = {}
    for memory in range(1, n + 1):
        start = (frozenset[int](), 0, n)
        queue: list[tuple[int, int, tuple[frozenset[int], int, int]]] = [(0, 0, start)]
        done: set[tuple[frozenset[int], int, int]] = set()
        serial = 0
        while queue:
            cost, _, state = heapq.heappop(queue)
            if state in done:
                continue
            done.add(state)
            saved, working, following = state
            live = saved | ({working} if working else set())
            if following == 0 and not live:
                least[memory] = cost
                break
            after: list[tuple[int, tuple[frozenset[int], int, int]]] = [
                (cost + 1, (saved, i, following))
                for i in range(1, n + 1)
                if (i == 1 or i - 1 in live) and len(saved | {i}) <= memory
            ]
            if working and working not in saved:
                after.append((cost, (saved | {working}, working, following)))
            after += [(cost, (saved - {i}, 0 if working == i else working, following)) for i in saved]
            if following in live:
                after.append((cost, (saved, 0 if working == following else working, following - 1)))
            for price, reached in after:
                serial += 1
                heapq.heappush(queue, (price, serial, reached))
    return least


@pytest.mark.parametrize(
    "n", [1, 2, 3, 4, 5, 6, pytest.param(7, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)]
)
def test_no_schedule_at_all_needs_fewer_evaluations(n: int) -> None:
    least = cheapest_of_all(n)
    assert least == {memory: least_evaluations(n, memory) for memory in range(1, n + 1)}


def assert_optimal(n: int, memory: int) -> None:
    trace = simulate(n, optimal_schedule(n, memory))
    assert trace.peak <= memory
    assert trace.evaluations == least_evaluations(n, memory)


def test_the_optimal_schedule_reaches_the_bound_for_every_n_up_to_200() -> None:
    for n in range(1, 201):
        for memory in range(1, 21):
            assert_optimal(n, memory)


@pytest.mark.parametrize("memory", [8, 13, 20, 200, 1000, 10**6])
def test_a_thousand_layers_are_no_problem(memory: int) -> None:
    assert_optimal(1000, memory)


def published_evaluations(n: int, memory: int) -> int:
    """Forward steps of the package checkpoint-schedules, in the rules of this course.

    Its chain has n + 1 steps, as its last step is the loss here; its snapshots include one of the input, ours
    include the working activation, so their number is the same. It runs each step once more, with a tape, just
    before that step's adjoint: those n + 1 taped steps belong to the backward nodes here and are not counted.
    """
    steps = n + 1
    forward = 0
    schedule = MultistageCheckpointSchedule(steps, memory, 0)
    for action in schedule:
        if isinstance(action, Forward):
            forward += action.n1 - action.n0
        if schedule.is_exhausted:
            break
    return forward - steps


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 20, 33, 64])
def test_the_counts_agree_with_an_independent_package(n: int) -> None:
    for memory in range(1, 9):
        assert published_evaluations(n, memory) == least_evaluations(n, memory)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 57])
def test_the_two_extremes(n: int) -> None:
    vanilla, poor = simulate(n, vanilla_schedule(n)), simulate(n, memory_poor_schedule(n))
    assert (vanilla.peak, vanilla.evaluations) == (n, n)
    assert (poor.peak, poor.evaluations) == (1, n * (n + 1) // 2)


@st.composite
def chains_with_checkpoints(draw: st.DrawFn) -> tuple[int, list[int]]:
    n = draw(st.integers(1, 30))
    return n, sorted(draw(st.sets(st.integers(1, n))))


@settings(max_examples=150, deadline=None)
@given(chains_with_checkpoints())
def test_checkpoints_bound_the_peak_and_the_evaluations(chain: tuple[int, list[int]]) -> None:
    n, checkpoints = chain
    trace = simulate(n, checkpointed_schedule(n, checkpoints))
    counts = evaluations_of(n, trace)
    last = max(checkpoints, default=0)
    assert trace.peak == peak_with(n, checkpoints) <= len(checkpoints) + longest_run(n, checkpoints)
    assert all(count <= (2 if i <= last else 1) for i, count in enumerate(counts))


@pytest.mark.parametrize("checkpoints", [[0], [6], [2, 2], [3, 1], [-1, 2]])
def test_invalid_checkpoints_are_refused(checkpoints: list[int]) -> None:
    with pytest.raises(ValueError, match="strictly increasing"):
        checkpointed_schedule(5, checkpoints)


@pytest.mark.parametrize("n", [*range(1, 60), 99, 100, 101, 440, 1000])
def test_the_chosen_checkpoints_peak_at_two_square_roots(n: int) -> None:
    root = next(r for r in range(1, n + 1) if r * r >= n)
    checkpoints = choose_checkpoints(n)
    assert all(1 <= a < b <= n for a, b in pairwise([*checkpoints, n + 1][:-1]))
    assert simulate(n, checkpointed_schedule(n, checkpoints)).peak <= 2 * root


@pytest.mark.parametrize(("n", "memory"), [(0, 1), (-1, 3), (4, 0), (4, -1)])
def test_impossible_arguments_are_refused(n: int, memory: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        optimal_schedule(n, memory)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_equal_layers_cost_what_the_bound_says(n: int, memory: int, size: int, cost: int) -> None:
    sizes, costs = [size] * n, [cost] * n
    trace = simulate(n, optimal_schedule_for(sizes, costs, memory * size), sizes, costs)
    assert trace.cost == cost * least_evaluations(n, memory)


@st.composite
def unequal_chains(draw: st.DrawFn) -> tuple[list[int], list[int], int]:
    n = draw(st.integers(1, 20))
    sizes = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    costs = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    return sizes, costs, max(sizes) + draw(st.integers(0, 40))


@settings(max_examples=60, deadline=None)
@given(unequal_chains())
def test_unequal_layers_stay_within_memory_and_more_memory_never_costs_more(
    chain: tuple[list[int], list[int], int],
) -> None:
    sizes, costs, memory = chain
    trace = simulate(len(sizes), optimal_schedule_for(sizes, costs, memory), sizes, costs)
    assert trace.peak <= memory
    more = simulate(len(sizes), optimal_schedule_for(sizes, costs, memory + 3), sizes, costs)
    assert more.cost <= trace.cost
    everything = optimal_schedule_for(sizes, costs, sum(sizes))
    assert simulate(len(sizes), everything, sizes, costs).cost == sum(costs)


def test_an_activation_larger_than_the_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="fits"):
        optimal_schedule_for([2, 6, 3], [1, 1, 1], 5)
