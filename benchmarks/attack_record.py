"""The record of attacks: what was seen of each, when and with which code, and the table that RECORDS.md has of it.

A file of lines of JSON, one an outcome, on disk before the next attack is run. Nothing is ever changed in it: of
several outcomes of the same attack in the same runner and situation the last one counts.
"""

import ast
import fcntl
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hostile.attack import Attack
from hostile.runners import BATCH

from autograder.text import for_markdown

REPOSITORY = Path(__file__).resolve().parents[1]
RUNNERS = {"session": "session", "grade": "`autograder grade`", "otter": "`otter run`", "docker": "`otter grade`"}
"""Short names, and what the table calls them."""
SITUATIONS = {
    "root": "root, all layers",
    "root-without-namespaces": "root without namespaces, as in a container",
    "user": "an unprivileged user with user namespaces",
    "user-without-namespaces": "an unprivileged user without user namespaces",
    "container": "in containers of Docker, as root",
}
FULL = (("root", "session"), ("root", "grade"), ("root", "otter"), ("container", "docker"))
"""The columns of the table that holds every attack."""
POORER = ("root-without-namespaces", "user", "user-without-namespaces")
BEGIN, END = "<!-- attacks: from here on written by attacks.py --write -->", "<!-- attacks: end -->"


class RecordError(Exception):
    """A record that cannot be read, or a page without a place for the table; the message says where."""


@dataclass(frozen=True)
class Seen:
    """One line: what was seen of one attack, or of a batch as a whole."""

    attack: str
    """Its name; BATCH for what belongs to no single attack of a batch."""
    runner: str
    situation: str
    found: tuple[str, ...]
    """Every sign of success; empty when nothing was gained."""
    score: float | None
    status: str
    seconds: float
    honest: tuple[int, int]
    """Honest submissions beside it with exactly their points, and how many there were."""
    batch: str
    """The same for all that was run by one process."""
    layers: tuple[str, ...]
    date: str
    """UTC, ISO 8601, to the second."""
    commit: str
    """With "+" where files differed from it."""
    code: str
    """Digest of the attack and of all that decides what becomes of it."""
    machine: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What a later outcome replaces."""
        return self.situation, self.runner, self.attack

    @staticmethod
    def from_line(line: str) -> "Seen":
        """Of a line of the record; ValueError for anything else."""
        try:
            content: dict[str, Any] = json.loads(line)
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
            return Seen(**fields)
        except (TypeError, AttributeError) as error:
            raise ValueError(str(error)) from None


def append(file: Path, seen: Seen) -> None:
    """Writes a line; on return it is on disk. A torn last line, of a run that was cut off, is removed first."""
    line = json.dumps(asdict(seen), separators=(",", ":")).encode() + b"\n"
    with open(file, "a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        content = stream.read()
        stream.truncate(content.rfind(b"\n") + 1)
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())


def read(file: Path) -> list[Seen]:
    """All outcomes, oldest first; none without a file. RecordError for a line that is damaged."""
    if not file.exists():
        return []
    found: list[Seen] = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(keepends=True), start=1):
        if line.endswith("\n"):
            try:
                found.append(Seen.from_line(line))
            except ValueError as error:
                raise RecordError(f"{file}, line {number} is not an outcome of an attack: {error}") from None
    return found


def latest(record: Iterable[Seen]) -> dict[tuple[str, str, str], Seen]:
    """The outcome that counts of each situation, runner and attack. Batches as a whole are left out."""
    return {seen.key: seen for seen in record if seen.attack != BATCH}


def batches(record: Sequence[Seen]) -> list[Seen]:
    """What belongs to no single attack, of batches that are the last word on at least one."""
    counting = {seen.batch for seen in latest(record).values()}
    return [seen for seen in record if seen.attack == BATCH and seen.batch in counting]


class Code:
    """Digests of what decides the outcome of an attack: its own text, what else its module holds, the apparatus
    that watches it and the assignment it is handed in for (`tests/hostile`), and `autograder/isolation`.

    So an attack that is added or changed makes no other one out of date.
    """

    def __init__(self, repository: Path = REPOSITORY) -> None:
        shared = hashlib.sha256()
        modules: list[tuple[str, dict[str, bytes]]] = []
        for folder in (repository / "autograder" / "isolation", repository / "tests" / "hostile"):
            for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
                content = path.read_bytes()
                if path.parent == folder and folder.name == "hostile" and path.suffix == ".py":
                    if path.name in ("__init__.py", "corpus.py"):
                        continue  # which attacks there are: nothing that happens to one
                    rest, attacks = _taken_apart(content)
                    if attacks:
                        modules.append((hashlib.sha256(rest).hexdigest(), attacks))
                        continue
                shared.update(f"{path.relative_to(repository)}\0{len(content)}\0".encode() + content)
        self._shared = shared.hexdigest()
        self._attacks = {name: (rest, text) for rest, attacks in modules for name, text in attacks.items()}
        self._others = hashlib.sha256(repr(modules).encode()).hexdigest()

    def digest(self, attack: str) -> str:
        """Of one attack. One whose text cannot be told from its module's is out of date when any attack changes."""
        rest, text = self._attacks.get(attack, (self._others, b""))
        return hashlib.sha256(f"{self._shared} {rest} ".encode() + text).hexdigest()[:16]


