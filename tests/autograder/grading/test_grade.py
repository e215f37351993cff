"""A run from paths to an output folder: nothing is lost, whatever a submission or a worker does."""

import csv
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import courses
import pytest
import unisolated
from courses import EXTRA, RIGHT, WRONG, notebook
from deep_folders import nest

from autograder import walk
from autograder.assignment import Assignment
from autograder.grading import cache, pool
from autograder.grading import grade as engine_grade
from autograder.grading.grade import Order, grade
from autograder.grading.merge import MergeError, merge
from autograder.grading.pool import EngineError, Pool
from autograder.grading.task import Settings
from autograder.records import journal, roster
from autograder.records.journal import JournalError
from autograder.records.run import OutputError
from autograder.report.write import write_everything, write_submission
from autograder.submissions.batch import Entry
from autograder.submissions.collect import collect

Grade = Callable[..., dict[str, journal.Record]]


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return courses.awkward_assignment(tmp_path / "course")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


@pytest.fixture
def run(assignment: Assignment, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grade:
    """Grades `folder` in this process, isolating nothing; the records by name."""
    settings = Settings(str(assignment.folder), seed="s")
    monkeypatch.setattr(
        engine_grade, "grader_of", lambda order: unisolated.OneProcess(replace(settings, isolated=order.isolated))
    )

    def run(**changes: object) -> dict[str, journal.Record]:
        order = replace(Order(assignment, (folder,), tmp_path / "out", seed="s"), **changes)
        grade(order, write=write_submission)
        return {record.name: record for record in journal.read_latest(order.out)}

    return run


@pytest.fixture
def run_workers(assignment: Assignment, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grade:
    """The same with real workers, whose sessions isolate nothing."""
    import_folders = pool._import_folders()
    monkeypatch.setattr(pool, "_import_folders", lambda: [*import_folders, str(Path(__file__).parents[2])])
    monkeypatch.setattr(pool, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(pool, "_WORKER", "toy_worker")

    def run(**changes: object) -> dict[str, journal.Record]:
        order = Order(assignment, (folder,), tmp_path / "out", seed="s")
        order = replace(order, **changes)
        grade(order, write=write_submission)
        return {record.name: record for record in journal.read_latest(order.out)}

    return run


def test_every_submission_gets_a_record_whatever_it_is(run: Grade, folder: Path) -> None:
    (folder / "right.ipynb").write_text(notebook(RIGHT, EXTRA))
    (folder / "wrong.py").write_text(WRONG)
    (folder / "cut.ipynb").write_text(notebook(RIGHT)[:-30])
    (folder / "empty.ipynb").write_text("")
    (folder / "folder.ipynb").mkdir()
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "nowhere.zip").symlink_to("no-such-file")
    records = run(jobs=2)
    statuses = {name: record.result.status for name, record in records.items()}
    assert statuses == {
        "right.ipynb": "completed",
        "wrong.py": "completed",
        **dict.fromkeys(
            ["cut.ipynb", "empty.ipynb", "folder.ipynb", "pipe.ipynb", "link.ipynb", "nowhere.zip"], "unreadable"
        ),
    }
    assert records["right.ipynb"].result.earned == 7.5
    assert records["right.ipynb"].result.possible == 5.5
    assert records["wrong.py"].result.earned == 0


def test_a_submission_that_kills_its_worker_is_recorded_and_costs_no_other(
    run_workers: Grade, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(pool.tempfile, "tempdir", str(scratch))
    for name in ("a", "c"):
        (folder / f"{name}.ipynb").write_text(notebook(RIGHT))
    (folder / "b.ipynb").write_text(notebook("DIE"))
    (folder / "d.ipynb").write_text(notebook("RAISE"))
    (folder / "e.ipynb").write_text(notebook(f"DIE ONCE {tmp_path / 'marker'}", RIGHT))
    records = run_workers(jobs=2)
    assert [records[f"{name}.ipynb"].result.status for name in "abc"] == ["completed", "failed", "completed"]
    assert "twice" in records["b.ipynb"].result.problem
    assert records["b.ipynb"].result.possible == 5.5
    assert records["c.ipynb"].result.earned == 5.5
    assert "the session broke" in records["d.ipynb"].result.problem
    assert records["e.ipynb"].result.earned == 5.5  # tried again by another worker
    assert list(scratch.iterdir()) == []  # nothing of the killed workers is left


def test_a_submission_whose_template_was_ended_from_outside_is_graded_again(
    run_workers: Grade, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.ipynb").write_text(notebook(f"END THE TEMPLATE ONCE {tmp_path / 'marker'}", RIGHT))
    (folder / "b.ipynb").write_text(notebook(RIGHT))
    records = run_workers()
    assert (tmp_path / "marker").exists()
    assert [records[name].result.earned for name in ("a.ipynb", "b.ipynb")] == [5.5, 5.5]


def test_a_stalled_worker_is_killed_when_its_time_is_over(
    run_workers: Grade, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0.0)
    (folder / "a.ipynb").write_text(notebook("STALL"))
    (folder / "b.ipynb").write_text(notebook(RIGHT))
    records = run_workers(timeout=1.0)
    assert "did not finish in time" in records["a.ipynb"].result.problem
    assert records["b.ipynb"].result.earned == 5.5


def test_a_grader_that_cannot_be_opened_ends_the_run_with_its_own_words(run_workers: Grade, folder: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    with pytest.raises(EngineError, match="no session can be opened here"):
        run_workers(seed="a broken machine")


def test_a_worker_that_cannot_be_replaced_at_once_is_replaced_later(
    run_workers: Grade, folder: Path, tmp_path: Path
) -> None:
    (folder / "a.ipynb").write_text(notebook(f"DIE ONCE {tmp_path / 'marker'}", RIGHT))
    (folder / "b.ipynb").write_text(notebook(RIGHT))
    records = run_workers(seed=f"the second start fails: {tmp_path / 'starts'}")
    assert (tmp_path / "starts").read_bytes() == b"..."
    assert [records[name].result.earned for name in ("a.ipynb", "b.ipynb")] == [5.5, 5.5]


def test_resuming_grades_only_what_is_missing_or_changed(run: Grade, folder: Path, tmp_path: Path) -> None:
    for name in "abc":
        (folder / f"{name}.ipynb").write_text(notebook(RIGHT))
    run()
    book = tmp_path / "out" / journal.FILE
    lines = book.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    book.write_text(lines[0] + lines[1][:100])  # a crash in the middle of a line
    (folder / "d.ipynb").write_text(notebook(RIGHT, EXTRA))
    kept = journal.Record.from_line(lines[0])
    (folder / kept.name).write_text(notebook(WRONG))  # handed in again
    records = run(resume=True)
    assert sorted(records) == ["a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb"]
    assert records[kept.name].result.earned == 0
    before = book.read_text()
    run(resume=True)
    assert book.read_text() == before


def test_results_made_in_another_way_are_not_mixed(run: Grade, folder: Path, assignment: Assignment) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    run()
    with pytest.raises(OutputError, match="--resume"):
        run()
    with pytest.raises(OutputError, match="AUTOGRADER_SEED"):
        run(resume=True, seed="another")
    test = assignment.tests_dir / "q1.py"
    test.write_text(test.read_text() + "\n# changed\n")
    with pytest.raises(OutputError, match="tests, references or checks have changed"):
        run(resume=True)
    assert run(force=True)["a.ipynb"].result.earned == 5.5


def test_results_of_other_checks_are_not_mixed(
    run: Grade, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tolerance lives in the checks or in adkit: both decide scores as the tests do."""
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    run()
    kit = tmp_path / "kit" / "adkit"
    kit.mkdir(parents=True)
    (kit / "__init__.py").write_text("changed = True\n")
    found = cache._package
    monkeypatch.setattr(cache, "_package", lambda name: kit if name == "adkit" else found(name))
    with pytest.raises(OutputError, match="tests, references or checks have changed"):
        run(resume=True)


def test_beginning_anew_leaves_nothing_of_an_earlier_run(run: Grade, folder: Path, tmp_path: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    run()
    old = [tmp_path / "out" / name for name in ("results/gone.json", "lms/gone.csv", "grading-summaries/gone.txt")]
    for file in old:
        file.parent.mkdir(exist_ok=True)
        file.write_text("of somebody who has left the course")
    run(force=True)
    assert not any(file.exists() for file in old)


def test_a_folder_of_somebody_elses_is_not_written_to(run: Grade, folder: Path, tmp_path: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    (tmp_path / "out").mkdir()
    precious = tmp_path / "out" / "thesis.tex"
    precious.write_text("years of work")
    with pytest.raises(OutputError, match="not empty"):
        run()
    run(force=True)
    assert precious.read_text() == "years of work"


def test_two_runs_do_not_write_to_one_journal(run: Grade, folder: Path, tmp_path: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    run()
    with journal.Journal(tmp_path / "out"), pytest.raises(JournalError, match="another run"):
        run(resume=True)


def test_shards_are_disjoint_and_merge_to_the_whole(run: Grade, folder: Path, tmp_path: Path) -> None:
    for index in range(5):
        (folder / f"{index}.ipynb").write_text(notebook(RIGHT if index % 2 else WRONG))
    (folder / "0.py").write_text(RIGHT)
    whole = run()
    write_everything(tmp_path / "out")
    one = run(out=tmp_path / "one", shard=(1, 2))
    two = run(out=tmp_path / "two", shard=(2, 2))
    assert not set(one) & set(two)
    merged = merge([tmp_path / "two", tmp_path / "one"], tmp_path / "merged", write=write_submission)
    assert merged.missing == ()
    write_everything(tmp_path / "merged")
    for file in ("final_grades.csv", "lms/canvas.csv"):
        assert (tmp_path / "merged" / file).read_text() == (tmp_path / "out" / file).read_text()
    stems = {record.stem for record in whole.values()}
    assert {path.stem for path in (tmp_path / "merged" / "results").iterdir()} == stems
    assert {path.stem for path in (tmp_path / "merged" / "feedback").iterdir()} == stems


def test_merging_says_what_is_missing_and_refuses_what_does_not_fit(run: Grade, folder: Path, tmp_path: Path) -> None:
    for index in range(3):
        (folder / f"{index}.ipynb").write_text(notebook(RIGHT))
    run(out=tmp_path / "one", shard=(1, 3))
    merged = merge([tmp_path / "one"], tmp_path / "merged", write=write_submission)
    assert merged.missing == ("shard 2/3 is missing", "shard 3/3 is missing")
    run(out=tmp_path / "other", shard=(2, 3), seed="another")
    with pytest.raises(MergeError, match="AUTOGRADER_SEED"):
        merge([tmp_path / "one", tmp_path / "other"], tmp_path / "again", write=write_submission)


def test_files_of_the_same_name_in_different_folders_stay_apart(run: Grade, folder: Path, tmp_path: Path) -> None:
    for person, code in (("ann", RIGHT), ("bob", WRONG)):
        (folder / person).mkdir()
        (folder / person / "hw.ipynb").write_text(notebook(code))
    records = run()
    assert {name: record.result.earned for name, record in records.items()} == {"ann/hw.ipynb": 5.5, "bob/hw.ipynb": 0}
    assert sorted(path.name for path in (tmp_path / "out" / "results").iterdir()) == ["ann__hw.json", "bob__hw.json"]


def test_names_chosen_to_do_harm_end_up_as_harmless_files(run: Grade, folder: Path, tmp_path: Path) -> None:
    names = [
        "=HYPERLINK(x).ipynb",
        "-rf.ipynb",
        "new\nline.ipynb",
        "Ünïcode Größe.ipynb",
        "a" * 240 + ".ipynb",
        "<script>alert(1)</script>"[:9] + ".ipynb",
        "\x1b[31mred.ipynb",
        "~..ipynb",
        "\u202egnp.ipynb",
        os.fsdecode(b"\xff\xfe.ipynb"),
    ]
    for name in names:
        (folder / name).write_text(notebook(RIGHT))
    records = run()
    assert len(records) == len(names)
    write_everything(tmp_path / "out")
    files = [*(tmp_path / "out" / "results").iterdir(), *(tmp_path / "out" / "feedback").iterdir()]
    assert len(files) == 2 * len(names)
    for path in files:
        assert path.name[0].isalnum() or path.name[0] == "_"
        assert path.name.isprintable()
        assert len(os.fsencode(path.name)) < 140
    rows = list(csv.reader((tmp_path / "out" / "final_grades.csv").read_text().splitlines()))
    assert len(rows) == len(names) + 2
    for row in rows[1:]:
        assert row[0][0] not in "=+-@\t\r"
        assert row[0].isprintable()


def test_the_environment_of_workers_holds_no_seed(
    assignment: Assignment, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", "very secret")
    started: list[dict[str, object]] = []

    def spy(*args: object, **options: object) -> object:
        started.append({"args": args, **options})
        raise EngineError("not started")

    monkeypatch.setattr(pool.subprocess, "Popen", spy)
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    entry = Entry("a.ipynb", "a", folder / "a.ipynb")
    with (
        pytest.raises(EngineError, match="not started"),
        Pool(Settings(str(assignment.folder), seed="very secret")) as workers,
    ):
        next(workers.grade([entry]))
    assert "very secret" not in repr(started)


def test_what_the_instructor_has_set_for_jax_decides_no_score(
    run_workers: Grade, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("XLA_FLAGS", "--xla_no_such_flag=1"),  # ends a process
        ("JAX_TRANSFER_GUARD", "disallow"),
        ("JAX_ENABLE_X64", "0"),
        ("JAX_PLATFORMS", "cuda"),
    ):
        monkeypatch.setenv(name, value)
    (folder / "right.ipynb").write_text(notebook(RIGHT))
    (folder / "jax.ipynb").write_text(notebook(f"import jax.numpy as jnp\nassert jnp.ones(3).sum() == 3\n{RIGHT}"))
    results = [record.result for record in run_workers().values()]
    assert [result.status for result in results] == ["completed", "completed"]
    assert results[0].questions == results[1].questions


def test_what_a_run_writes_can_be_read_back(run: Grade, folder: Path, tmp_path: Path) -> None:
    (folder / "a.ipynb").write_text(notebook(RIGHT))
    record = run()["a.ipynb"]
    assert journal.Record.from_line(record.to_line()) == record
    content = json.loads((tmp_path / "out" / "run.json").read_text())
    assert content["seed"] == "s"
    assert content["finished"] is True
    assert content["isolation"] == ["none at all"]


def test_a_folder_of_a_thousand_folders_gets_a_row_and_costs_no_other_submission(
    run: Grade, folder: Path, tmp_path: Path
) -> None:
    (folder / "ann.ipynb").write_text(notebook(RIGHT))
    (folder / "bob").mkdir()
    (folder / "bob" / "toy.ipynb").write_text(notebook(RIGHT))
    nest(folder / "bob", 1500)
    nest(folder / "eve", 1500)
    try:
        records = run()
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)  # deeper than shutil can remove
    assert {name: record.result.status for name, record in records.items()} == {
        "ann.ipynb": "completed",
        "bob/toy.ipynb": "completed",
        **dict.fromkeys([f"{name}/{'/'.join(['nested'] * 61)}" for name in ("bob", "eve")], "unreadable"),
    }
    assert all("nested more than 60" in one.result.problem for one in records.values() if one.result.problem)


def test_a_students_folder_of_more_files_than_are_looked_at_gets_a_row(
    run: Grade, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "MAX_ENTRIES", 20)
    for name in ("ann", "eve"):
        (folder / name).mkdir()
        (folder / name / "toy.ipynb").write_text(notebook(RIGHT))
    for number in range(30):
        (folder / "eve" / f"{number}.ipynb").write_text(notebook(RIGHT))
    records = run()
    assert set(records) == {"ann/toy.ipynb", "eve"}
    assert "more than 20 files" in records["eve"].result.problem


def test_whom_collect_could_not_take_anything_of_gets_a_row_with_the_reason(
    run: Grade, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "download"
    source.mkdir()
    (source / "doejane_42_1001_toy.ipynb").write_text(notebook(RIGHT))
    (source / "roejohn_43_1002_toy.pdf").write_text("%PDF")
    collect(source, "toy", folder)
    records = run()
    assert {name: record.result.status for name, record in records.items()} == {
        "doejane-42.ipynb": "completed",
        "roejohn-43.pdf": "unreadable",
    }
    assert records["roejohn-43.pdf"].result.problem.startswith("The hand-in is 'toy.pdf'. It is a PDF.")
    assert records["roejohn-43.pdf"].result.possible == 5.5
    assert roster.read(tmp_path / "out" / "roster.csv")["roejohn-43.pdf"].platform == "43"
    assert set(run(resume=True)) == set(records)
    assert len((tmp_path / "out" / "journal.jsonl").read_text().splitlines()) == 2
    assert set(run(out=tmp_path / "one", shard=(1, 2))) | set(run(out=tmp_path / "two", shard=(2, 2))) == set(records)


def test_who_handed_in_nothing_is_kept_with_the_results_and_after_merging(
    run: Grade, folder: Path, tmp_path: Path
) -> None:
    for name in ("ann", "bob"):
        (folder / f"{name}.ipynb").write_text(notebook(RIGHT))
    (tmp_path / "class.csv").write_text("id,login\n1,ann\n2,bob\n3,eve\n")
    for number in (1, 2):
        run(out=tmp_path / str(number), shard=(number, 2), roster=tmp_path / "class.csv")
    merge([tmp_path / "1", tmp_path / "2"], tmp_path / "all", write=write_submission)
    assert [student.login for student in roster.read_missing(tmp_path / "all")] == ["eve"]
    assert {student.login for student in roster.read(tmp_path / "all" / "roster.csv").values()} == {"ann", "bob"}


def test_what_the_instructor_should_know_about_the_roster_is_said(run: Grade, folder: Path, tmp_path: Path) -> None:
    for name in ("ann", "Ann Smith", "stranger"):
        (folder / f"{name}.ipynb").write_text(notebook(RIGHT))
    (tmp_path / "class.csv").write_text("id,login,name\n1,ann,Ann Smith\n")
    said: list[str] = []
    run(roster=tmp_path / "class.csv", warn=said.append)
    assert sum("is not the only one who could be Ann Smith" in sentence for sentence in said) == 2
    assert any("3 of 3 files belong to nobody in the roster" in sentence for sentence in said)
