"""A schedule as a moving picture: the f nodes in a row, the b nodes under them, one frame an action.

The picture is one SVG without scripts. CSS animations switch the overlays of the nodes on and off, and move a
strip of captions behind a window; each costs a few bytes a change, so that ten layers take a few kB. Where
animations do not run (GitHub's viewer, print, "reduce motion") it shows the frame in which memory is largest; `stills`
draws chosen frames under each other.
In a notebook it comes with a button made of a checkbox that pauses it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from adkit.drawing.graph import AMBER, BLUE, FONT, GREEN, INK, TINT, Drawing
from adkit.schedule import State, simulate

MOST_FRAMES = 600
"""A longer schedule would take minutes to watch: `adkit.space_time` shows it at a glance."""

MOST_LAYERS = 40

_SAVED = f"fill='{BLUE}' fill-opacity='{TINT}' stroke='{BLUE}' stroke-width='5'"
_WORKING = f"fill='{AMBER}' fill-opacity='{TINT}' stroke='{AMBER}' stroke-width='3'"
_RUNNING = f"fill='{GREEN}' fill-opacity='{TINT}' stroke='{GREEN}' stroke-width='5'"
_DONE = f"fill='{GREEN}' fill-opacity='{TINT}' stroke='{GREEN}' stroke-width='1.5'"

_STEP = 58  # pixels from node to node
_RADIUS = 18
_TOP = 58
_ROWS = 84  # pixels from the f nodes to the b nodes
_LINE = 26  # pixels from caption to caption
_STILL = 154  # pixels from still to still


@dataclass(frozen=True)
class Animation:
    """A moving picture that Jupyter shows when it is a cell's result."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

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

    def save(self, path: str | Path) -> None:
        """Writes the SVG file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def animate(schedule: Sequence[Sequence[Any]], n: int, *, seconds: float = 0.7, title: str = "") -> Animation:
    """Animates a legal, complete schedule of a chain of `n` layers, `seconds` an action.

    Raises `ScheduleError` for an illegal schedule, and `ValueError` for one of more than `MOST_FRAMES`
    actions or `MOST_LAYERS` layers.
    """
    trace = simulate(n, schedule)
    if len(trace.schedule) > MOST_FRAMES or trace.n > MOST_LAYERS:
        raise ValueError(
            f"this is too long to watch ({trace.n} layers, {len(trace.schedule)} actions; at most "
            f"{MOST_LAYERS} and {MOST_FRAMES} are animated): adkit.space_time(schedule, n) shows it at once"
        )
    states = [State(("", 0), frozenset(), None, trace.n, 0), *trace.states()]
    still = [len(state.live) for state in states].index(trace.peak)
    film = _Film(len(states), still, seconds, str(trace.schedule))
    return Animation(_picture(trace.n, states, [0, *trace.memory], trace.peak, film, title))


def stills(schedule: Sequence[Sequence[Any]], n: int, at: Sequence[int], *, title: str = "") -> Drawing:
    """Chosen frames of the same animation under each other, for where nothing can move.

    `at`: how many actions have run in each frame, from 0 (the start) to all of them. Raises `ScheduleError` for an
    illegal schedule, and `ValueError` for more than `MOST_LAYERS` layers or a frame that does not exist.
    """
    trace = simulate(n, schedule)
    if trace.n > MOST_LAYERS:
        raise ValueError(f"at most {MOST_LAYERS} layers can be seen, got {trace.n}: adkit.space_time(schedule, n)")
    states = [State(("", 0), frozenset(), None, trace.n, 0), *trace.states()]
    if not at or not all(0 <= k < len(states) for k in at):
        raise ValueError(f"at must hold numbers from 0 to {len(states) - 1}, got {list(at)}")
    memory = [0, *trace.memory]
    width = max((trace.n + 1) * _STEP + 52, 560)
    rows = "".join(
        f"<g transform='translate(0,{44 + place * _STILL})'>{_still(trace.n, states[k], k, memory[k])}</g>"
        for place, k in enumerate(at)
    )
    height = 44 + len(at) * _STILL + 26
    heading = _heading(trace.n, trace.peak, states[-1].evaluations, title)
    return Drawing(
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' style='max-width:100%;height:auto' {FONT} font-size='14' "
        f"role='img' aria-label='{heading}'>"
        f"<text x='24' y='26' font-weight='600' fill='{INK}'>{heading}</text>{rows}"
        f"<g font-size='12' fill='{INK}'>{_legend(24, height - 14)}</g></svg>"
    )


def _still(n: int, state: State, actions: int, memory: int) -> str:
    above, below = 46, 46 + _ROWS - 14
    circles = [(look, i, y) for i in range(1, n + 1) for look, y in _looks(state, i, above, below)]
    shapes = "".join(f"<circle r='{_RADIUS}' cx='{_x(i)}' cy='{y}' {look}/>" for look, i, y in circles)
    when = f"after {_plural(actions, 'action')}: {_words(state)}" if actions else "at the start"
    says = f"{when}; memory {memory}, {_plural(state.evaluations, 'evaluation')}"
    return f"<text x='24' y='14' fill='{INK}'>{says}</text>{_chain(n, above, below)}{shapes}{_labels(n, above, below)}"


def _looks(state: State, i: int, above: int, below: int) -> list[tuple[str, int]]:
    """How the nodes of layer i look in one frame, and where they are."""
    looks: list[tuple[str, int]] = []
    if i in state.saved:
        looks.append((_SAVED, above))
    elif state.working == i:
        looks.append((_WORKING, above))
    if state.action == ("backward", i):
        looks.append((_RUNNING, below))
    elif _done(state, i):
        looks.append((_DONE, below))
    return looks


class _Film:
    """The CSS of one picture: overlays that are visible in some frames, all of one length and one name space."""

    def __init__(self, frames: int, still: int, seconds: float, seed: str) -> None:
        self.frames = frames
        self.still = still
        self.name = "k" + hashlib.sha256(f"{seed}{seconds}".encode()).hexdigest()[:6]
        self.rules: list[str] = []
        self.seconds = seconds * frames
        self.count = 0

    def shown(self, visible: Sequence[bool], shape: str) -> str:
        """`shape`, an SVG element up to its `/>`, where `visible` says so; nothing if it never is."""
        if not any(visible):
            return ""
        hidden = "" if visible[self.still] else " opacity='0'"
        if all(visible):
            return f"{shape}/>"
        self.count += 1
        name = f"{self.name}{self.count}"
        changes = [k for k in range(self.frames) if k == 0 or visible[k] != visible[k - 1]]
        steps = "".join(f"{self._percent(k)}{{opacity:{int(visible[k])}}}" for k in changes)
        self.rules.append(f"@keyframes {name}{{{steps}}}")
        return f"{shape}{hidden} class='{self.name}' style='animation-name:{name}'/>"

    def _percent(self, frame: int) -> str:
        return f"{100 * frame / self.frames:.2f}".rstrip("0").rstrip(".") + "%"

    def strip(self, captions: Sequence[str], x: int, y: int, width: int) -> str:
        """One caption a frame, written under each other and moved behind a window of one line."""
        name = f"{self.name}s"
        self.rules.append(
            f"@keyframes {name}{{from{{transform:translateY(0)}}to{{transform:translateY(-{_LINE * self.frames}px)}}}}"
        )
        lines = "".join(f"<tspan x='0' dy='{_LINE}'>{text}</tspan>" for text in captions)
        return (
            f"<svg x='{x}' y='{y}' width='{width}' height='{_LINE}' overflow='hidden'>"
            f"<g transform='translate(0,-{_LINE * self.still})' class='{self.name}' "
            f"style='animation-name:{name};animation-timing-function:steps({self.frames})'>"
            f"<text y='{18 - _LINE}' font-size='14' font-family='ui-monospace,Menlo,Consolas,monospace' "
            f"style='white-space:pre' fill='{INK}'>{lines}</text></g></svg>"
        )

    def style(self) -> str:
        """The style element."""
        return (
            f"<style>.{self.name}{{animation:{self.seconds:g}s step-end infinite}}{''.join(self.rules)}"
            f"@media(prefers-reduced-motion:reduce){{.{self.name}{{animation:none}}}}</style>"
        )


def _picture(n: int, states: list[State], memory: list[int], peak: int, film: _Film, title: str) -> str:
    width = max((n + 1) * _STEP + 52, 560)
    above, below = _TOP, _TOP + _ROWS
    slots_at = below + 54
    height = slots_at + 70

    parts = [_chain(n, above, below)]
    circle = f"<circle r='{_RADIUS}' cx='{{}}' cy='{{}}'"
    layers = range(1, n + 1)
    overlays = (
        (_WORKING, above, [[_working(state, i) for state in states] for i in layers]),
        (_SAVED, above, [[i in state.saved for state in states] for i in layers]),
        (_DONE, below, [[_done(state, i) for state in states] for i in layers]),
        (_RUNNING, below, [[state.action == ("backward", i) for state in states] for i in layers]),
    )
    for look, y, visible in overlays:
        shapes = [film.shown(visible[i - 1], circle.format(_x(i), y)) for i in layers]
        parts.append(f"<g {look}>{''.join(shapes)}</g>")
    for k in range(1, peak + 1):
        box = f"<rect x='{92 + 17 * (k - 1)}' y='{slots_at - 11}' width='14' height='14' rx='3' "
        parts.append(f"{box}fill='none' stroke='{INK}'/>")
        parts.append(film.shown([used >= k for used in memory], f"{box}fill='{BLUE}'"))
    captions = [
        f"{_words(state):<14}memory {used:<5}evaluations {state.evaluations}"
        for state, used in zip(states, memory, strict=True)
    ]
    strip = film.strip(captions, 24, slots_at + 10, width - 48)
    heading = _heading(n, peak, states[-1].evaluations, title)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' style='max-width:100%;height:auto' {FONT} font-size='14' "
        f"role='img' aria-label='{heading}'>{film.style()}"
        f"<text x='24' y='26' font-weight='600' fill='{INK}'>{heading}</text>"
        f"{''.join(parts)}{_labels(n, above, below)}"
        f"<text x='24' y='{slots_at}' fill='{INK}'>memory</text>"
        f"{strip}"
        f"<g font-size='12' fill='{INK}'>{_legend(24, height - 14)}</g></svg>"
    )


def _heading(n: int, peak: int, evaluations: int, title: str) -> str:
    counted = f"{_plural(n, 'layer')}, peak memory {peak}, {_plural(evaluations, 'evaluation')}"
    return f"{escape(title)}: {counted}" if title else counted


def _x(i: int) -> int:
    return 40 + i * _STEP


def _chain(n: int, above: int, below: int) -> str:
    """The input, the f nodes at `above`, the b nodes at `below`, nothing in memory; and the arrows between them."""
    gap = _STEP - 2 * _RADIUS - 2
    down = below - above - 2 * _RADIUS - 2
    arrows = [f"M{_x(i - 1) + _RADIUS},{above}h{gap}m-5,-4l5,4l-5,4" for i in range(1, n + 1)]
    arrows += [f"M{_x(i + 1) - _RADIUS},{below}h-{gap}m5,-4l-5,4l5,4" for i in range(1, n)]
    arrows += [f"M{_x(i)},{above + _RADIUS}v{down}m-4,-5l4,5l4,-5" for i in range(1, n + 1)]
    nodes = "".join(f"<circle r='{_RADIUS}' cx='{_x(i)}' cy='{y}'/>" for y in (above, below) for i in range(1, n + 1))
    return (
        f"<g fill='none' stroke='{INK}' stroke-width='1.4'><path d='{''.join(arrows)}'/>"
        f"<rect x='{_x(0) - 16}' y='{above - 16}' width='32' height='32' rx='5'/>{nodes}</g>"
    )


def _labels(n: int, above: int, below: int) -> str:
    labels = [_label(_x(0), above, "x", "")]
    labels += [_label(_x(i), above, "f", str(i)) + _label(_x(i), below, "b", str(i)) for i in range(1, n + 1)]
    return f"<g text-anchor='middle' fill='{INK}'>{''.join(labels)}</g>"


def _working(state: State, i: int) -> bool:
    return state.working == i and i not in state.saved


def _done(state: State, i: int) -> bool:
    return state.next_backward < i and state.action != ("backward", i)


def _label(x: int, y: int, letter: str, index: str) -> str:
    low = f"<tspan font-size='10' dy='3'>{index}</tspan>" if index else ""
    return f"<text x='{x}' y='{y + 4}'>{letter}{low}</text>"


def _words(state: State) -> str:
    name, i = state.action
    return f"{name} {i}" if name else "start"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _legend(x: int, y: int) -> str:
    entries = ((_SAVED, "saved"), (_WORKING, "working"), (_RUNNING, "gradient computed"), (_DONE, "done"))
    places = (0, 75, 165, 315)
    return "".join(
        f"<circle cx='{x + place + 6}' cy='{y - 4}' r='6' {look}/><text x='{x + place + 18}' y='{y}'>{word}</text>"
        for place, (look, word) in zip(places, entries, strict=True)
    )
