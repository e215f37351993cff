"""Downloads as platforms write them, of a class of 30 who hand in as people do; with what is right for each.

`simulated(platform, folder)` writes `folder/download.zip` and `folder/roster.csv` and returns what must come of them.
The people are invented. Each stands for a kind of hand-in that some grader or platform has lost.
"""

import io
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from courses import notebook

from autograder.assignment import Limits
from autograder.records.roster import Student, table

ASSIGNMENT = "matrix_gradients"
OTHERS = ("ad_modes", "checkpointing", ASSIGNMENT)
LIMITS = Limits(submission_bytes=30_000)
"""Small, so that a hand-in that is too large is no burden."""
PLATFORMS = ("canvas", "moodle", "moodle-flat", "gradescope", "classroom", "plain")
NESTED = 1500
"""Folders inside each other in one hand-in."""

_NAMES = """Jane Doe;Eric Roe;Pat Poe;Linda Low;Kim Koe;Max Moe;Ed Webb;Ann O'Brien;Tom Hale;Sue Grey;Jo van der Berg
Rita Lund;Nils Østergård;Łukasz Wójcik;Zoë Kravitz;José Núñez;Mei Lin;Sam Twin;Sam Twin;Änne Müller;Chloé Durand
Deep Nest;Lea Link;Ida Idle;Ray Name;Two Books;Una Umlaut;Vic Vale;Wes Team;Xia Team"""
TWINS = (17, 18)
DEEP, LINK, IDLE = 21, 22, 23


@dataclass(frozen=True)
class File:
    """One file of a hand-in, as the student named it."""

    name: str
    content: bytes
    text: bool = False
    """Typed on the platform."""
    link: bool = False


@dataclass(frozen=True)
class HandedIn:
    """What one student handed in, and what is right."""

    student: Student
    files: tuple[File, ...]
    late: bool = False
    taken: int | None = 0
    """Which of the files; None when nothing can be taken."""


@dataclass(frozen=True)
class Expected:
    """What must come of a download."""

    platform: str
    download: Path
    roster: Path
    students: tuple[Student, ...]
    """All of the class list."""
    taken: dict[str, bytes]
    """By the student's own number: the content that is graded."""
    refused: frozenset[str]
    """Students with files of whom none can be taken."""
    missing: frozenset[str]
    """Students who handed in nothing."""
    late: frozenset[str]
    """Whom the platform marks as late."""
    platforms: dict[str, str] = field(default_factory=dict[str, str])
    """The platform's own number by the student's own, where it is in the download."""
    submitted: dict[str, str] = field(default_factory=dict[str, str])
    """ISO 8601, where the platform says it."""
    entries: tuple[str, ...] = ()
    """Every file of the download."""


def people() -> list[Student]:
    """The class: two share a name, others have accents in both normal forms."""
    names = [name for line in _NAMES.splitlines() for name in line.split(";")]
    found: list[Student] = []
    for index, name in enumerate(names):
        login = f"{''.join(filter(str.isalpha, name.split()[-1])).lower()[:6]}{index}"
        login = unicodedata.normalize("NFKD", login).encode("ascii", "ignore").decode()
        name = unicodedata.normalize("NFD", name) if index % 2 else name
        found.append(Student("", f"s{4000 + index}", name, f"{login}@example.edu", login, "A", str(100_700 + index)))
    return found


