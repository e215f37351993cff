"""Collecting: each platform's names are understood, the latest hand-in counts, nothing is overwritten."""

import csv
import os
import zipfile
from pathlib import Path

import pytest
from courses import notebook

from autograder.submissions.collect import Collected, CollectError, collect


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


# --- platforms ----------------------------------------------------------------------------------------------------


def notes(found: Collected) -> str:
    return "\n".join(found.notes)


def test_canvas_group_and_anonymous_names_are_understood(source: Path, out: Path) -> None:
    put(source / "team_1_red_551_90001_toy.ipynb", "right")
    put(source / "team_2_552_90002_toy.ipynb", "right")
    put(source / "doejane_553_90003_1_2_toy.ipynb", "right")  # what the student calls a file has numbers as well
    put(source / "LATE_anon_9fXz2_90004_toy.ipynb", "right")
    put(source / "anon_554_90005_toy.ipynb", "right")
    found = collect(source, "toy", out)
    people = {(line["name"], line["platform"], line["late"]) for line in lines(out)}
    assert people == {
        ("team_1_red", "551", "no"),
        ("team_2", "552", "no"),
        ("doejane", "553", "no"),
        ("anon_9fXz2", "", "yes"),
        ("anon_554", "", "no"),
    }
    assert found.complete


def test_the_newest_of_canvas_attempts_is_the_one_with_the_highest_file_number(source: Path, out: Path) -> None:
    put(source / "doejane_42_1001_toy.ipynb", "wrong", modified=9)
    put(source / "doejane_LATE_42_1005_toy-1.ipynb", "right", modified=1)
    found = collect(source, "toy", out)
    assert contents(found, out) == {"doejane-42.ipynb": True}
    assert (lines(out)[0]["late"], lines(out)[0]["attempt"]) == ("yes", "2")


def test_a_file_named_like_another_participants_does_not_become_theirs(source: Path, out: Path) -> None:
    put(source / "Eve_666_assignsubmission_file_x_42_assignsubmission_file_toy.ipynb", "right")
    put(source / "Jane_42_assignsubmission_file_toy.ipynb", "right")
    assert set(contents(collect(source, "toy", out), out)) == {"Eve-666.ipynb", "Jane-42.ipynb"}


def test_a_name_like_another_participants_folder_does_not_become_theirs(source: Path, out: Path) -> None:
    put(source / "Eve_42_assignsubmission_file__666_assignsubmission_file_" / "toy.ipynb", "right")
    collect(source, "toy", out)
    assert lines(out)[0]["platform"] == "Participant 666"


def test_blackboard_attempts_are_understood(source: Path, out: Path) -> None:
    for time, code in (("2026-01-02-03-04-05", "wrong"), ("2026-01-03-03-04-05", "right")):
        put(source / f"Home_work_1_j_doe_attempt_{time}_toy.ipynb", code)
        (source / f"Home_work_1_j_doe_attempt_{time}.txt").write_text("Name: Jane Doe")
    (source / "Home_work_1_roe_attempt_2026-01-02-03-04-05.txt").write_text("Name: John Roe")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"j_doe.ipynb": True}
    jane = next(line for line in lines(out) if line["login"] == "j_doe")
    assert jane["submitted"].startswith("2026-01-03T03:04:05")
    assert found.empty_handed == ("roe",)
    assert "no zone" in notes(found)


@pytest.mark.parametrize("sign", ["/", " - "], ids=["folders", "flat"])
def test_brightspace_names_are_understood(source: Path, out: Path, sign: str) -> None:
    put(source / f"12-34 - Mary-Ann Smith - Sep 24, 2024 926 PM{sign}toy.ipynb", "wrong")
    put(source / f"12-34 - Mary-Ann Smith - Sep 25, 2024 1205 AM{sign}toy.ipynb", "right")
    put(source / f"13-34 - John Roe - 24 September, 2024 21.26{sign}toy.ipynb", "right")
    (source / "index.html").write_text("<html>")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"Mary-Ann_Smith-12-34.ipynb": True, "John_Roe-13-34.ipynb": True}
    times = {line["name"]: line["submitted"][:16] for line in lines(out)}
    assert times == {"Mary-Ann Smith": "2024-09-25T00:05", "John Roe": ""}
    assert found.complete


