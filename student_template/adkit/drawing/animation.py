"""A schedule as a moving picture: the f nodes in a row, the b nodes under them, one frame per action.

The picture is one SVG without scripts. CSS animations switch the overlays of the nodes on and off, and move a
strip of captions behind a window; a change costs a few bytes, so ten layers take a few kB. Where animations do not
run (GitHub's viewer, print, "reduce motion") the frame in which memory is largest is shown; `stills` draws selected
frames, one below the other. In a notebook a button, made of a checkbox, pauses the animation.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup
from adkit.schedule import State, Trace, simulate

MOST_FRAMES = 600
"""A longer schedule would take minutes to watch: `adkit.space_time` shows it at a glance."""

MOST_LAYERS = 40

_SAVED = svg.tinted(svg.BLUE, 5)
_WORKING = svg.tinted(svg.AMBER, 3)
_RUNNING = svg.tinted(svg.GREEN, 5)
_DONE = svg.tinted(svg.GREEN, 1.5)

_STEP = 58  # pixels from node to node
_RADIUS = 18
_TOP = 58
_ROWS = 84  # pixels from the f nodes to the b nodes
_LINE = 26  # pixels from caption to caption
_STILL = 154  # pixels from still to still


@dataclass(frozen=True)
class Animation(Drawing):
    """A moving picture that Jupyter shows when it is a cell's result, with a button that pauses it."""

    def _repr_html_(self) -> str:
        # The checkbox is the button: no script, and its state reaches the picture by the sibling selector.
        return (
            "<div><style>.adkit-pause{appearance:none;-webkit-appearance:none;cursor:pointer;"
            "font:13px system-ui,sans-serif;color:inherit;background:transparent;border:1px solid currentColor;"
            "border-radius:6px;padding:2px 10px;margin:4px 0}"
            ".adkit-pause::before{content:'pause'}.adkit-pause:checked::before{content:'play'}"
            ".adkit-pause:checked~svg *{animation-play-state:paused!important}</style>"
            "<input type='checkbox' class='adkit-pause' aria-label='pause the animation'><br>"
            f"{self.svg}</div>"
        )


def animate(schedule: Sequence[Sequence[Any]], n: int, *, seconds: float = 0.7, title: str = "") -> Animation:
    """Animates a legal, complete schedule of a chain of `n` layers, `seconds` per action.

    Raises `ScheduleError` for an illegal schedule, and `ValueError` for one of more than `MOST_FRAMES`
    actions or `MOST_LAYERS` layers.
    """
    trace = simulate(n, schedule)
    if len(trace.schedule) > MOST_FRAMES or trace.n > MOST_LAYERS:
        raise ValueError(
            f"this is too long to watch ({trace.n} layers, {len(trace.schedule)} actions; at most "
            f"{MOST_LAYERS} and {MOST_FRAMES} are animated): adkit.space_time(schedule, n) shows it at once"
        )
    states = _states(trace)
    still = [len(state.live) for state in states].index(trace.peak)
    film = _Film(len(states), still, seconds, str(trace.schedule))
    return Animation(_picture(trace, states, film, title).svg)


def stills(schedule: Sequence[Sequence[Any]], n: int, at: Sequence[int], *, title: str = "") -> Drawing:
    """Selected frames of the same animation, one below the other, for pages where nothing can move.

    `at`: for each frame, how many actions have run, from 0 (the start) to all of them. Raises `ScheduleError` for an
    illegal schedule, and `ValueError` for more than `MOST_LAYERS` layers or a frame that does not exist.
    """
    trace = simulate(n, schedule)
    if trace.n > MOST_LAYERS:
        raise ValueError(
            f"at most {MOST_LAYERS} layers are drawn, got {trace.n}: adkit.space_time(schedule, n) draws more"
        )
    states = _states(trace)
    if not at or not all(0 <= k < len(states) for k in at):
        raise ValueError(f"at must hold numbers from 0 to {len(states) - 1}, got {list(at)}")
    frames = [svg.moved(0, 44 + place * _STILL, *_still(trace.n, states[k], k)) for place, k in enumerate(at)]
    return _page(trace, title, 44 + len(at) * _STILL + 26, *frames)


