"""Facts of `ad_in_jax` and `checkpointing`: they hold however a mistake is made, and of nothing that looks like it."""

# Written as students write, without annotations:
# pyright: basic

import math
import sys
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit import checks, functions
from adkit.checks import known_mistakes
from wrong_solutions.ad_in_jax import as_vector
from wrong_solutions.checkpointing import binomial_above
from wrong_solutions.variants import ad_in_jax as jax_variants
from wrong_solutions.variants import checkpointing as variants

import reference.checkpointing as right
from autograder.grading import recognition
from reference.facts import UnseenError, facts_of

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

import naming


@pytest.fixture(autouse=True)
def nothing_installed_afterwards():
    yield
    known_mistakes.recogniser = None


def holding(assignment, function, failure):
    """The mistakes of a function of which a fact holds, and those that a fact speaks against, with a minus."""
    found = set()
    for name, fact in facts_of(assignment).items():
        if name.startswith(f"{function}__"):
            try:
                seen = int(fact(failure))
            except UnseenError:
                continue
            except Exception:  # an answer may break a fact
                seen = 0
            if seen:
                found.add(("-" if seen < 0 else "") + name.partition("__")[2])
    return found


def failed(answer, *arguments, right=None, test="", distance=None, accepted=False):
    return checks.Failure(test, 1, answer, True, right=right, arguments=arguments, distance=distance, accepted=accepted)


# ---------------------------------------- schedules that break off


def told(assignment, function, answer):
    recognition.install(assignment)
    lost = naming.lost(assignment, function, answer)
    assert lost
    said = naming.told(assignment, function, lost)
    return {name.partition("__")[2] for case in said.values() for name in case["names"]}