def test_ilias_folders_are_understood(source: Path, out: Path) -> None:
    put(source / "Abgaben" / "Doe_Jane_jdoe_4711" / "20260101120000_toy.ipynb", "right")
    put(source / "Abgaben" / "Roe_John_j_roe_4712" / "toy.ipynb", "right")
    found = collect(source, "toy", out)
    assert {(line["name"], line["login"], line["platform"]) for line in lines(out)} == {
        ("Jane Doe", "jdoe", "4711"),
        ("John Roe", "j_roe", "4712"),
    }
    assert found.complete


def test_a_download_of_one_platform_with_a_strangers_file_says_so(source: Path, out: Path) -> None:
    put(source / "doejane_42_1001_toy.ipynb", "right")
    put(source / "roejohn_43_1002_toy.ipynb", "right")
    put(source / "notes of mine.ipynb", "wrong")
    found = collect(source, "toy", out)
    assert len(found.collected) == 2
    assert found.nobodys == ("notes of mine.ipynb",)
    assert not found.complete


# --- Gradescope ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ("submission_1: [", "not valid YAML in line 2"),
        ("- 1\n- 2\n", "names no submissions"),
        ("a: " + "[" * 3000, "not valid YAML"),
        ("\0", "not valid YAML"),
    ],
)
def test_malformed_metadata_is_one_sentence(source: Path, out: Path, metadata: str, says: str) -> None:
    put(source / "submission_1" / "toy.ipynb", "right")
    (source / "submission_metadata.yml").write_text(metadata)
    with pytest.raises(CollectError, match=says) as raised:
        collect(source, "toy", out)
    assert "\n" not in str(raised.value)


def test_numbers_in_metadata_stay_as_they_are_written(source: Path, out: Path) -> None:
    put(source / "submission_1" / "toy.ipynb", "right")
    (source / "submission_metadata.yml").write_text(
        "submission_1:\n  :submitters:\n  - :name: Jo\n    :sid: 0042\n  :created_at: 2026-01-01 02:52:07.938335000 Z\n"
    )
    collect(source, "toy", out)
    assert lines(out)[0]["id"] == "0042"
    assert lines(out)[0]["submitted"] == "2026-01-01T02:52:07.938335+00:00"


def test_two_of_one_name_without_a_number_are_two(source: Path, out: Path) -> None:
    text = ""
    for number in (1, 2):
        put(source / f"submission_{number}" / "toy.ipynb", "right")
        text += f"submission_{number}:\n  :submitters:\n  - :name: Jane Doe\n"
    (source / "submission_metadata.yml").write_text(text)
    assert len(collect(source, "toy", out).collected) == 2


def test_a_hand_in_that_only_the_metadata_names_is_accounted_for(source: Path, out: Path) -> None:
    put(source / "submission_1" / "toy.ipynb", "right")
    put(source / "submission_9" / "toy.ipynb", "wrong")
    (source / "submission_metadata.yml").write_text(
        "submission_1:\n  :submitters:\n  - :name: Jane\nsubmission_2:\n  :submitters:\n  - :name: John\n"
    )
    found = collect(source, "toy", out)
    assert len(found.collected) == 1
    assert found.empty_handed == ("John-submission_2",)
    assert found.nobodys == ("submission_9/toy.ipynb",)


