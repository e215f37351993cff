"""Facts about answers of `checkpointing`."""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: basic

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from adkit.checks import Failure
from adkit.checks.residuals import activations
from adkit.checks.runs import evaluations_in_use
from adkit.schedule import ScheduleError, Trace, least_evaluations, simulate

from reference.checkpointing import optimal_schedule_for
from reference.facts import Array, Facts, UnseenError, multiple, near, numbers
from reference.mistakes import catalogue
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


def keeps_all_that_it_needs(n: int, actions: Actions) -> bool:
    """Whether all activations are saved before the first backward step, and none is freed by then; the last one, which
    is at hand there, need not be saved."""
    start = before_the_first(actions, "backward")
    return n > 2 and set(indices(start, "save")) >= set(range(1, n)) and not indices(start, "free")


# ---------------------------------------- q1 and q2: vanilla and memory-poor


@of_schedule("vanilla_schedule__never_saves")
def _(n: int, actions: Actions) -> bool:
    return not indices(actions, "save")


@of_schedule("vanilla_schedule__off_by_one")
def _(n: int, actions: Actions) -> bool:
    return any(set(indices(actions, name)) == set(range(n)) for name in ("forward", "backward"))


@of_schedule("vanilla_schedule__last_layer_missing")
def _(n: int, actions: Actions) -> bool:
    """It is not evaluated, or has no backward step; the others have theirs."""
    forward, backward = (set(indices(actions, name)) for name in ("forward", "backward"))
    without = set(range(1, n))
    return 1 in backward and (forward == without or (n > 2 and backward == without))


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


@of_schedule("memory_poor_schedule__saves_everything")
def _(n: int, actions: Actions) -> bool:
    return keeps_all_that_it_needs(n, actions)


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
    return len(forward) == len(set(forward)) == n and set(indices(actions, "save")) <= {n}


@of_schedule("memory_poor_schedule__saves_and_never_frees")
def _(n: int, actions: Actions) -> bool:
    found = sweeps(actions)
    each = bool(found) and found[-1][1] == 1 and all(forward == list(range(1, i + 1)) for forward, i in found)
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
    """The backward steps run to the end, and no checkpoint is freed."""
    actions, kept = actions_of(failure), set(checkpoints_of(failure))
    saved, freed = set(indices(actions, "save")), set(indices(actions, "free"))
    ends = set(indices(actions, "backward")) >= set(range(1, layers_of(failure) + 1))
    return ends and bool(kept & saved) and not kept & freed


@FACTS.of("checkpointed_schedule__saves_everything")
def _(failure: Failure) -> bool:
    kept = checkpoints_of(failure)
    return max(kept, default=0) > len(kept) and keeps_all_that_it_needs(layers_of(failure), actions_of(failure))


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
    return len(below) > 1 and first == moved and first != below[:-1]


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
    """Two thirds of them lie in the first third of the chain, or all in the first half, and a run above is twice as
    long as the mean."""
    if len(c) < 2 or c[0] < 1 or c[-1] > n or any(b <= a for a, b in pairwise(c)):
        return False
    bounds = [0, *c, n + 1]
    longest = max(range(len(c) + 1), key=lambda k: bounds[k + 1] - bounds[k])
    low = 2 * c[-1] <= n or 3 * sum(3 * i <= n for i in c) >= 2 * len(c)
    long = (bounds[longest + 1] - bounds[longest]) * (len(c) + 1) >= 2 * (n + 1)
    return low and long and 3 * bounds[longest + 1] > n


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


@FACTS.of("optimal_schedule__saves_everything")
def _(failure: Failure) -> bool:
    n = layers_of(failure)
    # with a little more memory it would be right: then it says nothing
    return 3 * memory_of(failure) <= n and keeps_all_that_it_needs(n, actions_of(failure))


