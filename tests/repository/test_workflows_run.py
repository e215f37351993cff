"""The workflows, run: every step of every job in clean clones, on a course with one small assignment."""

import csv
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import adkit
import pytest
from adkit.notebook import public_cases
from courses import TOY
from solved import solved_notebook
from workflow_runner import Run, Runner, WorkflowError, commit, git, make_environment

from autograder.assignment import Assignment, names

ROOT = Path(__file__).resolve().parents[2]
HOSTILE_LOGIN = "eve"

HOSTILE = """
import os, sys, subprocess
for stream in (sys.stdout, sys.stderr):
    print("::set-output name=shards::[]", file=stream)
    print("::add-mask::0", file=stream)
    print("x ##[set-env name=PATH;]/evil", file=stream)
for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
    try:
        open(os.environ.get(name, "/nonexistent"), "a").write("owned=1")
    except OSError:
        pass
def twice(x):
    return 2 * x
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instructor's repository: this one as it stands, with the toy assignment instead of the real ones."""
    folder = tmp_path_factory.mktemp("instructor") / "course"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")):
        path = Path(name.decode())
        if path.parts[0] not in ("assignments",) and (ROOT / path).is_file():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, folder / path)
    for path in [*folder.glob("reference/*.py"), *folder.glob("reference/mistakes/*.py")]:
        if path.name not in ("__init__.py", "editing.py"):
            path.unlink()
    for part in ("assignments", "reference"):
        shutil.copytree(TOY / part, folder / part, dirs_exist_ok=True, ignore=_not_ours)
    shutil.rmtree(folder / "student_template" / "tests", ignore_errors=True)
    for notebook in (folder / "student_template").glob("*.ipynb"):
        notebook.unlink()
    shell(folder, "autograder build")
    commit(folder)
    return folder


def _not_ours(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("__pycache__", "__init__.py")]


