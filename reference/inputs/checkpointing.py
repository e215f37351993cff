"""Inputs of the hidden cases of `checkpointing`."""

from __future__ import annotations

import numpy as np

Schedule = list[tuple[str, int]]


def legal_schedule(n: int, rng: np.random.Generator) -> Schedule:
    """A legal, complete schedule of n layers that follows no strategy: what it saves, frees and evaluates is random.

    It evaluates some activations in vain, and frees some that it needs later. About 3 n to 8 n actions.
    """
    schedule: Schedule = []
    saved: set[int] = set()
    working, following, wandering = 0, n, n

    def act(name: str, i: int) -> None:
        nonlocal working, following
        schedule.append((name, i))
        match name:
            case "forward":
                working = i
            case "save":
                saved.add(i)
            case "free":
                saved.discard(i)
                working = 0 if working == i else working
            case _:
                following = i - 1
                working = 0 if working == i else working

    while following:
        if following in saved or following == working:
            act("backward", following)
        elif saved and rng.random() < 0.1:
            act("free", int(rng.choice(sorted(saved))))
        elif wandering and rng.random() < 0.2:  # on from anywhere, perhaps for nothing
            wandering -= 1
            act("forward", int(rng.choice([i + 1 for i in (0, working, *sorted(saved)) if i < n])))
        else:
            start = max(i for i in (0, working, *saved) if i < following)
            act("forward", start + 1)
            if rng.random() < 0.4:
                act("save", start + 1)
    for i in sorted(saved):
        act("free", i)
    return schedule
