"""Draws the notebook's figures.

python assignments/matrix_gradients/draw_figures.py
"""

from pathlib import Path

from adkit.drawing.svg import (
    ADJOINT,
    INK,
    INPUT,
    OUTPUT,
    TANGENT,
    Markup,
    arrow,
    box,
    document,
    element,
    path,
    point,
    text,
)

from autograder.build.pictures import write


def label(x: float, y: float, words: str, colour: str = INK, size: int = 15, anchor: str = "middle") -> Markup:
    """A line of text, centred at x unless `anchor` says otherwise."""
    return text(x, y, words, colour=colour, size=size, anchor=anchor)


def linear_solve() -> str:
    """Problem 2: the solve within a larger computation, forward and backward."""
    return document(
        700,
        250,
        box(110, 80, "A", colour=INPUT),
        box(110, 180, "b", colour=INPUT),
        box(350, 130, "x = A⁻¹ b"),
        box(590, 130, "L", colour=OUTPUT),
        arrow(162, 84, 298, 114),
        arrow(162, 176, 298, 138),
        arrow(402, 124, 538, 124, dashed=True),
        arrow(298, 132, 162, 102, ADJOINT),
        arrow(298, 148, 162, 194, ADJOINT),
        arrow(538, 142, 402, 142, ADJOINT, dashed=True),
        label(470, 166, "x̄, given", ADJOINT),
        label(222, 140, "Ā = ?", ADJOINT),
        label(252, 198, "b̄ = ?", ADJOINT),
        label(470, 98, "whatever comes after", INK, 13),
        label(350, 232, "values from left to right, cotangents from right to left", INK, 14),
        label(350, 32, "Problem 2: the linear solve as one node", INK, 14),
        label="A linear solve within a larger computation",
    ).svg


def nuclear_norm() -> str:
    """Problem 3: the nuclear norm by way of the singular value decomposition."""
    return document(
        760,
        280,
        box(80, 140, "W", colour=INPUT, width=80),
        box(245, 140, "SVD", width=90),
        box(420, 70, "U", width=80),
        box(420, 140, "Σ", width=80),
        box(420, 210, "Vᵀ", width=80),
        box(590, 140, "tr(Σ)", width=90),
        box(702, 140, "R", colour=OUTPUT, width=64),
        arrow(120, 140, 200, 140),
        arrow(290, 132, 380, 78),
        arrow(290, 140, 380, 140),
        arrow(290, 148, 380, 202),
        arrow(460, 140, 545, 140),
        arrow(635, 140, 670, 140),
        label(505, 75, "not used: Ū = 0", ADJOINT, 14, anchor="start"),
        label(505, 215, "not used: V̄ᵀ = 0", ADJOINT, 14, anchor="start"),
        label(505, 166, "Σ̄ = ?", ADJOINT, 14),
        label(160, 166, "W̄ = ?", ADJOINT, 14),
        label(380, 262, "R depends on W only through Σ, but Σ depends on all of W", INK, 14),
        label(380, 32, "Problem 3: the nuclear norm R(W) = tr(Σ)", INK, 14),
        label="The nuclear norm as a computational graph",
    ).svg


def kink() -> str:
    """The absolute value: one tangent where it is smooth, many supporting lines at the kink."""

    def at(w: float, value: float) -> tuple[float, float]:
        return 300 + 110 * w, 200 - 100 * value

    parts = [arrow(40, 200, 560, 200), arrow(300, 330, 300, 44)]
    for slope in (-0.6, -0.2, 0.3, 0.75):
        parts.append(path(f"M{point(*at(-1.6, -1.6 * slope))}L{point(*at(1.6, 1.6 * slope))}", TANGENT, 1.5))
    corner = at(0, 0)
    parts.append(path(f"M{point(*at(-1.5, 1.5))}L{point(*corner)}L{point(*at(1.5, 1.5))}", ADJOINT, 3))
    parts.append(element("circle", cx=corner[0], cy=corner[1], r=5, fill=ADJOINT))
    return document(
        600,
        372,
        *parts,
        label(476, 66, "R(w) = |w|", ADJOINT, anchor="start"),
        label(484, 84, "slope 0.75", TANGENT, 13, anchor="start"),
        label(484, 156, "slope 0.3", TANGENT, 13, anchor="start"),
        label(548, 222, "w", INK),
        label(300, 356, "at 0 every line of slope g, |g| ≤ 1, stays below R: each g is a subgradient", INK, 14),
        label(300, 28, "a convex function and lines that support it at 0", INK, 14),
        label="Subgradients at a kink",
    ).svg


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    return {"linear_solve.svg": linear_solve(), "nuclear_norm.svg": nuclear_norm(), "kink.svg": kink()}


if __name__ == "__main__":
    write(Path(__file__).parent / "figures", figures())
