"""SVG from a few functions, and the colours and the font of every picture of the course: change them here.

A drawing has no background of its own and needs no script, no font and no network. It lies on the page's own, light
or dark, and cannot know which: front ends show it as an image, which does not inherit the page's colours. So all its
colours are of one luminance in the middle, about 0.225 on WCAG 2's scale of 0 to 1: a contrast of at least 3 to 1 with
white and with the dark pages of JupyterLab, VS Code, GitHub and Colab. Areas are tinted, so that text on them keeps
that contrast.

All lengths are in pixels, y grows downwards, and a text's y is its baseline.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, hypot, log, log10
from pathlib import Path

BLUE = "#3183e2"
ORANGE = "#e35219"
GREEN = "#2b945f"
PURPLE = "#a467d9"
AMBER = "#b57505"
TEAL = "#128fa0"
INK = "#798492"
INPUT, OUTPUT = BLUE, AMBER
TANGENT, ADJOINT, EDGE = BLUE, ORANGE, INK
SERIES = (BLUE, ORANGE, GREEN, PURPLE, AMBER, TEAL)
"""The colours of curves in one plot, in this order."""
TINT = "0.12"
"""The opacity of an area: text on it keeps a contrast of 3 to 1."""
FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif"
MONOSPACE = "ui-monospace,Menlo,Consolas,monospace"

Attribute = str | float | None


class Markup(str):
    """A piece of SVG. Any other string that becomes a part of an element is text, and is escaped."""

    __slots__ = ()


@dataclass(frozen=True)
class Drawing:
    """A picture that Jupyter shows when it is a cell's result."""

    svg: str = field(repr=False)
    label: str = field(repr=False, default="")
    """What it shows, for readers who cannot see it."""

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Writes the SVG file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def document(
    width: float, height: float, label: str, *parts: str, size: int = 13, description: str | None = None
) -> Drawing:
    """A whole picture, which shrinks with the page.

    `label` says what it shows, and `description` what there is to see in it, for readers who cannot see it.
    """
    width, height = round(width), round(height)
    svg = element(
        "svg",
        *([element("desc", description)] if description else []),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        style="max-width:100%;height:auto",
        font_family=FONT,
        font_size=size,
        role="img",
        aria_label=label,
    )
    return Drawing(str(svg), label)


@dataclass(frozen=True)
class Panel:
    """One of several pictures that belong together."""

    width: float
    height: float
    label: str
    parts: tuple[Markup, ...]
    description: str | None = None

    def drawing(self, size: int = 12) -> Drawing:
        """The panel as a picture of its own."""
        return document(self.width, self.height, self.label, *self.parts, size=size, description=self.description)


@dataclass(frozen=True)
class Panels(Drawing):
    """Pictures in a row. A notebook shows as many beside each other as there is room for, the file `columns` many."""

    panels: tuple[Drawing, ...] = field(repr=False, default=())
    widths: tuple[float, ...] = field(repr=False, default=())

    def _repr_html_(self) -> str:
        # Columns of one width keep panels of one scale comparable; they shrink a little before there is one less.
        width = max(self.widths)
        columns = f"repeat(auto-fill,minmax(min(100%,{round(0.75 * width)}px),1fr))"
        cells = "".join(f"<div style='max-width:{round(width)}px'>{panel.svg}</div>" for panel in self.panels)
        return f"<div style='display:grid;grid-template-columns:{columns};gap:8px 16px'>{cells}</div>"


