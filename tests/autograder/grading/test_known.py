"""What known mistakes answer is kept between runs: for the grader's eyes, for this content and this seed only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.grading import known, recognition

ASSIGNMENT = Assignment.load("matrix_gradients")
FOLDER = str(ASSIGNMENT.folder)
ANSWERS = {"test_q1_x": {"linear_solve_vjp__minus_missing": (2, "digest 1 2"), "linear_solve_vjp__b_for_x": None}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTOGRADER_SEED", "course")
    recognition._recogniser.cache_clear()
    yield tmp_path / "cache"
    recognition._recogniser.cache_clear()


def found_out() -> None:
    recogniser = recognition._recogniser(FOLDER)
    recogniser.answers["course"] = {case: dict(entries) for case, entries in ANSWERS.items()}
    recogniser.unsaved = True


def next_process() -> dict[str, object]:
    recognition._recogniser.cache_clear()
    known.load(ASSIGNMENT)
    return dict(recognition._recogniser(FOLDER).answers)


def test_the_next_process_knows_what_this_one_found_out() -> None:
    found_out()
    known.save(ASSIGNMENT)
    assert next_process() == {"course": ANSWERS}


def test_another_seed_knows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found_out()
    known.save(ASSIGNMENT)
    monkeypatch.setenv("AUTOGRADER_SEED", "another")
    assert next_process() == {}


def test_another_content_knows_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found_out()
    known.save(ASSIGNMENT)
    monkeypatch.setattr(known, "content_key", lambda *_: "changed")
    assert next_process() == {}


def test_only_the_grader_reads_it(cache: Path) -> None:
    found_out()
    known.save(ASSIGNMENT)
    assert (cache / "known").stat().st_mode & 0o077 == 0
    (file,) = (cache / "known").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert "course" not in file.name + file.read_text()


def test_nothing_is_written_when_nothing_new_was_found_out(cache: Path) -> None:
    known.save(ASSIGNMENT)
    assert list(cache.glob("known/*")) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path / "file"))
    found_out()
    known.save(ASSIGNMENT)
    assert next_process() == {}
