"""The error of approximate derivatives against their step size, both axes logarithmic."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np

from adkit.drawing.graph import AMBER, BLUE, EDGE, FONT, GREEN, INK, ORANGE, PURPLE, TEAL, Drawing

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, AMBER, TEAL)
_WIDTH, _HEIGHT = 680.0, 420.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 76.0, 150.0, 44.0, 62.0
_SMALLEST = 1e-18
"""An error of 0 has no logarithm; it is drawn here."""


def error_plot(
    approximations: Mapping[str, Callable[[float], float]],
    exact: float,
    steps: Sequence[float] | None = None,
    title: str = "error of a derivative against the step size",
) -> Drawing:
    """The relative error of approximations of a derivative against their step h, both axes logarithmic.

    approximations: by name, functions of the step, e.g. {"central": lambda h: central_difference(f, x, v, h)}.
    exact: the derivative itself, not 0. steps: positive; by default sixteen decades from 1e-16 to 1.
    """
    if exact == 0:
        raise ValueError("exact is 0: a relative error needs a derivative that is not 0")
    given = np.logspace(-16, 0, 97).tolist() if steps is None else [float(step) for step in steps]
    if not given or min(given) <= 0:
        raise ValueError("steps must be positive, and at least one")
    curves = {
        name: [(h, max(abs(float(value(h)) - exact) / abs(exact), _SMALLEST)) for h in sorted(given)]
        for name, value in approximations.items()
    }
    curves = {name: [(h, e) for h, e in curve if math.isfinite(e)] for name, curve in curves.items()}
    errors = [error for curve in curves.values() for _, error in curve] or [1.0]
    across = _decades(min(given), max(given))
    down = _decades(min(errors), max(errors))
    return Drawing(_svg(curves, across, down, title))


def _decades(low: float, high: float) -> tuple[int, int]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return first, max(last, first + 1)


def _svg(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    across: tuple[int, int],
    down: tuple[int, int],
    title: str,
) -> str:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(h: float, error: float) -> tuple[float, float]:
        x = (math.log10(h) - across[0]) / (across[1] - across[0])
        y = (math.log10(error) - down[0]) / (down[1] - down[0])
        return _LEFT + x * (right - _LEFT), bottom - y * (bottom - _TOP)

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH:.0f}' height='{_HEIGHT:.0f}' "
        f"viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' {FONT} font-size='13' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<text x='{(_LEFT + right) / 2:.0f}' y='26' text-anchor='middle' fill='{INK}' font-size='14'>"
        f"{escape(title)}</text>",
    ]
    for decade in range(across[0], across[1] + 1, max(1, (across[1] - across[0]) // 8)):
        x, _ = place(10.0**decade, 10.0 ** down[0])
        parts.append(f"<path d='M{x:.1f},{_TOP}V{bottom}' stroke='{EDGE}' stroke-opacity='.25'/>")
        parts.append(f"<text x='{x:.1f}' y='{bottom + 20}' text-anchor='middle' fill='{INK}'>{_power(decade)}</text>")
    for decade in range(down[0], down[1] + 1, max(1, (down[1] - down[0]) // 8)):
        _, y = place(10.0 ** across[0], 10.0**decade)
        parts.append(f"<path d='M{_LEFT},{y:.1f}H{right}' stroke='{EDGE}' stroke-opacity='.25'/>")
        parts.append(f"<text x='{_LEFT - 8}' y='{y + 4:.1f}' text-anchor='end' fill='{INK}'>{_power(decade)}</text>")
    parts.append(
        f"<rect x='{_LEFT}' y='{_TOP}' width='{right - _LEFT}' height='{bottom - _TOP}' fill='none' "
        f"stroke='{EDGE}'/>"
        f"<text x='{(_LEFT + right) / 2:.0f}' y='{_HEIGHT - 18}' text-anchor='middle' fill='{INK}'>step h</text>"
        f"<text transform='translate(22,{(_TOP + bottom) / 2:.0f}) rotate(-90)' text-anchor='middle' "
        f"fill='{INK}'>relative error</text>"
    )
    for index, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        points = " ".join("{:.1f},{:.1f}".format(*place(h, error)) for h, error in curve)
        y = _TOP + 16 + 24 * index
        parts.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.8'/>")
        parts.append(f"<path d='M{right + 14},{y}h20' stroke='{colour}' stroke-width='3'/>")
        parts.append(f"<text x='{right + 40}' y='{y + 4}' fill='{INK}'>{escape(name)}</text>")
    return "".join([*parts, "</svg>"])


def _power(decade: int) -> str:
    return "1" if decade == 0 else f"10<tspan dy='-5' font-size='10'>{str(decade).replace('-', '−')}</tspan>"
