"""The test case that is running: which one it is, how many checks it has made, whether it is hidden.

A check does not get its case as an argument, for a test is a plain function of the student's functions. It is found
among the callers: the test function by its name, and who called it, Otter's or adkit's test case, by its `hidden`.
"""

import inspect
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

__all__ = [
    "Case",
    "in_hidden_case",
    "in_public_case",
    "is_recorded",
    "missing_names",
    "name_of",
    "next_check",
    "recorded",
    "running_case",
]


@dataclass
class Case:
    """The test function that is running: its frame, how many checks it has made, whether it is hidden."""

    frame: FrameType
    checks: int
    hidden: bool


_current: Case | None = None  # holds the frame, so that a new frame can never be taken for an old one
_recording = False


def running_case() -> Case | None:
    """The case whose test function called this; None outside of one."""
    global _current
    frame = inspect.currentframe()
    while frame is not None and not frame.f_code.co_name.startswith("test_q"):
        frame = frame.f_back
    if frame is None:
        return None
    if _current is None or _current.frame is not frame:
        caller = frame.f_back.f_locals.get("self") if frame.f_back is not None else None
        # Otter's test_case object calls the function; called by anything else it counts as hidden
        _current = Case(frame, 0, bool(getattr(caller, "hidden", True)))
    return _current


def next_check() -> None:
    """Counts a check of the running case."""
    case = running_case()
    if case is not None:
        case.checks += 1


def in_public_case() -> bool:
    """Whether a public case is running. Outside of any case nobody knows where the numbers come from."""
    case = running_case()
    return case is not None and not case.hidden


def in_hidden_case() -> bool:
    """Whether a hidden case is running."""
    case = running_case()
    return case is not None and case.hidden


def name_of(f: Any) -> str:
    """The name of a student's function: the contract's, also where the student's object has another."""
    case = running_case()
    if case is not None and f is not None:
        code = case.frame.f_code
        for parameter in code.co_varnames[: code.co_argcount]:
            if case.frame.f_locals.get(parameter) is f:
                return parameter
    name = getattr(f, "__name__", None)
    return name if isinstance(name, str) and name else "your function"


def missing_names() -> tuple[str, ...]:
    """The functions of the running case that the student has not defined; empty outside of a case."""
    case = running_case()
    if case is None:
        return ()
    frame = case.frame
    parameters = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    return tuple(name for name in parameters if frame.f_locals.get(name) is None)


def is_recorded() -> bool:
    """Whether the case runs to see how it fails (`recorded`), and not for a student."""
    return _recording


@contextmanager
def recorded() -> Generator[None]:
    """Within it nothing is asked twice and no known mistake is looked for."""
    global _recording, _current
    before, _recording = (_recording, _current), True
    try:
        yield
    finally:
        _recording, _current = before
