"""The zip on Gradescope: /autograder laid out as Gradescope does, its two scripts run as Gradescope runs them.

Gradescope's contract (its "Autograder Specifications"): the zip is unpacked to /autograder/source, setup.sh runs once
when the image is built, run_autograder is copied to /autograder and runs for each submission in a fresh container, with
/autograder/submission and submission_metadata.json there; then /autograder/results/results.json is read.
"""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.build.command import Built

METADATA = {
    "id": 123456,
    "created_at": "2026-05-01T12:00:00.000000+02:00",
    "assignment": {"title": "Toy", "due_date": "2026-05-02T23:59:00.000000+02:00", "total_points": "7.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.org", "id": 1, "name": "Ada <script>alert(1)</script>"}],
    "previous_submissions": [],
}


@pytest.fixture(scope="module")
def built(toy_bundle: tuple[Built, Path]) -> tuple[Path, str, str]:
    """The zip, the solved and the hopeless notebook."""
    made, bundle = toy_bundle
    return bundle, made.solution, made.student


class Gradescope:
    """One container."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder = folder
        (folder / "submission").mkdir(parents=True)
        (folder / "results").mkdir()
        source = folder / "source"
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(source)
        for script in ("setup.sh", "run_autograder"):
            (source / script).chmod(0o755)  # as Gradescope does
        shutil.copy(source / "run_autograder", folder / "run_autograder")
        (folder / "submission_metadata.json").write_text(json.dumps(METADATA))
        prefix = folder / "prefix"
        prefix.mkdir()
        (prefix / "venv").symlink_to(sys.prefix)
        tools = folder / "tools"  # first on the PATH: this Python, whatever python3 is here, and no uv
        tools.mkdir()
        for name, command in {"python3": f'exec {shlex.quote(sys.executable)} "$@"', "uv": "exit 9"}.items():
            (tools / name).write_text(f"#!/bin/sh\n{command}\n")
            (tools / name).chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AUTOGRADER_PREFIX": str(prefix),
        }

    def run(self, script: Path) -> subprocess.CompletedProcess[str]:
        """Runs a script the way Gradescope does: by its path, without arguments, nothing on standard input."""
        return subprocess.run(
            [str(script)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    def set_up(self) -> subprocess.CompletedProcess[str]:
        """Runs setup.sh where the packages are installed already."""
        lists = "".join(path.read_text() for path in sorted((self.folder / "source").glob("requirements*.txt")))
        sums = subprocess.run(["cksum"], input=lists, capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / "prefix" / "installed").write_text(f"{sums}-Python {platform.python_version()}\n")
        return self.run(self.folder / "source" / "setup.sh")

    def grade(self, **files: str) -> dict[str, Any]:
        """Hands in files (dots written as __), and reads what the harness would."""
        for name, content in files.items():
            (self.folder / "submission" / name.replace("__", ".")).write_text(content)
        self.done = self.run(self.folder / "run_autograder")
        return json.loads((self.folder / "results" / "results.json").read_text())


@pytest.fixture
def gradescope(built: tuple[Path, str, str], tmp_path: Path) -> Gradescope:
    """A container of an image in which setup.sh has not been run; grading does without what it compiles."""
    return Gradescope(tmp_path / "autograder", built[0])


@dataclass(frozen=True)
class Image:
    """A container in which setup.sh has run and one submission has been graded; tests look at it and leave it alone."""

    container: Gradescope
    set_up: subprocess.CompletedProcess[str]
    found: tuple[str, ...]
    """What was in the prefix before anything was graded."""
    results: dict[str, Any]
    """Of the solved notebook."""
    graded: subprocess.CompletedProcess[str]

    @property
    def compiled(self) -> Path:
        """The folder of what was compiled ahead."""
        [folder] = [path for path in (self.container.folder / "prefix" / "compiled").glob("toy-*") if path.is_dir()]
        return folder


@pytest.fixture(scope="module")
def image(built: tuple[Path, str, str], tmp_path_factory: pytest.TempPathFactory) -> Image:
    container = Gradescope(tmp_path_factory.mktemp("image") / "autograder", built[0])
    done = container.set_up()
    found = tuple(sorted(entry.name for entry in (container.folder / "prefix").iterdir()))
    results = container.grade(toy__ipynb=built[1])
    return Image(container, done, found, results, container.done)


@pytest.fixture(scope="module")
def hopeless(built: tuple[Path, str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of the notebook as it is handed out, with a cell that kills its process."""
    notebook = json.loads(built[2])
    cell = {"cell_type": "code", "execution_count": None, "id": "x", "metadata": {}, "outputs": []}
    notebook["cells"].append({**cell, "source": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"})
    container = Gradescope(tmp_path_factory.mktemp("hopeless") / "autograder", built[0])
    results = container.grade(toy__ipynb=json.dumps(notebook))
    assert container.done.returncode == 0, container.done.stderr
    return results


def obeys(results: dict[str, Any]) -> None:
    """The format that Gradescope's harness accepts."""
    assert isinstance(results.get("score", 0), int | float)
    assert "score" in results or any("score" in test for test in results["tests"])
    assert "leaderboard" not in results
    for test in results["tests"]:
        assert {"name"} <= set(test)
        assert test.get("visibility", "visible") in ("hidden", "after_due_date", "after_published", "visible")
        assert test.get("status", "passed") in ("passed", "failed")
        assert isinstance(test.get("output", ""), str)


def test_the_zip_has_both_scripts_at_its_top(built: tuple[Path, str, str]) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        assert {"setup.sh", "run_autograder"} <= set(archive.namelist())
        assert archive.read("run_autograder").startswith(b"#!")
        assert b"\r" not in archive.read("setup.sh") + archive.read("run_autograder")


def test_setup_does_nothing_where_everything_is_installed(image: Image) -> None:
    assert image.set_up.returncode == 0, image.set_up.stderr
    assert "already installed" in image.set_up.stderr


def test_what_is_compiled_when_the_image_is_built_is_what_a_submission_looks_for(image: Image) -> None:
    assert "nothing could be compiled" not in image.set_up.stderr
    look = (
        "from autograder.grading.compiled import compiled_folder; from autograder.assignment import Assignment; "
        "from autograder.isolation.layers import policy; "
        "print(compiled_folder(Assignment.load('toy'), policy(), make=False))"
    )
    container = image.container
    course = container.folder / "course"
    environment = container.environment | {
        "PYTHONPATH": f"{course}:{container.folder / 'public'}",
        "AUTOGRADER_ASSIGNMENTS": str(course / "assignments"),
        "AUTOGRADER_CACHE": str(container.folder / "prefix" / "compiled"),
    }
    found = subprocess.run(
        [sys.executable, "-P", "-c", look], env=environment, capture_output=True, text=True, check=True
    )
    assert Path(found.stdout.strip()) == image.compiled


def test_what_is_compiled_ahead_can_be_read_and_not_changed_and_nothing_else_stays(image: Image) -> None:
    folder = image.compiled
    for path in (folder, folder.parent, *folder.iterdir()):
        assert path.stat().st_mode & 0o022 == 0
        assert path.stat().st_mode & 0o004 == 0o004
    assert (folder.parent / "known").stat().st_mode & 0o077 == 0  # what mistakes answer in hidden cases
    assert image.found == ("compiled", "installed", "venv")  # the course that was unpacked for it is gone


def test_on_another_processor_grading_goes_on_without_what_was_compiled(
    gradescope: Gradescope, image: Image, built: tuple[Path, str, str]
) -> None:
    ahead = gradescope.folder / "prefix" / "compiled"
    shutil.copytree(image.compiled.parent, ahead)
    (ahead / image.compiled.name).rename(ahead / "toy-000000000000000000000000")  # the name holds a processor's digest
    results = gradescope.grade(toy__ipynb=built[1])
    assert sum(test.get("score", 0) for test in results["tests"]) == 9


def test_an_image_is_built_even_if_nothing_can_be_compiled(gradescope: Gradescope) -> None:
    (gradescope.folder / "source" / "requirements.course.zip").write_bytes(b"")
    done = gradescope.set_up()
    assert done.returncode == 0
    assert "nothing could be compiled ahead" in done.stderr


def test_the_solved_notebook_gets_all_points_in_gradescopes_format(image: Image) -> None:
    assert image.graded.returncode == 0, image.graded.stderr
    obeys(image.results)
    assert sum(test.get("score", 0) for test in image.results["tests"]) == 9
    assert sum(test.get("max_score", 0) for test in image.results["tests"]) == 7


def test_students_see_public_cases_and_not_the_hidden_ones(
    hopeless: dict[str, Any], built: tuple[Path, str, str]
) -> None:
    obeys(hopeless)
    visible = json.dumps([test for test in hopeless["tests"] if test.get("visibility", "visible") == "visible"])
    with zipfile.ZipFile(built[0]) as archive:
        tests = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("tests/"))
    hidden = [
        part.split('name="')[1].split('"')[0] for part in tests.split("@test_case(")[1:] if "hidden=True" in part[:300]
    ]
    assert hidden
    assert [title for title in hidden if title in visible] == []


def test_the_users_name_in_the_metadata_is_nobodys_code(image: Image) -> None:
    assert "<script>" not in json.dumps(image.results)


def test_an_empty_upload_has_a_result(gradescope: Gradescope) -> None:
    results = gradescope.grade()
    assert gradescope.done.returncode == 0
    obeys(results)
    assert results["score"] == 0
    assert "no notebook" in results["tests"][0]["output"]


def test_a_submission_that_kills_its_process_has_a_result(hopeless: dict[str, Any]) -> None:
    obeys(hopeless)
    assert sum(test.get("score", 0) for test in hopeless["tests"]) == 0


def test_nothing_of_the_grader_is_printed_where_students_could_see_it(hopeless: dict[str, Any]) -> None:
    assert hopeless.get("stdout_visibility", "hidden") == "hidden"
    assert "Traceback" not in json.dumps([test for test in hopeless["tests"] if test.get("visibility") != "hidden"])
