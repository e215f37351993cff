"""The assignments' own tests on answers of every odd kind: a failed case each time, never a failed grader."""

from functools import partial

import pytest

from autograder.assignment import Assignment, names
from autograder.grading.one import grade_one
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

ANSWERS = (
    "None", "0", "-1", "float('nan')", "float('inf')", "2**63 - 1", "True", "'forward'", "b'x'", "1j", "[]", "()", "{}",
    "[[]]", "(0.0,) * 5", "[(1.0, 2.0)] * 5", "[('forward', 1)]", "[('forward', 2**62)]", "[('save', 'x')]",
    "[(1, 2, 3)]", "[None] * 7", "[[1, [2]], 3]", "{'a': 1}", "np.zeros((0, 3))", "np.zeros((2, 2, 2), complex)",
    "np.full((3, 3), np.nan)", "[np.zeros((3, 3)), np.zeros(3)]", "{1: 2, 'b': [1]}", "list(range(2000))", "[10**18]",
    "(np.zeros((3, 3)), 'x')", "np.zeros((1,) * 30)", "a", "a[0]", "jnp.zeros(3)",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("assignment", names())
def test_an_odd_answer_fails_its_cases_and_not_the_grader(workshop: ForkServer, assignment: str, answer: str) -> None:
    loaded = Assignment.load(assignment)
    functions = "".join(f"def {name}(*a): return {answer}\n" for name in loaded.functions)
    code = f"import numpy as np, jax.numpy as jnp\n{functions}"
    result = grade_one(Submission("odd", None, (code,)), loaded, partial(Session, workshop), "seed")
    assert result.grader_notes == ()
    assert result.status == "completed"
    assert result.earned < result.possible / 3
