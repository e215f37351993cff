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
from math import isqrt
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from adkit.checks import Failure
from adkit.checks.values import in_single_precision
from adkit.schedule import ScheduleError, Trace, integer, least_evaluations, simulate
from numpy.typing import NDArray

Sign = Callable[[Failure], int]
"""True or positive where the mistake shows, negative where what is seen speaks against it."""
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


# --- matrices -------------------------------------------------------------------------------------------------


def shifted_system(failure: Failure) -> bool:
    """The solution b_bar of (A + t I)^T b_bar = x_bar, for some t: its residual is a multiple of it."""
    A, _, x_bar = (np.asarray(each, dtype=np.float64) for each in failure.arguments)
    b_bar = _floats(failure.answer)
    if b_bar is None or b_bar.shape != x_bar.shape or failure.right is None:
        return False
    residual = x_bar - A.T @ b_bar
    t = float(np.vdot(residual, b_bar) / np.vdot(b_bar, b_bar))
    rest, size = np.linalg.norm(residual - t * b_bar), np.linalg.norm(residual)
    rounding = 1e-13 * np.linalg.norm(A) * np.linalg.norm(b_bar)
    return bool(size > rounding and rest < 1e-2 * size)


def damped_factors(failure: Failure) -> bool:
    """U diag(s / (s + t)) V^T for some small t > 0, where the right answer has ones."""
    U, s, Vt = np.linalg.svd(np.asarray(failure.arguments[0], dtype=np.float64), full_matrices=False)
    answer = _floats(failure.answer)
    if answer is None or answer.shape != (len(U), Vt.shape[1]):
        return False
    inner = U.T @ answer @ Vt.T
    ones = np.diag(inner)
    largest = np.max(ones, initial=0.0)
    there = (ones > 1e-6 * largest) & (1 - ones > 1e-12)
    added = s[there] * (1 / ones[there] - 1)
    apart = np.max(np.abs(inner - np.diag(ones)), initial=0.0)
    alike = added.size > 1 and np.ptp(added) < 1e-2 * np.max(added) < 1e-5
    # where the singular values are alike, whatever the answer is off by is, too
    alike = alike and np.ptp(s[there]) > 1e-2 * np.max(s[there])
    return bool(alike and apart < 1e-6 * largest)


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
        if _is_twice_or_half(failure):
            return False  # whatever the step is, that is not what is wrong
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


def _is_twice_or_half(failure: Failure) -> bool:
    answer, right = np.asarray(failure.answer, dtype=np.float64), np.asarray(failure.right)
    return any(float(np.linalg.norm(answer - c * right)) <= 1e-3 * float(np.linalg.norm(right)) for c in (2.0, 0.5))


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


def of_schedule(holds: Callable[[int, Actions], int]) -> Sign:
    """The sign of a schedule with at least one action, for n layers."""

    def sign(failure: Failure) -> int:
        n, actions = layers_of(failure), actions_of(failure)
        return holds(n, actions) if actions and n > 0 else 0

    return sign


def indices(actions: Actions, name: str) -> list[int]:
    """The indices of all actions of that name, in order."""
    return [i for action, i in actions if action == name]


def before_the_first(actions: Actions, name: str) -> Actions:
    """The actions before the first of that name."""
    names = [action for action, _ in actions]
    return actions[: names.index(name)] if name in names else actions


def runs_to_the_end(n: int, actions: Actions) -> bool:
    """Whether the backward steps go down to the first layer; a schedule that breaks off says little."""
    return min(indices(actions, "backward"), default=n + 1) <= 1


@of_schedule
def evaluates_too_often(n: int, actions: Actions) -> bool:
    """Every layer is evaluated, some of them again."""
    forward = indices(actions, "forward")
    return set(forward) == set(range(1, n + 1)) and len(forward) > n


@of_schedule
def lacks_the_last_layer(n: int, actions: Actions) -> bool:
    """a_1 … a_{n-1} are evaluated, and a_n is not, though the backward steps run to the end."""
    return runs_to_the_end(n, actions) and set(indices(actions, "forward")) == set(range(1, n))


@of_schedule
def keeps_everything(n: int, actions: Actions) -> int:
    """Every activation is saved before the first backward step, and none is freed by then; a schedule that does
    otherwise speaks against it."""
    start = before_the_first(actions, "backward")
    everything = set(indices(start, "save")) == set(range(1, n + 1)) and not indices(start, "free")
    return (1 if everything else -1) if n > 1 else 0


@of_schedule
def frees_nothing(n: int, actions: Actions) -> bool:
    """Something is saved, and nothing is ever freed, though the backward steps run to the end: a schedule that breaks
    off says nothing."""
    return runs_to_the_end(n, actions) and bool(indices(actions, "save")) and not indices(actions, "free")


