"""A schedule as a moving picture: the f nodes in a row, the b nodes under them, one frame per action.

The picture is one SVG without scripts. CSS animations switch the overlays of the nodes on and off, and move a
strip of captions behind a window; a change costs a few bytes, so ten layers take a few kB. Where animations do not
run (GitHub's viewer, print, "reduce motion") the frame in which memory is largest is shown; `stills` draws selected
frames, one below the other. In a notebook a button, made of a checkbox, pauses the animation.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adkit.drawing import svg
from adkit.drawing.svg import Drawing, Markup, Panels
from adkit.schedule import State, Trace, simulate

MOST_FRAMES = 600
"""A longer schedule would take minutes to watch: `adkit.space_time` shows it at a glance."""

MOST_LAYERS = 40

MOST_STEPS = 60
"""More frames of a film strip than that would fill several screens."""

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
    _refuse_long(trace)
    states = states_of(trace)
    still = [len(state.live) for state in states].index(trace.peak)
    film = _Film(len(states), still, seconds, str(trace.schedule))
    picture = _picture(trace, states, film, title)
    return Animation(picture.svg, picture.label)


@dataclass(frozen=True)
class StepThrough(Drawing):
    """A picture with buttons for the step before and the next one; where they are not shown, all its steps."""

    html: str = field(repr=False, default="")

    def _repr_html_(self) -> str:
        return self.html


def step_through(schedule: Sequence[Sequence[Any]], n: int, *, title: str = "") -> StepThrough:
    """The frames of `animate` one at a time: buttons beside "action 3 of 40" lead to the one before and the next.

    In a notebook the buttons need no script. What is saved as a file, and what viewers show that show no HTML, are the
    first frames of `adkit.steps`. Raises what `animate` does.
    """
    trace = simulate(n, schedule)
    _refuse_long(trace)
    states = states_of(trace)
    film = _Film(len(states), 0, 1.0, f"steps {trace.schedule}", moves=False)
    picture = _picture(trace, states, film, title).svg
    count = len(trace.schedule)
    # One radio button per frame, each within its label: the label after the chosen one is the button "next", the label
    # before it "previous". The frame's number reaches the picture as a CSS variable, the time at which it stands still.
    # A form of its own keeps the group apart from other pictures'; method "dialog" because the Enter key submits it.
    buttons = "".join(
        f"<label><input type='radio' name='frame' aria-label='action {k} of {count}'{' checked' if k == 0 else ''}>"
        f"<span>action {k} of {count}</span></label>"
        for k in range(len(states))
    )
    here = f".{film.name}f"
    moments = "".join(
        f"{here} label:nth-of-type({k + 1}):has(:checked)~svg{{--at:-{k}.5s}}" for k in range(len(states))
    )
    style = (
        f"{here} label{{display:none;position:relative;box-sizing:border-box;width:9em;text-align:center;"
        "font:13px system-ui,sans-serif;padding:2px 0;margin:4px 0;border:1px solid transparent;border-radius:6px}"
        f"{here} input{{position:absolute;opacity:0;width:1px;height:1px;margin:0}}"
        f"{here} label:has(:checked),{here} label:has(:checked)+label,{here} label:has(+label :checked)"
        "{display:inline-block}"
        f"{here} label:has(:checked)+label,{here} label:has(+label :checked)"
        "{cursor:pointer;border-color:currentColor}"
        f"{here} label:has(:checked)+label span,{here} label:has(+label :checked) span{{display:none}}"
        f"{here} label:has(:checked)+label::after{{content:'next ›'}}"
        f"{here} label:has(+label :checked)::after{{content:'‹ previous'}}"
        f"{here} label:first-of-type:has(:checked){{margin-left:9em}}"
        f"{here} label:has(:focus-visible){{outline:2px solid currentColor}}"
        f"{here} svg *{{animation-delay:var(--at)!important;animation-play-state:paused!important}}"
    )
    strip = steps(schedule, n, title=title)
    form = f"<form class='{film.name}f' method='dialog'><style>{style}{moments}</style>{buttons}<br>{picture}</form>"
    return StepThrough(strip.svg, strip.label, form)


def stills(schedule: Sequence[Sequence[Any]], n: int, at: Sequence[int], *, title: str = "") -> Drawing:
    """Selected frames of the same animation, one below the other, for pages where nothing can move.

    `at`: for each frame, how many actions have run, from 0 (the start) to all of them. Raises `ScheduleError` for an
    illegal schedule, and `ValueError` for more than `MOST_LAYERS` layers or a frame that does not exist.
    """
    trace = simulate(n, schedule)
    _refuse_wide(trace)
    states = states_of(trace)
    if not at or not all(0 <= k < len(states) for k in at):
        raise ValueError(f"at must hold numbers from 0 to {len(states) - 1}, got {list(at)}")
    frames = [svg.moved(0, 44 + place * _STILL, *_still(trace.n, states[k], k)) for place, k in enumerate(at)]
    return _page(trace, title, 44 + len(at) * _STILL + 26, *frames)


def steps(schedule: Sequence[Sequence[Any]], n: int, *, first: int = 0, count: int = 12, title: str = "") -> Panels:
    """A film strip: `count` frames of the animation side by side, the first of them after `first` actions.

    Each frame has the number of the action, the action, and the memory in use. It needs neither motion nor buttons, so
    every viewer shows it. There are fewer frames where the schedule ends. Raises `ScheduleError` for an illegal
    schedule, and `ValueError` for more than `MOST_LAYERS` layers, for `first` outside the schedule, and for a `count`
    that is not from 1 to `MOST_STEPS`.
    """
    trace = simulate(n, schedule)
    _refuse_wide(trace)
    states = states_of(trace)
    if not 0 <= first < len(states):
        raise ValueError(f"first is a number of actions from 0 to {len(states) - 1}, got {first}")
    if not 1 <= count <= MOST_STEPS:
        raise ValueError(f"count is a number of frames from 1 to {MOST_STEPS}, got {count}")
    frames = [_frame(trace.n, state, k) for k, state in enumerate(states[first : first + count], first)]
    shown = f"actions {first} to {first + len(frames) - 1} of {len(trace.schedule)}"
    return svg.side_by_side(frames, f"{title}: {shown}" if title else shown, max(1, round(840 / frames[0].width)))


def _frame(n: int, state: State, k: int) -> svg.Panel:
    """One frame of the film strip: a smaller picture, without arrows' heads, that begins with its number."""
    step, radius, above, below = 32, 11, 48, 92

    def x(i: int) -> int:
        return 22 + step * i

    width = max(x(n) + 22, 236)
    across = "".join(f"M{x(i - 1) + radius},{above}h{step - 2 * radius}" for i in range(1, n + 1))
    back = "".join(f"M{x(i) + radius},{below}h{step - 2 * radius}" for i in range(1, n))
    down = "".join(f"M{x(i)},{above + radius}V{below - radius}" for i in range(1, n + 1))
    empty = [svg.element("circle", r=radius, cx=x(i), cy=y) for y in (above, below) for i in range(1, n + 1)]
    data = svg.element("rect", x=x(0) - radius, y=above - radius, width=2 * radius, height=2 * radius, rx=4)
    looks = [
        (i, y, look(state, i)) for i in range(1, n + 1) for look, y in ((forward_look, above), (backward_look, below))
    ]
    filled = [
        svg.element(
            "circle", r=radius, cx=x(i), cy=y, **{**look, "stroke_width": 3 if look in (_SAVED, _RUNNING) else 2}
        )
        for i, y, look in looks
        if look
    ]
    names = [svg.text(x(0), above + 4, "x", colour=None)]
    names += [svg.text(x(i), y + 4, str(i), colour=None) for i in range(1, n + 1) for y in (above, below)]
    words = words_of(state)
    memory = f"memory {len(state.live)}"
    parts = (
        svg.element(
            "rect", x=0.5, y=0.5, width=width - 1, height=115, rx=6, fill="none", stroke=svg.INK, stroke_opacity=0.4
        ),
        svg.text(11, 22, f"{k}.", weight=600),
        svg.text(38, 22, words, weight=600),
        svg.text(width - 11, 22, memory, anchor="end"),
        svg.text(x(0), below + 4, "b", anchor="middle"),
        svg.element("g", svg.element("path", d=across + back + down), data, *empty, fill="none", stroke=svg.INK),
        *filled,
        svg.element("g", *names, text_anchor="middle", fill=svg.INK, font_size=11),
    )
    saved = ", ".join(map(str, sorted(state.saved))) or "nothing"
    return svg.Panel(width, 116, f"{k}. {words}, {memory}", parts, f"{k}. {words}: {memory}, saved: {saved}.")


