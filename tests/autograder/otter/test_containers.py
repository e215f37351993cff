"""`autograder otter-grade`: safe names for Otter, a row for every submission whatever Otter does. Without Docker."""

import csv
import json
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from otter.grade.utils import TimeoutException
from otter.test_files import GradingResults

from autograder import cli
from autograder.build.command import Built
from autograder.otter import containers as engine
from autograder.otter import listener as otter_grade
from autograder.otter.containers import Bundle, ContainerGrader, Containers, ContainersError
from autograder.records.journal import Record
from autograder.records.results import Timeout
from autograder.submissions.batch import Entry, gather
from autograder.testcases import load_cases

TELL = """
import json, os, signal, sys
order = json.load(sys.stdin)
files = [os.path.basename(path) for path in order["paths"]]
def tell(**message):
    print(json.dumps(message), flush=True)
"""


@pytest.fixture(scope="module")
def zipped(toy_bundle: tuple[Built, Path]) -> Path:
    """The toy's autograder.zip."""
    return toy_bundle[1]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that answers, knows no image, lists one container and writes down what it is asked."""
    log = tmp_path / "docker.log"
    tool(
        tmp_path / "bin" / "docker",
        f"""
        #!/bin/sh
        echo "$*" >> {log}
        case "$1" in image) exit 1 ;; ps) echo c0ffee ;; esac
        """,
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return log


def tool(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip())
    path.chmod(0o755)


@pytest.fixture
def order(zipped: Path, tmp_path: Path, docker: Path) -> Containers:
    bundle = Bundle.read(zipped, tmp_path / "assignment")
    return Containers(bundle, "toy", "python:3.13-slim", 2, 60.0, False, tmp_path / "summaries")


def told_by(order: Containers, program: str) -> Containers:
    """The same order, carried out by `program` in place of Otter."""
    return replace(order, program=(sys.executable, "-c", TELL + textwrap.dedent(program)))


def graded(order: Containers, folder: Path) -> dict[str, Record]:
    with ContainerGrader(order) as grader:
        return {record.name: record for record in grader.grade(gather([folder], "toy").entries)}


def everything_right(order: Containers) -> str:
    """The fields of a message that says that all cases have passed."""
    cases = {
        question: [[True, "passed"]] * len(found) for question, found in load_cases(order.bundle.assignment).items()
    }
    scores = {question.name: question.points for question in order.bundle.assignment.questions}
    return f"cases={cases!r}, scores={scores!r}, output='', summary='', seconds=1.0"


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("=cmd|x.ipynb", "a\x1b[31m\n.py", "Export.ZIP", "-rf.ipynb"):
        (folder / name).write_text(f"content of {name}")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.py")
    return folder


def test_otter_sees_every_kind_of_file_once_under_names_of_ours(order: Containers, submissions: Path) -> None:
    program = """
    print([(file, open(path).read()) for file, path in zip(files, order["paths"])], file=sys.stderr)
    tell(built=True)
    for file, path in zip(files, order["paths"]):
        tell(file=file, kind="failed", error=open(path).read(), summary="")
    """
    records = graded(told_by(order, program), submissions)
    assert len(records) == 6
    handed_over = {name: r.result.problem for name, r in records.items() if r.result.problem.startswith("content of")}
    assert set(handed_over) == {"=cmd|x.ipynb", "a\x1b[31m\n.py", "Export.ZIP", "-rf.ipynb"}


def test_the_names_that_otter_sees_hold_nothing_of_the_students(order: Containers, submissions: Path) -> None:
    program = """
    tell(built=True)
    for file in files:
        tell(file=file, kind="failed", error=file, summary="")
    """
    records = graded(told_by(order, program), submissions)
    seen = sorted(record.result.problem for record in records.values() if record.result.status == "failed")
    assert all(name[:5].isdigit() for name in seen)
    assert sorted(name[5:] for name in seen) == [".ipynb", ".ipynb", ".py", ".zip"]


def test_a_link_and_a_pipe_are_neither_followed_nor_handed_to_otter(order: Containers, submissions: Path) -> None:
    records = graded(told_by(order, "tell(built=True)"), submissions)
    for name in ("link.ipynb", "pipe.py"):
        assert records[name].result.status == "unreadable"
    assert "root:" not in str(records)


def test_points_come_from_the_cases_that_passed(order: Containers, submissions: Path) -> None:
    program = f"""
    tell(built=True)
    for file in files:
        tell(file=file, {everything_right(order)})
    """
    record = graded(told_by(order, program), submissions)["-rf.ipynb"]
    assert (record.result.status, record.result.earned, record.result.possible) == ("completed", 9, 7)


def test_points_that_are_not_those_of_the_cases_are_not_believed(order: Containers, submissions: Path) -> None:
    told = everything_right(order).replace("'q1': 4.0", "'q1': 40.0")
    assert "40.0" in told
    records = graded(told_by(order, f"tell(built=True); tell(file=files[0], {told})"), submissions)
    [record] = [record for record in records.values() if "points of the container" in record.result.problem]
    assert record.result.status == "failed"


def test_what_was_graded_counts_when_otter_then_ends_with_an_error(order: Containers, submissions: Path) -> None:
    program = f"tell(built=True); tell(file=files[0], {everything_right(order)}); raise KeyError('file')"
    records = graded(told_by(order, program), submissions)
    assert len(records) == 6
    assert [record.result.earned for record in records.values()].count(9) == 1
    lost = [record.result for record in records.values() if "ended before" in record.result.problem]
    assert len(lost) == 3
    assert all("KeyError" in result.problem and result.status == "failed" for result in lost)


def test_a_docker_that_says_nothing_any_more_is_given_up(
    order: Containers, submissions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SILENCE_SECONDS", 0.0)
    order = replace(told_by(order, "tell(built=True); signal.pause()"), timeout=0.01)
    records = graded(order, submissions)
    assert sum("ended before" in record.result.problem for record in records.values()) == 4


def test_a_stopped_container_says_after_how_long(order: Containers, submissions: Path) -> None:
    program = "tell(built=True); tell(file=files[0], kind='timeout', error='/tmp/x', summary='/tmp/x')"
    problems = [record.result.problem for record in graded(told_by(order, program), submissions).values()]
    assert "It was not finished after 60 seconds, and its container was stopped." in problems


def test_a_stopped_container_is_timed_out_by_its_own_limit_and_has_no_grade(
    order: Containers, submissions: Path
) -> None:
    program = "tell(built=True); tell(file=files[0], kind='timeout', error='/tmp/x', summary='/tmp/x')"
    results = [record.result for record in graded(told_by(order, program), submissions).values()]
    (late,) = [result for result in results if result.status == "timed out"]
    assert late.timeouts == (Timeout("container", "", 60.0),)
    assert not late.graded


def test_what_ran_out_of_time_in_a_container_is_known_as_fields(order: Containers, submissions: Path) -> None:
    (name, *_) = [case.name for cases in load_cases(order.bundle.assignment).values() for case in cases]
    outcome = {
        "timeouts": [
            {"limit": limit, "what": what, "seconds": seconds}
            for limit, what, seconds in (("call", "twice", 10), ("submission", "", 600), ("no limit", "", 1))
        ],
        "cases": {name: {"message": "too slow", "mistake": "", "failure": "timeout"}},
    }
    fields = everything_right(order).replace("[True, 'passed']", "[False, 'no']", 1)
    program = f"tell(built=True); tell(file=files[0], outcome={outcome!r}, {fields})"
    results = [record.result for record in graded(told_by(order, program), submissions).values()]
    (late,) = [result for result in results if result.timeouts]
    assert late.timeouts == (Timeout("call", "twice", 10.0), Timeout("submission", "", 600.0))
    assert late.questions[0].cases[0].failure == "timeout"


@pytest.mark.parametrize(
    "outcome",
    [None, {}, [], {"timeouts": 3, "cases": {}}, {"timeouts": [["call"]], "cases": 3}, {"notes": [1], "cases": {1: 2}}],
)
def test_what_is_of_another_form_is_dropped(order: Containers, submissions: Path, outcome: object) -> None:
    program = f"tell(built=True); tell(file=files[0], outcome={outcome!r}, {everything_right(order)})"
    results = [record.result for record in graded(told_by(order, program), submissions).values()]
    assert "completed" in [result.status for result in results]


def test_mistakes_notes_and_what_was_printed_come_as_fields(order: Containers, submissions: Path) -> None:
    (name, *_) = [case.name for cases in load_cases(order.bundle.assignment).values() for case in cases]
    outcome = {
        "notes": ["grader: not the grader's", "Printed by the notebook:"],
        "output": "Printed by the notebook:\nhello",
        "cases": {name: {"message": "You doubled it (y is 4)", "mistake": "You doubled it", "failure": ""}},
    }
    fields = everything_right(order).replace("[True, 'passed']", "[False, 'no']", 1).replace("'q1': 4.0", "'q1': 3.0")
    program = f"tell(built=True); tell(file=files[0], outcome={outcome!r}, {fields})"
    (result,) = [r.result for r in graded(told_by(order, program), submissions).values() if r.result.output]
    assert (result.notes, result.grader_notes) == (("grader: not the grader's", "Printed by the notebook:"), ())
    assert result.output == "Printed by the notebook:\nhello"
    assert result.questions[0].cases[0].mistake == "You doubled it"
    assert result.questions[0].cases[0].message == "You doubled it (y is 4)"


def test_an_image_that_cannot_be_had_is_an_error_with_dockers_words(order: Containers, submissions: Path) -> None:
    program = "print('ERROR: no such \\x1b[1mimage', file=sys.stderr); tell(fatal='DockerException'); sys.exit(1)"
    with pytest.raises(
        ContainersError, match=r"image 'python:3.13-slim' is not available locally and .* pulled: ERROR: no such"
    ):
        graded(told_by(order, program), submissions)


def test_otter_that_does_not_start_is_an_error(order: Containers, submissions: Path) -> None:
    with pytest.raises(ContainersError, match=r"could not be started: .*no otter"):
        graded(told_by(order, "raise ImportError('no otter')"), submissions)


def test_an_interrupted_run_leaves_no_process_no_container_and_no_copy(
    order: Containers, submissions: Path, docker: Path, tmp_path: Path
) -> None:
    program = """
    tell(container="c0ffee"); tell(container="gone"); tell(built=True)
    tell(file=files[0], kind="failed", error=f"{os.getpid()} {os.getcwd()}", summary="")
    signal.pause()
    """
    with ContainerGrader(told_by(order, program)) as grader:
        records: Iterator[Record] = grader.grade(gather([submissions], "toy").entries)
        problem = next(record.result.problem for record in records if record.result.status == "failed")
    pid, place = problem.split()
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(place).exists()
    assert "rm -f c0ffee\n" in docker.read_text()


def test_summaries_have_safe_names_and_text(order: Containers, submissions: Path, tmp_path: Path) -> None:
    program = (
        "tell(built=True)\nfor file in files: tell(file=file, kind='failed', error='', summary='x\\x1b]0;t\\x07y')"
    )
    graded(told_by(order, program), submissions)
    written = sorted((tmp_path / "summaries").iterdir())
    assert len(written) == 6
    assert all(path.name.isprintable() and not path.name.startswith(("=", "-")) for path in written)
    assert "xy\n" in [path.read_text() for path in written]
    assert "\x1b" not in "".join(path.read_text() for path in written)


def run(zipped: Path, out: Path, *more: str) -> int:
    return cli.main(["otter-grade", *more, "-a", str(zipped), "-o", str(out)])


def files(out: Path) -> list[str]:
    """The table's first column, without the row of the points possible."""
    rows = csv.DictReader((out / "final_grades.csv").read_text().splitlines())
    return [row["file"] for row in rows][1:]