@of_schedule
def counts_from_zero(n: int, actions: Actions) -> bool:
    """The layers 0 … n - 1 are evaluated."""
    return set(indices(actions, "forward")) == set(range(n))


def distance(failure: Failure) -> int:
    """How far apart checkpoints are that are equally far from each other and from both ends; 0 where they are not."""
    n, chosen = layers_of(failure), [int(c) for c in failure.answer]
    steps = np.diff([*chosen, n + 1 if len(chosen) < 2 else min(n + 1, 2 * chosen[-1] - chosen[-2])])
    apart = int(steps[0]) if len(steps) > 2 and np.ptp(steps[:-1]) == 0 else 0
    return apart if apart > 2 and chosen[0] in (1, apart) and n - chosen[-1] <= apart else 0


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
    """On the way forward all activations are saved, though before the last checkpoint not all of them are asked for."""
    held = _held_checkpoints(failure)
    return keeps_everything(failure) > 0 and max(held, default=0) > len(held)


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


def needs_one_activation_more(failure: Failure) -> int:
    """The peak is one more than allowed; it speaks against it when it is two more, or less than allowed."""
    trace = trace_of(failure)
    if trace is None or trace.peak == _budget(failure):
        return 0
    return 1 if trace.peak == _budget(failure) + 1 else -1


def leaves_memory_unused(failure: Failure) -> int:
    """The peak is below what is allowed, and the evaluations are the fewest for the peak that it has; it speaks against
    it when the peak is above what is allowed."""
    trace, n = trace_of(failure), layers_of(failure)
    if trace is None or trace.peak >= _budget(failure):
        return -1 if trace is not None and trace.peak > _budget(failure) else 0
    return int(trace.evaluations == least_evaluations(n, trace.peak))


def splits_in_the_middle(failure: Failure) -> int:
    """On the first way up each checkpoint but the last few lies halfway between the one before and the end; it speaks
    against it when one does not."""
    n = layers_of(failure)
    saved = [0, *indices(before_the_first(actions_of(failure), "backward"), "save")]
    halves = [abs(2 * (after - before) - (n - before)) <= 1 for before, after in pairwise(saved) if n - before > 2]
    if trace_of(failure) is None or n <= 2 or not halves:
        return 0
    return int(len(halves) > 1) if all(halves) else -1


# --- functions of JAX ---------------------------------------------------------------------------------------------


def _function_of(failure: Failure) -> tuple[Callable[[Any], Any], NDArray[np.float64]] | None:
    """The function that was handed over and the point; None where there is none, or it was not kept."""
    if len(failure.arguments) < 2 or not callable(failure.arguments[0]):
        return None
    return failure.arguments[0], np.asarray(failure.arguments[1], dtype=np.float64)


def _is_one_of(failure: Failure, quotients: Iterator[Any]) -> bool:
    """Whether the answer, which is nearly right, is far nearer to a difference quotient than to the right answer."""
    answer, right = _floats(failure.answer), np.asarray(failure.right, dtype=np.float64)
    if answer is None or failure.distance is None or not 0.0 < failure.distance < 0.1 or answer.shape != right.shape:
        return False
    error = float(np.linalg.norm(np.ravel(answer - right)))
    for quotient in quotients:
        made = np.asarray(quotient, dtype=np.float64)
        if made.shape != answer.shape:
            continue
        if float(np.linalg.norm(np.ravel(made - answer))) < 0.02 * error or _has_error_of(answer, made, right):
            return True
    return False


