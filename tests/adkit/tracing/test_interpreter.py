"""A traced program run by NumPy gives what the compiled one gives, or is left to the compiler."""

import re
from collections.abc import Callable
from typing import Any

# ruff: noqa: E501 (a table of programs)
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adkit.tracing import export as artefact
from adkit.tracing import interpreter
from adkit.tracing.interpreter import Interpreter, NotInterpretedError
from jax import export, lax

rng = np.random.default_rng(5)
VECTOR = rng.standard_normal(5)
MATRIX = rng.standard_normal((4, 4))
TALL = rng.standard_normal((5, 3))
STACK = rng.standard_normal((3, 4, 4))
WHOLE = np.array([3, -7, 0, 2, 5])
SIZES = np.array([1, 2, 1, 3, 2])


def _both(f: Callable[..., Any], *inputs: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    exported = export.export(
        jax.jit(f),
        platforms=["cpu"],
        disabled_checks=[export.DisabledSafetyCheck.custom_call(name) for name in artefact.UNSTABLE_CUSTOM_CALLS],
    )(*inputs)
    compiled = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(jax.jit(f)(*inputs))]
    leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(inputs)]
    return Interpreter(exported).run(leaves), compiled


def _agree(f: Callable[..., Any], *inputs: Any) -> None:
    found, wanted = _both(f, *inputs)
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        rounding = 1e-6 if a.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(a, b, rtol=rounding, atol=rounding / 10)


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "entry by entry": (lambda x: jnp.sin(x) * jnp.exp(-x) + jnp.tanh(x) / jnp.sqrt(x * x + 1) - jnp.cos(x) ** 3, (VECTOR,)),
    "powers and logarithms": (lambda x: (jnp.abs(x) ** 1.5, jnp.log1p(jnp.abs(x)), jnp.expm1(x), x**-2), (VECTOR,)),
    "logistic functions": (lambda x: (jax.nn.sigmoid(x), jax.nn.softplus(x), jax.nn.logsumexp(x)), (VECTOR,)),
    "kinks": (lambda x: (jnp.sign(x), jnp.abs(x), jax.nn.relu(x), jnp.clip(x, -0.5, 0.5), jnp.max(x), jnp.min(x)), (VECTOR,)),
    "not a number": (lambda x: (jnp.where(x > 0, jnp.sqrt(x), 0.0), jnp.maximum(x, jnp.nan), jnp.log(x)), (VECTOR,)),
    "rounding": (lambda x: (jnp.round(x), jnp.floor(x), jnp.ceil(x), x.astype(int), jnp.isfinite(1 / (x - x))), (VECTOR,)),
    "integers": (lambda n, m: (n // m, n % m, n * m - n, n**2, lax.div(n, m), lax.rem(n, m), -n, abs(n)), (WHOLE, SIZES)),
    "bits": (lambda n, m: (n << m, n >> m, n & m, n | m, n ^ m, ~n, lax.shift_right_logical(n, m)), (WHOLE, SIZES)),
    "truth values": (lambda x, y: (jnp.any(x > y), jnp.all(x > y), (x > y) ^ (x < 0), ~(x == y)), (VECTOR, VECTOR[::-1].copy())),
    "complex numbers": (lambda z: (jnp.abs(z), jnp.exp(z), jnp.conj(z).sum(), z * z[::-1], z / z[::-1], jnp.sqrt(z).imag), (VECTOR + 1j * VECTOR[::-1],)),
    "small floats": (lambda x: (x.astype(jnp.float32) * 2).sum(), (VECTOR,)),
    "products": (lambda a, x: (a @ x, x @ a, a @ a, jnp.outer(x, x), jnp.vdot(x, x), a.T @ a), (MATRIX, VECTOR[:4])),
    "products of stacks": (lambda s, a: (s @ a, jnp.einsum("bij,bkj->bik", s, s), jnp.einsum("bij,ij->b", s, a)), (STACK, MATRIX)),
    "shapes": (lambda a: (a.reshape(-1)[::2], jnp.pad(a, ((1, 2), (0, 1))), jnp.stack([a, 2 * a], 1), jnp.concatenate([a, a], 1), jnp.flip(a, 0)), (TALL,)),
    "padding inside": (lambda x: lax.pad(x, 0.5, [(1, 2, 2)]), (VECTOR,)),
    "reductions": (lambda s: (s.sum(), s.sum(1), s.mean((0, 2)), s.prod(0), s.max(2), s.min((0, 1))), (STACK,)),
    "picking": (lambda x, n: (x[n], x[jnp.array([0, 2])], x[1:4:2], x[n][None]), (VECTOR, SIZES)),
    "picking beyond the ends": (lambda x, n: (x.at[n].get(mode="clip"), x.at[n].get(mode="fill", fill_value=7.0)), (VECTOR, WHOLE)),
    "picking rows": (lambda a, n: (a[n], a[n, n % 3], a[:, n % 3], jnp.take_along_axis(a, (n % 3)[:, None], 1)), (TALL, SIZES)),
    "putting": (lambda x, n: (x.at[n].set(1.0), x.at[2].add(3.0), x.at[n].add(x), x.at[n].multiply(2.0), x.at[n].max(x)), (VECTOR, SIZES)),
    "putting beyond the ends": (lambda x, n: x.at[n].add(x, mode="drop"), (VECTOR, WHOLE)),
    "putting rows": (lambda a, n: (a.at[n].add(1.0), a.at[:, 1].set(0.0), a.at[1:3, 0].set(5.0), jnp.diag(a[:3]).at[0].set(2)), (TALL, SIZES)),
    "windows": (lambda x, k: (lax.dynamic_slice(x, (k,), (3,)), lax.dynamic_update_slice(x, x[:2], (k,))), (VECTOR, np.int64(4))),
    "sorting": (lambda x, n: (jnp.sort(x), jnp.argsort(n), jnp.sort(jnp.where(x > 0, x, jnp.nan)), jnp.median(x)), (VECTOR, SIZES)),
    "loops": (lambda x: lax.fori_loop(0, 6, lambda i, y: y * 0.5 + jnp.sin(i * y), x), (VECTOR,)),
    "loops of unknown length": (lambda x: lax.while_loop(lambda c: c[1] > 1e-3, lambda c: (c[0] + 1, c[1] / 2), (0, x[0] ** 2)), (VECTOR,)),
    "scans": (lambda x: lax.scan(lambda c, y: (c + y, c * y), 0.0, x), (VECTOR,)),
    "branches": (lambda x, n: (lax.cond(x[0] > 0, jnp.sin, jnp.cos, x), lax.switch(n[1], [jnp.sin, jnp.cos], x)), (VECTOR, WHOLE)),
    "random numbers": (lambda x: x + jax.random.normal(jax.random.key(3), x.shape), (VECTOR,)),
    "solves": (lambda a, x: (jnp.linalg.solve(a, x), jnp.linalg.inv(a), jnp.linalg.det(a)), (MATRIX, VECTOR[:4])),
    "solves of stacks": (lambda s: (jnp.linalg.solve(s, s[::-1]), jax.vmap(jnp.linalg.inv)(s)), (STACK,)),
    "triangles": (
        lambda a, x: (
            jax.scipy.linalg.solve_triangular(a, x, lower=True, trans=1),
            jax.scipy.linalg.solve_triangular(a, x, unit_diagonal=True),
            lax.linalg.triangular_solve(a, a, left_side=False, lower=True),
        ),
        (MATRIX, VECTOR[:4]),
    ),
    "factors": (
        lambda a, t: (jnp.linalg.qr(t), jnp.linalg.cholesky(a @ a.T), jnp.linalg.eigh(a + a.T), jax.scipy.linalg.lu(a)),
        (MATRIX, TALL),
    ),
    "singular values": (lambda t: (jnp.linalg.svd(t, full_matrices=False), jnp.linalg.svd(t), jnp.linalg.norm(t, "nuc")), (TALL,)),
    "a Cholesky factorisation that fails": (lambda a: jnp.linalg.cholesky(a), (-np.eye(3),)),
    "derivatives": (lambda a, x: jax.grad(lambda a: jnp.sum(jnp.linalg.solve(a, x) ** 2))(a), (MATRIX, VECTOR[:4])),
    "second derivatives": (jax.hessian(lambda x: jnp.sum(jnp.tanh(jnp.outer(x, x))) + jnp.linalg.norm(x)), (VECTOR,)),
    "derivatives of checkpoints": (jax.grad(jax.checkpoint(lambda x: jnp.sum(jnp.tanh(jnp.sin(x))))), (VECTOR,)),
    "arguments that are not used": (lambda x, y, z: (z + 1, jnp.zeros(3)), (VECTOR, MATRIX, VECTOR)),
    "a result given twice": (lambda x: (x, x, jnp.sin(x)), (VECTOR,)),
    "empty arrays": (lambda x: (x[:0].sum(), jnp.zeros((0, 3)) + 1, jnp.concatenate([x[:0], x])), (VECTOR,)),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_gives_what_the_compiled_program_gives(name: str) -> None:
    try:
        _agree(*PROGRAMS[name][:1], *PROGRAMS[name][1])
    except NotInterpretedError as problem:
        # before JAX 0.5 some routines of LAPACK are called in another way, which is left to the compiler
        if jax.__version_info__ >= (0, 5) or not re.match("lapack_|blas_", str(problem)):
            raise


LEFT_TO_THE_COMPILER: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "an operation it does not know": (lambda x: jnp.fft.fft(x), (VECTOR,)),
    "convolutions": (lambda x: jnp.convolve(x, x), (VECTOR,)),
    "special functions": (lambda x: jax.scipy.special.erf(x), (VECTOR,)),
    "half floats": (lambda x: x.astype(jnp.bfloat16) * 2, (VECTOR,)),
    "integers divided by zero": (lambda n, m: lax.div(n, m), (WHOLE, WHOLE)),
    "a float too large for an integer": (lambda x: (x * 1e300).astype(int), (VECTOR,)),
    "a shift by too many bits": (lambda n: lax.shift_left(n, jnp.full(5, 64)), (WHOLE,)),
    "the entry that is largest": (lambda x: jnp.argmax(x), (VECTOR,)),
    "many turns": (lambda x: lax.fori_loop(0, 10**6, lambda i, y: jnp.sin(y), x), (VECTOR,)),
}


@pytest.mark.parametrize("name", LEFT_TO_THE_COMPILER)
def test_does_not_guess(name: str) -> None:
    with pytest.raises(NotInterpretedError):
        _both(*LEFT_TO_THE_COMPILER[name][:1], *LEFT_TO_THE_COMPILER[name][1])


def test_what_it_leaves_is_compiled() -> None:
    measured = artefact.measure(lambda x: jnp.fft.fft(x).real, VECTOR)
    np.testing.assert_allclose(measured.outputs[0], np.fft.fft(VECTOR).real, rtol=1e-12)


def test_what_nothing_needs_is_not_run() -> None:
    text = jax.jit(jnp.sin).lower(VECTOR).as_text()
    waste = "%9 = stablehlo.round_nearest_afz %arg0 : tensor<5xf64>\n"
    with pytest.raises(NotInterpretedError):
        Interpreter(text.replace("stablehlo.sine", "stablehlo.round_nearest_afz")).run([VECTOR])
    np.testing.assert_allclose(Interpreter(text.replace("%0 = ", f"{waste}%0 = ")).run([VECTOR])[0], np.sin(VECTOR))


def test_memory_is_given_up_with_the_last_use(monkeypatch: pytest.MonkeyPatch) -> None:
    frames: list[list[Any]] = []
    run = interpreter._Machine.run

    def watched(machine: Any, block: Any, frame: Any, arguments: Any) -> Any:
        results = run(machine, block, frame, arguments)
        frames.append(frame)
        return results

    monkeypatch.setattr(interpreter._Machine, "run", watched)
    text = jax.jit(lambda x: jnp.sin(jnp.cos(jnp.sin(x)))).lower(VECTOR).as_text()
    Interpreter(text).run([VECTOR])
    assert sum(value is not None for value in frames[-1]) == 1


def test_arguments_are_left_as_they_were() -> None:
    x = VECTOR.copy()
    text = jax.jit(lambda x: x.at[0].set(5.0)).lower(x).as_text()
    Interpreter(text).run([x])[0][:] = 0
    np.testing.assert_array_equal(x, VECTOR)