def class_of() -> list[HandedIn]:
    """What each of them hands in."""
    students = people()

    def own(index: int, mark: str = "own", name: str = f"{ASSIGNMENT}.ipynb") -> File:
        return File(name, notebook(f"# {mark} work of number {index}").encode())

    def other(index: int, name: str, content: bytes = b"x = 1\n") -> File:
        return File(name, content)

    kinds: dict[int, HandedIn] = {
        1: HandedIn(students[1], (own(1), own(1, "scratch", "scratch.ipynb"))),
        2: HandedIn(students[2], (own(2), other(2, "helpers.py"))),
        3: HandedIn(students[3], (own(3, name=f"{ASSIGNMENT}.ipynb.txt"),), late=True),
        4: HandedIn(students[4], (own(4, name=f"{ASSIGNMENT}.ipynb.json"),)),
        5: HandedIn(students[5], (other(5, f"{ASSIGNMENT}.html", b"<html>"),), taken=None),
        6: HandedIn(students[6], (other(6, f"{ASSIGNMENT}.pdf", b"%PDF-1.4"),), taken=None),
        7: HandedIn(students[7], (other(7, f"{ASSIGNMENT}.tar.gz", b"\x1f\x8b"),), taken=None),
        8: HandedIn(students[8], (File("text.html", b"<p>I could not upload it.</p>", text=True),), taken=None),
        9: HandedIn(students[9], (own(9, "first"), own(9, "second", f"{ASSIGNMENT}-1.ipynb")), taken=1),
        10: HandedIn(students[10], (File(f"{ASSIGNMENT}_2026_01_31T12_00_00_000000.zip", _export(10)),)),
        11: HandedIn(students[11], (File(f"{ASSIGNMENT}.ipynb", b"[" * (LIMITS.submission_bytes + 1)),), taken=None),
        12: HandedIn(students[12], (File(f"{ASSIGNMENT}.ipynb", b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n"),)),
        13: HandedIn(students[13], (File(f"{ASSIGNMENT}.ipynb", b"<!DOCTYPE html><title>Sign in</title>"),)),
        14: HandedIn(students[14], (File(f"{ASSIGNMENT}.py", b"# a script of number 14\n"),)),
        15: HandedIn(students[15], (own(15, name=f"{ASSIGNMENT} (1).ipynb"),)),
        16: HandedIn(students[16], (own(16),), late=True),
        LINK: HandedIn(students[LINK], (File(f"{ASSIGNMENT}.ipynb", b"/etc/passwd", link=True),), taken=None),
        IDLE: HandedIn(students[IDLE], (), taken=None),
        24: HandedIn(students[24], (own(24, name="final version of Ray.ipynb"),)),
        25: HandedIn(students[25], (own(25), own(25, "of another assignment", "ad_modes.ipynb"))),
    }
    return [kinds.get(index, HandedIn(student, (own(index),))) for index, student in enumerate(students)]


def simulated(platform: str, folder: Path) -> Expected:
    """Writes the download of `platform` and the class list into `folder`; what must come of them."""
    folder.mkdir(parents=True, exist_ok=True)
    handed_in = class_of()
    if platform == "plain":  # one file each, named by its owner
        handed_in = [
            one if one.taken is None else HandedIn(one.student, (one.files[one.taken],), one.late) for one in handed_in
        ]
    write = {
        "canvas": _canvas,
        "moodle": _moodle,
        "moodle-flat": _moodle_flat,
        "gradescope": _gradescope,
        "classroom": _classroom,
        "plain": _plain,
    }[platform]
    download = folder / "download.zip"
    entries: list[str] = []
    with zipfile.ZipFile(download, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, link in write(handed_in):
            info = zipfile.ZipInfo(name, (2026, 1, 31, 12, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if link:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
            entries.append(name)
    number = {"canvas": "{}", "moodle": "Participant {}", "moodle-flat": "Participant {}"}.get(platform, "")
    students = tuple(one.student for one in handed_in)
    roster = folder / "roster.csv"
    _write_roster(platform, students, roster)
    taken = {one.student.id: one.files[one.taken].content for one in handed_in if one.taken is not None}
    if platform == "gradescope":  # a group's hand-in
        taken[students[29].id] = taken[students[28].id]
    return Expected(
        platform,
        download,
        roster,
        students,
        taken,
        frozenset(one.student.id for one in handed_in if one.files and one.taken is None),
        frozenset({students[IDLE].id}),
        frozenset(one.student.id for one in handed_in if one.late) if platform == "canvas" else frozenset(),
        {one.student.id: number.format(one.student.platform) for one in handed_in if number and one.files},
        {students[index].id: _time(index) for index in range(30) if index != IDLE} if platform == "gradescope" else {},
        tuple(entries),
    )


def _write_roster(platform: str, students: tuple[Student, ...], path: Path) -> None:
    """The list as the platform's instructors have it: own headings, own code page."""
    if platform == "canvas":
        lines = [(one.name, one.platform, one.id, one.login, one.section) for one in students]
        path.write_text(
            table(("Student", "ID", "SIS User ID", "SIS Login ID", "Section"), [("    Points Possible",), *lines]),
            "utf-8",
        )
    elif platform.startswith("moodle"):  # a German site's grading worksheet, with a column for the number
        lines = [(f"Teilnehmer/in{one.platform}", one.name, one.email, one.id, "") for one in students]
        head = ("ID", "Vollständiger Name", "E-Mail-Adresse", "ID-Nummer", "Bewertung")
        path.write_bytes(table(head, lines).encode("utf-8-sig"))
    elif platform == "classroom":
        lines = [(one.id, one.login, one.platform, one.name) for one in students]
        path.write_text(table(("identifier", "github_username", "github_id", "name"), lines), "utf-8")
    else:  # a spreadsheet's: semicolons, two columns for the name, UTF-16
        head = "sep=;\r\nMatrikelnummer;Vorname;Nachname;E-Mail;Benutzername\r\n"
        lines = [";".join((one.id, *one.name.split(" ", 1), one.email, one.login)) for one in students]
        path.write_bytes((head + "\r\n".join(lines) + "\r\n").encode("utf-16"))


Entry = tuple[str, bytes, bool]


def _canvas(handed_in: list[HandedIn]) -> Iterator[Entry]:
    number = 9_000_000
    for one in handed_in:
        bare = unicodedata.normalize("NFKD", " ".join(reversed(one.student.name.split(" ", 1))))
        person = "".join(filter(str.isalnum, bare.encode("ascii", "ignore").decode())).lower()
        late = "_LATE" if one.late else ""
        for file in one.files:
            number += 1
            middle = "" if file.text else f"_{number}"
            yield f"{person}{late}_{one.student.platform}{middle}_{file.name}", file.content, file.link


def _moodle(handed_in: list[HandedIn]) -> Iterator[Entry]:
    yield "Bewertungen-matrix_gradients.csv", b"ID,Name\n", False
    for index, one in enumerate(handed_in):
        folder = ""
        for file in one.files:
            plugin, name = ("onlinetext", "onlinetext.html") if file.text else ("file", file.name)
            folder = f"{one.student.name}_{one.student.platform}_assignsubmission_{plugin}_"
            yield f"{folder}/{name}", file.content, file.link
        if index == DEEP:
            yield f"{folder}/{'a/' * NESTED}deep.ipynb", b"{}", False


def _moodle_flat(handed_in: list[HandedIn]) -> Iterator[Entry]:
    for one in handed_in:
        for file in one.files:
            plugin, name = ("onlinetext", "onlinetext.html") if file.text else ("file", file.name)
            yield f"{one.student.name}_{one.student.platform}_assignsubmission_{plugin}_{name}", file.content, file.link


def _gradescope(handed_in: list[HandedIn]) -> Iterator[Entry]:
    top = "assignment_77_export"
    lines: list[str] = []
    for index, one in enumerate(handed_in):
        if not one.files or index == 29:
            continue
        group = handed_in[28:30] if index == 28 else [one]
        lines += [f"submission_{index}:", "  :submitters:"]
        for member in group:
            student = member.student
            lines += [f'  - :name: "{student.name}"', f"    :sid: '{student.id}'", f"    :email: {student.email}"]
        lines.append(f"  :created_at: {_time(28 if index == 29 else index).replace('T', ' ').replace('+00:00', ' Z')}")
        for file in one.files:
            yield f"{top}/submission_{index}/{file.name}", file.content, file.link
        if index == DEEP:
            yield f"{top}/submission_{index}/{'a/' * NESTED}deep.ipynb", b"{}", False
    yield f"{top}/submission_metadata.yml", "\n".join(lines).encode(), False


def _classroom(handed_in: list[HandedIn]) -> Iterator[Entry]:
    for index, one in enumerate(handed_in):
        clone = f"hw-1-submissions/hw-1-{one.student.login}"
        for file in one.files:
            yield f"{clone}/{file.name}", file.content, file.link
        if one.files:
            yield f"{clone}/README.md", b"# Homework 1", False
            yield f"{clone}/check.py", b"print()", False
            yield f"{clone}/adkit/graph.py", b"x = 1", False
            yield f"{clone}/tests/{ASSIGNMENT}/q1.py", b"x = 1", False
            yield f"{clone}/.git/HEAD", b"ref: refs/heads/main", False
        if index == DEEP:
            yield f"{clone}/{'a/' * NESTED}deep.ipynb", b"{}", False


def _plain(handed_in: list[HandedIn]) -> Iterator[Entry]:
    yield "Mailanhang/.DS_Store", b"\0", False
    yield "__MACOSX/Mailanhang/._x.ipynb", b"\0", False
    for index, one in enumerate(handed_in):
        student = one.student
        names = [student.login, student.id, student.email, f"{student.login}_{ASSIGNMENT}", student.name]
        name = student.login if index in TWINS else names[index % len(names)]
        for file in one.files:
            ending = file.name[file.name.index(".") :]
            yield f"Mailanhang/{name}{ending}", file.content, file.link


def _time(index: int) -> str:
    # Number 29 hands in with number 28
    return f"2026-01-{min(index, 28) + 1:02d}T02:52:07+00:00"


def _export(index: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{ASSIGNMENT}.ipynb", notebook(f"# exported by number {index}"))
    return content.getvalue()