@FACTS.of("optimal_schedule__memory_poor_within")
def _(failure: Failure) -> bool:
    n, memory, actions = layers_of(failure), memory_of(failure), actions_of(failure)
    trace = trace_of(failure)
    start = before_the_first(actions, "backward")
    later = indices(actions[len(start) :], "save")
    kept = indices(start, "save")
    if trace is None or later or not 2 < memory < n or not memory - 2 <= len(kept) <= memory:
        return False
    if trace.peak > memory or trace.evaluations <= least_evaluations(n, memory):
        return False
    # a way up that begins elsewhere, or goes further, is another mistake
    below = {i: max((c for c in kept if c <= i), default=0) for i in range(1, n)}
    return all(forward == list(range(below[i] + 1, i + 1)) for forward, i in sweeps(actions) if 0 < i < n)


@FACTS.of("optimal_schedule__keeps_the_first")
def _(failure: Failure) -> bool:
    """a_1 … a_k are saved, nothing else is, and every activation above is evaluated again from a_k."""
    n, actions = layers_of(failure), actions_of(failure)
    start = before_the_first(actions, "backward")
    kept, later = indices(start, "save"), indices(actions[len(start) :], "save")
    k = len(kept)
    if trace_of(failure) is None or later or not 1 < k < n - 2 or kept != list(range(1, k + 1)):
        return False
    return all(forward == list(range(k + 1, i + 1)) for forward, i in sweeps(actions) if k < i < n)


def most_evaluations(n: int, trace: Trace) -> int:
    """How often the layer is evaluated that is evaluated most often."""
    forward = np.array([i for name, i in trace.schedule if name == "forward"])
    return int(np.max(np.bincount(forward, minlength=n + 1)))


def regular_distance(n: int, actions: Actions) -> tuple[int, int] | None:
    """The least and the largest distance of what is saved on the first way up, but for a last segment that may be kept
    whole; None where that are fewer than three, and where the last segment is longer."""
    kept = indices(before_the_first(actions, "backward"), "save")
    while len(kept) > 1 and kept[-1] - kept[-2] == 1:
        kept.pop()
    gaps = np.diff([0, *kept])
    if len(gaps) < 3 or n - kept[-1] > np.max(gaps) + 1:
        return None
    return int(np.min(gaps)), int(np.max(gaps))


@FACTS.of("optimal_schedule__uniform")
def _(failure: Failure) -> bool:
    """One level of checkpoints at equal distances."""
    n, memory, actions = layers_of(failure), memory_of(failure), actions_of(failure)
    trace, distance = trace_of(failure), regular_distance(n, actions)
    if trace is None or distance is None:
        return False
    if trace.peak <= memory and trace.evaluations <= least_evaluations(n, memory):
        return False
    later = indices(actions[len(before_the_first(actions, "backward")) :], "save")
    if later and most_evaluations(n, trace) > 2:
        return False  # there are more within the segments
    return distance[0] > 1 and distance[1] - distance[0] <= 1


@FACTS.of("optimal_schedule__square_root", weak=True)
def _(failure: Failure) -> bool:
    """One level of checkpoints at the distance sqrt(n), whatever the memory is."""
    n, trace = layers_of(failure), trace_of(failure)
    distance = regular_distance(n, actions_of(failure))
    if n < 16:
        raise UnseenError("in so short a chain there are too few checkpoints")
    if trace is None or distance is None or most_evaluations(n, trace) > 2:
        return False
    return distance[0] == distance[1] and abs(distance[0] - n**0.5) < 1.01


