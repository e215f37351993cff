"""Collecting: each platform's names are understood, the latest hand-in counts, nothing is overwritten."""

import csv
import os
from pathlib import Path

import pytest
from toy_course import notebook

from autograder.collect import Collected, CollectError, collect


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def put(path: Path, code: str, modified: float = 1000.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook(code))
    os.utime(path, (modified, modified))


def contents(found: Collected, out: Path) -> dict[str, bool]:
    """By new name: whether the right one of several hand-ins was taken (its code is `right`)."""
    return {name: "right" in (out / name).read_text() for name in found.collected}


def lines(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "submissions.csv").read_text().splitlines()))


def test_canvas_names_are_understood_and_the_latest_submission_counts(source: Path, out: Path) -> None:
    put(source / "doejane_LATE_42_1002_toy.ipynb", "right", modified=1)
    put(source / "doejane_42_1001_toy.ipynb", "wrong", modified=9)
    put(source / "roejohn_43_1003_hw-1.ipynb", "wrong")
    put(source / "roejohn_43_1003_hw-2.ipynb", "right")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"doejane-42.ipynb": True, "roejohn-43.ipynb": True}
    assert {line["platform"] for line in lines(out)} == {"42", "43"}
    assert "doejane-42: of 2 files doejane_LATE_42_1002_toy.ipynb is taken" in found.notes


@pytest.mark.parametrize("other", ["other.ipynb", "zzz.py", "two-1.ipynb"])
@pytest.mark.parametrize("prefix", ["doejane_42_1001_", "Jane Doe_42_assignsubmission_file_"], ids=["canvas", "moodle"])
def test_of_a_hand_in_of_several_files_the_assignments_is_taken(
    source: Path, out: Path, prefix: str, other: str
) -> None:
    put(source / f"{prefix}toy.ipynb", "right", modified=1)
    put(source / f"{prefix}{other}", "wrong", modified=9)
    assert list(contents(collect(source, "toy", out), out).values()) == [True]


@pytest.mark.parametrize(
    "place", ["Jane Doe_42_assignsubmission_file_/toy.ipynb", "Jane Doe_42_assignsubmission_file_toy.ipynb"]
)
def test_moodle_folders_and_files_are_understood(source: Path, out: Path, place: str) -> None:
    put(source / place, "right")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"Jane_Doe-42.ipynb": True}
    assert lines(out)[0]["name"] == "Jane Doe"
    assert lines(out)[0]["platform"] == "Participant 42"  # of this assignment; no ID number
    assert lines(out)[0]["id"] == ""


def test_a_gradescope_export_gives_every_member_of_a_team_a_file(source: Path, out: Path) -> None:
    put(source / "submission_1" / "toy.ipynb", "wrong")
    put(source / "submission_2" / "toy.ipynb", "right")
    (source / "submission_metadata.yml").write_text(
        "submission_1:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '42'\n    :email: jane@x.org\n"
        "  :created_at: 2026-01-01 10:00:00.000000000 Z\n"
        "submission_2:\n  :submitters:\n  - :name: Jane Doe\n    :sid: '42'\n    :email: jane@x.org\n"
        "  - :name: John Roe\n    :sid: '43'\n    :email: john@x.org\n"
        "  :created_at: 2026-01-02 10:00:00.000000000 Z\n"
    )
    found = collect(source, "toy", out)
    assert contents(found, out) == {"Jane_Doe-42.ipynb": True, "John_Roe-43.ipynb": True}
    assert lines(out)[0]["email"] == "jane@x.org"
    assert lines(out)[0]["submitted"].startswith("2026-01-02T10:00:00")


def test_in_a_clone_the_assignments_notebook_is_found_and_nothing_else_taken(source: Path, out: Path) -> None:
    put(source / "toy-jane" / "toy.ipynb", "right")
    put(source / "toy-jane" / "other.ipynb", "wrong")
    put(source / "toy-jane" / "tests" / "toy.ipynb", "wrong")
    put(source / "toy-jane" / ".git" / "toy.ipynb", "wrong")
    put(source / "toy-john" / "deep" / "toy.ipynb", "right")
    put(source / "toy-nobody" / "other.txt", "")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"toy-jane.ipynb": True, "toy-john.ipynb": True}
    assert any("toy-nobody" in note for note in found.notes)


def test_links_are_not_followed(source: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    put(tmp_path / "secret" / "toy.ipynb", "secret")
    (source / "a").symlink_to(tmp_path / "secret")
    (source / "b.ipynb").symlink_to(tmp_path / "secret" / "toy.ipynb")
    (source / "c").mkdir()
    (source / "c" / "toy.ipynb").symlink_to(tmp_path / "secret" / "toy.ipynb")
    put(source / "d" / "toy.ipynb", "right")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"d.ipynb": True}
    assert any("link" in note for note in found.notes)


def test_collecting_again_changes_nothing_and_overwrites_nothing(source: Path, out: Path) -> None:
    put(source / "jane.ipynb", "right")
    collect(source, "toy", out)
    collect(source, "toy", out)
    put(source / "jane.ipynb", "wrong")
    with pytest.raises(CollectError, match="nothing is overwritten"):
        collect(source, "toy", out)
    assert "right" in (out / "jane.ipynb").read_text()


def test_the_roster_is_joined_and_compared(source: Path, out: Path, tmp_path: Path) -> None:
    put(source / "Jane Doe_42_assignsubmission_file_/toy.ipynb", "right")
    put(source / "Jack Poe_44_assignsubmission_file_/toy.ipynb", "right")
    roster = tmp_path / "roster.csv"
    roster.write_text('id,name,email,login,section\n7,"Doe, Jane",jane@x.org,jd,A\n8,"Roe, John",john@x.org,jr,B\n')
    found = collect(source, "toy", out, roster)
    jane = next(line for line in lines(out) if line["file"] == "Jane_Doe-42.ipynb")
    assert (jane["id"], jane["email"], jane["login"], jane["section"]) == ("7", "jane@x.org", "jd", "A")
    assert any("nothing from 1 of the roster: Roe, John" in note for note in found.notes)
    assert any("not in the roster: Jack Poe-44" in note for note in found.notes)


def test_a_folder_without_submissions_is_an_error(source: Path, out: Path) -> None:
    with pytest.raises(CollectError, match="no submission of toy"):
        collect(source, "toy", out)


def test_names_that_differ_in_a_space_are_two_students(source: Path, out: Path) -> None:
    put(source / "a b.ipynb", "right")
    put(source / "a_b.ipynb", "wrong")
    found = collect(source, "toy", out)
    assert sorted(contents(found, out).values()) == [False, True]
    assert len(list(out.glob("*.ipynb"))) == 2


def test_nobody_becomes_another_student_by_what_they_call_themselves(out: Path, tmp_path: Path) -> None:
    source = tmp_path / "canvas"
    source.mkdir()
    for name in ("doejane_7_100_toy.ipynb", "jd_99_101_toy.ipynb", "jsmith_5_102_toy.ipynb", "JSMITH_6_103_toy.ipynb"):
        (source / name).write_text('{"cells": []}')
    roster = tmp_path / "roster.csv"
    roster.write_text("id,name,email,login\n7,Jane Doe,jane@x.org,jd\n,Jo Smith,jo@x.org,jsmith\n")
    found = collect(source, "toy", out, roster)
    assert {name: hand_in.student.name for name, hand_in in found.collected.items() if hand_in.student.email} == {
        "doejane-7.ipynb": "Jane Doe"
    }
    assert any("jd-99 is not the only one who could be Jane Doe" in note for note in found.notes)
    assert sum("could be Jo Smith" in note for note in found.notes) == 2
