"""Draws the notebook's figures with adkit from the reference schedules.

python assignments/checkpointing/draw_figures.py
"""

from pathlib import Path

from adkit import space_time, stills, trade_off
from adkit.drawing.svg import AMBER, BLUE, GREEN, ORANGE, arrow, arrow_along, box, document, element, text, tinted

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


def gradients() -> str:
    """Three layers with their loss, and where the gradients of their parameters come out of the backward pass."""
    left, step, up, down, out = 70, 190, 96, 222, 322
    right = left + 3 * step
    parts = [text(24, 28, "three layers: the backward step of aᵢ makes the gradients of the layer above it", size=17)]
    for i, index in enumerate("₀₁₂₃"):
        x = left + i * step
        named = [("a", up, BLUE)] + ([("b", down, ORANGE)] if i else [])
        for letter, y, colour in named:
            parts.append(element("circle", cx=x, cy=y, r=23, **tinted(colour, 2)))
            parts.append(text(x, y + 6, letter + index, size=20, weight=600, anchor="middle"))
    parts.append(text(left, up - 32, "the data", size=15, anchor="middle"))
    for i, index in enumerate("₁₂₃"):
        x, middle = left + i * step, left + (i + 0.5) * step
        parts.append(arrow(x + 25, up, x + step - 26, up, BLUE))
        parts.append(text(middle, up - 12, f"W{index}, c{index}", size=18, anchor="middle"))
        parts.append(box(middle, down, f"d{index}", width=46, height=36, size=19))
        parts.append(arrow(x + 15, up + 20, middle - 14, down - 20, BLUE))
        parts.append(arrow(x + step - 25, down, middle + 25, down, ORANGE))
        if i:
            parts.append(arrow(middle - 25, down, x + 26, down, ORANGE))
        parts.append(arrow(middle, down + 20, middle, out - 21, GREEN))
        parts.append(box(middle, out, f"W̄{index}, c̄{index}", colour=GREEN, width=104, height=40, size=19))
    loss = right + 102
    parts.append(arrow(right + 25, up, loss - 31, up, BLUE))
    parts.append(box(loss, up, "loss", colour=AMBER, width=62, height=40, size=18))
    turn = f"M{loss},{up + 21}V{down - 16}q0,16 -16,16H{right + 34}"
    parts.append(arrow_along(turn, (right + 25, down), (-1, 0), ORANGE))
    formulas = (
        ("dᵢ₊₁ = bᵢ₊₁ · tanh′(aᵢ Wᵢ₊₁ + cᵢ₊₁)", ORANGE),
        ("bᵢ = dᵢ₊₁ Wᵢ₊₁ᵀ", ORANGE),
        ("W̄ᵢ₊₁ = aᵢᵀ dᵢ₊₁", GREEN),
        ("c̄ᵢ₊₁ = dᵢ₊₁ summed over the batch", GREEN),
    )
    for k, (formula, colour) in enumerate(formulas):
        parts.append(text(24 + k % 2 * 390, 390 + k // 2 * 34, formula, colour=colour, size=19))
    described = (
        "A row a0 to a3 of activations ends in the loss, from which a row b3 to b1 of gradients leads back. Between "
        "two neighbours of the lower row is d, made of the b to its right and the a above to its left; from d come "
        "the next b and, downwards, the gradients of that layer's W and c."
    )
    return document(780, 440, "The gradients of the parameters of a chain", *parts, description=described).svg


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    vanilla, poor, kept = vanilla_schedule(6), memory_poor_schedule(6), checkpointed_schedule(10, [3, 6, 9])
    return {
        "gradients.svg": gradients(),
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
