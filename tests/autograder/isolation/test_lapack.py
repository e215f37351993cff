"""Every call of LAPACK that JAX makes passes the audit of artefacts; a call that differs in anything is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import linear_algebra
import numpy as np
import pytest
from adkit.checks import StudentError
from adkit.tracing import export as artefact
from adkit.tracing.counts import parse
from forged_artefacts import forged
from jax import export as jax_export
from jax import lax
from jax.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

from autograder.isolation.audit import ArtefactError, audit

random = np.random.default_rng(3)
X = random.normal(size=(3, 3))
MATRIX = "tensor<3x3xf64>"


# ---------------------------------------- what JAX makes


@pytest.mark.parametrize("name", linear_algebra.CASES)
def test_what_jax_makes_of_linear_algebra_passes(name: str) -> None:
    case = linear_algebra.CASES[name]
    exported = 0
    for number, (label, f, shapes) in enumerate(linear_algebra.functions(name)):
        # each type with some of the shapes: a case's whole product takes minutes
        dtype = case.dtypes[number % len(case.dtypes)]
        args = linear_algebra.arrays(shapes, dtype)
        try:
            module = artefact.export(f, args).modules[0]
        except StudentError as problem:
            if "NotImplementedError" in problem.message or "AttributeError" in problem.message:
                continue  # this version of JAX has no such thing
            raise AssertionError(f"{label}, {dtype}: {problem.message}") from problem
        try:
            audit(module, args)
        except ArtefactError as problem:
            raise AssertionError(f"{label}, {dtype}: {problem.message}") from problem
        exported += 1
    if not exported:
        pytest.skip("not in this version of JAX")


@pytest.mark.parametrize(
    "f",
    [
        lambda a: lax.sort(a, is_stable=False),
        lambda a: lax.sort((a, a + 1, a > 0), num_keys=3, is_stable=False),
        lambda a: jnp.sort(a + 1j, axis=0),
        lambda a: jnp.argsort(a.astype(np.uint8), descending=True),
        lambda a: jnp.lexsort((a, a[::-1])),
        lambda a: lax.top_k(a, 2),
        lambda a: jnp.unique(a, size=4),
        lambda a: jnp.median(a),
        lambda a: jax.random.permutation(jax.random.key(0), a),
        lambda a: jax.random.normal(jax.random.key(0, impl="rbg"), (3,)) + a,
        lambda a: jax.random.normal(jax.random.split(jax.random.key(0, impl="unsafe_rbg"))[0], (3,)) + a,
        lambda a: jnp.fft.irfft2(jnp.fft.rfft2(a)),
        lambda a: jnp.convolve(a[0], a[1]),
        lambda a: lax.conv_general_dilated(a[None, None], a[None, None], (1, 1), "SAME"),
        lambda a: lax.reduce_window(a, 0.0, lax.add, (2, 2), (1, 1), "VALID"),
        lambda a: jax.grad(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (1, 1), "VALID").sum())(a),
        lambda a: jax.vmap(lambda row: lax.while_loop(lambda v: v.sum() < 3, lambda v: v + 1, row))(a),
        lambda a: lax.scan(lambda c, row: (c + row, jnp.tanh(c)), a[0], a),
        lambda a: lax.switch(1, [jnp.sin, jnp.cos], a),
        lambda a: jax.hessian(lambda x: jnp.sum(x**3))(a),
        lambda a: lax.map(lambda row: jnp.linalg.solve(a, row), a),
        lambda a: jnp.searchsorted(a[0], a[1]) + jnp.cumsum(a[0]).astype(int),
        lambda a: jax.scipy.special.gammaln(a) + jax.scipy.special.i1e(a) + jax.scipy.special.ndtri(abs(a) / 9),
        lambda a: lax.associative_scan(jnp.matmul, jnp.stack([a] * 5)),
    ],
)  # fmt: skip
def test_what_jax_makes_of_other_operations_passes(f: Callable[[Any], Any]) -> None:
    module = artefact.export(lambda a: jax.tree_util.tree_leaves(f(a)), (X,)).modules[0]
    audit(module, [X])


# ---------------------------------------- what nobody but a forger makes


def rewritten(f: Callable[..., Any], args: list[Any], *changes: tuple[str, str]) -> bytes:
    """The artefact of a function with parts of its code's text exchanged."""
    honest = artefact.export(f, args).modules[0]
    text = re.sub(r", sdy\.sharding_rule = #sdy\.op_sharding_rule<.*?custom>", "", str(parse(honest)))
    for old, new in changes:
        assert old in text, text
        text = text.replace(old, new)
    with mlir.make_ir_context():
        code = stablehlo.serialize_portable_artifact(ir.Module.parse(text), stablehlo.get_current_version())
    return bytes(
        dataclasses.replace(jax_export.deserialize(bytearray(honest)), mlir_module_serialized=code).serialize()
    )


