"""Grading on a Dask cluster gives what grading here gives; without the extra there is a sentence that says so."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import courses
import pytest
from courses import RIGHT, WRONG, notebook

from autograder.grading import cluster, pool
from autograder.grading.grade import Order, grade
from autograder.grading.pool import EngineError
from autograder.grading.task import Settings
from autograder.records import journal
from autograder.report.write import write_submission


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assignment = courses.awkward_assignment(tmp_path)
    with pytest.raises(EngineError, match=r"pip install 'autodiff-course\[dask\]'"):
        cluster.Cluster(Settings(str(assignment.folder), seed="s"), "tcp://127.0.0.1:1")


def test_a_machine_with_other_tests_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    courses.awkward_assignment(tmp_path)
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(tmp_path))
    with pytest.raises(EngineError, match="differs"):
        cluster.grade_remotely(Settings("toy", seed="s"), "another digest", "a", ".ipynb", b"", "")


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A scheduler with one worker in this process."""
    distributed: Any = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as running:
        yield running.scheduler_address


@pytest.mark.filterwarnings("default")  # Dask's own
def test_a_cluster_grades_like_a_pool(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = courses.awkward_assignment(tmp_path)
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(tmp_path))
    import_folders = pool._import_folders()
    monkeypatch.setattr(pool, "_import_folders", lambda: [*import_folders, str(Path(__file__).parents[2])])
    monkeypatch.setattr(pool, "STOP_SECONDS", 0.2)
    monkeypatch.setattr(pool, "_WORKER", "toy_worker")
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "right.ipynb").write_text(notebook(RIGHT))
    (folder / "wrong.ipynb").write_text(notebook(WRONG))
    (folder / "cut.ipynb").write_text("{")
    (folder / "link.ipynb").symlink_to("right.ipynb")
    order = Order(assignment, (folder,), tmp_path / "out", seed="s")
    try:
        run = grade(replace(order, dask=address), write=write_submission)
    finally:
        for warm in cluster._warm.values():
            warm.__exit__(None, None, None)
        cluster._warm.clear()
    records = {record.name: record for record in journal.read_latest(tmp_path / "out")}
    earned = {name: (record.result.status, record.result.earned) for name, record in records.items()}
    assert earned == {
        "right.ipynb": ("completed", 5.5),
        "wrong.ipynb": ("completed", 0),
        "cut.ipynb": ("unreadable", 0),
        "link.ipynb": ("unreadable", 0),
    }
    assert {record.stem for record in records.values()} == {"right", "wrong", "cut", "link"}
    assert run.isolation == ("none at all",)


def test_content_that_could_not_be_read_here_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = courses.awkward_assignment(tmp_path)
    monkeypatch.setenv("AUTOGRADER_ASSIGNMENTS", str(tmp_path))
    digest = cluster.digest_of(assignment)
    line, _ = cluster.grade_remotely(Settings("toy", seed="s"), digest, "a", ".ipynb", None, "It is a link.")
    record = journal.Record.from_line(line)
    assert (record.result.status, record.result.problem) == ("unreadable", "It is a link.")
