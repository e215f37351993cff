"""Right solutions in many styles get full points (`make styles` runs all of them, under many seeds)."""

from importlib import import_module
from typing import Any

import cases_here
import pytest

QUICK = {"toy_forward", "toy_reverse", "local_partials", "mode_cost", "choose_mode", "vanilla_schedule"}
QUICK |= {"memory_poor_schedule", "checkpointed_schedule", "choose_checkpoints", "nuclear_norm_gradient"}
ENTRIES = [
    pytest.param(assignment, entry, marks=() if entry.function in QUICK else pytest.mark.slow, id=entry.name)
    for assignment in ("ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing")
    for entry in import_module(f"right_solutions.{assignment}").RIGHT
]


@pytest.mark.parametrize(("assignment", "entry"), ENTRIES)
def test_a_right_solution_earns_all_points(assignment: str, entry: Any) -> None:
    question = cases_here.question_of(assignment, entry.function)
    assert cases_here.failures(assignment, question, {entry.function: entry.answer}) == {}
