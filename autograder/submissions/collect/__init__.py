"""`autograder collect`: from clones or a platform's download to a folder of submissions with stable names.

A download is a folder or a zip (`download`), read as data; whose a file is, is said by its name (`platforms`) or by
Gradescope's metadata (`gradescope`); of one student's files the one that fits the assignment's name best is taken, then
the newest (`choosing`). Every file gets one verdict: taken, left because a better one of the same student was taken or
because it is not a hand-in, or refused. Nothing is overwritten, no link is followed, and nothing of a submission is run
(not even git, in a clone).
"""

import io
import os
import re
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

from autograder.assignment import Limits
from autograder.names import kind_of
from autograder.records import roster
from autograder.records.roster import Claim, Student
from autograder.records.run import write_atomically
from autograder.submissions.batch import stems_of
from autograder.submissions.collect.choosing import EXACT, Choice, Piece, attempt, choose, fit, stem_of
from autograder.submissions.collect.download import CLUTTER_FOLDERS, HANDED_OUT_FOLDERS, DownloadError, Item, opened
from autograder.submissions.collect.gradescope import MAX_BYTES, NAME, MetadataError, Submission, submissions
from autograder.submissions.collect.platforms import MOODLE_FOLDER, platform_of, unnamed_owner
from autograder.submissions.read import SubmissionError, read_bytes

__all__ = ["VERDICTS", "CollectError", "Collected", "HandIn", "Row", "collect"]

VERDICTS = TAKEN, LEFT, REFUSED = "taken", "left", "refused"
_PACKED_BYTES = 200 * 1024**2
"""Of a zip in a download that is looked into, to see whether it is one itself."""
_LEVELS = 8
"""Folders round a download that are gone into."""
_LISTS = re.compile(r"\.(?:csv|tsv|xlsx?|ods|ya?ml|json)$", re.IGNORECASE)
"""Class lists, worksheets and metadata beside the hand-ins."""
_CLUTTER = re.compile(r"^(?:\..*|Thumbs\.db|desktop\.ini|Icon\r?)$", re.IGNORECASE)
_NOBODYS = "It is not known whose this is: it is not named as {} names a hand-in."

Say = Callable[[str], None]


class CollectError(Exception):
    """Nothing can be collected; the message says why."""


@dataclass(frozen=True)
class HandIn:
    """One student's submission."""

    person: str
    """Who, as the platform names them: what a stable name is made of."""
    student: Student
    source: str
    """Its path in the download, below the folder that has all hand-ins."""
    kind: str
    """The platform, or `plain` or `clone`, which state nothing about a student."""


@dataclass(frozen=True)
class Row:
    """What became of one file of the download."""

    file: str
    """Its path in the download; a folder's, which was not looked into and stands for all of it, ends with a slash."""
    verdict: str
    """taken, left or refused."""
    reason: str = ""
    student: str = ""
    """Whose it is, several for a group; empty for what is nobody's."""
    name: str = ""
    """What it is called now."""


@dataclass(frozen=True)
class Collected:
    """What was copied, by its new name, and what the instructor should know."""

    collected: dict[str, HandIn]
    notes: list[str] = field(default_factory=list[str])
    rows: tuple[Row, ...] = ()
    """Everything in the download, each file once."""
    empty_handed: tuple[str, ...] = ()
    """Students with files of whom none was taken."""
    nobodys: tuple[str, ...] = ()
    """Files that belong to nobody, or to nobody in the roster."""
    missing: tuple[Student, ...] = ()
    """Who in the roster has no file."""

    @property
    def complete(self) -> bool:
        """Whether every student with a file has one taken, and every file belongs to somebody."""
        return not self.empty_handed and not self.nobodys


