"""Schedules of backpropagation through a chain, and the simulator that judges them.

The chain is a_0 -> f_1 -> a_1 -> … -> f_n -> a_n. The backward node b_i, the gradient of the loss with
respect to a_i, needs a_i (and b_{i+1}). A schedule is a list of `(action, i)` pairs that says in which order
activations are evaluated, kept and given up; a_0 is the data, always at hand and never counted. The state is
the set S of saved activations, one working activation w or none, and the next backward index, n at first.

    ("forward", i)    legal when a_{i-1} is a_0, saved or working.  w = i; costs one evaluation
    ("save", i)       legal when w = i.                             i joins S
    ("free", i)       legal when i is in S.                         i leaves S; if w = i, w is gone too
    ("backward", i)   legal when i is next and a_i saved or working. next is i - 1; if w = i, w is gone

Memory after an action is |S ∪ {w}|. A schedule is complete when b_n … b_1 have run and nothing is live.

`simulate` is an interpreter: it knows no strategy, and a legal schedule is as good as its peak and its count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any, cast

import numpy as np

ACTIONS = ("forward", "save", "free", "backward")

MAX_ACTIONS = 2_000_000
"""Longer schedules are refused. Recomputing everything from the input takes 501 500 actions at n = 1000."""

Action = tuple[str, int]


class ScheduleError(ValueError):
    """The first thing that is wrong with a schedule.

    `position` is the index of the offending action (None when the fault is not at one action), `action`
    that action as it was found, `rule` the rule it breaks, in words without the case's numbers, and
    `state` what was in memory, in words.
    """

    def __init__(
        self, message: str, *, rule: str, position: int | None = None, action: object = None, state: str = ""
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.position = position
        self.action = action
        self.state = state


@dataclass(frozen=True)
class State:
    """What is in memory after one action."""

    action: Action
    saved: frozenset[int]
    working: int | None
    next_backward: int
    """The index of the backward node that has to run next; 0 when all have run."""
    evaluations: int
    """Forward evaluations so far."""

    @property
    def live(self) -> frozenset[int]:
        """The activations in memory: the saved ones and the working one."""
        return self.saved if self.working is None else self.saved | {self.working}


@dataclass(frozen=True)
class Trace:
    """What a legal and complete schedule costs."""

    n: int
    peak: int
    """The largest memory after any action: activations, or the sum of their sizes when sizes were given."""
    evaluations: int
    """How often a layer was evaluated."""
    cost: int
    """The sum of the evaluated layers' costs; the same as `evaluations` when no costs were given."""
    memory: tuple[int, ...] = field(repr=False)
    """Memory after each action."""
    schedule: tuple[Action, ...] = field(repr=False)
    """The schedule, as (str, int) pairs."""

    def states(self) -> Iterator[State]:
        """The state after each action, one at a time: all at once would be large for a long schedule."""
        saved: set[int] = set()
        working: int | None = None
        following, evaluations = self.n, 0
        for name, i in self.schedule:
            if name == "forward":
                working = i
                evaluations += 1
            elif name == "save":
                saved.add(i)
            else:
                if name == "free":
                    saved.discard(i)
                else:
                    following = i - 1
                if working == i:
                    working = None
            yield State((name, i), frozenset(saved), working, following, evaluations)

    @property
    def live(self) -> tuple[frozenset[int], ...]:
        """The set of live activations after each action."""
        return tuple(state.live for state in self.states())