def _refuse_long(trace: Trace) -> None:
    if len(trace.schedule) > MOST_FRAMES or trace.n > MOST_LAYERS:
        raise ValueError(
            f"this is too long to watch ({trace.n} layers, {len(trace.schedule)} actions; at most "
            f"{MOST_LAYERS} and {MOST_FRAMES} are animated): adkit.space_time(schedule, n) shows it at once"
        )


def _refuse_wide(trace: Trace) -> None:
    if trace.n > MOST_LAYERS:
        raise ValueError(
            f"at most {MOST_LAYERS} layers are drawn, got {trace.n}: adkit.space_time(schedule, n) draws more"
        )


def states_of(trace: Trace) -> list[State]:
    """The state at the start and after each action."""
    return [State(("", 0), frozenset(), None, trace.n, 0), *trace.states()]


def _still(n: int, state: State, actions: int) -> list[Markup]:
    above, below = 46, 46 + _ROWS - 14
    when = f"after {plural(actions, 'action')}: {words_of(state)}" if actions else "at the start"
    counts = f"memory {len(state.live)}, {plural(state.evaluations, 'evaluation')}"
    looks = [
        (i, y, look(state, i)) for i in range(1, n + 1) for look, y in ((forward_look, above), (backward_look, below))
    ]
    nodes = [svg.element("circle", r=_RADIUS, cx=_x(i), cy=y, **look) for i, y, look in looks if look]
    return [svg.text(24, 14, f"{when}; {counts}"), _chain(n, above, below), *nodes, _labels(n, above, below)]


