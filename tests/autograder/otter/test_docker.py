"""`otter grade` with real containers: a sample class, compared with `autograder grade` case by case.

By default the toy's, one submission of each kind: all tests share its image and what was graded in it. The course's
own assignments, each with an image of its own and a class of 34 to 37 files, with `-m "docker and slow"`.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from courses import copy_course

from autograder.assignment import Assignment, names
from autograder.build.bundle import write_bundle
from autograder.build.command import Built
from autograder.build.course import Course
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
    "=perfect+1.ipynb",
    "mistake_",  # the first one
    "half_done.ipynb",
    "exits_the_process.ipynb",
    "truncated.ipynb",
    "empty_file.ipynb",
    "hostile.ipynb",
    "peeking.py",
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


def command(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "autograder.cli", *map(str, arguments)]
    return subprocess.run(program, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)


def hostile(template: Path) -> str:
    """A notebook whose first cell attacks the grader."""
    notebook = json.loads(template.read_text(encoding="utf-8"))
    cell = {"cell_type": "code", "execution_count": None, "id": "hostile", "metadata": {}, "outputs": []}
    notebook["cells"].insert(0, cell | {"source": HOSTILE})
    return json.dumps(notebook)


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


def peeking(script: str) -> str:
    """A script that also tries what the image must not let it do."""
    return "\n\n".join([script, PEEKING])


@dataclass(frozen=True)
class Toy:
    """The toy's autograder.zip and its sample class; everything that is made of it has one image."""

    assignment: Assignment
    place: Path
    image: str
    classroom: list[Path]

    def handed_in(self, folder: str, **files: str) -> str:
        """A folder with these files of the sample class, under other names (dots written as __)."""
        (self.place / folder).mkdir()
        for name, kind in files.items():
            shutil.copy(self.place / "class" / kind, self.place / folder / name.replace("__", "."))
        return folder

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


def write_class(assignment: Assignment, folder: Path) -> list[Path]:
    """The files of the sample class, and those of two who try what they must not."""
    write_sample_class(assignment, folder)
    (folder / EXPECTED_FILE).unlink()
    (folder / "hostile.ipynb").write_text(hostile(folder / "empty_template.ipynb"))
    (folder / "peeking.py").write_text(peeking((folder / "perfect_script.py").read_text()))
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def toy(image: str, toy_bundle: tuple[Built, Path], tmp_path_factory: pytest.TempPathFactory) -> Toy:
    place = tmp_path_factory.mktemp("toy")
    built, bundle = toy_bundle
    shutil.copy(bundle, place / "autograder.zip")
    assignment = copy_course(place / "course")
    # `autograder grade` imports the toy's references from where it is itself: an installation of its own
    for package in ("autograder", "reference"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, place / "course" / package, dirs_exist_ok=True, ignore=ignored)
    Course.of(assignment).notebook(assignment.name).write_text(built.student, encoding="utf-8")
    return Toy(assignment, place, image, write_class(assignment, place / "class"))


@pytest.fixture(
    scope="module",
    params=["toy", *(pytest.param(name, id=f"{name}-whole", marks=pytest.mark.slow) for name in names())],
)
def graded(request: pytest.FixtureRequest, image: str, toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """The sample class and two who try what they must not, in containers and through `autograder grade`."""
    if request.param == "toy":
        assignment, place = toy.assignment, toy.place
        files = [next(file for file in toy.classroom if file.name.startswith(kind)) for kind in KINDS]
    else:
        assignment = Assignment.load(request.param)
        place = tmp_path_factory.mktemp(assignment.name)
        write_bundle(assignment, read_test_files(assignment), place / "autograder.zip")
        files = write_class(assignment, place / "class")
    containers = ["-n", f"test-{assignment.name}", "--image", image, "--containers", 2, "--summaries"]
    # a container has a network: the submission in it still has none
    options = ["-a", "autograder.zip", "-o", "otter", "--network", *containers]
    done = command("otter-grade", *files, *options, cwd=place)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]  # some samples are no submissions
    ours = command("grade", *files, "-a", assignment.folder, "-o", "ours", cwd=place, PYTHONPATH=str(place / "course"))
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
    for file in ("perfect.ipynb", "perfect_export.zip", "perfect_script.py", "'=perfect+1.ipynb", "peeking.py"):
        assert float(graded.otter[file]["total_points_earned"]) >= graded.assignment.points
    assert not Path("/tmp/unpickled-by-the-host").exists()


