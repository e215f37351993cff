"""How much a run of a schedule has to do at least: no more than what any right way of reading it needs."""

from collections.abc import Callable, Sequence
from itertools import chain, product, repeat

import numpy as np
from adkit.checks import runs

from reference.checkpointing import checkpointed_schedule, memory_poor_schedule, optimal_schedule
from reference.inputs.checkpointing import legal_schedule

Schedule = Sequence[tuple[str, int]]


def used(schedule: Schedule, choose: Callable[[list[int]], int]) -> int:
    """The evaluations that are used by a run that decides, where an activation is in memory twice, what it reads."""
    made_of: list[int] = []
    saved: dict[int, list[int]] = {}
    working = layer = -1
    found: set[int] = set()

    def read(i: int) -> int:
        there = set(saved.get(i, []))
        if layer == i:
            there.add(working)
        return choose(sorted(there)) if len(there) > 1 else there.pop()

    for name, i in schedule:
        if name == "forward":
            made_of.append(read(i - 1) if i > 1 else -1)
            working, layer = len(made_of) - 1, i
        elif name == "save":
            saved[i] = sorted({*saved.get(i, []), working})
        else:
            if name == "backward":
                needed = read(i)
                while needed >= 0 and needed not in found:
                    found.add(needed)
                    needed = made_of[needed]
            else:
                saved.pop(i, None)
            layer = -1 if layer == i else layer
    return len(found)


def test_what_is_saved_and_evaluated_again_may_be_read_from_either() -> None:
    schedule = [
        *(("forward", 1), ("save", 1), ("forward", 1), ("forward", 2), ("forward", 3), ("backward", 3)),
        *(("forward", 2), ("backward", 2), ("backward", 1), ("free", 1)),
    ]
    assert used(schedule, min) == 4  # the second evaluation of a_1 is for nothing
    assert used(schedule, max) == 5
    assert runs.evaluations_in_use(3, schedule) == 4


def test_the_fewest_of_all_ways_to_read_is_allowed() -> None:
    differing = 0
    for seed in range(150):
        schedule = legal_schedule(5, np.random.default_rng(seed))
        found = [used(schedule, one_way(way)) for way in product((0, 1), repeat=8)]
        assert runs.evaluations_in_use(5, schedule) == min(found), seed
        differing += min(found) < max(found)
    assert differing > 5


def one_way(way: Sequence[int]) -> Callable[[list[int]], int]:
    """Reads the older one where there is a 0, the newer one where there is a 1, choice by choice."""
    following = chain(way, repeat(0))
    return lambda there: there[-1] if next(following) else there[0]


def test_a_schedule_that_evaluates_nothing_in_vain_needs_all_its_evaluations() -> None:
    for schedule in (memory_poor_schedule(6), checkpointed_schedule(6, [2, 4]), optimal_schedule(6, 2)):
        assert runs.evaluations_in_use(6, schedule) == sum(name == "forward" for name, _ in schedule)