def _states(trace: Trace) -> list[State]:
    """The state at the start and after each action."""
    return [State(("", 0), frozenset(), None, trace.n, 0), *trace.states()]


def _still(n: int, state: State, actions: int) -> list[Markup]:
    above, below = 46, 46 + _ROWS - 14
    when = f"after {_plural(actions, 'action')}: {_words(state)}" if actions else "at the start"
    counts = f"memory {len(state.live)}, {_plural(state.evaluations, 'evaluation')}"
    looks = [(i, y, look(state, i)) for i in range(1, n + 1) for look, y in ((_above, above), (_below, below))]
    nodes = [svg.element("circle", r=_RADIUS, cx=_x(i), cy=y, **look) for i, y, look in looks if look]
    return [svg.text(24, 14, f"{when}; {counts}"), _chain(n, above, below), *nodes, _labels(n, above, below)]


_Look = Mapping[str, str | float]
"""The attributes of a node's circle."""


def _above(state: State, i: int) -> _Look | None:
    """How the f node of layer i looks in one frame; None while its activation is not in memory."""
    return _SAVED if i in state.saved else _WORKING if state.working == i else None


def _below(state: State, i: int) -> _Look | None:
    """How the b node of layer i looks in one frame; None before its gradient is computed."""
    return _RUNNING if state.action == ("backward", i) else _DONE if state.next_backward < i else None


class _Film:
    """The CSS of one picture: overlays that are visible in some frames. All names begin with the same prefix."""

    def __init__(self, frames: int, still: int, seconds: float, seed: str) -> None:
        self.frames = frames
        self.still = still
        self.name = "k" + hashlib.sha256(f"{seed}{seconds}".encode()).hexdigest()[:6]
        self.rules: list[str] = []
        self.seconds = seconds * frames
        self.count = 0

    def shown(self, visible: Sequence[bool], tag: str, **attributes: svg.Attribute) -> Markup:
        """An element that is visible in the frames k with `visible[k]`; nothing if there are none."""
        if not any(visible):
            return Markup()
        if all(visible):
            return svg.element(tag, **attributes)
        self.count += 1
        name = f"{self.name}{self.count}"
        changes = [k for k in range(self.frames) if k == 0 or visible[k] != visible[k - 1]]
        steps = "".join(f"{self._percent(k)}{{opacity:{int(visible[k])}}}" for k in changes)
        self.rules.append(f"@keyframes {name}{{{steps}}}")
        still = None if visible[self.still] else 0
        return svg.element(tag, **attributes, opacity=still, class_=self.name, style=f"animation-name:{name}")

    def _percent(self, frame: int) -> str:
        return f"{100 * frame / self.frames:.2f}".rstrip("0").rstrip(".") + "%"

    def strip(self, captions: Sequence[str], x: int, y: int, width: int) -> Markup:
        """One caption per frame, one below the other, moved behind a window of one line."""
        name = f"{self.name}s"
        self.rules.append(
            f"@keyframes {name}{{from{{transform:translateY(0)}}to{{transform:translateY(-{_LINE * self.frames}px)}}}}"
        )
        lines = [svg.element("tspan", caption, x=0, dy=_LINE) for caption in captions]
        moving = svg.element(
            "g",
            svg.text(None, 18 - _LINE, *lines, size=14, font_family=svg.MONOSPACE, style="white-space:pre"),
            transform=f"translate(0,-{_LINE * self.still})",
            class_=self.name,
            style=f"animation-name:{name};animation-timing-function:steps({self.frames})",
        )
        return svg.element("svg", moving, x=x, y=y, width=width, height=_LINE, overflow="hidden")

    def style(self) -> Markup:
        """The style element."""
        return svg.element(
            "style",
            f".{self.name}{{animation:{self.seconds:g}s step-end infinite}}",
            *self.rules,
            f"@media(prefers-reduced-motion:reduce){{.{self.name}{{animation:none}}}}",
        )


