"""Pictures of what is wrong with an answer, drawn from the evidence of a check (`adkit.checks.evidence`).

A schedule with its first illegal action, or with the memory it uses beyond what is allowed, and its place on the
trade-off; a graph with the first wrong adjoint; a matrix beside the right one; the error of a numerical gradient
against its step. Red is what is wrong, or a positive entry; blue a negative one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adkit.drawing import svg
from adkit.drawing.error_plot import axes_of, plotted
from adkit.drawing.graph import draw
from adkit.drawing.svg import Drawing, Markup
from adkit.drawing.trade_off import trade_off
from adkit.graph import Graph, Node
from adkit.schedule import ScheduleError, simulate

__all__ = ["pictures"]

_WRONG = svg.ORANGE
_AGREE = 1e-6
"""Relative to the largest entry: what differs by less is drawn as equal. Nearer misses are said in words."""


def pictures(evidence: Mapping[str, Any]) -> list[Drawing]:
    """The pictures of one fault; none where the evidence is not as `adkit.checks.evidence` makes it."""
    if len(evidence) != 1:
        return []
    ((kind, data),) = evidence.items()
    draws = _DRAWS.get(kind)
    try:
        return draws(data) if draws is not None else []
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError):  # a damaged record
        return []


# --- A matrix ---------------------------------------------------------------------------------------------------------


def _entries(data: Mapping[str, Any]) -> list[Drawing]:
    given, right = _matrix(data["given"]), _matrix(data["right"])
    if [len(row) for row in given] != [len(row) for row in right]:
        return []
    rows, columns = len(right), len(right[0])
    most = max([abs(entry) for row in (*given, *right) for entry in row] or [0.0]) or 1.0
    wrong = {(i, j) for i in range(rows) for j in range(columns) if not abs(given[i][j] - right[i][j]) <= _AGREE * most}
    if not wrong:
        return []
    side = max(9.0, min(34.0, 300.0 / max(rows, columns)))
    top, gap = 58.0, 56.0
    width, height = columns * side, rows * side
    transposed = rows == columns and all(
        abs(given[i][j] - right[j][i]) <= _AGREE * most for i in range(rows) for j in range(columns)
    )
    what = str(data["what"])
    heading = f"{what}: {len(wrong)} of {rows * columns} entries differ" + (
        ": yours is the transpose of the right one" if transposed else ""
    )
    parts = [svg.text(20, 26, heading, size=14, weight=600)]
    for name, matrix, left in (("yours", given, 20.0), ("right", right, 20.0 + width + gap)):
        parts.append(svg.text(left, top - 10, name))
        for i, row in enumerate(matrix):
            for j, entry in enumerate(row):
                parts.append(_cell(left + j * side, top + i * side, side, entry / most, (i, j) in wrong))
        frame = svg.element("rect", x=left, y=top, width=width, height=height, fill="none", stroke=svg.INK)
        parts.append(frame)
    legend = top + height + 24
    parts += [
        svg.legend_entry(20, legend, "positive", 14, _cell(0, -8, 12, 1.0, False)),
        svg.legend_entry(110, legend, "negative", 14, _cell(0, -8, 12, -1.0, False)),
        svg.legend_entry(206, legend, "differs", 14, _cell(0, -8, 12, 0.0, True)),
    ]
    total = max(2 * width + gap + 40, 9.0 * len(heading) + 40, 300)
    places = ", ".join(f"[{i}, {j}]" for i, j in sorted(wrong)[:8]) + (" and more" if len(wrong) > 8 else "")
    return [svg.document(total, legend + 16, heading, *parts, size=12, description=f"They differ at {places}.")]


def _matrix(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[float(entry) for entry in row] for row in rows]


def _cell(x: float, y: float, side: float, share: float, wrong: bool) -> Markup:
    # the square root, so that small entries are seen beside large ones
    opacity = f"{0.9 * math.sqrt(min(abs(share), 1.0)):.2f}"
    fill = svg.element(
        "rect",
        x=x,
        y=y,
        width=side,
        height=side,
        fill=_WRONG if share > 0 else svg.BLUE,
        fill_opacity=opacity,
    )
    if not wrong:
        return fill
    inset = 1.5
    size = side - 2 * inset
    border = svg.element(
        "rect", x=x + inset, y=y + inset, width=size, height=size, fill="none", stroke=svg.INK, stroke_width=2.5
    )
    return svg.element("g", fill, border)


# --- A graph ----------------------------------------------------------------------------------------------------------


def _adjoints(data: Mapping[str, Any]) -> list[Drawing]:
    nodes = tuple(Node(str(op), tuple(int(arg) for arg in args), value) for op, args, value in data["nodes"])
    graph = Graph(nodes, tuple(map(int, data["inputs"])), tuple(map(int, data["outputs"])))
    of, given, right = list(map(int, data["of"])), list(map(float, data["given"])), list(map(float, data["right"]))
    shown: list[float | None] = [None] * len(nodes)
    wrong: list[int] = []
    for node, yours, want in zip(of, given, right, strict=True):
        shown[node] = yours
        if not abs(yours - want) <= 1e-9 * max(1.0, abs(want)):
            wrong.append(node)
    if not wrong:
        return []
    first = max(wrong)  # adjoints are computed from the last node to the first
    names = [f"v{index + 1}" for index in range(len(nodes))]
    return [
        draw(
            graph,
            adjoints=shown,
            marked={node: "wrong" for node in wrong if node != first} | {first: "the first wrong one"},
            label=f"your adjoints in the graph: that of {names[first]} is the first wrong one on the way back",
        )
    ]


# --- A numerical gradient ---------------------------------------------------------------------------------------------


def _steps(data: Mapping[str, Any]) -> list[Drawing]:
    kind = "central" if data["central"] else "one-sided"
    curve = [(float(h), max(float(error), 1e-18)) for h, error in data["curve"]]
    step, error = float(data["step"]), max(float(data["error"]), 1e-18)
    curve = [(h, e) for h, e in curve if math.isfinite(e)]
    if not (math.isfinite(error) and step > 0):
        return []
    axes, grid = axes_of([h for h, _ in curve] + [step], [e for _, e in curve] + [error])
    x, y = axes.place(step, error)
    colour = svg.SERIES[0]
    near = x > (axes.left + axes.right) / 2
    dot = [
        svg.element("circle", cx=x, cy=y, r=6, fill=_WRONG),
        svg.text(
            x + (-11 if near else 11), y - 9, "yours", colour=_WRONG, weight=600, anchor="end" if near else "start"
        ),
    ]
    title = f"relative error of a {kind} difference at the entry that is furthest from right"
    label = f"{title}: yours has the step {step:.2g} and the error {error:.1e}"
    return [plotted(axes, grid, title, label, [("other steps", colour, curve)], *dot)]


# --- A schedule -------------------------------------------------------------------------------------------------------

_WIDTH, _LEFT, _RIGHT, _TOP = 720.0, 52.0, 20.0, 92.0


@dataclass
class _Course:
    """What the legal part of a schedule does: one unit of time per action."""

    lives: list[tuple[int, int, int, bool]] = field(default_factory=list[tuple[int, int, int, bool]])
    """(layer, from, to, whether it was saved)."""
    memory: list[int] = field(default_factory=list[int])


def _schedule(data: Mapping[str, Any]) -> list[Drawing]:
    n, position = int(data["n"]), data["position"]
    allowed = None if data["memory"] is None else int(data["memory"])
    actions = [(str(name), int(i)) for name, i in data["actions"]]
    legal = actions if position is None else actions[: int(position)]
    course = _course(legal)
    peak = max([*course.memory, 1])
    bound = allowed if allowed is not None and peak > allowed else None
    evaluations = sum(name == "forward" for name, _ in legal)
    if position is not None:
        heading = f"n = {n}: action {position} is the first that is not legal"
    elif bound is not None:
        heading = f"n = {n}: {peak} activations in memory, where {bound} are allowed"
    else:
        heading = f"n = {n}: peak memory {peak}, {evaluations} evaluations"
    drawn = [_diagram(n, actions, course, position, bound, heading)]
    if position is None and n >= 2:
        try:
            simulate(n, actions)
        except ScheduleError:
            return drawn
        drawn.append(trade_off(n, {"yours": actions}))
    return drawn


def _course(actions: Sequence[tuple[str, int]]) -> _Course:
    """Follows actions that are legal, as `adkit.schedule.simulate` does."""
    course = _Course()
    born: dict[int, int] = {}
    saved, ever = set[int](), set[int]()
    working = 0

    def ends(i: int, at: int) -> None:
        course.lives.append((i, born.pop(i), at, i in ever))
        ever.discard(i)

    for at, (name, i) in enumerate(actions):
        if name == "forward":
            if working and working not in saved:
                ends(working, at)
            working = i
            born.setdefault(i, at)
        elif name == "save":
            saved.add(i)
            ever.add(i)
        else:
            if name == "free":
                saved.discard(i)
            if working == i:
                working = 0
            if i not in saved and i in born:
                ends(i, at + 1)
        course.memory.append(len(saved) + (working > 0 and working not in saved))
    for i in list(born):
        ends(i, len(actions))
    return course


def _diagram(
    n: int,
    actions: Sequence[tuple[str, int]],
    course: _Course,
    position: int | None,
    allowed: int | None,
    heading: str,
) -> Drawing:
    time = max(len(actions), 1)
    unit = min(44.0, (_WIDTH - _LEFT - _RIGHT) / time)
    row = min(24.0, max(3.0, 330.0 / n))
    floor = _TOP + row * n
    peak = max([*course.memory, allowed or 1, 1])
    level = min(16.0, 90.0 / peak)
    base = floor + 34 + level * peak

    def x(at: float) -> float:
        return _LEFT + at * unit

    def bars(entries: Sequence[tuple[int, int, int]], colour: str, share: float) -> Markup:
        line = "".join(f"M{svg.point(x(a), floor - (i - 0.5) * row)}H{svg.number(x(b))}" for i, a, b in entries)
        return svg.path(line or "M0,0", colour, max(1.0, row * share))

    def marks(name: str, colour: str) -> Markup:
        places = [(i, at) for at, (action, i) in enumerate(actions) if action == name and at != position]
        return bars([(i, at, at + 1) for i, at in places], colour, 0.8)

    parts = [
        svg.text(20, 26, heading, size=14, weight=600),
        *(
            svg.legend_entry(left, 52, word, 16, svg.path("M0,-.5h14", colour, 9))
            for left, colour, word in (
                (_LEFT, svg.AMBER, "forward"),
                (_LEFT + 96, svg.BLUE, "saved"),
                (_LEFT + 180, svg.GREEN, "backward"),
                (_LEFT + 284, _WRONG, "not legal" if position is not None else "beyond what is allowed"),
            )[: 4 if position is not None or allowed is not None else 3]
        ),
        svg.text(20, _TOP - 8, "layer"),
        svg.path(f"M{svg.point(_LEFT, _TOP)}H{svg.number(x(time))}V{svg.number(floor)}H{_LEFT}z", svg.INK, 0.7),
        bars([(i, a, b) for i, a, b, was in course.lives if not was], svg.AMBER, 0.3),
        bars([(i, a, b) for i, a, b, was in course.lives if was], svg.BLUE, 0.4),
        marks("forward", svg.AMBER),
        marks("backward", svg.GREEN),
    ]
    every = max(1, -(-n // 12))
    ticks = [i for i in range(1, n + 1) if i % every == 0 or i == 1]
    parts += [svg.text(_LEFT - 8, floor - (i - 0.5) * row + 4, str(i), anchor="end") for i in ticks]
    parts += [
        svg.text(20, floor + 22, "memory"),
        svg.element("path", d=_stairs(course.memory, x, base, level, 0), **svg.tinted(svg.BLUE, 1.2)),
    ]
    if allowed is not None:
        above = svg.element("path", d=_stairs(course.memory, x, base, level, allowed), fill=_WRONG, fill_opacity="0.75")
        at = base - level * allowed
        parts += [
            above,
            svg.path(f"M{svg.point(_LEFT, at)}H{svg.number(x(time))}", _WRONG, stroke_dasharray="5 4"),
            svg.text(_LEFT - 8, at + 4, str(allowed), colour=_WRONG, anchor="end"),
        ]
    words = f"time: {len(actions)} actions"
    if position is not None:
        name, i = actions[-1]
        middle, row_middle = x(position + 0.5), floor - (min(max(i, 1), n) - 0.5) * row
        band = svg.element(
            "rect", x=x(position), y=_TOP, width=max(unit, 2), height=floor - _TOP, fill=_WRONG, fill_opacity="0.25"
        )
        called = f"{name} {i}" if name and 1 <= i <= n else "not an action"
        left = middle > _WIDTH / 2
        text = svg.text(
            middle + (-10 if left else 10),
            _TOP - 8,
            f"action {position}: {called}",
            colour=_WRONG,
            weight=600,
            anchor="end" if left else "start",
        )
        cross = f"M{svg.point(middle - 5, row_middle - 5)}l10,10m0,-10l-10,10"
        parts += [band, text, svg.path(cross, _WRONG, 3)]
        words = f"time: {position} legal actions"
    parts.append(svg.text(max(x(time), _LEFT + 150), base + 20, words, anchor="end"))
    return svg.document(_WIDTH, base + 34, heading, *parts, size=12)


def _stairs(memory: Sequence[int], x: Callable[[float], float], base: float, level: float, above: int) -> str:
    """The outline of the memory in use as far as it is above a number of activations."""
    ground = base - level * above
    d = f"M{svg.point(x(0), ground)}"
    for at, used in enumerate(memory):
        d += f"V{svg.number(base - level * max(used, above))}H{svg.number(x(at + 1))}"
    return f"{d}V{svg.number(ground)}z"


_DRAWS: Mapping[str, Callable[[Mapping[str, Any]], list[Drawing]]] = {
    "entries": _entries,
    "adjoints": _adjoints,
    "steps": _steps,
    "schedule": _schedule,
}
