"""The peak of live arrays of a traced program: how much memory it asks for at once, in the order it is written in.

An array is alive from the operation that computes it to the last one that uses it, or to the end if it is returned.
While an operation runs, its operands and its results are in memory. So, in program order:

- a function that is called is looked at where it is called, as if it were written there (`jit`, `jax.checkpoint`); so
  are the branches of a `cond`, of which the one with the highest peak counts, and the body of a loop, in which what is
  carried from one turn to the next is alive at both ends;
- `optimization_barrier` and `reshape` pass an array on, and updating a part of an array that nobody needs any more
  takes place in it: none of them needs memory of its own;
- an operation whose result nothing needs takes none, as the compiler drops it;
- the arguments belong to the caller and are not counted, but for those that are said to be the program's own
  (the residuals that a backward pass is handed, which it gives up one after the other).

Counted are numbers, whatever the shapes they are in, so that packing, raveling or splitting hides nothing: a number of
32 bits or less counts as one, as one of 64 does, and a complex one of 128 bits as two. Beside them stand the bytes.

This is the memory of the program as it was traced. A compiler may do better, by another order or by fusing operations,
or worse, by keeping what it was asked to compute again; the count is the same on every machine. What cannot be counted
is refused (`WorkError`); where there is doubt, more is counted than may be needed, never less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from adkit.tracing.stablehlo import (
    WorkError,
    body_of,
    callee_of,
    functions_of,
    has_side_effect,
    read,
    terminator_of,
)

_BUDGET = 4_000_000
"""Operations looked at for one peak: each several times, as often as functions are called in different ways."""
_TENSOR = re.compile(r"tensor<((?:\d+x)*)(complex<)?[a-zA-Z]*?(\d+)(?:E\w+)?>{1,2}")
"""A tensor type: its shape, and the bits of one number (`4x8xf64`, `ui8`, `bf16`, `complex<f32>`, `i1`)."""
_VIEWS = {"stablehlo.reshape", "stablehlo.optimization_barrier"}
_IN_PLACE = {"stablehlo.dynamic_update_slice", "stablehlo.scatter"}


@dataclass(frozen=True)
class Peak:
    """The most that is in memory at a time: `numbers`, and `bytes` (their maxima may lie in different places)."""

    numbers: int = 0
    bytes: int = 0

    def __add__(self, other: Peak) -> Peak:
        return Peak(self.numbers + other.numbers, self.bytes + other.bytes)

    def __sub__(self, other: Peak) -> Peak:
        return Peak(self.numbers - other.numbers, self.bytes - other.bytes)

    def __or__(self, other: Peak) -> Peak:
        return Peak(max(self.numbers, other.numbers), max(self.bytes, other.bytes))


def peak_of(module: Any, own: Iterable[int] = ()) -> Peak:
    """The peak of live arrays of one evaluation of `main` of a module (see `adkit.tracing.stablehlo.read`).

    own: indices of the arguments that are the program's own. Raises `WorkError` if it cannot be counted.
    """
    return _Liveness(read(module)).main(frozenset(own))


class _Buffer:
    """The memory of an array, or of several values that are one array."""

    __slots__ = ("own", "size")

    def __init__(self, size: Peak, own: bool = True) -> None:
        self.size = size
        self.own = own
        """Whether it is counted here and given up after its last use; else it is the caller's."""


@dataclass(frozen=True)
class _Step:
    """An operation that something needs: which of its results, and the values that it uses for them."""

    operation: Any
    needed: tuple[int, ...]
    uses: tuple[Any, ...]


