"""User ids belong to one worker of one grader at a time, so that two graders of a machine do not meet."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation import layers, leases
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="user ids are only taken by root")

LIMITS = Limits(processes=60)


def opened(workshop: ForkServer, code: str) -> Session:
    return Session(workshop, Submission("toy", None, (code,)), one_question(LIMITS, "f"))


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with a single pair of ids."""
    tmp_path.chmod(0o755)
    monkeypatch.setattr(leases, "FOLDERS", (tmp_path / "missing" / "folder", tmp_path / "ids"))
    monkeypatch.setattr(leases, "LEASES", 1)
    monkeypatch.setattr(leases, "FIRST_UID", 65_100)
    return tmp_path / "ids"


def test_a_pair_of_ids_is_given_out_once_until_it_is_released(one: Path) -> None:
    first = leases.lease()
    assert (first.submission, first.artefacts) == (65_100, 65_101)
    with pytest.raises(leases.LeaseError, match="in use"):
        leases.lease()
    first.release()
    leases.lease().release()


def test_ids_under_which_something_runs_are_passed_over(one: Path) -> None:
    code = "import os; os.setresuid(65101, 65101, 65101); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"\n"
        with pytest.raises(leases.LeaseError):
            leases.lease()
        running.communicate(b"\n")
    leases.lease().release()


def test_a_folder_that_others_may_write_to_holds_no_locks(one: Path) -> None:
    one.mkdir()
    one.chmod(0o777)
    first, second = leases.lease(), leases.lease()
    assert first.descriptor is second.descriptor is None
    assert list(one.iterdir()) == []


def test_a_supervisor_keeps_the_ids_of_a_worker_that_is_gone(one: Path) -> None:
    with ExitStack() as stack:
        workshop = stack.enter_context(ForkServer(layers.policy()))
        session = stack.enter_context(opened(workshop, "def f(x): return x + 1"))
        assert workshop.user_ids == (65_100, 65_101)
        assert workshop._lease is not None
        workshop._lease.release()  # what the kernel does when a worker is killed
        with pytest.raises(leases.LeaseError):
            leases.lease()
        assert session.functions["f"](1) == 2
        session.close()
        leases.lease().release()


def test_two_graders_at_once_cost_each_other_nothing_without_a_process_namespace() -> None:
    """Neither does the end of one submission end the other, nor do the other's threads count."""
    many = """
import threading
stop = threading.Event()
def f(x):
    for _ in range(x): threading.Thread(target=stop.wait, daemon=True).start()
    return threading.active_count()
"""
    policy = layers.policy(without=("pid",))
    with ForkServer(policy) as first, ForkServer(policy) as second, opened(first, many) as one:
        assert one.functions["f"](40) == 41
        with opened(second, many) as other:
            assert not set(first.user_ids) & set(second.user_ids)
            assert other.functions["f"](40) == 41
        assert one.functions["f"](0) == 41
        assert one.log.restarts == 0
