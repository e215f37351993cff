"""A warm grader of one assignment: what workers, Otter's kernel and the warm-up open before the first submission."""

import gc
import os
import select
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from autograder.assignment import Assignment
from autograder.grading.one import OpenSession, install_implementations, install_recognition
from autograder.isolation import procfs
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.layers import policy
from autograder.isolation.runs import Runs
from autograder.testcases import load_cases


@dataclass(frozen=True)
class Warm:
    """What `open_grader` has ready."""

    open_session: OpenSession
    isolation: tuple[str, ...]
    """The layers in use, sorted."""
    server: ForkServer | None = None
    template: int | None = None
    """A descriptor of the process that submissions are forked from, which can be read once that has ended."""

    def lost_template(self) -> bool:
        """Whether the process that submissions are forked from has ended, and every submission with it."""
        if self.template is None:
            return False
        poll = select.poll()
        poll.register(self.template, select.POLLIN)
        return bool(poll.poll(0))

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
    folder = compile_into
    if compile_into is None:
        from autograder.grading.compiled import compiled_folder

        folder = compiled_folder(assignment, rules, make=make, seed=seed)
    server = ForkServer(rules, compiled=folder, writing=compile_into is not None)
    others = procfs.descendants(os.getpid())
    try:
        with ThreadPoolExecutor(1) as meanwhile:
            starting = meanwhile.submit(server.__enter__)
            # NumPy and JAX take as long to import here as the zygote takes to start, which knows nothing of the seed.
            import_module("scipy.linalg")  # JAX does at the first factorisation
            from adkit.tracing.contexts import share_context
            from adkit.tracing.export import programs_kept

            from autograder.grading import known
            from autograder.grading.compiled import use_here
            from autograder.isolation.session import Session
            from reference.inputs import seeds
            from reference.mistakes import catalogue

            if folder is not None and compile_into is None:
                use_here(folder)
            load_cases(assignment)
            install_recognition(assignment)
            install_implementations(assignment)
            share_context()  # the references are traced and lowered here
            known_mistakes = [mistake.implementation for mistake in catalogue(assignment.name)]
        starting.result()
        with seeds.using(seed), programs_kept(known_mistakes):
            known.load(assignment)
            gc.collect()
            gc.freeze()  # what is loaded stays; a full collection need not look at it again
            template = os.pidfd_open(next(pid for pid in procfs.descendants(os.getpid()) if pid not in others))
            try:
                open_session = partial(Session, server, runs=Runs())
                yield Warm(open_session, tuple(sorted(server.policy.layers)), server, template)
            finally:
                os.close(template)
                known.save(assignment)
    finally:
        server.close()