def test_what_cannot_be_read_says_why(graded: Graded) -> None:
    assert "empty" in graded.otter["empty_file.ipynb"]["grading_status"]
    assert graded.otter["perfect.ipynb"]["grading_status"] == "Completed"


def test_what_a_submission_can_reach_in_the_image(graded: Graded) -> None:
    """The container has a network here: the submission still has none."""
    printed = json.loads((graded.out / "results" / "peeking.json").read_text())["extra_data"]["printed"]
    assert "operations are read: True" in printed
    course = ("read the course in the image", "read the references", "read the tests", "read what mistakes answer")
    for refused in ("write an operation", "a socket", *course):
        assert f"{refused}: PermissionError" in printed


# --- Otter's options ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "kinds"),
    [("ipynb", {"right": "perfect.ipynb", "hostile": "hostile.ipynb"}), ("zip", {"right": "perfect_export.zip"})],
)
def test_otters_own_command_grades_each_kind_of_file(toy: Toy, ending: str, kinds: dict[str, str]) -> None:
    """Scripts: below."""
    folder = toy.handed_in(ending, **{f"{name}__{ending}": kind for name, kind in kinds.items()})
    done = toy.otter("--ext", ending, "--containers", 2, "--no-network", "--summaries", folder)
    assert done.returncode == 0, done.stderr[-3000:]
    table = rows(toy.place / "plain")
    assert float(table[f"right.{ending}"]["total_points_earned"]) == 9
    assert "right.txt" in os.listdir(toy.place / "plain" / "grading-summaries")
    if "hostile" in kinds:
        assert float(table[f"hostile.{ending}"]["total_points_earned"]) == 0


def test_otters_own_command_grades_scripts_and_stops_a_container_that_takes_too_long(toy: Toy) -> None:
    folder = toy.handed_in("slow", right__py="perfect_script.py", hangs__py="perfect_script.py")
    with (toy.place / folder / "hangs.py").open("a") as script:
        script.write("\n\nimport time\ntime.sleep(1000)\n")
    # no container needs so long, on a busy machine either: what hangs is ended by the assignment's own limit
    done = toy.otter("--ext", "py", "--containers", 2, "--timeout", 600, "--no-network", folder)
    assert done.returncode == 0, done.stderr[-3000:]
    table = rows(toy.place / "plain")
    assert {row["grading_status"] for row in (table["right.py"], table["hangs.py"])} == {"Completed"}
    assert float(table["right.py"]["total_points_earned"]) == 9

    (toy.place / folder / "right.py").unlink()
    done = toy.otter("--ext", "py", "--timeout", 3, "--no-network", folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "timed out in 3 seconds" in rows(toy.place / "plain")["hangs.py"]["grading_status"]


def test_containers_that_take_too_long_are_rows_and_a_class_without_grades_has_its_table(toy: Toy) -> None:
    # every container takes longer than this; what is held is that each one has a row that says so
    done = toy.grade(
        "late", *(toy.place / "class" / name for name in ("perfect.ipynb", "hostile.ipynb")), "--timeout", 1
    )
    assert done.returncode == 1, done.stderr
    table = rows(toy.place / "late")
    assert len(table) == 3
    assert float(table["points-per-question"]["total_points_earned"]) == 7
    status = {row["grading_status"] for file, row in table.items() if file != "points-per-question"}
    assert status == {"Timed out: It was not finished after 1 seconds, and its container was stopped."}


def test_an_image_that_does_not_exist_is_one_clear_sentence(toy: Toy) -> None:
    done = command(
        "otter-grade",
        "class/empty_file.ipynb",
        "-a",
        "autograder.zip",
        "-o",
        "none",
        "--image",
        "no-such-image:1",
        cwd=toy.place,
    )
    assert done.returncode == 2
    assert "image 'no-such-image:1' is not available locally and could not be pulled" in done.stderr
    assert "Traceback" not in done.stderr
