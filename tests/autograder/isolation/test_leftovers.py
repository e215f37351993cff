"""What Otter's kernel counts as left behind: living processes, not those that have ended and wait to be collected."""

import os
import subprocess

from autograder.isolation.procfs import start_of
from autograder.otter.kernel import _descendants


def test_a_process_that_has_ended_is_not_counted_before_it_is_collected() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert start_of(process.pid) == ""
        assert process.pid not in [found for found, _ in _descendants()]
    finally:
        process.wait()


def test_a_living_process_is_counted() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:  # ends when its input is closed
        assert (process.pid, start_of(process.pid)) in _descendants()
