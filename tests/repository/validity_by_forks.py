"""What forks, of the tests of `make validity`: run by `test_validity.py`, in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from validity import mutants, record, scoring
from validity.mutants import ASSIGNMENTS, Mutant, mutants_of, questions_of, reference_functions
from validity.oracles import oracles_of
from validity.scoring import ORACLE, PASSED, TOO_SLOW, cases_of, in_children

QUESTIONS = [(assignment, question) for assignment in ASSIGNMENTS for question in questions_of(assignment)]
IN_NO_TIME = [*(("ad_modes", q) for q in ("q1", "q2", "q5", "q6")), *(("checkpointing", q) for q in ("q1", "q2", "q4"))]


@pytest.fixture(scope="module", autouse=True)
def in_a_process_of_its_own(request: pytest.FixtureRequest) -> None:
    """Fails where other tests may have used JAX before: a fork of a process with its threads waits for ever."""
    if any(item.path != request.path for item in request.session.items):
        pytest.fail("needs a process of its own: pytest -n 0 tests/repository/validity_by_forks.py", pytrace=False)


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    return record.read_summary()


def known_to_lose(summary: dict[str, Any], assignment: str, question: str) -> list[Mutant]:
    """The mutants that lose points by the figures, in a random order that is always the same."""
    entry = summary["assignments"].get(assignment, {}).get(question)
    if entry is None:
        return []  # not measured: another test says so
    others = {*entry["survivors"], *entry["equivalents"], *entry["equivalent by hand"]}
    found = [mutant for mutant in mutants_of(assignment, question) if mutant.name not in others]
    return sorted(found, key=lambda mutant: mutant.digest)


def test_a_sample_of_the_mutants_loses_points(summary: dict[str, Any]) -> None:
    jobs = [
        (mutant, [case.name for case in cases_of(assignment, question)])
        for assignment, question in QUESTIONS
        for mutant in known_to_lose(summary, assignment, question)[: 6 if assignment == "ad_modes" else 2]
    ]
    lost = {id(mutant) for mutant, _, what in in_children(jobs, workers=2, first_only=True) if what != PASSED}
    assert [f"{m.assignment} {m.question} {m.name}" for m, _ in jobs if id(m) not in lost] == []


@pytest.mark.parametrize(("assignment", "question"), IN_NO_TIME)
def test_oracles_pass_the_references_and_refute_what_loses_points(
    summary: dict[str, Any], assignment: str, question: str
) -> None:
    oracles_of(assignment)[question].check(reference_functions(assignment, question))
    refuted = 0
    sample = [(mutant, [ORACLE]) for mutant in known_to_lose(summary, assignment, question)[:20]]
    for _, _, what in in_children(sample):
        refuted += what != PASSED
    assert refuted == len(sample)


def loop(*_: Any) -> Any:
    while True:
        pass


def end(*_: Any) -> Any:
    os._exit(3)


def recurse(*args: Any) -> Any:
    return recurse(*args)


def fill(*_: Any) -> Any:
    return [bytes(1 << 26) for _ in range(1 << 20)]


def mutant(function: Callable[..., Any]) -> Mutant:
    return Mutant("ad_modes", "q1", function.__name__, "toy", function.__name__, lambda: {"toy_forward": function})


def test_a_mutant_that_loops_ends_python_or_fills_the_memory_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "LEAST", 0.5)
    right = mutants.reference_functions("ad_modes", "q1")["toy_forward"]
    case = cases_of("ad_modes", "q1")[0].name
    jobs = [(mutant(function), [case]) for function in (loop, end, recurse, fill, right)]
    assert [what for _, _, what in in_children(jobs)] == [TOO_SLOW, "-", "-", "-", PASSED]


def test_no_case_is_run_behind_the_first_that_fails_where_that_is_all_that_is_asked() -> None:
    cases = [case.name for case in cases_of("ad_modes", "q1")]
    assert [case for _, case, _ in in_children([(mutant(recurse), cases)], first_only=True)] == cases[:1]
    assert [case for _, case, _ in in_children([(mutant(recurse), cases)])] == cases
