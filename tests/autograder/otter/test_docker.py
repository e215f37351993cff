"""`otter grade` with real containers: each assignment's sample class, compared with `autograder grade` case by case.

One submission of each kind by default; the whole class of 34 to 37 files with `-m "docker and slow"`.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.assignment import Assignment, Limits, names
from autograder.build.bundle import write_bundle
from autograder.build.command import Built
from autograder.build.testfiles import read_test_files
from autograder.samples import EXPECTED_FILE, write_sample_class

ROOT = Path(__file__).resolve().parents[3]
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


Cases = dict[tuple[str, str], tuple[bool, str]]
"""(question, case): whether it passed, and what the student is told."""


@dataclass(frozen=True)
class Graded:
    """A class graded twice."""

    assignment: Assignment
    otter: dict[str, dict[str, str]]
    """Rows of final_grades.csv by file."""
    otter_cases: dict[str, Cases]
    ours: dict[str, dict[str, str]]
    ours_cases: dict[str, Cases]
    out: Path


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "final_grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def cases(folder: Path) -> dict[str, Cases]:
    """Every case of every submission that was graded, by the submission's name."""
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        record["name"]: {
            (question["name"], case["name"]): (case["passed"], case["message"])
            for question in record["result"]["questions"]
            for case in question["cases"]
        }
        for record in journal
        if record["result"]["status"] == "completed"
    }


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "autograder.cli", *map(str, arguments)]
    return subprocess.run(program, cwd=cwd, capture_output=True, text=True, check=False)


def hostile(template: Path) -> str:
    """A notebook whose first cell attacks the grader."""
    notebook = json.loads(template.read_text(encoding="utf-8"))
    cell = {"cell_type": "code", "execution_count": None, "id": "hostile", "metadata": {}, "outputs": []}
    notebook["cells"].insert(0, cell | {"source": HOSTILE})
    return json.dumps(notebook)