def program_of_otter(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Lets the command run `program` in place of Otter."""
    command = (sys.executable, "-c", TELL + textwrap.dedent(program))
    original = engine.ContainerGrader.__init__

    def start(self: ContainerGrader, order: Containers) -> None:
        original(self, replace(order, program=command))

    monkeypatch.setattr(engine.ContainerGrader, "__init__", start)


def test_the_table_is_escaped_and_has_a_row_for_each(
    zipped: Path,
    submissions: Path,
    tmp_path: Path,
    docker: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program_of_otter(
        monkeypatch,
        "tell(built=True)\nfor file in files: tell(file=file, kind='failed', error='=1+\\x1b[31m1', summary='')",
    )
    assert run(zipped, tmp_path / "out", str(submissions)) == 1
    text = (tmp_path / "out" / "final_grades.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 7
    assert rows[0]["file"] == "points-per-question"
    assert not any(value.startswith(("=", "-r")) for row in rows for value in row.values())
    shown = capsys.readouterr()
    assert "\x1b" not in text + shown.out + shown.err


def test_one_kind_of_file_only(
    zipped: Path, submissions: Path, tmp_path: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_of_otter(monkeypatch, "tell(built=True)")
    run(zipped, tmp_path / "out", str(submissions), "--ext", "zip", "-q")
    assert files(tmp_path / "out") == ["Export.ZIP"]
    program_of_otter(monkeypatch, "tell(built=True)")
    run(zipped, tmp_path / "two", str(submissions), str(submissions / "-rf.ipynb"), "--ext", "zip", "-q")
    assert files(tmp_path / "two") == ["'-rf.ipynb", "Export.ZIP"]


def test_otter_is_told_the_options(
    zipped: Path, submissions: Path, tmp_path: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told.json"
    program_of_otter(monkeypatch, f"open({str(told)!r}, 'w').write(json.dumps(order)); tell(built=True)")
    options = ["-n", "exam", "--image", "debian:13", "--containers", "3", "--timeout", "7.5", "-q"]
    run(zipped, tmp_path / "out", str(submissions), *options)
    found = json.loads(told.read_text())
    expected = {"name": "exam", "image": "debian:13", "containers": 3, "timeout": 8, "no_network": True}
    assert {key: found[key] for key in expected} == expected
    run(zipped, tmp_path / "two", str(submissions), "--network", "-q")
    assert json.loads(told.read_text())["no_network"] is False


@pytest.mark.parametrize("broken", ["missing.zip", "not_a.zip", "another.zip"])
def test_a_zip_that_is_none_of_ours_is_a_clear_error(
    submissions: Path, tmp_path: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    (tmp_path / "not_a.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "another.zip", "w") as archive:
        archive.writestr("otter_config.json", '{"plugins": []}')
    assert run(tmp_path / broken, tmp_path / "out", str(submissions)) == 2
    assert "autograder build" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (None, "not installed"),
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "Cannot connect"),
        ('[ "$1" = info ]', "buildx is not installed"),
    ],
)
def test_without_docker_there_is_a_clear_error(
    zipped: Path,
    submissions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: str | None,
    says: str,
) -> None:
    (tmp_path / "bin").mkdir()
    if script is not None:
        tool(tmp_path / "bin" / "docker", f"#!/bin/sh\n{script}\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert run(zipped, tmp_path / "out", str(submissions)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


# --- the process that Otter runs in -----------------------------------------------------------


def described(error: Exception) -> dict[str, Any]:
    return otter_grade.described(GradingResults.without_results(error), "/tmp/staging/00001.ipynb")


def test_what_the_container_calls_unreadable_is_told_from_errors_of_this_machine() -> None:
    assert described(pickle.loads(pickle.dumps(ValueError("The file is empty."))))["kind"] == "unreadable"
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("results")
    assert described(raised.value)["kind"] == "failed"
    assert described(RuntimeError("the autograder failed"))["kind"] == "failed"


def test_a_path_of_this_machine_is_not_told() -> None:
    told = described(TimeoutException("Executing '/tmp/staging/00001.ipynb' in docker container timed out"))
    assert told["kind"] == "timeout"
    assert "/tmp" not in told["error"] + told["summary"]


def test_trouble_with_one_container_is_a_result_and_does_not_end_the_batch() -> None:
    told: list[dict[str, Any]] = []

    def broken(**_: Any) -> Any:
        raise OSError("no space left on device")

    results = otter_grade._grading_told(broken, told.append)("/tmp/00002.py", image="x")
    assert results.file == "00002.py"
    assert [(message["file"], message["kind"]) for message in told] == [("00002.py", "failed")]
    assert "no space left" in told[0]["error"]


def test_the_process_tells_why_no_image_could_be_built(tmp_path: Path) -> None:
    (tmp_path / "autograder.zip").touch()
    order = {"name": "toy", "paths": ["x"], "autograder": str(tmp_path / "autograder.zip"), "output_dir": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "autograder.otter.listener"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "BadZipFile" in json.loads(done.stdout)["fatal"]


def test_entries_keep_their_order_of_names(order: Containers, submissions: Path) -> None:
    records = graded(told_by(order, "tell(built=True)"), submissions)
    entries: tuple[Entry, ...] = gather([submissions], "toy").entries
    assert {entry.name: entry.stem for entry in entries} == {name: record.stem for name, record in records.items()}
