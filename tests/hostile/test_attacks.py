"""Every attack of the corpus, handed in and watched from outside: none may gain anything."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.isolation.layers import policy
from hostile.apparatus import Lab
from hostile.corpus import ATTACKS, BY_NAME
from hostile.runners import BATCH, SessionRunner

KINDS = ("score", "leak", "host", "availability", "persistence", "injection")


@pytest.fixture(scope="module")
def runner() -> Iterator[SessionRunner]:
    with Lab() as lab, SessionRunner(lab) as runner:
        # what waits for a limit waits for this one; a machine that is busy takes nothing from it (isolation/clock.py)
        limits = replace(runner.assignment.limits, notebook_seconds=1, call_seconds=0.8)
        runner.assignment = replace(runner.assignment, limits=limits)
        yield runner


@pytest.fixture(scope="module")
def unprotected() -> Iterator[SessionRunner]:
    with Lab() as lab, SessionRunner(lab, policy(allow_none=True)) as runner:
        yield runner


@pytest.mark.parametrize(
    "name", [pytest.param(attack.name, marks=pytest.mark.slow if attack.slow else ()) for attack in ATTACKS]
)
def test_the_attack_gains_nothing(runner: SessionRunner, name: str) -> None:
    attack = next(attack for attack in ATTACKS if attack.name == name)
    assert not runner.run(attack).found, attack.tries


def test_no_attack_whose_outcome_was_recorded_is_missing_from_the_corpus() -> None:
    record = (Path(__file__).parents[2] / "benchmarks" / "attacks.jsonl").read_text(encoding="utf-8")
    recorded = {json.loads(line)["attack"] for line in record.splitlines()}
    assert recorded - {BATCH} - BY_NAME.keys() == set()


def test_the_corpus_has_attacks_of_every_class_that_say_what_they_try_and_how_it_would_show() -> None:
    assert {attack.kind for attack in ATTACKS} == set(KINDS)
    assert len({attack.name for attack in ATTACKS}) == len({attack.file_name for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.tries and attack.seen for attack in ATTACKS)


@pytest.mark.parametrize(
    "name",
    [
        "uses-the-reference-it-finds",
        "reads-hidden-tests",
        "links-to-secrets",
        "tcp",
        "unix-sockets",
        "datagrams-from-a-pair",
        "starts-programs",
    ],
)
def test_the_apparatus_sees_the_attack_succeed_where_nothing_is_isolated(unprotected: SessionRunner, name: str) -> None:
    """Harmless ones: the proof that the attacks are live and that nothing would be missed."""
    assert unprotected.run(BY_NAME[name]).found
