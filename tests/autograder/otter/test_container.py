"""The bundle's own scripts, run in a folder laid out as `otter grade`'s image and Gradescope lay it out."""

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autograder.build.command import Built
from autograder.otter.container.entry import find_submission
from autograder.otter.listener import PLUGIN
from autograder.otter.outcome import read
from autograder.records.results import Timeout
from autograder.submissions.read import SubmissionError, demonstration_digest


class Container:
    """A folder like /autograder."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder = folder
        for part in ("source", "submission", "results"):
            (folder / part).mkdir(parents=True)
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder / "source")
        shutil.move(folder / "source" / "run_autograder", folder / "run_autograder")
        (folder / "submission_metadata.json").touch()  # as Otter's image leaves it
        (folder / "prefix").mkdir()
        (folder / "prefix" / "venv").symlink_to(sys.prefix)

    def grade(self, **files: bytes) -> dict[str, Any]:
        """Hands in `files` (dots written as __), grades, and reads results.json."""
        for name, content in files.items():
            (self.folder / "submission" / name.replace("__", ".")).write_bytes(content)
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "AUTOGRADER_SEED")}
        environment["AUTOGRADER_PREFIX"] = str(self.folder / "prefix")
        self.done = subprocess.run(
            ["bash", str(self.folder / "run_autograder")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return json.loads((self.folder / "results" / "results.json").read_text())

    @property
    def pickled(self) -> Any:
        """What `otter grade` reads on the instructor's machine."""
        return pickle.loads((self.folder / "results" / "results.pkl").read_bytes())


@pytest.fixture(scope="module")
def made(toy_bundle: tuple[Built, Path]) -> tuple[Path, bytes]:
    """The bundle and the perfect notebook."""
    built, bundle = toy_bundle
    return bundle, built.solution.encode()


@pytest.fixture
def container(made: tuple[Path, bytes], tmp_path: Path) -> Container:
    return Container(tmp_path / "autograder", made[0])


def test_the_course_travels_a_second_time_for_the_image(made: tuple[Path, bytes]) -> None:
    with zipfile.ZipFile(made[0]) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.startswith("files/")}
        with zipfile.ZipFile(io.BytesIO(archive.read("requirements.course.zip"))) as course:
            assert {f"files/{name}": course.read(name) for name in course.namelist()} == files
    assert "files/reference/toy.py" in files


def test_running_out_of_time_crosses_otter_as_fields(container: Container) -> None:
    cell = "import time\ndef twice(x): time.sleep(100)"
    content = {"cells": [{"cell_type": "code", "metadata": {}, "source": cell, "outputs": []}], "metadata": {}}
    notebook = json.dumps(content | {"nbformat": 4, "nbformat_minor": 4}).encode()
    settings = container.folder / "source" / "files" / "assignments" / "toy" / "assignment.toml"
    settings.write_text(settings.read_text().replace("call_seconds = 2", "call_seconds = 1"))
    container.grade(toy__ipynb=notebook)
    outcome = read(container.pickled.get_plugin_data(PLUGIN))
    assert Timeout("call", "twice", 1) in outcome.timeouts
    assert "timeout" in [said.failure for said in outcome.cases.values()]


def by_name(results: dict[str, Any]) -> dict[str, Any]:
    return {test["name"]: test for test in results["tests"]}


@pytest.fixture(scope="module")
def exported(made: tuple[Path, bytes], tmp_path_factory: pytest.TempPathFactory) -> tuple[Container, dict[str, Any]]:
    """Everything right, in an export with files that nobody may load, and an endless cell that is a demonstration.

    Where it was graded, and the tests in its results.
    """
    container = Container(tmp_path_factory.mktemp("exported") / "autograder", made[0])
    notebook = json.loads(made[1])
    notebook["metadata"] = {"kernelspec": {"name": "not-there", "display_name": "?"}, "otter": {"tests": 3}}
    source = "while True: pass"
    endless: dict[str, Any] = {"cell_type": "code", "id": "endless", "outputs": [], "execution_count": None}
    endless |= {"source": source, "metadata": {"demonstration": demonstration_digest(source)}}
    notebook["cells"].append(endless)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("toy.ipynb", json.dumps(notebook))
        archive.writestr(".OTTER_LOG", b"cos\nsystem\n(S'touch /tmp/unpickled'\ntR.")
        archive.writestr("otter/__init__.py", "raise SystemExit(3)")
        archive.writestr("tests/q1.py", "raise SystemExit(3)")
    return container, by_name(container.grade(export__zip=file.getvalue()))


