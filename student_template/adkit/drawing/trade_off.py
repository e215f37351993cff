"""Memory against evaluations: the optimal frontier of a chain, and schedules as points over it."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log
from typing import Any

from adkit.drawing.graph import AMBER, BLUE, EDGE, FONT, GREEN, INK, ORANGE, PURPLE, TEAL, Drawing
from adkit.schedule import least_evaluations, simulate

MOST_LAYERS = 10_000

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 400.0, 76.0, 28.0, 60.0, 52.0
_COLOURS = (ORANGE, GREEN, PURPLE, AMBER, TEAL, INK)
_LINE = BLUE
_GRID = f"stroke='{EDGE}' stroke-opacity='.25'"


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

    def x(memory: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log(memory) / log(n)

    def y(evaluations: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * log(evaluations / n) / log(most / n)

    frontier = "L".join(f"{x(m):.1f},{y(least_evaluations(n, m)):.1f}" for m in _memories(n))
    across = "".join(
        f"<path d='M{x(m):.1f},{_TOP}V{_HEIGHT - _BOTTOM}' {_GRID}/>"
        f"<text x='{x(m):.1f}' y='{_HEIGHT - _BOTTOM + 18:.0f}' text-anchor='middle'>{m}</text>"
        for m in _ticks(1, n)
    )
    up = "".join(
        f"<path d='M{_LEFT},{y(e):.1f}H{_WIDTH - _RIGHT}' {_GRID}/>"
        f"<text x='{_LEFT - 8:.0f}' y='{y(e) + 4:.1f}' text-anchor='end'>{e}</text>"
        for e in _ticks(n, most)
    )
    dots = "".join(
        _dot(x(peak), y(evaluations), name, peak, evaluations, _COLOURS[k % len(_COLOURS)])
        for k, (name, peak, evaluations) in enumerate(points)
    )
    return Drawing(
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH:.0f}' height='{_HEIGHT:.0f}' "
        f"viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' style='max-width:100%;height:auto' {FONT} font-size='12' "
        f"role='img' aria-label='memory against evaluations for {n} layers'>"
        f"<g fill='{INK}'>"
        f"<text x='20' y='28' font-size='14' font-weight='600'>n = {n}: memory against evaluations</text>"
        f"{across}{up}<text x='{_WIDTH - _RIGHT:.0f}' y='{_HEIGHT - 14:.0f}' text-anchor='end'>"
        f"peak memory, activations</text><text x='{_WIDTH - _RIGHT:.0f}' y='28' text-anchor='end' fill='{_LINE}'>"
        f"— the least possible, T(n, m)</text></g>"
        f"<path d='M{frontier}' fill='none' stroke='{_LINE}' stroke-width='2'/>{dots}"
        f"<text transform='translate(20,{_HEIGHT / 2 + 30:.0f})rotate(-90)' fill='{INK}'>evaluations</text></svg>"
    )


def _memories(n: int) -> list[int]:
    """Where the frontier is drawn: everywhere for few layers, then ever further apart."""
    memories = {1, n}
    m = 1.0
    while m < n:
        memories.add(int(m))
        m = max(m + 1, m * 1.04)
    return sorted(memories)


def _ticks(low: int, high: int) -> list[int]:
    """Both ends and the numbers 1, 2, 5 times powers of ten between them that do not crowd each other."""
    candidates = [step * 10**power for power in range(9) for step in (1, 2, 5)]
    ticks = [low]
    for number in candidates:
        if number > 1.35 * ticks[-1] and 1.35 * number < high:
            ticks.append(number)
    return [*ticks, high] if high > low else ticks


def _dot(x: float, y: float, name: str, peak: int, evaluations: int, colour: str) -> str:
    said = f"{name} ({peak}, {evaluations})"
    # The line comes down from the left: nothing to the right of a point lies on it. At the right edge, where there is
    # no room for that, it is nearly level.
    if x + 9 + 7.5 * len(said) < _WIDTH:
        place = f"x='{x + 9:.1f}' y='{y - 9:.1f}'"
    else:
        place = f"x='{min(x + 9, _WIDTH - 8):.1f}' y='{y - 38:.1f}' text-anchor='end'"
    return (
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='5' fill='{colour}'/>"
        f"<text {place} fill='{colour}' font-weight='600'>{escape(said)}</text>"
    )
