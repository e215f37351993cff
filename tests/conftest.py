"""What all tests share: 64-bit floats on the CPU, as in the grader, and a fork server for each worker of the runner."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from autograder.build.command import Built
    from autograder.isolation.forkserver import ForkServer

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

# Many tests start Python programs; without bytecode each of them would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

STARTED = pytest.StashKey[float]()
TESTS = Path(__file__).parent
FIRST = "adkit/tracing/test_live.py"
"""It counts the arrays of its whole process, and so wants one in which no other test has left any."""
LONGEST = (
    "autograder/otter/test_docker.py",
    "hostile/test_attacks.py",
    "repository/test_workflows_run.py",
    "browser",
    "adkit/notebook",
    "autograder/otter",
    "autograder/isolation",
    "assignments",
    "autograder/grading",
    "autograder/build",
)
"""Files and folders whose tests take longest, roughly in that order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: at the end, one long file would keep one worker busy while the others wait."""

    def rank(item: pytest.Item) -> int:
        if item.path == TESTS / FIRST:
            return -1
        return next(
            (place for place, name in enumerate(LONGEST) if item.path.is_relative_to(TESTS / name)), len(LONGEST)
        )

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one worker more than there are cores, because many tests wait: for a limit, a page, a container."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_sessionstart(session: pytest.Session) -> None:
    """The clock of the summary."""
    session.config.stash[STARTED] = time.monotonic()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long the tests took, and where all of them were run how long they took before, as tests/times.json has it."""
    tests = sum(len(terminalreporter.getreports(outcome)) for outcome in ("passed", "failed", "skipped"))
    said = [f"{tests} tests in {_minutes(time.monotonic() - config.stash[STARTED])}"]
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword:
        for run in json.loads((TESTS / "times.json").read_text(encoding="utf-8")):
            said.append(f"{run['tests']} in {_minutes(run['seconds'])} at {run['commit']} on {run['machine']}")
    terminalreporter.write_sep("-", "; ".join(said))


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@pytest.fixture(scope="session")
def workshop() -> Iterator["ForkServer"]:
    """A warm fork server with every layer of isolation that this machine has.

    All tests of a worker share it, so a test that wants another policy sets it with `monkeypatch.setattr`.
    """
    from autograder.isolation import layers  # JAX, which this imports, reads the variables above
    from autograder.isolation.forkserver import ForkServer

    with ForkServer(layers.policy()) as opened:
        yield opened


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple["Built", Path]:
    """The toy assignment (courses/toy) built, and its autograder.zip: to be read and copied, never changed."""
    from courses import copy_course

    from autograder.build.bundle import write_bundle
    from autograder.build.command import assemble

    folder = tmp_path_factory.mktemp("toy")
    built = assemble(copy_course(folder / "course"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AUTOGRADER_SEED", raising=False)
        write_bundle(built.assignment, built.tests, folder / "autograder.zip")
    return built, folder / "autograder.zip"
