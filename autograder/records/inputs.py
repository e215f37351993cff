"""What came with the submissions and is needed whenever tables are written again: kept in the output folder.

sources.csv: how each file was called in the platform's download, for feedback that goes back under that name, and
which platform that was. moodle_worksheet.csv: Moodle's grading worksheet.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.records import adjustments as tables
from autograder.records import roster, worksheet
from autograder.records.people import People
from autograder.records.run import write_atomically, write_bytes_atomically
from autograder.text import unguarded

SOURCES = "sources.csv"
_SHEETS = 20
"""How many tables of a folder are looked at for a worksheet."""


class InputError(Exception):
    """Something given that cannot be used; the message says what was expected."""


@dataclass(frozen=True)
class Source:
    """Where a submission came from."""

    name: str = ""
    """How it was called in the platform's download."""
    kind: str = ""
    """The platform, `plain` or `clone`, as `autograder collect` found out; empty when nobody knows."""


@dataclass(frozen=True)
class Given:
    """What was given on the command line beside the submissions."""

    paths: tuple[Path, ...] = ()
    """Folders of submissions: what `collect` wrote lies there, and perhaps a worksheet."""
    class_list: Path | None = None
    worksheet: Path | None = None
    adjustments: Path | None = None
    extensions: Path | None = None

    def check(self, out: Path, people: People, questions: Sequence[str], *, partial: bool) -> None:
        """Raises where a table says what cannot be; nothing is changed before that is known."""
        if self.worksheet is not None and worksheet.read(self.worksheet) is None:
            raise InputError(
                f"{self.worksheet} is not a grading worksheet of Moodle: its first column has no participants "
                "(Participant 1001), or none of its columns is the grade"
            )
        for given in (self.adjustments, self.extensions):
            if given is not None and not given.is_file():
                raise InputError(f"there is no file '{given}'")
        adjusted, extended = self.adjustments or out / tables.ADJUSTMENTS, self.extensions or out / tables.EXTENSIONS
        tables.read_adjustments(adjusted, people, questions, partial=partial)
        tables.read_extensions(extended, people, partial=partial)

    def keep(self, out: Path) -> list[str]:
        """Keeps all of it in the output folder; what to say about that."""
        notes: list[str] = []
        for given, name in ((self.adjustments, tables.ADJUSTMENTS), (self.extensions, tables.EXTENSIONS)):
            if given is not None:
                notes.append(tables.keep(given, out, name))
        found = {**read_sources(out), **collected_sources(self.paths)}
        if found:
            write_sources(out, found)
        for path in [self.worksheet] if self.worksheet is not None else _worksheets(self.paths, self.class_list):
            if worksheet.read(path) is not None:
                write_bytes_atomically(out / worksheet.FILE, path.read_bytes())
                break
        return [note for note in notes if note]


def write_sources(out: Path, sources: Mapping[str, Source]) -> None:
    """Keeps where the files came from."""
    lines = [(file, source.name, source.kind) for file, source in sources.items()]
    write_atomically(out / SOURCES, roster.table(("file", "source", "kind"), lines))


def join(folders: Sequence[Path], out: Path) -> None:
    """What all shards hold of it, in the joined folder."""
    tables.join(folders, out)
    sources = {file: source for folder in folders for file, source in read_sources(folder).items()}
    if sources:
        write_sources(out, sources)
    sheets = (folder / worksheet.FILE for folder in folders)
    sheet = next((path for path in sheets if worksheet.read(path) is not None), None)
    if sheet is not None:
        write_bytes_atomically(out / worksheet.FILE, sheet.read_bytes())


def collected_sources(paths: Iterable[Path]) -> dict[str, Source]:
    """Where the files that `collect` copied came from, by their new names."""
    found: dict[str, Source] = {}
    for path in paths:
        table = path / roster.COLLECTED
        if table.is_file():
            found |= _sources(table)
    return found


def read_sources(out: Path) -> dict[str, Source]:
    """The same, as kept with the results."""
    return _sources(out / SOURCES) if (out / SOURCES).is_file() else {}


def _sources(path: Path) -> dict[str, Source]:
    try:
        lines = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        return {
            unguarded(line["file"]): Source(unguarded(line.get("source") or ""), line.get("kind") or "")
            for line in lines
            if line.get("file")
        }
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}


def _worksheets(paths: Iterable[Path], class_list: Path | None) -> Iterable[Path]:
    if class_list is not None:
        yield class_list
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.glob("*.csv") if entry.is_file())[:_SHEETS]
