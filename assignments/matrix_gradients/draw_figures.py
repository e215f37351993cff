"""Draws the notebook's figures.

python assignments/matrix_gradients/draw_figures.py
"""

from pathlib import Path

from adkit.drawing import svg

from autograder.build.pictures import write


def label(x: float, y: float, words: str, colour: str = svg.INK, size: int = 15, anchor: str = "middle") -> svg.Markup:
    """A line of text, centred at x unless `anchor` says otherwise."""
    return svg.text(x, y, words, colour=colour, size=size, anchor=anchor)


def linear_solve() -> str:
    """Problem 2: the solve within a larger computation, forward and backward."""
    return svg.document(
        700,
        250,
        "A linear solve within a larger computation",
        svg.box(110, 80, "A", colour=svg.INPUT),
        svg.box(110, 180, "b", colour=svg.INPUT),
        svg.box(350, 130, "x = A⁻¹ b"),
        svg.box(590, 130, "L", colour=svg.OUTPUT),
        svg.arrow(162, 84, 298, 114),
        svg.arrow(162, 176, 298, 138),
        svg.arrow(402, 124, 538, 124, dashed=True),
        svg.arrow(298, 132, 162, 102, svg.ADJOINT),
        svg.arrow(298, 148, 162, 194, svg.ADJOINT),
        svg.arrow(538, 142, 402, 142, svg.ADJOINT, dashed=True),
        label(470, 166, "x̄, given", svg.ADJOINT),
        label(222, 140, "Ā = ?", svg.ADJOINT),
        label(252, 198, "b̄ = ?", svg.ADJOINT),
        label(470, 98, "whatever comes after", svg.INK, 13),
        label(350, 232, "values from left to right, cotangents from right to left", svg.INK, 14),
        label(350, 32, "Problem 2: the linear solve as one node", svg.INK, 14),
    ).svg


def nuclear_norm() -> str:
    """Problem 3: the nuclear norm by way of the singular value decomposition."""
    return svg.document(
        760,
        280,
        "The nuclear norm as a computational graph",
        svg.box(80, 140, "W", colour=svg.INPUT, width=80),
        svg.box(245, 140, "SVD", width=90),
        svg.box(420, 70, "U", width=80),
        svg.box(420, 140, "Σ", width=80),
        svg.box(420, 210, "Vᵀ", width=80),
        svg.box(590, 140, "tr(Σ)", width=90),
        svg.box(702, 140, "R", colour=svg.OUTPUT, width=64),
        svg.arrow(120, 140, 200, 140),
        svg.arrow(290, 132, 380, 78),
        svg.arrow(290, 140, 380, 140),
        svg.arrow(290, 148, 380, 202),
        svg.arrow(460, 140, 545, 140),
        svg.arrow(635, 140, 670, 140),
        label(505, 75, "not used: Ū = 0", svg.ADJOINT, 14, anchor="start"),
        label(505, 215, "not used: V̄ᵀ = 0", svg.ADJOINT, 14, anchor="start"),
        label(505, 166, "Σ̄ = ?", svg.ADJOINT, 14),
        label(160, 166, "W̄ = ?", svg.ADJOINT, 14),
        label(380, 262, "R depends on W only through Σ, but Σ depends on all of W", svg.INK, 14),
        label(380, 32, "Problem 3: the nuclear norm R(W) = tr(Σ)", svg.INK, 14),
    ).svg


def kink() -> str:
    """The absolute value: one tangent where it is smooth, many supporting lines at the kink."""

    def at(w: float, value: float) -> tuple[float, float]:
        return 300 + 110 * w, 200 - 100 * value

    parts = [svg.arrow(40, 200, 560, 200), svg.arrow(300, 330, 300, 44)]
    for slope in (-0.6, -0.2, 0.3, 0.75):
        parts.append(
            svg.path(f"M{svg.point(*at(-1.6, -1.6 * slope))}L{svg.point(*at(1.6, 1.6 * slope))}", svg.TANGENT, 1.5)
        )
    corner = at(0, 0)
    parts.append(
        svg.path(f"M{svg.point(*at(-1.5, 1.5))}L{svg.point(*corner)}L{svg.point(*at(1.5, 1.5))}", svg.ADJOINT, 3)
    )
    parts.append(svg.element("circle", cx=corner[0], cy=corner[1], r=5, fill=svg.ADJOINT))
    return svg.document(
        600,
        372,
        "Subgradients at a kink",
        *parts,
        label(476, 66, "R(w) = |w|", svg.ADJOINT, anchor="start"),
        label(484, 84, "slope 0.75", svg.TANGENT, 13, anchor="start"),
        label(484, 156, "slope 0.3", svg.TANGENT, 13, anchor="start"),
        label(548, 222, "w", svg.INK),
        label(300, 356, "at 0 every line of slope g, |g| ≤ 1, stays below R: each g is a subgradient", svg.INK, 14),
        label(300, 28, "a convex function and lines that support it at 0", svg.INK, 14),
    ).svg


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    return {"linear_solve.svg": linear_solve(), "nuclear_norm.svg": nuclear_norm(), "kink.svg": kink()}


if __name__ == "__main__":
    write(Path(__file__).parent / "figures", figures())
