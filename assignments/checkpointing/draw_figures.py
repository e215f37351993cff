"""Draws the notebook's figures with adkit from the reference schedules.

python assignments/checkpointing/draw_figures.py
"""

from pathlib import Path

from adkit import animate, space_time, trade_off

from reference.checkpointing import (
    checkpointed_schedule,
    choose_checkpoints,
    memory_poor_schedule,
    optimal_schedule,
    vanilla_schedule,
)


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    with_checkpoints = checkpointed_schedule(10, [3, 6, 9])
    return {
        "vanilla.svg": animate(vanilla_schedule(6), 6, title="vanilla").svg,
        "memory_poor.svg": animate(memory_poor_schedule(6), 6, title="memory-poor").svg,
        "checkpoints.svg": animate(with_checkpoints, 10, title="checkpoints 3, 6, 9").svg,
        "checkpoints_lifetimes.svg": space_time(with_checkpoints, 10, title="checkpoints 3, 6, 9").svg,
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
    for name, svg in figures().items():
        (Path(__file__).parent / "figures" / name).write_text(svg, encoding="utf-8")
