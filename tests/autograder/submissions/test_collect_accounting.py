"""Every file of a download gets one verdict, whatever the download is: built so, and tried on random trees and zips."""

import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from courses import notebook
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from autograder import walk
from autograder.assignment import Limits
from autograder.submissions.collect import Collected, CollectError, collect, download

NAMES = st.sampled_from(
    [
        "toy.ipynb",
        "toy.ipynb.txt",
        "toy-1.ipynb",
        "other.ipynb",
        "toy.py",
        "toy.pdf",
        "doe_1_2_toy.ipynb",
        "doe_LATE_1_3_toy.html",
        "anon_7_8_toy.ipynb",
        "webed_107_text.html",
        "Jane Doe_42_assignsubmission_file_",
        "Jane Doe_42_assignsubmission_file_toy.ipynb",
        "Jo_43_assignsubmission_onlinetext_",
        "HW_jd_attempt_2026-01-02-03-04-05_toy.ipynb",
        "HW_jd_attempt_2026-01-02-03-04-05.txt",
        "12-34 - Jane Doe - Sep 24, 2024 926 PM",
        "Doe_Jane_jd_77",
        "submission_1",
        "submission_metadata.yml",
        "class.csv",
        "a",
        "b",
        "tests",
        "adkit",
        ".git",
        "__MACOSX",
        ".DS_Store",
        "NOT_FETCHED.txt",
        "Zoë",
        "Zoe\u0308",
    ]
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=15)
CONTENTS = st.sampled_from(["{}", "", "x = 1", "submission_1:\n  :submitters:\n  - :name: Ann\n", "a: [", "- 1"])


def verdicts(found: Collected, file: str) -> int:
    """How many rows speak of a file."""
    return sum(row.file == file or (row.file.endswith("/") and file.startswith(row.file)) for row in found.rows)


def check(found: Collected, files: list[str], out: Path) -> None:
    assert {file: verdicts(found, file) for file in files} == dict.fromkeys(files, 1)
    taken = [row for row in found.rows if row.verdict == "taken"]
    assert {name for row in taken for name in row.name.split("; ")} == set(found.collected)
    assert {path.name for path in out.iterdir()} == {*found.collected, "submissions.csv", "collected.csv"}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PATHS, st.lists(CONTENTS, min_size=15, max_size=15))
def test_every_file_of_a_folder_has_one_verdict(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]], contents: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    source = folder / "source"
    source.mkdir()
    for parts, content in zip(paths, contents, strict=False):
        target = source.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
    files = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    try:
        found = collect(source, "toy", folder / "out")
    except CollectError:  # it says why there is nothing, or which folder to give
        event("refused as a whole")
        return
    check(found, files, folder / "out")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([["submission_metadata.yml"], ["submission_metadata.yml", "toy.ipynb"]])  # a file and a folder of one name