@FACTS.of("optimal_schedule__loses_a_place")
def _(failure: Failure) -> bool:
    """Below each checkpoint that has been used, as long as that is worth it, a place stays empty."""
    n, memory, trace = layers_of(failure), memory_of(failure), trace_of(failure)
    if trace is None or trace.peak != memory or n > 300:
        return False
    saved, emptied = set[int](), list[bool]()
    step_of = {i: position for position, (name, i) in enumerate(trace.schedule) if name == "backward"}
    for position, (name, i) in enumerate(trace.schedule):
        if name == "save":
            saved.add(i)
        elif name == "free":
            saved.discard(i)
            below = [c for c in saved if c < i]
            length, places = i - 1 - max(below, default=0), memory - len(below)
            if len(below) < len(saved) or not 1 < places <= length or position < step_of[i]:
                continue
            end = step_of[max(below)] if below else len(trace.schedule)
            used = max(trace.memory[position + 1 : end]) - len(below)
            evaluations = sum(name == "forward" for name, _ in trace.schedule[position + 1 : end])
            emptied.append(used < places and evaluations > least_evaluations(length, places))
    return bool(emptied) and all(emptied)


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


def of_gradients(name: str, holds: Callable[[float, Failure], bool]) -> None:
    """Enters a fact about the factor by which a gradient is wrong; a loss is a single number."""
    FACTS.of(f"run_schedule__{name}")(lambda failure: np.ndim(failure.answer) > 0 and holds(factor(failure), failure))


def divided_by_the_examples(c: float, failure: Failure) -> bool:
    """Too large by the numbers of an example, or half of that."""
    width = entries_of(failure)[1]
    return width > 2 and any(near(abs(c), k * width, 1e-6) for k in (1.0, 0.5))


def averaged_over_the_batch(c: float, failure: Failure) -> bool:
    """The bias of a layer whose weights are right: they are compared first."""
    batch = entries_of(failure)[0]
    return batch > 1 and np.ndim(failure.answer) == 1 and np.size(failure.answer) > 1 and near(c, 1 / batch, 1e-6)


of_gradients("factor_two_missing", lambda c, failure: near(abs(c), 0.5, 1e-6))
of_gradients("sign", lambda c, failure: c < 0)
of_gradients("mean_over_examples", divided_by_the_examples)
of_gradients("bias_mean", averaged_over_the_batch)

Slope = Callable[[Array], Array]


def gradients_with(failure: Failure, slope: Slope, at: set[int], *, turned: bool = True) -> list[tuple[Array, Array]]:
    """The gradients of a network, with another derivative of tanh, as a function of the activation, at some layers.

    turned: whether what goes down is multiplied with the transpose of the weights, or with themselves where they are
    square.
    """
    params, x, y = failure.arguments[1:4]
    chain = activations(params, x)
    bar, found = 2 * (chain[-1] - y) / np.size(y), list[tuple[Array, Array]]()
    for i in range(len(params), 0, -1):
        d = bar * (slope(chain[i]) if i in at else 1 - chain[i] ** 2)
        W = np.asarray(params[i - 1][0])
        found.insert(0, (chain[i - 1].T @ d, d.sum(axis=0)))
        bar = d @ (W.T if turned or W.shape[0] != W.shape[1] else W)
    return found


def is_a_part(failure: Failure, gradients: list[tuple[Array, Array]]) -> bool:
    """Whether the answer is a multiple of one of these gradients, and of none that is right; a number is one of all."""
    answer, right = numbers(failure.answer), gradients_with(failure, np.zeros_like, set())
    if answer.size < 2 or any(multiple(answer, part, 1e-7) for pair in right for part in pair):
        return False
    return any(multiple(answer, part, 1e-7) for pair in gradients for part in pair)


def of_slope(name: str, slope: Slope) -> None:
    """Enters the fact that the derivative of tanh is this one: everywhere, or in the last layer or the first, or in all
    others."""

    @FACTS.of(f"run_schedule__{name}")
    def _(failure: Failure) -> bool:
        n = len(failure.arguments[1])
        every = set(range(1, n + 1))
        some = (every, {n}, {1}, every - {n}, every - {1})
        return any(is_a_part(failure, gradients_with(failure, slope, at)) for at in some if at)


of_slope("no_tanh", np.ones_like)
of_slope("tanh_of_the_activation", lambda a: 1 - np.tanh(a) ** 2)


