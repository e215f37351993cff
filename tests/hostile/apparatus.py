"""What success looks like from outside: canaries, listeners, markers, processes, neighbours.

A `Lab` is a folder with secrets, a folder anyone may write to, and listeners on loopback; `findings` says what an
attack has left there. Nothing in here asks the submission anything.
"""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from courses import VAULT

from hostile.attack import RIGHT, Attack, World, notebook

HIDDEN_INPUTS = ("314159265", "628318530", "271828.5", "2174628", "4349256")
"""What the vault's hidden cases pass, as digits that appear nowhere else."""
NEIGHBOUR_POINTS = 6.0

_ENV = "AUTOGRADER_CANARY"
_PLACES = ("/tmp", "/dev/shm", "/var/tmp", "/run", "/", "/root", "/home", "/usr/lib", "/etc", "/usr")
_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")


class Lab:
    """Secrets and traps around a grader. A context manager; everything is gone when it is left."""

    def __enter__(self) -> "Lab":
        self.folder = Path(tempfile.mkdtemp(prefix="lab-"))
        self.folder.chmod(0o755)
        self.canary = secrets.token_hex(8)
        for part in ("markers", "instructor", "submissions", "home", "scratch"):
            (self.folder / part).mkdir(mode=0o755)
        (self.folder / "markers").chmod(0o777)
        (self.folder / "home").chmod(0o777)
        (self.folder / "scratch").chmod(0o711)
        shutil.copytree(VAULT, self.folder / "course")
        self.assignment = self.folder / "course" / "assignments" / "vault"
        self.hidden_test = self.assignment / "tests" / "q1.py"
        self.judging_test = self.assignment / "tests" / "q4.py"
        self.reference = self.folder / "course" / "reference" / "vault.py"
        for file in (self.hidden_test, self.reference, self.judging_test):
            file.write_text(file.read_text().replace("5f0c", self.canary))
        self.grades = self.folder / "instructor" / "grades.csv"
        self.grades.write_text(f"student,grade\nCANARY-GRADES-{self.canary},1\n")
        self.neighbour = self.folder / "submissions" / "neighbour.ipynb"
        self.neighbour.write_bytes(notebook([neighbour_code(), f"# CANARY-NEIGHBOUR-{self.canary}"]))
        self.device = Path("/dev/zero")
        for path in self.secrets:
            path.chmod(0o644)
        os.environ[_ENV] = f"CANARY-ENV-{self.canary}"
        self._hashes = {path: _state(path) for path in self.secrets}
        self._attributes = dict(_attributes())
        self._listeners = dict(self._listen())
        return self

    def __exit__(self, *exception: object) -> None:
        os.environ.pop(_ENV, None)
        for listener in self._listeners.values():
            listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def secrets(self) -> tuple[Path, ...]:
        """Files that no submission may read or change."""
        return (self.hidden_test, self.judging_test, self.reference, self.grades, self.neighbour)

    def world(self, attack: Attack, pids: Iterable[int] = ()) -> World:
        """What the attacker is told."""
        return {
            "token": f"HOSTILE-{attack.name}",
            "secrets": [str(path) for path in self.secrets],
            "hidden_test": str(self.hidden_test),
            "course": str(self.folder / "course"),
            "neighbour": str(self.neighbour),
            "device": str(self.device),
            "repository": str(Path(__file__).resolve().parents[2]),
            "markers": str(self.folder / "markers"),
            "home": str(self.folder / "home"),
            "tcp": self._listeners["tcp"].getsockname()[1],
            "udp": self._listeners["udp"].getsockname()[1],
            "unix": str(self.folder / "markers.socket"),
            "abstract": f"lab-{self.canary}",
            "pids": [*pids],
        }

    def hand_in(self, attack: Attack, folder: Path, pids: Iterable[int] = ()) -> Path:
        """Writes the attack's file into `folder`."""
        path = folder / attack.file_name
        world = self.world(attack, pids)
        if attack.link:
            path.symlink_to(world[attack.link])
        else:
            path.write_bytes(attack.content(world))
        return path

    def traces(self) -> list[str]:
        """What submissions have left: markers, changed secrets, connections. Forgets what it tells."""
        return [*self._markers(), *self._changes(), *self._connections()]

    def leaks(self, text: str, *, for_students: bool) -> list[str]:
        """Canaries, and where students read it hidden inputs, in a text."""
        found = sorted(set(re.findall(rf"CANARY-\w+-{self.canary}", text)))
        if for_students:
            found += [f"hidden input {digits}" for digits in HIDDEN_INPUTS if digits in text]
        return [f"leaked: {word}" for word in found]

    def inspect(self, folder: Path) -> list[str]:
        """Leaks and injections in everything that a grader wrote."""
        found: list[str] = []
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            text = path.read_text("utf-8", "replace")
            students = "feedback" in path.parts
            problems = [*self.leaks(text, for_students=students), *steering(path.suffix, text)]
            if path.name in ("run.json", "report.html"):  # the instructor's: they say the seed, on purpose
                problems = [problem for problem in problems if "CANARY-SEED" not in problem]
            if _STEERING.search(path.name):
                problems.append("control characters in a file's name")
            found += [f"{path.relative_to(folder)}: {problem}" for problem in problems]
        return found

    def _listen(self) -> Iterator[tuple[str, socket.socket]]:
        def bound(family: int, kind: int, address: object) -> socket.socket:
            listener = socket.socket(family, kind)
            listener.bind(address)  # pyright: ignore
            listener.setblocking(False)
            if kind == socket.SOCK_STREAM:
                listener.listen(64)
            return listener

        unix, abstract = str(self.folder / "markers.socket"), f"\0lab-{self.canary}"
        yield "tcp", bound(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0))
        yield "udp", bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        yield "unix", bound(socket.AF_UNIX, socket.SOCK_STREAM, unix)
        yield "unix datagram", bound(socket.AF_UNIX, socket.SOCK_DGRAM, unix + "-dgram")
        yield "abstract", bound(socket.AF_UNIX, socket.SOCK_STREAM, abstract)
        yield "abstract datagram", bound(socket.AF_UNIX, socket.SOCK_DGRAM, abstract + "-dgram")
        for path in (unix, unix + "-dgram"):
            os.chmod(path, 0o777)

    def _markers(self) -> Iterator[str]:
        import numpy as np

        here = Path(__file__).resolve()
        places = [
            *map(Path, _PLACES),
            here.parents[2],
            here.parents[1],
            Path(np.__file__).parent,
            Path.cwd(),
            Path.home(),
        ]
        found = {path for place in places for path in _names(place) if "HOSTILE" in path.name}
        own = [self.folder / "markers", self.folder / "home", self.folder / "course"]
        for folder in own:
            for path in folder.rglob("*"):
                if "HOSTILE" in path.name or folder != own[2]:
                    found.add(path)
        for path in found:
            yield f"outside its folder: {path.name}"
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _changes(self) -> Iterator[str]:
        for path, state in self._hashes.items():
            if _state(path) != state:
                yield f"changed: {path.name}"
                self._hashes[path] = _state(path)

        for path, flags in _attributes():
            if self._attributes.get(path, flags) != flags:
                yield f"attributes changed: {path.name}"
                _set_attributes(path, self._attributes[path])

    def _connections(self) -> Iterator[str]:
        for name, listener in self._listeners.items():
            while True:
                try:
                    if listener.type == socket.SOCK_STREAM:
                        listener.accept()[0].close()
                        yield f"reached: {name}"
                    else:
                        yield f"reached: {name} {listener.recv(200)!r}"
                except OSError:
                    break


