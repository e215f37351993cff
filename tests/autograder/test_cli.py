"""The command line: exit codes, one clear sentence for each mistake, and where everything is."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import courses
import pytest
import unisolated
from courses import RIGHT, notebook
from rich.cells import cell_len

from autograder import cli, doctor
from autograder.build import command as build_command
from autograder.grading import grade as engine_grade
from autograder.grading.task import Settings
from autograder.isolation import calls
from autograder.report import write as report_write


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with one assignment and two submissions, graded in this process."""
    assignment = courses.awkward_assignment(tmp_path)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ann.ipynb").write_text(notebook(RIGHT))
    (tmp_path / "class" / "bob.ipynb").write_text(notebook("pass"))
    settings = Settings(str(assignment.folder), seed="s")
    monkeypatch.setattr(engine_grade, "grader_of", lambda _order: unisolated.OneProcess(settings))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_grading_says_where_everything_is(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "-j", "1"]) == 0
    shown = capsys.readouterr().out
    for place in ("final_grades.csv", "results", "feedback", "report.html"):
        assert str(Path("out", place)) in shown
        assert (course / "out" / place).exists()
    assert "ann.ipynb" in shown
    assert "5.5" in shown


def test_a_submission_that_cannot_be_graded_is_listed_and_makes_the_exit_code_1(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "class" / "cut\x1b[2J.ipynb").write_text("{")
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 1
    error = capsys.readouterr().err
    assert "1 of 3 could not be graded" in error
    assert "not valid JSON" in error
    assert "\x1b" not in error


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["grade", "class", "-a", "nothing", "-o", "out"], "there is no assignment 'nothing'"),
        (["grade", "nowhere", "-a", "toy", "-o", "out"], "no file or folder 'nowhere'"),
        (["grade", "nothing-in-it", "-a", "toy", "-o", "out"], "nothing to grade"),
        (["grade", "class", "-a", "toy", "-o", "class"], "not empty"),
        (["grade", "class", "-a", "toy", "-o", "out", "--dask", "tcp://x", "-j", "2"], "--dask"),
        (["report", "class"], "holds no results"),
        (["merge", "class", "-o", "out"], "holds no results"),
        (["collect", "nowhere", "-a", "toy", "-o", "out"], "neither a folder nor a zip"),
        (["grade", "class", "-a", "toy", "-o", "out", "--roster", "no.csv"], "no.csv cannot be read"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence_and_exit_code_2(
    course: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    (course / "nothing-in-it").mkdir()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("option", [["--shard", "3/2"], ["--shard", "0/2"], ["-j", "0"], ["--timeout", "-1"]])
def test_impossible_options_are_refused(course: Path, option: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["grade", "class", "-a", "toy", "-o", "out", *option])
    assert stopped.value.code == 2


def test_an_unexpected_error_is_shown_in_full_only_with_debug(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(engine_grade, "gather", broken)
    arguments = ["grade", "class", "-a", "toy", "-o", "out"]
    assert cli.main(arguments) == 2
    assert "unexpected KeyError" in capsys.readouterr().err
    with pytest.raises(KeyError):
        cli.main([*arguments, "--debug"])
    with pytest.raises(KeyError):
        cli.main(["--debug", *arguments])


def test_an_interrupted_run_keeps_its_journal_and_says_how_to_go_on(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = report_write.write_submission

    def interrupt(*arguments: Any) -> None:
        written(*arguments)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(report_write, "write_submission", interrupt)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 130
    assert "--resume" in capsys.readouterr().err
    assert len((course / "out" / "journal.jsonl").read_text().splitlines()) == 1
    monkeypatch.setattr(report_write, "write_submission", written)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "--resume"]) == 0
    assert len((course / "out" / "journal.jsonl").read_text().splitlines()) == 2


def test_shards_are_graded_merged_and_reported(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grade = ["grade", "class", "-a", "toy", "-q"]
    assert cli.main([*grade, "-o", "one", "--shard", "1/2"]) == 0
    assert cli.main(["merge", "one", "-o", "incomplete"]) == 1
    assert "shard 2/2 is missing" in capsys.readouterr().err
    assert cli.main([*grade, "-o", "two", "--shard", "2/2"]) == 0
    assert cli.main(["merge", "one", "two", "-o", "all"]) == 0
    assert cli.main([*grade, "-o", "whole"]) == 0
    assert (course / "all" / "final_grades.csv").read_text() == (course / "whole" / "final_grades.csv").read_text()
    (course / "all" / "report.html").unlink()
    assert cli.main(["report", "all"]) == 0
    assert (course / "all" / "report.html").exists()


def test_collected_submissions_bring_their_roster_to_the_tables(course: Path) -> None:
    (course / "download").mkdir()
    (course / "download" / "doejane_42_1001_toy.ipynb").write_text(notebook(RIGHT))
    assert cli.main(["collect", "download", "-a", "toy", "-o", "collected"]) == 0
    assert cli.main(["grade", "collected", "-a", "toy", "-o", "out", "-q"]) == 0
    assert "doejane,42,,,,5.5" in (course / "out" / "lms" / "canvas.csv").read_text()


def test_files_that_belong_to_nobody_in_the_roster_are_named(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = sorted(file.name for file in (course / "class").iterdir())
    (course / "students.csv").write_text(f"login,name\n{Path(names[0]).stem},Doe Jane\n")
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "-q", "--roster", "students.csv"]) == 0
    said = capsys.readouterr().err
    assert f"1 of {len(names)} files belong to nobody in the roster: {names[1]}." in said
    assert "Doe Jane" in (course / "out" / "lms" / "canvas.csv").read_text()


@pytest.mark.parametrize(("number", "advice"), [(errno.ENOSPC, "--resume"), (errno.EACCES, "permissions")])
def test_an_error_of_the_system_says_where_and_what_to_do(
    number: int, advice: str, course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number), "out/results/a.json")

    monkeypatch.setattr(report_write, "write_submission", fail)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "-q"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"autograder: out/results/a.json: {os.strerror(number)}. ")
    assert advice in said
    assert "Errno" not in said


