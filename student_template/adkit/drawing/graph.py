"""Computational graphs as SVG: layered, with values, tangents and adjoints written into the nodes when given.

A drawing has no background of its own and needs no script, no font and no network. It lies on the page's own, light
or dark, and cannot know which: front ends show it as an image, which does not inherit the page's colours. So all its
colours are of one luminance in the middle, about 0.225 on WCAG 2's scale of 0 to 1: a contrast of at least 3 to 1 with
white and with the dark pages of JupyterLab, VS Code, GitHub and Colab. Areas are tinted, so that text on them keeps
that contrast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import accumulate
from pathlib import Path

from adkit.drawing.layout import Layout, layered
from adkit.graph import Graph

LARGEST_DRAWN = 120
"""Graphs with more nodes are not drawn by themselves in a notebook: nobody could read them."""

WIDEST = 960.0
"""A drawing wider than this (pixels) runs from top to bottom instead of from left to right."""

BLUE = "#3183e2"
ORANGE = "#e35219"
GREEN = "#2b945f"
PURPLE = "#a467d9"
AMBER = "#b57505"
TEAL = "#128fa0"
INK = "#798492"
TANGENT, ADJOINT, EDGE = BLUE, ORANGE, INK
TINT = 0.12
"""The opacity of an area: text on it keeps a contrast of 3 to 1."""
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif'"

_GAP = 44.0
_BORDER = 3.5
"""How far the second border of an output lies outside the first."""
_LINE = 17.0
_MARGIN = 18.0

_INFIX = {"add": " + ", "sub": " − ", "mul": " · ", "div": " / "}
_COLOUR = {"input": BLUE, "output": AMBER}


@dataclass(frozen=True)
class Drawing:
    """A picture that Jupyter shows when it is a cell's result."""

    svg: str = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Writes the SVG file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def draw(
    graph: Graph,
    values: Sequence[float | None] | None = None,
    tangents: Sequence[float | None] | None = None,
    adjoints: Sequence[float | None] | None = None,
    labels: Sequence[str] | None = None,
) -> Drawing:
    """Draws a graph. `values`, `tangents`, `adjoints` and `labels` have one entry a node (None: left out).

    Labels are v1, v2, … unless given; digits at the end of a label become a subscript. Inputs are blue,
    outputs amber with a double border, constants grey and dashed. Raises ValueError for a sequence of
    another length.
    """
    names = node_names(graph, labels)
    lines = [[(text, INK, True)] for text in formulas(graph, names)]
    for what, given, mark, colour in (
        ("values", values, "=", INK),
        ("tangents", tangents, "→", TANGENT),
        ("adjoints", adjoints, "←", ADJOINT),
    ):
        if given is None:
            continue
        _check_length(what, given, graph)
        for box, number in zip(lines, given, strict=True):
            if number is not None:
                box.append((f"{mark} {short_number(number)}", colour, False))
    picture = _Picture(graph, lines)
    legend = _legend(tangents is not None, adjoints is not None)
    return Drawing(picture.svg(legend))


def node_names(graph: Graph, labels: Sequence[str] | None = None) -> list[str]:
    """The nodes' names, v₁, v₂, … or `labels`, with the digits at the end as subscripts."""
    if labels is None:
        labels = [f"v{index + 1}" for index in range(len(graph.nodes))]
    _check_length("labels", labels, graph)
    return [_subscripted(str(label)) for label in labels]


def formulas(graph: Graph, names: Sequence[str]) -> list[str]:
    """What each node computes, as in "v₃ = v₁ · v₂"; an input is its name alone."""
    texts: list[str] = []
    for name, node in zip(names, graph.nodes, strict=True):
        args = [names[arg] for arg in node.args]
        if node.op == "input":
            texts.append(name)
        elif node.value is not None:
            texts.append(f"{name} = {short_number(node.value)}")
        elif node.op in _INFIX:
            texts.append(f"{name} = {_INFIX[node.op].join(args)}")
        elif node.op == "neg":
            texts.append(f"{name} = −{args[0]}")
        else:
            texts.append(f"{name} = {node.op} {args[0]}")
    return texts


