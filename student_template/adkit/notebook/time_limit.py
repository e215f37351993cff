"""The grader's time limit of one call, kept where the student works: an endless loop ends, what was computed stays.

`limits(…)` says what holds for the question that is being checked, `limited(…)` runs one call under it. In the main
thread of a system with SIGALRM a timer interrupts the call; elsewhere (Windows, another thread) a watchdog thread has
an exception raised in the thread that runs it. Code that is not Python (a compilation, a LAPACK routine) is interrupted
when it returns to Python, no earlier.

What interrupts is `TimeIsUp`, a BaseException, so that a student's `except Exception` does not stop it. Where a bare
`except:` in a loop does, the next line after it is interrupted, and so on until the call is left.
"""

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol, TypeVar

__all__ = ["Limits", "TimeIsUp", "TimedOutError", "limited", "limits"]

T = TypeVar("T")
_AGAIN = 0.2
"""Seconds between two interruptions of a call that goes on all the same."""
_SLOW = 0.5
"""A call that takes more than this share of its limit is named: another machine, or another input, may be slower."""


class TimeIsUp(BaseException):
    """Raised inside a call that has used up its time."""

    def __del__(self) -> None:
        """It is gone while the call still runs: something has caught it."""
        frames = _frames_inside(sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        for frame in frames:
            frame.f_trace = _raise_at_the_next_line
        if frames:
            sys.settrace(_raise_at_the_next_line)


class TimedOutError(Exception):
    """A call that did not finish; the message is for the student, in the grader's words."""


@dataclass
class Limits:
    """What holds for the calls of one question, and what they took."""

    seconds: float
    """One call may take this long."""
    timeouts: int
    """After so many calls that did not finish the others are not made: the grader does the same."""
    timed_out: int = 0
    slow: dict[str, float] = field(default_factory=dict[str, float])
    """The longest call, in seconds, of each function that came near its limit."""


_current: Limits | None = None
_running = False


@contextmanager
def limits(seconds: float, timeouts: int) -> Generator[Limits, None, None]:
    """What holds for every `limited` call inside the block."""
    global _current
    before, _current = _current, Limits(seconds, timeouts)
    try:
        yield _current
    finally:
        _current = before


def limited(name: str, call: Callable[[], T], factor: float = 1.0) -> T:
    """`call()`, for at most `factor` times the limit; without a limit where none is set.

    name: the function that is called, for the message. A call inside a limited call is a part of it.
    Raises TimedOutError, and whatever `call` raises.
    """
    global _running
    current = _current
    if current is None or _running:
        return call()
    if current.timed_out >= current.timeouts:
        raise TimedOutError(f"Not run: {current.timed_out} calls have already run out of time.")
    seconds = current.seconds * factor
    _running = True
    started = time.monotonic()
    try:
        return _interrupted_after(seconds, call)
    except TimeIsUp:
        current.timed_out += 1
        raise TimedOutError(f"{name} did not finish within {seconds:g} seconds.") from None
    finally:
        _running = False
        took = time.monotonic() - started
        if _SLOW * seconds < took < seconds and factor == 1.0:
            current.slow[name] = max(took, current.slow.get(name, 0.0))


def _interrupted_after(seconds: float, call: Callable[[], T]) -> T:
    in_main_thread = threading.current_thread() is threading.main_thread()
    alarm: _Alarm = _Timer(seconds) if in_main_thread and hasattr(signal, "setitimer") else _Watchdog(seconds)
    trace = sys.gettrace()
    alarm.start()
    try:
        return _inside(call)
    finally:
        alarm.stop()
        if sys.gettrace() is _raise_at_the_next_line:
            sys.settrace(trace)


def _inside(call: Callable[[], T]) -> T:
    """The frame that marks what may be interrupted: nothing is where it is not on the stack."""
    return call()


def _frames_inside(frame: FrameType | None) -> list[FrameType]:
    """The frames from `frame` up to the one that marks a limited call; none outside of such a call."""
    frames: list[FrameType] = []
    while frame is not None and frame.f_code is not _inside.__code__:
        frames.append(frame)
        frame = frame.f_back
    return frames if frame is not None else []


def _raise_at_the_next_line(_frame: FrameType, event: str, _argument: Any) -> Any:
    if event == "line":
        raise TimeIsUp
    return _raise_at_the_next_line


class _Alarm(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


class _Timer:
    """SIGALRM, again and again from the limit on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def start(self) -> None:
        self._handler = signal.signal(signal.SIGALRM, self._rings)
        self._timer = signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, *self._timer)
        signal.signal(signal.SIGALRM, self._handler)

    def _rings(self, _number: int, frame: FrameType | None) -> None:
        if _frames_inside(frame):  # else the call has ended meanwhile
            raise TimeIsUp


class _Watchdog:
    """A thread that has TimeIsUp raised in the thread it was started from."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._watch, daemon=True, name="time limit of a check").start()

    def stop(self) -> None:
        while True:
            try:
                with self._lock:
                    self._stopped.set()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, None)  # one that has not been raised yet
                return
            except TimeIsUp:
                continue

    def _watch(self) -> None:
        wait = self._seconds
        while not self._stopped.wait(wait):
            with self._lock:
                if not self._stopped.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(TimeIsUp))
            wait = _AGAIN
