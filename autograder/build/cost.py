"""What grading a right solution costs: how many distinct operations of JAX and traced programs each case asks for.

The mathematics of an assignment takes next to nothing. Its time goes into what JAX meets for the first time: an
operation with a shape that it has not seen (some milliseconds each), and a function that is traced and exported (tens
of milliseconds). So cases that differ in their numbers alone should have the same shapes. `[budget]` in assignment.toml
says how many the reference may need, all cases together, and the build fails above it.

    python -m autograder.build.cost FOLDER

counts, in a process of its own in which nothing has been met before, and prints JSON.
"""

# What is private to JAX has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportPrivateUsage=false, reportUnknownParameterType=false

import dataclasses
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.course import Course
from autograder.testcases import load_cases


@dataclass(frozen=True)
class CaseCost:
    """What one case asked for that no case before it had."""

    question: str
    case: str
    hidden: bool
    operations: int
    exports: int
    sizes: tuple[str, ...]
    """The shapes and numbers that the student's functions were called with."""


@dataclass(frozen=True)
class Cost:
    """Of all cases, in order."""

    cases: tuple[CaseCost, ...]

    @property
    def operations(self) -> int:
        """Operations of JAX, each with its shapes, that the reference runs."""
        return sum(case.operations for case in self.cases)

    @property
    def exports(self) -> int:
        """Programs that the reference is traced to."""
        return sum(case.exports for case in self.cases)

    def problems(self, assignment: Assignment) -> list[str]:
        """What is above the budget, and questions whose hidden cases have only the sizes of public ones."""
        found: list[str] = []
        where = f"{assignment.name}/assignment.toml"
        for what, count in (("operations", self.operations), ("exports", self.exports)):
            most = assignment.budget.get(what)
            if most is not None and count > most:
                dearest = sorted(self.cases, key=lambda case: getattr(case, what), reverse=True)[:3]
                shown = ", ".join(f"{case.case} {getattr(case, what)}" for case in dearest)
                found.append(
                    f"{where}: the reference needs {count} {what}, the budget is {most}; let cases share shapes, or "
                    f"raise it with a reason. Most are new in: {shown}"
                )
        for question in assignment.questions:
            cases = [case for case in self.cases if case.question == question.name]
            public = {size for case in cases if not case.hidden for size in case.sizes}
            hidden = {size for case in cases if case.hidden for size in case.sizes}
            sized = {size for size in hidden if any(map(str.isdigit, size))}  # others are numbers and names alone
            if sized and public and sized <= public:
                found.append(
                    f"{assignment.name}/tests/{question.name}.py: every size of the hidden cases is a public one; a "
                    "solution made for the sizes that can be seen would pass"
                )
        return found

    def summary(self, assignment: Assignment) -> str:
        """All cases together, in a line."""
        most = assignment.budget
        return " and ".join(
            f"{count} {what}{f' of {most[what]}' if what in most else ''}"
            for what, count in (("operations", self.operations), ("exports", self.exports))
        )

    def table(self) -> str:
        """By case, for a terminal; a case that needs nothing new is left out."""
        rows = [("operations", "exports", "case")]
        rows += [(str(c.operations), str(c.exports), c.case) for c in self.cases if c.operations or c.exports]
        rows.append((str(self.operations), str(self.exports), "all"))
        return "\n".join(f"{operations:>10} {exports:>8}  {name}" for operations, exports, name in rows)


def cost_of(assignment: Assignment) -> Cost:
    """Counts in a new process. BuildError where the reference does not pass its own tests."""
    command = [sys.executable, "-m", "autograder.build.cost", str(assignment.folder.resolve())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it ended without a word"]
        raise BuildError(f"{assignment.name}: the reference could not be counted: {lines[-1]}")
    entries: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    for entry in entries:
        entry["sizes"] = tuple(entry["sizes"])
    return Cost(tuple(CaseCost(**entry) for entry in entries))


def _count(folder: str) -> list[CaseCost]:
    from adkit.tracing import contexts, export

    from autograder.isolation import eager

    contexts.leave_out_locations()
    contexts.share_context()
    assignment = Assignment.load(folder)
    names = runpy.run_path(str(Course.of(assignment).reference(assignment.name)))
    watch = _Watch()
    functions = {name: watch.watched(names[name]) for name in assignment.functions}
    eager.interpret_eagerly()
    watch.programs()
    made: set[tuple[bytes, ...]] = set()
    traced = export.export

    def counted(*arguments: Any, **options: Any) -> Any:
        with watch:
            artefacts = traced(*arguments, **options)
        made.add(artefacts.modules)
        return artefacts

    export.export = counted
    found: list[CaseCost] = []
    for question, cases in load_cases(assignment).items():
        for case in cases:
            operations, exports = len(watch.met), len(made)
            watch.sizes.clear()
            try:
                case.run(functions)
            except Exception as problem:
                raise SystemExit(f"the reference fails {case.name}: {problem}") from problem
            found.append(
                CaseCost(
                    question, case.name, case.hidden, len(watch.met) - operations, len(made) - exports,
                    tuple(sorted(watch.sizes)),
                )
            )  # fmt: skip
    return found


class _Watch:
    """Notes which programs of JAX are run while a student's function is, and with what it is called."""

    def __init__(self) -> None:
        self.met: dict[int, Any] = {}
        """The traces that were run, by id, which keeps them alive."""
        self.sizes: set[str] = set()
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *exception: object) -> None:
        self._depth -= 1

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            if self._depth == 0 or _is_traced(arguments):
                self.sizes.add(", ".join(map(_size, arguments)))
            with self:
                return function(*map(self._outside, arguments))

        called.__name__ = function.__name__
        return called

    def _outside(self, argument: Any) -> Any:
        """A function that a test hands over, which the grader runs and not the submission."""
        if not isinstance(argument, FunctionType):
            return argument

        def asked(*arguments: Any) -> Any:
            depth, self._depth = self._depth, 0
            try:
                return argument(*arguments)
            finally:
                self._depth = depth

        return asked

    def programs(self) -> None:
        try:
            from jax._src import pjit

            run = pjit._pjit_call_impl_python
        except (ImportError, AttributeError):
            return

        def noted(*arguments: Any, jaxpr: Any, **settings: Any) -> Any:
            if self._depth:
                self.met[id(jaxpr)] = jaxpr
            return run(*arguments, jaxpr=jaxpr, **settings)

        pjit._pjit_call_impl_python = noted


def _is_traced(arguments: tuple[Any, ...]) -> bool:
    return any(type(argument).__name__.endswith("Tracer") for argument in arguments)


def _size(value: Any) -> str:
    """What decides which programs run on a value."""
    if isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, float):
        return "number"
    shape = getattr(value, "shape", None)
    if shape is not None:
        return "x".join(map(str, shape)) or "number"
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)
        inner = sorted({_size(item) for item in items if not isinstance(item, int)})
        return f"{len(items)} of {' | '.join(inner)}" if inner else f"{len(items)} integers"
    if dataclasses.is_dataclass(value):
        return f"{type(value).__name__} of " + ", ".join(
            _size(getattr(value, entry.name)) for entry in dataclasses.fields(value)
        )
    return type(value).__name__


def main(folder: str) -> None:
    """Prints the counts of the assignment in `folder` as JSON, in the last line."""
    print(json.dumps([asdict(entry) for entry in _count(folder)]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(sys.argv[1]).resolve().parent.parent))
    main(sys.argv[1])
