"""No sentence is told that is not true of the code: mistakes that look, in one case or in all, like others."""

# Written as students write, without annotations:
# pyright: basic

import sys
from pathlib import Path

import numpy as np
import pytest
from adkit.checks import known_mistakes
from subtle_mistakes import differences, loose

import reference.checkpointing as checkpointing
from autograder.grading import recognition

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))

import naming


@pytest.fixture(autouse=True)
def nothing_installed_afterwards():
    yield
    known_mistakes.recogniser = None


def names_told(assignment, function, answer):
    """The known mistakes whose sentences are told, in any case."""
    recognition.install(assignment)
    failed = naming.lost(assignment, function, answer)
    assert failed
    told = naming.told(assignment, function, failed)
    return {name.partition("__")[2] for case in told.values() for name in case["names"]}


def kept(key):
    """A checker that keeps its differences."""
    known = {}

    def near(g, m, x, f):
        m = known.setdefault(key(f, x), m)
        return m.shape == g.shape and np.linalg.norm(g - m) <= 1e-5 * np.linalg.norm(m)

    return loose(near)


def verdict_kept(f, grad_f, x, known={}):  # noqa: B006 (it is meant to remember)
    x = np.array(x)
    if x.tobytes() not in known:
        g, m = np.asarray(grad_f(x)), differences(f, x)
        known[x.tobytes()] = g.shape == m.shape and bool(np.linalg.norm(g - m) <= 1e-5 * np.linalg.norm(m))
    return known[x.tobytes()]


def within(share):
    return loose(lambda g, m, x, f: np.max(np.abs(g - m)) <= share * np.max(np.abs(m)))


CHECKERS = {
    "1 %": (within(0.01), {"one_per_cent"}),
    "2 %": (within(0.02), {"one_per_cent", "loose"}),
    "2.5 %": (within(0.025), {"one_per_cent", "loose"}),
    "3 %": (within(0.03), {"one_per_cent", "loose"}),
    "6 %": (within(0.06), {"one_per_cent", "loose"}),
    "3 % of each entry, or 1e-7": (
        loose(lambda g, m, x, f: np.all(np.abs(g - m) <= np.maximum(0.03 * np.abs(m), 1e-7))),
        {"loose", "allclose"},
    ),
    "the direction, and 3 % of the length": (
        loose(
            lambda g, m, x, f: (
                np.sum(g * m) >= (1 - 1e-6) * np.linalg.norm(g) * np.linalg.norm(m)
                and abs(np.linalg.norm(g) - np.linalg.norm(m)) <= 0.03 * np.linalg.norm(m)
            )
        ),
        {"loose"},
    ),
    "an absolute part": (
        loose(lambda g, m, x, f: np.linalg.norm(g - m) <= 1e-6 * (1 + np.linalg.norm(m))),
        {"allclose"},
    ),
    "an absolute tolerance": (loose(lambda g, m, x, f: np.linalg.norm(g - m) <= 1e-5), {"absolute_tolerance"}),
    "differences kept by shape": (kept(lambda f, x: np.shape(x)), set()),
    "differences kept by x": (kept(lambda f, x: x.tobytes()), set()),
    "differences kept by f(x)": (kept(lambda f, x: round(float(f(x)), 6)), set()),
    "a verdict kept by x": (verdict_kept, {"always_true"}),  # which is told in the words that every answer is True
    "nothing but the shape": (loose(lambda g, m, x, f: True), {"loose", "lengths_only", "sums_only"}),
    "always False": (lambda f, grad_f, x: False, {"too_tight"}),  # told that a right gradient is rejected
    "most entries": (  # so that one passes that is wrong in one entry by a few per cent
        loose(lambda g, m, x, f: np.mean(np.abs(g - m) <= 1e-5 * np.linalg.norm(m)) >= 0.75),
        {"loose"},
    ),
    "every fourth entry": (
        loose(lambda g, m, x, f: np.linalg.norm((g - m).ravel()[::4]) <= 1e-5 * np.linalg.norm(m)),
        {"first_entry_only", "last_entry_only", "any_entry"},
    ),
    "the sorted entries": (
        loose(lambda g, m, x, f: np.linalg.norm(np.sort(g.ravel()) - np.sort(m.ravel())) <= 1e-5 * np.linalg.norm(m)),
        {"sums_only"},
    ),
}


@pytest.mark.parametrize("words", CHECKERS)
def test_a_checker_is_told_what_is_true_of_it(words):
    checker, true = CHECKERS[words]
    assert names_told("matrix_gradients", "check_gradient", checker) <= true


SCHEDULES = {
    "kept by n": (lambda n, memory, known={}: known.setdefault(n, checkpointing.optimal_schedule(n, memory)), set()),
    "two activations too many": (lambda n, memory: checkpointing.optimal_schedule(n, memory + 2 * (memory > 0)), set()),
    "one activation too many": (
        lambda n, memory: checkpointing.optimal_schedule(n, memory + (memory > 0)),
        {"one_too_many"},
    ),
    "half of the memory": (
        lambda n, memory: checkpointing.optimal_schedule(n, max(1, memory // 2) if memory > 1 else memory),
        {"one_too_few"},
    ),
}


@pytest.mark.parametrize("words", SCHEDULES)
def test_a_schedule_is_told_what_is_true_of_it(words):
    schedule, true = SCHEDULES[words]
    assert names_told("checkpointing", "optimal_schedule", schedule) == true


def test_gaps_that_are_compared_with_a_fixed_number_are_not_told_that_something_is_added():
    from subtle_mistakes import SUBTLE

    wrong = next(s for s in SUBTLE if s.words == "gaps below 1e-6 count as equal")
    recognition.install("matrix_gradients")
    failed = naming.lost("matrix_gradients", "svd_vjp", wrong.implementation)
    told = naming.told("matrix_gradients", "svd_vjp", failed)
    assert "added to the denominators of F, or compared with them" in told["test_q5_tiny_and_huge"]["sentence"]