def _has_error_of(answer: NDArray[np.float64], made: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Whether the error is a multiple of a quotient's with a longer step, in each row where there are several: what
    the step leaves out is in proportion to it, or to its square."""
    own, longer = (np.atleast_2d(each - right) for each in (answer, made))
    if own.ndim != 2 or own.size < 4:
        return False
    whole = [(own.ravel(), longer.ravel())]
    rows = list(zip(own, longer, strict=True)) if own.shape[1] > 3 else whole
    for errors in (whole, rows):
        cosines = [abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b)) for a, b in errors if np.any(b)]
        if cosines and min(cosines) > 0.9999 and np.linalg.norm(own) < np.linalg.norm(longer):
            return True
    return False


def _along(g: Callable[[Any], Any], x: NDArray[np.float64], v: NDArray[np.float64], h: float, side: int) -> Any:
    """The difference quotient of g along v: of both sides where side is 0, of two points on each where it is 2."""
    if side == 0:
        return (g(x + h * v) - g(x - h * v)) / (2 * h)
    if side == 2:
        return (8 * (g(x + h * v) - g(x - h * v)) - (g(x + 2 * h * v) - g(x - 2 * h * v))) / (12 * h)
    return (g(x + side * h * v) - g(x)) / (side * h)


_USUAL_STEPS = (*(10.0**-k for k in range(3, 10)), 2.0**-26, float(np.cbrt(np.finfo(np.float64).eps)))
_OTHER_STEPS = (1e-2, *(c * 10.0**-k for k in range(3, 9) for c in (2.0, 5.0)), 1e-10)


def _ways(*, many: bool) -> list[tuple[float, int]]:
    """The steps and sides of quotients, the usual ones first; other ones as well where `many`."""
    usual = [(h, side) for h in _USUAL_STEPS for side in (1, -1, 0)]
    other = [(h, side) for h in _OTHER_STEPS for side in (1, -1, 0)] + [(h, 2) for h in (1e-1, 1e-2, *_USUAL_STEPS)]
    return usual + (other if many else [])


def difference_of_values(failure: Failure) -> bool:
    """A Jacobian whose columns are difference quotients of f with one of the usual steps, at each x_i the same or in
    proportion to max(1, |x_i|) or 1 + |x_i|."""
    given = _function_of(failure)
    if given is None:
        return False
    f, x = given
    right = np.asarray(failure.right)
    pattern = np.asarray(failure.arguments[2]) if len(failure.arguments) > 2 else np.ones(right.shape, dtype=bool)
    scales = (np.ones(x.size), np.maximum(1.0, np.abs(x)), 1 + np.abs(x))

    def quotients() -> Iterator[Any]:
        for h, side in _ways(many=x.size <= 10):
            for scale in scales if h in _USUAL_STEPS else scales[:1]:
                columns = [_along(f, x, e, h * s, side) for e, s in zip(np.eye(x.size), scale, strict=True)]
                yield np.where(pattern, np.stack([np.atleast_1d(c) for c in columns], axis=1), 0.0)

    return x.size <= 50 and _is_one_of(failure, quotients())


def difference_of_gradients(failure: Failure) -> bool:
    """A Hessian's product that is a difference quotient of the gradient along v, or along v over its length."""
    given = _function_of(failure)
    if given is None or len(failure.arguments) < 3:
        return False
    (f, x), v = given, np.asarray(failure.arguments[2], dtype=np.float64)
    gradient = jax.grad(f)

    def quotients() -> Iterator[Any]:
        for h, side in _ways(many=x.size <= 20):
            for unit in (False, True):
                lengths = [float(np.linalg.norm(row)) or 1.0 if unit else 1.0 for row in np.atleast_2d(v)]
                rows = [_along(gradient, x, row, h / c, side) for row, c in zip(np.atleast_2d(v), lengths, strict=True)]
                yield np.stack(rows).reshape(v.shape)

    return _is_one_of(failure, quotients())


def clipped(failure: Failure) -> bool:
    """Values of log(1 + e^x) at points that were moved to the ends of an interval."""
    x, answer = np.asarray(failure.arguments[0], dtype=np.float64), _floats(failure.answer)
    right = np.logaddexp(0.0, x)
    if answer is None or answer.shape != x.shape or not np.allclose(failure.right, right, rtol=1e-9, atol=0):
        return False
    wrong = np.abs(answer - right) > 1e-11 * right
    for side in (x > 0, x < 0):
        ends = answer[wrong & side]
        if ends.size and (np.ptp(ends) > 1e-12 * ends[0] or not np.all(np.abs(x[wrong & side]) >= _inverse(ends[0]))):
            return False
    return bool(np.count_nonzero(wrong) > 1)


def _inverse(value: float) -> float:
    """The size of x with log(1 + e^x) = value, a little less."""
    return float(abs(value + np.log(-np.expm1(-value)))) * (1 - 1e-9)


def shifted_root(failure: Failure) -> bool:
    """Norms whose squares are all too large by the same small number."""
    numbers, right = _floats(failure.answer), np.ravel(np.asarray(failure.right, dtype=np.float64))
    answer = np.ravel(np.zeros(0) if numbers is None else numbers)
    if answer.size != right.size or np.unique(right).size < 2 or not np.all(np.isfinite(answer)):
        return False
    added = answer**2 - right**2
    rounding = 1e-15 * np.max(right) ** 2
    return bool(rounding < np.min(added) and np.max(added) < 1e-3 and np.ptp(added) < 1e-3 * np.max(added) + rounding)


def equation_of(
    failure: Failure,
) -> tuple[Any, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """f, theta, x0 and the fixed point; None where f was not kept."""
    if len(failure.arguments) < 4 or not callable(failure.arguments[0]):
        return None
    f, theta = failure.arguments[0], np.asarray(failure.arguments[1], dtype=np.float64)
    x0 = np.asarray(failure.arguments[-2], dtype=np.float64)
    return f, theta, x0, np.asarray(_turned(f, theta, x0, 4000)[-1])


def _turned(f: Any, theta: Any, x0: Any, times: int) -> Any:
    """f(x, theta) again and again, from x0."""

    def turn(x: Any, _: Any) -> tuple[Any, Any]:
        return (f(x, theta),) * 2

    return jax.lax.scan(turn, jnp.asarray(x0), None, length=times)[1]


def terms_of_the_series(failure: Failure) -> int:
    """How many terms of x_bar + J^T x_bar + (J^T)^2 x_bar + … make the cotangent of theta that was answered; 0 where
    none do."""
    found, answer = equation_of(failure), _floats(failure.answer)
    if found is None or answer is None or failure.right is None or len(failure.arguments) < 5:
        return 0
    f, theta, _, x = found
    x_bar = failure.arguments[2]
    if np.shape(x_bar) != x.shape or np.shape(answer) != theta.shape or np.shape(failure.right) != theta.shape:
        return 0
    _, pull = jax.vjp(f, x, theta)
    error, size = np.asarray(failure.right) - answer, float(np.linalg.norm(np.ravel(answer - failure.right)))

    def term(w: Any, _: Any) -> tuple[Any, Any]:
        pulled, of_theta = pull(w)
        return pulled, of_theta

    _, parts = jax.lax.scan(term, jnp.asarray(x_bar), None, length=1000)
    sums = np.cumsum(np.asarray(parts), axis=0)
    missed = np.linalg.norm((np.asarray(failure.right) - sums - error).reshape(len(sums), -1), axis=1)
    nearest = int(np.argmin(missed))
    return nearest + 1 if missed[nearest] < 1e-4 * size else 0


def series_broken_off(failure: Failure) -> bool:
    """The cotangent of theta is made of a few terms of the series for (I - J)^-T, two at least."""
    return terms_of_the_series(failure) > 1


def turns(failure: Failure) -> int:
    """After how many turns from x0 the iteration is where the answer is, which is not the fixed point yet, or how
    many turns the derivative goes through; 0 where that does not show."""
    found, answer = equation_of(failure), _floats(failure.answer)
    if found is None or answer is None:
        return 0
    if failure.right is not None:
        return terms_of_the_series(failure)
    f, theta, x0, x = found
    if answer.shape != x.shape:
        return 0
    far = np.linalg.norm(np.asarray(_turned(f, theta, x0, 2000)) - answer, axis=1)
    nearest = int(np.argmin(far))
    reached = far[nearest] <= 1e-6 * float(np.linalg.norm(answer - x))
    return nearest + 1 if reached and np.linalg.norm(answer - x) > 1e-9 * np.linalg.norm(x) else 0


# --- networks -----------------------------------------------------------------------------------------------------


def keeps_every_root(failure: Failure) -> int:
    """Of a loss with checkpoints others are kept than those asked for, at distances of about the root of n; it speaks
    against it when they are elsewhere.

    The answer holds what is kept, how much else, and the matrix products of the backward pass.
    """
    kept, unexplained, _ = failure.answer
    params, checkpoints = failure.arguments[0], failure.arguments[-1]
    n = len(params)
    if not isinstance(kept, list) or unexplained or kept == [c for c in checkpoints if c < n]:
        return 0
    near = (isqrt(n), isqrt(n - 1) + 1)
    return 1 if any(kept == list(range(distance, n, distance)) for distance in near) else -1


def wraps_the_segments_as_a_whole(failure: Failure) -> bool:
    """Of a loss with checkpoints nothing is kept, and its backward pass evaluates the layers up to the last checkpoint
    once more than each segment.

    The answer holds what is kept, how much else, and the matrix products of the backward pass: two a layer, and one for
    each evaluation.
    """
    kept, unexplained, products = failure.answer
    params, _, _, _, checkpoints = failure.arguments
    last = max([c for c in checkpoints if c < len(params)], default=0)
    return bool(kept == [] and not unexplained and last > 0 and products == 3 * len(params) + last)


def evaluates_each_layer_twice(failure: Failure) -> bool:
    """A loss whose peak is below that without checkpoints, two arrays a layer, and which evaluates each layer twice:
    the answer holds by how much the peak is too large, and the matrix products in all (two a layer for the backward
    pass, and one for each evaluation)."""
    above, products = failure.answer
    layers = len(failure.arguments[0])
    peak = above + 2 * (layers - 1).bit_length() + 4
    return peak < 2 * layers and 4 * layers - layers // 4 <= products <= 4 * layers + 8
