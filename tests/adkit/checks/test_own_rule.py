"""Points for a rule of one's own come from the source and from what is measured, never from what an exception says."""

from functools import partial

import pytest

from autograder.assignment import Assignment
from autograder.grading.one import grade_one
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

HEAD = """
import sys
import jax, jax.numpy as jnp
from jax.scipy.linalg import lu_factor, lu_solve
"""
LIES = """
def linear_solve(A, b):
    frame = sys._getframe()
    while frame is not None:
        if frame.f_locals.get("transform") == "jvp":
            raise TypeError("can't apply forward-mode differentiation (jvp) to a custom_vjp function.")
        frame = frame.f_back
    return jnp.linalg.solve(A, b)
"""
LIES_IN_FRAMES = """
from autograder.isolation import child
def linear_solve(A, b): return jnp.linalg.solve(A, b)
real = child._reply
def reply(answer):
    told = real(answer)
    said = ["TypeError", "Exception"], "can't apply forward-mode differentiation (jvp) to a custom_vjp function."
    return {**told, "rules": ["linear_solve"]} if "raised" not in told else {"raised": said[0], "message": said[1]}
child._reply = reply
child._look = lambda request: {"uses": {}, "rules": ["linear_solve"]}
"""
IN_A_CLASS = """
class Rule:
    def __init__(self):
        self.own = jax.custom_vjp(lambda A, b: lu_solve(lu_factor(A), b))
        self.own.defvjp(self.forward, self.backward)
    def forward(self, A, b):
        factors = lu_factor(A)
        x = lu_solve(factors, b)
        return x, (factors, x)
    def backward(self, kept, x_bar):
        factors, x = kept
        b_bar = lu_solve(factors, x_bar, trans=1)
        return -(jnp.outer(b_bar, x) if x.ndim == 1 else b_bar @ x.T), b_bar
rule = Rule()
def linear_solve(A, b): return rule.own(A, b)
"""
BY_CUSTOM_LINEAR_SOLVE = """
def linear_solve(A, b):
    factors = lu_factor(A)
    solve = lambda _, r: lu_solve(factors, r)
    back = lambda _, r: lu_solve(factors, r, trans=1)
    return jax.lax.custom_linear_solve(lambda x: A @ x, b, solve, back)
"""
PLAIN = 2.5
"""What JAX's own solve earns in q2: jit and vmap, several right-hand sides, second derivatives."""


@pytest.mark.parametrize(
    ("code", "points"),
    [(LIES, PLAIN), (LIES_IN_FRAMES, PLAIN), (IN_A_CLASS, 6.0), (BY_CUSTOM_LINEAR_SOLVE, 6.0)],
    ids=["an exception that lies", "replies that lie", "a rule in a class", "custom_linear_solve"],
)
def test_a_solve_earns_what_its_source_and_its_measured_work_are_worth(
    workshop: ForkServer, code: str, points: float
) -> None:
    result = grade_one(
        Submission("solve", None, (HEAD, code)), Assignment.load("matrix_gradients"), partial(Session, workshop), "seed"
    )
    assert next(question.earned for question in result.questions if question.name == "q2") == points
