"""What is compiled ahead and read by every submission holds JAX's own operations, nothing of a reference."""

from pathlib import Path
from typing import Any

import pytest
from courses import copy_course

from autograder.grading import compiled, known
from autograder.grading import one as single
from autograder.grading.compiled import _is_jax_own


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


def test_the_reference_and_a_submission_that_knows_nothing_are_graded_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second makes the grader try every known mistake, and what they answer is kept."""
    toy = copy_course(tmp_path / "course")
    graded: list[str] = []
    kept: list[str] = []
    monkeypatch.setattr(single, "grade_one", lambda submission, *_: graded.append(submission.cells[0]))
    monkeypatch.setattr(known, "save", lambda assignment: kept.append(assignment.name))
    monkeypatch.setattr(compiled, "Workshop", NoWorkshop)
    monkeypatch.setattr(compiled, "reference_of", lambda _: tmp_path / "course" / "reference" / "toy.py")
    compiled.main(str(toy.folder), str(tmp_path))
    assert [("return 0.0" in source) for source in graded] == [False, True]
    assert kept == ["toy"]
