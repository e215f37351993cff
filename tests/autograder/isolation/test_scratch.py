"""Removing a scratch folder: all of it, whatever is in it, and nothing else."""

import os
from pathlib import Path

import pytest

from autograder.walk import remove_folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o750)
    (folder / "kept").write_text("kept")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def untouched(outside: Path) -> bool:
    return (outside / "kept").read_text() == "kept" and outside.stat().st_mode & 0o777 == 0o750


def test_links_are_removed_not_followed(scratch: Path, outside: Path) -> None:
    (scratch / "a" / "b").mkdir(parents=True)
    for place in (scratch, scratch / "a", scratch / "a" / "b"):
        (place / "folder").symlink_to(outside)
        (place / "file").symlink_to(outside / "kept")
        (place / "nowhere").symlink_to("/nowhere")
    remove_folder(str(scratch))
    assert not scratch.exists()
    assert untouched(outside)


def test_a_scratch_folder_that_is_itself_a_link_is_left_alone(scratch: Path, outside: Path) -> None:
    scratch.rmdir()
    scratch.symlink_to(outside)
    remove_folder(str(scratch))
    assert untouched(outside)


def test_folders_without_permissions_are_removed(scratch: Path, outside: Path) -> None:
    (scratch / "a" / "b" / "c").mkdir(parents=True)
    (scratch / "a" / "b" / "c" / "file").write_text("x")
    (scratch / "a" / "link").symlink_to(outside)
    for path in (scratch / "a" / "b" / "c", scratch / "a" / "b", scratch / "a", scratch):
        path.chmod(0)
    remove_folder(str(scratch))
    assert not scratch.exists()
    assert untouched(outside)


def test_folders_deeper_than_any_path_are_removed(scratch: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(scratch)
        for _ in range(400):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        Path("file").write_text("x")
    finally:
        os.chdir(here)
    remove_folder(str(scratch))
    assert not scratch.exists()


def test_names_that_are_no_text_pipes_and_sockets_are_removed(scratch: Path) -> None:
    import socket

    os.mkdir(os.fsencode(scratch) + b"/\xff\xfe")
    (Path(os.fsdecode(os.fsencode(scratch) + b"/\xff\xfe")) / "\n\x1b[31m").write_text("x")
    os.mkfifo(scratch / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(scratch)  # a socket's path is short
        bound.bind("socket")
        os.chdir(here)
    remove_folder(str(scratch))
    assert not scratch.exists()


def test_a_folder_that_is_gone_is_no_error(scratch: Path) -> None:
    scratch.rmdir()
    remove_folder(str(scratch))