def short_number(number: float) -> str:
    """Four significant digits, a true minus sign, no trailing zeros."""
    return f"{float(number):.4g}".replace("-", "−")


class _Picture:
    """One drawing in the making: the boxes' sizes, the direction of the layers, and the shapes."""

    def __init__(self, graph: Graph, lines: list[list[tuple[str, str, bool]]]) -> None:
        self.graph = graph
        self.lines = lines
        self.widths = [18 + max(_text_width(text) for text, _, _ in box) for box in lines]
        self.heights = [12 + _LINE * len(box) for box in lines]
        arguments = [node.args for node in graph.nodes]
        constants = [index for index, node in enumerate(graph.nodes) if node.op == "const"]
        across = layered(arguments, constants, self.heights, gap=16.0)
        down = layered(arguments, constants, self.widths, gap=18.0)
        width_across = self._begins(across, self.widths, _GAP)[-1] - _GAP
        self.sideways = width_across <= WIDEST or width_across <= down.breadth
        self.layout = across if self.sideways else down
        self.along = self.widths if self.sideways else self.heights
        self.starts = self._begins(self.layout, self.along, _GAP)

    @staticmethod
    def _begins(layout: Layout, along: Sequence[float], gap: float) -> list[float]:
        """Where each layer begins and, last, where a layer after the last one would."""
        thickness = [0.0] * layout.depth
        for vertex, size in enumerate(along):
            thickness[layout.layer[vertex]] = max(thickness[layout.layer[vertex]], size)
        return [0.0, *accumulate(size + gap for size in thickness)]

    def svg(self, legend: str) -> str:
        long = max(0.0, self.starts[-1] - _GAP)
        across = self.layout.breadth
        width, height = (long, across) if self.sideways else (across, long)
        width, height = max(width, 260.0 if legend else 0.0) + 2 * _MARGIN, height + 2 * _MARGIN
        full = height + (24 if legend else 0)
        shapes = [self._edge(path, port) for path, port in zip(self.layout.paths, self._ports(), strict=True)]
        shapes += [self._box(index) for index in range(len(self.graph.nodes))]
        foot = f"<g transform='translate({_MARGIN},{height + 4:.0f})'>{legend}</g>" if legend else ""
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{full:.0f}' "
            f"viewBox='0 0 {width:.0f} {full:.0f}' style='max-width:100%;height:auto' {FONT} font-size='13'>"
            f"<g transform='translate({_MARGIN:.0f},{_MARGIN:.0f})'>{''.join(shapes)}</g>{foot}</svg>"
        )

    def _point(self, along: float, across: float) -> tuple[float, float]:
        return (along, across) if self.sideways else (across, along)

    def _span(self, vertex: int) -> tuple[float, float]:
        """Where a vertex begins and ends along the layers; a bend takes the whole thickness of its layer."""
        row = self.layout.layer[vertex]
        start, end = self.starts[row], self.starts[row + 1] - _GAP
        if vertex >= len(self.along):
            return start, end
        middle, size = (start + end) / 2, self.along[vertex]
        return middle - size / 2, middle + size / 2

    def _ports(self) -> list[float]:
        """How far from the middle of its node each edge arrives, so that arrowheads stay apart."""
        arriving: dict[int, list[int]] = {}
        for number, path in enumerate(self.layout.paths):
            arriving.setdefault(path[-1], []).append(number)
        ports = [0.0] * len(self.layout.paths)
        room = self.heights if self.sideways else self.widths
        for node, numbers in arriving.items():
            numbers.sort(key=lambda number: self.layout.position[self.layout.paths[number][-2]])
            step = min(14.0, (room[node] - 10) / len(numbers))
            for place, number in enumerate(numbers):
                ports[number] = step * (place - (len(numbers) - 1) / 2)
        return ports

    def _edge(self, path: tuple[int, ...], port: float) -> str:
        position = self.layout.position
        at = self._span(path[0])[1], position[path[0]]
        pieces = ["M{:.1f},{:.1f}".format(*self._point(*at))]
        for vertex in path[1:]:
            start, end = self._span(vertex)
            last = vertex == path[-1]
            border = _BORDER if vertex in self.graph.outputs else 0.0
            there = (start - border - 7, position[vertex] + port) if last else (start, position[vertex])
            middle = (at[0] + there[0]) / 2
            corners = ((middle, at[1]), (middle, there[1]), there)
            pieces.append("C" + " ".join("{:.1f},{:.1f}".format(*self._point(*corner)) for corner in corners))
            at = there
            if not last:
                at = (end, position[vertex])
                pieces.append("L{:.1f},{:.1f}".format(*self._point(*at)))
        tip = ((at[0] + 7, at[1]), (at[0] - 1, at[1] - 3.6), (at[0] - 1, at[1] + 3.6))
        head = " ".join("{:.1f},{:.1f}".format(*self._point(*corner)) for corner in tip)
        return (
            f"<path d='{''.join(pieces)}' fill='none' stroke='{EDGE}' stroke-width='1.4'/>"
            f"<polygon points='{head}' fill='{EDGE}'/>"
        )

    def _box(self, index: int) -> str:
        node = self.graph.nodes[index]
        begin, end = self._span(index)
        x, y = self._point((begin + end) / 2, self.layout.position[index])
        width, height = self.widths[index], self.heights[index]
        left, top = x - width / 2, y - height / 2
        output = index in self.graph.outputs
        colour = _COLOUR.get("output" if output and node.op != "input" else node.op, INK)
        dashes = " stroke-dasharray='4 3'" if node.op == "const" else ""
        outer = ""
        if output:
            outer = (
                f"<rect x='{left - _BORDER:.1f}' y='{top - _BORDER:.1f}' width='{width + 2 * _BORDER:.1f}' "
                f"height='{height + 2 * _BORDER:.1f}' rx='11' fill='none' stroke='{AMBER}' "
                f"stroke-width='1.3'/>"
            )
        texts = "".join(
            f"<text x='{x:.1f}' y='{top + 6 + _LINE * (place + 0.72):.1f}' text-anchor='middle' "
            f"fill='{ink}'{' font-weight=' + repr('600') if bold else ''}>{escape(text)}</text>"
            for place, (text, ink, bold) in enumerate(self.lines[index])
        )
        return (
            f"<g>{outer}<rect x='{left:.1f}' y='{top:.1f}' width='{width:.1f}' height='{height:.1f}' rx='8' "
            f"fill='{colour}' fill-opacity='{TINT}' stroke='{colour}' stroke-width='1.5'{dashes}/>{texts}</g>"
        )