LU = (
    "%r:3 = stablehlo.custom_call @lapack_dgetrf_ffi(%x) {mhlo.backend_config = {}, "
    'mhlo.frontend_attributes = {num_batch_dims = "0"}, operand_layouts = [dense<[0, 1]> : tensor<2xindex>], '
    "output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [0], operand_index = 0, "
    "operand_tuple_indices = []>], result_layouts = [dense<[0, 1]> : tensor<2xindex>, dense<0> : tensor<1xindex>, "
    "dense<> : tensor<0xindex>]} : (tensor<3x3xf64>) -> (tensor<3x3xf64>, tensor<3xi32>, tensor<i32>)"
)
ALIASES = LU[LU.index("output_operand_aliases") : LU.index("result_layouts")]


def test_a_call_written_by_hand_as_jax_writes_it_passes() -> None:
    audit(forged(f"  {LU}\n  return %r#0 : {MATRIX}"), [X])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tensor<3xi32>", "tensor<1xi32>"),
        ("tensor<3xi32>", "tensor<4xi32>"),
        ("tensor<3xi32>", "tensor<3xi64>"),
        ("tensor<3xi32>", "tensor<3xf32>"),
        (", tensor<i32>)", ", tensor<i64>)"),
        ("dgetrf", "sgetrf"),
        ("dgetrf", "zgetrf"),
        ("dgetrf", "dgeqrf"),
        ("mhlo.backend_config = {}, ", ""),
        ("mhlo.backend_config = {}", "mhlo.backend_config = {mode = 65 : ui8}"),
        ("mhlo.backend_config = {}", "backend_config = {}, api_version = 4 : i32"),
        ("mhlo.backend_config = {}", "mhlo.backend_config = {}, api_version = 2 : i32"),
        ('num_batch_dims = "0"', 'num_batch_dims = "1"'),
        ('num_batch_dims = "0"', 'num_batch_dims = "0", _xla_compute_type = "host"'),
        ("operand_layouts = [dense<[0, 1]>", "operand_layouts = [dense<[1, 0]>"),
        ("result_layouts = [dense<[0, 1]>", "result_layouts = [dense<[1, 0]>"),
        (ALIASES, ""),
        (" : tensor<0xindex>]}", ' : tensor<0xindex>], mhlo.sharding = "{replicated}"}'),
    ],
)
def test_a_call_that_differs_in_anything_is_refused(old: str, new: str) -> None:
    assert old in LU
    with pytest.raises(ArtefactError, match=r"as JAX never does|which JAX does not give it"):
        audit(forged(f"  {LU.replace(old, new)}\n  return %x : {MATRIX}"), [X])


def test_a_call_with_a_result_too_many_is_refused() -> None:
    call = LU.replace("%r:3", "%r:4").replace("tensor<i32>)", "tensor<i32>, tensor<i32>)")
    call = call.replace("dense<> : tensor<0xindex>]", "dense<> : tensor<0xindex>, dense<> : tensor<0xindex>]")
    with pytest.raises(ArtefactError, match="it has 4 results instead of 3"):
        audit(forged(f"  {call}\n  return %x : {MATRIX}"), [X])