CUT_OFF = {
    "checkpoints": (
        "checkpointed_schedule",
        lambda n, c: right.checkpointed_schedule(n, c)[: 200 if n > 100 else None],
    ),
    "a few actions": ("checkpointed_schedule", lambda n, c: right.checkpointed_schedule(n, c)[:-3] if n > 15 else []),
    "vanilla": ("vanilla_schedule", lambda n: right.vanilla_schedule(n)[: n + n // 2]),
    "vanilla, before the backward steps": ("vanilla_schedule", lambda n: right.vanilla_schedule(n)[: 2 * n]),
}


@pytest.mark.parametrize("words", CUT_OFF)
def test_nothing_is_told_of_what_a_schedule_that_breaks_off_never_does(words):
    function, schedule = CUT_OFF[words]
    assert told("checkpointing", function, schedule) == set()


# ---------------------------------------- schedules


SCHEDULES = [
    ("checkpointed_schedule", (12, [4, 8]), variants.all_but_the_last(12), {"saves_everything"}),
    ("checkpointed_schedule", (6, []), variants.all_but_the_last(6), set()),
    ("checkpointed_schedule", (12, [4, 8]), variants.poor_and_unfreed(12, [4, 8]), {"never_frees_checkpoints"}),
    ("checkpointed_schedule", (12, [4, 8]), variants.freed_at_the_start(12, [4, 8]), {"frees_too_early"}),
    ("memory_poor_schedule", (9,), variants.all_but_the_last(9), {"saves_everything"}),
    ("memory_poor_schedule", (9,), variants.sweep_with_a_saved_top(9), {"forward_only_once"}),
    ("memory_poor_schedule", (9,), variants.sweeps_that_save(9), {"saves_and_never_frees", "saves_everything"}),
    ("memory_poor_schedule", (9,), right.checkpointed_schedule(9, [3, 6]), set()),
    ("vanilla_schedule", (9,), variants.down_to_zero(9), {"off_by_one"}),
    ("vanilla_schedule", (9,), variants.begins_below(9), {"last_layer_missing"}),
    ("vanilla_schedule", (9,), right.vanilla_schedule(8), {"last_layer_missing"}),
    ("vanilla_schedule", (9,), right.vanilla_schedule(7), set()),
    ("optimal_schedule", (40, 6), variants.half_of_the_first(40, 6), {"keeps_the_first"}),
    ("optimal_schedule", (40, 6), variants.last_best_and_lost(40, 6), {"loses_a_place"}),
    ("optimal_schedule", (40, 6), variants.all_but_the_last(40), {"saves_everything"}),
    ("optimal_schedule", (40, 6), right.optimal_schedule(40, 6), set()),
    ("optimal_schedule", (40, 6), right.optimal_schedule(40, 5), set()),
    ("optimal_schedule", (40, 6), variants.floor_of_the_root(40, 6), {"square_root", "uniform"}),
    ("optimal_schedule", (100, 28), right.checkpointed_schedule(100, range(7, 100, 7)), {"uniform"}),
    ("optimal_schedule", (60, 5), binomial_above(0, 60, 5, lambda length, m: (length + 1) // 2), set()),
]


@pytest.mark.parametrize(("function", "arguments", "schedule", "names"), SCHEDULES)
def test_a_schedule_is_read(function, arguments, schedule, names):
    assert holding("checkpointing", function, failed(schedule, *arguments)) == names


@pytest.mark.parametrize("n", [30, 100, 500])
@pytest.mark.parametrize(
    ("choose", "names"),
    [
        (variants.fibonacci, {"at_the_beginning"}),
        (variants.first_half_alone, {"at_the_beginning"}),
        (lambda n: list(range(1, 6)), {"at_the_beginning"}),
        (right.choose_checkpoints, set()),
        (lambda n: [k * k for k in range(1, int(n**0.5) + 1)], set()),
        (lambda n: list(range(3, n + 1, 3)), set()),
        (lambda n: [n // 3, 2 * n // 3], set()),
        (lambda n: list(range(n - 6, n)), set()),
    ],
)
def test_checkpoints_at_the_beginning_are_those_with_a_long_run_above(n, choose, names):
    assert holding("checkpointing", "choose_checkpoints", failed(choose(n), n)) == names


SIZES, COSTS = [2, 2, 3, 6, 5, 2, 2], [12, 5, 1, 3, 8, 8, 12]
CHAINS = [
    (variants.places_of_mean_size(SIZES, COSTS, 10), set()),  # too short a chain to tell
    (variants.size_of_the_next(SIZES, COSTS, 8), {"off_by_one"}),
    (variants.one_for_the_other(SIZES, COSTS, 8), {"exchanged"}),
    (variants.way_not_counted(SIZES, COSTS, 8), {"forgets_the_working_one"}),
    (variants.all_but_the_last(7), {"saves_everything"}),
    (right.memory_poor_schedule(7), {"memory_poor"}),
]


@pytest.mark.parametrize(("schedule", "names"), CHAINS)
def test_a_schedule_of_unequal_layers_is_read(schedule, names):
    assert names <= holding("checkpointing", "optimal_schedule_for", failed(schedule, SIZES, COSTS, 8))


@pytest.mark.parametrize("memory", [8, 10, 14])
def test_a_right_schedule_of_unequal_layers_shows_no_mistake_of_its_own(memory):
    schedule = right.optimal_schedule_for(SIZES, COSTS, memory)
    shown = holding("checkpointing", "optimal_schedule_for", failed(schedule, SIZES, COSTS, memory))
    assert not shown & {"forgets_the_working_one", "saves_everything", "memory_poor"}


# ---------------------------------------- gradients of a network


def a_network(widths, batch):
    random = np.random.default_rng(5)
    params = [(random.normal(size=(a, b)), random.normal(size=b)) for a, b in pairwise(widths)]
    return params, random.normal(size=(batch, widths[0])), random.normal(size=(batch, widths[-1]))


def gradient_failures(run):
    """A failure for each gradient that a run has wrong, as a check would find it first."""
    params, x, y = a_network([3, 4, 4, 5, 3], 6)
    schedule = right.vanilla_schedule(4)
    _, own = run(schedule, params, x, y)
    _, good = right.run_schedule(schedule, params, jnp.asarray(x), jnp.asarray(y))
    for pair, expected in zip(own, good, strict=True):
        for part, wanted in zip(pair, expected, strict=True):
            part, wanted = np.asarray(part), np.asarray(wanted)
            if part.shape != wanted.shape:
                return failed(part, schedule, params, x, y)
            if not np.allclose(part, wanted, rtol=1e-9, atol=0):
                return failed(part, schedule, params, x, y, right=wanted)
    raise AssertionError("it is right")


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (variants.last_slope_missing, {"no_tanh"}),
        (variants.hidden_slopes_missing, {"no_tanh"}),
        (variants.hidden_tanh_twice, {"tanh_of_the_activation"}),
        (variants.turned_and_halved, {"weights_transposed"}),
        (variants.reversed_and_halved, {"last_layer_first"}),
        (variants.halved_means, {"bias_mean"}),
    ],
)
def test_a_gradient_of_a_network_is_read(run, names):
    assert holding("checkpointing", "run_schedule", gradient_failures(run)) == names


def one_minus_a(schedule, params, x, y):
    return variants.with_slopes(schedule, params, x, y, lambda i, a: 1 - a)


def test_another_derivative_of_tanh_is_none_that_is_known():
    assert holding("checkpointing", "run_schedule", gradient_failures(one_minus_a)) == set()


# ---------------------------------------- ad_in_jax


def jax_failure(function, *arguments, right=None, test=""):
    answer = np.asarray(function(*arguments))
    distance = None
    if right is not None:
        right = np.asarray(right)
        distance = float(np.linalg.norm(answer - right) / np.linalg.norm(right)) if np.any(right) else None
    return failed(answer, *arguments, right=right, test=test, distance=distance)


BOWL = functions.LogSumExp(np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, -2.0]]), np.array([0.1, 0.2, -0.3]), 0.2)
POINT, ROWS = np.array([0.3, -0.7]), np.array([[1.0, 2.0], [0.0, 0.0], [-3.0, 0.5]])


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (jax_variants.along_unit_rows, {"normalised"}),
        (jax_variants.last_row_only, {"one_vector_only"}),
        (jax_variants.mean_row, {"rows_added"}),
        (jax_variants.curvature_of_rows, {"curvature"}),
        (lambda f, x, v: v * np.diag(jax.hessian(f)(x)), {"diagonal"}),
    ],
)
def test_products_are_read(function, names):
    expected = ROWS @ np.asarray(jax.hessian(BOWL)(POINT))
    answer = np.asarray(function(BOWL, POINT, ROWS))
    failure = failed(answer, BOWL, POINT, ROWS, right=expected if np.isfinite(answer).all() else None)
    assert holding("ad_in_jax", "hvp", failure) == names