def test_large_metadata_is_announced(source: Path, out: Path) -> None:
    put(source / "submission_1" / "toy.ipynb", "right")
    noise = "".join(f"  :result_{number}: {'x' * 1000}\n" for number in range(2200))
    (source / "submission_metadata.yml").write_text(f"submission_1:\n  :submitters:\n  - :name: Jane\n{noise}")
    said: list[str] = []
    collect(source, "toy", out, say=said.append)
    assert said == ["reading 2 MB of Gradescope's metadata …"]


# --- the folder ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("above", ["download", "a/b/c"])
def test_folders_round_the_hand_ins_are_gone_into(source: Path, out: Path, above: str) -> None:
    put(source / above / "toy-ann" / "toy.ipynb", "right")
    put(source / above / "toy-bob" / "src" / "toy.ipynb", "right")
    (source / "class.csv").write_text("id\n1\n")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"toy-ann.ipynb": True, "toy-bob.ipynb": True}
    assert f"the hand-ins are in the folder {above}" in notes(found)


def test_the_only_clone_is_a_students_and_not_a_folder_round_the_class(source: Path, out: Path) -> None:
    put(source / "toy-ann" / "toy.ipynb", "right")
    put(source / "toy-ann" / "old" / "toy.ipynb", "wrong")
    put(source / "toy-ann" / "older" / "toy.ipynb", "wrong")
    assert contents(collect(source, "toy", out), out) == {"toy-ann.ipynb": True}


def test_two_downloads_side_by_side_are_named(source: Path, out: Path) -> None:
    put(source / "section a" / "doejane_42_1001_toy.ipynb", "right")
    put(source / "section b" / "roejohn_43_1002_toy.ipynb", "right")
    with pytest.raises(CollectError, match=r"holds 2 downloads \(section a, section b\)"):
        collect(source, "toy", out)


def test_folders_of_students_folders_are_not_one_student_each(source: Path, out: Path) -> None:
    for section in ("a", "b"):
        for student in ("ann", "bob"):
            put(source / section / f"{student}{section}" / "toy.ipynb", "right")
    with pytest.raises(CollectError, match="collect each by itself, beginning with"):
        collect(source, "toy", out)


@pytest.mark.parametrize(
    ("beside", "given"),
    [
        ("submission_metadata.yml", "submission_3"),
        ("other.csv", "Jane Doe_42_assignsubmission_file_"),
    ],
)
def test_one_students_folder_is_refused_with_the_one_to_give(source: Path, out: Path, beside: str, given: str) -> None:
    (source / beside).touch()
    put(source / given / "toy.ipynb", "right")
    with pytest.raises(CollectError, match="one hand-in; give the one that has all") as raised:
        collect(source / given, "toy", out)
    assert str(source) in str(raised.value)


def test_one_students_repository_is_refused(source: Path, out: Path) -> None:
    put(source / "toy.ipynb", "right")
    put(source / "adkit" / "graph.py", "")
    with pytest.raises(CollectError, match="one student's repository"):
        collect(source, "toy", out)


# --- choosing -----------------------------------------------------------------------------------------------------


def test_of_several_notebooks_none_of_which_is_named_after_the_assignment_none_is_taken(
    source: Path, out: Path
) -> None:
    put(source / "ann" / "one.ipynb", "wrong")
    put(source / "ann" / "two.ipynb", "wrong")
    put(source / "bob" / "mine.ipynb", "right")
    found = collect(source, "toy", out)
    assert contents(found, out) == {"bob.ipynb": True}
    assert found.empty_handed == ("ann",)
    assert "none is named after toy" in notes(found)


def test_the_notebook_of_another_assignment_is_not_taken_for_this_one(source: Path, out: Path) -> None:
    put(source / "ann" / "ad_modes.ipynb", "wrong")
    put(source / "ann" / "check.py", "wrong")
    put(source / "bob" / "toy.ipynb", "right")
    found = collect(source, "toy", out, None, None, ("toy", "ad_modes"))
    assert contents(found, out) == {"bob.ipynb": True}
    assert next(row.reason for row in found.rows if row.file == "ann/ad_modes.ipynb") == (
        "It is named after another assignment."
    )


