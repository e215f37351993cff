"""Signs of a mistake: what can be seen in an answer, whatever the answer is number by number.

Most known mistakes are recognised by making the same answer as the student. That is not enough where a mistake leaves
something open: the step of a difference quotient, which of many schedules that keep everything, the size of a number
that is added somewhere. For these a sign says what has to hold of the failure (`adkit.checks.Failure`): what the
function was asked, where it evaluated what it was handed, what it answered, and what would have been right. A sign is a
fact about the answer, and the mistake's sentence says no more than it shows.
"""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
from adkit.checks import Failure
from adkit.checks.values import in_single_precision
from adkit.schedule import ScheduleError, Trace, integer, least_evaluations, simulate
from numpy.typing import NDArray

Sign = Callable[[Failure], bool]
Actions = list[tuple[str, int]]


def accepted(failure: Failure) -> bool:
    """Something was answered where an error was asked for."""
    return failure.accepted


def single_precision(failure: Failure) -> bool:
    """Every number of the answer is a 32-bit float, and it is near the right answer."""
    numbers = _floats(failure.answer)
    near = failure.distance is not None and 0.0 < failure.distance < 0.1
    return near and numbers is not None and in_single_precision(numbers)


def _floats(answer: Any) -> NDArray[np.float64] | None:
    try:
        numbers = np.asarray(answer)
    except ValueError:
        return None
    return numbers.astype(np.float64) if numbers.dtype.kind == "f" else None


# --- difference quotients ---------------------------------------------------------------------------------------


def difference(*, central: bool, small: bool | None = None, grows: str = "") -> Sign:
    """A numerical gradient whose entries are difference quotients of this kind, by the points where f is evaluated.

    small: whether the step is too short for the entry that is furthest from right, or too long; None for either.
    grows: "nowhere" for the same step at every x_i, "with x" for one in proportion to |x_i|.
    """

    def sign(failure: Failure) -> bool:
        taken = _steps(failure)
        if taken is None:
            return False
        x, steps, both = taken
        if bool(both.all()) is not central or (not central and bool(both.any())):
            return False
        worst = int(np.argmax(np.abs(np.asarray(failure.answer, dtype=np.float64) - failure.right)))
        scale = np.maximum(1.0, np.abs(x))
        step = steps[worst] / scale[worst]
        if grows == "nowhere":
            return bool(_constant(steps) and scale[worst] > 10 and step < 1e-7)
        if grows == "with x":
            size = np.abs(x)
            return bool(np.min(size) > 0 and np.min(size) < 0.1 and np.max(size) > 0.5 and _constant(steps / size))
        if small is None:
            return True
        return bool(_constant(steps / scale) or np.max(scale) <= 10) and (step < 1e-6 if small else step > 3e-5)

    return sign


def _constant(numbers: NDArray[np.float64]) -> bool:
    return bool(np.ptp(numbers) <= 1e-3 * np.max(numbers))


def _steps(failure: Failure) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]] | None:
    """The entries of x, the step taken at each, and whether f was evaluated on both sides; None where f was not
    evaluated at points that differ from x in one entry."""
    x = next((np.asarray(a, dtype=np.float64) for a in failure.arguments if isinstance(a, np.ndarray)), None)
    answer = _floats(failure.answer)
    if x is None or failure.right is None or answer is None or answer.shape != x.shape or not x.size:
        return None
    flat = x.ravel()
    sides: list[list[float]] = [[] for _ in flat]
    for point in failure.points:
        if np.shape(point) != x.shape:
            return None
        moved = np.ravel(point) - flat
        where = np.flatnonzero(moved)
        if where.size == 1:
            sides[int(where[0])].append(float(moved[where[0]]))
        elif where.size > 1:
            return None
    if not all(sides):
        return None
    steps = np.array([min(abs(h) for h in side) for side in sides])
    if any(len({round(abs(h) / step, 3) for h in side}) > 1 for side, step in zip(sides, steps, strict=True)):
        return None  # more than one step for an entry: a quotient of another kind
    return flat, steps, np.array([min(side) < 0 < max(side) for side in sides])


# --- schedules --------------------------------------------------------------------------------------------------


def actions_of(failure: Failure) -> Actions:
    """The schedule that was answered; empty where it is not one."""
    if not isinstance(failure.answer, list | tuple):
        return []
    actions: Actions = []
    for action in cast("Sequence[Any]", failure.answer):
        pair: Sequence[Any] = cast("Sequence[Any]", action) if isinstance(action, list | tuple) else []
        index = integer(pair[1]) if len(pair) == 2 else None
        if index is None or not isinstance(pair[0], str):
            return []
        actions.append((pair[0], index))
    return actions


def layers_of(failure: Failure) -> int:
    """n, the first argument; 0 where there is none."""
    n = failure.arguments[0] if failure.arguments else 0
    return n if isinstance(n, int) else 0


def trace_of(failure: Failure) -> Trace | None:
    """What the schedule does; None where it is not legal and complete."""
    try:
        return simulate(layers_of(failure), failure.answer)
    except ScheduleError:
        return None


