"""What is compiled ahead and read by every submission holds JAX's own operations, nothing of a reference."""

from pathlib import Path
from typing import Any

import pytest
from toys import copy_course

from autograder.engine import compiled, single
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


class NoWorkshop:
    """Nothing is run in it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> "NoWorkshop":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("entry", "runs"), [("jit_solution-0-cache", 1), ("jit_add-0-cache", 2)])
def test_the_mistakes_are_tried_only_where_the_reference_leaves_something_to_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, runs: int
) -> None:
    """Compiling ahead is part of building an image, and for most assignments there is nothing to gain from it."""
    toy = copy_course(tmp_path / "course")
    made = tmp_path / "made"
    made.mkdir()
    graded: list[str] = []

    def grade(submission: Any, *_: Any) -> None:
        graded.append(submission.cells[0])
        (made / entry).touch()

    monkeypatch.setattr(single, "grade_one", grade)
    monkeypatch.setattr(compiled, "Workshop", NoWorkshop)
    monkeypatch.setattr(compiled, "_reference", lambda _: tmp_path / "course" / "reference" / "toy.py")
    compiled.main(str(toy.folder), str(made))
    assert len(graded) == runs
