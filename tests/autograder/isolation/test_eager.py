"""What a submission computes with JAX is interpreted first and compiled later, and gives the same either way."""

import io
import json
import os
import pickle
import subprocess
import sys
import textwrap
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.isolation import operations

SETUP = """
import json, os, sys, threading
import numpy as np, jax, jax.numpy as jnp
from adkit.tracing import contexts
from autograder.isolation import eager, operations
compiled = []
from jax._src import compiler
build = compiler.compile_or_get_cached
def counted(*arguments, **options):
    compiled.append(1)
    return build(*arguments, **options)
compiler.compile_or_get_cached = counted
rng = np.random.default_rng(1)
A, B, b = rng.standard_normal((4, 4)) + 4 * np.eye(4), rng.standard_normal((4, 3)), rng.standard_normal(4)
def f(x):
    return jnp.sum(jnp.tanh(A @ x) ** 2) + jnp.linalg.norm(x)
def plain():
    U, s, Vt = jnp.linalg.svd(B, full_matrices=False)
    return [
        jnp.linalg.solve(A, b), (U * s) @ Vt, jnp.outer(b, b)[1:, ::2], jnp.where(b > 0, b, 0.0), jnp.arange(5) // 2,
        jnp.ones(3) * 2, jnp.sin(2.0), jnp.asarray(3), jnp.float32(2) * jnp.ones(2, jnp.float32), jnp.max(b), b[0] + jnp.asarray(b),
    ]
def everything():
    return plain() + [
        jax.grad(f)(b), jax.hessian(f)(b), jax.jit(f)(b), jax.vmap(f)(B.T), jnp.concatenate([b, b]), jnp.asarray(b).at[1].set(7.0),
        jax.lax.fori_loop(0, 5, lambda k, x: x * 1.5 + k, jnp.asarray(b)), jax.lax.cond(True, jnp.sin, jnp.cos, 1.0),
        jax.random.normal(jax.random.key(3), (2,)), jnp.asarray([1, 2], jnp.int32) + 1, jnp.asarray(b, complex) * 1j,
    ]
def told(values):
    return [[np.asarray(v).tolist().__repr__() if np.iscomplexobj(v) else np.asarray(v, float).tolist(), str(v.dtype), bool(v.weak_type), list(v.shape)] for v in values]
"""  # noqa: E501


def run(script: str, **environment: str) -> Any:
    """What a script prints, as JSON, run by a process of its own: the hooks stay in a process."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(script)],
        env={**os.environ, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu", "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the operations that `plain` asks for."""
    folder = tmp_path_factory.mktemp("kept")
    run(
        """
        operations.record(sys.argv[1] if len(sys.argv) > 1 else os.environ["INTO"])
        plain()
        print(1)
        """,
        INTO=str(folder),
    )
    operations.gather(folder)
    return folder / operations.FILE


def test_values_types_and_shapes_are_those_of_the_compiler() -> None:
    numbers = run(
        """
        first = told(everything()); jax.clear_caches(); before = len(compiled)
        eager.interpret_eagerly()
        second = told(everything())
        print(json.dumps([first, second, before, len(compiled) - before]))
        """
    )
    first, second, with_compiler, interpreted = numbers
    for (a, *types), (b, *others) in zip(first, second, strict=True):
        assert types == others
        if isinstance(a, str):
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    assert interpreted < 0.2 * with_compiler  # random numbers and keys are the compiler's


def test_what_is_asked_for_often_is_compiled_between_two_calls() -> None:
    during, after, value = run(
        """
        eager.interpret_eagerly()
        g = jax.jit(lambda x: x * 2 + 1)
        x = jnp.ones(3)
        for _ in range(300): y = g(x)
        during = len(compiled)
        eager.settle()
        for _ in range(3): y = g(x)
        print(json.dumps([during, len(compiled), y.tolist()]))
        """
    )
    assert during == 0
    assert after == 1
    assert value == [3.0, 3.0, 3.0]


def test_the_body_of_a_long_loop_is_compiled_at_once() -> None:
    times = run(
        """
        eager._AT_ONCE = 0.01
        eager.interpret_eagerly()
        g = jax.jit(lambda x: jnp.cos(x))
        x = jnp.ones(3)
        for _ in range(2000): x = g(x)
        print(len(compiled))
        """
    )
    assert times == 1


