"""Telling attacks on poorer machines: in a container, and as a user of a machine without user namespaces."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TELLING = ("overwrites-grades", "reads-hidden-tests", "proc-mem", "tcp", "starts-programs", "double-fork", "honest")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--without-namespaces"], id="container"),
        pytest.param(
            ["--without-namespaces", "--as-user", "12345"],
            id="user",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
        ),
    ],
)
def test_attacks_gain_nothing_where_there_are_no_namespaces(options: list[str]) -> None:
    command = [sys.executable, "benchmarks/attacks.py", "--runner", "session", *options, "--", *TELLING]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    (layers,) = [line for line in done.stdout.splitlines() if line.startswith("layers here: ")]
    assert not {"mount", "network", "pid", "ipc"} & set(layers.removeprefix("layers here: ").split(", "))
    assert done.returncode == 0, done.stdout
    assert f"{len(TELLING)} outcomes, 0 in which something was gained" in done.stdout