def of_schedule(holds: Callable[[int, Actions], bool]) -> Sign:
    """The sign of a schedule with at least one action, for n layers."""

    def sign(failure: Failure) -> bool:
        n, actions = layers_of(failure), actions_of(failure)
        return bool(actions) and n > 0 and holds(n, actions)

    return sign


def indices(actions: Actions, name: str) -> list[int]:
    """The indices of all actions of that name, in order."""
    return [i for action, i in actions if action == name]


def before_the_first(actions: Actions, name: str) -> Actions:
    """The actions before the first of that name."""
    names = [action for action, _ in actions]
    return actions[: names.index(name)] if name in names else actions


@of_schedule
def evaluates_too_often(n: int, actions: Actions) -> bool:
    """Every layer is evaluated, some of them again."""
    forward = indices(actions, "forward")
    return set(forward) == set(range(1, n + 1)) and len(forward) > n


@of_schedule
def lacks_the_last_layer(n: int, actions: Actions) -> bool:
    """a_1 … a_{n-1} are evaluated, and a_n is not."""
    return set(indices(actions, "forward")) == set(range(1, n))


@of_schedule
def keeps_everything(n: int, actions: Actions) -> bool:
    """Every activation is saved before the first backward step, and none is freed by then."""
    start = before_the_first(actions, "backward")
    return n > 1 and set(indices(start, "save")) == set(range(1, n + 1)) and not indices(start, "free")


@of_schedule
def frees_nothing(n: int, actions: Actions) -> bool:
    """Something is saved, and nothing is ever freed."""
    return bool(indices(actions, "save")) and not indices(actions, "free")


@of_schedule
def counts_from_zero(n: int, actions: Actions) -> bool:
    """The layers 0 … n - 1 are evaluated."""
    return set(indices(actions, "forward")) == set(range(n))


def _held_checkpoints(failure: Failure) -> list[int]:
    given = failure.arguments[1] if len(failure.arguments) > 1 else ()
    return [int(c) for c in np.asarray(given, dtype=np.int64)] if len(np.shape(given)) == 1 else []


def _with_saved(failure: Failure) -> Iterator[tuple[str, int, set[int]]]:
    """The actions, each with what is saved after it."""
    saved = set[int]()
    for action, i in actions_of(failure):
        if action == "save":
            saved.add(i)
        elif action == "free":
            saved.discard(i)
        yield action, i, saved


def recomputes_from_the_input(failure: Failure) -> bool:
    """After the backward pass has begun a_1 is evaluated while a checkpoint below the next backward step is saved."""
    kept, position = set(_held_checkpoints(failure)), layers_of(failure)
    begun = False
    for action, i, saved in _with_saved(failure):
        if action == "backward":
            begun, position = True, i - 1
        elif action not in ("save", "free") and begun and i == 1 and any(c < position for c in saved & kept):
            return True
    return False


def _counts(failure: Failure) -> dict[int, int]:
    forward = indices(actions_of(failure), "forward")
    return {i: forward.count(i) for i in set(forward)}


def starts_again_at_the_checkpoint(failure: Failure) -> bool:
    """Some activation is evaluated three times or more, each time from the checkpoint before it."""
    return max(_counts(failure).values(), default=0) > 2 and not recomputes_from_the_input(failure)


def evaluates_the_last_segment_again(failure: Failure) -> bool:
    """Activations after the last checkpoint are evaluated twice, none more than that."""
    counts, last = _counts(failure), max(_held_checkpoints(failure), default=0)
    return max(counts.values(), default=0) == 2 and any(i > last and count > 1 for i, count in counts.items())


def saves_more_than_the_checkpoints(failure: Failure) -> bool:
    """On the way forward all activations are saved, though not all of them are asked for."""
    return keeps_everything(failure) and len(_held_checkpoints(failure)) < layers_of(failure)


def keeps_recomputed_activations(failure: Failure) -> bool:
    """An activation that is not a checkpoint stays saved when the backward pass has left its segment."""
    kept = _held_checkpoints(failure)
    for action, i, saved in _with_saved(failure):
        if action == "backward":
            above = min([c for c in kept if c >= i], default=0)
            if above and any(j > above for j in saved - set(kept)):
                return True
    return False


def _budget(failure: Failure) -> int:
    memory = failure.arguments[1] if len(failure.arguments) > 1 else 0
    return memory if isinstance(memory, int) else 0


def needs_one_activation_more(failure: Failure) -> bool:
    """The peak is one more than allowed."""
    trace = trace_of(failure)
    return trace is not None and trace.peak == _budget(failure) + 1


def leaves_memory_unused(failure: Failure) -> bool:
    """The peak is below what is allowed, and the evaluations are the fewest for the peak that it has."""
    trace, n = trace_of(failure), layers_of(failure)
    return trace is not None and trace.peak < _budget(failure) and trace.evaluations == least_evaluations(n, trace.peak)


def splits_in_the_middle(failure: Failure) -> bool:
    """On the first way up each checkpoint but the last few lies halfway between the one before and the end."""
    n = layers_of(failure)
    saved = [0, *indices(before_the_first(actions_of(failure), "backward"), "save")]
    halves = [abs(2 * (after - before) - (n - before)) <= 1 for before, after in pairwise(saved) if n - before > 2]
    return trace_of(failure) is not None and n > 2 and len(halves) > 1 and all(halves)
