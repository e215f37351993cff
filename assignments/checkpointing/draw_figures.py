"""Draws the notebook's figures with adkit from the reference schedules.

python assignments/checkpointing/draw_figures.py
"""

from pathlib import Path

from adkit import space_time, stills, trade_off

from autograder.build.pictures import write
from reference.checkpointing import (
    checkpointed_schedule,
    choose_checkpoints,
    memory_poor_schedule,
    optimal_schedule,
    vanilla_schedule,
)


def after(schedule: list[tuple[str, int]], *actions: tuple[str, int]) -> list[int]:
    """How many actions have run when each of `actions` has, each of them looked for behind the one before."""
    counts: list[int] = []
    for action in actions:
        counts.append(schedule.index(action, counts[-1] if counts else 0) + 1)
    return counts


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    vanilla, poor, kept = vanilla_schedule(6), memory_poor_schedule(6), checkpointed_schedule(10, [3, 6, 9])
    return {
        "vanilla.svg": stills(vanilla, 6, after(vanilla, ("save", 3), ("save", 6), ("free", 4)), title="vanilla").svg,
        "memory_poor.svg": stills(
            poor, 6, after(poor, ("forward", 6), ("backward", 6), ("forward", 3), ("backward", 5)), title="memory-poor"
        ).svg,
        "checkpoints.svg": stills(
            kept, 10, after(kept, ("save", 10), ("free", 9), ("save", 8), ("save", 5)), title="checkpoints 3, 6, 9"
        ).svg,
        "checkpoints_lifetimes.svg": space_time(kept, 10, title="checkpoints 3, 6, 9").svg,
        "optimal_lifetimes.svg": space_time(optimal_schedule(100, 7), 100, title="optimal").svg,
        "trade_off.svg": trade_off(
            100,
            {
                "vanilla": vanilla_schedule(100),
                "memory-poor": memory_poor_schedule(100),
                "square root": checkpointed_schedule(100, choose_checkpoints(100)),
                "optimal, 7": optimal_schedule(100, 7),
            },
        ).svg,
    }


if __name__ == "__main__":
    write(Path(__file__).parent / "figures", figures())
