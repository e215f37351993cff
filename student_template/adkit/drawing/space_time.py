"""A schedule as one picture: time from left to right, layers upwards, each activation's lifetime a bar.

Evaluations and backward nodes take one unit of time each; saving and freeing take none. A bar begins with the
evaluation of its activation, drawn as a block. Below the lifetimes is the memory in use. (After the space-time
diagrams of Griewank & Walther, *Evaluating Derivatives*, 2nd ed., chapter 12.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup, Panels
from adkit.schedule import Trace, simulate

MOST_LAYERS = 1000
MOST_TIME = 20_000
MOST_COMPARED = 8

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP = 720.0, 420.0, 52.0, 20.0, 64.0
_SAVED, _WORKING, _BACKWARD, _MEASURED = svg.BLUE, svg.AMBER, svg.GREEN, svg.PURPLE


@dataclass
class _Story:
    """What happens when: (layer, from, to) for activations in memory, (layer, time) for what runs."""

    saved: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    working: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    forward: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    backward: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    memory: list[int] = field(default_factory=list[int])
    """Activations in memory during each unit of time."""
    measured: list[float] | None = None
    """What was measured at the end of each unit of time, in activations; None when nobody tried to measure."""


def space_time(
    schedule: Sequence[Sequence[Any]],
    n: int,
    *,
    title: str = "",
    measured: Sequence[float] | None = None,
    unit: float = 1.0,
) -> Drawing:
    """Draws a legal, complete schedule of a chain of `n` layers.

    measured: the memory after each action in bytes, as in `adkit.watch(schedule).bytes`, drawn over the memory that
    the rules give. unit: the bytes of one activation (`x.nbytes`, where all layers are as wide as the data), which
    puts both on one scale. When `measured` is empty the picture says that nothing was measured.

    Raises `ScheduleError` for an illegal schedule, and `ValueError` for more than `MOST_LAYERS` layers, more than
    `MOST_TIME` evaluations, more measurements than actions, or a unit that is not positive.
    """
    trace = _drawable(schedule, n)
    if not unit > 0:
        raise ValueError(f"unit is the bytes of one activation, a positive number, got {unit}")
    if measured is not None and len(measured) > len(trace.schedule):
        raise ValueError(
            f"measured has one number per action of the schedule, {len(trace.schedule)}, got {len(measured)}: "
            "is it from another schedule?"
        )
    story = _story(trace, None if measured is None else [used / unit for used in measured])
    counted = f"n = {trace.n}, peak memory {trace.peak}, {trace.evaluations} evaluations"
    heading = f"{title}: {counted}" if title else counted
    scale = _Scale(_WIDTH, _TOP, len(story.memory), trace.n, max([trace.peak, *(story.measured or [])]))
    return svg.document(
        _WIDTH,
        scale.base + 46,
        heading,
        svg.text(20, 26, heading, size=14, weight=600),
        *_legend(
            48,
            (186, _SAVED, "evaluated, then saved", 18),
            (370, _WORKING, "evaluated, working only", 8),
            (554, _BACKWARD, "backward", 0),
        ),
        *_diagram(trace, story, scale),
        *_measurement(story, trace, scale),
        size=12,
        description=None if measured is None else _described(trace, story),
    )


def compare(n: int, schedules: Mapping[str, Sequence[Sequence[Any]]]) -> Panels:
    """Draws legal, complete schedules of one chain of `n` layers (name: schedule) on the same scales.

    A step of time is as long, and an activation in memory as high, in every diagram. A notebook puts them side by side
    where there is room and below each other where there is not. Raises what `space_time` does, and `ValueError` for
    no schedule or more than `MOST_COMPARED`.
    """
    if not 1 <= len(schedules) <= MOST_COMPARED:
        raise ValueError(f"compare draws 1 to {MOST_COMPARED} schedules, got {len(schedules)}")
    traces = {name: _drawable(schedule, n) for name, schedule in schedules.items()}
    stories = {name: _story(trace) for name, trace in traces.items()}
    time = max(len(story.memory) for story in stories.values())
    peak = max(trace.peak for trace in traces.values())
    scale = _Scale(_PANEL, 88, time, n, peak)
    panels: list[svg.Panel] = []
    for name, trace in traces.items():
        counted = f"n = {n}, peak memory {trace.peak}, {trace.evaluations} evaluations"
        parts = (
            svg.text(20, 22, name, size=14, weight=600),
            svg.text(20, 42, counted),
            *_legend(
                62,
                (_LEFT, _SAVED, "saved", 18),
                (_LEFT + 110, _WORKING, "working only", 8),
                (_LEFT + 250, _BACKWARD, "backward", 0),
            ),
            *_diagram(trace, stories[name], scale),
        )
        label = f"{name}: {counted}"
        panels.append(svg.Panel(_PANEL, scale.base + 32, label, parts, f"{label}. {_described(trace, stories[name])}"))
    return svg.side_by_side(panels, f"{len(panels)} schedules of {n} layers compared", 2)


def _drawable(schedule: Sequence[Sequence[Any]], n: int) -> Trace:
    trace = simulate(n, schedule)
    if trace.n > MOST_LAYERS or trace.evaluations > MOST_TIME:
        raise ValueError(
            f"this is too large to draw: {trace.n} layers and {trace.evaluations} evaluations; "
            f"at most {MOST_LAYERS} and {MOST_TIME} would be readable"
        )
    return trace


@dataclass(frozen=True)
class _Scale:
    """Where things are, and how large: `time` units across, `layers` rows up, and memory up to `most`."""

    width: float
    top: float
    time: int
    layers: int
    most: float

    @property
    def unit(self) -> float:
        """Pixels for a unit of time."""
        return (self.width - _LEFT - _RIGHT) / self.time

    @property
    def row(self) -> float:
        """Pixels for a layer."""
        return min(22.0, max(1.0, 330.0 / self.layers))

    @property
    def floor(self) -> float:
        """Where the first layer's row ends."""
        return self.top + self.row * self.layers

    @property
    def level(self) -> float:
        """Pixels for an activation in memory."""
        return min(16.0, 90.0 / self.most)

    @property
    def base(self) -> float:
        """Where no memory is in use."""
        return self.floor + 30 + self.level * self.most

    def x(self, at: float) -> float:
        """Where a time is."""
        return _LEFT + at * self.unit

    def y(self, used: float) -> float:
        """Where an amount of memory is."""
        return self.base - self.level * used


