"""Right solutions of `checkpointing` q1 to q4 that nobody copied: each is put together by its own seed from ways of
saying the same thing, as students who never met would."""

import random
import re


def _pick(rng: random.Random, *ways: str) -> str:
    return rng.choice(ways)


def _appends(rng: random.Random, name: str, *actions: str) -> list[str]:
    """Statements that add actions to a list."""
    if len(actions) > 1 and rng.random() < 0.4:
        return [_pick(rng, f"{name} += [{', '.join(actions)}]", f"{name}.extend([{', '.join(actions)}])")]
    way = _pick(rng, "append", "plus", "concatenate")
    return [
        {"append": f"{name}.append({a})", "plus": f"{name} += [{a}]", "concatenate": f"{name} = {name} + [{a}]"}[way]
        for a in actions
    ]


def _loop(rng: random.Random, variable: str, low: str, high: str, up: bool, body: list[str]) -> list[str]:
    """A loop over low, …, high, upwards or downwards; both ends are in it."""
    lines = [f"    {line}" for line in body]
    style = rng.randrange(4)
    if style == 0:
        first, last, step = (low, high, 1) if up else (high, low, -1)
        sign = "<=" if up else ">="
        return [f"{variable} = {first}", f"while {variable} {sign} {last}:", *lines, f"    {variable} += {step}"]
    whole = f"range({low}, {high} + 1)"
    if style == 1:
        return [f"for {variable} in {whole if up else f'reversed({whole})'}:", *lines]
    if style == 2:
        return [f"for {variable} in {whole if up else f'list({whole})[::-1]'}:", *lines]
    return [f"for {variable} in {whole if up else f'range({high}, {low} - 1, -1)'}:", *lines]


def _function(rng: random.Random, head: str, body: list[str], words: str) -> str:
    doc = [f'    """{words}"""'] if rng.random() < 0.5 else []
    notes = [f"    # {words.lower()}"] if rng.random() < 0.4 else []
    return "\n".join([head, *doc, *notes, *(f"    {line}" for line in body)])


def _action(rng: random.Random, name: str, index: str) -> str:
    return f'("{name}", {index})'


def solution(seed: int) -> list[str]:
    """The cells of a notebook."""
    rng = random.Random(seed)
    steps, i, j, k = (
        rng.choice(names) for names in (["s", "schedule", "out", "acts"], ["i", "layer"], ["j", "b"], ["k", "c"])
    )

    def act(name: str, index: str) -> str:
        return _action(rng, name, index)

    def a_list() -> str:
        return _pick(rng, f"{steps} = []", f"{steps} = list()")

    up = _appends(rng, steps, act("forward", i), act("save", i))
    down = _appends(rng, steps, act("backward", j), act("free", j))
    vanilla = [a_list(), *_loop(rng, i, "1", "n", True, up), *_loop(rng, j, "1", "n", False, down), f"return {steps}"]
    if rng.random() < 0.3:
        vanilla = [
            f"up = [x for {i} in range(1, n + 1) for x in ({act('forward', i)}, {act('save', i)})]",
            f"down = [x for {j} in range(n, 0, -1) for x in ({act('backward', j)}, {act('free', j)})]",
            "return up + down",
        ]
    inner = _loop(rng, i, "1", j, True, _appends(rng, steps, act("forward", i)))
    poor = [
        a_list(),
        *_loop(rng, j, "1", "n", False, [*inner, *_appends(rng, steps, act("backward", j))]),
        f"return {steps}",
    ]
    check = rng.choice(
        [
            ["if any(b <= a for a, b in zip([0, *checkpoints], checkpoints)) or (checkpoints and checkpoints[-1] > n):",
             '    raise ValueError("checkpoints")'],
            [f"for {k} in range(len(checkpoints)):", f"    low = checkpoints[{k} - 1] if {k} > 0 else 0",
             f"    if checkpoints[{k}] <= low or checkpoints[{k}] > n:", '        raise ValueError("bad checkpoint")'],
            ["if sorted(set(checkpoints)) != list(checkpoints):", '    raise ValueError("not increasing")',
             f"for {k} in checkpoints:", f"    if not 1 <= {k} <= n:", '        raise ValueError("outside")'],
        ]
    )  # fmt: skip
    climb = _loop(
        rng, i, "1", "n", True,
        [*_appends(rng, steps, act("forward", i)),
         f"if {i} in checkpoints or {i} > (checkpoints[-1] if checkpoints else 0):",
         *(f"    {line}" for line in _appends(rng, steps, act("save", i)))],
    )  # fmt: skip
    again = [
        f"if {j} not in held:",
        f"    start = max([0] + [c for c in checkpoints if c < {j}])",
        *(f"    {line}" for line in _loop(
            rng, i, "start + 1", j, True,
            [*_appends(rng, steps, act("forward", i), act("save", i)), f"held.add({i})"])),
    ]  # fmt: skip
    segments = [
        *check,
        a_list(),
        *climb,
        "held = set(checkpoints) | set(range((checkpoints[-1] if len(checkpoints) else 0) + 1, n + 1))",
        *_loop(rng, j, "1", "n", False, [*again, *_appends(rng, steps, act("backward", j), act("free", j))]),
        f"return {steps}",
    ]
    root = _pick(rng, "math.isqrt(n)", "int(n ** 0.5)", "max(1, round(math.sqrt(n)))")
    spaced = rng.choice(
        [
            [f"step = max(1, {root})", f"return [{k} for {k} in range(step, n + 1, step)]"],
            [f"width = max(1, {root})", "found = []", f"{k} = width", f"while {k} <= n:", f"    found.append({k})",
             f"    {k} = {k} + width", "return found"],
            [f"d = {root} or 1", "return list(range(d, n + 1, d))"],
            [f"d = max({root}, 1)", f"return [d * {k} for {k} in range(1, n // d + 1)]"],
        ]
    )  # fmt: skip
    return [
        "import math",
        _function(rng, "def vanilla_schedule(n):", vanilla, "Keep everything."),
        _function(rng, "def memory_poor_schedule(n):", poor, "Keep nothing."),
        _function(rng, "def checkpointed_schedule(n, checkpoints):", segments, "Recompute a segment at a time."),
        _function(rng, "def choose_checkpoints(n):", spaced, "About sqrt(n) of them."),
    ]


def disguised(cells: list[str], seed: int = 0) -> list[str]:
    """A copy: names renamed, cells in another order, comments and docstrings replaced, another layout."""
    names = sorted(
        {
            name
            for cell in cells
            for name in re.findall(r"\b(?:[ijkbcs]|layer|schedule|out|acts|held|start|found)\b", cell)
        }
    )
    made: list[str] = []
    for cell in cells:
        for number, name in enumerate(names):
            cell = re.sub(rf"(?<![\"'\w.]){name}(?![\"'\w(])", f"my_{number}", cell)
        lines = [line for line in cell.splitlines() if not line.strip().startswith(("#", '"""'))]
        made.append("\n".join(["# written by myself", *(line.replace("    ", "  ") for line in lines)]))
    random.Random(seed).shuffle(made)
    return made