def test_a_perfect_notebook_gets_every_point_and_the_bonus(exported: tuple[Container, dict[str, Any]]) -> None:
    container, tests = exported
    assert container.done.returncode == 0, container.done.stderr
    assert {name: tests[name]["score"] for name in ("q1", "q2", "q3")} == {"q1": 4, "q2": 3, "q3": 2}
    assert {name: tests[name]["max_score"] for name in ("q1", "q2", "q3")} == {"q1": 4, "q2": 3, "q3": 0}
    assert tests["q1"]["visibility"] == "hidden"
    assert container.pickled.total == 9
    assert container.pickled.possible == 7


def test_an_export_is_graded_by_its_notebooks_cells_and_nothing_else(
    exported: tuple[Container, dict[str, Any]],
) -> None:
    assert exported[1]["q1"]["score"] == 4
    assert not Path("/tmp/unpickled").exists()


def test_a_demonstration_is_one_in_a_container_too(exported: tuple[Container, dict[str, Any]]) -> None:
    assert exported[1]["q1"]["score"] == 4
    assert "left out" not in json.dumps(exported[1])


def test_what_cannot_be_read_gets_a_row_and_a_sentence_and_what_is_trusted_is_its_owners(container: Container) -> None:
    results = container.grade(toy__ipynb=b"")
    assert container.done.returncode == 0
    assert results["score"] == 0
    [test] = results["tests"]
    assert "empty" in test["output"]
    assert test["visibility"] == "visible"
    assert container.pickled.has_catastrophic_failure()
    assert "empty" in str(container.pickled.catastrophic_error)
    for part in ("course", "source", "submission", "results"):
        assert (container.folder / part).stat().st_mode & 0o077 == 0
    assert (container.folder / "course" / "reference" / "toy.py").is_file()
    assert (container.folder / "public" / "adkit").stat().st_mode & 0o005 == 0o005
    assert not (container.folder / "source" / "files" / "reference").exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"toy.ipynb": b'{"cells": ['}, "not a notebook"),
        ({"toy.ipynb": b""}, "empty"),
        ({"toy.ipynb": b'{"cells": 3}'}, "not a notebook"),
        ({"toy.ipynb": b"[]"}, "not a notebook"),
        ({"essay.txt": b"On gradients"}, "no notebook"),
        ({}, "no notebook"),
        ({"a.ipynb": b"{}", "b.ipynb": b"{}"}, "2 notebooks"),
        ({"work.zip": b"not a zip"}, "not a readable zip"),
    ],
)
def test_every_file_that_cannot_be_read_has_its_sentence(
    toy_bundle: tuple[Built, Path], files: dict[str, bytes], says: str, tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SubmissionError, match=says):
        find_submission(tmp_path, toy_bundle[0].assignment)


def test_a_grader_that_cannot_start_still_leaves_a_result(container: Container, made: tuple[Path, bytes]) -> None:
    shutil.rmtree(container.folder / "source" / "files" / "autograder" / "isolation")
    results = container.grade(toy__ipynb=made[1])
    assert results["score"] == 0
    assert by_name(results)["Autograder"]["visibility"] == "visible"
    details = by_name(results)["Autograder error"]
    assert details["visibility"] == "hidden"
    assert "isolation" in details["output"]
    assert container.pickled.has_catastrophic_failure()


def test_even_without_an_interpreter_there_is_a_result(container: Container) -> None:
    (container.folder / "prefix" / "venv").unlink()
    results = container.grade(toy__ipynb=b"{}")
    assert container.done.returncode != 0
    assert results["score"] == 0
    assert "not your fault" in results["tests"][0]["output"]
