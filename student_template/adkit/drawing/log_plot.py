"""Curves over two logarithmic axes: how a cost grows."""

from collections.abc import Mapping, Sequence

from adkit.drawing import svg
from adkit.drawing.svg import Drawing

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 680.0, 364.0, 76.0, 520.0, 44.0, 300.0
_MOST_LABELS = 8
"""On the axis below, so that they do not overlap."""


def log_plot(title: str, across: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> Drawing:
    """Draws curves over two logarithmic axes, the earlier ones wider, so that one that lies on another is seen.

    title: what is drawn upwards; across: what the axis below is. curves: by name, points (x, y), at most six curves;
    the axis below is labelled where the points are. Raises ValueError where there is no point, or one that has no
    logarithm.
    """
    points = [point for curve in curves.values() for point in curve]
    if not points or not all(0 < number < float("inf") for point in points for number in point):
        raise ValueError("log_plot needs at least one point (x, y), and positive numbers only")
    if len(curves) > len(svg.SERIES):
        raise ValueError(f"log_plot has colours for {len(svg.SERIES)} curves, got {len(curves)}")
    xs, decades = sorted({x for x, _ in points}), svg.decades([y for _, y in points])
    ends = (xs[0], xs[-1]) if len(xs) > 1 else (xs[0] / 2, xs[0] * 2)
    axes = svg.LogAxes(_LEFT, _TOP, _RIGHT, _BOTTOM, x=ends, y=(10.0 ** decades[0], 10.0 ** decades[-1]))
    middle = (_LEFT + _RIGHT) / 2
    parts = [
        svg.text(middle, 26, title, size=14, anchor="middle"),
        svg.text(middle, _HEIGHT - 18, across, anchor="middle"),
        axes.grid({x: f"{x:g}" for x in xs[:: -(-len(xs) // _MOST_LABELS)]}, svg.decade_ticks(decades)),
    ]
    for k, ((name, curve), colour) in enumerate(zip(curves.items(), svg.SERIES, strict=False)):
        parts.append(axes.curve(curve, colour, max(5 - 1.5 * k, 1.4)))
        parts.append(svg.text(_RIGHT + 16, _TOP + 20 + 26 * k, name, colour=colour, weight=600))
    return svg.document(_WIDTH, _HEIGHT, f"{title}, over {across}", *parts)