HEAVY = ("jax", "otter", "rich", "IPython", "nbformat", "pandas", "scipy", "adkit.checks")


def imported_by(*commands: str, of: tuple[str, ...]) -> str:
    """Which of these modules are there after these commands, run one after another in a new process."""
    calls = "".join(
        f"\ntry: cli.main({command.split()!r})\nexcept SystemExit as stopped: assert stopped.code == 2"
        for command in commands
    )
    code = f"import sys\nfrom autograder import cli{calls}\nprint([m for m in {of!r} if m in sys.modules])"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment)
    return run([sys.executable, "-c", code]).stdout.strip()


def test_starting_imports_nothing_heavy() -> None:
    assert imported_by(of=("numpy", *HEAVY)) == "[]"


def test_a_mistake_in_the_command_is_found_before_anything_heavy_is_imported(course: Path) -> None:
    commands = (
        "grad",
        "grade",
        "grade class -a toy -o out --jbos 3",
        "grade class -a toi -o out",
        "grade nowhere -a toy -o out",
        "report nowhere",
        "merge nowhere -o out",
        "collect nowhere -a toy -o out",
        "otter-grade class -a toi -o out",
    )
    assert imported_by(*commands, of=HEAVY) == "[]"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("grad class", "there is no command 'grad'; did you mean 'grade'?"),
        ("otter_grade class", "there is no command 'otter_grade'; did you mean 'otter-grade'?"),
        ("grade class -a toy -o out --jbos=3", "there is no option '--jbos'; did you mean '--jobs'?"),
        ("grade class --asignment toy -o out", "there is no option '--asignment'; did you mean '--assignment'?"),
        ("--debgu grade class -a toy -o out", "there is no option '--debgu'; did you mean '--debug'?"),
        ("grade class -a Matrix-Gradient -o out", "'Matrix-Gradient'; did you mean 'matrix_gradients'?"),
        ("report out more", "too many arguments: more."),
        ("frobnicate", "there is no command 'frobnicate'; the commands are: build, new,"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_one_that_was_meant(
    course: Path, capsys: pytest.CaptureFixture[str], command: str, says: str
) -> None:
    try:
        code = cli.main(command.split())
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr()
    assert code == 2
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "autograder", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("autograder ")


@pytest.mark.parametrize("command", ["build", "grade", "otter-grade", "merge", "report", "sample", "collect", "doctor"])
def test_the_help_of_every_command_has_examples_and_exit_codes(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main([command, "--help"])
    shown = capsys.readouterr().out
    assert stopped.value.code == 0
    assert f"\n  autograder {command}" in shown[shown.index("examples:") :]
    assert "exit codes:" in shown


# ---------------------------------------- tables and documents


@pytest.mark.parametrize("width", [80, 50])
def test_a_narrow_terminal_shortens_names_and_shows_the_points(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    for name in ("a_very_long_name_" * 6, "王小明" * 20):
        (course / "class" / f"{name}.ipynb").write_text(notebook(RIGHT))
    monkeypatch.setenv("COLUMNS", str(width))
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 0
    shown = capsys.readouterr().out.split("grades  ")[0].splitlines()
    assert all(cell_len(line) <= width for line in shown)
    (long,) = [line for line in shown if line.startswith(("│ a_very", "a_very"))]
    assert "…" in long
    assert ".ipynb" in long
    assert all(points in long for points in ("3", "2.5", "5.5", "100"))


def test_where_not_even_short_names_leave_room_the_total_is_shown(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "28")
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 0
    shown = capsys.readouterr().out
    assert "q1" not in shown.split("grades  ")[0]
    assert "5.5" in next(line for line in shown.splitlines() if line.startswith("ann"))


def test_a_submission_that_ran_out_of_time_is_listed_and_makes_the_exit_code_1(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "class" / "late.ipynb").write_text(notebook("OUT OF TIME", RIGHT))
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 1
    said = capsys.readouterr()
    assert "1 of 3 ran out of time and are graded as far as they came:" in said.err
    assert "could not be graded" not in said.err
    assert "timed out" in next(line for line in said.out.splitlines() if "late.ipynb" in line)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "--resume", "-q"]) == 1
    assert len((course / "out" / "journal.jsonl").read_text().splitlines()) == 3  # it has its grade


def test_json_is_one_document_on_standard_output(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (course / "class" / "late.ipynb").write_text(notebook("OUT OF TIME", RIGHT))
    (course / "class" / "cut\x1b[2J.ipynb").write_text("{")
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "--json"]) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["exit_code"] == 1
    assert document["counts"]["submissions"] == 4
    assert {entry["file"]: entry["status"] for entry in document["submissions"]} == {
        "ann.ipynb": "completed",
        "bob.ipynb": "completed",
        "cut\x1b[2J.ipynb": "unreadable",
        "late.ipynb": "timed out",
    }
    ann = document["submissions"][0]
    assert (ann["questions"], ann["earned"], ann["possible"]) == ({"q1": 3.0, "q2": 2.5, "q3": 0.0}, 5.5, 5.5)
    assert Path(ann["feedback"]).is_file()
    assert "\x1b" not in said.out + said.err
    assert "could not be graded" in said.err
    assert cli.main(["report", "out", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["submissions"] == document["submissions"]


def test_json_of_collect_and_doctor(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (course / "download").mkdir()
    (course / "download" / "doejane_42_1001_toy.ipynb").write_text(notebook(RIGHT))
    assert cli.main(["collect", "download", "-a", "toy", "-o", "collected", "--json"]) == 0
    assert "doejane" in json.dumps(json.loads(capsys.readouterr().out))
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("Python", "weak", "3.99", "take another")])
    assert cli.main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    finding = {"name": "Python", "state": "weak", "what": "3.99", "remedy": "take another"}
    assert document == {"command": "doctor", "exit_code": 0, "works": True, "findings": [finding]}


def test_the_policy_fits_a_terminal_of_80_columns_and_names_every_call_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["doctor", "--policy"]) == 0
    shown = capsys.readouterr().out
    names = [
        *calls.ALLOWED,
        *calls.REFUSED,
        *calls.ABSENT,
        *calls.WITHOUT_EFFECT,
        *calls.METADATA_CALLS,
        *calls.by_argument(0),
    ]
    about_calls = re.sub(r"\([^)]*\)", "", shown[shown.index("\nCalls") :])
    words = re.findall(r"[a-z0-9_]+", about_calls)
    assert all(words.count(name) == 1 for name in set(names) - {"time", "sync"}), about_calls
    long = [line for line in shown.splitlines() if cell_len(line) > 80]
    assert all(len(line.split()) <= 2 for line in long), "only a path may be longer than a line"


