"""Computational graphs as SVG: layered, with values, tangents and adjoints written into the nodes when given."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from adkit.drawing import svg
from adkit.drawing.layout import Layout, layered
from adkit.drawing.svg import Drawing, Markup
from adkit.graph import Graph

LARGEST_DRAWN = 120
"""A larger graph that is a cell's result is not drawn, since its drawing would be unreadable."""

WIDEST = 960.0
"""A drawing wider than this (pixels) runs from top to bottom instead of from left to right."""

_GAP = 44.0
_BORDER = 3.5
"""Distance of an output's second border from its first, in pixels."""
_LINE = 17.0
_MARGIN = 18.0

_INFIX = {"add": " + ", "sub": " − ", "mul": " · ", "div": " / "}


def draw(
    graph: Graph,
    values: Sequence[float | None] | None = None,
    tangents: Sequence[float | None] | None = None,
    adjoints: Sequence[float | None] | None = None,
    labels: Sequence[str] | None = None,
    *,
    marked: Mapping[int, str] | None = None,
    label: str = "",
) -> Drawing:
    """Draws a graph. `values`, `tangents`, `adjoints` and `labels` have one entry per node (None: left out).

    Labels are v1, v2, … unless given; digits at the end of a label become a subscript. Inputs are blue,
    outputs amber with a double border, constants grey and dashed. `marked` nodes (index: words, written in the node)
    are red, and `label` says what the picture shows to readers who cannot see it. Raises ValueError for a sequence
    of the wrong length.
    """
    names = node_names(graph, labels)
    lines = [[(formula, svg.INK)] for formula in formulas(graph, names)]
    for what, given, mark, colour in (
        ("values", values, "=", svg.INK),
        ("tangents", tangents, "→", svg.TANGENT),
        ("adjoints", adjoints, "←", svg.ADJOINT),
    ):
        if given is None:
            continue
        check_length(what, given, graph)
        for node, number in zip(lines, given, strict=True):
            if number is not None:
                node.append((f"{mark} {short_number(number)}", colour))
    marked = marked or {}
    for node, words in marked.items():
        lines[node].append((words, svg.ORANGE))
    return _Picture(graph, lines, frozenset(marked)).drawing(
        _legend(tangents is not None, adjoints is not None, values is not None), label
    )


def node_names(graph: Graph, labels: Sequence[str] | None = None) -> list[str]:
    """The nodes' names, v₁, v₂, … or `labels`, with the digits at the end as subscripts."""
    if labels is None:
        labels = [f"v{index + 1}" for index in range(len(graph.nodes))]
    check_length("labels", labels, graph)
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
    """A graph being drawn: the sizes of its boxes, the direction of its layers, and its shapes."""

    def __init__(self, graph: Graph, lines: list[list[tuple[str, str]]], marked: frozenset[int] = frozenset()) -> None:
        self.graph = graph
        self.marked = marked
        self.lines = lines
        self.widths = [18 + max(_text_width(words) for words, _ in node) for node in lines]
        self.heights = [12 + _LINE * len(node) for node in lines]
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

    def drawing(self, legend: Markup | None, label: str = "") -> Drawing:
        long = max(0.0, self.starts[-1] - _GAP)
        across = self.layout.breadth
        width, height = (long, across) if self.sideways else (across, long)
        width, height = max(width, 260.0 if legend else 0.0) + 2 * _MARGIN, height + 2 * _MARGIN
        parts = [self._edge(path, port) for path, port in zip(self.layout.paths, self._ports(), strict=True)]
        parts += [self._node(index) for index in range(len(self.graph.nodes))]
        picture = svg.moved(_MARGIN, _MARGIN, *parts)
        label = label or f"a computational graph of {len(self.graph.nodes)} nodes"
        if legend is None:
            return svg.document(width, height, label, picture)
        return svg.document(width, height + 24, label, picture, svg.moved(_MARGIN, round(height + 4), legend))

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

    def _edge(self, path: tuple[int, ...], port: float) -> Markup:
        position = self.layout.position
        at = self._span(path[0])[1], position[path[0]]
        line = f"M{self._written(*at)}"
        for vertex in path[1:-1]:
            start, end = self._span(vertex)
            line += self._curve(at, (start, position[vertex]))
            at = (end, position[vertex])
            line += f"L{self._written(*at)}"
        border = _BORDER if path[-1] in self.graph.outputs else 0.0
        tip = (self._span(path[-1])[0] - border, position[path[-1]] + port)
        line += self._curve(at, (tip[0] - 7, tip[1]))
        return svg.arrow_along(line, self._point(*tip), self._point(1, 0), width=1.4, head=(8, 7.2))

    def _curve(self, start: tuple[float, float], end: tuple[float, float]) -> str:
        middle = (start[0] + end[0]) / 2
        corners = ((middle, start[1]), (middle, end[1]), end)
        return "C" + " ".join(self._written(*corner) for corner in corners)

    def _written(self, along: float, across: float) -> str:
        return svg.point(*self._point(along, across))

    def _node(self, index: int) -> Markup:
        node = self.graph.nodes[index]
        begin, end = self._span(index)
        x, y = self._point((begin + end) / 2, self.layout.position[index])
        width, height = self.widths[index], self.heights[index]
        output = index in self.graph.outputs
        colour = svg.INPUT if node.op == "input" else svg.OUTPUT if output else svg.INK
        colour = svg.ORANGE if index in self.marked else colour
        dashes = "4 3" if node.op == "const" else None
        shape = svg.box(x, y, *self.lines[index], colour=colour, width=width, height=height, size=13, dashes=dashes)
        if not output:
            return shape
        corner = {"x": x - width / 2 - _BORDER, "y": y - height / 2 - _BORDER, "rx": 11}
        size = {"width": width + 2 * _BORDER, "height": height + 2 * _BORDER}
        border = svg.element("rect", **corner, **size, fill="none", stroke=svg.OUTPUT, stroke_width=1.3)
        return svg.element("g", border, shape)


def _legend(tangents: bool, adjoints: bool, values: bool = True) -> Markup | None:
    """What the arrows in the boxes mean; None when there are none."""
    words = [svg.element("tspan", "→ tangent", fill=svg.TANGENT, dx=14)] if tangents else []
    words += [svg.element("tspan", "← adjoint", fill=svg.ADJOINT, dx=14)] if adjoints else []
    return svg.text(None, 10, "= value" if values else "", *words, size=12) if words else None


def _subscripted(label: str) -> str:
    stem = label.rstrip("0123456789")
    return stem + label[len(stem) :].translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) if stem else label


def _text_width(text: str) -> float:
    """A generous estimate, in pixels, for 13 px semibold text in any of the fonts of `svg.FONT`."""
    return sum(
        5.0 if char in " .,il·" else 6.4 if char in "₀₁₂₃₄₅₆₇₈₉" else 11.5 if char in "wm" else 8.6 for char in text
    )


def check_length(what: str, given: Sequence[object], graph: Graph) -> None:
    if len(given) != len(graph.nodes):
        raise ValueError(f"{what}: {len(given)} entries given for a graph of {len(graph.nodes)} nodes")