@given(PATHS)
def test_every_file_of_a_zip_has_one_verdict(tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("zip")
    names = list(dict.fromkeys("/".join(parts) for parts in paths))
    with zipfile.ZipFile(folder / "download.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    try:
        found = collect(folder / "download.zip", "toy", folder / "out")
    except CollectError:
        event("refused as a whole")
        return
    check(found, names, folder / "out")


# --- zips ---------------------------------------------------------------------------------------------------------


def archive(folder: Path, entries: dict[str, bytes], links: tuple[str, ...] = ()) -> Path:
    path = folder / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in entries.items():
            content.writestr(name, data)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            content.writestr(info, "/etc/passwd")
    return path


def rows(found: Collected) -> dict[str, tuple[str, str]]:
    return {row.file: (row.verdict, row.reason) for row in found.rows}


def test_links_and_paths_out_of_a_zip_are_refused_and_nothing_is_written_elsewhere(tmp_path: Path) -> None:
    entries = {"a.ipynb": b"{}", "../out.ipynb": b"{}", "/etc/out.ipynb": b"{}", "c:\\out.ipynb": b"{}"}
    found = collect(archive(tmp_path, entries, links=("link.ipynb",)), "toy", tmp_path / "in" / "out")
    assert list(found.collected) == ["a.ipynb"]
    refused = {reason for verdict, reason in rows(found).values() if verdict == "refused"}
    assert any("leads out of the zip" in reason for reason in refused)
    assert any("is a link" in reason for reason in refused)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["download.zip", "in"]
    assert not found.complete


def test_two_files_of_one_name_in_a_zip_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("a.ipynb", "first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            content.writestr("a.ipynb", "second")
    found = collect(path, "toy", tmp_path / "out")
    assert len(found.rows) == 2
    assert (tmp_path / "out" / "a.ipynb").read_text() == "first"


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_in_a_zip_that_says_nothing_about_them_are_read(tmp_path: Path, encoding: str) -> None:
    path = archive(tmp_path, {"XX.ipynb".replace("XX", "M" * len("Müller".encode(encoding))): b"{}"})
    name = "Müller.ipynb".encode(encoding)
    path.write_bytes(path.read_bytes().replace(b"M" * (len(name) - 6) + b".ipynb", name))
    assert list(collect(path, "toy", tmp_path / "out").collected) == ["Müller.ipynb"]


def test_what_unpacks_to_more_than_it_says_is_cut_off_and_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.ipynb": bytes(500_000), "b.ipynb": b"{}"})
    found = collect(path, "toy", tmp_path / "out", limits=Limits(submission_bytes=1000))
    assert list(found.collected) == ["b.ipynb"]
    assert "too large" in rows(found)["a.ipynb"][1]
    assert not found.complete


def test_a_zip_protected_by_a_password_and_one_with_a_wrong_sum_cost_their_owners_only(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.ipynb": b"{}", "b.ipynb": b"{}", "c.ipynb": b"{}"})
    content = bytearray(path.read_bytes())
    entries = [at for at in range(len(content)) if content.startswith(b"PK\x01\x02", at)]
    content[entries[0] + 8] |= 1  # encrypted
    struct.pack_into("<L", content, entries[1] + 16, 12345)  # another CRC
    path.write_bytes(content)
    found = collect(path, "toy", tmp_path / "out")
    assert list(found.collected) == ["c.ipynb"]
    assert "password" in rows(found)["a.ipynb"][1]
    assert rows(found)["b.ipynb"][0] == "refused"


def test_a_zip_in_a_zip_is_a_students_export(tmp_path: Path) -> None:
    inner = archive(tmp_path, {"toy.ipynb": b"{}"}).read_bytes()
    found = collect(archive(tmp_path, {"doe_1_2_toy.zip": inner}), "toy", tmp_path / "out")
    assert list(found.collected) == ["doe-1.zip"]
    assert (tmp_path / "out" / "doe-1.zip").read_bytes() == inner


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06 no zip", b"<html>"])
def test_a_file_that_is_no_zip_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "download.zip").write_bytes(content)
    with pytest.raises(CollectError, match="neither a folder nor a zip"):
        collect(tmp_path / "download.zip", "toy", tmp_path / "out")


def test_a_zip_of_more_entries_than_a_class_has_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path, {f"{number}.ipynb": b"{}" for number in range(30)})
    monkeypatch.setattr(download, "MAX_DIRECTORY_BYTES", 1000)
    with pytest.raises(CollectError, match="more files than are looked at"):
        collect(path, "toy", tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(download, "MAX_ARCHIVE_ENTRIES", 20)
    with pytest.raises(CollectError, match="more than 20 entries"):
        collect(path, "toy", tmp_path / "out")


# --- bounds -------------------------------------------------------------------------------------------------------


def test_one_students_thousands_of_files_cost_only_that_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "MAX_ENTRIES", 50)
    for student in ("ann", "bob", "eve"):
        (tmp_path / "in" / student).mkdir(parents=True)
        (tmp_path / "in" / student / "toy.ipynb").write_text(notebook("x = 1"))
    for number in range(60):
        (tmp_path / "in" / "eve" / f"{number:03}.txt").touch()
    found = collect(tmp_path / "in", "toy", tmp_path / "out")
    assert list(found.collected) == ["ann.ipynb", "bob.ipynb"]
    assert rows(found)["eve/"][0] == "refused"
    assert "more than 50 files" in rows(found)["eve/"][1]
    assert found.empty_handed == ("eve",)


def test_a_file_that_cannot_be_a_name_elsewhere_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with open(os.fsencode(tmp_path / "in") + b"/\xff.ipynb", "w") as file:
        file.write("{}")
    (tmp_path / "in" / "new\nline.ipynb").write_text("{}")
    found = collect(tmp_path / "in", "toy", tmp_path / "out")
    assert len(found.collected) == 2
    assert all(row.verdict == "taken" for row in found.rows)
