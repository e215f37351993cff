"""A warm grader of one assignment: what workers, Otter's kernel and the warm-up open before the first submission."""

import gc
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder.assignment import Assignment
from autograder.grading.one import OpenSession, install_implementations, install_recognition
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.layers import policy
from autograder.isolation.runs import Runs
from autograder.isolation.session import Session
from autograder.testcases import load_cases


@dataclass(frozen=True)
class Warm:
    """What `open_grader` has ready."""

    open_session: OpenSession
    isolation: tuple[str, ...]
    """The layers in use, sorted."""
    server: ForkServer | None = None

    def report_waiting(self, report: Callable[[float], None]) -> None:
        """Has `report` called now and then with the seconds that submissions have waited for a processor."""
        if self.server is not None:
            self.server.report_waiting = report


@contextmanager
def open_grader(
    assignment: Assignment,
    *,
    seed: str | None,
    secrets: Sequence[Path] = (),
    isolated: bool = True,
    make: bool = True,
    compile_into: Path | None = None,
) -> Generator[Warm, None, None]:
    """Sessions for submissions; in this process the course's seed is in use, and known mistakes are recognised.

    seed: of the course; None leaves the one in force. secrets: files and folders that no submission may read.
    isolated: False allows a machine without isolation. make: compile ahead what is not compiled yet.
    compile_into: a folder that takes what JAX compiles, for the run that compiles ahead.
    Raises `IsolationError` where the machine offers too little isolation.
    """
    rules = policy(secrets=secrets, allow_none=not isolated)
    if compile_into is None:
        from autograder.grading.compiled import compiled_folder, use_here

        folder = compiled_folder(assignment, rules, make=make, seed=seed)
        if folder is not None:
            use_here(folder)
        server = ForkServer(rules, compiled=folder)
    else:
        server = ForkServer(rules, compiled=compile_into, writing=True)
    with ThreadPoolExecutor(1) as meanwhile:  # Otter takes as long to import as the zygote to start
        loading = meanwhile.submit(load_cases, assignment)
        server.__enter__()
    try:
        loading.result()
        # Only now: these import NumPy and JAX, and the zygote was started without the seed.
        from adkit.tracing.contexts import share_context
        from adkit.tracing.export import keep_programs

        from autograder.grading import known
        from reference.inputs import seeds
        from reference.mistakes import catalogue

        share_context()  # the references are traced and lowered here
        keep_programs([mistake.implementation for mistake in catalogue(assignment.name)])

        with seeds.using(seed):
            install_recognition(assignment)
            install_implementations(assignment)
            known.load(assignment)
            gc.collect()
            gc.freeze()  # what is loaded stays; a full collection need not look at it again
            try:
                yield Warm(partial(Session, server, runs=Runs()), tuple(sorted(server.policy.layers)), server)
            finally:
                known.save(assignment)
    finally:
        server.close()
