"""Where the nodes of a layered drawing go: layers, an order within each layer with few crossings,
coordinates.

The method is Sugiyama, Tagawa & Toda's (IEEE Trans. SMC 11, 1981): nodes are put in layers so that every
edge leads to a later one; edges that skip layers get a *bend* in each layer between; barycentre sweeps order
each layer; and coordinates move towards the mean of the neighbours as far as the neighbours in the layer
allow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

BEND_SIZE = 10.0
"""Room that an edge takes where it passes through a layer, in pixels."""


@dataclass(frozen=True)
class Layout:
    """Layers and positions of nodes and bends. Vertices 0 … len(nodes) - 1 are the nodes, the others are
    bends.
    """

    layer: list[int]
    """The layer of each vertex."""
    position: list[float]
    """The centre of each vertex along its layer, in pixels; the smallest border is at 0."""
    paths: list[tuple[int, ...]]
    """One for each edge, ordered by node and argument: argument, bends, node."""
    depth: int
    """How many layers there are."""
    breadth: float
    """The extent of the widest layer, in pixels."""


def layered(
    arguments: Sequence[tuple[int, ...]], floating: Collection[int], sizes: Sequence[float], gap: float
) -> Layout:
    """Lays out a graph whose nodes take `sizes` pixels along a layer, `gap` pixels apart.

    arguments: of each node, the earlier nodes that it is computed from.
    floating: nodes without arguments that are placed just before their first use (constants).
    """
    layer = _layers(arguments, floating)
    paths: list[tuple[int, ...]] = []
    for index, args in enumerate(arguments):
        for arg in args:
            first_bend = len(layer)
            layer.extend(range(layer[arg] + 1, layer[index]))
            paths.append((arg, *range(first_bend, len(layer)), index))
    depth = max(layer, default=-1) + 1
    room = [*sizes, *[BEND_SIZE] * (len(layer) - len(sizes))]
    before: list[list[int]] = [[] for _ in layer]
    after: list[list[int]] = [[] for _ in layer]
    for path in paths:
        for u, v in pairwise(path):
            after[u].append(v)
            before[v].append(u)
    rows: list[list[int]] = [[] for _ in range(depth)]
    for vertex, row in enumerate(layer):
        rows[row].append(vertex)
    rows = _fewest_crossings(rows, before, after)
    position = _coordinates(rows, before, after, room, gap)
    start = min((position[v] - room[v] / 2 for v in range(len(layer))), default=0.0)
    position = [entry - start for entry in position]
    breadth = max((position[v] + room[v] / 2 for v in range(len(layer))), default=0.0)
    return Layout(layer, position, paths, depth, breadth)


def _layers(arguments: Sequence[tuple[int, ...]], floating: Collection[int]) -> list[int]:
    """The longest path to each node; a floating node goes just before the first node that uses it."""
    layer: list[int] = []
    for args in arguments:
        layer.append(1 + max((layer[arg] for arg in args), default=-1))
    first_use: dict[int, int] = {}
    for index, args in enumerate(arguments):
        for arg in args:
            first_use[arg] = min(layer[index], first_use.get(arg, layer[index]))
    for index in floating:
        if index in first_use:
            layer[index] = max(0, first_use[index] - 1)
    return layer


def _fewest_crossings(
    rows: list[list[int]], before: list[list[int]], after: list[list[int]], sweeps: int = 12
) -> list[list[int]]:
    """The best ordering that barycentre sweeps, forwards and backwards in turn, come upon."""
    best, fewest = rows, _crossings(rows, after)
    for sweep in range(sweeps):
        if fewest == 0:
            break
        rows = [list(row) for row in rows]
        forwards = sweep % 2 == 0
        neighbours = before if forwards else after
        for at in range(1, len(rows)) if forwards else range(len(rows) - 2, -1, -1):
            rank = {v: place for place, v in enumerate(rows[at - 1] if forwards else rows[at + 1])}
            key: dict[int, float] = {}
            for place, vertex in enumerate(rows[at]):
                ranks = [rank[u] for u in neighbours[vertex]]
                key[vertex] = sum(ranks) / len(ranks) if ranks else float(place)
            rows[at].sort(key=key.__getitem__)
        count = _crossings(rows, after)
        if count < fewest:
            best, fewest = rows, count
    return best


def _crossings(rows: list[list[int]], after: list[list[int]]) -> int:
    """Pairs of edges between neighbouring layers that cross."""
    total = 0
    for row, following in pairwise(rows):
        rank = {v: place for place, v in enumerate(following)}
        seen: list[int] = []
        for vertex in row:
            ends = sorted(rank[v] for v in after[vertex])
            total += sum(1 for end in ends for earlier in seen if earlier > end)
            seen.extend(ends)
    return total


def _coordinates(
    rows: list[list[int]], before: list[list[int]], after: list[list[int]], room: Sequence[float], gap: float
) -> list[float]:
    """Centres along the layers: each layer in turn moves to the mean of its neighbours, order and gaps
    kept.
    """
    position = [0.0] * len(room)
    for row in rows:
        _place(row, [0.0] * len(row), position, room, gap)
    for sweep in range(24):
        order = rows if sweep % 2 == 0 else rows[::-1]
        for row in order:
            wanted: list[float] = []
            for vertex in row:
                near = before[vertex] + after[vertex]
                mean = sum(position[u] for u in near) / len(near) if near else position[vertex]
                wanted.append(mean)
            _place(row, wanted, position, room, gap)
    return position


def _place(row: list[int], wanted: list[float], position: list[float], room: Sequence[float], gap: float) -> None:
    """Writes the positions nearest to `wanted` (least squares) that keep the row's order and gaps.

    With the gaps subtracted the positions must not decrease: isotonic regression, by pooling adjacent
    violators.
    """
    offsets: list[float] = []
    for place, vertex in enumerate(row):
        previous = row[place - 1]
        offsets.append(0.0 if place == 0 else offsets[-1] + (room[previous] + room[vertex]) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for target, offset in zip(wanted, offsets, strict=True):
        mean, count = target - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        blocks.append((mean, count))
    place = 0
    for mean, count in blocks:
        for _ in range(count):
            position[row[place]] = mean + offsets[place]
            place += 1
