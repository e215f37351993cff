"""A schedule as one picture: time from left to right, layers upwards, each activation's lifetime a bar.

Evaluations and backward nodes take one unit of time each; saving and freeing take none. A bar begins with the
evaluation of its activation, drawn as a block. Below the lifetimes is the memory in use. (After the space-time
diagrams of Griewank & Walther, *Evaluating Derivatives*, 2nd ed., chapter 12.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup
from adkit.schedule import Trace, simulate

MOST_LAYERS = 1000
MOST_TIME = 20_000

_WIDTH, _LEFT, _RIGHT, _TOP = 720.0, 52.0, 20.0, 64.0
_SAVED, _WORKING, _BACKWARD = svg.BLUE, svg.AMBER, svg.GREEN


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
            f"at most {MOST_LAYERS} and {MOST_TIME} would be readable"
        )
    return _picture(trace, _story(trace), title)


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


def _picture(trace: Trace, story: _Story, title: str) -> Drawing:
    time = len(story.memory)
    unit = (_WIDTH - _LEFT - _RIGHT) / time
    row = min(22.0, max(1.0, 330.0 / trace.n))
    floor = _TOP + row * trace.n
    memory_top = floor + 30
    level = min(16.0, 90.0 / trace.peak)
    base = memory_top + level * trace.peak

    def x(at: float) -> float:
        return _LEFT + at * unit

    def bars(entries: Sequence[tuple[int, int, int]], colour: str) -> Markup:
        inset = row * 0.28
        outlines = (
            f"M{svg.point(x(start), floor - i * row + inset)}h{svg.number((end - start) * unit)}"
            f"v{svg.number(row - 2 * inset)}H{svg.number(x(start))}z"
            for i, start, end in entries
        )
        return svg.element("path", d="".join(outlines), fill=colour)

    def marks(entries: Sequence[tuple[int, int]], colour: str) -> Markup:
        # As thick as its row: where there are thousands, they join into the lines of the sweep.
        lines = (f"M{svg.point(x(at + 0.08), floor - (i - 0.5) * row)}h{svg.number(0.84 * unit)}" for i, at in entries)
        return svg.path("".join(lines), colour, max(1.0, row * 0.84))

    curve = f"M{svg.point(_LEFT, base)}"
    before = 0
    for at, used in enumerate(story.memory):
        if used != before:
            curve += f"H{svg.number(x(at))}V{svg.number(base - level * used)}"
            before = used
    curve += f"H{svg.number(x(time))}V{svg.number(base)}z"
    passing = {(i, start) for i, start, _ in story.working}
    counted = f"n = {trace.n}, peak memory {trace.peak}, {trace.evaluations} evaluations"
    heading = f"{title}: {counted}" if title else counted
    frame = f"M{svg.point(_LEFT, _TOP)}H{svg.number(x(time))}V{svg.number(floor)}H{svg.number(_LEFT)}z"
    duration = f"time: {time} steps ({trace.evaluations} forward, {trace.n} backward)"
    every = max(1, -(-trace.n // 10))
    ticks = [i for i in range(1, trace.n + 1) if i % every == 0 or i == 1]
    return svg.document(
        _WIDTH,
        base + 46,
        heading,
        svg.text(20, 26, heading, size=14, weight=600),
        *_legend(),
        svg.path(frame, svg.INK, 0.7, stroke_opacity=0.5),
        bars(story.saved, _SAVED),
        bars(story.working, _WORKING),
        marks([entry for entry in story.forward if entry not in passing], _SAVED),
        marks([entry for entry in story.forward if entry in passing], _WORKING),
        marks(story.backward, _BACKWARD),
        svg.element("path", d=curve, **svg.tinted(_SAVED, 1.2)),
        svg.path(f"M{svg.point(_LEFT, memory_top)}H{svg.number(x(time))}", svg.ORANGE, stroke_dasharray="5 4"),
        *(svg.text(_LEFT - 8, floor - (i - 0.5) * row + 4, str(i), anchor="end") for i in ticks),
        svg.text(20, _TOP - 8, "layer"),
        svg.text(20, memory_top - 8, "memory"),
        svg.text(_LEFT - 8, memory_top + 4, str(trace.peak), colour=svg.ORANGE, anchor="end"),
        svg.text(_LEFT - 8, base + 4, "0", anchor="end"),
        svg.text(_WIDTH - _RIGHT, base + 20, duration, anchor="end"),
        size=12,
    )


def _legend() -> list[Markup]:
    def entry(x: int, colour: str, word: str, bar: int) -> Markup:
        block = svg.path("M0,-.5h8", colour, 11)
        return svg.legend_entry(x, 48, word, 8 + bar, block, svg.path(f"M8,-.5h{bar}", colour, 5))

    return [
        entry(186, _SAVED, "evaluated, then saved", 18),
        entry(370, _WORKING, "evaluated, working only", 8),
        entry(554, _BACKWARD, "backward", 0),
    ]
