"""What a program gave is kept: in a session at once, for a class only from a process that has had no other program."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation import artefacts
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.runs import Runs, key_of
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

LIMITS = Limits(call_seconds=10, submission_seconds=60)
SINE = "import jax.numpy as jnp\ndef f(x): return jnp.sin(x)\n"
SAME = "import jax.numpy as jnp\n\n# another layout\n\ndef f(y):\n    value = jnp.sin(y)\n    return value\n"


class Counting:
    """A fork server that counts the disposable processes it makes."""

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        self.made = 0

    def clock(self) -> Any:
        return self._server.clock()

    def fork(self, kind: Any, limits: Limits, clock: Any = None) -> Any:
        self.made += kind == "artefacts"
        return self._server.fork(kind, limits, clock)


def measured(server: Any, code: str, runs: Runs | None, *points: float) -> list[float]:
    with Session(server, Submission("toy", None, (code,)), one_question(LIMITS, "f"), runs) as session:
        return [float(session.functions["f"].measure((np.full(2, x),)).outputs[0][0]) for x in points]


def test_a_session_runs_a_program_once_on_the_same_inputs(
    workshop: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Any] = []
    keep = Runs.keep
    monkeypatch.setattr(Runs, "keep", lambda self, key, answer: (jobs.append(key), keep(self, key, answer))[1])
    assert measured(workshop, SINE, None, 0.5, 0.5, 1.0, 0.5) == pytest.approx(np.sin([0.5, 0.5, 1.0, 0.5]))
    assert len(jobs) == len(set(jobs)) == 2


@pytest.mark.skipif(
    jax.__version_info__ < (0, 5), reason="before JAX 0.5 lines of source are in the bytes all the same"
)
def test_a_class_runs_an_equal_program_twice_and_then_no_more(workshop: ForkServer) -> None:
    server, runs, made = Counting(workshop), Runs(), [0]
    for code in (SINE, SAME, SINE, SAME):
        assert measured(server, code, runs, 0.5) == pytest.approx([np.sin(0.5)])
        made.append(server.made)
    assert np.diff(made).tolist() == [1, 1, 0, 0]


@pytest.mark.skipif(
    jax.__version_info__ < (0, 5), reason="before JAX 0.5 lines of source are in the bytes all the same"
)
def test_what_the_class_shares_comes_from_a_process_with_nothing_else_in_it(workshop: ForkServer) -> None:
    server, runs = Counting(workshop), Runs()
    sizes = [(np.full(size, x),) for size in (2, 3) for x in (0.5, 1.0)]  # two programs, each on two inputs

    def measure_all(code: str) -> None:
        with Session(server, Submission("toy", None, (code,)), one_question(LIMITS, "f"), runs) as session:
            for arguments in sizes:
                session.functions["f"].measure(arguments)

    measure_all(SINE)
    assert server.made == 1
    measure_all(SAME)
    assert server.made == 3  # one for each program
    measure_all(SINE)
    assert server.made == 3


def test_the_key_is_of_all_that_a_run_depends_on() -> None:
    request = artefacts.request_for((np.zeros(2),), "call")
    job = {**request, "artefacts": [b"abc"]}
    keys = {
        key_of(job, LIMITS),
        key_of({**job, "artefacts": [b"abd"]}, LIMITS),
        key_of({**job, "inputs": [np.ones(2)]}, LIMITS),
        key_of({**job, "inputs": [np.zeros(2, np.float32)]}, LIMITS),
        key_of({**job, "run": False}, LIMITS),
        key_of(job, replace(LIMITS, memory_bytes=1)),
    }
    assert len(keys) == 6
    assert key_of({**request, "artefacts": [b"abc"]}, LIMITS) in keys


def test_no_refusal_is_kept_and_what_is_found_is_new_each_time() -> None:
    runs = Runs()
    for answer in ({"error": "no"}, None, [1]):
        runs.keep(b"key", answer)
        assert runs.find(b"key") is None
    runs.keep(b"key", {"outputs": [np.zeros(2)]})
    runs.find(b"key")["outputs"][0][:] = 1
    np.testing.assert_array_equal(runs.find(b"key")["outputs"][0], np.zeros(2))


def test_the_oldest_answers_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.isolation.runs._BYTES", 40_000)
    runs = Runs()
    for name in (b"a", b"b", b"c"):
        runs.keep(name, {"outputs": [np.zeros(500)]})
        runs.find(b"a")
    for name in (b"d", b"e", b"f", b"g", b"h", b"i", b"j"):
        runs.keep(name, {"outputs": [np.zeros(500)]})
        runs.find(b"a")
    assert runs.find(b"a") is not None
    assert runs.find(b"b") is None
    assert runs.find(b"j") is not None
    runs.keep(b"large", {"outputs": [np.zeros(5000)]})
    assert runs.find(b"large") is None


FORGETFUL = """
import jax.numpy as jnp
times = []
def f(x):
    times.append(1)
    return jnp.sin(x) * len(times)
"""


def test_a_function_is_traced_once_for_its_shapes(workshop: ForkServer) -> None:
    assert measured(workshop, FORGETFUL, None, 0.5, 1.0) == pytest.approx(np.sin([0.5, 1.0]))
