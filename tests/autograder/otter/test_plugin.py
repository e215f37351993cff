"""The Otter plugin by itself: what is left of a submission before anything runs, and that it fails closed."""

import json
import os
import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from courses import copy_course

from autograder.isolation.procfs import start_of
from autograder.otter.plugin import REPORT, SESSION, IsolationPlugin, IsolationPluginError

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "metadata": {"tags": ["x"]}, "source": "def twice(x):\n    return 2 * x", "outputs": []}
    ],
    "metadata": {"kernelspec": {"name": "other", "display_name": "Other"}, "otter": {"assignment_name": "y"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}


class Bomb:
    """Deletes nothing, but would be noticed: unpickling it writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder as Otter lays it out, with the toy assignment in the bundle."""
    assignment = copy_course(tmp_path / "course")
    place = tmp_path / "autograder"
    for part in ("source/files/assignments", "submission", "results"):
        (place / part).mkdir(parents=True)
    assignment.folder.rename(place / "source/files/assignments/toy")
    (place / "source" / "otter_config.json").write_text("{}")
    (place / "submission" / "tests").mkdir()
    (place / "submission" / "tests" / "q1.py").write_text("# Otter's copy")
    (place / "submission" / "toy.ipynb").write_text(json.dumps(NOTEBOOK))
    return place


def config() -> SimpleNamespace:
    return SimpleNamespace(
        grade_from_log=True, serialized_variables={"x": "int"}, seed=3, seed_variable="s", pdf=True, token="secret"
    )


def plugin(place: Path, name: str = "toy.ipynb", **settings: Any) -> IsolationPlugin:
    made = IsolationPlugin(str(place / "submission" / name), {}, {"assignment": "toy", "bonus": {}, **settings})
    return made


def session_of(made: IsolationPlugin) -> dict[str, Any]:
    source = made.before_execution(None)["cells"][0]["source"]
    return json.loads(Path(source.split("'")[1]).read_text())


def test_nothing_of_a_submission_stays_but_its_text(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place / "submission"
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / "__init__.py").touch()
    (folder / ".OTTER_LOG").write_bytes(pickle.dumps(Bomb(place / "ran")))
    (folder / "autograder").mkdir()
    (folder / "autograder" / "otter_session.py").write_text("raise SystemExit")
    outside = place.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (folder / "link").symlink_to(outside)
    made = plugin(place)
    made.before_grading(config())
    assert sorted(entry.name for entry in folder.iterdir()) == ["tests", "toy.ipynb"]
    assert nbformat.read(folder / "toy.ipynb", as_version=4)["cells"] == []
    assert (outside / "kept").exists()
    assert not (place / "ran").exists()
    assert session_of(made)["submission"]["cells"] == ["def twice(x):\n    return 2 * x"]


def test_a_log_a_seed_and_a_token_are_never_used(place: Path) -> None:
    settings = config()
    plugin(place).before_grading(settings)
    assert (settings.grade_from_log, settings.seed, settings.pdf, settings.token) == (False, None, False, None)


def test_the_notebook_that_runs_is_one_trusted_cell(place: Path) -> None:
    made = plugin(place)
    made.before_grading(config())
    notebook = made.before_execution(nbformat.from_dict(NOTEBOOK))
    assert [cell["cell_type"] for cell in notebook["cells"]] == ["code"]
    assert "open_session" in notebook["cells"][0]["source"]
    assert notebook["cells"][0]["metadata"] == {}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "otter" not in notebook["metadata"]


def test_the_session_file_is_for_its_owner_alone(place: Path) -> None:
    made = plugin(place)
    made.before_grading(config())
    path = Path(made.before_execution(None)["cells"][0]["source"].split("'")[1])
    assert path.name == SESSION
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_seed_of_the_bundle_yields_to_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRADER_SEED", raising=False)
    made = plugin(place, seed="of the bundle")
    made.before_grading(config())
    assert session_of(made)["seed"] == "of the bundle"


def test_a_script_and_its_name_survive_as_an_empty_script(place: Path) -> None:
    (place / "submission" / "toy.ipynb").unlink()
    (place / "submission" / "üb.py").write_text("x = 1")
    made = plugin(place, "üb.py")
    made.before_grading(config())
    assert (place / "submission" / "üb.py").read_text() == ""
    assert session_of(made)["submission"]["cells"] == ["x = 1"]


def test_an_unusable_notebook_is_graded_as_one_without_cells(place: Path) -> None:
    (place / "submission" / "toy.ipynb").write_text('{"metadata": {}}')
    made = plugin(place)
    made.before_grading(config())
    submission = session_of(made)["submission"]
    assert submission["cells"] == []
    assert "not a notebook" in submission["notes"][0]


def test_a_folder_that_is_not_otters_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "toy.ipynb").write_text("{}")
    (tmp_path / "thesis.tex").touch()
    made = IsolationPlugin(str(tmp_path / "toy.ipynb"), {}, {"assignment": "toy"})
    with pytest.raises(IsolationPluginError, match="nothing was touched"):
        made.before_grading(config())
    assert (tmp_path / "thesis.tex").exists()


