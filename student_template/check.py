"""Runs every notebook's public tests: `python check.py`, or `python check.py matrix_gradients` for one.

A notebook's cells are run from the top in a process of its own, as after "Restart kernel and run all cells", then each
question's tests. A question is "not yet" while its functions still raise NotImplementedError. On GitHub the table is
also the summary of the run.
"""

import atexit
import html
import importlib.abc
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# The policy: what makes this end with exit code 1, and the run on GitHub red. Change it as you like.
#   "wrong"        a question that is filled in fails a test, or a notebook does not run to its end
#   "incomplete"   anything but every public test passing
#   "nothing"      nothing: the table only informs
RED_WHEN = "wrong"

SECONDS = 900
"""One notebook with all its tests."""
HERE = Path(__file__).resolve().parent


@dataclass
class Question:
    """What the public tests say about one question."""

    name: str
    state: str
    """passed, wrong or not yet"""
    passed: int
    cases: int
    earned: float
    possible: float
    messages: list[str] = field(default_factory=list)


@dataclass
class Report:
    """One notebook."""

    notebook: str
    questions: list[Question] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Cells that failed, or why there is no more to say."""
    notes: list[str] = field(default_factory=list)
    """What the grader does otherwise than Jupyter, and what of the notebook it does not run."""


def check(name: str) -> Report:
    """Runs a notebook and its tests in a process of its own, and reads what that one wrote."""
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch, "report.json")
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1", "IPYTHONDIR": scratch}
        command = [sys.executable, str(HERE / "check.py"), "--answer", str(answer), name]
        problem = ""
        try:
            # What a notebook prints is not shown: run it in Jupyter to see it
            done = subprocess.run(
                command, cwd=HERE, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
            )
            if done.returncode != 0:
                said = done.stderr.decode("utf-8", "replace").strip().splitlines()
                problem = f"the notebook's process ended early (exit code {done.returncode}) {said[-1] if said else ''}"
        except subprocess.TimeoutExpired:
            problem = f"it took longer than {SECONDS} s; the questions below were checked until then"
        try:
            content = json.loads(answer.read_text(encoding="utf-8"))
            questions = [Question(**entry) for entry in content["questions"]]
            report = Report(name, questions, content["problems"], content["notes"])
        except (OSError, ValueError):
            report = Report(name)
    if problem:
        report.problems.append(problem.strip())
    return report


def run(name: str, answer: Path) -> None:
    """In that process: all cells, then all tests; the answer is written again after each question."""
    from otter.test_files import ExceptionTestFile

    report = Report(name)
    sys.path.insert(0, str(HERE))
    space = run_cells(HERE / f"{name}.ipynb", report)
    for file in sorted((HERE / "tests" / name).glob("q*.py"), key=lambda file: (len(file.stem), file.stem)):
        report.questions.append(question(ExceptionTestFile.from_file(str(file)), space))
        answer.write_text(json.dumps(asdict(report)), encoding="utf-8")


def run_cells(notebook: Path, report: Report) -> dict[str, Any]:
    """Runs the code cells as the grader does (`adkit.cells`); the names they define."""
    from adkit.cells import Runner, sentences

    try:
        entries = json.loads(notebook.read_text(encoding="utf-8-sig"))["cells"]
        sources = [
            "".join(cell["source"])
            for cell in entries
            if cell["cell_type"] == "code" and "otter_ignore" not in cell.get("metadata", {}).get("tags", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        report.problems.append(f"{notebook.name} cannot be read: {error}")
        return {}
    # only the notebook is handed in: it runs in a folder of its own, and of the files beside it only adkit is there
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chdir(folder)
    import jax  # noqa: F401  (before a cell asks for a GPU: the grader has it by then, too)

    sys.meta_path.insert(0, NotHandedIn())
    with Runner(folder=folder, everywhere=True) as runner, redirect_stdout(io.StringIO()):
        for number, source in enumerate(sources, start=1):
            runner.run_cell(source, number)
    report.problems += [f"code cell {failure.cell}: {failure}" for failure in runner.failures if not is_stub(failure)]
    report.notes += sentences(runner.report())
    return runner.names


class NotHandedIn(importlib.abc.MetaPathFinder):
    """Modules beside the notebook, which the grader does not have."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """An ImportError that says so; None, so that others look, for everything else."""
        beside = (HERE / f"{name}.py").is_file() or (HERE / name).is_dir()
        here = Path(os.getcwd(), f"{name}.py").is_file()  # written by a cell
        if path is None and name not in ("adkit", "check") and beside and not here:
            raise ModuleNotFoundError(f"{name} lies beside the notebook and is not handed in", name=name)


def question(file: Any, space: dict[str, Any]) -> Question:
    """Runs one question's test cases as Otter does."""
    found = Question(file.name, "passed", 0, len(file.test_cases), 0.0, 0.0)
    stubs = 0
    for case in file.test_cases:
        found.possible += case.points
        try:
            with redirect_stdout(io.StringIO()):
                case.body.call_func(space)
        except Exception as error:
            stub = is_stub(error)
            stubs += stub
            if not stub:
                found.messages.append(f"{title(case)}\n{error or type(error).__name__}")
        else:
            found.passed += 1
            found.earned += case.points
    if found.passed < found.cases:
        found.state = "not yet" if stubs and not found.messages else "wrong"
    return found


