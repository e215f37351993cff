"""Known mistakes made otherwise than in the catalogue, or two at once: what the answer shows is told, and is true."""

# Written as students write, without annotations:
# pyright: basic

import math
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit.checks import known_mistakes
from wrong_solutions.ad_in_jax import as_vector, coloured, trace_inverse
from wrong_solutions.ad_modes import PARTIALS, forward, reverse, values_of
from wrong_solutions.checkpointing import checkpointed, executed
from wrong_solutions.matrix_gradients import outer, solved

from autograder.grading import recognition
from reference.matrix_gradients import numerical_gradient

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

import naming


@pytest.fixture(autouse=True)
def nothing_installed_afterwards():
    yield
    known_mistakes.recogniser = None


def unit_tangents(x1, x2, dx1, dx2):
    v4, t4 = math.sin(x1), math.cos(x1)
    return [(x1, 1.0), (x2, 1.0), (x1 * x2, x1 + x2), (v4, t4), (x1 * x2 + v4, x1 + x2 + t4)]


def partial_of_add(op, args):
    if op == "add":
        first, second = args
        return (first / first, second / second)
    if op in ("input", "const"):
        return ()
    if op not in PARTIALS:
        raise ValueError(op)
    return PARTIALS[op](*args)


def by_the_largest(graph, x, x_dot):
    largest = float(np.max(np.abs(x_dot))) or 1.0
    values, tangents = forward(graph, x, np.asarray(x_dot) / largest)
    return [values[i] for i in graph.outputs], [tangents[i] for i in graph.outputs]


def last_output_only(graph, x, y_bar):
    alone = [0.0] * len(y_bar)
    alone[-1] = float(y_bar[-1])
    values = values_of(graph, x)
    return [values[i] for i in graph.outputs], reverse(graph, x, alone)[1]


def transposed_with_plus(A, B, X):
    Y = np.linalg.inv(X)
    return Y @ B @ A @ Y


def divided_by_the_cube(x):
    r = np.linalg.norm(x)
    return np.outer(x, x) / r**3 + r * np.eye(len(x)) if r else np.zeros((len(x), len(x)))


def transposed_without_minus(A, b, x_bar):
    x, b_bar = solved(A, b, x_bar)
    return outer(x, b_bar), b_bar


def within_four_per_cent(f, grad_f, x):
    g, m = np.asarray(grad_f(x), dtype=float), numerical_gradient(f, np.array(x, dtype=float))
    return g.shape == m.shape and bool(np.max(np.abs(g - m)) <= 0.04 * np.max(np.abs(m)))


def svd_of_u_alone(U, s, Vt, U_bar, s_bar, Vt_bar):
    gap = s[None, :] ** 2 - s[:, None] ** 2
    off = ~np.eye(len(s), dtype=bool)
    F = np.where(off, -1 / np.where(off, gap, 1.0), 0.0)  # the wrong sign, and no s_bar
    P, Q = U.T @ U_bar, Vt @ Vt_bar.T
    inner = F * (P - P.T) * s + s[:, None] * (F * (Q - Q.T))
    return U @ inner @ Vt + (U_bar - U @ P) / s @ Vt + U @ ((Vt_bar - Q.T @ Vt) / s[:, None])


def never_saved(n):
    up = [("forward", i) for i in range(1, n + 1)]
    return up + [(action, i) for i in range(n, 0, -1) for action in ("backward", "free")]


def upwards(n):
    up = [(action, i) for i in range(1, n + 1) for action in ("forward", "save")]
    return up + [("backward", i) for i in range(1, n + 1)] + [("free", i) for i in range(1, n + 1)]


def nothing_freed(n, checkpoints):
    return [(action, i) for action, i in checkpointed(n, checkpoints) if action != "free"]


def half_and_negative(schedule, params, x, y):
    return executed(schedule, params, x, y, factor=1.0, minus=True)


def both_signs(A, B, X):
    f = lambda X: trace_inverse(A, B, X)  # noqa: E731
    return -jax.grad(f)(X).T, jax.hessian(f)(X)


def one_row_of_sums(f, x):
    y, pull = jax.vjp(as_vector(f), x)
    return pull(jnp.ones_like(y))[0][None, :]