Look = Mapping[str, str | float]
"""The attributes of a node's circle."""


def forward_look(state: State, i: int) -> Look | None:
    """How the f node of layer i looks in one frame; None while its activation is not in memory."""
    return _SAVED if i in state.saved else _WORKING if state.working == i else None


def backward_look(state: State, i: int) -> Look | None:
    """How the b node of layer i looks in one frame; None before its gradient is computed."""
    return _RUNNING if state.action == ("backward", i) else _DONE if state.next_backward < i else None


class _Film:
    """The CSS of one picture: overlays that are visible in some frames. All names begin with the same prefix."""

    def __init__(self, frames: int, still: int, seconds: float, seed: str, *, moves: bool = True) -> None:
        self.moves = moves
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
            *([f"@media(prefers-reduced-motion:reduce){{.{self.name}{{animation:none}}}}"] if self.moves else []),
        )


def _picture(trace: Trace, states: list[State], film: _Film, title: str) -> Drawing:
    n = trace.n
    above, below = _TOP, _TOP + _ROWS
    slots_at = below + 54
    overlays = (
        (forward_look, _WORKING, above),
        (forward_look, _SAVED, above),
        (backward_look, _DONE, below),
        (backward_look, _RUNNING, below),
    )
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
    captions = [f"{words_of(state):<14}memory {len(state.live):<5}evaluations {state.evaluations}" for state in states]
    parts += [_labels(n, above, below), svg.text(24, slots_at, "memory")]
    parts.append(film.strip(captions, 24, slots_at + 10, _width(n) - 48))
    return _page(trace, title, slots_at + 70, film.style(), *parts)


def _page(trace: Trace, title: str, height: int, *parts: Markup) -> Drawing:
    """A picture with its heading and, at its foot, the legend."""
    counted = f"{plural(trace.n, 'layer')}, peak memory {trace.peak}, {plural(trace.evaluations, 'evaluation')}"
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


def words_of(state: State) -> str:
    """The action that led to a state, or "start"."""
    name, i = state.action
    return f"{name} {i}" if name else "start"


def plural(count: int, noun: str) -> str:
    """ "1 action", "2 actions"."""
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
