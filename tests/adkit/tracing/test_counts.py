"""Counting linear algebra in traced functions: what is executed, and only what is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import pytest
from adkit.tracing.counts import KINDS, Work, WorkError, count
from adkit.tracing.export import export
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import export as jax_export

A = np.eye(4) + 0.1
B = np.ones((4, 3))
b = np.ones(4)


def work_of(f: Callable[..., Any], *args: Any) -> Work:
    return count(export(f, args).modules[0])


def square(x: Any) -> Any:
    return x @ x


@pytest.mark.parametrize(("rhs", "columns"), [(b, 2), (B, 6)])
def test_a_solve_is_one_lu_and_two_triangular_solves_of_every_column(rhs: np.ndarray, columns: int) -> None:
    work = work_of(jnp.linalg.solve, A, rhs)
    assert work.by_kind == {"lu": 1, "qr": 0, "cholesky": 0, "svd": 0, "eig": 0}
    assert (work.factorizations, work.solve_columns, work.products) == (1, columns, 0)
    assert work.largest == 16
    assert not work.unbounded


def test_an_inverse_is_solved_for_as_many_columns_as_the_matrix_has() -> None:
    assert work_of(jnp.linalg.inv, A).solve_columns == 8


def test_two_solves_of_one_form_count_two_though_the_module_holds_one_function() -> None:
    def f(A: Any, b: Any) -> Any:
        return jnp.linalg.solve(A, b) + jnp.linalg.solve(A.T, b)

    assert str(jax.jit(f).lower(A, b).as_text()).count("getrf") == 1
    assert work_of(f, A, b).factorizations == 2


def test_factors_that_are_used_again_count_once() -> None:
    def f(A: Any, b: Any) -> Any:
        factors = jsl.lu_factor(A)
        return jsl.lu_solve(factors, jsl.lu_solve(factors, b), trans=1)

    work = work_of(f, A, b)
    assert (work.factorizations, work.solve_columns) == (1, 4)


@pytest.mark.parametrize(
    ("kind", "f"),
    [
        ("qr", jnp.linalg.qr),
        ("cholesky", jnp.linalg.cholesky),
        ("svd", partial(jnp.linalg.svd, full_matrices=False)),
        ("svd", partial(jnp.linalg.norm, ord="nuc")),
        ("eig", jnp.linalg.eigh),
        ("eig", jnp.linalg.eigvals),
    ],
)
def test_every_kind_of_factorisation_is_counted_as_its_kind(kind: str, f: Callable[..., Any]) -> None:
    work = work_of(f, A)
    assert work.by_kind == dict.fromkeys(KINDS, 0) | {kind: 1}


def test_a_solve_from_the_right_has_the_rows_as_its_columns() -> None:
    def f(A: Any, B: Any) -> Any:
        return jax.lax.linalg.triangular_solve(A, B, left_side=False)

    assert work_of(f, A, np.ones((7, 4))).solve_columns == 7


def test_under_vmap_a_factorisation_is_one_execution_on_many_matrices() -> None:
    work = work_of(jax.vmap(jnp.linalg.solve), np.stack([A] * 5), np.stack([B] * 5))
    assert (work.factorizations, work.matrices, work.solve_columns) == (1, 5, 2 * 3 * 5)


def test_a_scan_counts_its_body_as_often_as_it_runs() -> None:
    def f(A: Any) -> Any:
        return jax.lax.scan(lambda x, _: (jax.lax.fori_loop(0, 3, lambda _, y: y @ A, x), None), A, length=7)[0]

    assert work_of(f, A).products == 21


def test_loop_bounds_that_come_through_a_call_are_known() -> None:
    repeated = jax.jit(lambda n, x: jax.lax.fori_loop(0, n, lambda _, y: y @ y, x))
    work = work_of(lambda x: repeated(4, repeated(2, x)), A)
    assert (work.products, work.unbounded) == (6, False)


def test_a_loop_whose_turns_depend_on_values_is_unbounded_if_it_holds_counted_work() -> None:
    def f(body: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: jax.lax.while_loop(lambda y: y.sum() < 100, body, x)

    assert work_of(f(square), A).unbounded
    assert not work_of(f(lambda y: y + 1), A).unbounded


def test_of_the_branches_of_a_cond_the_largest_counts() -> None:
    def f(x: Any) -> Any:
        branches = [lambda y: y, lambda y: y @ y @ y, lambda y: jnp.linalg.inv(y)]
        return jax.lax.switch(jnp.argmax(x[0]), branches, x)

    work = work_of(f, A)
    assert (work.products, work.factorizations) == (2, 1)


def test_what_nothing_needs_is_not_counted() -> None:
    both = jax.jit(lambda A, b: (jnp.linalg.solve(A, b), jnp.linalg.qr(A)[0], A @ A))
    work = work_of(lambda A, b: both(A, b)[0], A, b)
    assert (work.factorizations, work.by_kind["qr"], work.products) == (1, 0, 0)


DEAD = """
func.func public @main(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {
  %dead = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0]
      : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  %deader = stablehlo.dot_general %dead, %x, contracting_dims = [1] x [0]
      : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  %p:2 = call @both(%x, %dead) : (tensor<2x2xf64>, tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<2x2xf64>)
  return %p#0 : tensor<2x2xf64>
}
func.func private @both(%x: tensor<2x2xf64>, %u: tensor<2x2xf64>) -> (tensor<2x2xf64>, tensor<2x2xf64>) {
  %y = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0]
      : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
  %c = stablehlo.cholesky %u : tensor<2x2xf64>
  %b:2 = stablehlo.optimization_barrier %y, %c : tensor<2x2xf64>, tensor<2x2xf64>
  return %b#0, %b#1 : tensor<2x2xf64>, tensor<2x2xf64>
}
"""


def test_dead_code_in_a_module_is_not_counted() -> None:
    work = count(DEAD)
    assert (work.products, work.factorizations) == (1, 0)
    everything = count(DEAD.replace("return %p#0", "return %p#1").replace("%b#0", "%b#1"))
    assert (everything.products, everything.factorizations) == (1, 1)  # %dead and its Cholesky factor


def test_a_carried_value_of_a_loop_that_nothing_needs_is_not_counted() -> None:
    def f(x: Any) -> Any:
        return jax.lax.fori_loop(0, 5, lambda _, c: (c[0] @ x, c[1] + 1), (x, x))[1]

    assert work_of(f, A).products == 0


def test_a_carried_value_counts_if_another_one_needs_it_a_turn_later() -> None:
    def f(x: Any) -> Any:
        return jax.lax.fori_loop(0, 5, lambda _, c: (c[0] @ x, c[0] + c[1]), (x, x))[1]

    assert work_of(f, A).products == 5


def test_the_largest_value_is_seen_inside_of_calls() -> None:
    assert work_of(jax.jit(lambda x: (x[:, :, None] * x[None]).sum(1)), A).largest == 64


def test_the_forms_of_a_module_count_alike() -> None:
    exported = jax_export.export(jax.jit(jnp.linalg.solve), platforms=["cpu"])(A, B)
    expected = count(exported)
    assert expected.factorizations == 1
    for form in (bytes(exported.serialize()), exported.mlir_module_serialized, exported.mlir_module()):
        assert count(form) == expected


# ---------------------------------------- loops, against running them in Python

LOOP = """
func.func public @main(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {{
  %start = stablehlo.constant dense<{start}> : tensor<i32>
  %limit = stablehlo.constant dense<{limit}> : tensor<i32>
  %step = stablehlo.constant dense<{step}> : tensor<i32>
  %r:2 = stablehlo.while(%i = %start, %y = %x) : tensor<i32>, tensor<2x2xf64>
  cond {{
    %t = stablehlo.compare {way}, {operands}, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %t : tensor<i1>
  }} do {{
    %z = stablehlo.dot_general %y, %y, contracting_dims = [1] x [0]
        : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64>
    %j = stablehlo.{update} %i, %step : tensor<i32>
    stablehlo.return %j, %z : tensor<i32>, tensor<2x2xf64>
  }}
  return %r#1 : tensor<2x2xf64>
}}
"""
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "LT": lambda a, b: a < b,
    "LE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GE": lambda a, b: a >= b,
    "NE": lambda a, b: a != b,
    "EQ": lambda a, b: a == b,
}


@settings(max_examples=150, deadline=None)
@given(
    start=st.integers(-6, 6),
    limit=st.integers(-6, 6),
    step=st.integers(-4, 4),
    way=st.sampled_from(list(COMPARE)),
    swapped=st.booleans(),
    update=st.sampled_from(["add", "subtract"]),
)
def test_the_turns_of_a_counted_loop_are_those_it_runs(
    start: int, limit: int, step: int, way: str, swapped: bool, update: str
) -> None:
    operands = "%limit, %i" if swapped else "%i, %limit"
    work = count(LOOP.format(start=start, limit=limit, step=step, way=way, operands=operands, update=update))
    i, turns = start, 0
    while turns <= 30 and (COMPARE[way](limit, i) if swapped else COMPARE[way](i, limit)):
        i, turns = i + step if update == "add" else i - step, turns + 1
    if not work.unbounded:
        assert work.products == turns
    elif turns <= 30:  # ends, but is not of the plain form: up to a limit, or until it is met
        assert way == "EQ" or turns == 0 or (way == "NE" and step == 0)


def test_a_loop_that_would_overflow_its_counter_is_unbounded() -> None:
    text = LOOP.format(start=2**31 - 3, limit=2**31 - 1, step=2, way="LE", operands="%i, %limit", update="add")
    assert count(text).unbounded


# ---------------------------------------- random programs, against a count made while building them


@st.composite
def programs(draw: st.DrawFn, depth: int = 3) -> tuple[Callable[[Any], Any], int]:
    """A function of a matrix, and the number of its matrix products."""
    kind = draw(
        st.sampled_from(["product", "sum"] if depth == 0 else ["product", "then", "call", "loop", "cond", "drop"])
    )
    if kind == "product":
        return square, 1
    if kind == "sum":
        return (lambda x: x + 1), 0
    f, n = draw(programs(depth - 1))
    if kind == "call":
        return jax.jit(f), n
    if kind == "loop":
        turns = draw(st.integers(0, 3))
        return (lambda x: jax.lax.fori_loop(0, turns, lambda _, y: f(y), x)), turns * n
    g, m = draw(programs(depth - 1))
    if kind == "then":
        return (lambda x: g(f(x))), n + m
    if kind == "cond":
        return (lambda x: jax.lax.cond(x[0, 0] > 0, f, g, x)), max(n, m)
    pair = jax.jit(lambda x: (f(x), g(x)))
    return (lambda x: pair(x)[0]), n


@settings(max_examples=40, deadline=None)
@given(programs())
def test_the_products_of_any_program_are_those_it_executes(program: tuple[Callable[[Any], Any], int]) -> None:
    f, products = program
    work = work_of(f, A)
    assert (work.products, work.unbounded) == (products, False)


# ---------------------------------------- what cannot be counted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "not a StableHLO module"),
        (b"ML\xefR nonsense", "not a StableHLO module"),
        ("func.func @other() { return }", "no function main"),
        ("func.func private @main() -> tensor<f64>", "not defined"),
        (
            "func.func @main(%x: tensor<f64>) -> tensor<f64> {"
            " %y = call @main(%x) : (tensor<f64>) -> tensor<f64> return %y : tensor<f64> }",
            "calls itself",
        ),
    ],
)
def test_what_is_no_countable_module_is_a_work_error(text: str | bytes, why: str) -> None:
    with pytest.raises(WorkError, match=why):
        count(text)


def test_work_that_doubles_with_every_call_is_counted_without_doubling_the_time() -> None:
    calls = "".join(
        f"func.func private @f{i}(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {{"
        f" %y = call @f{i + 1}(%x) : (tensor<2x2xf64>) -> tensor<2x2xf64>"
        f" %z = call @f{i + 1}(%y) : (tensor<2x2xf64>) -> tensor<2x2xf64>"
        " return %z : tensor<2x2xf64> }\n"
        for i in range(60)
    )
    text = (
        "func.func public @main(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {"
        " %y = call @f0(%x) : (tensor<2x2xf64>) -> tensor<2x2xf64> return %y : tensor<2x2xf64> }\n"
        + calls
        + "func.func private @f60(%x: tensor<2x2xf64>) -> tensor<2x2xf64> {"
        " %y = stablehlo.dot_general %x, %x, contracting_dims = [1] x [0]"
        " : (tensor<2x2xf64>, tensor<2x2xf64>) -> tensor<2x2xf64> return %y : tensor<2x2xf64> }"
    )
    assert count(text).products == 2**53  # capped


def test_work_adds_up() -> None:
    one = work_of(jnp.linalg.solve, A, b)
    two = one + work_of(square, A)
    assert (two.factorizations, two.products, two.largest, two.matrices) == (1, 1, 16, 1)


@pytest.mark.parametrize(
    ("f", "multiplications"),
    [
        (lambda A: A @ A, 64),
        (lambda A: jnp.einsum("ij,kj->ik", A[:2], A), 32),
        (lambda A: jax.vmap(lambda row: row @ A)(A), 64),
        (lambda A: A * A / 3.0 + A, 32),
        (lambda A: jax.lax.fori_loop(0, 5, lambda _, y: y * A, A), 80),
        (lambda A: A[jnp.arange(2) * 3], 0),
        (lambda A: A.at[jnp.arange(4)].multiply(A), 16),
        (lambda A: jnp.prod(A), 16),
        (lambda A: jnp.sum(A), 0),
        (lambda A: jax.lax.conv_general_dilated(A[..., None, None], A.T[..., None, None], (1, 1), "VALID"), 64),
    ],
)
def test_multiplications_are_counted_number_by_number(f, multiplications):
    assert work_of(f, np.ones((4, 4))).multiplications == multiplications


def test_multiplications_in_a_loop_without_a_fixed_number_of_turns_are_not_passed_over():
    def f(x):
        return jax.lax.while_loop(lambda c: c[0] < x[0], lambda c: (c[0] + 1, c[1] * x), (0.0, x))[1]

    def counts_only(x):
        return jax.lax.while_loop(lambda c: c < x[0], lambda c: c + 1, 0.0)

    assert work_of(f, np.ones(3)).unbounded
    assert not work_of(counts_only, np.ones(3)).unbounded