def is_stub(error: Any) -> bool:
    """Whether an error, or the failure of a cell, is only the template's `raise NotImplementedError`, met by a check or
    not."""
    return (
        isinstance(error, NotImplementedError)
        or "NotImplementedError" in getattr(error, "kinds", ())
        or getattr(error, "stub", False)
    )


def title(case: Any) -> str:
    """A test case in words."""
    words = (case.body.test_func.__doc__ or "").strip()
    return words.splitlines()[0] if words else case.name


def is_red(reports: list[Report]) -> bool:
    """What the policy says."""
    states = [question.state for report in reports for question in report.questions]
    if RED_WHEN == "nothing":
        return False
    wrong = "wrong" in states or any(report.problems for report in reports)
    return wrong or (RED_WHEN == "incomplete" and any(state != "passed" for state in states))


MARKS = {"passed": "✓", "wrong": "✗", "not yet": "·"}


def as_text(reports: list[Report]) -> str:
    """For a terminal."""
    lines: list[str] = []
    for report in reports:
        lines += ["", report.notebook]
        lines += [f"  ! {problem}" for problem in report.problems]
        lines += [f"  - {note}" for note in report.notes]
        for found in report.questions:
            points = f"{found.earned:g}/{found.possible:g} points"
            lines.append(
                f"  {MARKS[found.state]} {found.name:4} {found.state:8} {found.passed}/{found.cases} tests  {points}"
            )
            for message in found.messages:
                lines += [f"      {line}" for line in message.splitlines()]
    return "\n".join([*lines, "", total(reports), ""])


def as_markdown(reports: list[Report]) -> str:
    """For the run's page on GitHub."""
    parts = ["## Public tests", "", total(reports), ""]
    for report in reports:
        parts += [f"### {html.escape(report.notebook)}", ""]
        for problem in report.problems:
            parts += [f"<pre>{html.escape(problem[:1000])}</pre>", ""]
        parts += [f"- {html.escape(note[:1000])}" for note in report.notes]
        if report.questions:
            parts += ["| question | | tests | points |", "|---|---|--:|--:|"]
        for found in report.questions:
            tests, points = f"{found.passed}/{found.cases}", f"{found.earned:g}/{found.possible:g}"
            parts.append(f"| {html.escape(found.name)} | {MARKS[found.state]} {found.state} | {tests} | {points} |")
        parts.append("")
        for found in report.questions:
            if found.messages:
                text = html.escape("\n\n".join(message[:2000] for message in found.messages))
                parts += [f"<details><summary>{html.escape(found.name)}</summary><pre>{text}</pre></details>", ""]
    return "\n".join(parts) + "\n"


def total(reports: list[Report]) -> str:
    """One line about everything."""
    states = [found.state for report in reports for found in report.questions]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MARKS)
    return f"{len(states)} questions: {counts}. (Public tests are about 40 % of the points.)"


def main(arguments: list[str]) -> int:
    """The exit code is the policy's; 2 for a notebook that is not here."""
    if arguments[:1] == ["--answer"]:
        run(arguments[2], Path(arguments[1]))
        return 0
    there = sorted(file.stem for file in HERE.glob("*.ipynb") if (HERE / "tests" / file.stem).is_dir())
    names = [Path(name).stem for name in arguments] or there
    unknown = [name for name in names if name not in there]
    if unknown or not names:
        print(
            f"there is no notebook called {', '.join(unknown)}; here are: {', '.join(there) or 'none'}", file=sys.stderr
        )
        return 2
    reports = [check(name) for name in names]
    print(as_text(reports))
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as page:
            page.write(as_markdown(reports))
    return 1 if is_red(reports) else 0


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