def collect(
    source: Path,
    assignment: str,
    out: Path,
    roster_file: Path | None = None,
    limits: Limits | None = None,
    others: Collection[str] = (),
    *,
    say: Say = lambda line: None,
) -> Collected:
    """Copies the submission of each student into `out` and writes submissions.csv and collected.csv there.

    source: a folder or a zip. others: the course's other assignments. say: is handed lines of progress.
    Raises CollectError and RosterError.
    """
    limits = limits or Limits()
    if source.exists() and out.resolve() == source.resolve():
        raise CollectError("the output must be another folder than the source")
    students = roster.load(roster_file) if roster_file is not None else None
    try:
        with opened(source, out.absolute()) as items:
            found = _hand_ins(source, items, assignment, limits, say)
            chosen = [
                _Chosen(label, pieces, choose(pieces, assignment, others)) for label, pieces in found.people.items()
            ]
            if not chosen and not found.rows:
                raise CollectError(f"there is no submission of {assignment} in {source}")
            _refuse_folders_of_folders(chosen, source, found.root)
            with tempfile.TemporaryDirectory(prefix="collect-") as spool:
                return _write(chosen, found, students, assignment, out, limits, Path(spool))
    except (DownloadError, MetadataError) as error:
        raise CollectError(str(error)) from None


# --- whose is what ----------------------------------------------------------------------------


@dataclass
class _Found:
    """The download, sorted by whose a file is."""

    root: tuple[str, ...] = ()
    """The folder that has all hand-ins."""
    people: dict[str, list[Piece]] = field(default_factory=dict[str, list[Piece]])
    """By label."""
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    """What is nobody's, by the item's identity."""
    nobodys: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    items: Sequence[Item] = ()

    def left(self, item: Item, reason: str) -> None:
        self.rows[id(item)] = Row(item.path, LEFT, reason)

    def nobody(self, item: Item, reason: str) -> None:
        self.rows[id(item)] = Row(item.path, REFUSED, reason)
        self.nobodys.append(item.path)


@dataclass(frozen=True)
class _Chosen:
    label: str
    pieces: Sequence[Piece]
    choice: Choice

    @property
    def first(self) -> Piece:
        """The file to name where none is taken."""
        return max(self.pieces, key=lambda piece: (piece.usable, not piece.item.folder, piece.owner.order))


def _hand_ins(source: Path, items: Sequence[Item], assignment: str, limits: Limits, say: Say) -> _Found:
    _refuse_one_students(source, items, assignment)
    found = _Found(items=items)
    found.root = _root(items, assignment, source)
    depth = len(found.root)
    if depth:
        found.notes.append(f"the hand-ins are in the folder {'/'.join(found.root)}")
    entries: dict[str, list[Item]] = {}
    for item in items:
        if item.parts[:depth] != found.root or len(item.parts) == depth:
            if _is_none(item.name) or _LISTS.search(item.name):
                found.left(item, "It is beside the folder with the hand-ins, and is a list or a system's file.")
            else:
                found.nobody(item, "It is beside the folder with the hand-ins.")
            continue
        entries.setdefault(item.parts[depth], []).append(item)
    for name in [name for name in entries if _is_none(name) or name in HANDED_OUT_FOLDERS]:
        for item in entries.pop(name):
            found.left(item, "It belongs to a system or to the handed-out repository, and is not a hand-in.")
    _refuse_packed_download(entries, source, found.root)
    people: dict[str, list[Piece]] = {}
    metadata = next((item for item in entries.get(NAME, ()) if len(item.parts) == depth + 1), None)
    if metadata is not None:
        _of_gradescope(metadata, entries, depth, found, people, say)
    else:
        _of_names(entries, depth, found, people)
    labels = Counter(pieces[0].owner.label for pieces in people.values())
    for key, pieces in sorted(people.items()):
        latest = max(pieces, key=lambda piece: piece.owner.order)
        label = latest.owner.label
        found.people[label if labels[pieces[0].owner.label] == 1 and label not in found.people else key] = pieces
    return found


