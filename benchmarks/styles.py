"""Does every right solution earn all points, whatever the seed, the Python and the JAX? And how near to losing them?

Right solutions in many styles (the reference, `tests/right_solutions`, the right ones of `tests/*_solutions.py`) are
graded in this process under many seeds, each of which draws other inputs for the hidden cases. Each comparison of
numbers on the way is measured: the error divided by the tolerance, which has to stay well below 1.

What is run goes on where it stopped and is kept in benchmarks/styles.json by Python and JAX. It may be interrupted at
any time. All solutions are graded with ten seeds, then all with the next ten, and so on: of one that is graded with
several in a row most is compiled and traced once. All that a seed changes is computed anew: what is taken over is what
JAX traces and compiles of the same function for arrays of the same shapes. Cases that draw nothing by the seed ask
every time for the same, and are run with the first three seeds alone.

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
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / "build" / "styles"
"""What JAX has compiled, for the next time that it is asked for."""
os.environ |= {
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_X64": "1",
    # one thread, as in a submission's process
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
}
sys.path[:0] = [str(ROOT), str(ROOT / "student_template"), str(ROOT / "tests")]

import adkit.checks  # noqa: E402  # after the environment is set
import cases_here  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
from adkit.checks import values  # noqa: E402
from adkit.tracing import contexts, export  # noqa: E402

from autograder.records.run import write_atomically  # noqa: E402
from autograder.testcases import Case  # noqa: E402
from reference.inputs import seeds  # noqa: E402

RECORD = Path(__file__).with_suffix(".json")
ASSIGNMENTS = ("ad_modes", "matrix_gradients", "checkpointing", "ad_in_jax")
FULL = {"linear_solve_vjp": 6.0}
"""Points that a solution in NumPy has to earn where work is counted in a trace."""
OLDEST = jax.__version__ == "0.4.38"
NEWER = {"by QR with pivoting"} if OLDEST else set[str]()
"""Solutions that call what the oldest JAX does not have."""
BLOCK = 10
"""Seeds with which a solution is graded before the next one."""
ALL_CASES = 3
"""Seeds with which all cases are run, those too that draw nothing by them."""
COMPILED_SEEDS = 2
"""So many seeds in a row leave on disk what JAX compiled for them; with the others that is what holds their numbers."""
MOST_MEMORY = 1_500_000_000
"""Bytes; with more a new process goes on: what JAX has traced and compiled is not given back in full."""
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


def compared_by(value: Any) -> Any:
    """Something that is equal for equal data: pytrees by their structure, arrays by their bytes, else the object."""
    leaves, structure = jax.tree.flatten(value)
    return structure, tuple(
        (leaf.shape, str(leaf.dtype), np.asarray(leaf).tobytes())
        if isinstance(leaf, np.ndarray | np.generic | jax.Array)
        else (type(leaf), repr(leaf) if isinstance(leaf, float) else leaf)
        for leaf in leaves
    )


def known_by(f: Any, args: Sequence[Any], inputs: Sequence[Any], transform: str, static: Sequence[Any]) -> Any:
    """What the program that JAX traces of `f` depends on; None where that is not known."""
    if transform == "vjp_at":
        return None  # numbers, not a program
    try:
        shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in inputs)
        key = f, transform, jax.tree.structure(tuple(args)), shapes, compared_by(tuple(static))
        hash(key)
    except TypeError:
        return None
    return key


def remembered(measure: Callable[..., Any]) -> Callable[..., Any]:
    """`measure`, which counts what a check's own function does once where the same is asked for every solution."""
    found: dict[Any, Any] = {}

    def wrapper(f: Any, *args: Any, **options: Any) -> Any:
        code, cells = getattr(f, "__code__", None), getattr(f, "__closure__", None)
        if options.get("run", True) or code is None or not code.co_filename.endswith("transformations.py"):
            return measure(f, *args, **options)
        try:
            key = code, compared_by([cell.cell_contents for cell in cells or ()]), compared_by(args), repr(options)
            hash(key)
        except TypeError:
            return measure(f, *args, **options)
        if key not in found:
            found[key] = measure(f, *args, **options)
        return found[key]

    return wrapper


def faster() -> None:
    """Has JAX and the checks do again only what has to be done again."""
    contexts.leave_out_locations()
    if not OLDEST:  # where lowering a function invalidates what is kept of others in its context
        contexts.share_context()
    COMPILED.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(COMPILED))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    parts: Any = export
    parts._known_by, parts._KEPT_BYTES, parts.measure = known_by, 8_000_000, remembered(export.measure)


class Draws:
    """Which cases draw their inputs by the seed."""

    def __init__(self) -> None:
        self._case = ""
        self._run, self._drawing = set[str](), set[str]()
        drawn = seeds.seed

        def seed() -> str:
            self._drawing.add(self._case)
            return drawn()

        seeds.seed = seed

    def cases(self, assignment: str, question: str, seed: int) -> list[Case]:
        """Those of a question that are to be run with a seed."""
        every = {f"{assignment} {case.name}": case for case in cases_here.cases_of(assignment, question)}
        fixed = self._run - self._drawing if seed >= ALL_CASES else set[str]()
        return [
            replace(case, run=partial(self._noted, name, case.run)) for name, case in every.items() if name not in fixed
        ]

    def _noted(self, name: str, run: Callable[[dict[str, Any]], None], functions: dict[str, Any]) -> None:
        self._case = name
        try:
            run(functions)
        finally:
            self._case = ""
            self._run.add(name)