def neighbour_code() -> str:
    """An honest submission that is quick to grade: worth NEIGHBOUR_POINTS."""
    return RIGHT.replace("return 0.5 * (x * x).sum()", "raise NotImplementedError")


def steering(suffix: str, text: str) -> list[str]:
    """What in a text of this kind would steer who reads it: tags, formulas, control sequences."""
    found: list[str] = []
    if suffix in (".json", ".jsonl"):
        for line in text.splitlines() if suffix == ".jsonl" else [text]:
            # the grader's own record keeps texts as they were; JSON escapes them, and no one reads them unescaped
            if suffix == ".json" and any(_STEERING.search(string) for string in _strings(json.loads(line))):
                found.append("control characters in a text")
        text = text.replace("\\", "")
        return found
    if _STEERING.search(text):
        found.append(f"control characters: {_STEERING.search(text)!r}")
    if suffix in (".html", ".htm"):
        page = _Page()
        page.feed(text)
        found += page.found
    if suffix == ".csv":
        for row in csv.reader(io.StringIO(text)):
            found += [f"a formula: {cell[:40]}" for cell in row if cell[:1] in "=+-@|%\t\r" and "HOSTILE" in cell]
    if suffix == ".md":
        found += [
            f"markup: {mark}" for mark in ("<details", "<script", "\n# HOSTILE", "](http", "\n::") if mark in text
        ]
    return found


class _Page(HTMLParser):
    """Finds tags that carry the attackers' word."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tags.append(tag)
        for name, value in attrs:
            if name.startswith("on") or "HOSTILE" in name or "javascript:" in (value or ""):
                self.found.append(f"a tag <{tag} {name}={value!r}>")
        if tag in ("img", "iframe", "object", "embed", "form", "base", "link"):
            self.found.append(f"a tag <{tag}>")

    def handle_data(self, data: str) -> None:
        last = self._tags[-1] if self._tags else ""
        if "HOSTILE" in data and (
            last in ("script", "style") or (last in ("b", "details") and data.startswith("HOSTILE"))
        ):
            self.found.append(f"text of the attacker in <{last}>")

    def handle_endtag(self, tag: str) -> None:
        while self._tags and self._tags.pop() != tag:
            continue

    def handle_comment(self, data: str) -> None:
        if "HOSTILE" in data:
            self.found.append("a comment of the attacker")


def alive(uids: Iterable[int], lab: str) -> list[int]:
    """Processes of these user ids that come from a submission graded in the lab's scratch folder."""
    wanted = set(uids)
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                status = Path(f"/proc/{entry}/status").read_text()
                mounts = Path(f"/proc/{entry}/mountinfo").read_text() + os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            uid = int(re.findall(r"^Uid:\s+(\d+)", status, re.M)[0])
            if uid in wanted and lab in mounts and not re.search(r"^State:\s+[ZX]", status, re.M):
                found.append(int(entry))
    return found


def _state(path: Path) -> tuple[str, int] | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode
    except OSError:
        return None


def _attributes() -> Iterator[tuple[Path, bytes]]:
    """The attributes (`lsattr`) of files that submissions may read, where the file system has any."""
    import adkit

    for path in Path(adkit.__file__).parent.rglob("*.py"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            yield path, fcntl.ioctl(file, 0x80086601, bytes(8))


def _set_attributes(path: Path, flags: bytes) -> None:
    with path.open("rb") as file:
        fcntl.ioctl(file, 0x40086602, flags)


def _names(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