def _of_names(entries: dict[str, list[Item]], depth: int, found: _Found, people: dict[str, list[Piece]]) -> None:
    folders = {
        name for name, items in entries.items() if any(len(item.parts) > depth + 1 or item.folder for item in items)
    }
    lists = {name for name in entries if name not in folders and _LISTS.search(name) and not kind_of(name)}
    for name in lists:
        for item in entries[name]:
            found.left(item, "It is a list beside the hand-ins.")
    names = [name for name in entries if name not in lists]
    platform = platform_of(names, folders)
    if platform is not None and platform[0].unzoned:
        found.notes.append(f"{platform[0].name.capitalize()}'s times have no zone: they are read as this machine's")
    for name in names:
        owner = platform[0].recognise(name, platform[1]) if platform is not None else None
        if platform is None:
            owner = unnamed_owner(name, stem_of(name), name in folders)
        for item in entries[name]:
            if owner is not None:
                inside = item.parts[depth + 1 :] or ((owner.file or name),)
                people.setdefault(owner.key, []).append(Piece(item, owner, inside))
            elif platform is not None and platform[0].lists is not None and platform[0].lists.match(name):
                found.left(item, "It is the platform's own list.")
            else:
                found.nobody(item, _NOBODYS.format(platform[0].name.capitalize() if platform else "nobody"))


def _of_gradescope(
    metadata: Item,
    entries: dict[str, list[Item]],
    depth: int,
    found: _Found,
    people: dict[str, list[Piece]],
    say: Say,
) -> None:
    try:
        named: dict[str, Submission] = submissions(metadata.read(replace(Limits(), submission_bytes=MAX_BYTES)), say)
    except SubmissionError as error:
        raise MetadataError(f"{metadata.path} cannot be read: {error}") from None
    found.left(metadata, "It says who handed in what.")
    for name, items in entries.items():
        for item in items:
            if item is metadata:
                continue
            if name not in named and len(item.parts) == depth + 1 and _LISTS.search(name):
                found.left(item, "It is a list beside the hand-ins.")
            elif name not in named:
                found.nobody(item, f"It is not known whose this is: {NAME} does not name it.")
            for owner in named[name].owners if name in named else ():
                people.setdefault(owner.key, []).append(Piece(item, owner, item.parts[depth + 1 :]))
    for name, submission in named.items():
        if name not in entries:
            # Only in the metadata: somebody handed in, and the download has nothing of it
            item = Item((*found.root, name), _gone, folder=True, problem=f"{NAME} names it, and the download lacks it.")
            found.items = [*found.items, item]
            for owner in submission.owners:
                people.setdefault(owner.key, []).append(Piece(item, owner, (name,)))


def _gone(_limits: Limits) -> bytes:
    raise SubmissionError("The download does not have this file.")


def _is_none(name: str) -> bool:
    return bool(_CLUTTER.match(name)) or name in CLUTTER_FOLDERS


# --- which folder has the hand-ins ------------------------------------------------------------


def _refuse_one_students(source: Path, items: Sequence[Item], assignment: str) -> None:
    """One student's folder instead of the class's: what is in it would become a student each."""
    here = source.absolute()
    one = here.parent / NAME
    if (one.is_file() and here.name.startswith("submission_")) or MOODLE_FOLDER.match(here.name):
        raise CollectError(f"{source} is the folder of one hand-in; give the one that has all of them: {here.parent}")
    tops = {item.parts[0] for item in items}
    if tops & {".git", "adkit"} and f"{assignment}.ipynb" in tops:
        raise CollectError(f"{source} is one student's repository; give the folder that has all of them")


