"""From each platform's download to collected submissions: of a class of 30 nobody is lost, and every file is accounted
for."""

import csv
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from downloads import ASSIGNMENT, DEEP, LIMITS, OTHERS, PLATFORMS, TWINS, Expected, simulated

from autograder.records import roster
from autograder.submissions.batch import gather
from autograder.submissions.collect import Collected, collect


def collected(expected: Expected, download: Path, out: Path) -> Collected:
    return collect(download, ASSIGNMENT, out, expected.roster, LIMITS, OTHERS)


def covered(found: Collected, entries: tuple[str, ...]) -> dict[str, int]:
    """How many rows speak of each file: itself, or a folder above it that was not looked into."""
    files = [row.file for row in found.rows if not row.file.endswith("/")]
    folders = [row.file for row in found.rows if row.file.endswith("/")]
    return {
        entry: sum(file == entry for file in files) + sum(entry.startswith(folder) for folder in folders)
        for entry in entries
    }


def lines(out: Path) -> dict[str, dict[str, str]]:
    """submissions.csv by the students' own numbers."""
    return {line["id"]: line for line in csv.DictReader((out / "submissions.csv").read_text().splitlines())}


@pytest.fixture
def unpacked(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "unpacked"
    subprocess.run(["rm", "-rf", str(tmp_path / "unpacked")], check=True)  # deeper than shutil can remove


def unpack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as content:
        for info in content.infolist():
            path = folder
            for part in Path(info.filename).parts[:-1]:
                path.mkdir(exist_ok=True)
                path = path / part
            path.mkdir(exist_ok=True)
            target = path / Path(info.filename).name
            if stat.S_ISLNK(info.external_attr >> 16):
                target.symlink_to("/etc/passwd")
            else:
                target.write_bytes(content.read(info))
    return folder


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_a_class_of_thirty_everyone_is_taken_refused_or_missing(platform: str, tmp_path: Path) -> None:
    expected = simulated(platform, tmp_path)
    found = collected(expected, expected.download, tmp_path / "out")
    contents = {hand_in.student.id: (tmp_path / "out" / name).read_bytes() for name, hand_in in found.collected.items()}
    assert contents == expected.taken
    there = lines(tmp_path / "out")
    assert {number for number, line in there.items() if line["problem"]} == expected.refused
    assert {student.id for student in found.missing} == expected.missing
    assert len(contents) + len(expected.refused) + len(expected.missing) == 30
    assert found.nobodys == ()
    assert not found.complete  # some have nothing that can be taken: exit code 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_file_of_a_download_has_one_verdict(platform: str, tmp_path: Path) -> None:
    expected = simulated(platform, tmp_path)
    found = collected(expected, expected.download, tmp_path / "out")
    assert set(covered(found, expected.entries).values()) == {1}
    assert {row.verdict for row in found.rows} <= {"taken", "left", "refused"}
    assert all(row.reason for row in found.rows if row.verdict != "taken")
    written = list(csv.DictReader((tmp_path / "out" / "collected.csv").read_text().splitlines()))
    assert len(written) == len(found.rows)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_unpacked_download_comes_out_as_the_zip_does(platform: str, tmp_path: Path, unpacked: Path) -> None:
    expected = simulated(platform, tmp_path)
    collected(expected, expected.download, tmp_path / "of zip")
    collected(expected, unpack(expected.download, unpacked), tmp_path / "of folder")
    assert (tmp_path / "of folder" / "submissions.csv").read_text() == (
        tmp_path / "of zip" / "submissions.csv"
    ).read_text()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_platforms_numbers_times_and_marks_are_collected(platform: str, tmp_path: Path) -> None:
    expected = simulated(platform, tmp_path)
    collected(expected, expected.download, tmp_path / "out")
    there = lines(tmp_path / "out")
    digits = {number: platform.split()[-1] for number, platform in expected.platforms.items()}
    assert {n: there[n]["platform"].removeprefix("Teilnehmer/in") for n in digits} == digits
    assert {n: there[n]["submitted"] for n in expected.submitted} == expected.submitted
    assert {number for number, line in there.items() if line["late"] == "yes"} == expected.late


@pytest.mark.parametrize("platform", PLATFORMS)
def test_grading_knows_the_same_students_as_collecting_with_the_list_or_without(platform: str, tmp_path: Path) -> None:
    expected = simulated(platform, tmp_path)
    collect(expected.download, ASSIGNMENT, tmp_path / "without", None, LIMITS, OTHERS)
    collected(expected, expected.download, tmp_path / "with")
    for folder in (tmp_path / "without", tmp_path / "with"):
        batch = gather([folder], ASSIGNMENT)
        found = roster.identify(expected.roster, [folder], batch.names, ASSIGNMENT)
        assert {student.id for student in found.students.values()} == {*expected.taken, *expected.refused}
        assert {student.id for student in found.missing} == expected.missing
        assert found.strangers == ()
        assert len(batch.refused) == len(expected.refused)


def test_two_of_one_name_keep_their_own_work(tmp_path: Path) -> None:
    expected = simulated("canvas", tmp_path)
    collected(expected, expected.download, tmp_path / "out")
    there = lines(tmp_path / "out")
    for index in TWINS:
        student = expected.students[index]
        assert f"number {index}" in (tmp_path / "out" / there[student.id]["file"]).read_text()


def test_a_folder_nested_beyond_the_bound_costs_nobody_anything(tmp_path: Path, unpacked: Path) -> None:
    expected = simulated("classroom", tmp_path)
    found = collected(expected, unpack(expected.download, unpacked), tmp_path / "out")
    deep = [row for row in found.rows if "nested more than" in row.reason]
    assert [row.student for row in deep] == [f"hw-1-{expected.students[DEEP].login}"]
    assert os.path.exists(tmp_path / "out" / f"hw-1-{expected.students[DEEP].login}.ipynb")
