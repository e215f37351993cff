"""`autograder collect`: from clones or a platform's download to a folder of submissions with stable names.

What is recognised, by its names:

- Gradescope, "Export submissions": `submission_metadata.yml` beside folders `submission_<number>/`;
- Moodle, "Download all submissions": `<Full Name>_<number>_assignsubmission_file_/…`, as folders or as files;
- Canvas, "Download submissions": `<lastnamefirstname>[_LATE]_<user>_<submission>_<file>`;
- clones (GitHub Classroom and others): one folder a student with `<assignment>.ipynb` somewhere in it;
- plain files: one a student.

The latest hand-in of a student counts: by the platform's time or number, else by the file's time. Of the files of one
hand-in the one that is called after the assignment. Nothing is
overwritten, no link is followed, and nothing of a submission is run (not even git, in a clone).
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from autograder.assignment import Limits
from autograder.engine.batch import stems_of
from autograder.engine.output import write_atomically
from autograder.report import roster
from autograder.report.roster import Student
from autograder.submission import EXTENSIONS, SubmissionError, read_bytes

_MOODLE = re.compile(r"^(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)$")
_CANVAS = re.compile(
    r"^(?P<name>[^_]+?)(?:_(?P<late>LATE))?_(?P<id>\d+)_(?P<submission>\d+)_(?P<file>.+)$", re.IGNORECASE
)
_RESUBMITTED = re.compile(r"-(\d+)$")
_SKIPPED = {"adkit", "tests", "__pycache__", "__MACOSX", "node_modules"}


class CollectError(Exception):
    """Nothing can be collected; the message says why."""


@dataclass(frozen=True)
class HandIn:
    """One file that somebody handed in."""

    path: Path
    person: str
    """Who, as the platform names them: what a stable name is made of."""
    student: Student
    order: tuple[float, ...]
    """Later hand-ins are larger."""
    submitted: str = ""
    """When, ISO 8601; empty when the platform does not say."""


@dataclass(frozen=True)
class Collected:
    """What was copied, by its new name, and what the instructor should know."""

    collected: dict[str, HandIn]
    notes: list[str] = field(default_factory=list[str])


def collect(source: Path, assignment: str, out: Path, roster_file: Path | None = None) -> Collected:
    """Copies the latest hand-in of each student into `out` and writes submissions.csv there."""
    if not source.is_dir():
        raise CollectError(f"{source} is no folder; unpack the download first")
    if out.resolve() == source.resolve():
        raise CollectError("the output must be another folder than the source")
    notes: list[str] = []
    found = [hand_in for hand_in in _hand_ins(source, assignment, notes) if out.resolve() not in hand_in.path.parents]
    latest = _latest(found, source, notes)
    if not latest:
        raise CollectError(f"there is no submission of {assignment} in {source}")
    if roster_file is not None:
        students = roster.rows(_read(roster_file), roster_file)
        latest = _joined(latest, students, notes)
        _compare(latest, students, notes)
    named = _named(latest)
    collected = _copy(named, out, notes)
    lines = [
        (*astuple(replace(hand_in.student, submitted=hand_in.submitted)), hand_in.path.name)
        for hand_in in collected.values()
    ]
    text = roster.table((*roster.COLUMNS, "source"), lines)
    write_atomically(out / roster.COLLECTED, text)
    return Collected(collected, notes)


# --- finding ----------------------------------------------------------------------------------


def _hand_ins(source: Path, assignment: str, notes: list[str]) -> Iterator[HandIn]:
    metadata = source / "submission_metadata.yml"
    if metadata.is_file():
        yield from _gradescope(source, metadata, assignment, notes)
        return
    for entry in sorted(source.iterdir()):
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        moodle = _MOODLE.match(entry.name)
        if entry.is_dir():
            path = _find(entry, assignment)
            if path is None:
                if entry.name not in _SKIPPED:
                    notes.append(f"no submission of {assignment} in the folder {entry.name}")
            elif moodle is not None:
                yield _moodle(path, moodle, assignment)
            else:
                student = Student(name=entry.name, login=entry.name)
                yield HandIn(path, entry.name, student, (_modified(path),))
        elif entry.suffix.lower() in EXTENSIONS:
            canvas = _CANVAS.match(entry.name)
            if moodle is not None:
                yield _moodle(entry, moodle, assignment)
            elif canvas is not None:
                yield _canvas(entry, canvas, assignment)
            else:
                yield HandIn(entry, entry.stem, Student(name=entry.stem), (_modified(entry),))


def _moodle(path: Path, match: re.Match[str], assignment: str) -> HandIn:
    # Not the ID number: what Moodle's grading worksheet calls the identifier, of this assignment only
    student = Student(id=f"{roster.PARTICIPANT}{match['id']}", name=match["name"].replace("_", " ").strip())
    order = (_fits(Path(match["file"]), assignment), _modified(path))
    return HandIn(path, f"{match['name']}-{match['id']}", student, order)


def _canvas(path: Path, match: re.Match[str], assignment: str) -> HandIn:
    file = Path(match["file"])
    again = _RESUBMITTED.search(file.stem)
    # A submission may be of several files: scratch beside the notebook, or the notebooks of two assignments
    order = (float(match["submission"]), _fits(file, assignment), float(again[1]) if again else 0.0, _modified(path))
    student = Student(id=match["id"], name=match["name"], login=match["name"])
    return HandIn(path, f"{match['name']}-{match['id']}", student, order)


def _gradescope(source: Path, metadata: Path, assignment: str, notes: list[str]) -> Iterator[HandIn]:
    yaml: Any = import_module("yaml")
    try:
        content: object = yaml.safe_load(_read(metadata))
    except yaml.YAMLError as error:
        raise CollectError(f"{metadata} is no valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise CollectError(f"{metadata} is not the metadata of a Gradescope export")
    for folder, described in cast(dict[object, Any], content).items():
        place = source / Path(str(folder)).name
        path = _find(place, assignment) if place.is_dir() and not place.is_symlink() else None
        if path is None:
            notes.append(f"no submission of {assignment} in the folder {place.name}")
            continue
        entry: dict[str, Any] = cast(dict[str, Any], described) if isinstance(described, dict) else {}
        created: Any = entry.get(":created_at")
        time = created if isinstance(created, datetime) else None
        if time is not None and time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        order = (time.timestamp() if time else _modified(path),)
        submitters: list[dict[str, Any]] = entry.get(":submitters") or [{}]
        for submitter in submitters:
            student = Student(
                id=str(submitter.get(":sid") or ""),
                name=str(submitter.get(":name") or place.name),
                email=str(submitter.get(":email") or ""),
            )
            person = f"{student.name}-{student.id or student.email}" if submitter else place.name
            yield HandIn(path, person.rstrip("-"), student, order, time.isoformat() if time else "")


def _find(folder: Path, assignment: str) -> Path | None:
    """The submission in a student's folder: named after the assignment, else the only one there is."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not name.startswith(".") and not os.path.islink(os.path.join(place, name))
        )
        found += [Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in EXTENSIONS]
        if len(found) > 10_000:
            return None
    found = [path for path in found if not path.name.startswith((".", "__"))]
    ranks = (
        [path for path in found if path.name == f"{assignment}.ipynb"],
        [path for path in found if _letters(assignment) in _letters(path.stem)],
        [path for path in found if path.suffix.lower() == ".ipynb"],
        found,
    )
    for rank, fitting in enumerate(ranks):
        if len(fitting) == 1 or (fitting and rank < 2):
            return max(fitting, key=lambda path: (-len(path.parts), _modified(path), path.name))
    return None