def results(*passed: bool) -> Any:
    from otter.test_files import GradingResults
    from otter.test_files.abstract_test import TestCase, TestCaseResult
    from otter.test_files.exception_test import ExceptionTestFile

    cases = [TestCase(f"c{k}", None, False, 0, None, None) for k in range(len(passed))]
    file = ExceptionTestFile("q3", "q3.py", cases, all_or_nothing=False)
    file.test_case_results = [TestCaseResult(c, "\x1b[31mno", ok) for c, ok in zip(cases, passed, strict=True)]
    return GradingResults([file])


def report(made: IsolationPlugin, **content: Any) -> None:
    folder = Path(made.before_execution(None)["cells"][0]["source"].split("'")[1]).parent
    (folder / REPORT).write_text(json.dumps({"closed": True, "problem": "", **content}))


def test_bonus_points_are_added_and_nothing_becomes_possible(place: Path) -> None:
    made = plugin(place, bonus={"q3": [0.5, 1.5]})
    made.before_grading(config())
    report(made, outcome={"notes": ["a note"], "output": "printed\x07"})
    graded = results(False, True)
    made.after_grading(graded)
    assert graded.get_score("q3") == 1.5
    assert graded.possible == 0
    assert graded.output == "a note\nPrinted by the notebook:\nprinted"
    assert graded.notebook["cells"] == []
    assert graded.results["q3"].test_case_results[0].message == "no"


@pytest.mark.parametrize(
    "content", [{"closed": False}, {"problem": "no isolation here"}, {"closed": True, "problem": "2 left"}]
)
def test_no_score_without_an_isolated_session_that_ended(place: Path, content: dict[str, Any]) -> None:
    made = plugin(place)
    made.before_grading(config())
    report(made, **content)
    with pytest.raises(IsolationPluginError):
        made.after_grading(results(True))


def test_no_score_when_the_trusted_cell_never_ran(place: Path) -> None:
    made = plugin(place)
    made.before_grading(config())
    with pytest.raises(IsolationPluginError, match="not opened"):
        made.after_grading(results(True))


def test_the_session_folder_is_gone_after_grading(place: Path) -> None:
    made = plugin(place)
    made.before_grading(config())
    folder = Path(made.before_execution(None)["cells"][0]["source"].split("'")[1]).parent
    report(made)
    made.after_grading(results())
    assert not folder.exists()


def test_a_process_is_named_by_when_it_started() -> None:
    assert start_of(os.getpid()) == start_of(os.getpid()) != ""
    assert start_of(2**22 + 1) == ""


def test_otter_unpacks_a_zip_inside_its_folder_only(tmp_path: Path) -> None:
    """What the plugin relies on: Python's extractall, which Otter uses before any plugin is there."""
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("../../outside.py", "x")
        link = zipfile.ZipInfo("tests")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        archive.extractall(tmp_path / "in")
    assert not (tmp_path / "outside.py").exists()
    assert not (tmp_path.parent / "outside.py").exists()
    assert not (tmp_path / "in" / "tests").is_symlink()
