"""A call ends at its time limit, whatever it does about that, and the process goes on as before."""

import signal
import sys
import threading
import time

import pytest
from adkit.notebook import time_limit
from adkit.notebook.time_limit import TimedOutError, limited, limits

SECONDS = 0.2


def endless() -> None:
    while True:
        pass


def catches_exceptions() -> None:
    while True:
        try:
            time.sleep(0.01)
        except Exception:
            continue


def catches_everything() -> None:
    while True:
        try:
            time.sleep(0.01)
        except:  # noqa: E722
            continue


def catches_everything_twice() -> None:
    while True:
        try:
            catches_everything()
        except:  # noqa: E722
            continue


def goes_on_in_finally() -> None:
    while True:
        try:
            sum(range(100))
        finally:
            continue  # noqa: B012


CALLS = [endless, catches_exceptions, catches_everything, catches_everything_twice, goes_on_in_finally]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_does_not_end_is_ended_with_a_sentence(call):
    with limits(SECONDS, 3), pytest.raises(TimedOutError, match=r"double did not finish within 0\.2 seconds"):
        limited("double", call)


@pytest.mark.parametrize("call", CALLS)
def test_outside_of_the_main_thread_too(call):
    said: list[str] = []

    def run() -> None:
        try:
            limited("double", call)
        except TimedOutError as problem:
            said.append(str(problem))

    with limits(SECONDS, 3):
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(30)
    assert said == ["double did not finish within 0.2 seconds."]


def test_timer_handler_and_trace_are_as_they_were_before():
    before = signal.getsignal(signal.SIGALRM), sys.gettrace()
    with limits(SECONDS, 3), pytest.raises(TimedOutError):
        limited("double", catches_everything)
    assert (signal.getsignal(signal.SIGALRM), sys.gettrace()) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_after_the_graders_number_of_timeouts_no_call_is_made():
    with limits(SECONDS, 1):
        with pytest.raises(TimedOutError):
            limited("double", endless)
        with pytest.raises(TimedOutError, match="Not run"):
            limited("double", lambda: 1)


def test_without_a_limit_a_call_is_only_a_call():
    assert limited("double", lambda: 4) == 4


def test_a_call_inside_a_call_is_a_part_of_it():
    with limits(SECONDS, 3) as current, pytest.raises(TimedOutError, match="outer"):
        limited("outer", lambda: limited("inner", endless))
    assert current.timed_out == 1


def test_a_call_that_comes_near_its_limit_is_named_and_one_that_does_not_is_not(monkeypatch):
    clock = iter([0.0, 6.0, 10.0, 14.0])
    monkeypatch.setattr(time_limit.time, "monotonic", lambda: next(clock))
    with limits(10.0, 3) as current:
        limited("slow", lambda: 1)
        limited("quick", lambda: 1)
    assert current.slow == {"slow": 6.0}


def test_an_exception_of_the_call_goes_through():
    with limits(SECONDS, 3), pytest.raises(ZeroDivisionError):
        limited("double", lambda: 1 // 0)