VALLEY = functions.Quadratic(np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]), np.array([1.0, -2.0, 3.0]))


def descent(length, times, momentum=0.0, decay=0.0):
    def newton_cg(f, x0, tolerance):
        x, way = np.asarray(x0, dtype=float), np.zeros(len(x0))
        for k in range(times):
            way = momentum * way - length / (1 + decay * k) * np.asarray(f.A @ x - f.b)
            x = x + way
        return x

    return newton_cg


@pytest.mark.parametrize(
    ("solve", "seen"),
    [
        (descent(0.02, 200), True),
        (descent(0.4, 7), True),
        (descent(0.05, 60, momentum=0.6), False),
        (descent(0.2, 60, decay=0.1), False),
        (lambda f, x0, tolerance: np.asarray(x0), False),
    ],
)
def test_gradient_descent_with_a_fixed_step_is_known_by_what_is_left_along_each_eigenvector(solve, seen):
    x = solve(VALLEY, np.zeros(3), 1e-8)
    assert ("gradient_descent" in holding("ad_in_jax", "newton_cg", failed(x, VALLEY, np.zeros(3), 1e-8))) is seen


def parts_of_newtons_step(part, times):
    def newton_cg(f, x0, tolerance):
        x = np.asarray(x0, dtype=float)
        for _ in range(times):
            x = x - part * np.linalg.solve(np.asarray(f.A), np.asarray(f.A @ x - f.b))
        return x

    return newton_cg


