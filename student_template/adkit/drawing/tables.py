"""Traces as tables: one row a node, with what it computes, its value, its tangent and its adjoint.

A forward trace is read downwards, a reverse trace upwards, as in Baydin, Pearlmutter, Radul & Siskind,
"Automatic differentiation in machine learning: a survey" (JMLR 18, 2018), tables 2 and 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from adkit.drawing.graph import ADJOINT, TANGENT, formulas, node_names, short_number
from adkit.graph import Graph


@dataclass(frozen=True)
class TraceTable:
    """A table that Jupyter shows as HTML, and print as text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    colours: tuple[str, ...]
    """The text colour of each column; "inherit" for the notebook's own."""

    def _repr_html_(self) -> str:
        cell = "padding:4px 16px;text-align:left;border-bottom:1px solid #8884;background:transparent;"
        head = "".join(
            f"<th style='{cell}color:{colour}'>{escape(title)}</th>"
            for title, colour in zip(self.header, self.colours, strict=True)
        )
        body = "".join(
            "<tr style='background:transparent'>"
            + "".join(
                f"<td style='{cell}color:{colour}'>{escape(text)}</td>"
                for text, colour in zip(row, self.colours, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            "<table style='border-collapse:collapse;font-variant-numeric:tabular-nums;margin:8px 0'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
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
    """The trace of a graph. Each sequence has one entry a node (None: an empty cell); ValueError otherwise.

    Only the columns that are given are shown; `labels` as in `adkit.draw`.
    """
    names = node_names(graph, labels)
    header, columns, colours = ["node"], [formulas(graph, names)], ["inherit"]
    for title, given, colour in (
        ("value", values, "inherit"),
        ("tangent ↓", tangents, TANGENT),
        ("adjoint ↑", adjoints, ADJOINT),
    ):
        if given is None:
            continue
        if len(given) != len(graph.nodes):
            raise ValueError(f"{title}: {len(given)} entries given for a graph of {len(graph.nodes)} nodes")
        header.append(title)
        columns.append(["" if number is None else short_number(number) for number in given])
        colours.append(colour)
    return TraceTable(tuple(header), tuple(zip(*columns, strict=True)), tuple(colours))
