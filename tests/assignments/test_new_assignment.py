"""A new assignment is a new folder: the recipe of README.md, carried out in a copy of this course.

`tests/new_assignment/` holds what an instructor writes for a fourth, small assignment. Copied over the course it is
built, graded and left as it is: nothing in `autograder` or `adkit` knows an assignment.
"""

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.grading import cache

REPOSITORY = Path(__file__).parents[2]
COURSE = ("assignments", "autograder", "reference", "student_template", "constraints.txt", "README.md")
NEW = REPOSITORY / "tests" / "new_assignment"
NAME = "dual_numbers"
PASSED_OVER = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")


def run(course: Path, *arguments: str) -> str:
    """What `autograder …` prints when an instructor runs it in the course."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "AUTOGRADER"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(course), str(course / "student_template")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "autograder", *arguments]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(course: Path) -> dict[str, bytes]:
    """The content of every file of the course but what `build` and `grade` put apart."""
    return {
        str(path.relative_to(course)): path.read_bytes()
        for name in COURSE
        for path in ([course / name] if (course / name).is_file() else (course / name).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this course with the new assignment's files in it."""
    root = tmp_path_factory.mktemp("course")
    for name in COURSE:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=PASSED_OVER)
        else:
            shutil.copyfile(source, root / name)
    shutil.copytree(NEW, root, ignore=PASSED_OVER, dirs_exist_ok=True)
    return root


@pytest.fixture(scope="module")
def written(course: Path) -> set[str]:
    """The files of the course that `autograder build` has written."""
    before = files(course)
    run(course, "build", NAME)
    after = files(course)
    return {name for name in before | after if before.get(name) != after.get(name)}


@pytest.fixture(scope="module")
def points(course: Path, written: set[str]) -> Iterator[dict[str, float]]:
    """The points of the new assignment's samples, by file."""
    run(course, "sample", NAME, "-o", "class")
    graded = ["perfect", "empty_template", "mistake_multiply__tangents_multiplied", "products_only"]
    paths = [f"class/{name}.ipynb" for name in graded]
    run(course, "grade", *paths, "-a", NAME, "-o", "out", "-j", "1", "--quiet")
    with (course / "out" / "final_grades.csv").open(encoding="utf-8", newline="") as table:
        yield {Path(row["file"]).stem: float(row["total_points_earned"]) for row in csv.DictReader(table)}


def test_building_it_writes_its_own_files_and_its_rows_only(course: Path, written: set[str]) -> None:
    tests = f"student_template/tests/{NAME}"
    names = ("q1.py", "assignment.json", "known_mistakes.json")
    readmes = {"README.md", "student_template/README.md"}  # a row in the tables of assignments
    assert written == {f"student_template/{NAME}.ipynb", *(f"{tests}/{name}" for name in names), *readmes}
    for page in readmes:
        assert f"| `{NAME}" in (course / page).read_text(encoding="utf-8")


def test_its_autograder_zip_holds_its_own_hidden_material_and_no_other_assignments(
    course: Path, written: set[str]
) -> None:
    with zipfile.ZipFile(course / "dist" / NAME / "autograder.zip") as archive:
        names = set(archive.namelist())
    own = {f"files/reference/{folder}{NAME}.py" for folder in ("", "mistakes/", "inputs/")}
    assert own <= names
    others = {path.name for path in (REPOSITORY / "assignments").iterdir() if path.is_dir()}
    assert others
    assert not {name for name in names if "/reference/" in name and Path(name).stem in others}


def test_its_reference_gets_full_points_and_its_template_none(points: dict[str, float]) -> None:
    assert points["perfect"] == 3
    assert points["empty_template"] == 0


def test_its_mistakes_lose_points_and_its_own_sample_gets_what_it_says(points: dict[str, float]) -> None:
    assert points["mistake_multiply__tangents_multiplied"] == 1.75
    assert points["products_only"] == 1.25


def test_what_new_and_new_question_write_builds_and_its_mistakes_lose_points(course: Path, written: set[str]) -> None:
    run(course, "new", "scaffold", "--function", "slope")
    run(course, "new-question", "scaffold", "q2", "--function", "bend", "--title", "Another")
    run(course, "build", "scaffold")
    assert "unchanged since the last build: scaffold" in run(course, "build", "scaffold")
    run(course, "sample", "scaffold", "-o", "scaffolded")
    graded = {
        "perfect": (2.0, 2.0),
        "empty_template": (0.0, 0.0),
        "mistake_slope__factor_missing": (0.0, 2.0),
        "mistake_bend__factor_missing": (2.0, 0.0),
    }
    paths = [f"scaffolded/{name}.ipynb" for name in graded]
    run(course, "grade", *paths, "-a", "scaffold", "-o", "scaffold-out", "-j", "1", "--quiet")
    with (course / "scaffold-out" / "final_grades.csv").open(encoding="utf-8", newline="") as table:
        rows = {Path(row["file"]).stem: (float(row["q1"]), float(row["q2"])) for row in csv.DictReader(table)}
    assert {name: rows[name] for name in graded} == graded


def test_what_its_hidden_cases_share_does_not_count_for_other_assignments(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else adding an assignment would make a class that is half graded start anew."""
    before = cache.digest_of(Assignment.load(REPOSITORY / "assignments" / "ad_modes"))
    folders = {"reference": course / "reference", "adkit": course / "student_template" / "adkit"}
    monkeypatch.setattr(cache, "_package", folders.__getitem__)
    assert cache.digest_of(Assignment.load(course / "assignments" / "ad_modes")) == before
    own = Assignment.load(course / "assignments" / NAME)
    digest = cache.digest_of(own)
    shared = course / "reference" / "inputs" / f"{NAME}.py"
    text = shared.read_bytes()
    shared.write_bytes(text + b"# changed\n")
    try:
        assert cache.digest_of(own) != digest
    finally:
        shared.write_bytes(text)
