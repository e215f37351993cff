"""A wait ends when there is something to read, and falls asleep where there is nothing for a moment."""

import os
import select
import threading
import time

import pytest

from autograder.isolation import waiting


def registered(descriptor: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll


def test_what_is_there_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_AWAKE", 0.0)
    reading, writing = os.pipe()
    os.write(writing, b"x")
    assert waiting.soon(registered(reading))
    os.read(reading, 1)
    os.close(writing)
    assert waiting.soon(registered(reading))  # the other side's end is something to read
    os.close(reading)


def test_nothing_to_read_is_waited_for_only_a_moment() -> None:
    reading, writing = os.pipe()
    assert not waiting.soon(registered(reading))
    os.close(writing)
    os.close(reading)


def test_what_comes_in_the_moment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_AWAKE", 20.0)
    monkeypatch.setattr(waiting, "_TAKEN", 20.0)
    reading, writing = os.pipe()
    sender = threading.Timer(0.05, os.write, (writing, b"x"))
    sender.start()
    assert waiting.soon(registered(reading))
    sender.join()
    os.close(writing)
    os.close(reading)


def test_whose_processor_is_taken_does_not_stay_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_AWAKE", 20.0)
    yields = list[int]()

    def taken() -> None:
        yields.append(1)
        time.sleep(2 * waiting._TAKEN)

    monkeypatch.setattr(waiting.os, "sched_yield", taken)
    reading, writing = os.pipe()
    assert not waiting.soon(registered(reading))
    assert len(yields) == 1
    os.close(writing)
    os.close(reading)
