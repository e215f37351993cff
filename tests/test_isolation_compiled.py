"""What is compiled ahead and read by every submission holds JAX's own operations, nothing of a reference."""

import pytest

from autograder.engine.compiled import _is_jax_own


@pytest.mark.parametrize(
    "name", ["jit_add", "jit__where", "jit_dot_general", "jit_lu_factor", "jit__reduce_sum", "jit_eigh"]
)
def test_an_operation_of_jax_is_kept(name: str) -> None:
    assert _is_jax_own(f"{name}-{'0' * 64}-cache")


@pytest.mark.parametrize(
    "name",
    ["jit_call", "jit_linear_solve_vjp", "jit_nuclear_norm", "jit__lambda", "jit_main", "jit_f", "pjit_add", "x"],
)
def test_a_compiled_function_of_the_reference_is_not_kept(name: str) -> None:
    assert not _is_jax_own(f"{name}-{'0' * 64}-cache")
