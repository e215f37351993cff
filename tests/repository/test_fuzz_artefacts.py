"""A sample of `benchmarks/fuzz_artefacts.py`, whose full run is in `benchmarks/RECORDS.md`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import fuzz_artefacts

CASES = ("lu", "qr, tall", "svd", "eig", "cholesky", "triangular_solve", "schur, lax", "tridiagonal")


def test_what_the_audit_lets_through_of_mutated_artefacts_neither_crashes_nor_reads_unwritten_memory() -> None:
    record = fuzz_artefacts.fuzz(fuzz_artefacts.Record(seed=2), count=150, run=12, cases=CASES)
    assert record.faults == []
    assert record.ran == 12
    assert record.let_through > 20
    assert sum(record.refusals.values()) > 20


def test_the_fuzzing_goes_on_where_it_stopped() -> None:
    whole = fuzz_artefacts.fuzz(fuzz_artefacts.Record(seed=3), count=60, run=0, cases=CASES)
    half = fuzz_artefacts.fuzz(fuzz_artefacts.Record(seed=3), count=30, run=0, cases=CASES)
    rest = fuzz_artefacts.fuzz(half, count=60, run=0, cases=CASES)
    assert (rest.done, rest.let_through, rest.refusals) == (60, whole.let_through, whole.refusals)
