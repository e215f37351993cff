"""Measured memory against the number of checkpoints, beside the theory; and time against memory."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10

from adkit.drawing import svg
from adkit.drawing.svg import Markup, Panel, Panels

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420.0, 380.0, 62.0, 400.0, 92.0, 324.0
_PEAK, _BETWEEN, _TIME = svg.ORANGE, svg.BLUE, svg.GREEN
_MIB = 2.0**20

Row = tuple[Sequence[int] | int, float, float, float]
"""(checkpoints, bytes between the passes, bytes at the peak, seconds)."""


def memory_plot(
    n: int,
    rows: Sequence[Row],
    named: Mapping[str, tuple[float, float, float]] | None = None,
    *,
    unit: float,
    constant: float = 3.0,
    title: str = "memory and time of the gradient",
) -> Panels:
    """Plots what gradients with checkpoints cost: memory against their number, and time against memory.

        measured = [([8, 16, 24, 32, 40, 48, 56, 64], 16 * 2**20, 55 * 2**20, 1.9), …]
        adkit.memory_plot(64, measured, {"plain": (258 * 2**20, 266 * 2**20, 1.6)}, unit=x.nbytes)

    rows: `(checkpoints, between, peak, seconds)`: the indices that are kept, or how many there are at equal distances;
    the bytes that are kept between the passes, and at the peak of the backward pass; and the time. named: points
    without a number of checkpoints, as `name: (between, peak, seconds)`. unit: the bytes of one activation.

    The lines are the theory, in units: k between the passes, and k + 2 * (layers of the longest segment) + `constant`
    at the peak. While a segment of layers a = tanh(z) is differentiated, each of them holds a and tanh'(z), which makes
    the 2; the constant is what the backward step of one layer uses, 2 to 4 activations, as the version of JAX has it.

    Raises `ValueError` for no rows, for numbers that are not positive and for checkpoints that are not indices from
    1..n.
    """
    if not rows:
        raise ValueError("rows must hold at least one measurement (checkpoints, between, peak, seconds)")
    others = dict(named or {})
    for number in (unit, *(x for row in rows for x in row[1:]), *(x for point in others.values() for x in point)):
        if not number >= 0:
            raise ValueError(f"bytes and seconds are positive numbers, got {number}")
    if not unit > 0:
        raise ValueError(f"unit is the bytes of one activation, a positive number, got {unit}")
    points = sorted(((*_segments(n, row[0]), *row[1:]) for row in rows), key=lambda point: point[:2])
    return svg.side_by_side([_memory(points, others, unit / _MIB, constant), _times(points, others)], title, 2)


_Point = tuple[int, int, float, float, float]
"""(how many checkpoints, layers of the longest segment, between, peak, seconds)."""


def _segments(n: int, checkpoints: Sequence[int] | int) -> tuple[int, int]:
    """How many checkpoints there are, and the layers of the longest segment between two of them or the ends."""
    if isinstance(checkpoints, int):
        if not 0 <= checkpoints <= n:
            raise ValueError(f"there are 0 to {n} checkpoints, got {checkpoints}")
        return checkpoints, ceil(n / (checkpoints + 1))
    indices = sorted(checkpoints)
    if any(not 1 <= i <= n for i in indices):
        raise ValueError(f"checkpoints are indices from 1..{n}, got {list(checkpoints)}")
    return len(indices), max(end - start for start, end in pairwise([0, *indices, n]))


def _memory(points: list[_Point], others: dict[str, tuple[float, float, float]], unit: float, constant: float) -> Panel:
    theory = [(k, unit * (k + 2 * longest + constant)) for k, longest, *_ in points]
    most = max(
        [peak / _MIB for *_, peak, _ in points] + [p for _, p in theory] + [p / _MIB for _, p, _ in others.values()]
    )
    ticks = _round_ticks(most)
    # Powers of two are at equal distances, nearly: k + 1, because there may be no checkpoints.
    first, last = points[0][0] + 1, max(points[-1][0] + 1, points[0][0] + 2)
    axes = _MemoryAxes(_LEFT, _TOP, _RIGHT - 12, _BOTTOM, x=(first, last), y=(0, ticks[-1]))
    counts: dict[float, str] = {}
    for k in sorted({point[0] for point in points}):
        if not counts or axes.place(k + 1, 0)[0] - axes.place(max(counts), 0)[0] > 20:
            counts[k + 1] = str(k)
    lines = [
        svg.path(
            f"M{_LEFT},{svg.number(axes.place(first, peak / _MIB)[1])}H{_RIGHT - 12}",
            svg.INK,
            1.2,
            stroke_dasharray="5 4",
        )
        for _, peak, _ in others.values()
    ]
    heights = _beside_lines([axes.place(first, peak / _MIB)[1] for _, peak, _ in others.values()])
    names = [
        svg.text(_RIGHT - 16, y, f"{name}: {peak / _MIB:.0f}", anchor="end", weight=600)
        for y, (name, (_, peak, _)) in zip(heights, others.items(), strict=True)
    ]
    parts = (
        svg.text(20, 24, "memory against checkpoints", size=14, weight=600),
        svg.legend_entry(20, 44, "peak", 12, _dot(6, 0, _PEAK)),
        svg.legend_entry(90, 44, "between the passes", 12, _dot(6, 0, _BETWEEN)),
        svg.legend_entry(240, 44, "lines: in theory", 20, svg.path("M0,0h20", svg.INK, 2)),
        svg.text(20, _TOP - 14, "MiB"),
        axes.grid(counts, {float(tick): f"{tick:g}" for tick in ticks}),
        *lines,
        axes.curve([(k + 1, k * unit) for k, *_ in points], _BETWEEN),
        axes.curve([(k + 1, used) for k, used in theory], _PEAK),
        *(_dot(*axes.place(k + 1, between / _MIB), _BETWEEN) for k, _, between, _, _ in points),
        *(_dot(*axes.place(k + 1, peak / _MIB), _PEAK) for k, _, _, peak, _ in points),
        *names,
        svg.text(_RIGHT, _HEIGHT - 16, "number of checkpoints", anchor="end"),
    )
    rows = "; ".join(
        f"{k} checkpoints: {between / _MIB:.0f} MiB between the passes, peak {peak / _MIB:.0f}, in theory {used:.0f}"
        for (k, _, between, peak, _), (_, used) in zip(points, theory, strict=True)
    )
    return Panel(_WIDTH, _HEIGHT, "memory against the number of checkpoints", parts, f"{rows}.")


def _times(points: list[_Point], others: dict[str, tuple[float, float, float]]) -> Panel:
    entries = [(str(k), peak / _MIB, seconds, _TIME) for k, _, _, peak, seconds in points]
    entries += [(name, peak / _MIB, seconds, svg.INK) for name, (_, peak, seconds) in others.items()]
    across, up = _round_ticks(max(peak for _, peak, _, _ in entries)), _round_ticks(max(s for _, _, s, _ in entries))
    axes = svg.Axes(_LEFT, _TOP, _RIGHT - 12, _BOTTOM, x=(0, across[-1]), y=(0, up[-1]))
    dots = [(name, *axes.place(peak, seconds), colour) for name, peak, seconds, colour in entries]
    taken = [(x - 6, y - 6, x + 6, y + 6) for _, x, y, _ in dots]
    labels: list[Markup] = []
    for name, x, y, colour in dots:
        width = 7.5 * len(name)
        # Above, below, right or left of its dot, where neither a dot nor an earlier label is.
        places = [
            (x, y - 9),
            (x, y + 18),
            (x + 10 + width / 2, y + 4),
            (x - 10 - width / 2, y + 4),
            (x, y - 24),
            (x, y + 33),
        ]
        middle, line = next((place for place in places if _is_free(place, width, taken)), places[0])
        taken.append((middle - width / 2, line - 10, middle + width / 2, line + 2))
        labels.append(svg.text(middle, line, name, colour=colour, weight=600, anchor="middle"))
    parts = (
        svg.text(20, 24, "time against memory", size=14, weight=600),
        svg.legend_entry(20, 44, "by the number of checkpoints", 12, _dot(6, 0, _TIME)),
        svg.text(20, _TOP - 14, "seconds"),
        axes.grid({float(tick): f"{tick:g}" for tick in across}, {float(tick): f"{tick:g}" for tick in up}),
        *(_dot(x, y, colour) for _, x, y, colour in dots),
        *labels,
        svg.text(_RIGHT, _HEIGHT - 16, "peak memory, MiB", anchor="end"),
    )
    words = "; ".join(
        f"{name}{' checkpoints' if colour == _TIME else ''}: {peak:.0f} MiB and {seconds:.3g} s"
        for name, peak, seconds, colour in entries
    )
    return Panel(_WIDTH, _HEIGHT, "time against peak memory", parts, f"{words}.")


class _MemoryAxes(svg.Axes):
    """Logarithmic across, linear upwards."""

    def place(self, x: float, y: float) -> tuple[float, float]:
        return super().place(
            self.x[0] + (self.x[1] - self.x[0]) * log10(x / self.x[0]) / log10(self.x[1] / self.x[0]), y
        )


def _dot(x: float, y: float, colour: str) -> Markup:
    return svg.element("circle", cx=x, cy=y, r=4.5, fill=colour)


def _is_free(place: tuple[float, float], width: float, taken: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether a label of this width, with its middle and its baseline at `place`, is in the plot and on nothing."""
    left, right, top, bottom = place[0] - width / 2, place[0] + width / 2, place[1] - 10, place[1] + 2
    inside = left > _LEFT and right < _WIDTH and top > _TOP - 10 and bottom < _BOTTOM
    return inside and all(right < x1 or x2 < left or bottom < y1 or y2 < top for x1, y1, x2, y2 in taken)


def _round_ticks(most: float) -> list[float]:
    """0 and three to six round numbers at equal distances, the last one not below `most`."""
    if most <= 0:
        return [0, 1]
    power = 10.0 ** floor(log10(most))
    step = next(s * power for s in (0.2, 0.5, 1, 2) if most / (s * power) <= 5)
    return [step * k for k in range(ceil(most / step) + 1)]


def _beside_lines(lines: Sequence[float]) -> list[float]:
    """The baselines of the names of horizontal lines: of the topmost above it, of the others below, not too close."""
    order = sorted(range(len(lines)), key=lines.__getitem__)
    placed = [y + 15 for y in lines]
    if order:
        placed[order[0]] = lines[order[0]] - 5
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + 15)
    return placed
