"""Does every right solution earn all points, whatever the seed, the Python and the JAX? And how near to losing them?

Right solutions in many styles (the reference, `tests/right_solutions`, the right ones of `tests/*_solutions.py`) are
graded in this process under many seeds, each of which draws other inputs for the hidden cases. Each comparison of
numbers on the way is measured: the error divided by the tolerance, which has to stay well below 1.

What is run goes on where it stopped, the seeds in the outer loop, and is kept in benchmarks/styles.json by Python and
JAX. It may be interrupted at any time.

    python benchmarks/styles.py --seeds 100 --minutes 30     this environment, as far as half an hour goes
    python benchmarks/styles.py --only ad_modes --styles 3   the reference and two more per function
    python benchmarks/styles.py --table                      the tables of what is recorded
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"], os.environ["JAX_ENABLE_X64"] = "cpu", "1"
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "student_template"), str(ROOT / "tests")]

import adkit.checks  # noqa: E402  # after the environment is set
import jax  # noqa: E402
import numpy as np  # noqa: E402
from adkit.checks import values  # noqa: E402

RECORD = Path(__file__).with_suffix(".json")
ASSIGNMENTS = ("ad_modes", "matrix_gradients", "checkpointing", "ad_in_jax")
FULL = {"linear_solve_vjp": 6.0}
"""Points that a solution in NumPy has to earn where work is counted in a trace."""
NEWER = {"by QR with pivoting"} if jax.__version__ == "0.4.38" else set[str]()
"""Solutions that call what the oldest JAX does not have."""
ENVIRONMENT = f"Python {platform.python_version()}, JAX {jax.__version__}"


class Margin:
    """The largest error of the comparisons of a question, relative to its tolerance."""

    def __init__(self) -> None:
        self.comparisons, self.largest, self.case = 0, 0.0, ""

    def note(self, ratio: float, case: str) -> None:
        """Counts a comparison."""
        self.comparisons += 1
        if ratio > self.largest:
            self.largest, self.case = ratio, case


measuring: Margin | None = None


def measured(close: Callable[..., None]) -> Callable[..., None]:
    """`checks.close`, which notes how near each comparison was to failing."""

    def wrapper(
        actual: Any, expected: Any, *, rtol: float, atol: float = 0.0, scale: str = "norm", **more: Any
    ) -> None:
        close(actual, expected, rtol=rtol, atol=atol, scale=scale, **more)
        if measuring is None:
            return
        given, right = (np.asarray(each, dtype=np.float64) for each in (actual, expected))
        error = np.abs(given - right)
        if scale == "entry":
            allowed = atol + rtol * np.abs(right)
            ratio = np.max(np.divide(error, allowed, out=np.zeros_like(error), where=allowed > 0), initial=0.0)
        else:
            size = float(np.max(np.abs(right), initial=0.0)) or 1.0
            bound = atol / size + rtol * float(np.linalg.norm(np.ravel(right / size)))
            ratio = float(np.linalg.norm(np.ravel(error / size))) / bound if bound else 0.0
        measuring.note(float(ratio), str(more.get("what", "")))

    return wrapper


def styles(assignment: str) -> Iterator[tuple[str, str, Any]]:
    """(function, name, implementation) of every right solution, the reference's first."""
    import cases_here

    for function, implementation in cases_here.reference_of(assignment).items():
        yield function, "reference", implementation
    for right in import_module(f"right_solutions.{assignment}").RIGHT:
        yield right.function, right.name, right.answer
    if assignment in ("ad_in_jax", "matrix_gradients"):
        for (function, what), given in import_module(f"{assignment}_solutions").RIGHT.items():
            implementation = given if assignment == "ad_in_jax" else given[1]
            if assignment == "ad_in_jax" or given[0] != FULL.get(function):
                yield function, what, implementation
    if assignment == "checkpointing":
        from independent_solutions import solution

        for number in range(20):
            names: dict[str, Any] = {}
            exec("\n\n".join(solution(number)), names)
            for function in ("vanilla_schedule", "memory_poor_schedule", "checkpointed_schedule", "choose_checkpoints"):
                yield function, f"put together {number}", names[function]


def run(options: argparse.Namespace, record: dict[str, Any]) -> None:
    """Seed after seed; the record is written after each solution."""
    global measuring
    import cases_here

    from reference.inputs import seeds

    adkit.checks.close = values.close = measured(values.close)
    here: dict[str, Any] = record.setdefault(ENVIRONMENT, {})
    until = time.monotonic() + 60 * options.minutes
    chosen: list[tuple[str, str, str, Any]] = []
    for assignment in options.only or ASSIGNMENTS:
        taken: dict[str, int] = {}
        for function, name, implementation in styles(assignment):
            taken[function] = taken.get(function, 0) + 1
            question = cases_here.question_of(assignment, function)
            asked = not options.questions or question in options.questions
            if asked and name not in NEWER and taken[function] <= options.styles:
                chosen.append((assignment, function, name, implementation))
    for seed in range(options.seeds):
        for assignment, function, name, implementation in chosen:
            question = cases_here.question_of(assignment, function)
            entry = here.setdefault(f"{assignment} {question}", {"solutions": {}, "comparisons": 0, "margin": 0.0})
            solution = entry["solutions"].setdefault(f"{function}: {name}", {"seeds": 0, "lost": {}})
            if solution["seeds"] > seed:
                continue
            if time.monotonic() > until:
                return
            measuring = Margin()
            with seeds.using(f"style {seed}"):
                lost = cases_here.failures(assignment, question, {function: implementation}, 60.0)
            solution["seeds"] = seed + 1
            if lost:
                solution["lost"][str(seed)] = {case: str(error)[:200] for case, error in lost.items()}
                print(
                    f"seed {seed}, {assignment} {question} {function}, {name}: {solution['lost'][str(seed)]}",
                    flush=True,
                )
            entry["comparisons"] += measuring.comparisons
            if measuring.largest > entry["margin"]:
                entry["margin"], entry["at"] = measuring.largest, f"{name}, {measuring.case}"
            RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def table(record: dict[str, Any]) -> str:
    """Right solutions by question and environment, then the margins of all environments together."""
    lines = ["| environment | solutions | graded with a seed | lost points |", "|---|---|---|---|"]
    margins: dict[str, tuple[int, float, str]] = {}
    for environment, questions in record.items():
        solutions = [s for entry in questions.values() for s in entry["solutions"].values()]
        runs, lost = sum(s["seeds"] for s in solutions), sum(len(s["lost"]) for s in solutions)
        lines.append(f"| {environment} | {len(solutions)} | {runs} | {lost} |")
        for question, entry in questions.items():
            count, margin, at = margins.get(question, (0, 0.0, ""))
            count += entry["comparisons"]
            margins[question] = (count, *max((margin, at), (entry["margin"], entry.get("at", ""))))
    lines += ["", "| question | comparisons | largest error / tolerance | at |", "|---|---|---|---|"]
    for question, (count, margin, at) in sorted(margins.items()):
        if count:
            lines.append(f"| {question} | {count} | {margin:.1e} | {at} |")
    total = sum(count for count, *_ in margins.values())
    return "\n".join([*lines, f"| together | {total} | {max(m for _, m, _ in margins.values()):.1e} | |"])


def main() -> None:
    """Runs what is missing, as far as the time goes, and prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="assignments")
    parser.add_argument("--questions", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--styles", type=int, default=1000, help="at most so many per function")
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--table", action="store_true", help="run nothing")
    options = parser.parse_args()
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    if not options.table:
        run(options, record)
    print(table(record))


if __name__ == "__main__":
    main()