def test_json_of_the_policy_has_paths_calls_limits_and_layers(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--policy", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)["policy"]
    assert set(document) == {"files", "calls", "limits", "layers"}
    assert "vmsplice" in document["calls"]["refused"]
    assert document["layers"]["watch"] == ["on"]


@pytest.mark.parametrize("arguments", ["report nowhere --json", "report --json", "grade class -a toi -o out --json"])
def test_json_of_a_mistake_has_its_sentence(course: Path, capsys: pytest.CaptureFixture[str], arguments: str) -> None:
    with contextlib.suppress(SystemExit):
        cli.main(arguments.split())
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["exit_code"] == 2
    assert document["error"] in said.err


# ---------------------------------------- otter-grade by an assignment's name


@pytest.fixture
def built(course: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Builds that were asked for; each writes an empty zip."""
    names: list[str] = []

    def build(wanted: list[str], dist: Path, check: bool) -> int:
        names.extend(wanted)
        made = dist / wanted[0] / "autograder.zip"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(b"")
        return 0

    monkeypatch.setattr(build_command, "build", build)
    return names


def test_a_name_stands_for_the_zip_that_was_built_and_that_is_said(
    course: Path, built: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    zipped = Path("dist", "toy", "autograder.zip")
    zipped.parent.mkdir(parents=True)
    zipped.touch()
    assert cli._bundle("toy", lambda: None) == zipped
    assert built == []
    assert f"using {zipped}" in capsys.readouterr().err


@pytest.mark.parametrize("old", [True, False], ids=["old", "missing"])
def test_a_zip_that_is_old_or_missing_is_built_and_that_is_said(
    course: Path, built: list[str], capsys: pytest.CaptureFixture[str], old: bool
) -> None:
    zipped = Path("dist", "toy", "autograder.zip")
    if old:
        zipped.parent.mkdir(parents=True)
        zipped.touch()
        os.utime(zipped, (0, 0))
    assert cli._bundle("toy", lambda: None) == zipped
    assert built == ["toy"]
    assert f"{zipped} is {'older than the assignment' if old else 'missing'}: building it" in capsys.readouterr().err


def test_nothing_is_built_where_it_could_not_be_used(course: Path, built: list[str]) -> None:
    def no_docker() -> None:
        raise cli.UsageError("no Docker")

    with pytest.raises(cli.UsageError):
        cli._bundle("toy", no_docker)
    assert built == []


def test_without_a_command_the_commands_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    shown = capsys.readouterr().out
    for command in ("build", "grade", "merge", "report", "sample", "collect", "doctor"):
        assert command in shown