def simulate(
    n: int,
    schedule: Sequence[Sequence[Any]],
    sizes: Sequence[int] | None = None,
    costs: Sequence[int] | None = None,
) -> Trace:
    """Runs `schedule` on a chain of `n` layers by the rules above.

    `schedule` is a list or tuple of `(action, i)` pairs. With `sizes` (n positive integers, the size of a_i
    at index i - 1) memory is counted in those units instead of activations; with `costs` (the same for the
    layers) `Trace.cost` is the sum over evaluations. Raises `ScheduleError` at the first action that is
    malformed or illegal, and at the end when the schedule is not complete. Time and memory are linear in the
    number of actions, of which there may be `MAX_ACTIONS`; nothing is allocated in proportion to n.
    """
    n = _layers(n)
    size_of = _weights(sizes, n, "sizes")
    cost_of = _weights(costs, n, "costs")
    actions = _actions(schedule)

    done: list[Action] = []
    memory: list[int] = []
    saved: set[int] = set()
    working = 0  # 0 is "none": a_0 needs no place, so `working == i - 1` is also right for the first layer
    following = n
    used = peak = evaluations = cost = 0

    for position, given in enumerate(actions):
        if position == MAX_ACTIONS:
            rule = f"a schedule has at most {MAX_ACTIONS} actions"
            raise ScheduleError(f"{rule}, this one has more", rule=rule, position=position, action=given)
        name, i, fault = _action(given, n)
        if not fault:
            fault = _fault(name, i, saved, working, following)
        if fault:
            state = _state(saved, working, following)
            raise ScheduleError(
                f"action {position}, {shown(given)}, is illegal: {fault[0]}, but {fault[1]}. State: {state}.",
                rule=fault[0],
                position=position,
                action=given,
                state=state,
            )
        if name == "forward":
            if working and working not in saved:
                used -= size_of[working - 1] if size_of else 1
            working = i
            if i not in saved:
                used += size_of[i - 1] if size_of else 1
            evaluations += 1
            cost += cost_of[i - 1] if cost_of else 1
        elif name == "save":
            saved.add(i)
        elif name == "free":
            saved.discard(i)
            used -= size_of[i - 1] if size_of else 1
            if working == i:
                working = 0
        else:
            following = i - 1
            if working == i:
                working = 0
                if i not in saved:
                    used -= size_of[i - 1] if size_of else 1
        done.append((name, i))
        memory.append(used)
        if used > peak:
            peak = used

    if following or saved or working:
        raise _incomplete(len(done), saved, working, following)
    return Trace(n, peak, evaluations, cost, tuple(memory), tuple(done))


_Fault = tuple[str, str]  # the rule, and what was found instead


def _layers(n: object) -> int:
    number = integer(n)
    if number is None or number < 1:
        rule = "the number of layers n is a positive integer"
        raise ScheduleError(f"{rule}, got {shown(n)}", rule=rule)
    if number > MAX_ACTIONS // 2:
        rule = f"there are at most {MAX_ACTIONS // 2} layers, as each takes two actions of {MAX_ACTIONS}"
        raise ScheduleError(f"{rule}, got n = {shown(n)}", rule=rule)
    return number


def _weights(given: object, n: int, what: str) -> list[int] | None:
    if given is None:
        return None
    rule = f"{what} are n positive integers, one per layer"
    entries = cast("list[object]", given) if type(given) in (list, tuple, np.ndarray) else []
    numbers = [number for number in map(integer, entries) if number is not None and number > 0]
    if len(numbers) != n or len(entries) != n:
        raise ScheduleError(f"{rule}, got {shown(given)}", rule=rule)
    return numbers


def _actions(schedule: object) -> Sequence[object]:
    if not isinstance(schedule, list | tuple):
        rule = "a schedule is a list (or tuple) of (action, i) pairs"
        raise ScheduleError(f"{rule}, got {shown(schedule)}", rule=rule)
    return cast("Sequence[object]", schedule)


def _action(given: object, n: int) -> tuple[str, int, _Fault | None]:
    if type(given) not in (tuple, list) or len(cast("Sequence[object]", given)) != 2:
        return "", 0, ('each action is a pair such as ("forward", 1)', "this is not one")
    name, index = cast("Sequence[object]", given)
    if type(name) not in (str, np.str_) or name not in ACTIONS:
        allowed = ", ".join(f'"{action}"' for action in ACTIONS)
        return "", 0, (f"the action is one of {allowed}", f"this is {shown(name)}")
    i = integer(index)
    if i is None or not 1 <= i <= n:
        return "", 0, ("the index of a layer is an integer from 1 to n", f"this is {shown(index)}")
    return str(cast("str", name)), i, None


