"""Artefacts that a submission forged are refused before they are compiled, and the runner's answers are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import pytest
from adkit.checks import StudentError
from adkit.tracing import export as artefact
from forged_artefacts import MATRIX, forged
from jax import export as jax_export
from jax.core import ShapedArray

from autograder.isolation import artefacts as runner
from autograder.isolation.artefacts import job_for, measured_from_plain, request_for
from autograder.isolation.audit import ArtefactError, audit, run_artefacts

random = np.random.default_rng(3)
A = random.normal(size=(3, 3)) + 3 * np.eye(3)
b = random.normal(size=3)


def solve(A: Any, b: Any) -> Any:
    return jnp.linalg.solve(A, b)


def graded(f: Callable[..., Any], *args: Any, transform: str = "call", static: tuple[Any, ...] = ()) -> Any:
    """All the way that a submitted function goes, but for the processes."""
    request = request_for(args, transform)
    plain = run_artefacts(job_for(request, artefact.export_plain(f, args, transform, static)))
    return measured_from_plain(plain, request)


def returned(expression: str) -> str:
    return f"  %y = {expression}\n  return %y : {MATRIX}"


SAME = f"stablehlo.add %x, %x : {MATRIX}"


# ---------------------------------------- what is honest goes through


@pytest.mark.parametrize(
    ("transform", "args"),
    [
        ("call", (A, b)),
        ("jit", (A, b)),
        ("vmap", (np.stack([A, A]), np.stack([b, b]))),
        ("jvp", (A, b)),
        ("vjp", (A, b, b)),
        ("vjp_split", (A, b, b)),
        ("vjp_vjp", (A, b, b, (A, b))),
    ],
)
def test_the_runner_gives_what_a_notebook_gives(transform: str, args: tuple[Any, ...]) -> None:
    given, expected = graded(solve, *args, transform=transform), artefact.measure(solve, *args, transform=transform)
    for one, other in zip(given.outputs, expected.outputs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (given.work, given.forward_work, given.backward_work) == (
        expected.work,
        expected.forward_work,
        expected.backward_work,
    )
    assert (given.residuals is None) == (expected.residuals is None)


def test_a_value_and_its_gradient_come_back() -> None:
    value, gradient = graded(lambda v: v @ v, b, transform="value_and_grad").outputs
    np.testing.assert_allclose([value, *gradient], [b @ b, *2 * b])


@pytest.mark.parametrize(
    "f",
    [
        lambda A: jnp.linalg.svd(A),
        lambda A: jnp.linalg.qr(A),
        lambda A: jnp.linalg.eigh(A @ A.T),
        lambda A: jnp.linalg.cholesky(A @ A.T),
        lambda A: jnp.linalg.slogdet(A),
        lambda A: jax.scipy.linalg.expm(A),
        lambda A: jax.lax.cond(A[0, 0] > 0, jnp.sort, jnp.sinh, A),
        lambda A: jax.scipy.special.erf(jax.lax.top_k(A, 2)[0]),
        lambda A: jax.random.normal(jax.random.key(0), (3,)) + A.at[0].set(1.0),
        lambda A: jax.checkpoint(lambda a: jnp.tanh(a @ a))(A),
        lambda A: jnp.fft.ifft(jnp.fft.fft(A)).real,
    ],
)
def test_what_honest_functions_are_made_of_is_allowed(f: Callable[[Any], Any]) -> None:
    audit(artefact.export(f, (A,)).modules[0], [A])


def test_a_module_written_by_hand_that_is_harmless_runs() -> None:
    assert np.array_equal(audit(forged(returned(SAME)), [A]).call(A), 2 * A)


# ---------------------------------------- what is forged does not


CALL = "stablehlo.custom_call @{target}(%x) : ({matrix}) -> {matrix}"


@pytest.mark.parametrize(
    "target",
    [
        "xla_ffi_python_cpu_callback",
        "xla_python_cpu_callback",
        "xla_ffi_partitioned_python_cpu_callback",
        "system",
        "lapack_dgetrf_ffi_",
        "xla_lapack_dgetrf_ffi",
        "tpu_custom_call",
        "Sharding",
    ],
)
def test_a_custom_call_that_is_no_lapack_routine_is_refused(target: str) -> None:
    with pytest.raises(ArtefactError, match="which is no LAPACK routine"):
        audit(forged(returned(CALL.format(target=target, matrix=MATRIX))), [A])


def test_a_forbidden_call_in_a_function_that_nothing_calls_is_refused() -> None:
    call = returned(CALL.format(target="system", matrix=MATRIX))
    hidden = f"func.func private @f(%x: {MATRIX}) -> {MATRIX} {{\n{call}\n}}"
    with pytest.raises(ArtefactError, match="LAPACK"):
        audit(forged(returned(SAME), hidden), [A])


def test_a_forbidden_call_in_a_branch_is_refused() -> None:
    call = CALL.format(target="system", matrix=MATRIX)
    body = (
        "  %i = stablehlo.constant dense<0> : tensor<i32>\n"
        f'  %y = "stablehlo.case"(%i) ({{\n  %z = {call}\n  stablehlo.return %z : {MATRIX}\n}})'
        f" : (tensor<i32>) -> {MATRIX}\n"
        f"  return %y : {MATRIX}"
    )
    with pytest.raises(ArtefactError, match="LAPACK"):
        audit(forged(body), [A])


def test_qr_with_pivoting_and_products_with_its_q_are_let_through() -> None:
    def pivoted(A: Any, b: Any) -> Any:
        return [*jsl.qr(A, pivoting=True), jsl.qr_multiply(A, b)[0]]

    exported = audit(artefact.export(pivoted, (A, b)).modules[0], [A, b])
    assert "geqp3" in exported.mlir_module()
    assert "ormqr" in exported.mlir_module()


def test_a_lapack_routine_with_a_side_effect_is_refused() -> None:
    call = f"stablehlo.custom_call @lapack_dgetrf_ffi(%x) {{has_side_effect = true}} : ({MATRIX}) -> {MATRIX}"
    with pytest.raises(ArtefactError, match="side effects"):
        audit(forged(returned(call)), [A])


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (
            "  %t = stablehlo.create_token : !stablehlo.token\n"
            f'  %y, %u = "stablehlo.infeed"(%t) : (!stablehlo.token) -> ({MATRIX}, !stablehlo.token)\n'
            f"  return %y : {MATRIX}",
            "stablehlo.create_token",
        ),
        (
            "  %s = stablehlo.constant dense<3> : tensor<2xi32>\n"
            f"  %y = stablehlo.dynamic_reshape %x, %s : ({MATRIX}, tensor<2xi32>) -> {MATRIX}\n  return %y : {MATRIX}",
            "stablehlo.dynamic_reshape",
        ),
        (
            '  %y = "stablehlo.all_reduce"(%x) ({^bb0(%a: tensor<f64>, %b: tensor<f64>):\n'
            "  stablehlo.return %a : tensor<f64>\n}) {replica_groups = dense<0> : tensor<1x1xi64>}"
            f" : ({MATRIX}) -> {MATRIX}\n  return %y : {MATRIX}",
            "stablehlo.all_reduce",
        ),
        (f"  %p = stablehlo.partition_id : tensor<ui32>\n  return %x : {MATRIX}", "stablehlo.partition_id"),
    ],
)
def test_operations_off_the_list_are_refused(operation: str, name: str) -> None:
    with pytest.raises(ArtefactError, match=f"uses {name}"):
        audit(forged(operation), [A])


def test_a_memory_bomb_is_refused() -> None:
    big = "tensor<1000000x1000000xf64>"
    body = (
        "  %c = stablehlo.constant dense<1.0> : tensor<f64>\n"
        f"  %big = stablehlo.broadcast_in_dim %c, dims = [] : (tensor<f64>) -> {big}\n"
        "  %s = stablehlo.reduce(%big init: %c) applies stablehlo.add across dimensions = [0, 1]"
        f" : ({big}, tensor<f64>) -> tensor<f64>\n"
        f"  %y = stablehlo.broadcast_in_dim %s, dims = [] : (tensor<f64>) -> {MATRIX}\n  return %y : {MATRIX}"
    )
    with pytest.raises(ArtefactError, match=r"shape \(1000000, 1000000\) has 7629395 MiB; at most 64 MiB"):
        audit(forged(body), [A])


def test_a_huge_constant_that_is_one_number_in_the_bytes_is_refused() -> None:
    body = f"  %c = stablehlo.constant dense<1.0> : tensor<100000000xf64>\n  return %x : {MATRIX}"
    assert len(forged(body)) < 5_000
    with pytest.raises(ArtefactError, match="at most 64 MiB"):
        audit(forged(body), [A])


def test_calls_that_double_are_refused_by_their_size_written_out() -> None:
    chain = "\n".join(
        f"func.func private @f{i}(%x: {MATRIX}) -> {MATRIX} {{\n"
        f"  %a = call @f{i + 1}(%x) : ({MATRIX}) -> {MATRIX}\n  %y = call @f{i + 1}(%a) : ({MATRIX}) -> {MATRIX}\n"
        f"  return %y : {MATRIX}\n}}"
        for i in range(40)
    )
    last = f"func.func private @f40(%x: {MATRIX}) -> {MATRIX} {{\n{returned(SAME)}\n}}"
    with pytest.raises(ArtefactError, match="operations; at most 50000"):
        audit(forged(returned(f"call @f0(%x) : ({MATRIX}) -> {MATRIX}"), f"{chain}\n{last}"), [A])


def test_many_large_values_are_refused_by_their_sum() -> None:
    large = "tensor<8000000xf64>"
    copies = "\n".join(f"  %c{i} = stablehlo.constant dense<{i}.0> : {large}" for i in range(40))
    with pytest.raises(ArtefactError, match="at most 2048 MiB"):
        audit(forged(f"{copies}\n  return %x : {MATRIX}"), [A])


def test_recursion_is_refused() -> None:
    with pytest.raises(ArtefactError, match="calls itself"):
        audit(forged(returned(f"call @main(%x) : ({MATRIX}) -> {MATRIX}")), [A])


def test_recursion_in_functions_that_nothing_calls_is_refused() -> None:
    loop = f"func.func private @f(%x: {MATRIX}) -> {MATRIX} {{\n{returned(f'call @f(%x) : ({MATRIX}) -> {MATRIX}')}\n}}"
    with pytest.raises(ArtefactError, match="calls itself"):
        audit(forged(returned(SAME), loop), [A])


@pytest.mark.parametrize("name", ["xla.anything", "chlo.ragged_dot", "chlo.anything"])
def test_a_composite_that_may_be_other_work_than_its_decomposition_is_refused(name: str) -> None:
    composite = f'stablehlo.composite "{name}" %x {{decomposition = @f}} : ({MATRIX}) -> {MATRIX}'
    f = f"func.func private @f(%x: {MATRIX}) -> {MATRIX} {{\n{returned(SAME)}\n}}"
    with pytest.raises(ArtefactError, match="composite"):
        audit(forged(returned(composite), f), [A])


@pytest.mark.parametrize(
    ("container", "says"),
    [
        ({"platforms": ("cuda",)}, "not made for one CPU"),
        ({"platforms": ("cpu", "cuda")}, "not made for one CPU"),
        ({"nr_devices": 2}, "not made for one CPU"),
        (
            {"disabled_safety_checks": (jax_export.DisabledSafetyCheck.custom_call("system"),)},
            "not exported as agreed",
        ),
    ],
)
def test_a_container_that_says_something_else_is_refused(container: dict[str, Any], says: str) -> None:
    with pytest.raises(ArtefactError, match=says):
        audit(forged(returned(SAME), **container), [A])


def test_other_arguments_than_agreed_are_refused() -> None:
    honest = artefact.export(solve, (A, b)).modules[0]
    for inputs in ([A], [A, b, b], [A, A], [A, b.astype(np.float32)]):
        with pytest.raises(ArtefactError, match="takes other arguments"):
            audit(honest, inputs)


def test_other_results_than_agreed_are_refused() -> None:
    request = request_for((A, b, b), "vjp")
    wrong = artefact.export_plain(lambda A, b, c: (A, A), (A, b, b))
    with pytest.raises(ArtefactError, match=r"gives .*; expected float64\(3, 3\), float64\(3,\)"):
        measured_from_plain(run_artefacts(job_for(request, wrong)), request)


def test_a_container_that_says_other_results_than_its_code_fails_without_harm() -> None:
    lie = forged(f"  return %x : {MATRIX}", out_avals=(ShapedArray((9, 9), np.dtype("float64")),))
    request = request_for((A,), "call")
    with pytest.raises(ArtefactError, match="could not be run"):
        measured_from_plain(run_artefacts(job_for(request, {"artefacts": [lie]})), request)


@pytest.mark.parametrize("reply", [None, {}, {"artefacts": b"x"}, {"artefacts": ["x"]}, {"artefacts": [b"x", b"x"]}])
def test_a_reply_that_holds_no_artefact_is_refused(reply: Any) -> None:
    with pytest.raises(ArtefactError, match="not a traced function"):
        job_for(request_for((A,), "call"), reply)


def test_an_artefact_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ArtefactError, match="at most 4 MiB"):
        job_for(request_for((A,), "call"), {"artefacts": [bytes(runner.MAX_ARTEFACT_BYTES + 1)]})


@pytest.mark.parametrize("junk", [b"", b"junk", bytes(400)])
def test_bytes_that_are_no_artefact_are_refused(junk: bytes) -> None:
    with pytest.raises(ArtefactError):
        audit(junk, [A])


def test_a_truncated_artefact_is_refused() -> None:
    honest = artefact.export(solve, (A, b)).modules[0]
    with pytest.raises(ArtefactError):
        audit(honest[: len(honest) // 2], [A, b])


def test_too_many_results_are_refused() -> None:
    with pytest.raises(ArtefactError, match="gives 1001 arrays"):
        audit(artefact.export(lambda A: [A[0, 0] + i for i in range(1001)], (A,)).modules[0])


# ---------------------------------------- the disposable process may be the submission's by now


def answer() -> dict[str, Any]:
    work = {
        "factorizations": 0,
        "by_kind": {"lu": 0, "qr": 0, "cholesky": 0, "svd": 0, "eig": 0},
        "solve_columns": 0,
        "multiplications": 0,
        "products": 0,
        "largest": 9,
        "unbounded": False,
        "matrices": 0,
        "peak": 9,
        "peak_bytes": 72,
        "matrix_products": 0,
        "marked": 0,
    }
    return {"outputs": [A], "residuals": None, "work": work, "forward_work": None, "backward_work": None}


class Pretender(np.ndarray):
    """An array that is more than one."""


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": [A, A]},
        {"outputs": [A[0]]},
        {"outputs": [A.astype(np.float32)]},
        {"outputs": [A.tolist()]},
        {"outputs": (A,)},
        {"outputs": [A.view(Pretender)]},
        {"outputs": [A.astype(object)]},
        {"residuals": [A]},
        {"work": None},
        {"work": answer()["work"] | {"products": -1}},
        {"work": answer()["work"] | {"products": 1.0}},
        {"work": answer()["work"] | {"products": True}},
        {"work": answer()["work"] | {"products": 2**60}},
        {"work": answer()["work"] | {"unbounded": 0}},
        {"work": answer()["work"] | {"by_kind": {"lu": 0}}},
        {"work": answer()["work"] | {"more": 0}},
        {"more": 1},
        {"error": "no"},
        {"error": 5},
    ],
)
def test_an_answer_that_is_not_as_agreed_is_refused(change: dict[str, Any]) -> None:
    request = request_for((A,), "call") | {"outputs": [[[3, 3], "float64"]]}
    assert measured_from_plain(answer(), request).work.largest == 9
    with pytest.raises(ArtefactError):
        measured_from_plain(answer() | change, request)


def test_a_refusal_is_a_message_for_the_student_without_control_characters() -> None:
    with pytest.raises(StudentError) as caught:
        measured_from_plain({"error": "a\x1b[31m\nb" + "c" * 5_000}, request_for((A,), "call"))
    assert caught.value.message.startswith("a [31m bc")
    assert len(caught.value.message) < 400