@FACTS.of("run_schedule__no_weights")
def _(failure: Failure) -> int:
    """W in the place of W^T: where W is not square the product raises an error of shapes, and no other."""
    if not failure.answered and failure.kinds:
        return 0 if failure.kinds[0] in ("TypeError", "ValueError") else -1
    return is_a_part(failure, gradients_with(failure, np.zeros_like, set(), turned=False))


@FACTS.of("run_schedule__weights_transposed")
def _(failure: Failure) -> bool:
    answer, right = numbers(failure.answer), gradients_with(failure, np.zeros_like, set())
    if answer.ndim != 2 or min(answer.shape) < 2 or any(multiple(answer, W, 1e-7) for W, _ in right):
        return False
    return any(multiple(answer, W.T, 1e-7) for W, _ in right)


@FACTS.of("run_schedule__last_layer_first")
def _(failure: Failure) -> bool:
    """In the place of the first layer's gradient, which is compared first, is the last one's."""
    answer, right = numbers(failure.answer), gradients_with(failure, np.zeros_like, set())
    if len(right) < 2 or answer.size < 2 or multiple(answer, right[0][0], 1e-7):
        return False
    return multiple(answer, right[-1][0], 1e-7) != 0


@FACTS.of("run_schedule__first_layer_missing")
def _(failure: Failure) -> bool:
    """There is a pair too few, and those that are there begin with the second layer, or end with it."""
    _, pairs = failure.answer
    right = gradients_with(failure, np.zeros_like, set())
    if len(pairs) != len(right) - 1 or not pairs:
        return False
    return any(multiple(pairs[k][0], right[1][0], 1e-7) != 0 for k in (0, -1))


@FACTS.of("run_schedule__keeps_every_activation")
def _(failure: Failure) -> bool:
    """The products are those of a run in which each layer is evaluated once."""
    schedule, params = failure.arguments[:2]
    _, less = failure.answer
    if not isinstance(less, int):
        return False
    needed = evaluations_in_use(len(params), schedule)
    return needed > len(params) + 1 >= needed + less


class Crosses(NamedTuple):
    """What crosses to the backward pass of a loss."""

    n: int
    asked: list[int]
    """The checkpoints below n."""
    kept: list[int]
    strange: int
    """How many arrays as large as activations cross that are none."""
    products: int
    """Matrix products of the backward pass: two a layer, and one for each evaluation."""

    @property
    def recomputes_once(self) -> bool:
        """Whether the backward pass evaluates each layer once."""
        return 3 * self.n - 2 <= self.products <= 3 * self.n + 3

    @property
    def keeps_all(self) -> bool:
        """Whether every activation crosses."""
        return self.kept == list(range(1, self.n))

    @property
    def spares_some(self) -> bool:
        """Whether some activation before the last checkpoint is not to be kept."""
        return bool(self.asked) and self.asked[-1] > len(self.asked)


def of_kept(name: str) -> Callable[[Callable[[Crosses], bool]], Callable[[Crosses], bool]]:
    """Enters a fact about what crosses to the backward pass.

    Where a loss or a gradient is wrong otherwise than by a factor, layers are missing or wrong, and what is kept says
    nothing of checkpoints.
    """

    def enter(holds: Callable[[Crosses], bool]) -> Callable[[Crosses], bool]:
        def fact(failure: Failure) -> int:
            if isinstance(failure.right, np.ndarray):
                return 0 if is_a_factor(failure) else -1
            if len(failure.answer) != 3 or not isinstance(failure.answer[0], list):
                return 0
            kept, strange, products = failure.answer
            n = len(failure.arguments[0])
            asked = [int(c) for c in failure.arguments[-1] if c < n]
            kept = [int(c) for c in kept]
            return (kept != asked or strange > 0) and holds(Crosses(n, asked, kept, strange, products))

        FACTS.of(f"checkpointed_loss__{name}")(fact)
        return holds

    return enter


