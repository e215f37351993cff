"""The error of approximate derivatives against their step size, both axes logarithmic."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup

_WIDTH, _HEIGHT = 680.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 76.0, 530.0, 44.0, 358.0
_SMALLEST = 1e-18
"""An error of 0 has no logarithm; it is drawn here."""


def error_plot(
    approximations: Mapping[str, Callable[[float], float]],
    exact: float,
    steps: Sequence[float] | None = None,
    title: str = "error of a derivative against the step size",
) -> Drawing:
    """Plots the relative error of approximations of a derivative against their step h, both axes logarithmic.

    approximations: by name, functions of the step, e.g. {"central": lambda h: central_difference(f, x, v, h)}.
    exact: the derivative itself, not 0. steps: positive; by default sixteen decades from 1e-16 to 1.
    """
    if exact == 0:
        raise ValueError("exact is 0: a relative error needs a derivative that is not 0")
    steps = np.logspace(-16, 0, 97).tolist() if steps is None else sorted(float(step) for step in steps)
    if not steps or steps[0] <= 0:
        raise ValueError("steps must contain at least one number, and only positive ones")
    curves = {
        name: [(h, max(abs(float(value(h)) - exact) / abs(exact), _SMALLEST)) for h in steps]
        for name, value in approximations.items()
    }
    curves = {name: [(h, e) for h, e in curve if math.isfinite(e)] for name, curve in curves.items()}
    axes, grid = axes_of(steps, [error for curve in curves.values() for _, error in curve] or [1.0])
    colours = (svg.SERIES[index % len(svg.SERIES)] for index in range(len(curves)))
    drawn = [(name, colour, curve) for (name, curve), colour in zip(curves.items(), colours, strict=True)]
    return plotted(axes, grid, title, title, drawn)


def axes_of(steps: Sequence[float], errors: Sequence[float]) -> tuple[svg.LogAxes, Markup]:
    """Axes that hold these steps and errors, all positive, and their grid."""
    x, y = svg.decades(steps), svg.decades(errors)
    axes = svg.LogAxes(_LEFT, _TOP, _RIGHT, _BOTTOM, x=_ends(x), y=_ends(y))
    return axes, axes.grid(svg.decade_ticks(x), svg.decade_ticks(y))


def plotted(
    axes: svg.LogAxes,
    grid: Markup,
    title: str,
    label: str,
    curves: Sequence[tuple[str, str, Sequence[tuple[float, float]]]],
    *more: Markup,
) -> Drawing:
    """The plot: curves as (name, colour, points), and what else is drawn over them."""
    middle, halfway = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    drawn: list[Markup] = []
    for index, (name, colour, curve) in enumerate(curves):
        drawn.append(axes.curve(curve, colour, 1.8))
        drawn.append(svg.legend_entry(_RIGHT + 14, _TOP + 16 + 24 * index, name, 20, svg.path("M0,0h20", colour, 3)))
    return svg.document(
        _WIDTH,
        _HEIGHT,
        label,
        svg.text(middle, 26, title, size=14, anchor="middle"),
        grid,
        svg.path(f"M{svg.point(_LEFT, _TOP)}H{_RIGHT}V{_BOTTOM}H{_LEFT}z", svg.EDGE),
        svg.text(middle, _HEIGHT - 18, "step h", anchor="middle"),
        svg.text(22, halfway, "relative error", anchor="middle", transform=f"rotate(-90 22 {halfway})"),
        *drawn,
        *more,
    )


def _ends(decades: range) -> tuple[float, float]:
    return 10.0 ** decades[0], 10.0 ** decades[-1]