def three_colours(f, x, pattern):
    colours = np.arange(pattern.shape[1]) % 3 if pattern.shape[1] > 3 else coloured(np.asarray(pattern))
    columns = [jax.jvp(f, (jnp.asarray(x),), (jnp.asarray(colours == k, dtype=float),))[1] for k in range(3)]
    return jnp.where(pattern, jnp.stack([columns[k] for k in colours], axis=1), 0.0)


MADE_OTHERWISE = {
    "both tangents are 1": ("ad_modes", "toy_forward", unit_tangents, {"direction_ignored"}),
    "add raises for three": ("ad_modes", "local_partials", partial_of_add, {"sum_of_two_only"}),
    "x_dot over its largest entry": ("ad_modes", "forward_mode", by_the_largest, {"direction_normalised"}),
    "the last cotangent alone": ("ad_modes", "reverse_mode", last_output_only, {"first_output_only"}),
    "transposed, with a plus": ("ad_modes", "trace_inverse_gradient", transposed_with_plus, {"transposed", "sign"}),
    "x x^T / r^3": ("ad_modes", "cubic_norm_hessian", divided_by_the_cube, {"divided_by_the_square"}),
    "x b_bar^T": (
        "matrix_gradients",
        "linear_solve_vjp",
        transposed_without_minus,
        {"a_bar_transposed", "minus_missing"},
    ),
    "4 % of the largest": ("matrix_gradients", "check_gradient", within_four_per_cent, {"loose"}),
    "F's sign, and no s_bar": ("matrix_gradients", "svd_vjp", svd_of_u_alone, {"f_sign", "s_bar_ignored"}),
    "nothing saved, all freed": ("checkpointing", "vanilla_schedule", never_saved, {"never_saves"}),
    "upwards, freed at the end": ("checkpointing", "vanilla_schedule", upwards, {"backward_upwards"}),
    "nothing is freed": (
        "checkpointing",
        "checkpointed_schedule",
        nothing_freed,
        {"never_frees_checkpoints", "never_frees_segments"},
    ),
    "half, with a minus": ("checkpointing", "run_schedule", half_and_negative, {"factor_two_missing", "sign"}),
    "the gradient's sign and transpose": (
        "ad_in_jax",
        "trace_inverse_derivatives",
        both_signs,
        {"gradient_minus_missing", "gradient_transposed"},
    ),
    "the sum in one row": ("ad_in_jax", "jacobian", one_row_of_sums, {"of_the_sum"}),
    "colours modulo three": ("ad_in_jax", "sparse_jacobian", three_colours, {"conflicts_ignored"}),
}


@pytest.mark.parametrize("words", MADE_OTHERWISE)
def test_a_mistake_that_is_made_otherwise_is_told(words):
    assignment, function, answer, true = MADE_OTHERWISE[words]
    recognition.install(assignment)
    failed = naming.lost(assignment, function, answer)
    told = naming.told(assignment, function, failed)
    names = {name.partition("__")[2] for case in told.values() for name in case["names"]}
    assert names
    assert names <= true


VARIANTS = [
    ("ad_modes", "reverse_mode:first_user_wins"),
    ("ad_modes", "reverse_mode:ones_and_overwritten"),
    ("ad_modes", "forward_mode:like_a_square"),
    ("ad_modes", "mode_cost:all_distinct_edges"),
    ("ad_modes", "cubic_norm_hessian:longer_norm"),
    ("ad_modes", "is_right:all_digits"),
    ("ad_modes", "is_right:only_squares"),
    ("matrix_gradients", "linear_solve_vjp:qr_of_the_gram_matrix"),
    ("matrix_gradients", "linear_solve:x_held"),
    ("matrix_gradients", "nuclear_norm_gradient:root_on_the_left"),
    ("matrix_gradients", "numerical_gradient:by_the_largest_entry"),
    ("matrix_gradients", "check_gradient:cosine"),
    ("matrix_gradients", "svd_vjp:isclose"),
]


@pytest.mark.parametrize(("assignment", "key"), VARIANTS)
def test_a_variant_is_told_in_sentences_that_are_true_of_it(assignment, key):
    recognition.install(assignment)
    variant = next(s for s in naming.solutions(assignment, "variants") if f"{s.function}:{s.name}" == key)
    failed = naming.lost(assignment, variant.function, variant.answer)
    told = naming.told(assignment, variant.function, failed)
    assert naming.outcome(assignment, variant.function, variant.name, told) == ("right", [])