@pytest.mark.parametrize(
    ("solve", "seen"),
    [
        (parts_of_newtons_step(0.5, 1), {"one_step", "-gradient_descent"}),
        (parts_of_newtons_step(0.5, 20), {"-gradient_descent"}),
        (descent(0.05, 60), {"gradient_descent"}),
    ],
)
def test_steps_in_newtons_direction_are_no_gradient_descent_and_many_are_not_one(solve, seen):
    x = solve(VALLEY, np.zeros(3), 1e-8)
    shown = holding("ad_in_jax", "newton_cg", failed(x, VALLEY, np.zeros(3), 1e-8))
    assert shown & {"one_step", "gradient_descent", "-gradient_descent"} == seen


@pytest.mark.parametrize("answer", [jax_variants.push_by_push, jax_variants.four_points])
def test_differences_are_no_sweeps(answer):
    """They take as many multiplications, and their values speak against it."""
    f = functions.TanhMap(np.ones((3, 2)), np.arange(3.0), np.array([[1.0, 2.0, 3.0]]))
    x = np.array([0.1, -0.2])
    expected = np.asarray(jax.jacfwd(as_vector(f))(x))
    shown = holding("ad_in_jax", "jacobian", jax_failure(answer, f, x, right=expected))
    assert ("-always_forward" in shown) is (answer is jax_variants.four_points)


def unit_norm(x):
    return jnp.sum(jnp.abs(x))


def test_a_second_derivative_that_is_zero_is_told_only_where_all_else_is_right():
    assert "norm_held_fixed" not in told("ad_in_jax", "safe_norm", unit_norm)
    assert told("ad_in_jax", "safe_norm", jax_variants.constant_direction) == {"norm_held_fixed", "slope_held_fixed"}


# ---------------------------------------- exceptions


def one_cotangent(f, theta, x0, tolerance):
    """Its backward pass forgets that x0 is an argument, too."""

    @jax.custom_vjp
    def solve(theta, x0):
        return jax_variants.iterate(f, theta, x0, tolerance)

    solve.defvjp(lambda theta, x0: (solve(theta, x0), theta), lambda theta, bar: (jnp.zeros_like(theta),))
    return solve(jnp.asarray(theta), jnp.asarray(x0))


def by_math(x):
    return math.log1p(math.exp(x))


def by_a_missing_key(schedule, params, x, y):
    return {}["loss"]


@pytest.mark.parametrize(
    ("assignment", "function", "answer"),
    [
        ("ad_in_jax", "fixed_point", one_cotangent),
        ("ad_in_jax", "log1pexp", by_math),
        ("checkpointing", "run_schedule", by_a_missing_key),
    ],
)
def test_an_exception_of_another_class_is_not_that_of_a_mistake(assignment, function, answer):
    assert told(assignment, function, answer) == set()


@pytest.mark.parametrize(
    ("function", "kinds", "denied"),
    [
        ("fixed_point__no_rule", ("ValueError", "Exception"), False),
        ("fixed_point__no_rule", ("TypeError", "Exception"), True),
        ("fixed_point__no_rule", ("UntraceableError", "TracerBoolConversionError", "TypeError"), True),
        ("log1pexp__python_if", ("UntraceableError", "TracerBoolConversionError", "TypeError"), False),
        ("log1pexp__python_if", ("UntraceableError", "TracerArrayConversionError", "TypeError"), True),
        ("safe_norm__reverse_rule_only", ("TypeError", "Exception"), False),
        ("safe_norm__reverse_rule_only", ("IndexError", "LookupError"), True),
    ],
)
def test_a_class_speaks_against_a_mistake_that_raises_another(function, kinds, denied):
    failure = checks.Failure("", 1, kinds=kinds)
    assert (facts_of("ad_in_jax")[function](failure) < 0) is denied