def side_by_side(panels: Sequence[Panel], label: str, columns: int, *, size: int = 12) -> Panels:
    """Puts panels, all as large as the largest, into rows of `columns`."""
    width, height = max(panel.width for panel in panels) + 16, max(panel.height for panel in panels) + 8
    rows = -(-len(panels) // columns)
    placed = [moved(k % columns * width, k // columns * height, *panel.parts) for k, panel in enumerate(panels)]
    described = " ".join(panel.description or panel.label for panel in panels)
    whole = document(
        width * min(columns, len(panels)) - 16, height * rows - 8, label, *placed, size=size, description=described
    )
    return Panels(
        whole.svg, whole.label, tuple(panel.drawing(size) for panel in panels), tuple(panel.width for panel in panels)
    )


# --- Elements ---------------------------------------------------------------------------------------------------------


def element(tag: str, *parts: str, **attributes: Attribute) -> Markup:
    """One element. `stroke_width=2` is the attribute stroke-width, `class_` is class; None leaves an attribute out."""
    written = "".join(
        f" {name.rstrip('_').replace('_', '-')}='{escape(value if isinstance(value, str) else number(value))}'"
        for name, value in attributes.items()
        if value is not None
    )
    body = "".join(part if isinstance(part, Markup) else escape(part, quote=False) for part in parts)
    return Markup(f"<{tag}{written}>{body}</{tag}>" if parts else f"<{tag}{written}/>")


def number(value: float) -> str:
    """A length or coordinate to a tenth of a pixel, as short as it may be."""
    return f"{value:.1f}".removesuffix(".0")


def point(x: float, y: float) -> str:
    """A point of a path."""
    return f"{number(x)},{number(y)}"


def text(
    x: float | None,
    y: float,
    *parts: str,
    colour: str | None = INK,
    size: int | None = None,
    weight: int | None = None,
    anchor: str | None = None,
    **attributes: Attribute,
) -> Markup:
    """A line of text; anchor: "start", "middle" or "end", the part of it that is at x."""
    given = {"fill": colour, "font_size": size, "font_weight": weight, "text_anchor": anchor, **attributes}
    return element("text", *parts, x=x, y=y, **given)


def path(d: str, colour: str, width: float = 1.0, **attributes: Attribute) -> Markup:
    """A line along the path `d`, without an area."""
    return element("path", d=d, fill="none", stroke=colour, stroke_width=width, **attributes)


def tinted(colour: str, width: float = 1.5) -> dict[str, str | float]:
    """The attributes of an area in a light tint of its border's colour, on which text can be read."""
    return {"fill": colour, "fill_opacity": TINT, "stroke": colour, "stroke_width": width}


def moved(x: float, y: float, *parts: Markup) -> Markup:
    """A group whose origin is at (x, y)."""
    return element("g", *parts, transform=f"translate({point(x, y)})")


# --- Boxes and arrows -------------------------------------------------------------------------------------------------


def box(
    x: float,
    y: float,
    *lines: tuple[str, str] | str,
    colour: str = INK,
    width: float = 104,
    height: float = 40,
    size: int = 15,
    dashes: str | None = None,
) -> Markup:
    """A node around (x, y); each line is a text, or a text and its colour. The first is bold."""
    texts = [line if isinstance(line, tuple) else (line, INK) for line in lines]
    spacing = size + 4
    first = y + size / 3 - spacing / 2 * (len(texts) - 1)
    corner = {"x": x - width / 2, "y": y - height / 2, "rx": 0.6 * size}
    return element(
        "g",
        element("rect", **corner, width=width, height=height, **tinted(colour), stroke_dasharray=dashes),
        *(
            text(x, first + spacing * k, words, colour=ink, size=size, weight=None if k else 600, anchor="middle")
            for k, (words, ink) in enumerate(texts)
        ),
    )


def arrow(x1: float, y1: float, x2: float, y2: float, colour: str = EDGE, *, dashed: bool = False) -> Markup:
    """A straight arrow."""
    ux, uy = (x2 - x1) / hypot(x2 - x1, y2 - y1), (y2 - y1) / hypot(x2 - x1, y2 - y1)
    line = f"M{point(x1, y1)}L{point(x2 - 9 * ux, y2 - 9 * uy)}"
    return arrow_along(line, (x2, y2), (ux, uy), colour, dashes="6 5" if dashed else None)


def bent_arrow(x1: float, y1: float, x2: float, y2: float, colour: str = EDGE) -> Markup:
    """An arrow that leaves and arrives horizontally."""
    ux, middle = 1.0 if x2 > x1 else -1.0, (x1 + x2) / 2
    line = f"M{point(x1, y1)}C{point(middle, y1)} {point(middle, y2)} {point(x2 - 8 * ux, y2)}"
    return arrow_along(line, (x2, y2), (ux, 0.0), colour)


def arrow_along(
    line: str,
    tip: tuple[float, float],
    direction: tuple[float, float],
    colour: str = EDGE,
    *,
    width: float = 2.0,
    head: tuple[float, float] = (9.0, 10.0),
    dashes: str | None = None,
) -> Markup:
    """An arrow along a path that ends a little before `tip`.

    direction: where it points, of length 1. head: its length and its breadth.
    """
    (x, y), (ux, uy), (length, breadth) = tip, direction, head
    bx, by, half = x - length * ux, y - length * uy, breadth / 2
    corners = (tip, (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux))
    shape = element("polygon", points=" ".join(point(*corner) for corner in corners), fill=colour)
    return Markup(path(line, colour, width, stroke_dasharray=dashes) + shape)


# --- Plots ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axes:
    """Two linear axes on a rectangle of the picture; x and y are the values at their ends, lowest first."""

    left: float
    top: float
    right: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where in the picture the point (x, y) is."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def grid(self, x_ticks: Mapping[float, str], y_ticks: Mapping[float, str]) -> Markup:
        """A line across the rectangle at each tick (value: what is written beside it)."""
        across = [(self.place(value, self.y[0])[0], label) for value, label in x_ticks.items()]
        up = [(self.place(self.x[0], value)[1], label) for value, label in y_ticks.items()]
        lines = (
            "".join(f"M{point(x, self.top)}V{number(self.bottom)}" for x, _ in across),
            "".join(f"M{point(self.left, y)}H{number(self.right)}" for y, _ in up),
        )
        return element(
            "g",
            *(path(line, EDGE, stroke_opacity="0.25") for line in lines),
            *(text(x, self.bottom, label, anchor="middle", dy="1.5em") for x, label in across),
            *(text(self.left - 8, y + 4, label, anchor="end") for y, label in up),
        )

    def curve(self, points: Iterable[tuple[float, float]], colour: str, width: float = 2.0) -> Markup:
        """A line through points given by their values."""
        return path("M" + "L".join(point(*self.place(x, y)) for x, y in points), colour, width)


class LogAxes(Axes):
    """The same with logarithmic axes."""

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where in the picture the point (x, y) is."""
        across = log(x / self.x[0]) / log(self.x[1] / self.x[0])
        up = log(y / self.y[0]) / log(self.y[1] / self.y[0])
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def decades(values: Sequence[float]) -> range:
    """The exponents of the powers of ten from the last one below all values to the first one above, at least two."""
    first, last = floor(log10(min(values))), ceil(log10(max(values)))
    return range(first, max(last, first + 1) + 1)


def decade_ticks(decades: range) -> dict[float, str]:
    """Powers of ten and their labels; at most sixteen of them, so that labels do not overlap."""
    return {10.0**decade: _power(decade) for decade in decades[:: max(1, (len(decades) - 1) // 8)]}


def _power(decade: int) -> str:
    exponent = element("tspan", str(decade).replace("-", "−"), dy=-5, font_size=10)
    return Markup(f"10{exponent}") if decade else "1"


def legend_entry(x: float, y: float, word: str, width: float, *swatch: Markup) -> Markup:
    """What a colour means: the swatch, drawn about (0, 0) and as wide as it says, moved to (x, y), and the word."""
    return moved(x, y, *swatch, text(width + 6, 4, word))
