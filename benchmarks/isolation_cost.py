"""What isolation costs: `python benchmarks/isolation_cost.py [--repeat N]`. Medians of N.

Set-up: a submission of one cell opened and closed, with all layers, with each one left out, and with none. A call: of
a function that returns its argument, a number and then a matrix. No JAX is in it: that is the submission's time.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np

from autograder.assignment import Assignment, Question
from autograder.isolation import layers
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

ASSIGNMENT = Assignment("cost", "Cost", Path(), (Question("q1", "t", 1, ("f",)),))
SUBMISSION = Submission("cost", None, ("def f(x): return x",))


def main() -> int:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repeat", type=int, default=30)
    repeat = parser.parse_args().repeat
    chosen = layers.policy()
    started = time.perf_counter()
    with ForkServer(chosen) as workshop:
        print(f"template process, once a worker: {time.perf_counter() - started:.2f} s")
        print("| layers | open and close | of it close |")
        print("|---|---|---|")
        cases = [("all", chosen.layers), ("none", frozenset[str]())]
        cases += [(f"without {layer}", chosen.layers - {layer}) for layer in sorted(chosen.layers)]
        for name, used in cases:
            workshop.policy = replace(workshop.policy, layers=used)
            whole, closing = zip(*(_open(workshop) for _ in range(repeat)), strict=True)
            print(f"| {name} | {_milliseconds(whole)} | {_milliseconds(closing)} |")
        workshop.policy = chosen
        with Session(workshop, SUBMISSION, ASSIGNMENT) as session:
            f = session.functions["f"]
            for what, value in (
                ("a number", 1.0),
                ("a 100 x 100 matrix", np.ones((100, 100))),
                ("10 000 numbers", [0.5] * 10_000),
            ):
                print(f"one call with {what}: {_milliseconds([_call(f, value) for _ in range(repeat * 5)])}")
    return 0


def _open(workshop: ForkServer) -> tuple[float, float]:
    started = time.perf_counter()
    with Session(workshop, SUBMISSION, ASSIGNMENT):
        opened = time.perf_counter()
    ended = time.perf_counter()
    return ended - started, ended - opened


def _call(f: object, value: object) -> float:
    started = time.perf_counter()
    f(value)  # pyright: ignore
    return time.perf_counter() - started


def _milliseconds(seconds: "tuple[float, ...] | list[float]") -> str:
    return f"{statistics.median(seconds) * 1000:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
