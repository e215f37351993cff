"""Facts about answers of `checkpointing`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from adkit.checks import Failure
from adkit.schedule import least_evaluations

from reference.facts import Facts, multiple, near, numbers
from reference.mistakes.signs import actions_of, before_the_first, indices, layers_of, trace_of

FACTS = Facts()
Actions = list[tuple[str, int]]
Holds = Callable[[int, Actions], bool]


def of_schedule(*names: str) -> Callable[[Holds], Holds]:
    """Enters a fact about a schedule for two layers or more."""

    def enter(holds: Holds) -> Holds:
        def fact(failure: Failure) -> bool:
            n, actions = layers_of(failure), actions_of(failure)
            return n > 1 and bool(actions) and holds(n, actions)

        FACTS.of(*names)(fact)
        return holds

    return enter


# ---------------------------------------- q1 and q2: vanilla and memory-poor


@of_schedule("vanilla_schedule__never_saves")
def _(n: int, actions: Actions) -> bool:
    return not indices(actions, "save")


@of_schedule("vanilla_schedule__last_layer_missing")
def _(n: int, actions: Actions) -> bool:
    return set(indices(actions, "forward")) == set(range(1, n))


@of_schedule("vanilla_schedule__backward_upwards")
def _(n: int, actions: Actions) -> bool:
    backward = indices(actions, "backward")
    return len(backward) > 1 and backward == sorted(backward)


def freed_before_use(actions: Actions, among: Callable[[int], bool]) -> bool:
    """Whether some activation is saved, freed, and not evaluated again before its own backward step."""
    gone = set[int]()
    for action, i in actions:
        if action == "free" and among(i):
            gone.add(i)
        elif action == "forward":
            gone.discard(i)
        elif action == "backward" and i in gone:
            return True
    return False


@of_schedule("vanilla_schedule__frees_too_early")
def _(n: int, actions: Actions) -> bool:
    return freed_before_use(actions, lambda i: True)


def sweeps(actions: Actions) -> list[tuple[list[int], int]]:
    """The evaluations before each backward step, and the step."""
    found: list[tuple[list[int], int]] = []
    forward: list[int] = []
    for action, i in actions:
        if action == "forward":
            forward.append(i)
        elif action == "backward":
            found.append((forward, i))
            forward = []
    return found


@of_schedule("memory_poor_schedule__sweep_one_short")
def _(n: int, actions: Actions) -> bool:
    later = [(forward, i) for forward, i in sweeps(actions) if 1 < i < n]
    return bool(later) and all(forward == list(range(1, i)) for forward, i in later)


@of_schedule("memory_poor_schedule__sweeps_to_the_end")
def _(n: int, actions: Actions) -> bool:
    found = sweeps(actions)
    return len(found) > 1 and all(forward == list(range(1, n + 1)) for forward, _ in found)


@of_schedule("memory_poor_schedule__forward_only_once")
def _(n: int, actions: Actions) -> bool:
    forward = indices(actions, "forward")
    return len(forward) == len(set(forward)) == n and not indices(actions, "save")


@of_schedule("memory_poor_schedule__saves_and_never_frees")
def _(n: int, actions: Actions) -> bool:
    found = sweeps(actions)
    each = all(forward == list(range(1, i + 1)) for forward, i in found)
    return each and bool(indices(actions, "save")) and not indices(actions, "free")


@of_schedule("memory_poor_schedule__extra_sweep")
def _(n: int, actions: Actions) -> bool:
    found = sweeps(actions)
    twice = [*range(1, n + 1), *range(1, n + 1)]
    return bool(found) and found[0][0] == twice and all(f == list(range(1, i + 1)) for f, i in found[1:])


# ---------------------------------------- q3: given checkpoints


def checkpoints_of(failure: Failure) -> list[int]:
    """Those that were handed over."""
    return [int(c) for c in np.asarray(failure.arguments[1], dtype=np.int64)]


@FACTS.of("checkpointed_schedule__never_frees_checkpoints")
def _(failure: Failure) -> bool:
    actions, kept = actions_of(failure), set(checkpoints_of(failure))
    saved, freed = set(indices(actions, "save")), set(indices(actions, "free"))
    return bool(kept & saved) and not kept & freed


@FACTS.of("checkpointed_schedule__frees_too_early")
def _(failure: Failure) -> bool:
    kept = set(checkpoints_of(failure))
    return freed_before_use(actions_of(failure), lambda i: i in kept)


@FACTS.of("checkpointed_schedule__off_by_one")
def _(failure: Failure) -> bool:
    n, kept = layers_of(failure), checkpoints_of(failure)
    saved = indices(before_the_first(actions_of(failure), "backward"), "save")
    below = [c for c in kept if c < n]
    moved = [c - 1 for c in below if c > 1]
    first = [i for i in saved if i < (below[-1] if below else 0)]
    return len(below) > 1 and first == [c for c in moved if c < below[-1]] and below[-1] not in saved


# ---------------------------------------- q4: the square root


def chosen(failure: Failure) -> tuple[int, list[int]]:
    """n, and the checkpoints that were chosen."""
    answer = np.asarray(failure.answer)
    if answer.ndim != 1 or (answer.size and answer.dtype.kind not in "iu"):
        raise ValueError("the answer is not a list of checkpoints")
    return layers_of(failure), [int(c) for c in answer]


Choice = Callable[[int, list[int]], bool]


def of_choice(name: str) -> Callable[[Choice], Choice]:
    """Enters a fact about the checkpoints for ten layers or more."""

    def enter(holds: Choice) -> Choice:
        def fact(failure: Failure) -> bool:
            n, c = chosen(failure)
            return n >= 10 and holds(n, c)

        FACTS.of(f"choose_checkpoints__{name}")(fact)
        return holds

    return enter


@of_choice("all")
def _(n: int, c: list[int]) -> bool:
    return c in (list(range(1, n + 1)), list(range(1, n)))


@of_choice("none")
def _(n: int, c: list[int]) -> bool:
    return not c


@of_choice("at_the_beginning")
def _(n: int, c: list[int]) -> bool:
    return len(c) > 1 and c == list(range(1, len(c) + 1)) and len(c) < n // 2


@of_choice("every_second")
def _(n: int, c: list[int]) -> bool:
    return c in (list(range(2, n + 1, 2)), list(range(1, n + 1, 2)), list(range(2, n, 2)), list(range(1, n, 2)))


@of_choice("halves")
def _(n: int, c: list[int]) -> bool:
    return len(c) == 1 and abs(2 * c[0] - n) <= 2


@of_choice("from_zero")
def _(n: int, c: list[int]) -> bool:
    return len(c) > 1 and c[0] == 0 and all(a < b for a, b in pairwise(c))


# ---------------------------------------- q5: the optimal schedule


def memory_of(failure: Failure) -> int:
    """What is allowed."""
    return int(failure.arguments[1])


@FACTS.of("optimal_schedule__memory_poor_within")
def _(failure: Failure) -> bool:
    n, memory, actions = layers_of(failure), memory_of(failure), actions_of(failure)
    trace = trace_of(failure)
    start = before_the_first(actions, "backward")
    later = indices(actions[len(start) :], "save")
    kept = indices(start, "save")
    if trace is None or later or not 2 < memory < n or not memory - 2 <= len(kept) <= memory:
        return False
    return trace.evaluations > least_evaluations(n, memory) and trace.peak <= memory


@FACTS.of("optimal_schedule__uniform")
def _(failure: Failure) -> bool:
    n, memory, actions = layers_of(failure), memory_of(failure), actions_of(failure)
    trace = trace_of(failure)
    if trace is None or trace.peak > memory or trace.evaluations <= least_evaluations(n, memory):
        return False
    start = before_the_first(actions, "backward")
    if indices(actions[len(start) :], "save"):
        return False  # there are more within the segments
    kept = indices(start, "save")
    while len(kept) > 1 and kept[-1] - kept[-2] == 1:  # the last segment, which may be kept whole
        kept.pop()
    gaps = np.diff([0, *kept])
    return len(gaps) > 2 and int(np.min(gaps)) > 1 and int(np.ptp(gaps)) <= 1


# ---------------------------------------- q6, q7 and q9: networks


def factor(failure: Failure) -> float:
    """By which factor a loss, or the gradients, are wrong; 0 where they are not a multiple of the right ones."""
    return multiple(np.ravel(numbers(failure.answer)), np.ravel(numbers(failure.right)), 1e-7)


def entries_of(failure: Failure) -> tuple[int, int]:
    """How many examples y holds, and how many numbers each of them."""
    y = next(
        np.shape(each) for each in reversed(failure.arguments) if np.ndim(each) == 2 and not isinstance(each, list)
    )
    return int(y[0]), int(y[1])


def of_factor(*names: str) -> Callable[[Callable[[float, int, int], bool]], Any]:
    """Enters a fact about the factor by which a loss or gradients are wrong, the examples and the numbers of each."""

    def enter(holds: Callable[[float, int, int], bool]) -> Callable[[float, int, int], bool]:
        def fact(failure: Failure) -> bool:
            c, (batch, width) = factor(failure), entries_of(failure)
            return c != 0 and holds(c, batch, width)

        FACTS.of(*names)(fact)
        return holds

    return enter


LOSSES = ("checkpointed_loss", "nested_checkpointed_loss")
of_factor("run_schedule__loss_sum", *(f"{loss}__sum" for loss in LOSSES))(
    lambda c, batch, width: batch * width > 1 and any(near(abs(c), k * batch * width, 1e-6) for k in (1.0, 0.5))
)
of_factor("checkpointed_loss__sum_over_entries", "run_schedule__loss_mean_over_examples")(
    lambda c, batch, width: width > 2 and any(near(abs(c), k * width, 1e-6) for k in (1.0, 0.5))
)
of_factor("checkpointed_loss__half")(
    lambda c, batch, width: width > 2 and any(near(c, 0.5 * k, 1e-6) for k in (1, width, batch * width))
)


def of_gradients(name: str, holds: Callable[[float], bool]) -> None:
    """Enters a fact about the factor by which a gradient is wrong; a loss is a single number."""
    FACTS.of(f"run_schedule__{name}")(lambda failure: np.ndim(failure.answer) > 0 and holds(factor(failure)))


of_gradients("factor_two_missing", lambda c: near(abs(c), 0.5, 1e-6))
of_gradients("sign", lambda c: c < 0)

Kept = Callable[[int, list[int], list[int]], bool]


def of_kept(name: str) -> Callable[[Kept], Kept]:
    """Enters a fact about what crosses to the backward pass: of n, the checkpoints below n, and what is kept.

    Where a loss or a gradient is wrong, layers are missing or wrong, and what is kept says nothing of checkpoints.
    """

    def enter(holds: Kept) -> Kept:
        def fact(failure: Failure) -> int:
            if isinstance(failure.right, np.ndarray):
                return -1
            kept = failure.answer[0]
            n, asked = len(failure.arguments[0]), [int(c) for c in failure.arguments[-1]]
            below = [c for c in asked if c < n]
            return isinstance(kept, list) and kept != below and holds(n, below, [int(c) for c in kept])

        FACTS.of(f"checkpointed_loss__{name}")(fact)
        return holds

    return enter


@of_kept("last_segment_kept")
def _(n: int, asked: list[int], kept: list[int]) -> bool:
    last = asked[-1] if asked else 0
    return last < n - 1 and set(range(last + 1, n)) <= set(kept) and len(kept) < n - 1 and set(asked) <= set(kept)


@of_kept("first_segment_kept")
def _(n: int, asked: list[int], kept: list[int]) -> bool:
    first = asked[0] if asked else n
    return first > 1 and set(range(1, first)) <= set(kept) and len(kept) < n - 1 and set(asked) <= set(kept)


@of_kept("one_late")
def _(n: int, asked: list[int], kept: list[int]) -> bool:
    return len(asked) > 1 and kept == [c + 1 for c in asked if c + 1 < n]


@of_kept("one_early")
def _(n: int, asked: list[int], kept: list[int]) -> bool:
    return len(asked) > 1 and kept == [c - 1 for c in asked if c > 1]


@of_kept("last_checkpoint_lost")
def _(n: int, asked: list[int], kept: list[int]) -> bool:
    return len(asked) > 1 and kept == asked[:-1]


@FACTS.of("checkpointed_loss__policy", weak=True)
def _(failure: Failure) -> bool:
    """What is kept is right, and at some time as much is in memory as without checkpoints, two arrays a layer."""
    above, _, products = failure.answer
    n, below = len(failure.arguments[0]), [int(c) for c in failure.arguments[-1] if c < len(failure.arguments[0])]
    longest = max(end - start for start, end in pairwise([0, *below, n]))
    peak = above + len(below) + 2 * longest + 8
    return bool(below) and peak >= 2 * n - 4 and n <= products
