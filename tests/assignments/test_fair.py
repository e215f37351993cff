"""Points are fair: noise costs none, a later question costs none of an earlier one, and the tables are true."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import reference.checkpointing as checkpointing
import reference.matrix_gradients as matrix_gradients
from autograder.assignment import Assignment
from autograder.grading.one import grade_one
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission
from autograder.testcases import load_cases

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import half_right

RECORD = half_right.read_record()
AGAIN = "python benchmarks/half_right.py --write"
ALIKE: dict[tuple[str, str], str] = {
    ("test_q3_random_graphs_of_every_op", "test_q3_factors_of_zero"): (
        "A wrong rule for the sine loses the first alone (mutants of `local_partials`, make validity); one that takes "
        "value over factor in a product, which is right but at 0, the second."
    ),
    ("test_q3_random_vectors", "test_q3_under_vmap"): (
        "What cannot be mapped (a branch on the values of v, NumPy, a float of it) answers every vector rightly, and "
        "loses the second alone."
    ),
    ("test_q6_gradient_for_random_matrices", "test_q6_gradient_for_rectangular_matrices"): (
        "The formula for square matrices is most of the points; what mixes up m and n loses the second alone."
    ),
    ("test_q8_every_primitive", "test_q8_several_users"): (
        "A test that never asks about a primitive loses the first alone (mutants of the graphs that the reference asks "
        "about, make validity); one in whose graphs nothing is shared, and with no sum of three, the second."
    ),
    ("test_q7_corner_cases", "test_q7_recomputes_each_segment_once"): (
        "What crosses for no checkpoint, for all of them and for the output alone; how often a layer is evaluated "
        "again. A loss that takes the output, where it is the only checkpoint, for none loses the first alone, nested "
        "checkpoints where there should be one segment the second: test_checkpointing_scores.py has both."
    ),
}
"""Pairs of hidden cases that exactly the same known mistakes lose, and why both are there."""


# ---------------------------------------- noise, and what comes later


def noisy(answer: Any, noise: np.random.Generator) -> Any:
    """The answer with every float off by about 1e-13 of itself: another BLAS, another order of a sum."""
    if isinstance(answer, list | tuple):
        return type(answer)([noisy(part, noise) for part in answer])
    if isinstance(answer, float) or hasattr(answer, "dtype"):
        return answer * jnp.asarray(1 + 1e-13 * noise.standard_normal(np.shape(answer)))
    return answer


NOISY = {
    "matrix_gradients": (matrix_gradients, ("q1", "q3", "q4", "q5")),
    "checkpointing": (checkpointing, ("q6", "q7")),
}


@pytest.mark.parametrize(("name", "question"), [(name, q) for name, (_, qs) in NOISY.items() for q in qs])
def test_noise_that_is_another_one_in_each_call_costs_nothing(name: str, question: str) -> None:
    noise = np.random.default_rng(5)
    module, assignment = NOISY[name][0], Assignment.load(name)

    def made_noisy(function: str) -> Any:
        right = getattr(module, function)
        return lambda *given: noisy(right(*given), noise)

    functions = {function: made_noisy(function) for function in assignment.question(question).functions}
    for case in load_cases(assignment)[question]:
        case.run(functions)


LATER = {
    "a function raises": "def checkpointed_schedule(n, checkpoints): return [1][n + 5]",
    "a function recurses": "def checkpointed_schedule(n, checkpoints): return checkpointed_schedule(n, checkpoints)",
    "a function leaves": "import sys\ndef checkpointed_schedule(n, checkpoints): sys.exit(1)",
    "a function ends its process": "import os\ndef checkpointed_schedule(n, checkpoints): os._exit(1)",
    "a function does not end": "def checkpointed_schedule(n, checkpoints):\n    while True: pass",
    "a cell raises": "raise RuntimeError('in between')",
    "a cell leaves": "import sys\nsys.exit(1)",
    "a cell ends its process": "import os\nos._exit(1)",
    "a cell takes the name away": "checkpointed_schedule = None",
}


@pytest.mark.parametrize("what", LATER)
def test_what_goes_wrong_later_costs_nothing_of_an_earlier_question(workshop: ForkServer, what: str) -> None:
    loaded = Assignment.load("checkpointing")
    questions = tuple(question for question in loaded.questions if question.name in ("q1", "q2", "q3"))
    assignment = replace(loaded, questions=questions, limits=replace(loaded.limits, call_seconds=1))
    # right, and in one cell each, before and after what goes wrong
    vanilla = (
        "def vanilla_schedule(n):\n"
        "    up = [(name, i) for i in range(1, n + 1) for name in ('forward', 'save')]\n"
        "    return up + [(name, i) for i in range(n, 0, -1) for name in ('backward', 'free')]"
    )
    poor = (
        "def memory_poor_schedule(n):\n"
        "    sweep = lambda i: [('forward', k) for k in range(1, i + 1)] + [('backward', i)]\n"
        "    return [action for i in range(n, 0, -1) for action in sweep(i)]"
    )
    submission = Submission("later", None, (vanilla, LATER[what], poor))
    result = grade_one(submission, assignment, partial(Session, workshop), "s")
    assert [question.earned for question in result.questions] == [3, 3, 0]


# ---------------------------------------- what half-right answers earn


ANSWERS = [
    (name, question, answer)
    for name in RECORD
    for question in Assignment.load(name).questions
    for answer in half_right.answers(Assignment.load(name), question)
]


TRACED = {("checkpointing", "q6"), ("checkpointing", "q7"), ("checkpointing", "q9")}
TRACED |= {("ad_in_jax", question) for question in ("q1", "q2", "q3", "q4", "q6", "q7")}


def _is_quick(name: str, question: Any, answer: half_right.Answer) -> bool:
    """What is traced takes seconds, and following every path up to the limit of time; what remembers an earlier call
    answers otherwise when it is measured again."""
    slow = (name, question.name) in TRACED or answer.words in ("recursive", "whole jacobian")
    return not slow and not answer.words.startswith(half_right.SUBTLE)


def test_every_known_mistake_was_measured_with_the_tests_that_there_are() -> None:
    assert {"ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing"} == set(RECORD)
    for name, question, answer in ANSWERS:
        key = half_right.digest(Assignment.load(name), question, answer)
        assert RECORD[name][question.name].get(answer.words, [""])[0] == key, f"{answer.words}: run `{AGAIN}`"


def test_every_known_mistake_was_seen_to_lose_points() -> None:
    for name, question, answer in ANSWERS:
        assert RECORD[name][question.name][answer.words][1]


@pytest.mark.parametrize(
    ("name", "question", "answer"),
    [one for one in ANSWERS if _is_quick(*one)][::4],
    ids=lambda part: getattr(part, "words", getattr(part, "name", part)),
)
def test_a_known_mistake_earns_what_was_measured(name: str, question: Any, answer: half_right.Answer) -> None:
    assignment = Assignment.load(name)
    measured = RECORD[name][question.name][answer.words][1]
    assert half_right.lost_by(assignment, question, answer) == measured


def test_the_handbooks_tables_are_those_that_were_measured() -> None:
    text = half_right.PAGE.read_text(encoding="utf-8")
    assert half_right.page(text, RECORD) == text, f"run `{AGAIN}`"
    for name in RECORD:
        for question in Assignment.load(name).questions:
            assert f"<!-- half-right: {name} {question.name} -->" in text


def test_hidden_cases_that_the_same_mistakes_lose_have_a_reason() -> None:
    pairs = {
        pair
        for name in RECORD
        for question in Assignment.load(name).questions
        for pair in half_right.alike(
            list(load_cases(Assignment.load(name))[question.name]), RECORD[name][question.name]
        )
    }
    assert pairs == set(ALIKE)
    assert all(ALIKE.values())


def test_a_case_that_nobody_loses_would_be_found() -> None:
    assignment = Assignment.load("checkpointing")
    cases = [case for case in load_cases(assignment)["q1"] if case.hidden]
    assert list(half_right.alike(cases, {"none": ["", []]})) == [(cases[0].name, cases[1].name)]
    assert list(half_right.alike(cases, {"one": ["", [cases[0].name]]})) == []
