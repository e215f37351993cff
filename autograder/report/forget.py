"""`autograder forget`: removes everything that an output folder holds about one student, and writes the rest again."""

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.records import adjustments, inputs, journal, roster, worksheet
from autograder.records.final import people_of
from autograder.records.journal import Journal
from autograder.records.people import People, Person
from autograder.records.run import SUMMARIES, Run, write_atomically, write_bytes_atomically
from autograder.report import lms
from autograder.report.write import write_everything

_SHORT = 4
"""Shorter words have other meanings too: leftovers of a person are not searched for by them."""


@dataclass
class Forgotten:
    """What was removed, and where traces of the person remain."""

    removed: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])


def forget(out: Path, word: str) -> Forgotten:
    """Removes one student: results, feedback, lines of every table, archives, and all records of the journal.

    The submissions themselves, and everything outside the folder, stay. Every file is replaced as a whole; after a
    crash the same command continues.
    """
    run = Run.read(out)
    done = Forgotten()
    with Journal(out):
        people = people_of(out)
        gone = people.find(word)
        one = gone.student
        words = [gone.file, gone.stem, one.id, one.platform, one.login, one.email, one.name]
        lines = adjustments.without(out, people, gone)
        done.removed += [f"{_lines(lines)} of adjustments.csv and extensions.csv"] if lines else []
        for name in (adjustments.ADJUSTMENTS, adjustments.EXTENSIONS):
            earlier = (out / name).with_suffix(".before.csv")
            if earlier.exists():
                earlier.unlink()
                done.removed.append(earlier.name)
        _clear_worksheet(out, people, gone, done)
        _clear_table(out / "regraded.csv", lambda line: line.get("file") == gone.file, done)
        if gone.file:
            _clear_files(out, gone, done)
            _clear_table(out / inputs.SOURCES, lambda line: line.get("file") == gone.file, done)
        _clear_run(out, run, gone, words, done)
        _clear_roster(out, gone, done)
        if gone.file:
            _clear_journal(out, gone.file, done)
    write_everything(out)
    done.removed.append("their lines in final_grades.csv, report.html, lms/ and its archives, which are written again")
    done.left = sorted(_leftovers(out, [text for text in words if len(text) >= _SHORT]))
    return done


def _lines(count: int) -> str:
    return f"{count} {'line' if count == 1 else 'lines'}"


def _clear_files(out: Path, gone: Person, done: Forgotten) -> None:
    for path in (
        out / "results" / f"{gone.stem}.json",
        out / "feedback" / f"{gone.stem}.html",
        out / "viva" / f"{gone.stem}.html",
        out / "viva_key" / f"{gone.stem}.html",
        *(out / SUMMARIES).glob("*"),
    ):
        ours = path.parent.name != SUMMARIES or path.name in (gone.file, gone.stem) or path.stem == gone.stem
        if ours and path.is_file():
            path.unlink()
            done.removed.append(f"{path.parent.name}/{path.name}")


def _clear_roster(out: Path, gone: Person, done: Forgotten) -> None:
    path = out / roster.FILE
    students, missing = roster.read_if_there(path), roster.read_missing(out)
    left = {file: student for file, student in students.items() if file != gone.file}
    still = [student for student in missing if Person("", "", student).key != gone.key]
    if len(left) + len(still) == len(students) + len(missing):
        return
    if left or still:
        roster.write(left, out, still)
    else:
        path.unlink()
    done.removed.append(f"the line of {path.name}")


def _clear_worksheet(out: Path, people: People, gone: Person, done: Forgotten) -> None:
    path = out / worksheet.FILE
    sheet = worksheet.read(path)
    index = lms.line_of(gone, people.everyone, sheet) if sheet is not None else None
    if sheet is not None and index is not None:
        rows = (*sheet.rows[:index], *sheet.rows[index + 1 :])
        write_atomically(path, replace(sheet, rows=rows).text()) if rows else path.unlink()
        done.removed.append(f"the line of {path.name}")


def _clear_table(path: Path, is_gone: Callable[[dict[str, str]], bool], done: Forgotten) -> None:
    if not path.is_file():
        return
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    lines = list(reader)
    left = [line for line in lines if not is_gone({key: inputs.unguarded(value or "") for key, value in line.items()})]
    if len(left) < len(lines):
        header = reader.fieldnames or ()
        write_atomically(path, roster.table(tuple(header), [[line[name] for name in header] for line in left]))
        done.removed.append(f"{_lines(len(lines) - len(left))} of {path.name}")


def _clear_run(out: Path, run: Run, gone: Person, words: Sequence[str], done: Forgotten) -> None:
    known = {text.casefold() for text in (*words, gone.file.rpartition("/")[0]) if text}

    def is_theirs(name: str) -> bool:
        name = name.casefold()
        parts = {name, *re.findall(r"\w+", name)}
        return any(text in parts or (len(text) >= _SHORT and text in name) for text in known)

    left = tuple(name for name in run.ignored if not is_theirs(name))
    if len(left) < len(run.ignored):
        done.removed.append(f"{len(run.ignored) - len(left)} skipped files, named in run.json")
    submissions = run.submissions - 1 if gone.file and run.submissions else run.submissions
    replace(run, ignored=left, submissions=submissions).write(out)


def _clear_journal(out: Path, name: str, done: Forgotten) -> None:
    """All records of a submission; the lock of the journal is held."""
    path = out / journal.FILE
    left: list[bytes] = []
    removed = 0
    for line in path.read_bytes().splitlines(keepends=True):
        if str(json.loads(line)["name"]) == name:
            removed += 1
        else:
            left.append(line)
    write_bytes_atomically(path, b"".join(left))
    done.removed.append(f"{removed} {'record' if removed == 1 else 'records'} of {path.name}")


def _leftovers(out: Path, words: Iterable[str]) -> set[str]:
    """Files, also those in archives, that still contain one of these words, perhaps in another person's text."""
    wanted = [form for text in words for form in {text.encode(), json.dumps(text)[1:-1].encode()}]
    found: set[str] = set()
    for folder, _, names in os.walk(out):
        for name in names:
            path = Path(folder, name)
            if any(form in path.relative_to(out).as_posix().encode() for form in wanted):
                found.add(path.relative_to(out).as_posix())
            for content in _contents(path):
                if any(form in content for form in wanted):
                    found.add(path.relative_to(out).as_posix())
    return found


def _contents(path: Path) -> Iterator[bytes]:
    try:
        if path.is_symlink() or not path.is_file():
            return
        yield path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for entry in archive.namelist():
                    yield entry.encode()
                    yield archive.read(entry)
    except (OSError, zipfile.BadZipFile):
        return
