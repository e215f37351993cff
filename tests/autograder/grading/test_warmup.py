"""What is compiled ahead and read by every submission holds JAX's own operations, nothing of a reference."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
from courses import copy_course
from unisolated import OpenSession

from autograder.assignment import Assignment
from autograder.grading import grader, known, warmup
from autograder.grading.compiled import _is_jax_own
from autograder.grading.grader import Warm
from reference.inputs import seeds


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


def test_the_reference_and_an_empty_submission_are_graded_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second makes the grader try every known mistake, and what they answer is kept."""
    toy = copy_course(tmp_path / "course")
    graded: list[str] = []
    opened: list[Any] = []

    @contextmanager
    def open_grader(assignment: Assignment, **options: Any) -> Generator[Warm, None, None]:
        opened.append((assignment.name, options["compile_into"]))
        yield Warm(OpenSession, ())

    monkeypatch.setattr(warmup, "open_grader", open_grader)
    monkeypatch.setattr(warmup, "grade_one", lambda submission, *_: graded.append(submission.cells[0]))
    monkeypatch.setattr(warmup, "reference_of", lambda _: tmp_path / "course" / "reference" / "toy.py")
    warmup.grade_ahead(str(toy.folder), str(tmp_path))
    assert [("return 0.0" in source) for source in graded] == [False, True]
    assert opened == [("toy", tmp_path)]


def test_a_warm_grader_has_the_seed_and_keeps_what_known_mistakes_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = copy_course(tmp_path / "course")
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path / "cache"))
    happened: list[str] = []
    monkeypatch.setattr(known, "load", lambda assignment: happened.append(f"loaded {assignment.name} {seeds.seed()}"))
    monkeypatch.setattr(known, "save", lambda assignment: happened.append(f"saved {assignment.name} {seeds.seed()}"))
    before = seeds.seed()
    with grader.open_grader(toy, seed="a secret", make=False) as warm:
        assert seeds.seed() == "a secret"
        assert list(warm.isolation) == sorted(warm.isolation) != []
        assert not warm.lost_template()
        zygote = warm.server and warm.server._zygote
        assert zygote is not None
        zygote.kill()
        zygote.wait()
        assert warm.lost_template()
    assert happened == ["loaded toy a secret", "saved toy a secret"]
    assert seeds.seed() == before


def test_the_seed_in_use_is_that_of_the_whole_process() -> None:
    """Otter's kernel opens the grader in one cell, runs the tests in others, and closes it in yet another context."""
    opened, elsewhere = ExitStack(), Context()
    Context().run(opened.enter_context, seeds.using("a secret"))
    assert elsewhere.run(seeds.seed) == "a secret"
    elsewhere.run(opened.close)
    assert seeds.seed() != "a secret"