def _fault(name: str, i: int, saved: set[int], working: int, following: int) -> _Fault | None:
    if name == "forward":
        if i != 1 and i - 1 not in saved and working != i - 1:
            rule = '("forward", i) needs a_{i-1}: the input, saved, or the working activation'
            return rule, f"a_{i - 1} is neither saved nor working"
    elif name == "save":
        if working != i:
            rule = '("save", i) needs a_i to be the working activation, the one evaluated last'
            return rule, f"a_{i} is not"
    elif name == "free":
        if i not in saved:
            return '("free", i) needs a_i to be saved', f"a_{i} is not saved"
    elif i != following:
        rule = "backward nodes run in the order n, n-1, …, 1, each once"
        return rule, f"b_{following} is next" if following else "all of them have run"
    elif i not in saved and working != i:
        return '("backward", i) needs a_i, saved or working', f"a_{i} is neither saved nor working"
    return None


def _incomplete(actions: int, saved: set[int], working: int, following: int) -> ScheduleError:
    state = _state(saved, working, following)
    if following:
        rule, found = "a complete schedule runs every backward node b_n … b_1", f"b_{following} has not run"
    else:
        rule = "a complete schedule leaves nothing in memory: what was saved must be freed"
        found = f"a_{min(saved)} is still saved" if saved else f"a_{working} is still the working activation"
    message = f"the schedule is not complete after its {actions} actions: {rule}, but {found}. State: {state}."
    return ScheduleError(message, rule=rule, state=state)


def integer(value: object) -> int | None:
    """A Python, NumPy or JAX integer (those come as arrays of shape ()) as an int; None for anything else."""
    # Exact types: True is not an index, and a value's own __index__ or __eq__ is never asked.
    if type(value) is int:
        return value
    if type(value) is np.ndarray:
        return int(value) if value.ndim == 0 and value.dtype.kind in "iu" else None
    return int(cast("Any", value)) if isinstance(value, np.integer) else None


def _state(saved: set[int], working: int, following: int) -> str:
    kept = sorted(saved)
    names = ", ".join(f"a_{i}" for i in kept[:8]) + (f", … ({len(kept)} in all)" if len(kept) > 8 else "")
    return (
        f"saved: {names or 'nothing'}; working: {f'a_{working}' if working else 'nothing'}; "
        f"next backward: {f'b_{following}' if following else 'none'}"
    )


def shown(value: object) -> str:
    """`value` in at most a line, whatever it is: long values are cut, and none of their own code is run."""
    if type(value) is int and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    if type(value) is str and len(value) > 40:
        return repr(value[:40] + "…")
    if value is None or type(value) in (int, float, bool, str, np.int64, np.int32, np.float64, np.bool_):
        return repr(value)
    if type(value) in (tuple, list):
        entries = cast("Sequence[object]", value)
        if len(entries) > 4 or any(type(entry) in (tuple, list) for entry in entries):
            return f"a {type(value).__name__} of {len(entries)}"
        inside = ", ".join(shown(entry) for entry in entries)
        return f"({inside})" if type(value) is tuple else f"[{inside}]"
    return f"a {type(value).__name__}"


def least_evaluations(n: int, memory: int) -> int:
    """T(n, m): the least evaluations with which `n` layers can be backpropagated with `memory` activations.

    T(n, m) = r(n+1) - C(m+r, r-1) with r the least number for which C(m+r, r) >= n+1 (Griewank & Walther, ACM
    TOMS 26(1), 2000, in the conventions of `simulate`). Raises `ValueError` for n < 1 or memory < 1.
    """
    if n < 1 or memory < 1:
        raise ValueError(f"n and memory must be at least 1, got n = {n}, memory = {memory}")
    repetitions = 1
    while comb(memory + repetitions, repetitions) < n + 1:
        repetitions += 1
    return repetitions * (n + 1) - comb(memory + repetitions, repetitions - 1)
