"""Feedback that arrives: archives for Moodle and Canvas, a mailbox, and a file for each cloned repository.

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
from autograder.text import file_stem, plain

MOODLE, CANVAS, MAIL, REPOSITORIES = "moodle_feedback.zip", "canvas_feedback.zip", "mail.mbox", "repositories"
REPOSITORY_FILE = "FEEDBACK.md"
SENDER = "Instructor <instructor@example.invalid>"
_MOODLE_FOLDER = re.compile(r"[^/]+?_\d+_assignsubmission_(?:file|onlinetext)_?")
_CANVAS_NAME = re.compile(r"[^/]+?_\d+_\d+_[^/]+")
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
)


@dataclass
class Archives:
    """What is gathered while the journal is read once."""

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
        """A submission's feedback, for every way that leads to its student. page: the one in feedback/."""
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
            self.canvas[canvas] = _of_kind(canvas, record, final, self.run.title, page)
            reached = True
        if _ADDRESS.fullmatch(student.email) and len(student.email) < 250:
            with suppress(ValueError, HeaderParseError):  # an address that only looks like one
                self.mail.append(self._message(record, final, student, page))
                reached = True
        cloned = source.kind == CLONE or (not source.kind and not folder and not canvas and not student.platform)
        if student.login and cloned:
            self.repositories[file_stem(student.login)] = markdown_feedback(record.result, self.run.title, final)
            reached = True
        self.unreachable += not reached

    def write(self) -> list[str]:
        """Writes what there is into lms/, and removes what is there no longer; what to say about it."""
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
            [f"{self.unreachable} submissions have no way for their feedback: see lms/README.txt"]
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
        message.set_content(plain_feedback(record.result, self.run.title, final))
        message.add_attachment(page, subtype="html", filename="feedback.html")
        digest = hashlib.sha256(page.encode() + student.email.encode()).hexdigest()
        message.set_boundary(f"autograder-{digest[:32]}")
        content = io.BytesIO()
        BytesGenerator(content, mangle_from_=True, policy=message.policy).flatten(message)
        return f"From autograder {time.strftime('%a %b %d %H:%M:%S %Y')}\n".encode() + content.getvalue() + b"\n"


def sender_is_usable(text: str) -> bool:
    """Whether something is the sender of a mail: an address, or a name and an address."""
    return "\n" not in text and bool(_ADDRESS.fullmatch(parseaddr(text)[1]))


def _sender(text: str) -> Address:
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    return Address(_header(name), local, domain)


def _header(text: str) -> str:
    return plain(text, 120, lines=False, unseen=True)


def _moodle_folder(student: Student, source: Source) -> str:
    number = participant(student)
    if not number or source.kind not in ("", "moodle"):
        return ""
    match = _MOODLE_FOLDER.match(source.name.replace("\\", "/").lstrip("/"))
    if match is not None and match[0].split("_")[1] == number and _is_usual(match[0]):
        return match[0]
    name = re.sub(r"[\s_/\\:*?\"<>|~]+", " ", plain(student.name, 120, lines=False)).strip(" .") or "Student"
    return f"{name}_{number}_assignsubmission_file_"


def _canvas_name(student: Student, source: Source) -> str:
    name = source.name.replace("\\", "/").rpartition("/")[2]
    if (
        participant(student)
        or source.kind not in ("", "canvas")
        or _CANVAS_NAME.fullmatch(name) is None
        or not _is_usual(name)
    ):
        return ""
    user = next(part for part in name.split("_") if part.isdecimal())
    return name if user == student.platform or not student.platform.isdecimal() else ""


def _is_usual(name: str) -> bool:
    """A name of a file or folder that no program takes for something else."""
    return plain(name, 300, lines=False) == name and not name.startswith((".", "~"))


def _of_kind(name: str, record: Record, final: Final, title: str, page: str) -> bytes:
    """Feedback as a file of the kind of what was handed in."""
    if name.endswith(".zip"):
        return _zip({"feedback.html": page.encode()})
    if name.endswith(".py"):
        lines = plain_feedback(record.result, title, final).splitlines()
        return "".join(f"# {line}".rstrip() + "\n" for line in lines).encode()
    source = markdown_feedback(record.result, title, final)
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
