"""Every limit of an assignment, hit once: what the student reads says which it was, and where."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from adkit import checks
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

LIMITS = Limits(call_seconds=20, cell_seconds=20, notebook_seconds=40, submission_seconds=120, restarts=9)


def opened(workshop: ForkServer, *cells: str, **limits: Any) -> Session:
    chosen: Limits = replace(LIMITS, **limits)
    submission = Submission("toy", None, ("import os, sys, time\nimport numpy as np", *cells))
    return Session(workshop, submission, one_question(chosen, "f"))


CALLS = {
    "call_seconds": (1, "time.sleep(30)", "f did not finish within 1 seconds"),
    "submission_seconds": (1.5, "time.sleep(30)", "the submission used up its 1.5 seconds in all"),
    "memory_bytes": (
        300 * 1024**2,
        "kept = [np.ones(10**6) for _ in range(120)]; time.sleep(5)",
        "f could not be finished: it used more memory than the 0.293 GB",
    ),
    "scratch_bytes": (
        2 * 1024**2,
        "open('a', 'wb').write(b'x' * 2**20); open('b', 'wb').write(b'x' * 2**21); time.sleep(5)",
        "2 MB of files",
    ),
    "open_files": (40, "[os.open('/dev/null', 0) for _ in range(50)]", "a submission may have 40 files open at once"),
    "frame_bytes": (10**6, "return np.ones(10**6)", "f returned more than the 0.954 MB that one answer may have"),
    "restarts_per_question": (0, "os._exit(0)", "q1 has ended its process 0 times already"),
}


@pytest.mark.parametrize("limit", CALLS)
def test_a_call_that_hits_a_limit_is_told_which(workshop: ForkServer, limit: str) -> None:
    number, body, words = CALLS[limit]
    session = opened(workshop, f"def f(x): {body}", **{limit: number})
    with session, pytest.raises(checks.CheckError) as raised:
        session.functions["f"](1)
    assert words in raised.value.public  # its message is for a hidden case: no public one is running here


@pytest.mark.skipif(os.geteuid() != 0, reason="as another user, everything that user runs is counted along")
def test_too_many_threads_are_told(workshop: ForkServer) -> None:
    code = "import threading\ndef f(x): [threading.Thread(target=time.sleep, args=(9,)).start() for _ in range(99)]"
    with opened(workshop, code, processes=30) as session, pytest.raises(checks.StudentError) as raised:
        session.functions["f"](1)
    assert "a submission may have 30 threads at once" in raised.value.message


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"cell_seconds": 1}, "Cell 2 was left out: it took longer than the 1 seconds of a cell."),
        ({"notebook_seconds": 1}, "Cell 2 was left out: all cells together took longer than 1 seconds."),
        ({"submission_seconds": 1}, "Cell 2 was left out: the submission used up its 1 seconds in all."),
    ],
    ids=lambda value: str(*value) if isinstance(value, dict) else "",
)
def test_a_cell_that_hits_a_limit_is_told_which(workshop: ForkServer, limits: dict[str, float], words: str) -> None:
    with opened(workshop, "time.sleep(30)", "def f(x): return x", **limits) as session:
        pass
    assert words in session.log.notes


def test_more_restarts_than_allowed_are_told(workshop: ForkServer) -> None:
    with opened(workshop, "def f(x): os._exit(0)", restarts=1) as session:
        for words in ("its process exited", "Not run: the submission ended its process 1 times."):
            with pytest.raises(checks.StudentError) as raised:
                session.functions["f"](1)
            assert words in raised.value.message


def test_output_that_is_dropped_is_told(workshop: ForkServer) -> None:
    with opened(workshop, "print('x' * 10_000)", output_bytes=1000) as session:
        pass
    assert "9001 bytes of output were dropped" in session.log.output


def test_a_traced_function_that_is_too_large_is_told(workshop: ForkServer) -> None:
    code = "def f(x): return x + np.arange(10_000.0)"
    with opened(workshop, code, artefact_bytes=50_000) as session, pytest.raises(checks.StudentError) as raised:
        session.functions["f"].measure((np.ones(10_000),))
    assert "the traced function has" in raised.value.message
    assert "at most 0.048 MiB are taken" in raised.value.message


def test_a_traced_function_that_takes_too_long_is_told(workshop: ForkServer) -> None:
    code = """
import jax, jax.numpy as jnp
def f(x): return jax.lax.fori_loop(0, 2**60, lambda k, y: jnp.sin(y + k), x)
"""
    with opened(workshop, code, call_seconds=1) as session, pytest.raises(checks.StudentError) as raised:
        session.functions["f"].measure((np.ones(3),))
    assert "it did not finish within 2 seconds" in raised.value.message
