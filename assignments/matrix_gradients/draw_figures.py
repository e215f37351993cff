"""Draws the notebook's figures.

python assignments/matrix_gradients/draw_figures.py
"""

from html import escape
from pathlib import Path

from adkit.drawing import ADJOINT, EDGE, FONT, INK, PAPER, TANGENT

INPUT, OUTPUT, INNER = ("#e4effb", "#3572b8"), ("#fdf0dc", "#b9770e"), ("#ffffff", "#5f6b76")


def picture(width: int, height: int, title: str, *parts: str) -> str:
    """An SVG with a background of its own."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' {FONT} font-size='15' role='img'><title>{escape(title)}</title>"
        f"<rect width='100%' height='100%' rx='10' fill='{PAPER}'/>{''.join(parts)}</svg>"
    )


def box(x: float, y: float, text: str, colours: tuple[str, str] = INNER, width: float = 104) -> str:
    """A node around (x, y)."""
    fill, stroke = colours
    return (
        f"<rect x='{x - width / 2}' y='{y - 20}' width='{width}' height='40' rx='9' fill='{fill}' "
        f"stroke='{stroke}' stroke-width='1.5'/>" + label(x, y + 5, text, INK, weight=600)
    )


def label(
    x: float, y: float, text: str, colour: str = INK, size: int = 15, weight: int = 400, anchor: str = "middle"
) -> str:
    """A line of text."""
    return (
        f"<text x='{x}' y='{y}' text-anchor='{anchor}' fill='{colour}' font-size='{size}' "
        f"font-weight='{weight}'>{escape(text)}</text>"
    )


def arrow(x1: float, y1: float, x2: float, y2: float, colour: str = EDGE, dashed: bool = False) -> str:
    """A straight arrow with a head at its end."""
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bx, by = x2 - 9 * ux, y2 - 9 * uy
    dash = " stroke-dasharray='6 5'" if dashed else ""
    head = f"{x2:.1f},{y2:.1f} {bx - 5 * uy:.1f},{by + 5 * ux:.1f} {bx + 5 * uy:.1f},{by - 5 * ux:.1f}"
    return (
        f"<path d='M{x1},{y1}L{bx:.1f},{by:.1f}' stroke='{colour}' stroke-width='2' fill='none'{dash}/>"
        f"<polygon points='{head}' fill='{colour}'/>"
    )


def linear_solve() -> str:
    """Problem 2: the solve within a larger computation, forward and backward."""
    return picture(
        700,
        250,
        "A linear solve within a larger computation",
        box(110, 80, "A", INPUT),
        box(110, 180, "b", INPUT),
        box(350, 130, "x = A⁻¹ b"),
        box(590, 130, "L", OUTPUT),
        arrow(162, 84, 298, 114),
        arrow(162, 176, 298, 138),
        arrow(402, 124, 538, 124, dashed=True),
        arrow(298, 132, 162, 102, ADJOINT),
        arrow(298, 148, 162, 194, ADJOINT),
        arrow(538, 142, 402, 142, ADJOINT, dashed=True),
        label(470, 166, "x̄, given", ADJOINT),
        label(222, 140, "Ā = ?", ADJOINT),
        label(252, 198, "b̄ = ?", ADJOINT),
        label(470, 98, "whatever comes after", "#5f6b76", 13),
        label(350, 232, "values from left to right, cotangents from right to left", INK, 14),
        label(350, 32, "Problem 2: the linear solve as one node", INK, 14),
    )


def nuclear_norm() -> str:
    """Problem 3: the nuclear norm by way of the singular value decomposition."""
    return picture(
        760,
        280,
        "The nuclear norm as a computational graph",
        box(80, 140, "W", INPUT, 80),
        box(245, 140, "SVD", INNER, 90),
        box(420, 70, "U", INNER, 80),
        box(420, 140, "Σ", INNER, 80),
        box(420, 210, "Vᵀ", INNER, 80),
        box(590, 140, "tr(Σ)", INNER, 90),
        box(702, 140, "R", OUTPUT, 64),
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
    )


def kink() -> str:
    """The absolute value: one tangent where it is smooth, many supporting lines at the kink."""

    def at(w: float, value: float) -> tuple[float, float]:
        return 300 + 110 * w, 200 - 100 * value

    parts = [arrow(40, 200, 560, 200), arrow(300, 330, 300, 44)]
    for slope in (-0.6, -0.2, 0.3, 0.75):
        (x1, y1), (x2, y2) = at(-1.6, -1.6 * slope), at(1.6, 1.6 * slope)
        parts.append(f"<path d='M{x1},{y1}L{x2},{y2}' stroke='{TANGENT}' stroke-width='1.5'/>")
    (x1, y1), (x0, y0), (x2, y2) = at(-1.5, 1.5), at(0, 0), at(1.5, 1.5)
    parts.append(
        f"<path d='M{x1},{y1}L{x0},{y0}L{x2},{y2}' fill='none' stroke='{ADJOINT}' stroke-width='3'/>"
        f"<circle cx='{x0}' cy='{y0}' r='5' fill='{ADJOINT}'/>"
    )
    return picture(
        600,
        372,
        "Subgradients at a kink",
        *parts,
        label(476, 66, "R(w) = |w|", ADJOINT, anchor="start"),
        label(484, 84, "slope 0.75", TANGENT, 13, anchor="start"),
        label(484, 156, "slope 0.3", TANGENT, 13, anchor="start"),
        label(548, 222, "w", INK),
        label(300, 356, "at 0 every line of slope g, |g| ≤ 1, stays below R: each g is a subgradient", INK, 14),
        label(300, 28, "a convex function and lines that support it at 0", INK, 14),
    )


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    return {"linear_solve.svg": linear_solve(), "nuclear_norm.svg": nuclear_norm(), "kink.svg": kink()}


if __name__ == "__main__":
    for name, svg in figures().items():
        (Path(__file__).parent / "figures" / name).write_text(svg, encoding="utf-8")