def shell(folder: Path, script: str) -> str:
    """Runs a command with the folder's own autograder."""
    python = folder.parent / "venv" / "bin" / "python"
    if not python.exists():
        make_environment(folder.parent / "venv")
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "PYTHONPATH": f"{folder}:{folder}/student_template"}
    environment |= {"JAX_PLATFORMS": "cpu", "HOME": str(folder.parent)}
    script = script.replace("autograder ", f"{python} -m autograder.cli ", 1)
    done = subprocess.run(script, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cache(repository: Path) -> dict[str, str]:
    """What the first job compiles is there for the others: each would make the same again."""
    return {"AUTOGRADER_CACHE": str(repository.parent / "cache")}


@pytest.fixture(scope="module")
def notebooks(repository: Path) -> dict[str, str]:
    solved = (repository / "dist" / "toy" / "solution" / "toy.ipynb").read_text()
    empty = (repository / "student_template" / "toy.ipynb").read_text()
    return {"solved": solved, "empty": empty}


def with_cell(notebook: str, source: str) -> str:
    content: dict[str, Any] = json.loads(notebook)
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "added",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    content["cells"].append(cell)
    return json.dumps(content)


def grades(artifact: Path) -> dict[str, float]:
    with (artifact / "final_grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["file"].lstrip("'"): float(row["total_points_earned"]) for row in rows[1:]}


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- grade.yml --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def from_repositories(repository: Path, notebooks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A class of five repositories, one of them hostile, one gone."""
    place = tmp_path_factory.mktemp("grade")
    handed_in = {
        "ada": notebooks["solved"],
        "bob": notebooks["empty"],
        HOSTILE_LOGIN: with_cell(notebooks["empty"], HOSTILE),
        "cut": notebooks["solved"][:200],
    }
    for login, notebook in handed_in.items():
        folder = place / "server" / "org" / f"ad-{login}"
        shutil.copytree(repository / "student_template", folder)
        (folder / "toy.ipynb").write_text(notebook)
        commit(folder)
    runner = Runner(
        repository,
        place / "run",
        server_url=f"file://{place}/server",
        secrets={"STUDENTS_TOKEN": "the-token"},
        variables={"AUTOGRADER_SEED": "a seed of the course"},
        environment=cache(repository),
    )
    names = " ".join(f"org/ad-{login}" for login in [*handed_in, "gone"])
    return runner.run("grade.yml", "workflow_dispatch", {"assignment": "toy", "repositories": names, "shards": 2.0})


def test_a_class_is_graded_in_shards_and_merged(from_repositories: Run) -> None:
    assert from_repositories.ok, from_repositories.log
    assert len(from_repositories.jobs["grade"]) == 2
    found = grades(from_repositories.artifacts["grades-toy"])
    assert len(found) == 5  # who could not be fetched has a row as well
    by_login = {
        login: points for name, points in found.items() for login in ("ada", "bob", "cut", "eve") if login in name
    }
    assert by_login == {"ada": 9, "bob": 0, "cut": 0, "eve": by_login["eve"]}
    assert by_login["eve"] > 0


def test_everything_an_instructor_needs_is_an_artefact(from_repositories: Run) -> None:
    there = from_repositories.artifacts["grades-toy"]
    assert {"final_grades.csv", "report.html", "run.json", "lms", "results"} <= {path.name for path in there.iterdir()}
    assert len(list(from_repositories.artifacts["feedback-toy"].glob("*.html"))) == 5
    run = json.loads((there / "run.json").read_text())
    assert run["seed"] == "a seed of the course"
    assert run["isolated"] is True


def test_the_summary_has_the_table_and_the_histogram(from_repositories: Run) -> None:
    summary = from_repositories.jobs["merge"][0].summary
    assert "**3** graded, **2** could not be" in summary
    assert "│" in summary
    assert "<code>" in summary


def test_what_could_not_be_fetched_or_graded_is_annotated(from_repositories: Run) -> None:
    fetched = from_repositories.jobs["collect"][0].commands
    assert [command.name for command in fetched] == ["warning", "warning"]
    assert fetched[0].properties["title"].startswith("repository 00")
    assert fetched[1].data.startswith("Not every file was taken")
    graded = from_repositories.jobs["merge"][0].commands
    assert [command.name for command in graded] == ["error", "error"]
    names = {row["number"]: row["file"] for row in rows(from_repositories.artifacts["grades-toy"] / "names.csv")}
    named = [names[command.properties["title"]] for command in graded]
    assert {login for login in ("cut", "gone") if any(login in name for name in named)} == {"cut", "gone"}


def test_no_log_and_no_summary_names_a_student_and_the_artefacts_do(from_repositories: Run) -> None:
    summaries = "".join(job.summary for jobs in from_repositories.jobs.values() for job in jobs)
    for login in (
        "ad-ada",
        "ad-bob",
        "ad-cut",
        "ad-gone",
        "ada.ipynb",
        "bob.ipynb",
        "cut.ipynb",
        f"ad-{HOSTILE_LOGIN}",
    ):
        assert login not in from_repositories.log + summaries
    fetched = rows(from_repositories.artifacts["collected"] / "repositories.csv")
    assert {"org/ad-ada", "org/ad-gone"} <= {row["repository"] for row in fetched}
    logs = from_repositories.artifacts["grades-toy"] / "log"
    assert {"merge.log", "shard-1.log", "shard-2.log"} == {log.name for log in logs.iterdir()}
    assert any("ad-ada" in log.read_text() for log in logs.iterdir())


def test_what_students_print_commands_nothing(from_repositories: Run) -> None:
    assert [command for job in from_repositories.jobs["grade"] for command in job.commands] == []
    for job in from_repositories.jobs["grade"]:
        assert job.outputs == {}
        assert job.summary == ""


def test_the_token_is_in_no_log_and_no_artefact(from_repositories: Run) -> None:
    assert "the-token" not in from_repositories.log
    for artifact in from_repositories.artifacts.values():
        for file in artifact.rglob("*"):
            assert not file.is_file() or b"the-token" not in file.read_bytes()


def collected(run: Run) -> dict[str, bytes]:
    """What the job that collects hands to those that grade, by name."""
    with tarfile.open(run.artifacts["submissions"] / "submissions.tar.gz") as archive:
        files = {Path(member.name).name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_a_zip_on_a_branch_is_collected_with_its_roster(
    repository: Path, notebooks: dict[str, str], tmp_path: Path
) -> None:
    """What comes after that is the same as for a class of repositories."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", f"file://{repository}", str(clone))
    (clone / "roster.csv").write_text("id,name,email,login,section\n7,Ada,ada@example.org,ada,A\n")
    commit(clone)
    git(clone, "checkout", "--quiet", "-b", "handed-in")
    with zipfile.ZipFile(clone / "class.zip", "w") as archive:
        archive.writestr("ada.ipynb", notebooks["solved"])
        archive.writestr("=cmd|' -C calc'!A1.ipynb", notebooks["empty"])
    commit(clone)
    git(clone, "checkout", "--quiet", "main")
    inputs = {"assignment": "toy", "path": "class.zip", "ref": "origin/handed-in", "roster": "roster.csv", "shards": 1}
    mirror = tmp_path / "mirror"
    git(tmp_path, "clone", "--quiet", "--no-local", f"file://{clone}", str(mirror))
    git(mirror, "branch", "--quiet", "handed-in", "origin/handed-in")
    run = Runner(mirror, tmp_path / "run").run("grade.yml", "workflow_dispatch", inputs, jobs=["collect"])
    assert run.ok, run.log
    assert run.jobs["collect"][0].outputs == {"shards": "[1]", "total": "1"}
    found = collected(run)
    assert sorted(content.decode() for name, content in found.items() if name.endswith(".ipynb")) == sorted(
        notebooks.values()
    )
    assert b"ada@example.org" in found["submissions.csv"]


def test_an_artefact_of_the_calling_workflow_is_collected(
    repository: Path, notebooks: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "uploaded").mkdir()
    (tmp_path / "uploaded" / "ada.ipynb").write_text(notebooks["solved"])
    inputs = {"assignment": "toy", "artifact": "handed-in"}
    artifacts = {"handed-in": tmp_path / "uploaded"}
    run = Runner(repository, tmp_path / "run").run("grade.yml", "workflow_call", inputs, artifacts, jobs=["collect"])
    assert run.ok, run.log
    assert [content.decode() for name, content in collected(run).items() if name.endswith(".ipynb")] == [
        notebooks["solved"]
    ]


def test_grading_nothing_fails_and_says_why(repository: Path, tmp_path: Path) -> None:
    run = Runner(repository, tmp_path / "run").run("grade.yml", "workflow_dispatch", {"assignment": "toy"})
    assert not run.ok
    assert [job.result for job in run.jobs["grade"] + run.jobs["merge"]] == ["skipped", "skipped"]
    assert "neither a folder nor a zip" in run.jobs["collect"][0].log


# --- ci.yml -----------------------------------------------------------------------------------------------------


CI_TESTS = """
import pytest

def test_anything(): ...

@pytest.mark.docker
def test_containers(): ...
"""
CI_AUTOGRADER = """#!/bin/sh
{python} -m autograder.cli "$@" || exit
# one of each kind is enough of a class here: assignments/test_samples.py grades them all
if [ "$1" = sample ]; then
    cd "$4" && find . -type f ! -name perfect.ipynb ! -name half_done.ipynb ! -name truncated.ipynb -delete
fi
"""


def test_every_step_of_ci_runs(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the environment that `make install` would make; there are two tests to run, because this is one of the real
    ones, and linters only say that they were called, because `.ci/run` runs them beside these tests."""
    prepared = tmp_path / "prepared"
    make_environment(prepared)

    def checked_out(folder: Path) -> None:
        (folder / ".venv").symlink_to(prepared)
        shutil.rmtree(folder / "tests")
        (folder / "tests").mkdir()
        (folder / "tests" / "test_ci.py").write_text(CI_TESTS)
        for file in ("conftest.py", "times.json"):
            shutil.copy(repository / "tests" / file, folder / "tests")

    (prepared / "bin" / "autograder").write_text(CI_AUTOGRADER.format(python=prepared / "bin" / "python"))
    (prepared / "bin" / "autograder").chmod(0o755)
    for linter in ("ruff", "pyright", "lint-imports", "pre-commit"):
        (prepared / "bin" / linter).unlink(missing_ok=True)
        (prepared / "bin" / linter).write_text(f'#!/bin/sh\necho "{linter} $@"\n')
        (prepared / "bin" / linter).chmod(0o755)
    (prepared / ".installed").touch()
    os.utime(prepared / ".installed", (later := time.time() + 3600, later))  # newer than what is checked out later
    environment = {"PYTHONPATH": ".:student_template", "PYTEST_ADDOPTS": "-p no:cacheprovider"} | cache(repository)
    run = Runner(repository, tmp_path / "run", environment=environment, checked_out=checked_out).run(
        "ci.yml", "push", whole_matrix=False
    )
    assert run.ok, run.log
    for said in ("ruff format --check", "ruff check", "pyright --pythonpath", "up to date: toy", "| <code>"):
        assert said in run.log + run.jobs["course"][0].summary
    for job in (run.jobs["test"][0], run.jobs["docker"][0]):
        assert " 1 passed" in job.log  # the other one is deselected
    assert "installing with" not in run.log


# --- release.yml ------------------------------------------------------------------------------------------------

SPHINX = """#!/bin/sh
for last; do :; done
mkdir -p "$last" && echo "$@" > "$last/index.html"
"""


@pytest.fixture(scope="module")
def release(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Runs the release of the course, with a stand-in for what makes the pages (test_handbook.py makes them)."""
    place = tmp_path_factory.mktemp("release")
    prepared = place / "prepared"
    make_environment(prepared)
    (prepared / "bin" / "sphinx-build").unlink(missing_ok=True)
    (prepared / "bin" / "sphinx-build").write_text(SPHINX)
    (prepared / "bin" / "sphinx-build").chmod(0o755)
    (prepared / ".installed").touch()
    os.utime(prepared / ".installed", (later := time.time() + 3600, later))

    def run(ref: str, dated: bool) -> Run:
        def checked_out(folder: Path) -> None:
            (folder / ".venv").symlink_to(prepared)
            changelog = folder / "CHANGELOG.md"
            if dated:
                changelog.write_text(changelog.read_text().replace(", unreleased", ", 2027-01-31", 1))

        environment = {"PYTHONPATH": ".:student_template", "GITHUB_REF": ref}
        runner = Runner(
            repository, place / f"{ref}{dated}".replace("/", "-"), environment=environment, checked_out=checked_out
        )
        return runner.run("release.yml", "push")

    return run


def test_a_tag_makes_the_archives_of_a_release(release: Callable[..., Run]) -> None:
    run = release(f"refs/tags/v{adkit.__version__}", dated=True)
    assert run.ok, run.log
    folder = run.artifacts["release"]
    start = f"autodiff-{adkit.__version__}"
    expected = {"student-template", "toy-autograder", "handbook", "handbook-students"}
    assert {file.name for file in folder.iterdir()} == {*(f"{start}-{part}.zip" for part in expected), "SHA256SUMS"}
    with zipfile.ZipFile(folder / f"{start}-student-template.zip") as template:
        held = set(template.namelist())
    assert {"README.md", "AGENTS.md", "toy.ipynb", "adkit/__init__.py", "tests/toy/q1.py", "check.py"} <= held
    assert not {name for name in held if "reference" in name or name.endswith(".pyc")}
    with zipfile.ZipFile(folder / f"{start}-handbook-students.zip") as pages:
        assert b"students" in pages.read("index.html")
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
    assert checked.returncode == 0


def test_a_tag_that_is_not_the_version_or_a_changelog_without_a_date_makes_none(release: Callable[..., Run]) -> None:
    run = release("refs/tags/v9.9.9", dated=True)
    assert not run.ok
    assert f"the tag has to be v{adkit.__version__}" in run.log
    run = release(f"refs/tags/v{adkit.__version__}", dated=False)
    assert not run.ok
    assert "give it the date of the release" in run.log
    assert run.artifacts == {}


# --- check.yml --------------------------------------------------------------------------------------------------


@pytest.fixture
def students(repository: Path, tmp_path: Path) -> Path:
    """`student_template/` pushed as a repository of its own."""
    folder = tmp_path / "student"
    shutil.copytree(repository / "student_template", folder)
    commit(folder)
    return folder


def check(folder: Path, place: Path) -> Run:
    return Runner(folder, place / "run").run("check.yml", "push")


def test_the_untouched_template_passes_its_check_with_everything_not_yet(students: Path, tmp_path: Path) -> None:
    run = check(students, tmp_path)
    assert run.ok, run.log
    assert "3 questions: 0 passed, 0 wrong, 3 not yet" in run.log
    assert "| q1: Twice | · not yet |" in run.jobs["check"][0].summary


def test_the_solved_notebook_passes_its_check(students: Path, notebooks: dict[str, str], tmp_path: Path) -> None:
    (students / "toy.ipynb").write_text(notebooks["solved"])
    commit(students)
    run = check(students, tmp_path)
    assert run.ok, run.log
    assert "3 passed, 0 wrong, 0 not yet" in run.jobs["check"][0].summary


def test_a_known_mistake_is_red_and_named(students: Path, notebooks: dict[str, str], tmp_path: Path) -> None:
    (students / "toy.ipynb").write_text(with_cell(notebooks["solved"], "def twice(x):\n    return x * x"))
    commit(students)
    run = check(students, tmp_path)
    assert not run.ok
    assert "You returned the square of x." in run.jobs["check"][0].summary
    assert "2 passed, 1 wrong, 0 not yet" in run.log


def test_a_notebook_that_ends_its_process_is_red_and_said_so(
    students: Path, notebooks: dict[str, str], tmp_path: Path
) -> None:
    (students / "toy.ipynb").write_text(with_cell(notebooks["solved"], "import os; os._exit(7)"))
    commit(students)
    run = check(students, tmp_path)
    assert not run.ok
    assert "ended early (exit code 7)" in run.log


@pytest.mark.parametrize(
    ("policy", "states", "red"),
    [
        ("wrong", ["passed", "not yet"], False),
        ("wrong", ["passed", "wrong"], True),
        ("incomplete", ["passed", "not yet"], True),
        ("incomplete", ["passed", "passed"], False),
        ("nothing", ["wrong"], False),
    ],
)
def test_the_policy_line_decides_what_is_red(
    policy: str, states: list[public_cases.State], red: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = ROOT / "student_template" / "check.py"
    assert script.read_text().count('RED_WHEN = "wrong"\n') == 1
    spec = importlib.util.spec_from_file_location("students_check", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "students_check", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RED_WHEN", policy)
    cases = [public_cases.CaseResult("a case", 1.0, state) for state in states]
    questions = [public_cases.QuestionResult("q", "a question", 1.0, False, (case,)) for case in cases]
    assert module.is_red([module.Report("notebook", questions)]) is red


def test_what_a_notebook_is_called_that_is_not_there_is_said(students: Path) -> None:
    command = [sys.executable, "check.py", "no_such"]
    done = subprocess.run(command, cwd=students, capture_output=True, text=True)
    assert done.returncode == 2
    assert "here are: toy" in done.stderr


# --- what students really get ------------------------------------------------------------------------------------


def copy_template(folder: Path) -> None:
    """A copy of student_template/, as students have it."""
    shutil.copytree(ROOT / "student_template", folder, ignore=shutil.ignore_patterns("__pycache__", ".OTTER_LOG"))


def check_template(folder: Path, *arguments: str, **notebooks: str) -> subprocess.CompletedProcess[str]:
    """A student's `python check.py` in a copy of student_template/ with these notebooks."""
    copy_template(folder)
    for name, notebook in notebooks.items():
        (folder / f"{name}.ipynb").write_text(notebook, encoding="utf-8")
    return subprocess.run([sys.executable, "check.py", *arguments], cwd=folder, capture_output=True, text=True)


# Jupyter's "Run all" ends at the first error, a stub's too: a demonstration waits for the function that it shows. So no
# error is a stub's here while cells run, and check.py says of any which cell it stopped.
STRICT = """
import check
run, is_stub = check.run_cells, check.is_stub
def strictly(*arguments):
    check.is_stub = lambda error: False
    try:
        return run(*arguments)
    finally:
        check.is_stub = is_stub
check.run_cells = strictly
raise SystemExit(check.main([]))
"""


def test_the_courses_own_template_is_green_untouched_and_none_of_its_cells_stops_those_after_it(tmp_path: Path) -> None:
    copy_template(tmp_path / "template")
    command = [sys.executable, "-c", STRICT]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path / "template", env=environment, capture_output=True, text=True)
    questions = sum(len(Assignment.load(name).questions) for name in names())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{questions} questions: 0 passed, 0 wrong, {questions} not yet" in done.stdout
    assert "!" not in done.stdout


@pytest.mark.parametrize("name", names())
def test_the_courses_own_solutions_pass_every_public_test(name: str, tmp_path: Path) -> None:
    done = check_template(tmp_path / "template", name, **{name: solved_notebook(name)})
    questions = len(Assignment.load(name).questions)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{questions} passed, 0 wrong, 0 not yet" in done.stdout


# --- the runner itself ------------------------------------------------------------------------------------------


def small(place: Path, permissions: str, step: str) -> Run:
    """A workflow of one step, run."""
    folder = place / "small"
    (folder / ".github" / "workflows").mkdir(parents=True)
    lines = ["on: push", f"permissions: {permissions}", "jobs: {a: {runs-on: x, steps: [", step, "]}}"]
    (folder / ".github" / "workflows" / "w.yml").write_text("\n".join(lines))
    commit(folder)
    return Runner(folder, place / "run").run("w.yml", "push")


CHECKOUT = "{uses: actions/checkout@v0, with: {persist-credentials: false}}"


def test_the_runner_refuses_a_checkout_without_permission(tmp_path: Path) -> None:
    assert small(tmp_path / "may", "{contents: read}", CHECKOUT).ok
    refused = small(tmp_path / "may not", "{}", CHECKOUT)
    assert "needs contents: read" in refused.log
    assert not refused.ok


def test_the_runner_refuses_an_expression_in_a_script(tmp_path: Path) -> None:
    run = small(tmp_path, "{}", "{run: 'echo ${{ github.ref }}'}")
    assert not run.ok
    assert "injection" in run.log


def test_the_runner_stops_a_job_at_its_first_failing_command(tmp_path: Path) -> None:
    run = small(tmp_path, "{}", "{run: 'false | true; echo reached'}, {run: echo next}")
    assert not run.ok
    assert "reached" not in run.log
    assert "next" not in run.log


def test_the_runner_refuses_inputs_that_are_not_declared(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="unknown inputs"):
        Runner(repository, tmp_path / "run").run("grade.yml", "workflow_dispatch", {"assignment": "toy", "x": 1})
