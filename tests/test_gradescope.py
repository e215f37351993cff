"""The zip on Gradescope: /autograder laid out as Gradescope does, its two scripts run as Gradescope runs them.

Gradescope's contract (its "Autograder Specifications"): the zip is unpacked to /autograder/source, setup.sh runs once
when the image is built, run_autograder is copied to /autograder and runs for each submission in a fresh container, with
/autograder/submission and submission_metadata.json there; then /autograder/results/results.json is read.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from toys import copy_course

from autograder.build.bundle import write_bundle
from autograder.build.command import assemble

METADATA = {
    "id": 123456,
    "created_at": "2026-05-01T12:00:00.000000+02:00",
    "assignment": {"title": "Toy", "due_date": "2026-05-02T23:59:00.000000+02:00", "total_points": "7.0"},
    "submission_method": "upload",
    "users": [{"email": "ada@example.org", "id": 1, "name": "Ada <script>alert(1)</script>"}],
    "previous_submissions": [],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The zip, the solved and the untouched notebook."""
    folder = tmp_path_factory.mktemp("gradescope")
    made = assemble(copy_course(folder / "course"))
    write_bundle(made.assignment, made.tests, folder / "autograder.zip")
    return folder / "autograder.zip", made.solution, made.student


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
        self.environment = {
            "PATH": os.environ["PATH"],
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

    def grade(self, **files: str) -> dict[str, Any]:
        """Hands in files (dots written as __), and reads what the harness would."""
        for name, content in files.items():
            (self.folder / "submission" / name.replace("__", ".")).write_text(content)
        self.done = self.run(self.folder / "run_autograder")
        return json.loads((self.folder / "results" / "results.json").read_text())


@pytest.fixture
def gradescope(built: tuple[Path, str, str], tmp_path: Path) -> Gradescope:
    return Gradescope(tmp_path / "autograder", built[0])


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


def test_setup_does_nothing_where_everything_is_installed(gradescope: Gradescope) -> None:
    setup = gradescope.folder / "source" / "setup.sh"
    lists = "".join(path.read_text() for path in sorted((gradescope.folder / "source").glob("requirements.*")))
    sums = subprocess.run(["cksum"], input=lists, capture_output=True, text=True, check=True).stdout.strip()
    python = shutil.which("python3", path=gradescope.environment["PATH"])
    version = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True).stdout.strip()
    (gradescope.folder / "prefix" / "installed").write_text(f"{sums}-{version}\n")
    # uv is there, so that none is installed to find out
    tools = gradescope.folder / "tools"
    tools.mkdir()
    (tools / "uv").write_text("#!/bin/sh\nexit 9\n")
    (tools / "uv").chmod(0o755)
    gradescope.environment["PATH"] = f"{tools}:{gradescope.environment['PATH']}"
    done = gradescope.run(setup)
    assert done.returncode == 0, done.stderr
    assert "already installed" in done.stderr


def test_the_solved_notebook_gets_all_points_in_gradescopes_format(
    gradescope: Gradescope, built: tuple[Path, str, str]
) -> None:
    results = gradescope.grade(toy__ipynb=built[1])
    assert gradescope.done.returncode == 0, gradescope.done.stderr
    obeys(results)
    assert sum(test.get("score", 0) for test in results["tests"]) == 9
    assert sum(test.get("max_score", 0) for test in results["tests"]) == 7


def test_students_see_public_cases_and_not_the_hidden_ones(
    gradescope: Gradescope, built: tuple[Path, str, str]
) -> None:
    results = gradescope.grade(toy__ipynb=built[2])
    obeys(results)
    visible = json.dumps([test for test in results["tests"] if test.get("visibility", "visible") == "visible"])
    with zipfile.ZipFile(built[0]) as archive:
        tests = "".join(archive.read(name).decode() for name in archive.namelist() if name.startswith("tests/"))
    hidden = [
        part.split('name="')[1].split('"')[0] for part in tests.split("@test_case(")[1:] if "hidden=True" in part[:300]
    ]
    assert hidden
    assert [title for title in hidden if title in visible] == []


def test_the_users_name_in_the_metadata_is_nobodys_code(gradescope: Gradescope, built: tuple[Path, str, str]) -> None:
    assert "<script>" not in json.dumps(gradescope.grade(toy__ipynb=built[1]))


@pytest.mark.parametrize("content", ["", "{", '{"cells": 3}', "[]"])
def test_a_broken_upload_still_has_a_result_that_says_so(gradescope: Gradescope, content: str) -> None:
    results = gradescope.grade(toy__ipynb=content)
    assert gradescope.done.returncode == 0
    obeys(results)
    assert results["score"] == 0
    assert results["tests"][0]["output"]


def test_an_empty_upload_has_a_result(gradescope: Gradescope) -> None:
    results = gradescope.grade()
    obeys(results)
    assert "no notebook" in results["tests"][0]["output"]


def test_a_submission_that_kills_its_process_has_a_result(gradescope: Gradescope, built: tuple[Path, str, str]) -> None:
    notebook = json.loads(built[1])
    cell = {"cell_type": "code", "execution_count": None, "id": "x", "metadata": {}, "outputs": []}
    notebook["cells"].append({**cell, "source": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"})
    results = gradescope.grade(toy__ipynb=json.dumps(notebook))
    assert gradescope.done.returncode == 0, gradescope.done.stderr
    obeys(results)


def test_nothing_of_the_grader_is_printed_where_students_could_see_it(
    gradescope: Gradescope, built: tuple[Path, str, str]
) -> None:
    results = gradescope.grade(toy__ipynb=built[2])
    assert results.get("stdout_visibility", "hidden") == "hidden"
    assert "Traceback" not in json.dumps([test for test in results["tests"] if test.get("visibility") != "hidden"])