SIZES = [(name, size) for size in ("each-kind", "whole") for name in names()]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, size), id=f"{name}-{size}", marks=[pytest.mark.slow] if size == "whole" else [])
        for name, size in SIZES
    ],
)
def graded(request: pytest.FixtureRequest, image: str, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The sample class and one hostile submission, in containers and through `autograder grade`."""
    name, size = request.param
    assignment = Assignment.load(name)
    place = tmp_path_factory.mktemp(assignment.name)
    write_bundle(assignment, read_test_files(assignment), place / "autograder.zip")
    write_sample_class(assignment, place / "class")
    (place / "class" / EXPECTED_FILE).unlink()
    (place / "class" / "hostile.ipynb").write_text(hostile(place / "class" / "empty_template.ipynb"))
    files = sorted((place / "class").iterdir())
    if size != "whole":
        files = [next(file for file in files if file.name.startswith(kind)) for kind in KINDS]
    containers = ["-n", f"test-{assignment.name}", "--image", image, "--containers", 2, "--summaries"]
    done = command("otter-grade", *files, "-a", "autograder.zip", "-o", "otter", *containers, cwd=place)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]  # some samples are no submissions
    ours = command("grade", *files, "-a", assignment.name, "-o", "ours", cwd=place)
    assert ours.returncode == 1, ours.stderr[-3000:]
    there, here = place / "otter", place / "ours"
    return Graded(assignment, rows(there), cases(there), rows(here), cases(here), there)


def test_the_table_is_that_of_autograder_grade(graded: Graded) -> None:
    assert set(graded.otter) == set(graded.ours)
    assert "hostile.ipynb" in graded.otter
    for file, row in graded.ours.items():
        assert graded.otter[file] == row


def test_every_case_ends_as_with_autograder_grade(graded: Graded) -> None:
    assert set(graded.otter_cases) == set(graded.ours_cases)
    for file, ours in graded.ours_cases.items():
        passed = {case: told[0] for case, told in ours.items()}
        assert {case: told[0] for case, told in graded.otter_cases[file].items()} == passed, file
    failed = [told for ours in graded.ours_cases.values() for told in ours.values() if not told[0]]
    assert len(failed) > len(graded.assignment.questions)


def test_a_hostile_submission_earns_nothing_and_ends_nobody_elses_grading(graded: Graded) -> None:
    assert float(graded.otter["hostile.ipynb"]["total_points_earned"]) == 0
    assert float(graded.otter["perfect.ipynb"]["total_points_earned"]) >= graded.assignment.points
    assert not Path("/tmp/unpickled-by-the-host").exists()


def test_what_cannot_be_read_says_why(graded: Graded) -> None:
    assert "empty" in graded.otter["empty_file.ipynb"]["grading_status"]
    assert graded.otter["perfect.ipynb"]["grading_status"] == "Completed"


# --- Otter's options, with the toy --------------------------------------------------------------

PEEKING = """
import os, socket
def tried(what, attempt):
    try:
        attempt()
        print(f"{what}: DONE")
    except BaseException as error:
        print(f"{what}: {type(error).__name__}")
folder = os.environ["JAX_COMPILATION_CACHE_DIR"]
operations = os.listdir(folder)
print("operations are read:", all(open(f"{folder}/{name}", "rb").read() for name in operations))
tried("write an operation", lambda: open(f"{folder}/jit_mine", "w"))
tried("read the course in the image", lambda: open("/autograder/source/requirements.course.zip", "rb"))
tried("read the references", lambda: os.listdir("/autograder/course/reference"))
tried("read the tests", lambda: os.listdir("/autograder/source/tests"))
tried("read what mistakes answer", lambda: os.listdir("/opt/autograder/compiled/known"))
tried("a socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
"""


@dataclass(frozen=True)
class Toy:
    """The toy's autograder.zip, and folders of submissions."""

    place: Path
    image: str
    limits: Limits

    def otter(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Otter's own command, as an instructor gives it."""
        options = ["-n", "test-toy", "-a", "autograder.zip", "--image", self.image, "-o", "plain"]
        (self.place / "plain").mkdir(exist_ok=True)
        done = [str(BIN / "otter"), "grade", *options, *map(str, arguments)]
        return subprocess.run(done, cwd=self.place, capture_output=True, text=True, check=False)

    def grade(self, out: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Our command."""
        options = ["-n", "test-toy", "-a", "autograder.zip", "--image", self.image, "-o", out]
        return command("otter-grade", *options, *arguments, cwd=self.place)


@pytest.fixture(scope="module")
def toy(image: str, toy_bundle: tuple[Built, Path], tmp_path_factory: pytest.TempPathFactory) -> Toy:
    place = tmp_path_factory.mktemp("toy")
    built, bundle = toy_bundle
    shutil.copy(bundle, place / "autograder.zip")
    solved = json.loads(built.solution)
    code = ["".join(cell["source"]) for cell in solved["cells"] if cell["cell_type"] == "code"]
    for folder in ("notebooks", "mixed", "broken", "slow"):
        (place / folder).mkdir()
    (place / "notebooks" / "right.ipynb").write_text(built.solution)
    (place / "template.ipynb").write_text(built.student)
    (place / "notebooks" / "hostile.ipynb").write_text(hostile(place / "template.ipynb"))
    (place / "mixed" / "=right.ipynb").write_text(built.solution)
    (place / "mixed" / "right.py").write_text("\n\n".join(code) + "\n")
    with zipfile.ZipFile(place / "mixed" / "right.zip", "w") as archive:
        archive.writestr("toy.ipynb", built.solution)
    (place / "mixed" / "peeking.py").write_text("\n\n".join([*code, PEEKING]))
    (place / "slow" / "right.py").write_text("\n\n".join(code) + "\n")
    (place / "slow" / "hangs.py").write_text("\n\n".join([*code, "while True:\n    pass"]))
    (place / "broken" / "empty.ipynb").write_text("")
    (place / "broken" / "cut off.ipynb").write_text('{"cells": [')
    return Toy(place, image, built.assignment.limits)


@pytest.mark.parametrize("ending", ["ipynb", "py", "zip"])
def test_otters_own_command_grades_each_kind_of_file(toy: Toy, ending: str) -> None:
    done = toy.otter("--ext", ending, "--containers", 2, "--no-network", "--summaries", "notebooks", "mixed")
    assert done.returncode == 0, done.stderr[-3000:]
    table = rows(toy.place / "plain")
    right = {"ipynb": "right.ipynb", "py": "right.py", "zip": "right.zip"}[ending]
    assert float(table[right]["total_points_earned"]) == 9
    assert f"{Path(right).stem}.txt" in os.listdir(toy.place / "plain" / "grading-summaries")
    if ending == "ipynb":
        assert float(table["hostile.ipynb"]["total_points_earned"]) == 0


def test_all_kinds_in_one_go_and_what_a_submission_can_reach_in_the_image(toy: Toy) -> None:
    """The container has a network here: the submission still has none."""
    done = toy.grade("mixed-out", "mixed", "notebooks", "--network", "--containers", 2)
    table = rows(toy.place / "mixed-out")
    assert done.returncode == 0, done.stderr
    expected = dict.fromkeys(("'=right.ipynb", "right.py", "right.zip", "right.ipynb", "peeking.py"), 9.0)
    assert {file: float(table[file]["total_points_earned"]) for file in expected} == expected
    assert float(table["hostile.ipynb"]["total_points_earned"]) == 0
    printed = json.loads((toy.place / "mixed-out" / "results" / "peeking.json").read_text())["extra_data"]["printed"]
    assert "operations are read: True" in printed
    course = ("read the course in the image", "read the references", "read the tests", "read what mistakes answer")
    for refused in ("write an operation", "a socket", *course):
        assert f"{refused}: PermissionError" in printed


def test_a_container_that_takes_too_long_is_a_row_and_the_others_count(toy: Toy) -> None:
    # every container takes longer than this; what is held is that each one has a row that says so
    done = toy.grade("late", "notebooks", "--timeout", 1)
    assert done.returncode == 1, done.stderr
    table = rows(toy.place / "late")
    assert len(table) == 3
    status = {row["grading_status"] for file, row in table.items() if file != "points-per-question"}
    assert status == {"Timed out: It was not finished after 1 seconds, and its container was stopped."}


def test_otters_own_command_stops_a_container_that_takes_too_long(toy: Toy) -> None:
    seconds = int(min(toy.limits.cell_seconds, toy.limits.notebook_seconds))  # what hangs needs this, and its start
    done = toy.otter("--ext", "py", "--containers", 2, "--timeout", seconds, "--no-network", "slow")
    assert done.returncode == 0, done.stderr[-3000:]
    table = rows(toy.place / "plain")
    assert f"timed out in {seconds} seconds" in table["hangs.py"]["grading_status"]
    assert table["right.py"]["grading_status"] == "Completed"
    assert float(table["right.py"]["total_points_earned"]) == 9


def test_a_class_of_which_nothing_can_be_graded_still_has_its_table(toy: Toy) -> None:
    done = toy.grade("nothing", "broken")
    assert done.returncode == 1, done.stderr
    table = rows(toy.place / "nothing")
    assert "empty" in table["empty.ipynb"]["grading_status"]
    assert float(table["points-per-question"]["total_points_earned"]) == 7
    assert "cut off.ipynb" in table


def test_an_image_that_does_not_exist_is_one_clear_sentence(toy: Toy) -> None:
    done = command(
        "otter-grade", "broken", "-a", "autograder.zip", "-o", "none", "--image", "no-such-image:1", cwd=toy.place
    )
    assert done.returncode == 2
    assert "image 'no-such-image:1' is not available locally and could not be pulled" in done.stderr
    assert "Traceback" not in done.stderr
