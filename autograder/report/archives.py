"""Feedback in deliverable form: archives for Moodle and Canvas, a mailbox, and a file for each cloned repository.

Sources. Moodle, "Using Assignment" ("Upload multiple feedback files in a zip"): the archive has the folders of the
download, `Full Name_1001_assignsubmission_file_`; observed of Moodle 4.5: the number behind the first `_` says whose a
folder is, and what is below it becomes a feedback file under its own name. Canvas, Instructor Guide, "How do I upload
all student submissions for an assignment?": files keep the names of the download; observed: the first two numbers in a
name, the user's and the file's own, say whose it is, and the student sees it under the name of what they handed in, so
it has to be of that kind (a notebook for a notebook). Untried on live platforms.

Nothing here sends anything.
"""

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.generator import BytesGenerator
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path

from autograder.late import moment
from autograder.records import inputs
from autograder.records.final import Final
from autograder.records.inputs import Source
from autograder.records.journal import Record
from autograder.records.people import participant
from autograder.records.roster import CLONE, Student
from autograder.records.run import Run, write_atomically, write_bytes_atomically
from autograder.report.text_feedback import markdown_feedback, plain_feedback
from autograder.submissions.collect.platforms import canvas_feedback, moodle_feedback
from autograder.text import file_stem, printable

MOODLE, CANVAS, MAIL, REPOSITORIES = "moodle_feedback.zip", "canvas_feedback.zip", "mail.mbox", "repositories"
REPOSITORY_FILE = "FEEDBACK.md"
SENDER = "Instructor <instructor@example.invalid>"
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)


@dataclass
class Archives:
    """What is collected in one pass over the journal."""

    out: Path
    run: Run
    students: Mapping[str, Student]
    moodle: dict[str, str] = field(default_factory=dict[str, str])
    canvas: dict[str, bytes] = field(default_factory=dict[str, bytes])
    mail: list[bytes] = field(default_factory=list[bytes])
    repositories: dict[str, str] = field(default_factory=dict[str, str])
    unreachable: int = 0

    def __post_init__(self) -> None:
        self.sources = inputs.read_sources(self.out)

    def add(self, record: Record, final: Final, page: str) -> None:
        """Adds a submission's feedback for every channel that reaches its student. page: the one in feedback/."""
        student = self.students.get(record.name) or Student(file=record.name)
        source = self.sources.get(record.name, Source())
        reached = False
        folder = _moodle_folder(student, source)
        if folder:
            name = "feedback.html" if f"{folder}/feedback.html" not in self.moodle else f"feedback-{record.stem}.html"
            self.moodle[f"{folder}/{name}"] = page
            reached = True
        canvas = _canvas_name(student, source)
        if canvas and canvas not in self.canvas:
            self.canvas[canvas] = _of_kind(canvas, record, final, self.run, page)
            reached = True
        if _ADDRESS.fullmatch(student.email) and len(student.email) < 250:
            with suppress(ValueError, HeaderParseError):  # an address that only looks like one
                self.mail.append(self._message(record, final, student, page))
                reached = True
        cloned = source.kind == CLONE or (not source.kind and not folder and not canvas and not student.platform)
        if student.login and cloned:
            self.repositories[file_stem(student.login)] = markdown_feedback(
                record.result, self.run.title, final, self.run
            )
            reached = True
        self.unreachable += not reached

    def write(self) -> list[str]:
        """Writes the archives into lms/ and removes stale ones; returns notes for the instructor."""
        folder = self.out / "lms"
        _write_or_remove(folder / MOODLE, _zip({name: page.encode() for name, page in self.moodle.items()}))
        _write_or_remove(folder / CANVAS, _zip(self.canvas))
        _write_or_remove(folder / MAIL, b"".join(self.mail))
        place = folder / REPOSITORIES
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        for name, text in self.repositories.items():
            write_atomically(place / name / REPOSITORY_FILE, text)
        everyone = len(self.students)
        return (
            [f"feedback of {self.unreachable} submissions cannot be delivered: see lms/README.txt"]
            if (everyone and self.unreachable)
            else []
        )

    def _message(self, record: Record, final: Final, student: Student, page: str) -> bytes:
        time = moment(self.run.started) or datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        message = EmailMessage(policy=policy.SMTP.clone(linesep="\n", max_line_length=78))
        local, _, domain = student.email.rpartition("@")
        message["To"] = Address(_header(student.name), local, domain)
        message["From"] = _sender(self.run.mail_from or SENDER)
        message["Subject"] = _header(f"Feedback: {self.run.title}")
        message["Date"] = format_datetime(time)
        message.set_content(plain_feedback(record.result, self.run.title, final, self.run))
        message.add_attachment(page, subtype="html", filename="feedback.html")
        digest = hashlib.sha256(page.encode() + student.email.encode()).hexdigest()
        message.set_boundary(f"autograder-{digest[:32]}")
        content = io.BytesIO()
        BytesGenerator(content, mangle_from_=True, policy=message.policy).flatten(message)
        return f"From autograder {time.strftime('%a %b %d %H:%M:%S %Y')}\n".encode() + content.getvalue() + b"\n"


def sender_is_usable(text: str) -> bool:
    """Whether a text can be the sender of a mail: an address, or a name and an address."""
    return "\n" not in text and bool(_ADDRESS.fullmatch(parseaddr(text)[1]))


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    return Address(_header(name), local, domain)


def _header(text: str) -> str:
    return printable(text, 120, lines=False, unseen=True)


def _moodle_folder(student: Student, source: Source) -> str:
    number = participant(student)
    if not number or source.kind not in ("", "moodle"):
        return ""
    folder, owner = moodle_feedback(source.name)
    if owner == number and _is_usual(folder):
        return folder
    name = re.sub(r"[\s_/\\:*?\"<>|~]+", " ", printable(student.name, 120, lines=False)).strip(" .") or "Student"
    return f"{name}_{number}_assignsubmission_file_"


def _canvas_name(student: Student, source: Source) -> str:
    name, owner = canvas_feedback(source.name)
    if participant(student) or source.kind not in ("", "canvas") or not _is_usual(name):
        return ""
    return name if owner == student.platform or not student.platform.isdecimal() else ""


def _is_usual(name: str) -> bool:
    """Whether a file or folder name is safe as it is: printable, and neither hidden nor a backup."""
    return printable(name, 300, lines=False) == name and not name.startswith((".", "~"))


def _of_kind(name: str, record: Record, final: Final, run: Run, page: str) -> bytes:
    """Feedback in the same file format as the submission."""
    if name.endswith(".zip"):
        return _zip({"feedback.html": page.encode()})
    if name.endswith(".py"):
        lines = plain_feedback(record.result, run.title, final, run).splitlines()
        return "".join(f"# {line}".rstrip() + "\n" for line in lines).encode()
    source = markdown_feedback(record.result, run.title, final, run)
    cell: dict[str, object] = {"cell_type": "markdown", "id": "feedback", "metadata": {}, "source": source}
    notebook: dict[str, object] = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files."""
    if not files:
        return b""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _write_or_remove(path: Path, content: bytes) -> None:
    if content:
        write_bytes_atomically(path, content)
    else:
        path.unlink(missing_ok=True)