def _root(items: Sequence[Item], assignment: str, source: Path) -> tuple[str, ...]:
    """The folder that has the hand-ins: the download itself, or one in it where that is beyond doubt."""
    root: tuple[str, ...] = ()
    for _ in range(_LEVELS):
        folders, files = _level(items, root)
        if NAME in files or platform_of([*folders, *files], folders) is not None:
            return root
        inside: dict[str, list[Item]] = {}
        for item in items:
            if len(item.parts) > len(root):
                inside.setdefault(item.parts[len(root)], []).append(item)
        containers = [name for name in folders if _is_download(inside[name], (*root, name))]
        if len(containers) > 1 and len(containers) == len(folders):
            shown = ", ".join(containers[:3])
            place = source.joinpath(*root, containers[0])
            raise CollectError(
                f"{source} holds {len(containers)} downloads ({shown}); collect each by itself, beginning with {place}"
            )
        if len(folders) == 1 and not files and (containers or _holds_several(items, (*root, folders[0]), assignment)):
            root = (*root, folders[0])
            items = inside[folders[0]]
        else:
            return root
    return root


def _level(items: Sequence[Item], root: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Folders and files in a folder that may be or hold hand-ins; Gradescope's metadata too."""
    depth = len(root)
    folders: dict[str, None] = {}
    files: dict[str, None] = {}
    for item in items:
        if len(item.parts) <= depth or item.parts[:depth] != root or _is_none(item.parts[depth]):
            continue
        if len(item.parts) > depth + 1 or item.folder:
            folders[item.parts[depth]] = None
        elif item.name == NAME or kind_of(item.name) or not _LISTS.search(item.name):
            files[item.name] = None
    return [name for name in folders if name not in HANDED_OUT_FOLDERS], list(files)


def _is_download(items: Sequence[Item], folder: tuple[str, ...], depth: int = 0) -> bool:
    """Whether a folder is one that a platform made, by what it holds; perhaps in another one."""
    folders, files = _level(items, folder)
    if NAME in files or platform_of([*folders, *files], folders) is not None:
        return True
    return depth < _LEVELS and len(folders) == 1 and not files and _is_download(items, (*folder, folders[0]), depth + 1)


def _holds_several(items: Sequence[Item], folder: tuple[str, ...], assignment: str) -> bool:
    """Whether the only folder of a download holds hand-ins of several students, and is not one student's."""
    below = [item for item in items if item.parts[: len(folder)] == folder and len(item.parts) > len(folder)]
    notebooks = [item for item in below if kind_of(item.name) in (".ipynb", ".zip")]
    direct = [item for item in notebooks if len(item.parts) == len(folder) + 1]
    if any(fit(item.name, assignment) == EXACT for item in direct):
        return False
    of_folders = {item.parts[len(folder)] for item in notebooks if len(item.parts) > len(folder) + 1}
    folders, files = _level(items, folder)
    nested = len(folders) == 1 and not files and len(folder) < _LEVELS
    nested = nested and _holds_several(below, (*folder, folders[0]), assignment)
    return len(direct) > 1 or len(of_folders) > 1 or nested


def _refuse_packed_download(entries: dict[str, list[Item]], source: Path, root: tuple[str, ...]) -> None:
    """A folder with the platform's zip in it: the zip would pass for one student's export."""
    if len(entries) > 3:
        return
    for name, (item, *others) in entries.items():
        if others or item.folder or kind_of(name) != ".zip" or platform_of([name]) is not None:
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(item.read(Limits(submission_bytes=_PACKED_BYTES)))) as archive:
                parts = [tuple(info.filename.split("/")) for info in archive.infolist()[:10_000] if not info.is_dir()]
        except (SubmissionError, zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError):
            continue
        inner = [Item(path, item.read) for path in parts]
        tops = {path[0] for path in parts}
        one_folder = len(tops) == 1 and all(len(path) > 1 for path in parts)
        if len(parts) > 1 and (_is_download(inner, ()) or (one_folder and _is_download(inner, (next(iter(tops)),)))):
            raise CollectError(f"{name} is itself a download; give it: {source.joinpath(*root, name)}")


def _refuse_folders_of_folders(chosen: Sequence[_Chosen], source: Path, root: tuple[str, ...]) -> None:
    several = [one for one in chosen if one.choice.several and one.pieces[0].owner.kind == roster.CLONE]
    if several and 2 * len(several) >= len(chosen):
        place = source.joinpath(*root, several[0].label)
        raise CollectError(
            f"{len(several)} folders in {source.joinpath(*root)} hold folders that each have a submission: if these "
            f"are the students', collect each by itself, beginning with {place}"
        )


