"""Loops that are certain not to end, so that nobody waits for them.

What runs out of its time may be slow, or never end. So its frames are watched for a while: one that comes to the same
line with the same values in all of its variables, and has taken nothing from an iterator in between, does the same for
ever. That holds of code that is pure but for its variables, as references and their mutants are: functions, and objects
that are called, count as what does not change, and variables of other kinds as not known.

What JAX has compiled cannot be watched. In the place of `jax.lax.while_loop` mutants get one that notices it by itself.
"""

# Of frames and their variables nothing is known.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import hashlib
import opcode
import sys
from types import FrameType, ModuleType
from typing import Any

import numpy as np

__all__ = ["LoopError", "watch", "while_loop"]

ITERATES = frozenset(opcode.opmap[name] for name in ("FOR_ITER", "SEND", "YIELD_VALUE") if name in opcode.opmap)
"""Instructions after which something may be different that no variable shows."""
MOST = 10_000
"""Entries of a list that are compared."""


class LoopError(BaseException):
    """A loop that does not end. No `except Exception` stops it."""


def watch(frame: FrameType | None, filename: str) -> None:
    """From now on LoopError in the frames of code whose file is called like this, as soon as one is certain to loop."""
    watcher = _Watcher(filename)
    while frame is not None:
        if frame.f_code.co_filename.startswith(filename):
            watcher.begin(frame)
        frame = frame.f_back
    sys.settrace(watcher.call)


class _Watcher:
    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._seen: dict[int, set[bytes]] = {}

    def begin(self, frame: FrameType) -> None:
        self._seen[id(frame)] = set()
        frame.f_trace = self.step
        frame.f_trace_opcodes = True

    def call(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._filename):
            return None
        self.begin(frame)
        return self.step

    def step(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "return":
            self._seen.pop(id(frame), None)
        elif event == "opcode" and frame.f_code.co_code[frame.f_lasti] in ITERATES:
            self._seen[id(frame)] = set()
        elif event == "line" and (state := _state(frame)) is not None:
            seen = self._seen.setdefault(id(frame), set())
            if state in seen:
                raise LoopError
            seen.add(state)
        return self.step


def _state(frame: FrameType) -> bytes | None:
    """Where a frame is and the values of its variables; None where they are not known."""
    try:
        values = [(name, _plain(value)) for name, value in sorted(frame.f_locals.items())]
    except Exception:  # a tracer of JAX, an array that has been deleted
        return None
    return hashlib.blake2b(repr((frame.f_lineno, values)).encode()).digest()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | range):
        return type(value).__name__, repr(value)
    if isinstance(value, list | tuple | set | frozenset | dict):
        if len(value) > MOST:
            raise ValueError("too many entries")
        entries = value.items() if isinstance(value, dict) else value
        return type(value).__name__, [_plain(entry) for entry in entries]
    if hasattr(value, "dtype") and hasattr(value, "__array__"):
        array = np.asarray(value)
        return array.shape, array.dtype.str, hashlib.blake2b(array.tobytes()).hexdigest()
    if callable(value) or isinstance(value, ModuleType):
        return id(value)
    raise TypeError(f"a {type(value).__name__}")


def while_loop(cond_fun: Any, body_fun: Any, init_val: Any) -> Any:
    """`jax.lax.while_loop`, but NaN where it would never end: once a state has come back (Brent's cycle detection)."""
    import jax
    import jax.numpy as jnp

    leaves = jax.tree.leaves

    def same(one: Any, other: Any) -> Any:
        equal = [jnp.all((a == b) | ((a != a) & (b != b))) for a, b in zip(leaves(one), leaves(other), strict=True)]
        return jnp.all(jnp.stack(equal))

    def step(carried: Any) -> Any:
        state, kept, since, most, _ = carried
        following = body_fun(state)
        found = same(following, kept)
        renewed = since == most
        kept = jax.tree.map(lambda old, new: jnp.where(renewed, new, old), kept, following)
        return following, kept, jnp.where(renewed, 1, since + 1), jnp.where(renewed, 2 * most, most), found

    start = (init_val, init_val, 1, 1, False)
    state, *_, found = jax.lax.while_loop(lambda carried: cond_fun(carried[0]) & ~carried[-1], step, start)
    return jax.tree.map(lambda leaf: jnp.where(found, jnp.nan, leaf), state)