def _story(trace: Trace, measured: Sequence[float] | None = None) -> _Story:
    story = _Story()
    if measured is not None:
        taking_time = [k for k, (name, _) in enumerate(trace.schedule) if name in ("forward", "backward")]
        story.measured = [measured[k] for k in taking_time if k < len(measured)]
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


def _diagram(trace: Trace, story: _Story, scale: _Scale) -> list[Markup]:
    time = len(story.memory)
    unit, row, floor, base, x = scale.unit, scale.row, scale.floor, scale.base, scale.x

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

    curve = f"M{svg.point(_LEFT, base)}{_stairs(story.memory, scale)}V{svg.number(base)}z"
    passing = {(i, start) for i, start, _ in story.working}
    frame = f"M{svg.point(_LEFT, scale.top)}H{svg.number(x(time))}V{svg.number(floor)}H{svg.number(_LEFT)}z"
    duration = f"time: {time} steps ({trace.evaluations} forward, {trace.n} backward)"
    every = max(1, -(-trace.n // 10))
    ticks = [i for i in range(1, trace.n + 1) if i % every == 0 or i == 1]
    peak = scale.y(trace.peak)
    return [
        svg.path(frame, svg.INK, 0.7, stroke_opacity=0.5),
        bars(story.saved, _SAVED),
        bars(story.working, _WORKING),
        marks([entry for entry in story.forward if entry not in passing], _SAVED),
        marks([entry for entry in story.forward if entry in passing], _WORKING),
        marks(story.backward, _BACKWARD),
        svg.element("path", d=curve, **svg.tinted(_SAVED, 1.2)),
        svg.path(f"M{svg.point(_LEFT, peak)}H{svg.number(x(time))}", svg.ORANGE, stroke_dasharray="5 4"),
        *(svg.text(_LEFT - 8, floor - (i - 0.5) * row + 4, str(i), anchor="end") for i in ticks),
        svg.text(20, scale.top - 8, "layer"),
        svg.text(20, floor + 22, "memory"),
        svg.text(_LEFT - 8, peak + 4, str(trace.peak), colour=svg.ORANGE, anchor="end"),
        *([svg.text(_LEFT - 8, base + 4, "0", anchor="end")] if base - peak > 12 else []),
        svg.text(max(x(time), _LEFT + 250), base + 20, duration, anchor="end"),
    ]


def _stairs(values: Sequence[float], scale: _Scale) -> str:
    """The path of a curve that has one value for each unit of time."""
    path, before = "", 0.0
    for at, used in enumerate(values):
        if used != before:
            path += f"H{svg.number(scale.x(at))}V{svg.number(scale.y(used))}"
            before = used
    return path + f"H{svg.number(scale.x(len(values)))}"


def _measurement(story: _Story, trace: Trace, scale: _Scale) -> list[Markup]:
    """The measured curve and its legend, or a sentence where there is nothing to draw."""
    if story.measured is None:
        return []
    y = scale.floor + 18
    if not story.measured:
        words = "nothing was measured: loop over the list that adkit.watch returns, not over a copy"
        return [svg.text(_LEFT + 60, y + 4, words, colour=_MEASURED, weight=600)]
    area = svg.element("path", d="M0,-5h18v10h-18z", **svg.tinted(_SAVED, 1.2))
    line = svg.path("M0,0h18", _MEASURED, 2)
    measured = f"measured, in activations (peak {max(story.measured):.1f})"
    return [
        svg.legend_entry(_LEFT + 134, y, f"by the rules (peak {trace.peak})", 18, area),
        svg.legend_entry(_LEFT + 318, y, measured, 18, line),
        svg.path(f"M{svg.point(_LEFT, scale.base)}{_stairs(story.measured, scale)}", _MEASURED, 2),
    ]


def _described(trace: Trace, story: _Story) -> str:
    sentence = (
        f"Time runs to the right, {len(story.memory)} steps, and {trace.n} layers upwards; a bar is an activation in "
        f"memory. Below is the memory in use, at most {trace.peak}"
    )
    if story.measured is None:
        return f"{sentence}."
    return (
        f"{sentence}, and what was measured, at most {max(story.measured):.1f}." if story.measured else f"{sentence}."
    )


def _legend(y: float, *entries: tuple[float, str, str, int]) -> list[Markup]:
    """For each (x, colour, word, length of the bar): a block with its bar, and the word."""
    return [
        svg.legend_entry(x, y, word, 8 + bar, svg.path("M0,-.5h8", colour, 11), svg.path(f"M8,-.5h{bar}", colour, 5))
        for x, colour, word, bar in entries
    ]