# --- naming, copying, accounting --------------------------------------------------------------


def _write(
    chosen: Sequence[_Chosen],
    found: _Found,
    students: roster.Roster | None,
    assignment: str,
    out: Path,
    limits: Limits,
    spool: Path,
) -> Collected:
    notes = list(found.notes)
    with_files = [one for one in chosen if one.choice.taken is not None or one.choice.problem]
    stems = stems_of([one.label for one in with_files], space="_")
    contents: dict[str, Path] = {}
    problems: dict[str, str] = {}
    names: dict[str, str] = {}
    for number, one in enumerate(with_files):
        taken = one.choice.taken
        problem = one.choice.problem
        content = b""
        if taken is not None:
            try:
                if taken.item.problem:
                    raise SubmissionError(taken.item.problem)
                content = taken.item.read(limits)
            except SubmissionError as error:
                problem = f"The hand-in is '{taken.name}'. {error}"
        shown = taken or one.first
        name = stems[one.label] + (kind_of(shown.name) or _ending(shown))
        names[one.label] = name
        if problem:
            problems[name] = problem
        else:
            contents[name] = spool / str(number)
            contents[name].write_bytes(content)
            if taken is not None:
                os.utime(contents[name], (taken.item.modified, taken.item.modified))
    owners = _owners(with_files, names, students, assignment, len(found.root))
    _copy(contents, out)
    rows = _rows(chosen, found, names, problems)
    collected = {name: hand_in for name, hand_in in owners.hand_ins.items() if name in contents}
    _write_tables(owners.hand_ins, problems, rows, out)
    for one in chosen:
        notes += _said(one, assignment, names, problems)
    notes += [f"belongs to nobody: {path}" for path in found.nobodys]
    notes += owners.notes
    empty_handed = tuple(one.label for one in with_files if names[one.label] in problems)
    return Collected(collected, notes, rows, empty_handed, (*found.nobodys, *owners.strangers), owners.missing)


@dataclass(frozen=True)
class _Owners:
    hand_ins: dict[str, HandIn]
    strangers: tuple[str, ...] = ()
    missing: tuple[Student, ...] = ()
    notes: tuple[str, ...] = ()


def _owners(
    with_files: Sequence[_Chosen],
    names: dict[str, str],
    students: roster.Roster | None,
    assignment: str,
    depth: int,
) -> _Owners:
    """Who handed in what, with what the roster knows about them."""
    hand_ins: dict[str, HandIn] = {}
    claims: list[Claim] = []
    for one in with_files:
        piece = one.choice.taken or one.first
        owner = piece.owner
        name = names[one.label]
        student = replace(owner.student, file=name, attempt=owner.student.attempt or attempt(piece))
        hand_ins[name] = HandIn(one.label, student, "/".join(piece.item.parts[depth:]), owner.kind)
        claims.append(roster.claim(name, student, owner.kind, one.label))
    if students is None:
        return _Owners(hand_ins)
    known = list(students.students)
    matches = roster.match(claims, known, assignment)
    strangers: list[str] = []
    for (name, hand_in), index in zip(list(hand_ins.items()), matches.owners, strict=True):
        if index is None:
            strangers.append(hand_in.person)
        else:
            hand_ins[name] = replace(hand_in, student=replace(roster.joined(hand_in.student, known[index]), file=name))
    missing = matches.missing(known)
    notes = [*students.notes, *matches.notes]
    if missing:
        notes.append(f"nothing from {len(missing)} of the roster: {', '.join(student.shown for student in missing)}")
    if strangers:
        notes.append(f"not in the roster: {', '.join(strangers)}")
    return _Owners(hand_ins, tuple(strangers), tuple(missing), tuple(notes))