def test_a_call_whose_batches_differ_is_refused() -> None:
    call = LU.replace("3x3xf64", "2x3x3xf64").replace('"0"', '"1"').replace("tensor<i32>", "tensor<3xi32>")
    call = call.replace("dense<[0, 1]> : tensor<2xindex>", "dense<[1, 2, 0]> : tensor<3xindex>")
    call = call.replace("tensor<3xi32>, tensor<3xi32>)", "tensor<2x3xi32>, tensor<3xi32>)")
    call = call.replace(
        "dense<0> : tensor<1xindex>, dense<> : tensor<0xindex>",
        "dense<[1, 0]> : tensor<2xindex>, dense<0> : tensor<1xindex>",
    )
    body = (
        f"  %two = stablehlo.broadcast_in_dim %one, dims = [1, 2] : ({MATRIX}) -> tensor<2x3x3xf64>\n"
        f"  {call.replace('%x', '%two')}\n  return %one : {MATRIX}"
    ).replace("%one", "%x")
    for right, batch in ((True, "2"), (False, "3")):
        code = forged(body.replace("tensor<2x3xi32>, tensor<3xi32>)", f"tensor<2x3xi32>, tensor<{batch}xi32>)"))
        if right:
            audit(code, [X])
        else:
            with pytest.raises(ArtefactError, match="its result 2 is tensor<3xi32>"):
                audit(code, [X])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("mode = 65 : ui8", "mode = 83 : ui8"), "its result|configuration"),
        (("mode = 65 : ui8", "mode = 79 : ui8"), "configuration"),
        (("mode = 65 : ui8", "mode = 65 : i32"), "configuration"),
        (("mode = 65 : ui8", "mode = 78 : ui8"), "unwritten"),
    ],
)
def test_a_choice_that_jax_does_not_make_is_refused(change: tuple[str, str], says: str) -> None:
    tall = random.normal(size=(4, 2))
    with pytest.raises(ArtefactError, match=says):
        audit(rewritten(lambda a: list(jnp.linalg.svd(a)), [tall], change), [tall])


def test_results_that_a_failed_routine_leaves_unwritten_are_not_read() -> None:
    honest = rewritten(jnp.linalg.eigvals, [X])
    audit(honest, [X])
    with pytest.raises(ArtefactError, match="without a look at whether LAPACK succeeded"):
        audit(rewritten(jnp.linalg.eigvals, [X], ("compare EQ", "compare NE")), [X])
    with pytest.raises(ArtefactError, match="without a look at whether LAPACK succeeded"):
        audit(rewritten(jnp.linalg.eigvals, [X], ("dense<0> : tensor<i32>", "dense<-4> : tensor<i32>")), [X])


def test_lapack_is_not_run_on_an_empty_matrix() -> None:
    empty = np.zeros((0, 0))
    audit(artefact.export(lambda a: list(lax.linalg.lu(a)), (empty,)).modules[0], [empty])
    call = LU.replace("%x", "%e").replace("tensor<3x3xf64>", "tensor<0x0xf64>").replace("<3xi32>", "<0xi32>")
    body = (
        f"  %e = stablehlo.slice %x [0:0, 0:0] : ({MATRIX}) -> tensor<0x0xf64>\n  {call}\n"
        "  %f = stablehlo.convert %r#2 : (tensor<i32>) -> tensor<f64>\n"
        f"  %y = stablehlo.broadcast_in_dim %f, dims = [] : (tensor<f64>) -> {MATRIX}\n  return %y : {MATRIX}"
    )
    with pytest.raises(ArtefactError, match="its matrix is empty"):
        audit(forged(body), [X])


SORT = """  %y = "stablehlo.sort"(%x) ({{^bb0(%a: tensor<f64>, %b: tensor<f64>):
    {comparison}
    stablehlo.return %p : tensor<i1>
  }}) {{dimension = 0 : i64, is_stable = {stable}}} : (tensor<3x3xf64>) -> tensor<3x3xf64>
  return %y : tensor<3x3xf64>"""
PAIR = "(tensor<f64>, tensor<f64>) -> tensor<i1>"


@pytest.mark.parametrize("stable", ["true", "false"])
@pytest.mark.parametrize(
    "comparison",
    [
        "%p = stablehlo.constant dense<true> : tensor<i1>",
        f"%p = stablehlo.compare LE, %a, %b, TOTALORDER : {PAIR}",
        f"%p = stablehlo.compare LT, %a, %b, FLOAT : {PAIR}",
        f"%p = stablehlo.compare LT, %a, %b : {PAIR}",
        f"%p = stablehlo.compare LT, %a, %a, TOTALORDER : {PAIR}",
        f"%n = stablehlo.negate %b : tensor<f64>\n    %p = stablehlo.compare LT, %a, %n, TOTALORDER : {PAIR}",
        f"%s = stablehlo.subtract %a, %b : tensor<f64>\n    %t = stablehlo.subtract %b, %a : tensor<f64>\n"
        f"    %p = stablehlo.compare LT, %s, %t, TOTALORDER : {PAIR}",
        f"%l = stablehlo.compare LT, %a, %b, TOTALORDER : {PAIR}\n"
        f"    %g = stablehlo.compare GT, %a, %b, TOTALORDER : {PAIR}\n    %p = stablehlo.or %l, %g : tensor<i1>",
    ],
)
def test_a_sort_by_what_is_no_order_is_refused(comparison: str, stable: str) -> None:
    with pytest.raises(ArtefactError, match="comparison that is not an order"):
        audit(forged(SORT.format(comparison=comparison, stable=stable)), [X])


