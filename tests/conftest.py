"""What all tests share: 64-bit floats on the CPU, as in the grader, and a fork server for each worker of the runner."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from autograder.isolation.forkserver import Workshop

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

# Many tests start Python programs; without bytecode each of them would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def workshop() -> Iterator["Workshop"]:
    """A warm fork server with every layer of isolation that this machine has.

    All tests of a worker share it, so a test that wants another policy sets it with `monkeypatch.setattr`.
    """
    from autograder.isolation import layers  # JAX, which this imports, reads the variables above
    from autograder.isolation.forkserver import Workshop

    with Workshop(layers.policy()) as opened:
        yield opened
