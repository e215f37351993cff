"""Memory against evaluations: the optimal frontier of a chain, and schedules as points over it."""

from collections.abc import Mapping, Sequence
from typing import Any

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup
from adkit.schedule import least_evaluations, simulate

MOST_LAYERS = 10_000

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 400.0, 76.0, 692.0, 60.0, 348.0
_LINE, *_REST = svg.SERIES
_POINTS = (*_REST, svg.INK)


def trade_off(n: int, schedules: Mapping[str, Sequence[Sequence[Any]]] | None = None) -> Drawing:
    """Draws T(n, m) over the memory m, both axes logarithmic, and each of `schedules` (name: schedule) as a point.

    No point can lie below the line; how far one lies above it is what better checkpoints would save. Raises
    `ScheduleError` for an illegal schedule and `ValueError` for n < 2 or more than `MOST_LAYERS` layers.
    """
    if not 2 <= n <= MOST_LAYERS:
        raise ValueError(f"there is a trade-off for n from 2 to {MOST_LAYERS}, got n = {n}")
    traces = {name: simulate(n, schedule) for name, schedule in (schedules or {}).items()}
    points = [(name, trace.peak, trace.evaluations) for name, trace in traces.items()]
    most = max([n * (n + 1) // 2, *(evaluations for _, _, evaluations in points)])

    axes = svg.LogAxes(_LEFT, _TOP, _RIGHT, _BOTTOM, x=(1, n), y=(n, most))
    dots = [
        _dot(*axes.place(peak, evaluations), f"{name} ({peak}, {evaluations})", _POINTS[k % len(_POINTS)])
        for k, (name, peak, evaluations) in enumerate(points)
    ]
    return svg.document(
        _WIDTH,
        _HEIGHT,
        f"memory against evaluations for {n} layers",
        svg.text(20, 28, f"n = {n}: memory against evaluations", size=14, weight=600),
        axes.grid({m: str(m) for m in _ticks(1, n)}, {e: str(e) for e in _ticks(n, most)}),
        svg.text(_RIGHT, _HEIGHT - 14, "peak memory, activations", anchor="end"),
        svg.text(_RIGHT, 28, "— the least possible, T(n, m)", colour=_LINE, anchor="end"),
        axes.curve([(m, least_evaluations(n, m)) for m in _memories(n)], _LINE),
        *dots,
        svg.text(20, _HEIGHT / 2 + 30, "evaluations", transform=f"rotate(-90 20 {_HEIGHT / 2 + 30})"),
        size=12,
    )


def _memories(n: int) -> list[int]:
    """The memory values at which the frontier is drawn: all for few layers, further and further apart for many."""
    memories = {1, n}
    m = 1.0
    while m < n:
        memories.add(int(m))
        m = max(m + 1, m * 1.04)
    return sorted(memories)


def _ticks(low: int, high: int) -> list[int]:
    """Both ends and the numbers 1, 2, 5 times powers of ten between them that are far enough apart for their labels."""
    candidates = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    ticks = [low]
    for number in candidates:
        if number > 1.35 * ticks[-1] and 1.35 * number < high:
            ticks.append(number)
    return [*ticks, high] if high > low else ticks


def _dot(x: float, y: float, words: str, colour: str) -> Markup:
    # The line comes down from the left: nothing to the right of a point lies on it. At the right edge, where there is
    # no room for that, it is nearly level.
    if x + 9 + 7.5 * len(words) < _WIDTH:
        name = svg.text(x + 9, y - 9, words, colour=colour, weight=600)
    else:
        name = svg.text(min(x + 9, _WIDTH - 8), y - 38, words, colour=colour, weight=600, anchor="end")
    return svg.element("g", svg.element("circle", cx=x, cy=y, r=5, fill=colour), name)
