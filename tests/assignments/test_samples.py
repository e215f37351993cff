"""The sample class: made from the toy course, graded in isolation, every submission gets what it must."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from courses import copy_course

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.command import build
from autograder.grading.one import grade_one
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.samples import Expected, write_sample_class
from autograder.submissions.read import SubmissionError, read_submission


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assignment]:
    root = tmp_path_factory.mktemp("toys") / "course"
    assignment = copy_course(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_ASSIGNMENTS", str(assignment.folder.parent))
        patch.syspath_prepend(str(root))
        # the package is imported already, from this repository
        import reference

        patch.setattr(reference, "__path__", [str(root / "reference"), *reference.__path__])
        assert build(["toy"], root / "dist", check=False) == 0
        yield assignment


@pytest.fixture(scope="module")
def sample_class(toy: Assignment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Expected]]:
    folder = tmp_path_factory.mktemp("class")
    return folder, write_sample_class(toy, folder)


def test_there_are_enough_of_every_kind(sample_class: tuple[Path, dict[str, Expected]]) -> None:
    folder, expected = sample_class
    assert len(expected) >= 16
    assert {Path(name).suffix for name in expected} == {".ipynb", ".py", ".zip"}
    assert sorted(expected) == sorted(path.name for path in folder.iterdir() if path.name != "expected.json")
    assert set(json.loads((folder / "expected.json").read_text())) == set(expected)


def test_writing_the_class_again_gives_the_same_bytes(
    toy: Assignment, sample_class: tuple[Path, dict[str, Expected]], tmp_path: Path
) -> None:
    write_sample_class("toy", tmp_path)
    for path in sample_class[0].iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


NAMES = [
    "perfect.ipynb", "perfect_script.py", "perfect_export.zip", "perfect_prints_much.ipynb",
    "perfect Übung – λ Müller.ipynb", "mistake_twice__squared.ipynb", "mistake_total__starts_at_one.ipynb",
    "mistake_mean__one_less.ipynb", "mistake_largest__from_zero.ipynb", "half_done.ipynb", "empty_template.ipynb",
    "wrong_shapes.ipynb", "returns_nothing.ipynb", "misspelled_function.ipynb", "first_cell_raises.ipynb",
    "answer_cell_raises.ipynb", "markdown_only.ipynb", "endless_loop.ipynb", "exits_the_process.ipynb",
    "calls_exit.ipynb", "recursion_without_end.ipynb",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_submission_gets_what_it_must(
    name: str, toy: Assignment, sample_class: tuple[Path, dict[str, Expected]], workshop: ForkServer
) -> None:
    folder, expected = sample_class
    submission = read_submission(folder / name, toy.limits, assignment="toy")
    result = grade_one(submission, toy, partial(Session, workshop))
    assert result.status == "completed", result.problem
    earned = {question.name: question.earned for question in result.questions}
    assert expected[name].objections(earned) == [], [c.message for q in result.questions for c in q.cases]


@pytest.mark.parametrize("name", ["truncated.ipynb", "empty_file.ipynb", "essay.zip", "not_a_notebook.ipynb"])
def test_a_file_that_is_no_submission_is_refused(
    name: str, toy: Assignment, sample_class: tuple[Path, dict[str, Expected]]
) -> None:
    folder, expected = sample_class
    assert expected[name].unreadable
    with pytest.raises(SubmissionError):
        read_submission(folder / name, toy.limits, assignment="toy")


def test_expectations_say_what_is_wrong() -> None:
    expected = Expected({"q1": (4, 4), "q2": (0, 2)})
    assert expected.objections({"q1": 4, "q2": 1.5}) == []
    assert expected.objections({"q1": 3, "q2": 3}) == ["q1: 3 points, must be 4", "q2: 3 points, must be 0 to 2"]
    assert expected.objections({"q1": 4}) == ["q2: None points, must be 0 to 2"]
    assert Expected(unreadable="broken").objections({"q1": 1}) == ["q1: 1 points, must be 0"]


def test_samples_need_a_built_notebook(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="autograder build toy"):
        write_sample_class(copy_course(tmp_path / "course"), tmp_path / "class")