def _picture(trace: Trace, states: list[State], film: _Film, title: str) -> Drawing:
    n = trace.n
    above, below = _TOP, _TOP + _ROWS
    slots_at = below + 54
    overlays = ((_above, _WORKING, above), (_above, _SAVED, above), (_below, _DONE, below), (_below, _RUNNING, below))
    parts = [_chain(n, above, below)]
    for look, wanted, y in overlays:
        shapes = [
            film.shown([look(state, i) is wanted for state in states], "circle", r=_RADIUS, cx=_x(i), cy=y)
            for i in range(1, n + 1)
        ]
        parts.append(svg.element("g", *shapes, **wanted))
    for k in range(1, trace.peak + 1):
        slot = {"x": 92 + 17 * (k - 1), "y": slots_at - 11, "width": 14, "height": 14, "rx": 3}
        parts.append(svg.element("rect", **slot, fill="none", stroke=svg.INK))
        parts.append(film.shown([len(state.live) >= k for state in states], "rect", **slot, fill=svg.BLUE))
    captions = [f"{_words(state):<14}memory {len(state.live):<5}evaluations {state.evaluations}" for state in states]
    parts += [_labels(n, above, below), svg.text(24, slots_at, "memory")]
    parts.append(film.strip(captions, 24, slots_at + 10, _width(n) - 48))
    return _page(trace, title, slots_at + 70, film.style(), *parts)


def _page(trace: Trace, title: str, height: int, *parts: Markup) -> Drawing:
    """A picture with its heading and, at its foot, the legend."""
    counted = f"{_plural(trace.n, 'layer')}, peak memory {trace.peak}, {_plural(trace.evaluations, 'evaluation')}"
    heading = f"{title}: {counted}" if title else counted
    top = svg.text(24, 26, heading, weight=600)
    return svg.document(_width(trace.n), height, heading, top, *parts, _legend(24, height - 14), size=14)


def _width(n: int) -> int:
    return max((n + 1) * _STEP + 52, 560)


def _x(i: int) -> int:
    return 40 + i * _STEP


def _chain(n: int, above: int, below: int) -> Markup:
    """The input, the f nodes at `above` and the b nodes at `below`, with nothing in memory, and their arrows."""
    gap = _STEP - 2 * _RADIUS - 2
    down = below - above - 2 * _RADIUS - 2
    arrows = [f"M{_x(i - 1) + _RADIUS},{above}h{gap}m-5,-4l5,4l-5,4" for i in range(1, n + 1)]
    arrows += [f"M{_x(i + 1) - _RADIUS},{below}h-{gap}m5,-4l-5,4l5,4" for i in range(1, n)]
    arrows += [f"M{_x(i)},{above + _RADIUS}v{down}m-4,-5l4,5l4,-5" for i in range(1, n + 1)]
    nodes = [svg.element("circle", r=_RADIUS, cx=_x(i), cy=y) for y in (above, below) for i in range(1, n + 1)]
    square = svg.element("rect", x=_x(0) - 16, y=above - 16, width=32, height=32, rx=5)
    lines = svg.element("path", d="".join(arrows))
    return svg.element("g", lines, square, *nodes, fill="none", stroke=svg.INK, stroke_width=1.4)


def _labels(n: int, above: int, below: int) -> Markup:
    labels = [_label(_x(0), above, "x", "")]
    for i in range(1, n + 1):
        labels += [_label(_x(i), above, "f", str(i)), _label(_x(i), below, "b", str(i))]
    return svg.element("g", *labels, text_anchor="middle", fill=svg.INK)


def _label(x: int, y: int, letter: str, index: str) -> Markup:
    low = svg.element("tspan", index, font_size=10, dy=3) if index else ""
    return svg.text(x, y + 4, letter, low, colour=None)


def _words(state: State) -> str:
    name, i = state.action
    return f"{name} {i}" if name else "start"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _legend(x: int, y: int) -> Markup:
    entries = (
        (0, _SAVED, "saved"),
        (75, _WORKING, "working"),
        (165, _RUNNING, "gradient computed"),
        (315, _DONE, "done"),
    )
    dots = [(x + right, word, svg.element("circle", cx=6, r=6, **look)) for right, look, word in entries]
    return svg.element("g", *(svg.legend_entry(at, y - 4, word, 12, dot) for at, word, dot in dots), font_size=12)
