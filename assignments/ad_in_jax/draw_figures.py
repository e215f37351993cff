"""Draws the notebook's figures.

python assignments/ad_in_jax/draw_figures.py
"""

from pathlib import Path

from adkit.drawing import svg
from adkit.drawing.svg import ADJOINT, INK, SERIES, TANGENT, Markup

from autograder.build.pictures import write

COLOURS = (SERIES[0], SERIES[1], SERIES[2])


def cell(x: float, y: float, size: float, colour: str | None) -> Markup:
    """An entry of a matrix: filled in a colour, or empty."""
    if colour is None:
        return svg.element("rect", x=x, y=y, width=size, height=size, fill="none", stroke=INK, stroke_opacity="0.3")
    look = {"fill": colour, "fill_opacity": "0.15", "stroke": colour}
    return svg.element("rect", x=x, y=y, width=size, height=size, **look)


def words(x: float, y: float, line: str, colour: str = INK, size: int = 14) -> Markup:
    """A line of text, centred at x."""
    return svg.text(x, y, line, colour=colour, size=size, anchor="middle")


def matrix(left: float, top: float, size: float, colours: list[list[str | None]]) -> list[Markup]:
    """A matrix of cells, by rows."""
    return [
        cell(left + size * j, top + size * i, size, colour)
        for i, row in enumerate(colours)
        for j, colour in enumerate(row)
    ]


def jacobian() -> str:
    """A tall Jacobian by columns, a wide one by rows."""
    tall = [[TANGENT if j == 1 else None for j in range(3)] for _ in range(8)]
    wide = [[ADJOINT if i == 1 else None for _ in range(8)] for i in range(3)]
    return svg.document(
        660,
        300,
        "A tall and a wide Jacobian",
        *matrix(106, 50, 24, tall),
        svg.arrow(142, 18, 142, 46, TANGENT),
        words(142, 268, "few inputs, many outputs", INK),
        words(142, 288, "jacfwd: 3 sweeps, one per column", TANGENT),
        svg.text(190, 150, "J eⱼ", colour=TANGENT, size=16),
        *matrix(400, 110, 24, wide),
        svg.arrow(362, 146, 396, 146, ADJOINT),
        words(496, 268, "many inputs, few outputs", INK),
        words(496, 288, "jacrev: 3 sweeps, one per row", ADJOINT),
        svg.text(602, 151, "eᵢᵀ J", colour=ADJOINT, size=16),
    ).svg


def colouring() -> str:
    """Three diagonals, three colours of columns, three products that hold all entries."""
    n, size = 8, 26
    banded = [[COLOURS[j % 3] if abs(i - j) <= 1 else None for j in range(n)] for i in range(n)]
    seeds = [[COLOURS[k] if j % 3 == k else None for k in range(3)] for j in range(n)]
    products = [[COLOURS[k] if any(banded[i][j] and j % 3 == k for j in range(n)) else None for k in range(3)]
                for i in range(n)]  # fmt: skip
    middle = 62 + n * size / 2
    return svg.document(
        660,
        330,
        "A banded Jacobian from three products",
        *matrix(40, 62, size, banded),
        *(words(40 + size * (j + 0.5), 54, str(j + 1), COLOURS[j % 3]) for j in range(n)),
        words(40 + n * size / 2, 296, "J: no two columns of one colour"),
        words(40 + n * size / 2, 316, "have an entry in the same row"),
        words(290, middle + 6, "·", INK, 26),
        *matrix(330, 62, size, seeds),
        words(369, 296, "one vector of 0 and 1"),
        words(369, 316, "per colour"),
        words(460, middle + 6, "=", INK, 22),
        *matrix(510, 62, size, products),
        words(549, 296, "three products"),
        words(549, 316, "hold all 22 entries"),
        words(330, 24, "8 columns, 3 colours, 3 sweeps"),
    ).svg


def figures() -> dict[str, str]:
    """The SVG text of each figure, by file name."""
    return {"jacobian.svg": jacobian(), "colouring.svg": colouring()}


if __name__ == "__main__":
    write(Path(__file__).parent / "figures", figures())
