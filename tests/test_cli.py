"""The command line: exit codes, one clear sentence for each mistake, and where everything is."""

import errno
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import toy_course
from toy_course import RIGHT, notebook

from autograder import cli
from autograder.engine import grade as engine_grade
from autograder.engine.worker import Settings


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with one assignment and two submissions, graded in this process."""
    assignment = toy_course.write_assignment(tmp_path)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ann.ipynb").write_text(notebook(RIGHT))
    (tmp_path / "class" / "bob.ipynb").write_text(notebook("pass"))
    settings = Settings(str(assignment.folder), seed="s")
    monkeypatch.setattr(engine_grade, "_grader", lambda _order: toy_course.OneProcess(settings))
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
    assert "no valid JSON" in error
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
        (["collect", "nowhere", "-a", "toy", "-o", "out"], "is no folder"),
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
    written = engine_grade.write_result

    def interrupt(*arguments: object) -> None:
        written(*arguments)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(engine_grade, "write_result", interrupt)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out"]) == 130
    assert "--resume" in capsys.readouterr().err
    assert len((course / "out" / "journal.jsonl").read_text().splitlines()) == 1
    monkeypatch.setattr(engine_grade, "write_result", written)
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

    monkeypatch.setattr(engine_grade, "write_result", fail)
    assert cli.main(["grade", "class", "-a", "toy", "-o", "out", "-q"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"autograder: out/results/a.json: {os.strerror(number)}. ")
    assert advice in said
    assert "Errno" not in said


def test_starting_imports_nothing_heavy() -> None:
    code = (
        "import sys; import autograder.cli; print([m for m in ('numpy', 'jax', 'otter', 'rich') if m in sys.modules])"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment)
    assert run([sys.executable, "-c", code]).stdout.strip() == "[]"


def test_without_a_command_the_commands_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    shown = capsys.readouterr().out
    for command in ("build", "grade", "merge", "report", "sample", "collect", "doctor"):
        assert command in shown