def test_values_do_not_change_with_the_arrays_they_were_made_of() -> None:
    assert (
        run(
            """
        eager.interpret_eagerly()
        x = np.arange(64.0)
        y = jax.jit(lambda x: x.reshape(8, 8))(x)
        x[:] = -1
        print(json.dumps(float(y[0, 5])))
        """
        )
        == 5.0
    )


@pytest.mark.parametrize("setting", ["jax_debug_nans", "jax_disable_jit"])
def test_settings_of_a_student_hold(setting: str) -> None:
    assert run(
        f"""
        eager.interpret_eagerly()
        jax.config.update("{setting}", True)
        try:
            value = float(jax.jit(lambda x: jnp.log(x) if not {setting == "jax_disable_jit"} or x < 0 else x)(-1.0))
            print(json.dumps("a value"))
        except FloatingPointError:
            print(json.dumps("no number"))
        """
    ) == ("no number" if setting == "jax_debug_nans" else "a value")


def test_a_debug_print_in_a_jitted_function_still_prints() -> None:
    assert run(
        """
        eager.interpret_eagerly()
        seen = []
        g = jax.jit(lambda x: (jax.debug.callback(lambda v: seen.append(float(v)), x), x + 1)[1])
        g(2.0); jax.effects_barrier()
        print(json.dumps(seen))
        """
    ) == [2.0]


def test_prepared_operations_are_neither_lowered_nor_compiled(kept: Path) -> None:
    number, threads, live, before, after, met = run(
        """
        contexts.share_context()
        threads = len(os.listdir("/proc/self/task"))
        number = operations.prepare()
        threads = len(os.listdir("/proc/self/task")) - threads
        from jax._src import xla_bridge
        live = bool(xla_bridge._backends)
        eager.interpret_eagerly()
        before = len(eager._programs)
        plain()
        names = [str(p.jaxpr)[:60] for _, p in list(eager._programs.values())[before:] if p is not None]
        print(json.dumps([number, threads, live, before, len(eager._programs), names]))
        """,
        **{operations.READ: str(kept)},
    )
    assert number == before > 15
    assert (threads, live) == (0, False)  # or the zygote could not fork
    assert after == before, met


@pytest.mark.skipif(version("jax") == "0.4.38", reason="there each backward pass says another thing")
def test_what_was_met_outside_of_a_transformation_is_found_in_one() -> None:
    assert (
        run(
            """
        contexts.share_context()
        eager.interpret_eagerly()
        from jax._src import core
        x = jnp.arange(3.0)
        jax.lax.mul(x, x)
        met = len(eager._programs)
        program = jax.make_jaxpr(lambda x: jax.lax.mul(x, x))(x)
        core.eval_jaxpr(program.jaxpr, program.consts, x)  # as a backward pass does
        print(json.dumps(len(eager._programs) - met))
        """
        )
        == 0
    )


def test_no_function_of_the_reference_is_kept(tmp_path: Path) -> None:
    run(
        """
        operations.record(os.environ["INTO"])
        secret = jax.jit(lambda x: jnp.linalg.solve(A, x) + 4711.0)
        secret(b); jax.grad(lambda x: secret(x).sum())(b); jax.lax.fori_loop(0, 3, lambda k, x: x + 4711.0, 1.0)
        print(1)
        """,
        INTO=str(tmp_path),
    )
    operations.gather(tmp_path)
    content = (tmp_path / operations.FILE).read_bytes()
    assert b"solve" not in content
    assert b"4711" not in content
    assert b"<lambda>" not in content


class _Hostile:
    def __reduce__(self) -> Any:
        return subprocess.call, (["true"],)


@pytest.mark.parametrize("value", [_Hostile(), print, subprocess.Popen, test_settings_of_a_student_hold])
def test_only_what_belongs_to_jax_is_read(value: Any) -> None:
    with pytest.raises(pickle.UnpicklingError):
        operations._Unpickler(io.BytesIO(pickle.dumps(value))).load()


def test_a_file_that_is_none_prepares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"", b"no pickle", pickle.dumps([b"nor this"])):
        (tmp_path / "file").write_bytes(content)
        monkeypatch.setenv(operations.READ, str(tmp_path / "file"))
        assert operations.prepare() == 0
    monkeypatch.setenv(operations.READ, str(tmp_path / "nothing"))
    assert operations.prepare() == 0