def memory() -> int:
    """The bytes that this process has in memory, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def styles(assignment: str) -> Iterator[tuple[str, str, Any]]:
    """(function, name, implementation) of every right solution, the reference's first."""
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


@dataclass(frozen=True)
class Style:
    """A right solution of one function."""

    assignment: str
    function: str
    name: str
    implementation: Any

    @property
    def question(self) -> str:
        """The question that asks for it."""
        return cases_here.question_of(self.assignment, self.function)

    def recorded(self, here: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What an environment's record has of its question, and of it."""
        empty = {"solutions": {}, "comparisons": 0, "margin": 0.0}
        entry = here.setdefault(f"{self.assignment} {self.question}", empty)
        return entry, entry["solutions"].setdefault(f"{self.function}: {self.name}", {"seeds": 0, "lost": {}})


def chosen(options: argparse.Namespace) -> Iterator[Style]:
    """The solutions that are asked for."""
    for assignment in options.only or ASSIGNMENTS:
        taken: dict[str, int] = {}
        for function, name, implementation in styles(assignment):
            style = Style(assignment, function, name, implementation)
            taken[function] = taken.get(function, 0) + 1
            asked = not options.questions or style.question in options.questions
            if asked and name not in NEWER and taken[function] <= options.styles:
                yield style


def run(options: argparse.Namespace, record: dict[str, Any]) -> None:
    """Ten seeds after ten; the record is written after each solution."""
    adkit.checks.close = values.close = measured(values.close)
    here: dict[str, Any] = record.setdefault(ENVIRONMENT, {})
    until = time.monotonic() + 60 * options.minutes
    every = list(chosen(options))
    faster()
    draws = Draws()
    try:
        for first in range(0, options.seeds, BLOCK):
            for style in every:
                _, solution = style.recorded(here)
                last = min(first + BLOCK, options.seeds)
                with export.programs_kept(), few_are_kept() as graded:
                    while solution["seeds"] < last and memory() < MOST_MEMORY:
                        if time.monotonic() > until:
                            return
                        grade(here, draws, style)
                        graded()
                write(record, options.record)
                if memory() >= MOST_MEMORY:
                    left = (until - time.monotonic()) / 60
                    os.execv(sys.executable, [*sys.orig_argv, "--minutes", str(left)])
    finally:
        write(record, options.record)


@contextmanager
def few_are_kept() -> Generator[Callable[[], None]]:
    """Forgets in the end what JAX has compiled, but for the first seeds; what is given is called after each seed."""
    done, before = 0, set[Path]()

    def graded() -> None:
        nonlocal done, before
        done += 1
        if done == COMPILED_SEEDS:
            before = set(COMPILED.iterdir())

    try:
        yield graded
    finally:
        if done > COMPILED_SEEDS:
            for file in set(COMPILED.iterdir()) - before:
                file.unlink()


def write(record: dict[str, Any], path: Path) -> None:
    """Writes the record, at once or not at all."""
    write_atomically(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def grade(here: dict[str, Any], draws: Draws, style: Style) -> None:
    """Grades a solution with the next seed, and adds it to the record of this environment."""
    global measuring
    entry, solution = style.recorded(here)
    seed: int = solution["seeds"]
    measuring = Margin()
    with seeds.using(f"style {seed}"):
        cases = draws.cases(style.assignment, style.question, seed)
        lost = cases_here.failures(
            style.assignment, style.question, {style.function: style.implementation}, 60.0, cases
        )
    solution["seeds"] = seed + 1
    if lost:
        solution["lost"][str(seed)] = {case: str(error)[:200] for case, error in lost.items()}
        where = f"{style.assignment} {style.question} {style.function}, {style.name}"
        print(f"seed {seed}, {where}: {solution['lost'][str(seed)]}", flush=True)
    entry["comparisons"] += measuring.comparisons
    if measuring.largest > entry["margin"]:
        entry["margin"], entry["at"] = measuring.largest, f"{style.name}, {measuring.case}"


def table(record: dict[str, Any]) -> str:
    """Right solutions by question and environment, then the margins of all environments together."""
    lines = ["| environment | solutions | graded with a seed | lost points |", "|---|---|---|---|"]
    margins: dict[str, tuple[int, float, str]] = {}
    for environment, questions in record.items():
        solutions = [s for entry in questions.values() for s in entry["solutions"].values() if s["seeds"]]
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
    parser.add_argument("--record", type=Path, default=RECORD, help="what is recorded, if not benchmarks/styles.json")
    options = parser.parse_args()
    path: Path = options.record
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not options.table:
        run(options, record)
    print(table(record))


if __name__ == "__main__":
    main()
