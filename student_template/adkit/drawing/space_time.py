"""A schedule as one picture: time from left to right, layers upwards, each activation's lifetime a bar.

Evaluations and backward nodes take one unit of time each; saving and freeing take none. A bar begins with the
evaluation of its activation, drawn as a block. Below the lifetimes stands the memory in use. (After the space-time
diagrams of Griewank & Walther, *Evaluating Derivatives*, 2nd ed., chapter 12.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from adkit.drawing.graph import AMBER, BLUE, FONT, GREEN, INK, ORANGE, TINT, Drawing
from adkit.schedule import Trace, simulate

MOST_LAYERS = 1000
MOST_TIME = 20_000

_WIDTH, _LEFT, _RIGHT, _TOP = 720.0, 52.0, 20.0, 64.0
_SAVED, _WORKING, _BACKWARD = BLUE, AMBER, GREEN


@dataclass
class _Story:
    """What happens when: (layer, from, to) for activations in memory, (layer, time) for what runs."""

    saved: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    working: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    forward: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    backward: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    memory: list[int] = field(default_factory=list[int])
    """Activations in memory during each unit of time."""


def space_time(schedule: Sequence[Sequence[Any]], n: int, *, title: str = "") -> Drawing:
    """Draws a legal, complete schedule of a chain of `n` layers.

    Raises `ScheduleError` for an illegal schedule, and `ValueError` for more than `MOST_LAYERS` layers or
    `MOST_TIME` evaluations.
    """
    trace = simulate(n, schedule)
    if trace.n > MOST_LAYERS or trace.evaluations > MOST_TIME:
        raise ValueError(
            f"this is too large to draw: {trace.n} layers and {trace.evaluations} evaluations; "
            f"at most {MOST_LAYERS} and {MOST_TIME} can be seen"
        )
    return Drawing(_svg(trace, _story(trace), title))


def _story(trace: Trace) -> _Story:
    story = _Story()
    born: dict[int, int] = {}  # when each live activation was evaluated
    time, working, saved = 0, 0, set[int]()
    in_use = 0
    for (name, i), used in zip(trace.schedule, trace.memory, strict=True):
        if name == "forward":
            if working and working not in saved:
                story.working.append((working, born.pop(working), time))
            working = i
            born.setdefault(i, time)
            story.forward.append((i, time))
            story.memory.append(used)
            time += 1
        elif name == "save":
            saved.add(i)
        elif name == "free":
            saved.discard(i)
            story.saved.append((i, born.pop(i), time))
            working = 0 if working == i else working
        else:
            story.backward.append((i, time))
            story.memory.append(in_use)
            time += 1
            if working == i and i not in saved:
                story.working.append((i, born.pop(i), time))
            working = 0 if working == i else working
        in_use = used
    return story


def _svg(trace: Trace, story: _Story, title: str) -> str:
    time = len(story.memory)
    unit = (_WIDTH - _LEFT - _RIGHT) / time
    row = min(22.0, max(1.0, 330.0 / trace.n))
    floor = _TOP + row * trace.n
    memory_top = floor + 30
    level = min(16.0, 90.0 / trace.peak)
    base = memory_top + level * trace.peak
    height = base + 46

    def bars(entries: Sequence[tuple[int, int, int]]) -> str:
        inset = row * 0.28
        return "".join(
            f"M{_n(_LEFT + start * unit)},{_n(floor - i * row + inset)}h{_n((end - start) * unit)}"
            f"v{_n(row - 2 * inset)}H{_n(_LEFT + start * unit)}z"
            for i, start, end in entries
        )

    def marks(entries: Sequence[tuple[int, int]]) -> str:
        # As thick as its row: where there are thousands, they join to the lines of the sweep.
        return "".join(
            f"M{_n(_LEFT + (at + 0.08) * unit)},{_n(floor - (i - 0.5) * row)}h{_n(0.84 * unit)}" for i, at in entries
        )

    curve = f"M{_n(_LEFT)},{_n(base)}"
    before = 0
    for at, used in enumerate(story.memory):
        if used != before:
            curve += f"H{_n(_LEFT + at * unit)}V{_n(base - level * used)}"
            before = used
    curve += f"H{_n(_LEFT + time * unit)}V{_n(base)}z"
    thick = _n(max(1.0, row * 0.84))
    passing = {(i, start) for i, start, _ in story.working}
    begun_saved = [entry for entry in story.forward if entry not in passing]
    begun_working = [entry for entry in story.forward if entry in passing]
    counted = f"n = {trace.n}, peak memory {trace.peak}, {trace.evaluations} evaluations"
    heading = f"{escape(title)}: {counted}" if title else counted
    peak_y = _n(base - level * trace.peak)
    every = max(1, -(-trace.n // 10))
    ticks = "".join(
        f"<text x='{_LEFT - 8:.0f}' y='{_n(floor - (i - 0.5) * row + 4)}' text-anchor='end'>{i}</text>"
        for i in range(1, trace.n + 1)
        if i % every == 0 or i == 1
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH:.0f}' height='{height:.0f}' "
        f"viewBox='0 0 {_WIDTH:.0f} {height:.0f}' style='max-width:100%;height:auto' {FONT} font-size='12' "
        f"role='img' aria-label='{heading}'>"
        f"<text x='20' y='26' font-size='14' font-weight='600' fill='{INK}'>{heading}</text>"
        f"{_legend()}"
        f"<rect x='{_LEFT}' y='{_TOP}' width='{_n(time * unit)}' height='{_n(row * trace.n)}' fill='none' "
        f"stroke='{INK}' stroke-opacity='.5' stroke-width='.7'/>"
        f"<path d='{bars(story.saved)}' fill='{_SAVED}'/><path d='{bars(story.working)}' fill='{_WORKING}'/>"
        f"<g stroke-width='{thick}'><path d='{marks(begun_saved)}' stroke='{_SAVED}'/>"
        f"<path d='{marks(begun_working)}' stroke='{_WORKING}'/>"
        f"<path d='{marks(story.backward)}' stroke='{_BACKWARD}'/></g>"
        f"<path d='{curve}' fill='{_SAVED}' fill-opacity='{TINT}' stroke='{_SAVED}' stroke-width='1.2'/>"
        f"<path d='M{_n(_LEFT)},{peak_y}H{_n(_LEFT + time * unit)}' stroke='{ORANGE}' stroke-dasharray='5 4'/>"
        f"<g fill='{INK}'>{ticks}<text x='20' y='{_n(_TOP - 8)}'>layer</text>"
        f"<text x='20' y='{_n(memory_top - 8)}'>memory</text>"
        f"<text x='{_LEFT - 8:.0f}' y='{_n(float(peak_y) + 4)}' text-anchor='end' fill='{ORANGE}'>{trace.peak}"
        f"</text><text x='{_LEFT - 8:.0f}' y='{_n(base + 4)}' text-anchor='end'>0</text>"
        f"<text x='{_WIDTH - _RIGHT:.0f}' y='{_n(base + 20)}' text-anchor='end'>time: {time} steps "
        f"({trace.evaluations} forward, {trace.n} backward)</text></g></svg>"
    )


def _legend() -> str:
    def entry(x: int, colour: str, word: str, *, block: int, bar: int = 0) -> str:
        line = f"<path d='M{x + block},47.5h{bar}' stroke='{colour}' stroke-width='5'/>" if bar else ""
        return (
            f"<path d='M{x},47.5h{block}' stroke='{colour}' stroke-width='11'/>{line}"
            f"<text x='{x + block + bar + 6}' y='52'>{word}</text>"
        )

    pieces = (
        entry(186, _SAVED, "evaluated, then saved", block=8, bar=18),
        entry(370, _WORKING, "evaluated, working only", block=8, bar=8),
        entry(554, _BACKWARD, "backward", block=8),
    )
    return f"<g fill='{INK}'>{''.join(pieces)}</g>"


def _n(number: float) -> str:
    """A coordinate, as short as it may be."""
    return f"{number:.1f}".removesuffix(".0")