@pytest.mark.parametrize("name", ["toy.ipynb.txt", "toy.ipynb.json", "toy.ipynb (1).txt", "TOY.IPYNB", "toy (2).ipynb"])
def test_what_a_browser_made_of_a_name_is_still_a_notebook(source: Path, out: Path, name: str) -> None:
    put(source / f"doejane_42_1001_{name}", "right")
    assert contents(collect(source, "toy", out), out) == {"doejane-42.ipynb": True}


def test_a_clone_and_a_file_of_one_name_are_both_taken(source: Path, out: Path) -> None:
    put(source / "ann" / "toy.ipynb", "right")
    put(source / "ann.ipynb", "right")
    assert len(contents(collect(source, "toy", out), out)) == 2


def test_what_was_not_fetched_is_the_reason_that_the_student_reads(source: Path, out: Path) -> None:
    put(source / "bob" / "toy.ipynb", "right")
    put(source / "ann" / "helpers.py", "wrong")
    (source / "ann" / "NOT_FETCHED.txt").write_text("These files were not fetched: toy.ipynb (30.0 MB).\n")
    found = collect(source, "toy", out)
    assert list(found.collected) == ["bob.ipynb"]
    problem = next(line["problem"] for line in lines(out) if line["problem"])
    assert problem == "These files were not fetched: toy.ipynb (30.0 MB)."


@pytest.mark.parametrize("above", ["", "download/"])
def test_the_platforms_zip_in_a_folder_is_not_one_students_export(source: Path, out: Path, above: str) -> None:
    with zipfile.ZipFile(source / "submissions.zip", "w") as archive:
        archive.writestr(f"{above}doejane_42_1001_toy.ipynb", "{}")
        archive.writestr(f"{above}roejohn_43_1002_toy.ipynb", "{}")
    with pytest.raises(CollectError, match=r"submissions\.zip is itself a download; give it"):
        collect(source, "toy", out)
    assert len(collect(source / "submissions.zip", "toy", out).collected) == 2


def test_the_only_student_may_hand_in_an_export(source: Path, out: Path) -> None:
    with zipfile.ZipFile(source / "jane.zip", "w") as archive:
        archive.writestr("toy.ipynb", "{}")
        archive.writestr("helpers/data_1_2_x.py", "")
    assert list(collect(source, "toy", out).collected) == ["jane.zip"]


def test_clones_whose_names_have_many_parts_are_no_folders_of_ilias(source: Path, out: Path) -> None:
    for login in ("ann_1", "bob_2"):
        put(source / f"my_toy_{login}" / "toy.ipynb", "right")
    collect(source, "toy", out)
    assert {line["kind"] for line in lines(out)} == {"clone"}


def test_a_folder_that_an_instructor_named_like_gradescopes_is_a_download(source: Path, out: Path) -> None:
    put(source / "submission_1" / "ann.ipynb", "right")
    put(source / "submission_1" / "bob.ipynb", "right")
    assert set(contents(collect(source / "submission_1", "toy", out), out)) == {"ann.ipynb", "bob.ipynb"}


def test_files_beneath_thousands_of_folders_in_a_zip_are_each_accounted_for(tmp_path: Path, out: Path) -> None:
    deep = [f"{top}{'a/' * 2000}{number}.ipynb" for top in ("", "ann/") for number in range(3)]
    with zipfile.ZipFile(tmp_path / "download.zip", "w") as archive:
        for name in (*deep, "ann/toy.ipynb", "bob/toy.ipynb"):
            archive.writestr(name, "{}")
    found = collect(tmp_path / "download.zip", "toy", out)
    assert sorted(row.file for row in found.rows) == sorted((*deep, "ann/toy.ipynb", "bob/toy.ipynb"))
    assert list(found.collected) == ["ann.ipynb", "bob.ipynb"]
