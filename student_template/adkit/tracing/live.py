"""How many bytes JAX's arrays take while a program runs, step by step.

Both tools ask `jax.live_arrays()`, which lists every array that Python still holds, and add up `nbytes`. An array is in
that list from the moment at which its computation is dispatched, finished or not, so that what is counted does not
depend on how fast the machine is. What a compiled function uses while it runs is not in the list: run the program
without `jax.jit`. An array that only differs in its Python object (a second handle of the same buffer) counts twice.

- `watch` notes the bytes after each action of a schedule, for whoever carries it out in a loop.
- `live_bytes` finds the peak of any block of code, such as the two passes of `jax.vjp`.
"""

# The types of jax.live_arrays and of jax.block_until_ready are unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from time import perf_counter
from types import FrameType, TracebackType
from typing import Any, cast

import jax

from adkit.schedule import Action


def _bytes() -> int:
    """The bytes of all arrays that are alive."""
    return sum(array.nbytes for array in jax.live_arrays())


def _wait() -> None:
    """Waits until everything that was dispatched is computed, so that its time is not counted elsewhere."""
    jax.block_until_ready(jax.live_arrays())


class Watched(list[Action]):
    """A schedule that notes memory and time while somebody goes through it: see `watch`."""

    def __init__(self, schedule: Sequence[Action]) -> None:
        super().__init__(schedule)
        self.bytes: list[int] = []
        """The bytes of live arrays after each action, less those at the start; empty when nothing was measured."""
        self.seconds: list[float] = []
        """The time from the start to the end of each action, without the time that measuring took."""
        self._peak = 0

    @property
    def peak(self) -> int:
        """The largest number of `bytes`, 0 when nothing was measured."""
        return self._peak

    def __iter__(self) -> Iterator[Action]:
        """Goes through the actions; each is measured when the next one is asked for, and the last one at the end."""
        used: list[int] = []
        seconds: list[float] = []
        _wait()
        start, passed = _bytes(), 0.0
        for action in super().__iter__():
            before = perf_counter()
            yield action
            _wait()
            passed += perf_counter() - before
            used.append(_bytes() - start)
            seconds.append(passed)
            # Checking a schedule goes through it, too, and allocates nothing: the run that allocates most is the one.
            if used[-1] > self._peak:
                self._peak, self.bytes, self.seconds = used[-1], used, seconds


def watch(schedule: Sequence[Action]) -> Watched:
    """The same schedule, as a list that notes the bytes of live arrays whenever a loop goes through it.

        watched = adkit.watch(schedule)
        run_schedule(watched, params, x, y)
        watched.bytes       # one number per action, in bytes: memory after the action, less that at the start
        watched.seconds     # one number per action: when it had ended, in seconds since the start

    What is there before (parameters, data) is not counted; gradients are. Of several loops the one that allocates
    most is kept; one that ends early has fewer numbers than there are actions. A loop over a copy, or by index, is not
    noticed: `bytes` stays empty, as it does where no action allocates anything.
    """
    return Watched(schedule)


class LiveBytes:
    """The bytes of live arrays during a `with` block, less those at its start: see `live_bytes`."""

    def __init__(self) -> None:
        self.peak = 0
        """The largest number of bytes at any time in the block."""
        self.now = 0
        """The bytes at the end of the block."""
        self.seconds = 0.0
        """How long the block took, until everything was computed. Measuring makes it slower: compare, do not quote."""
        self.marks: dict[str, int] = {}
        """The bytes at each mark."""
        self.peaks: dict[str, int] = {}
        """The largest number of bytes from each mark to the next one, or to the end."""
        self._start = 0
        self._began = 0.0
        self._section = ""
        self._before: Any = None
        self._kind: type[Any] = jax.Array
        self._seen: dict[int, weakref.ref[Any]] = {}

    def mark(self, name: str) -> int:
        """Notes the bytes at this place under `name`, and returns them; `peaks[name]` begins here."""
        self._section = name
        self.marks[name] = self._note()
        return self.marks[name]

    def __enter__(self) -> LiveBytes:
        self._kind = type(jax.numpy.zeros(()))
        _wait()
        self._start, self._began = _bytes(), perf_counter()
        self._before = sys.getprofile()
        sys.setprofile(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.setprofile(self._before)
        self._seen.clear()
        _wait()
        self.seconds = perf_counter() - self._began
        self.now = self._note()

    def _watch(self, frame: FrameType, event: str, result: object) -> None:
        # Memory grows only where an array is made, and an array that is made without jax.jit is returned by a Python
        # function of JAX's. Looking then finds the same peak each time; looking every few milliseconds misses some.
        if event == "return":
            results = cast("Sequence[object]", result) if type(result) in (list, tuple) else (result,)
            # Not all(): every array is to be remembered, and none is to be counted twice.
            if sum(self._is_new(entry) for entry in results if type(entry) is self._kind):
                self._note()
        if self._before is not None and callable(self._before):
            self._before(frame, event, result)

    def _is_new(self, array: object) -> bool:
        known = self._seen.get(id(array))  # arrays have no hash, and an id is used again after its array's end
        if known is not None and known() is array:
            return False
        self._seen[id(array)] = weakref.ref(array)
        return True

    def _note(self) -> int:
        used = _bytes() - self._start
        self.peak = max(self.peak, used)
        if self._section:
            self.peaks[self._section] = max(self.peaks.get(self._section, used), used)
        return used


def live_bytes() -> LiveBytes:
    """Measures the bytes of live arrays while a block of code runs, on this thread and without `jax.jit`.

        with adkit.live_bytes() as live:
            value, vjp = jax.vjp(lambda p: loss(p, x, y), params)
            live.mark("between the passes")
            vjp(jnp.ones(()))

        live.peak                           # bytes, the most at any time
        live.marks["between the passes"]    # bytes at the mark
        live.peaks["between the passes"]    # bytes, the most after the mark
        live.now, live.seconds              # at the end of the block

    All bytes are relative to the start of the block. It looks whenever a function returns a new array (a profiler of
    Python's, `sys.setprofile`, which is put back at the end, also after an exception), so every run gives the same
    numbers. A compiled function appears with what it returns, not with what it uses inside.
    """
    return LiveBytes()