def _taken_apart(source: bytes) -> tuple[bytes, dict[str, bytes]]:
    """A module without the attacks that stand literally in its `ATTACKS`, and these by name."""
    lines = [0, *itertools.accumulate(len(line) for line in source.splitlines(keepends=True))]
    attacks: dict[str, bytes] = {}
    rest, position = b"", 0
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(
            statement.value, ast.Tuple | ast.List
        ):
            continue
        for item in statement.value.elts:
            match item:
                case ast.Call(
                    func=ast.Name("Attack"),
                    args=[ast.Constant(str(name)), *_],
                    end_lineno=int(last),
                    end_col_offset=int(column),
                ):
                    start, end = lines[item.lineno - 1] + item.col_offset, lines[last - 1] + column
                    attacks[name] = source[start:end]
                    rest, position = rest + source[position:start].strip(b" \n,"), end
                case _:
                    continue
    return rest + source[position:].strip(b" \n,"), attacks


def table(record: Sequence[Seen], attacks: Sequence[Attack], code: Code) -> str:
    """What RECORDS.md says: what was run where and when, every attack in every runner, and poorer machines."""
    last = latest(record)
    names = {attack.name for attack in attacks}
    counting = [seen for seen in last.values() if seen.attack in names]
    whole = [seen for seen in batches(record) if any(other.batch == seen.batch for other in counting)]
    kinds: dict[str, int] = {}
    for attack in attacks:
        kinds[attack.kind] = kinds.get(attack.kind, 0) + 1
    gained = [seen for seen in [*counting, *whole] if seen.found]
    machines = sorted({seen.machine for seen in counting})
    classes = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    lines = [
        f"{len(attacks)} attacks ({classes}); {len(counting)} outcomes, {len(gained)} in which something was gained. "
        f"On {'; '.join(machines) or 'no machine yet'}.",
        "",
        "| situation | runner | attacks | with the code as it is | gained "
        "| honest submissions with exactly their points | commits | dates |",
        "|---|---|--:|--:|--:|--:|---|---|",
    ]
    layers: dict[str, set[str]] = {}
    for situation, runner in [*FULL, *itertools.product(POORER, ("session", "grade"))]:
        here = [seen for seen in counting if (seen.situation, seen.runner) == (situation, runner)]
        around = [seen for seen in whole if (seen.situation, seen.runner) == (situation, runner)]
        if not here:
            lines.append(f"| {SITUATIONS[situation]} | {RUNNERS[runner]} | — | — | — | — | — | not run |")
            continue
        exact, honest = (sum(seen.honest[part] for seen in [*here, *around]) for part in (0, 1))
        present = sum(seen.code == code.digest(seen.attack) for seen in here)
        if runner != "docker":  # where the containers' machine is not this one
            layers.setdefault(SITUATIONS[situation], set()).update(*(seen.layers for seen in here))
        lines.append(
            f"| {SITUATIONS[situation]} | {RUNNERS[runner]} | {len(here)} | {present} | "
            f"{sum(bool(seen.found) for seen in [*here, *around])} | {f'{exact} of {honest}' if honest else '—'} | "
            f"{', '.join(sorted({seen.commit for seen in here}))} | {_dates(here)} |"
        )
    lines += ["", "Layers there:", ""]
    lines += [f"- {situation}: {', '.join(sorted(found))}" for situation, found in layers.items()]
    if gained:
        lines += ["", "Gained:", ""]
        lines += [
            f"- {seen.attack}, {RUNNERS[seen.runner]}, {SITUATIONS[seen.situation]}: {_signs(seen)}" for seen in gained
        ]
    headings = [f"{RUNNERS[runner]}{' (containers)' if situation == 'container' else ''}" for situation, runner in FULL]
    lines += ["", f"| attack | class | {' | '.join(headings)} | dates |", f"|---|---|{'---|' * len(headings)}---|"]
    for attack in attacks:
        cells = [last.get((situation, runner, attack.name)) for situation, runner in FULL]
        dates = _dates([seen for seen in cells if seen is not None])
        lines.append(f"| {attack.name} | {attack.kind} | {' | '.join(map(_cell, cells))} | {dates} |")
    lines += [
        "",
        "Poorer machines, in a session and in `autograder grade`:",
        "",
        f"| attack | {' | '.join(SITUATIONS[situation] for situation in POORER)} | dates |",
        f"|---|{'---|' * len(POORER)}---|",
    ]
    for attack in attacks:
        rows = [[last.get((place, runner, attack.name)) for runner in ("session", "grade")] for place in POORER]
        if seen := [cell for row in rows for cell in row if cell is not None]:
            cells = [", ".join(_cell(cell, points=False) for cell in row) for row in rows]
            lines.append(f"| {attack.name} | {' | '.join(cells)} | {_dates(seen)} |")
    return "\n".join(lines)


def written(page: str, text: str) -> str:
    """A page with `text` between its two marks. RecordError without them."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise RecordError(f"no place for the table: the page needs the lines {BEGIN!r} and {END!r}, once each")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def cleaned(text: str, names: Mapping[str, str]) -> str:
    """What a runner said, capped, without the places of this machine: `names` has what stands for each."""
    for place, name in sorted(names.items(), key=lambda item: -len(item[0])):
        text = text.replace(place, name)
    return re.sub(r"/lab-\w+", "/lab", text)[:600]


def _cell(seen: Seen | None, *, points: bool = True) -> str:
    if seen is None:
        return "—"
    if seen.status.startswith("not run"):
        return for_markdown(seen.status)
    if seen.found:
        return f"**SUCCEEDED**: {_signs(seen)}"
    if not points:
        return "held"
    return f"held ({'no score' if seen.score is None else f'{seen.score:g} points'})"


def _signs(seen: Seen) -> str:
    return for_markdown("; ".join(seen.found), 300)


def _dates(outcomes: Sequence[Seen]) -> str:
    days = sorted({seen.date[:10] for seen in outcomes})
    return "—" if not days else days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