class _Liveness:
    def __init__(self, module: Any) -> None:
        self._functions = functions_of(module)
        self._budget = _BUDGET
        self._calling: set[Any] = set()
        self._steps: dict[Any, tuple[tuple[_Step, ...], frozenset[Any]]] = {}
        self._carried: dict[Any, frozenset[int]] = {}
        self._summaries: dict[Any, tuple[frozenset[int], dict[int, int]]] = {}
        self._peaks: dict[Any, Peak] = {}

    def main(self, own: frozenset[int]) -> Peak:
        if "main" not in self._functions:
            raise WorkError("the module has no function main")
        block = self._function("main")
        buffers = {argument: _Buffer(_size(argument), i in own) for i, argument in enumerate(block.arguments)}
        return self._block(block, _every(block), buffers)

    def _function(self, name: str) -> Any:
        if name not in self._functions:
            raise WorkError(f"a function {name} is called that does not exist")
        return body_of(self._functions[name])

    # What is needed for what: backwards, from the results.

    def _needed(self, block: Any, wanted: frozenset[int]) -> tuple[tuple[_Step, ...], frozenset[Any]]:
        """The operations that the `wanted` results of a block need, in program order, and all values they need."""
        key = (block, wanted)
        if key in self._steps:
            return self._steps[key]
        operations = block.operations
        self._spend(len(operations))
        returned = list(operations[-1].operands)
        live = {returned[i] for i in wanted}
        steps: list[_Step] = []
        for operation in reversed(operations[:-1]):
            results = list(operation.results)
            needed = tuple(i for i, result in enumerate(results) if result in live)
            if needed or not results or has_side_effect(operation):
                uses = self._uses(operation, frozenset(needed))
                live.update(uses)
                steps.append(_Step(operation, needed, tuple(uses)))
        self._steps[key] = tuple(reversed(steps)), frozenset(live)
        return self._steps[key]

    def _uses(self, operation: Any, needed: frozenset[int]) -> list[Any]:
        """The values that an operation uses for the results that are needed."""
        operands = list(operation.operands)
        callee = callee_of(operation)
        if callee is not None:
            arguments, _ = self._summary(callee, needed)
            return [operands[i] for i in sorted(arguments)]
        match operation.name:
            case "stablehlo.optimization_barrier":
                return [operands[i] for i in sorted(needed)]
            case "stablehlo.while":
                carried = self._loop(operation, needed)
                return [operands[i] for i in sorted(carried)] + self._captured(
                    operation, {0: frozenset({0}), 1: carried}
                )
            case "stablehlo.case" | "stablehlo.if":
                return operands + self._captured(operation, dict.fromkeys(range(len(operation.regions)), needed))
            case _:
                return operands + self._captured(operation, {})

    def _captured(self, operation: Any, wanted: dict[int, frozenset[int]]) -> list[Any]:
        """What the regions of an operation need of the values outside them; `wanted`: of which results, or all."""
        found: dict[Any, None] = {}
        for index, region in enumerate(operation.regions):
            for block in region.blocks:
                found.update(dict.fromkeys(self._outside(block, wanted.get(index, _every(block)))))
        return list(found)

    def _outside(self, block: Any, wanted: frozenset[int]) -> list[Any]:
        """The values from outside a block that its `wanted` results need."""
        _, live = self._needed(block, wanted)
        own = {*block.arguments, *(value for inside in block.operations for value in inside.results)}
        return [value for value in live if value not in own]

    def _loop(self, operation: Any, needed: frozenset[int]) -> frozenset[int]:
        """Which of the values that a loop carries are needed, by its test, its results, or one another."""
        key = (operation, needed)
        if key not in self._carried:
            test, body = (region.blocks[0] for region in operation.regions)
            _, live = self._needed(test, frozenset({0}))
            carried = needed | {i for i, argument in enumerate(test.arguments) if argument in live}
            while True:
                _, live = self._needed(body, carried)
                more = {i for i, argument in enumerate(body.arguments) if argument in live} - carried
                if not more:
                    break
                carried |= more
            self._carried[key] = carried
        return self._carried[key]

    def _summary(self, name: str, wanted: frozenset[int]) -> tuple[frozenset[int], dict[int, int]]:
        """Of a call: the arguments that the `wanted` results need, and which results are arguments passed on."""
        key = (name, wanted)
        if key not in self._summaries:
            block = self._function(name)
            with self._within(name):
                steps, live = self._needed(block, wanted)
                buffers = {argument: _Buffer(Peak(), False) for argument in block.arguments}
                known = dict(buffers)
                for step in steps:
                    self._assign(step, known)
            arguments = {buffer: i for i, buffer in enumerate(buffers.values())}
            returned = list(terminator_of(block).operands)
            passed = {i: arguments[known[returned[i]]] for i in wanted if known[returned[i]] in arguments}
            needed = frozenset(i for i, argument in enumerate(block.arguments) if argument in live)
            self._summaries[key] = needed, passed
        return self._summaries[key]

    # What is alive when: forwards, with a buffer for each value.

    def _assign(self, step: _Step, buffers: dict[Any, _Buffer]) -> list[_Buffer]:
        """Gives the results of an operation their buffers; returns those that are new."""
        operation, needed = step.operation, step.needed
        operands, results = list(operation.operands), list(operation.results)
        passed: dict[int, int] = {}
        callee = callee_of(operation)
        if callee is not None:
            _, passed = self._summary(callee, frozenset(needed))
        elif operation.name in _VIEWS:
            passed = {i: i for i in needed}
        elif operation.name == "stablehlo.while":
            passed = {i: i for i in needed if _unchanged(operation, i)}
        new: list[_Buffer] = []
        for i in needed:
            if i in passed:
                buffers[results[i]] = buffers[operands[passed[i]]]
            else:
                new.append(_Buffer(_size(results[i])))
                buffers[results[i]] = new[-1]
        return new

    def _block(self, block: Any, wanted: frozenset[int], buffers: dict[Any, _Buffer]) -> Peak:
        """The peak of a block, with the buffers of its arguments and of the values from outside that it uses."""
        steps, _ = self._needed(block, wanted)
        self._spend(len(steps))
        given = set(buffers.values())
        known = dict(buffers)
        new = [self._assign(step, known) for step in steps]
        used = [{known[value] for value in step.uses} for step in steps]
        last: dict[_Buffer, int] = {}
        for time, (these, made) in enumerate(zip(used, new, strict=True)):
            last.update(dict.fromkeys((*these, *made), time))
        returned = list(terminator_of(block).operands)
        last.update(dict.fromkeys((known[returned[i]] for i in wanted), len(steps)))

        now = _total(buffer for buffer in given if buffer.own and buffer in last)
        peak = now
        for time, step in enumerate(steps):
            dying = {buffer for buffer in used[time] if buffer.own and last[buffer] == time}
            made, given_up = _total(new[time]), _total(dying)
            after = now - given_up + made
            inner = self._inner(step, known, dying)
            if inner is not None:
                peak |= (now - given_up + inner) | after
            elif step.operation.name in _IN_PLACE and known[step.operation.operands[0]] in dying:
                peak |= now
            else:
                peak |= now + made
            now = after - _total(buffer for buffer in new[time] if last[buffer] == time)
        return peak

    def _inner(self, step: _Step, known: dict[Any, _Buffer], dying: set[_Buffer]) -> Peak | None:
        """The peak within an operation that has code of its own, with all that dies there; None if it has none."""
        operation, needed = step.operation, frozenset(step.needed)
        callee = callee_of(operation)
        if callee is not None:
            return self._call(callee, needed, [known.get(operand) for operand in operation.operands], dying)
        match operation.name:
            case "stablehlo.while":
                return self._turns(operation, needed, known, dying)
            case "stablehlo.case" | "stablehlo.if":
                peak = Peak()
                for region in operation.regions:
                    captured = self._outside(region.blocks[0], needed)
                    inside = {known[value]: _Buffer(known[value].size, known[value] in dying) for value in captured}
                    buffers = {value: inside[known[value]] for value in captured}
                    # what dies here and belongs to another branch may be given up at once
                    peak |= self._block(region.blocks[0], needed, buffers)
                return peak | _total(dying)
            case _ if operation.regions:  # the scalar function of a reduction, a sort, a scatter
                peak, lent = Peak(), _Buffer(Peak(), False)
                for region in operation.regions:
                    for block in region.blocks:
                        every = _every(block)
                        buffers = dict.fromkeys((*block.arguments, *self._outside(block, every)), lent)
                        peak |= self._block(block, every, buffers)
                made = _total(_Buffer(_size(operation.results[i])) for i in step.needed)
                return _total(dying) + made + peak
            case _:
                return None

    def _call(self, name: str, wanted: frozenset[int], operands: Sequence[_Buffer | None], dying: set[_Buffer]) -> Peak:
        needed, _ = self._summary(name, wanted)
        # Which arguments are the same array, and which are given up within the call.
        groups: dict[_Buffer, int] = {}
        how: list[tuple[int, bool] | None] = []
        for i, buffer in enumerate(operands):
            if i in needed and buffer is not None:
                how.append((groups.setdefault(buffer, len(groups)), buffer in dying))
            else:
                how.append(None)
        key = (name, wanted, tuple(how))
        if key not in self._peaks:
            block = self._function(name)
            inside: dict[int, _Buffer] = {}
            buffers: dict[Any, _Buffer] = {}
            for argument, place in zip(block.arguments, how, strict=True):
                if place is not None:
                    buffers[argument] = inside.setdefault(place[0], _Buffer(_size(argument), place[1]))
            with self._within(name):
                self._peaks[key] = self._block(block, wanted, buffers)
        return self._peaks[key]

    def _turns(self, loop: Any, needed: frozenset[int], known: dict[Any, _Buffer], dying: set[_Buffer]) -> Peak:
        """The peak of a turn of a loop: of its test or of its body."""
        test, body = (region.blocks[0] for region in loop.regions)
        carried = self._loop(loop, needed)
        outside = self._captured(loop, {0: frozenset({0}), 1: carried})
        operands = list(loop.operands)
        passing = {known[value] for value in outside} | {known[operands[i]] for i in carried if _unchanged(loop, i)}
        # What every turn needs as it was is there to the end of the loop, whoever gives it up then.
        held = _total(buffer for buffer in dying if buffer in passing)
        buffers: dict[Any, _Buffer] = {value: _Buffer(Peak(), False) for value in outside}
        for i in carried:
            turn = _Buffer(Peak(), False) if _unchanged(loop, i) else _Buffer(_size(operands[i]))
            buffers[body.arguments[i]] = turn
        in_body = self._block(body, carried, buffers)
        state = _total(buffers[body.arguments[i]] for i in carried)
        lent = {value: _Buffer(Peak(), False) for value in (*outside, *test.arguments)}
        in_test = state + self._block(test, frozenset({0}), lent)
        return held + (in_body | in_test)

    def _within(self, name: str) -> _Within:
        return _Within(self._calling, name)

    def _spend(self, operations: int) -> None:
        self._budget -= operations
        if self._budget < 0:
            raise WorkError("the module is too large to be counted")