def _legend(tangents: bool, adjoints: bool) -> str:
    """What the arrows in the boxes mean; nothing when there are none."""
    words: list[str] = []
    if tangents:
        words.append(f"<tspan fill='{TANGENT}'>→ tangent</tspan>")
    if adjoints:
        words.append(f"<tspan fill='{ADJOINT}'>← adjoint</tspan>")
    if not words:
        return ""
    body = f"<tspan fill='{INK}'>= value</tspan>" + "".join(f"<tspan dx='14'>{word}</tspan>" for word in words)
    return f"<text y='10' font-size='12'>{body}</text>"


def _subscripted(label: str) -> str:
    stem = label.rstrip("0123456789")
    return stem + label[len(stem) :].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) if stem else label


def _text_width(text: str) -> float:
    """A generous estimate, in pixels, for 13 px semibold text in any of the fonts asked for."""
    return sum(
        5.0 if char in " .,il·" else 6.4 if char in "₀₁₂₃₄₅₆₇₈₉" else 11.5 if char in "wm" else 8.6 for char in text
    )


def _check_length(what: str, given: Sequence[object], graph: Graph) -> None:
    if len(given) != len(graph.nodes):
        raise ValueError(f"{what}: {len(given)} entries given for a graph of {len(graph.nodes)} nodes")
