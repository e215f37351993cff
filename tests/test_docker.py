"""`otter grade` with real containers: the sample class of every assignment, compared with `autograder grade`.

A container starts everything anew, so a submission takes half a minute. One of each kind is graded here, the whole
sample class where AUTOGRADER_DOCKER_CLASS=whole is set (in CI).
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.assignment import Assignment, names
from autograder.build.bundle import write_bundle
from autograder.build.testfiles import read_test_files
from autograder.samples import EXPECTED_FILE, write_sample_class

ROOT = Path(__file__).resolve().parent.parent
RIG = ROOT.parent / "shared" / "docker-rig" / "rig.sh"
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.docker

KINDS = (
    "perfect.ipynb",
    "perfect_export.zip",
    "perfect_script.py",
    "perfect Übung – λ Müller.ipynb",
    "mistake_",  # the first one
    "half_done.ipynb",
    "empty_template.ipynb",
    "exits_the_process.ipynb",
    "truncated.ipynb",
    "empty_file.ipynb",
    "hostile.ipynb",
)

HOSTILE = """
import os, signal, subprocess, threading
for path in ("/autograder/results/results.pkl", "/autograder/results/results.json"):
    try:
        open(path, "wb").write(b"cos\\nsystem\\n(S'touch /tmp/unpickled-by-the-host'\\ntR.")
    except OSError:
        pass
subprocess.Popen("while :; do echo owned > /autograder/results/results.pkl; sleep 0.1; done", shell=True)
os.kill(os.getppid(), signal.SIGKILL)
os.kill(1, signal.SIGKILL)
os.kill(-1, signal.SIGKILL)
os._exit(0)
"""


def answers() -> bool:
    if shutil.which("docker") is None:
        return False
    # otter builds its images with buildx
    return all(
        subprocess.run(["docker", *asked], capture_output=True).returncode == 0
        for asked in (["info"], ["buildx", "version"])
    )


@pytest.fixture(scope="module")
def image() -> str:
    """The image that containers are built on: $AUTOGRADER_TEST_IMAGE, the rig's, or a public one."""
    if not answers() and os.environ.get("CI") == "true" and RIG.exists():
        subprocess.run([str(RIG)], check=True, stdout=subprocess.DEVNULL)
    if not answers():
        pytest.skip("no Docker daemon answers here")
    if "AUTOGRADER_TEST_IMAGE" in os.environ:
        return os.environ["AUTOGRADER_TEST_IMAGE"]
    rig = subprocess.run(["docker", "image", "inspect", "rig-base:latest"], capture_output=True)
    return "rig-base:latest" if rig.returncode == 0 else "python:3.13-slim"


@dataclass(frozen=True)
class Graded:
    """A class graded twice."""

    assignment: Assignment
    otter: dict[str, dict[str, str]]
    """Rows of otter's final_grades.csv by file."""
    otter_failed: dict[str, set[tuple[str, str]]]
    """By file: (question, title) of every case that failed, from otter's summaries."""
    ours: dict[str, dict[str, str]]
    ours_failed: dict[str, set[tuple[str, str]]]
    log: str


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "final_grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"].lstrip("'"): row for row in csv.DictReader(file)}


def failed_in(summary: str, assignment: Assignment) -> set[tuple[str, str]]:
    """Failed cases in one of otter's summaries."""
    found: set[tuple[str, str]] = set()
    question = ""
    lines = summary.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        head = re.match(r"(\w+) results:", line)
        if head:
            question = head[1]
        elif re.match(r"    \S.* result:$", line) and "❌" in following:
            found.add((question, line.strip().removesuffix(" result:")))
    return found


@pytest.fixture(scope="module", params=names())
def graded(request: pytest.FixtureRequest, image: str, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The sample class and one hostile submission, through `otter grade` and through `autograder grade`."""
    assignment = Assignment.load(request.param)
    place = tmp_path_factory.mktemp(assignment.name)
    write_bundle(assignment, read_test_files(assignment), place / "autograder.zip")
    write_sample_class(assignment, place / "class")
    (place / "class" / EXPECTED_FILE).unlink()
    hostile = json.loads((place / "class" / "empty_template.ipynb").read_text())
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "hostile",
        "metadata": {},
        "outputs": [],
        "source": HOSTILE,
    }
    hostile["cells"].insert(0, cell)
    (place / "class" / "hostile.ipynb").write_text(json.dumps(hostile))
    everything = sorted(str(path) for path in (place / "class").iterdir())
    files = everything
    if os.environ.get("AUTOGRADER_DOCKER_CLASS") != "whole":
        files = [next(file for file in everything if Path(file).name.startswith(kind)) for kind in KINDS]
    (place / "otter").mkdir()
    command = [str(BIN / "otter"), "grade", "-n", f"test-{assignment.name}", "-a", str(place / "autograder.zip")]
    command += ["--image", image, "--containers", "2", "--timeout", "600", "--no-network", "--summaries"]
    done = subprocess.run([*command, "-o", str(place / "otter"), *files], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    command = [
        sys.executable,
        "-m",
        "autograder.cli",
        "grade",
        *files,
        "-a",
        assignment.name,
        "-o",
        str(place / "ours"),
    ]
    ours = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert ours.returncode == 1, ours.stderr[-3000:]  # some of the sample class cannot be graded, and is meant so
    journal = [json.loads(line) for line in (place / "ours" / "journal.jsonl").read_text().splitlines()]
    return Graded(
        assignment,
        rows(place / "otter"),
        {
            path.stem: failed_in(path.read_text(encoding="utf-8"), assignment)
            for path in (place / "otter" / "grading-summaries").glob("*.txt")
        },
        rows(place / "ours"),
        {
            Path(record["name"]).stem: {
                (question["name"], case["title"])
                for question in record["result"]["questions"]
                for case in question["cases"]
                if not case["passed"]
            }
            for record in journal
            if record["result"]["status"] == "completed"
        },
        done.stdout + done.stderr,
    )


def test_every_submission_has_a_row_whatever_it_does(graded: Graded) -> None:
    assert set(graded.otter) == set(graded.ours)
    assert "hostile.ipynb" in graded.otter


def test_the_points_are_those_of_autograder_grade(graded: Graded) -> None:
    questions = [question.name for question in graded.assignment.questions]
    for file, ours in graded.ours.items():
        theirs = graded.otter[file]
        for column in [*questions, "total_points_earned"]:
            assert float(theirs[column] or 0) == pytest.approx(float(ours[column])), (file, column, graded.log[-2000:])


def test_the_same_cases_fail_as_with_autograder_grade(graded: Graded) -> None:
    compared = 0
    for file, ours in graded.ours_failed.items():
        assert graded.otter_failed[file] == ours, file
        compared += len(ours)
    assert compared > len(graded.assignment.questions)


def test_a_hostile_submission_earns_nothing_and_ends_nobody_elses_grading(graded: Graded) -> None:
    assert float(graded.otter["hostile.ipynb"]["total_points_earned"] or 0) == 0
    assert float(graded.otter["perfect.ipynb"]["total_points_earned"]) >= graded.assignment.points
    assert not Path("/tmp/unpickled-by-the-host").exists()


def test_what_cannot_be_read_says_why(graded: Graded) -> None:
    assert "empty" in graded.otter["empty_file.ipynb"]["grading_status"]
    assert "Completed" in graded.otter["perfect.ipynb"]["grading_status"]