def _fits(file: Path, assignment: str) -> float:
    """How well a file's name says that it is a submission of the assignment."""
    named = _letters(assignment) in _letters(file.stem)
    return 2.0 * named + (file.suffix.lower() == ".ipynb")


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _modified(path: Path) -> float:
    return path.lstat().st_mtime


# --- choosing, naming, copying ----------------------------------------------------------------


def _latest(found: Sequence[HandIn], source: Path, notes: list[str]) -> list[HandIn]:
    by_person: dict[str, list[HandIn]] = {}
    for hand_in in found:
        by_person.setdefault(hand_in.person, []).append(hand_in)
    latest: list[HandIn] = []
    for person, hand_ins in sorted(by_person.items()):
        hand_ins.sort(key=lambda hand_in: (hand_in.order, hand_in.path.name))
        latest.append(hand_ins[-1])
        if len(hand_ins) > 1:
            notes.append(f"{person}: of {len(hand_ins)} files {hand_ins[-1].path.relative_to(source)} is taken")
    return latest


def _joined(latest: Sequence[HandIn], students: Sequence[Student], notes: list[str]) -> list[HandIn]:
    """The hand-ins with what the roster knows about who handed them in.

    What somebody may call themselves must not make them another: of several hand-ins that fit one student the one that
    fits best (by number, then by login, email, name) is the student's; if several fit as well, none is.
    """
    found = [_known(hand_in.student, students) for hand_in in latest]
    best: dict[int, int] = {}
    for rank, index in found:
        best[index] = min(rank, best.get(index, rank))
    taken = Counter(index for rank, index in found if rank == best[index])
    joined: list[HandIn] = []
    for hand_in, (rank, index) in zip(latest, found, strict=True):
        if index < 0:
            joined.append(hand_in)
        elif rank > best[index] or taken[index] > 1:
            known = students[index]
            notes.append(f"{hand_in.person} is not the only one who could be {known.name or known.login or known.id}")
            joined.append(hand_in)
        else:
            values = zip(astuple(hand_in.student), astuple(students[index]), strict=True)
            joined.append(replace(hand_in, student=Student(*(known or value for value, known in values))))
    return joined