class _Within:
    """While a function is looked at, it may not be met again."""

    def __init__(self, calling: set[Any], name: str) -> None:
        self._calling, self._name = calling, name

    def __enter__(self) -> None:
        if self._name in self._calling:
            raise WorkError(f"{self._name} calls itself")
        self._calling.add(self._name)

    def __exit__(self, *_problem: object) -> None:
        self._calling.remove(self._name)


def _every(block: Any) -> frozenset[int]:
    """The indices of all results of a block."""
    return frozenset(range(len(terminator_of(block).operands)))


def _unchanged(loop: Any, index: int) -> bool:
    """Whether a loop passes a value on from turn to turn as it is."""
    body = loop.regions[1].blocks[0]
    return terminator_of(body).operands[index] == body.arguments[index]


def _total(buffers: Iterable[_Buffer]) -> Peak:
    numbers = size = 0
    for buffer in buffers:
        numbers += buffer.size.numbers
        size += buffer.size.bytes
    return Peak(numbers, size)


def _size(value: Any) -> Peak:
    return _size_of_type(value.type)


@cache
def _size_of_type(kind: str) -> Peak:
    if "token" in kind:
        return Peak()
    found = _TENSOR.fullmatch(kind)
    if found is None:
        raise WorkError(f"a value of type {kind[:60]} cannot be counted")
    elements = math.prod(int(length) for length in found[1].split("x")[:-1])
    bits = int(found[3]) * (2 if found[2] else 1)
    return Peak(elements * max(1, -(-bits // 64)), elements * -(-bits // 8))
