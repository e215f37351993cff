"""What Otter's kernel counts as left behind: living processes, not those that have ended and wait to be collected."""

import os

from autograder.otter_plugin import start_of
from autograder.otter_session import _descendants


def test_a_process_that_has_ended_is_not_counted_before_it_is_collected() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert start_of(pid) == ""
        assert pid not in [found for found, _ in _descendants()]
    finally:
        os.waitpid(pid, 0)


def test_a_living_process_is_counted() -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        assert (pid, start_of(pid)) in _descendants()
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(pid, 0)
