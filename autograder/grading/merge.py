"""Shards of one class, graded apart, become one output folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.records import adjustments as tables
from autograder.records import inputs, journal, roster
from autograder.records import run as output
from autograder.records.final import Finals, Writer, is_part
from autograder.records.journal import Journal
from autograder.records.people import People
from autograder.submissions.batch import stems_of


class MergeError(Exception):
    """Shards that do not fit together; the message says which and why."""


@dataclass(frozen=True)
class Merged:
    """The joined run and what is missing in it."""

    run: output.Run
    missing: tuple[str, ...]
    """Sentences: shards that are not there, or not finished."""


def merge(folders: Sequence[Path], out: Path, *, force: bool = False, write: Writer | None = None) -> Merged:
    """Joins the shards' journals into a new folder; `write` makes every submission's own files there."""
    if not folders:
        raise MergeError("no shards were given")
    runs = [output.Run.read(folder) for folder in folders]
    first = runs[0]
    for folder, run in zip(folders, runs, strict=True):
        if folder.resolve() == out.resolve():
            raise MergeError(f"{out} is one of the shards; choose another output folder")
        difference = replace(run, shards=()).resumed_by(replace(first, shards=()))
        if difference:
            raise MergeError(f"{folder} does not match {folders[0]}: {difference}")
    owners: dict[str, tuple[Path, str]] = {}
    for folder in folders:
        for record in journal.read_latest(folder):
            owner, sha256 = owners.setdefault(record.name, (folder, record.sha256))
            if owner != folder and sha256 != record.sha256:
                raise MergeError(
                    f"{owner} and {folder} both hold '{record.name}', with different content: rename one and grade "
                    "it again"
                )
    merged = replace(
        first,
        shards=tuple(shard for run in runs for shard in run.shards),
        submissions=max(len(owners), sum(run.submissions for run in runs) if first.shards else 0),
        ignored=tuple(sorted({name for run in runs for name in run.ignored})),
        seconds=round(sum(run.seconds for run in runs), 3),
        finished=all(run.finished for run in runs),
    )
    stems = stems_of(list(owners))
    students = roster.join(roster.read_if_there(folder / roster.FILE) for folder in folders)
    absent = roster.missing_of(folders)
    people = People(stems.items(), students, absent)
    for folder in (out, *folders):
        names = [str(question["name"]) for question in first.questions]
        tables.read_adjustments(folder / tables.ADJUSTMENTS, people, names, partial=is_part(merged))
        tables.read_extensions(folder / tables.EXTENSIONS, people, partial=is_part(merged))
    merged = output.prepare(out, merged, resume=False, force=force)
    roster.write(students, out, absent)
    inputs.join(folders, out)
    finals = Finals.load(out, merged, stems.items())
    with Journal(out) as book:
        for folder in folders:
            for record in journal.read_latest(folder):
                if owners[record.name][0] == folder:
                    renamed = replace(record, stem=stems[record.name])
                    book.append(renamed)
                    if write is not None:
                        write(renamed, finals.of(renamed.result), out, merged)
    return Merged(merged, _missing(folders, runs))


def _missing(folders: Sequence[Path], runs: Sequence[output.Run]) -> tuple[str, ...]:
    missing = [f"{folder} was not finished" for folder, run in zip(folders, runs, strict=True) if not run.finished]
    present = {shard for run in runs for shard in run.shards}
    for count in sorted({int(shard.split("/")[1]) for shard in present}):
        missing += [
            f"shard {index}/{count} is missing" for index in range(1, count + 1) if f"{index}/{count}" not in present
        ]
    return tuple(missing)