def _known(student: Student, students: Sequence[Student]) -> tuple[int, int]:
    """Who of the roster a student is, by number, login, email, or name: (which of these, where); -1 for nobody."""
    keys: tuple[Callable[[Student], str], ...] = (
        lambda one: one.id,
        lambda one: one.login.lower(),
        lambda one: one.email.lower(),
        lambda one: roster.words(one.name),
    )
    for rank, key in enumerate(keys):
        fitting = [index for index, known in enumerate(students) if key(student) and key(known) == key(student)]
        if len(fitting) == 1:
            return rank, fitting[0]
    return len(keys), -1


def _compare(latest: Sequence[HandIn], students: Sequence[Student], notes: list[str]) -> None:
    present = {(hand_in.student.id, hand_in.student.name) for hand_in in latest}
    missing = [student.name or student.login or student.id for student in students]
    missing = [
        name
        for name, student in zip(missing, students, strict=True)
        if not any(
            (student.id and student.id == identity) or (student.name and student.name == name_there)
            for identity, name_there in present
        )
    ]
    if missing:
        notes.append(f"nothing from {len(missing)} of the roster: {', '.join(missing)}")
    known = {(student.id, student.name) for student in students}
    strangers = [
        hand_in.person
        for hand_in in latest
        if not any(
            (identity and identity == hand_in.student.id) or (name and name == hand_in.student.name)
            for identity, name in known
        )
    ]
    if strangers:
        notes.append(f"not in the roster: {', '.join(strangers)}")


def _named(latest: Sequence[HandIn]) -> dict[str, HandIn]:
    """Each hand-in by its new file name: who, and the kind of file. The same person always gets the same name."""
    stems = stems_of([hand_in.person for hand_in in latest], space="_")
    named: dict[str, HandIn] = {}
    for hand_in in latest:
        name = f"{stems[hand_in.person]}{hand_in.path.suffix.lower()}"
        named[name] = replace(hand_in, student=replace(hand_in.student, file=name))
    return named


def _copy(named: dict[str, HandIn], out: Path, notes: list[str]) -> dict[str, HandIn]:
    limits = Limits()
    contents: dict[str, bytes] = {}
    for name, hand_in in named.items():
        try:
            contents[name] = read_bytes(hand_in.path, limits)
        except SubmissionError as error:
            notes.append(f"not collected: {hand_in.path.name}: {error}")
    different = [
        name for name, content in contents.items() if os.path.lexists(out / name) and _existing(out / name) != content
    ]
    if different:
        raise CollectError(
            f"{out} holds earlier versions of {len(different)} submissions ({', '.join(different[:3])}); "
            "nothing is overwritten, collect into a new folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        if not (out / name).exists():
            with open(out / name, "xb") as file:
                file.write(content)
            modified = named[name].path.lstat().st_mtime
            os.utime(out / name, (modified, modified))
    return {name: named[name] for name in contents}


def _existing(path: Path) -> bytes | None:
    try:
        return read_bytes(path, Limits())
    except SubmissionError:
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CollectError(f"{path} cannot be read: {error}") from None