@pytest.mark.parametrize("direction", ["LT", "GT"])
def test_a_sort_by_a_total_order_passes_also_backwards(direction: str) -> None:
    comparison = f"%p = stablehlo.compare {direction}, %b, %a, TOTALORDER : {PAIR}"
    audit(forged(SORT.format(comparison=comparison, stable="false")), [X])


@pytest.mark.parametrize(
    ("k", "shape"), [("k = 3 : i64", "3x2"), ("k = 2 : i64", "3x3"), ("k = 2 : i32", "3x2"), ("", "3x2")]
)
def test_a_composite_whose_arrays_do_not_fit_together_is_refused(k: str, shape: str) -> None:
    body = (
        f'  %y:2 = stablehlo.composite "chlo.top_k" %x {{composite_attributes = {{{k}}}, decomposition = @f}}'
        f" : ({MATRIX}) -> (tensor<{shape}xf64>, tensor<{shape}xi32>)\n  return %x : {MATRIX}"
    )
    f = (
        f"func.func private @f(%x: {MATRIX}) -> (tensor<{shape}xf64>, tensor<{shape}xi32>) {{\n"
        f"  %a = stablehlo.constant dense<0.0> : tensor<{shape}xf64>\n"
        f"  %b = stablehlo.constant dense<0> : tensor<{shape}xi32>\n"
        f"  return %a, %b : tensor<{shape}xf64>, tensor<{shape}xi32>\n}}"
    )
    with pytest.raises(ArtefactError, match="do not fit together"):
        audit(forged(body, f), [X])


@pytest.mark.parametrize("state", ["tensor<1xui64>", "tensor<3xui64>", "tensor<2xui32>", "tensor<4xui32>"])
def test_random_bits_from_a_state_of_another_size_are_refused(state: str) -> None:
    body = (
        f"  %s = stablehlo.constant dense<1> : {state}\n"
        f"  %t, %r = stablehlo.rng_bit_generator %s, algorithm = DEFAULT : ({state}) -> ({state}, tensor<3xui64>)\n"
        f"  return %x : {MATRIX}"
    )
    with pytest.raises(ArtefactError, match=r"state of another size|malformed"):
        audit(forged(body), [X])


@pytest.mark.parametrize("element", ["i4", "ui2", "f8E4M3FN", "f8E5M2"])
def test_arrays_of_unusual_elements_are_refused(element: str) -> None:
    array = f"tensor<3x{element}>"
    function = f"func.func private @f(%x: {array}) -> {array} {{\n  return %x : {array}\n}}"
    with pytest.raises(ArtefactError, match="not an array of numbers"):
        audit(forged(f"  return %x : {MATRIX}", function), [X])


def test_an_attribute_that_speaks_to_the_compiler_is_refused() -> None:
    attribute = '{mhlo.frontend_attributes = {inlineable = "false"}}'
    body = f"  %y = stablehlo.add %x, %x {attribute} : {MATRIX}\n  return %y : {MATRIX}"
    with pytest.raises(ArtefactError, match=r"mhlo\.frontend_attributes, which JAX does not give it"):
        audit(forged(body), [X])


def test_loops_in_loops_in_loops_are_refused() -> None:
    body = f"  return %x : {MATRIX}"
    condition = "%i = stablehlo.constant dense<0> : tensor<i32>"
    inner = "%z = stablehlo.add %x, %x : tensor<3x3xf64>\n stablehlo.return %z : tensor<3x3xf64>"
    for depth in range(101):
        case = f'%y{depth} = "stablehlo.case"(%i) ({{\n{inner}\n}}) : (tensor<i32>) -> {MATRIX}'
        inner = f"{case}\n stablehlo.return %y{depth} : {MATRIX}"
    body = f"{condition}\n{inner.rpartition('stablehlo.return')[0]}\n  return %y100 : {MATRIX}"
    with pytest.raises(ArtefactError, match="more than 100 deep"):
        audit(forged(body), [X])
