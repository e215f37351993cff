"""The journal's lines: what another version wrote is refused with a sentence."""

import json
from pathlib import Path

import pytest

from autograder.records.journal import FILE, JournalError, Record, read
from autograder.records.results import SubmissionResult

RECORD = Record(
    "a.ipynb", "a", "00", SubmissionResult("a.ipynb", "failed", notes=("a note",), grader_notes=("q1: TypeError",))
)


def test_a_line_is_read_as_it_was_written() -> None:
    assert Record.from_line(RECORD.to_line()) == RECORD


def test_a_line_of_an_earlier_version_is_refused_for_its_notes_were_for_both_readers(tmp_path: Path) -> None:
    line = json.loads(RECORD.to_line())
    del line["format"], line["result"]["grader_notes"]
    (tmp_path / FILE).write_text(json.dumps(line) + "\n")
    with pytest.raises(JournalError, match=r"line 1: it has format 1, .* reads format 2: use the version that wrote"):
        list(read(tmp_path))