def is_a_factor(failure: Failure) -> bool:
    """Whether a loss or a gradient is wrong by a factor that a loss of the right network can have."""
    batch, width = entries_of(failure)
    c = abs(factor(failure))
    if np.size(failure.right) > 1:
        return c != 0
    return any(near(c, k * size, 1e-6) for k in (0.5, 1.0, 2.0) for size in (1, width, batch, batch * width))


@of_kept("whole_network")
def _(of: Crosses) -> bool:
    return bool(of.asked) and not of.kept and not of.strange and of.recomputes_once


@of_kept("no_checkpoint")
def _(of: Crosses) -> bool:
    """Nothing is evaluated again."""
    return of.n > 4 and of.spares_some and of.keeps_all and of.products <= 2 * of.n + 3


@of_kept("every_layer")
def _(of: Crosses) -> bool:
    return of.spares_some and of.keeps_all and not of.strange and of.recomputes_once


@of_kept("last_segment_kept")
def _(of: Crosses) -> bool:
    last = of.asked[-1] if of.asked else 0
    there = set(range(last + 1, of.n)) | set(of.asked) <= set(of.kept)
    return last < of.n - 1 and there and len(of.kept) < of.n - 1


@of_kept("first_segment_kept")
def _(of: Crosses) -> bool:
    first = of.asked[0] if of.asked else of.n
    there = set(range(1, first)) | set(of.asked) <= set(of.kept)
    return first > 1 and there and len(of.kept) < of.n - 1


@of_kept("one_late")
def _(of: Crosses) -> bool:
    return len(of.asked) > 1 and of.kept == [c + 1 for c in of.asked if c + 1 < of.n]


@of_kept("one_early")
def _(of: Crosses) -> bool:
    return len(of.asked) > 1 and of.kept == [c - 1 for c in of.asked if c > 1]


@of_kept("last_checkpoint_lost")
def _(of: Crosses) -> bool:
    return len(of.asked) > 1 and of.kept == of.asked[:-1]


@FACTS.of("checkpointed_loss__nested")
def _(failure: Failure) -> bool:
    """The backward pass evaluates layers again and again, with the right checkpoints or with none."""
    n = len(failure.arguments[0])
    if len(failure.answer) == 1:
        return 3 * int(failure.answer[0]) > n
    kept, strange, products = failure.answer
    return kept == [] and not strange and int(products) > 3 * n + 3


@FACTS.of("checkpointed_loss__policy", weak=True)
def _(failure: Failure) -> bool:
    """What is kept is right, and at some time as much is in memory as without checkpoints, two arrays a layer."""
    above, _, products = failure.answer
    n, below = len(failure.arguments[0]), [int(c) for c in failure.arguments[-1] if c < len(failure.arguments[0])]
    longest = max(end - start for start, end in pairwise([0, *below, n]))
    peak = above + len(below) + 2 * longest + 8
    return bool(below) and peak >= 2 * n - 4 and n <= products


def levels(n: int) -> int:
    """ceil(log2 n)."""
    return (n - 1).bit_length()


@FACTS.of("nested_checkpointed_loss__no_checkpoint")
def _(failure: Failure) -> bool:
    """A pass up and a pass down have three products a layer: nothing is evaluated again."""
    _, products = failure.answer
    return products <= 3 * len(failure.arguments[0]) + 2


@FACTS.of("nested_checkpointed_loss__whole_network")
def _(failure: Failure) -> bool:
    """Each layer is evaluated twice, and as much is in memory at some time as without checkpoints."""
    above, products = failure.answer
    n = len(failure.arguments[0])
    return above + 2 * levels(n) + 4 >= 2 * n - 4 and 4 * n - 3 <= products <= 4 * n + 3


@FACTS.of("nested_checkpointed_loss__one_off_the_end")
def _(failure: Failure) -> bool:
    """The first layer is evaluated n times, the second n - 1 times, and so on."""
    (more,) = failure.answer
    n = len(failure.arguments[0])
    return n > 30 and abs(more + n * (3 + levels(n)) - n * n / 2) <= 4 * n


