"""Grading on a Dask cluster: `autograder grade --dask ADDRESS`, an optional extra.

Each machine of the cluster has this package, the assignments and the references installed. A task carries one
submission's content; on the other side it is graded by a worker process as here, kept warm between tasks.
What a worker's machine loses, Dask tries again elsewhere.
"""

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment, AssignmentError
from autograder.grading.cache import digest_of
from autograder.grading.one import ungraded
from autograder.grading.pool import EngineError, Pool
from autograder.grading.task import Settings
from autograder.names import kind_of
from autograder.records.journal import Record
from autograder.submissions.batch import Entry
from autograder.submissions.read import SubmissionError, read_bytes, unreadable_digest

START_SECONDS = 30

_warm: dict[tuple[Settings, int], Pool] = {}


class Cluster:
    """A Dask scheduler's workers, used like a pool."""

    def __init__(self, settings: Settings, address: str) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ModuleNotFoundError:
            raise EngineError(
                "--dask needs the extra 'dask' (package distributed): install it with "
                "`pip install 'autodiff-course[dask]'`, here and on the cluster"
            ) from None
        self._distributed = distributed
        self.settings = settings
        self.assignment = settings.load_assignment()
        self.isolation: list[str] = []
        try:
            self._client: Any = distributed.Client(address, timeout=START_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise EngineError(f"no Dask scheduler answers at {address}: {error}") from None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]:
        """Grades all entries, with a few more tasks under way than the cluster has threads."""
        threads = sum(self._client.nthreads().values())
        if threads == 0:
            raise EngineError("the Dask cluster has no workers")
        waiting = iter(entries)
        entry_of: dict[str, Entry] = {}
        running = self._distributed.as_completed()
        for _ in range(2 * threads):
            self._submit_next(waiting, running, entry_of)
        while entry_of:
            future = next(running)
            entry = entry_of.pop(future.key)
            yield self._record(future, entry)
            self._submit_next(waiting, running, entry_of)

    def _submit_next(self, waiting: Iterator[Entry], running: Any, entry_of: dict[str, Entry]) -> None:
        entry = next(waiting, None)
        if entry is None:
            return
        try:
            content: bytes | None = read_bytes(entry.path, self.assignment.limits)
            problem = ""
        except SubmissionError as error:
            content, problem = None, str(error)
        key = f"grade-{entry.stem}-{os.urandom(4).hex()}"
        # the assignment's folder may be another one there: its name goes, and a digest of what must be the
        # same
        settings = replace(self.settings, assignment=self.assignment.name, secrets=())
        future = self._client.submit(
            grade_remotely,
            settings,
            digest_of(self.assignment),
            entry.name,
            kind_of(entry.path.name),
            content,
            problem,
            key=key,
            retries=1,
            pure=False,
        )
        entry_of[key] = entry
        running.add(future)

    def _record(self, future: Any, entry: Entry) -> Record:
        problem: BaseException | None = future.exception()
        if isinstance(problem, EngineError | AssignmentError):
            raise EngineError(f"a machine of the cluster cannot grade: {problem}")
        if problem is not None:
            text = f"The cluster could not grade this submission: {type(problem).__name__}: {str(problem)[:500]}"
            return Record(entry.name, entry.stem, "", ungraded(entry.name, "failed", text, self.assignment))
        line, isolation = future.result()
        self.isolation = self.isolation or list(isolation)
        record = Record.from_line(line)
        return replace(record, stem=entry.stem)


def grade_remotely(
    settings: Settings, digest: str, name: str, suffix: str, content: bytes | None, problem: str
) -> tuple[str, list[str]]:
    """One submission, on a machine of the cluster: a journal's line, and the layers of isolation there."""
    assignment = Assignment.load(settings.assignment)
    if digest_of(assignment) != digest:
        raise EngineError(f"its copy of '{assignment.name}' differs from the one here")
    if content is None:
        sha256 = unreadable_digest(problem)
        result = ungraded(name, "unreadable", problem, assignment)
        return Record(name, "", sha256, result).to_line(), []
    pool = _warm_pool(replace(settings, assignment=str(assignment.folder)))
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        path = Path(folder, f"submission{suffix}")
        path.write_bytes(content)
        (record,) = pool.grade([Entry(name, "", path)])
    return record.to_line(), pool.isolation


def _warm_pool(settings: Settings) -> Pool:
    """This thread's pool of one worker, kept for the next submission."""
    key = (settings, threading.get_native_id())
    if key not in _warm:
        _warm[key] = Pool(settings)
    return _warm[key]
