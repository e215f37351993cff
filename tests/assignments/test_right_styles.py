"""Right solutions in many styles get full points (`make styles` runs all of them, under many seeds)."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import cases_here
import pytest

from reference.inputs import seeds

CARRIES_OUT = "test_q6_carries_out_any_schedule"
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


def test_a_run_may_read_what_is_saved_where_the_schedule_evaluates_it_again() -> None:
    closures = next(entry for entry in import_module("right_solutions.checkpointing").RIGHT if entry.name == "closures")
    with seeds.using("style 102"):  # its schedule evaluates an activation again while it is saved
        cases = [case for case in cases_here.cases_of("checkpointing", "q6") if case.name == CARRIES_OUT]
        assert len(cases) == 1
        assert cases_here.failures("checkpointing", "q6", {closures.function: closures.answer}, cases=cases) == {}


def test_the_record_goes_on_where_it_stopped_and_fixed_cases_run_with_three_seeds(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    found: list[dict[str, Any]] = []
    for many in ("1", "3", "5"):
        command = [sys.executable, str(root / "benchmarks" / "styles.py"), "--record", str(tmp_path / "record.json")]
        command += ["--only", "ad_modes", "--questions", "q1", "--styles", "1", "--seeds", many]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        (questions,) = json.loads((tmp_path / "record.json").read_text(encoding="utf-8")).values()
        found.append(questions["ad_modes q1"])
        solutions = {
            name: {"seeds": int(many), "lost": {}} for name in ("toy_forward: reference", "toy_reverse: reference")
        }
        assert found[-1]["solutions"] == solutions
        assert f"| 2 | {2 * int(many)} | 0 |" in done.stdout
    one, three, five = (entry["comparisons"] for entry in found)
    assert three == 3 * one
    assert three < five < three + 2 * one
    assert 0 < found[-1]["margin"] < 0.1
