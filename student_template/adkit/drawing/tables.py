"""Traces as tables: one row per node, with what it computes, its value, its tangent and its adjoint.

A forward trace is read from top to bottom, a reverse trace from bottom to top, as in Baydin, Pearlmutter, Radul &
Siskind, "Automatic differentiation in machine learning: a survey" (JMLR 18, 2018), tables 2 and 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adkit.drawing import svg
from adkit.drawing.graph import check_length, formulas, node_names, short_number
from adkit.drawing.svg import Markup
from adkit.graph import Graph


@dataclass(frozen=True)
class TraceTable:
    """A table that Jupyter shows as HTML, and print as text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    colours: tuple[str, ...]
    """The text colour of each column; "inherit" for the notebook's own."""

    def _repr_html_(self) -> str:
        def row(tag: str, texts: Sequence[str]) -> Markup:
            cell = "padding:4px 16px;text-align:left;border-bottom:1px solid #8884;background:transparent;color:"
            cells = zip(texts, self.colours, strict=True)
            written = [svg.element(tag, text, style=cell + colour) for text, colour in cells]
            return svg.element("tr", *written, style="background:transparent")

        return svg.element(
            "table",
            svg.element("thead", row("th", self.header)),
            svg.element("tbody", *(row("td", texts) for texts in self.rows)),
            style="border-collapse:collapse;font-variant-numeric:tabular-nums;margin:8px 0",
        )

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.header))]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )


def trace_table(
    graph: Graph,
    values: Sequence[float | None] | None = None,
    tangents: Sequence[float | None] | None = None,
    adjoints: Sequence[float | None] | None = None,
    labels: Sequence[str] | None = None,
) -> TraceTable:
    """The trace of a graph. Each sequence has one entry per node (None: an empty cell).

    Only the columns that are passed are shown; `labels` as in `adkit.draw`. Raises ValueError for a sequence of the
    wrong length.
    """
    names = node_names(graph, labels)
    header, columns, colours = ["node"], [formulas(graph, names)], ["inherit"]
    for title, given, colour in (
        ("value", values, "inherit"),
        ("tangent ↓", tangents, svg.TANGENT),
        ("adjoint ↑", adjoints, svg.ADJOINT),
    ):
        if given is None:
            continue
        check_length(title, given, graph)
        header.append(title)
        columns.append(["" if number is None else short_number(number) for number in given])
        colours.append(colour)
    return TraceTable(tuple(header), tuple(zip(*columns, strict=True)), tuple(colours))
