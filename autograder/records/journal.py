"""The journal: one line of JSON a finished submission, on disk before the next is counted.

It is the truth of a run: every report is made from it, and `--resume` grades what it does not hold.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.records.results import SubmissionResult

FILE = "journal.jsonl"
FORMAT = 2
"""Of a line. 2: the instructor's notes are a field of their own (before, they were among the student's)."""


class JournalError(Exception):
    """A journal that cannot be used; the message says which line, or who holds it."""


@dataclass(frozen=True)
class Record:
    """One finished submission."""

    name: str
    stem: str
    sha256: str
    """Of the file's content."""
    result: SubmissionResult

    def to_line(self) -> str:
        """One line, without its end."""
        content = {
            "format": FORMAT,
            "name": self.name,
            "stem": self.stem,
            "sha256": self.sha256,
            "result": self.result.to_json(),
        }
        return json.dumps(content, separators=(",", ":"))

    @staticmethod
    def from_line(line: str) -> "Record":
        """The inverse; ValueError for anything else."""
        try:
            content: Any = json.loads(line)
            written = content.get("format", 1)
            if written != FORMAT:
                raise ValueError(
                    f"it has format {written}, and this version of the autograder reads format {FORMAT}: "
                    "use the version that wrote it, or grade into a new folder"
                )
            return Record(
                name=str(content["name"]),
                stem=str(content["stem"]),
                sha256=str(content["sha256"]),
                result=SubmissionResult.from_json(content["result"]),
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a journal's line: {error}") from None


class Journal:
    """A journal open for writing, by one process at a time. A torn last line (a crash) is cut off first."""

    def __init__(self, folder: Path) -> None:
        self._file = open(folder / FILE, "a+b")  # noqa: SIM115 (closed by close)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise JournalError(f"another run is writing to {folder}; wait for it or choose another folder") from None
        self._cut_torn_line()

    def append(self, record: Record) -> None:
        """Writes a record; on return it is on disk."""
        self._file.write(record.to_line().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Closes the file and lets others write."""
        self._file.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _cut_torn_line(self) -> None:
        end = self._file.seek(0, os.SEEK_END)
        position = end
        while position > 0:
            start = max(0, position - 65536)
            self._file.seek(start)
            newline = self._file.read(position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        if position != end:
            self._file.truncate(position)
        self._file.seek(0, os.SEEK_END)


def read(folder: Path) -> Iterator[Record]:
    """The records of a run, one at a time; a torn last line is passed over. JournalError for a damaged one
    before it."""
    try:
        with open(folder / FILE, encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith("\n"):
                    return
                try:
                    yield Record.from_line(line)
                except ValueError as error:
                    raise JournalError(f"{folder / FILE}, line {number}: {error}") from None
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise JournalError(f"{folder / FILE} is damaged: it is not UTF-8 text") from None


def latest(folder: Path) -> dict[str, int]:
    """For each name the number of its last record: a submission that was graded again counts once."""
    return {record.name: number for number, record in enumerate(read(folder))}


def read_latest(folder: Path) -> Iterator[Record]:
    """Each submission's last record."""
    last = latest(folder)
    return (record for number, record in enumerate(read(folder)) if last[record.name] == number)
