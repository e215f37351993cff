"""A class whose right solutions all differ, graded in isolation, also while other programs keep the processors busy.

    python benchmarks/right_class.py --busy 6                 all assignments, six other processes beside them
    python benchmarks/right_class.py -a checkpointing -j 1    one assignment, one worker, nothing beside it

`benchmarks/styles.py` runs the same solutions under many seeds, in its own process and without limits of time. Here
each is in a notebook and meets the limits, the isolation and everything else that a student's meets. The k-th notebook
of an assignment has the k-th solution of each function in `tests/right_solutions`; then come, for `checkpointing`,
twenty that are put together from parts. Prints the time and what lost points, and exits with 1
where a submission has not earned all.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
os.environ["JAX_PLATFORMS"], os.environ["JAX_ENABLE_X64"] = "cpu", "1"
sys.path[:0] = [str(ROOT), str(ROOT / "student_template"), str(ROOT / "tests")]

from autograder.records import journal  # noqa: E402
from autograder.samples import write_sample_class  # noqa: E402

ASSIGNMENTS = ("ad_modes", "matrix_gradients", "checkpointing", "ad_in_jax")
PRELUDE = """
class Collection:
    def right(self, function, what, name=""):
        return lambda answer: answer
"""


def main() -> int:
    """Grades the classes that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--assignment", "-a", action="append", choices=ASSIGNMENTS, help="default: all")
    parser.add_argument("--jobs", "-j", type=int, default=2, help="workers")
    parser.add_argument("--busy", type=int, default=0, help="other processes that compute all the time")
    parser.add_argument("--keep", type=Path, help="a folder for the notebooks and results, if they are to stay")
    options = parser.parse_args()
    lost = 0
    with tempfile.TemporaryDirectory(prefix="right-class-") as temporary, busy(options.busy):
        for assignment in options.assignment or ASSIGNMENTS:
            folder = (options.keep or Path(temporary)) / assignment
            lost += graded(assignment, folder, options.jobs, options.busy)
    return min(lost, 1)


@contextmanager
def busy(count: int) -> Generator[None]:
    """So many processes that compute all the time."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def graded(assignment: str, folder: Path, jobs: int, beside: int) -> int:
    """Writes and grades the class of an assignment; the number of submissions without all points."""
    handed_in, out = folder / "handed_in", folder / "graded"
    taken = write_class(assignment, handed_in)
    started = time.monotonic()
    command = [sys.executable, "-m", "autograder.cli", "grade", str(handed_in), "-a", assignment, "-o", str(out)]
    code = subprocess.run([*command, "-j", str(jobs), "-q"], stdout=subprocess.DEVNULL).returncode
    if code not in (0, 1):
        raise SystemExit(f"autograder grade ended with {code}")
    took, load = time.monotonic() - started, os.getloadavg()[0]
    less = 0
    for record in journal.read_latest(out):
        result = record.result
        failed = {
            question.name: [f"{case.name}: {case.message[:200]}" for case in question.cases if not case.passed]
            for question in result.questions
        }
        if result.status != "completed" or any(failed.values()):
            less += 1
            styles = taken[result.file]
            print(f"{result.file}, {result.status} {result.problem}: {failed}\n  with {styles}", flush=True)
    print(
        f"{assignment}: {len(taken)} submissions, {less} without all points, {took:.1f} s, "
        f"{took / len(taken):.2f} s a submission, {jobs} workers, {beside} other processes, load {load:.1f}",
        flush=True,
    )
    return less


def write_class(assignment: str, folder: Path) -> dict[str, dict[str, str]]:
    """The notebooks of the class; by file, which solution of which function it has."""
    with tempfile.TemporaryDirectory() as samples:
        write_sample_class(assignment, Path(samples), hanging=False)
        perfect: dict[str, Any] = json.loads(Path(samples, "perfect.ipynb").read_text(encoding="utf-8"))
    folder.mkdir(parents=True)
    taken: dict[str, dict[str, str]] = {}
    names = names_of(assignment)
    text = (ROOT / "tests" / "right_solutions" / f"{assignment}.py").read_text(encoding="utf-8")
    definitions = PRELUDE + without_imports_of(text, ["right_solutions"])
    for number in range(max(map(len, names.values()))):
        chosen = {function: every[number % len(every)] for function, every in names.items()}
        file = f"student{number:03}.ipynb"
        last = "\n".join(f"{function} = {name}" for function, name in chosen.items())
        write_notebook(folder / file, perfect, [definitions, last])
        taken[file] = chosen
    if assignment == "checkpointing":
        from independent_solutions import solution

        for number in range(20):
            file = f"together{number:03}.ipynb"
            write_notebook(folder / file, perfect, solution(number))
            taken[file] = {"schedules": f"put together {number}"}
    return taken


def names_of(assignment: str) -> dict[str, list[str]]:
    """By function, how its right solutions are called in `tests/right_solutions`."""
    names: dict[str, list[str]] = {}
    for right in import_module(f"right_solutions.{assignment}").RIGHT:
        names.setdefault(right.function, []).append(right.answer.__name__)
    every = [name for each in names.values() for name in each]
    assert len(set(every)) == len(every), "two solutions have one name"
    return names


def without_imports_of(text: str, packages: Sequence[str]) -> str:
    """The text of a module without its imports from these packages."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module in packages:
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines)


def write_notebook(path: Path, perfect: dict[str, Any], cells: Sequence[str]) -> None:
    """The solved notebook with further cells, whose definitions are the last ones."""
    empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    more = [empty | {"id": f"more{number}", "source": source} for number, source in enumerate(cells)]
    path.write_text(json.dumps(perfect | {"cells": [*perfect["cells"], *more]}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
