"""What a pool sends to a worker: its settings, once, then task after task. Light, for who only talks to workers."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autograder.assignment import Assignment, Limits


def settle_jax() -> None:
    """Sets what JAX and XLA read from the environment, here and in what is started from here: 64 bits, the processor,
    and nothing of the instructor's, whose settings for other work would decide what a submission gets.

    To be called before JAX is imported.
    """
    for name in [name for name in os.environ if name.startswith(("JAX_", "XLA_"))]:
        del os.environ[name]
    os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")


@dataclass(frozen=True)
class Settings:
    """What a worker is told at its start."""

    assignment: str
    """The path of the assignment's folder."""
    seed: str
    isolated: bool = True
    timeout: float | None = None
    """Instead of the assignment's submission_seconds."""
    secrets: tuple[str, ...] = ()
    """Files and folders that no submission may read: checked when the grader opens."""

    def load_assignment(self) -> Assignment:
        """The assignment, with its limits cut to the timeout."""
        assignment = Assignment.load(self.assignment)
        return with_timeout(assignment, self.timeout)


def with_timeout(assignment: Assignment, timeout: float | None) -> Assignment:
    """The assignment with no limit above `timeout` seconds."""
    if timeout is None:
        return assignment
    limits: Limits = assignment.limits
    return replace(
        assignment,
        questions=tuple(
            replace(question, call_seconds=min(question.call_seconds or limits.call_seconds, timeout))
            for question in assignment.questions
        ),
        limits=replace(
            limits,
            submission_seconds=timeout,
            notebook_seconds=min(limits.notebook_seconds, timeout),
            cell_seconds=min(limits.cell_seconds, timeout),
            call_seconds=min(limits.call_seconds, timeout),
        ),
    )


def task_of(name: str, path: Path) -> dict[str, str]:
    """A task's message; the path as hex, since a file's name need not be text."""
    return {"name": name, "path": os.fsencode(path).hex()}


def settings_line(settings: Settings) -> bytes:
    """The first line a worker reads."""
    return json.dumps(asdict(settings)).encode() + b"\n"