def _rows(chosen: Sequence[_Chosen], found: _Found, names: dict[str, str], problems: dict[str, str]) -> tuple[Row, ...]:
    """One row for each item; an item of a group is taken when it is taken for one of them."""
    rank = {TAKEN: 0, REFUSED: 1, LEFT: 2}
    rows: dict[int, Row] = dict(found.rows)
    for one in chosen:
        name = names.get(one.label, "")
        problem = problems.get(name, "")
        for piece, reason in zip(one.pieces, one.choice.reasons, strict=True):
            if piece is one.choice.taken:
                row = Row(piece.item.path, *((REFUSED, problem) if problem else (TAKEN, "")), one.label, name)
            elif problem and not (piece.item.folder and not piece.item.problem):
                row = Row(piece.item.path, REFUSED, reason, one.label)
            else:
                row = Row(piece.item.path, LEFT, reason, one.label)
            there = rows.get(id(piece.item))
            if there is not None:
                first, second = sorted((there, row), key=lambda row: rank[row.verdict])
                same = first.verdict == second.verdict
                row = replace(
                    first,
                    student=f"{there.student}; {row.student}",
                    name="; ".join(filter(None, (there.name, row.name))) if same else first.name,
                )
            rows[id(piece.item)] = row
    unaccounted = [item.path for item in found.items if id(item) not in rows]
    assert not unaccounted, unaccounted
    order = {REFUSED: 0, TAKEN: 1, LEFT: 2}
    return tuple(sorted((rows[id(item)] for item in found.items), key=lambda row: (order[row.verdict], row.file)))


def _said(one: _Chosen, assignment: str, names: dict[str, str], problems: dict[str, str]) -> list[str]:
    """What the terminal says about one student."""
    owner = one.pieces[0].owner
    taken = one.choice.taken
    problem = problems.get(names.get(one.label, ""), "")
    in_folder = not owner.file
    if taken is None and in_folder:
        return [f"no submission of {assignment} in the folder {one.label}{': ' + problem if problem else ''}"]
    if problem:
        paths = ", ".join(piece.item.path for piece in one.pieces[:3]) if taken is None else taken.item.path
        return [f"not collected: {paths}: {problem}"]
    usable = [piece for piece in one.pieces if piece.usable]
    if taken is not None and len(usable) > 1 and not (in_folder and fit(taken.name, assignment) == EXACT):
        return [f"{one.label}: of {len(usable)} files {taken.item.path} is taken"]
    return []


def _ending(piece: Piece) -> str:
    suffix = Path(piece.name).suffix.lower()
    return suffix if re.fullmatch(r"\.\w{1,10}", suffix) else ".txt" if piece.owner.text else ""


def _write_tables(hand_ins: dict[str, HandIn], problems: dict[str, str], rows: Sequence[Row], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    lines = [
        (*astuple(hand_in.student), hand_in.kind, hand_in.source, problems.get(name, ""))
        for name, hand_in in hand_ins.items()
    ]
    text = roster.table((*roster.COLUMNS, "kind", "source", "problem"), lines)
    write_atomically(out / roster.COLLECTED, text)
    text = roster.table(("file", "verdict", "reason", "student", "name"), [astuple(row) for row in rows])
    write_atomically(out / roster.ACCOUNT, text)


def _copy(contents: dict[str, Path], out: Path) -> None:
    different = [name for name, path in contents.items() if os.path.lexists(out / name) and not _same(out / name, path)]
    if different:
        raise CollectError(
            f"{out} holds earlier versions of {len(different)} submissions ({', '.join(different[:3])}); "
            "nothing is overwritten, collect into a new folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, path in contents.items():
        if not (out / name).exists():
            with open(out / name, "xb") as file:
                file.write(path.read_bytes())
            shutil.copystat(path, out / name)


def _same(there: Path, spooled: Path) -> bool:
    """Whether a file is there with the content that would be written."""
    content = spooled.read_bytes()
    try:
        return read_bytes(there, Limits(submission_bytes=len(content))) == content
    except SubmissionError:
        return False