# ---------------------------------------- q8: unequal layers


class Chain(NamedTuple):
    """What was asked, and the schedule that was answered."""

    sizes: list[int]
    costs: list[int]
    memory: int
    actions: Actions

    def trace(self, sizes: list[int], costs: list[int]) -> Trace | None:
        """What the schedule does with these; None where it is not legal."""
        try:
            return simulate(len(self.sizes), self.actions, sizes, costs)
        except ScheduleError:
            return None

    def is_cheapest(self, sizes: list[int], costs: list[int], memory: int) -> bool:
        """Whether it would be right for these."""
        trace = self.trace(sizes, costs)
        if trace is None or trace.peak > memory or memory < max(sizes):
            return False
        return trace.cost <= sum(costs[i - 1] for i in indices(optimal_schedule_for(sizes, costs, memory), "forward"))


def of_chain(name: str, *, weak: bool = False) -> Callable[[Callable[[Chain], bool]], Callable[[Chain], bool]]:
    """Enters a fact about a schedule for a chain of unequal layers."""

    def enter(holds: Callable[[Chain], bool]) -> Callable[[Chain], bool]:
        def fact(failure: Failure) -> bool:
            sizes, costs, memory = failure.arguments
            if failure.accepted or len(set(sizes)) == 1:
                raise UnseenError("no schedule was asked for, or one of layers that are alike")
            chain = Chain([int(s) for s in sizes], [int(c) for c in costs], int(memory), actions_of(failure))
            return len(chain.sizes) > 2 and bool(chain.actions) and holds(chain)

        FACTS.of(f"optimal_schedule_for__{name}", weak=weak)(fact)
        return holds

    return enter


@of_chain("saves_everything")
def _(of: Chain) -> bool:
    return sum(of.sizes) >= 2 * of.memory and keeps_all_that_it_needs(len(of.sizes), of.actions)


@of_chain("memory_poor")
def _(of: Chain) -> bool:
    return not indices(of.actions, "save") and of.trace(of.sizes, of.costs) is not None


@of_chain("ignores_sizes", weak=True)
def _(of: Chain) -> bool:
    """It is the best one for as many activations as it has in memory, were they alike."""
    n = len(of.sizes)
    ones = [1] * n
    trace = of.trace(ones, ones)
    if trace is None:
        return False
    if not 2 <= trace.peak <= n // 4:
        raise UnseenError("where many of them fit, many schedules are that good")
    fewest = trace.evaluations == least_evaluations(n, trace.peak)
    return fewest or of.is_cheapest(ones, of.costs, trace.peak)


@of_chain("exchanged", weak=True)
def _(of: Chain) -> bool:
    return of.is_cheapest(of.costs, of.sizes, max(of.memory, *of.costs))


@of_chain("off_by_one", weak=True)
def _(of: Chain) -> bool:
    """It is the best one with the sizes, and perhaps the costs, of the layers above."""
    above = [[*of.sizes[1:], last] for last in (of.sizes[0], of.sizes[-1])]
    costs = [of.costs, *([*of.costs[1:], last] for last in (of.costs[0], of.costs[-1]))]
    return any(of.is_cheapest(sizes, each, of.memory) for sizes in above for each in costs)


@of_chain("forgets_the_working_one", weak=True)
def _(of: Chain) -> bool:
    """What is saved fits, the working activation beside it does not, and no schedule of that kind is cheaper."""
    trace = of.trace(of.sizes, of.costs)
    if trace is None or trace.peak <= of.memory:
        return False
    if any(sum(of.sizes[i - 1] for i in state.saved) > of.memory for state in trace.states()):
        return False
    name = "forgets_the_working_one"
    own = next(m for m in catalogue("checkpointing") if (m.function, m.name) == ("optimal_schedule_for", name))
    schedule = own.implementation(of.sizes, of.costs, of.memory)
    return trace.cost <= sum(of.costs[i - 1] for i in indices(schedule, "forward"))
