"""A submission that computes its answer from the numbers of a function while it is traced, and exports that answer."""

import pytest
from adkit import checks

from autograder.assignment import Assignment
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission
from autograder.testcases import load_cases

SEARCH = '''
import gc
import jax.numpy as jnp
import numpy as np
from adkit import functions


def numbers_of(f, kind):
    """The arrays of f as NumPy has them, or of any such function that lies about in memory."""
    try:
        return {name: np.asarray(value) for name, value in vars(f).items()}
    except Exception:
        seen = [g for g in gc.get_objects() if isinstance(g, kind)]
        seen = [vars(g) for g in seen if all(isinstance(value, np.ndarray) for value in vars(g).values())]
        return [g for g in seen if all(g[name].shape == value.shape for name, value in vars(f).items())][-1]


def concrete(x):
    """x, or the array of its shape that the process was given."""
    try:
        return np.asarray(x)
    except Exception:
        return [a for a in gc.get_objects() if isinstance(a, np.ndarray) and a.shape == x.shape][-1]


def jacobian(f, x):
    g = numbers_of(f, functions.TanhMap)
    slope = 1 - np.tanh(g["A"] @ concrete(x) + g["b"]) ** 2
    return jnp.asarray(g["B"] * slope @ g["A"])


def hvp(f, x, v):
    g = numbers_of(f, functions.Logistic)
    p = 1 / (1 + np.exp(g["X"] @ concrete(x)))
    return jnp.asarray(concrete(v) @ (g["X"].T * (p * (1 - p)) @ g["X"] / len(p)) + g["penalty"] * concrete(v))
'''
COUNTED = {
    "q2": ("few_results", "one_result_of_many_inputs", "few_inputs"),
    "q3": ("makes_no_hessian", "few_multiplications", "few_multiplications_a_row", "makes_no_hessian_for_rows"),
}


@pytest.mark.parametrize("question", COUNTED)
def test_what_is_computed_from_a_functions_numbers_in_the_trace_earns_nothing(
    workshop: ForkServer, question: str
) -> None:
    assignment = Assignment.load("ad_in_jax")
    cases = {case.name.removeprefix(f"test_{question}_"): case for case in load_cases(assignment)[question]}
    with Session(workshop, Submission("attack", None, (SEARCH,)), assignment) as session:
        for name in COUNTED[question]:
            case = cases[name]
            assert checks.first_failure(lambda case=case: case.run(session.functions)) is not None, name


def test_the_same_numbers_are_at_hand_where_nothing_is_counted(workshop: ForkServer) -> None:
    """The attack works where it may: so it is the missing numbers that the cases above fail for."""
    assignment = Assignment.load("ad_in_jax")
    cases = {case.name: case for case in load_cases(assignment)["q3"]}
    with Session(workshop, Submission("attack", None, (SEARCH,)), assignment) as session:
        case = cases["test_q3_random_vectors"]
        assert checks.first_failure(lambda: case.run(session.functions)) is None
