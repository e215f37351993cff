"""Runs every notebook's public cases: `python check.py`, or `python check.py matrix_gradients` for one.

A notebook's cells are run from the top in a process of its own, as after "Restart kernel and run all cells", then each
question's public cases, by the same code as `grader.check`. A question is "not yet" while its functions still raise
NotImplementedError. On GitHub the table is also the summary of the run.
"""

import argparse
import atexit
import html
import importlib.abc
import io
import json
import os
import re
import shutil
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from adkit.notebook.fresh_run import Problem, fresh_run  # noqa: E402  (adkit is beside this file)
from adkit.notebook.handout import FACTS, Handout, HandoutError, nearest  # noqa: E402
from adkit.notebook.public_cases import QuestionResult, check_question  # noqa: E402
from adkit.notebook.report import as_markdown, found_text, total  # noqa: E402

# The policy: what makes this end with exit code 1, and the run on GitHub red. Change it as you like.
#   "wrong"        a question that is filled in fails a case, or a notebook does not run to its end
#   "incomplete"   anything but every public case passing
#   "nothing"      nothing: the table only informs
RED_WHEN = "wrong"


@dataclass
class Report:
    """One notebook."""

    notebook: str
    questions: list[QuestionResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Cells that failed, or why there is no more to say."""
    notes: list[str] = field(default_factory=list)
    """What to know besides."""


def check(name: str, notebook: Path, questions: list[str], traces: bool = False) -> Report:
    """Runs a notebook and its cases in a process of its own, and prints what that one finds as it comes."""
    handout = Handout.load(HERE / "tests" / name)
    width = max(len(f"{question.name}: {question.title}") for question in handout.questions)
    report = Report(name)
    print(f"\n{notebook.name}: {handout.title}", flush=True)
    for found in fresh_run(HERE / "check.py", handout, notebook.read_bytes(), questions):
        if isinstance(found, QuestionResult):
            report.questions.append(found)
        else:
            (report.problems if isinstance(found, Problem) else report.notes).append(found.text)
        print(found_text(found, width, traces), flush=True)
    return report


def run(name: str, notebook: Path, questions: list[str], answer: Path) -> None:
    """In that process: all cells, then all cases; each answer is written when it is there."""
    handout = Handout.load(HERE / "tests" / name)
    report = Report(name)
    global answers
    with open(answer, "a", encoding="utf-8") as answers:
        space = run_cells(notebook, report)
        write("cell", None)
        for kind in ("problems", "notes"):
            for found in getattr(report, kind):
                write(kind, found)
        for question in handout.questions:
            if not questions or question.name in questions:
                with redirect_stdout(io.StringIO()):
                    result = check_question(handout, question, space)
                write("question", asdict(result))


answers: IO[str] | None = None
"""Where the process that runs a notebook writes what it finds."""


def write(kind: str, found: Any) -> None:
    """Tells the process that waits; one that runs cells says which, and is ended where one takes too long."""
    if answers is not None:
        answers.write(json.dumps({kind: found}) + "\n")
        answers.flush()


def run_cells(notebook: Path, report: Report) -> dict[str, Any]:
    """Runs the code cells as the grader does (`adkit.notebook.cells`); the names they define."""
    from adkit.notebook.cells import Runner, sentences

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
            write("cell", source)
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
            raise ModuleNotFoundError(f"{name} is beside the notebook and is not handed in", name=name)


def is_stub(failure: Any) -> bool:
    """Whether a cell only met a question that is not written yet."""
    return failure.stub


def is_red(reports: list[Report]) -> bool:
    """What the policy says."""
    states = [question.state for report in reports for question in report.questions]
    if RED_WHEN == "nothing":
        return False
    wrong = "wrong" in states or any(report.problems for report in reports)
    return wrong or (RED_WHEN == "incomplete" and any(state != "passed" for state in states))


def summary_page(reports: list[Report]) -> str:
    """For the run's page on GitHub, in Markdown."""
    everything = [question for report in reports for question in report.questions]
    parts = ["## Public cases", "", html.escape(total(everything)), ""]
    for report in reports:
        parts += [f"### {html.escape(report.notebook)}", ""]
        for words in report.problems + report.notes:
            parts += [f"<pre>{html.escape(words[:1000])}</pre>", ""]
        parts += [as_markdown(report.questions), ""]
    return "\n".join(parts) + "\n"


def assignments() -> list[str]:
    """The assignments whose public tests are here."""
    return sorted(file.parent.name for file in HERE.glob(f"tests/*/{FACTS}"))


def assignment_of(notebook: Path) -> str | None:
    """Which assignment a notebook belongs to: by its name, else by its setup cell."""
    names = assignments()
    by_name = [name for name in names if notebook.stem == name] or [name for name in names if name in notebook.stem]
    if len(by_name) == 1:
        return by_name[0]
    try:
        content = notebook.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return None
    named = [name for name in names if re.search(rf'Notebook\(\\?["\']{re.escape(name)}\b', content)]
    return named[0] if len(named) == 1 else None


def chosen(given: list[str]) -> list[tuple[str, Path]]:
    """The assignments and notebooks that are meant; ValueError says what is not here."""
    there = [(name, HERE / f"{name}.ipynb") for name in assignments() if (HERE / f"{name}.ipynb").is_file()]
    if not given:
        if not there:
            raise ValueError(f"there is no notebook in {HERE} that belongs to the tests here")
        return there
    found: list[tuple[str, Path]] = []
    for name in given:
        options = [Path(name), HERE / name, Path(f"{name}.ipynb"), HERE / f"{name}.ipynb"]
        path = next((option for option in options if option.suffix == ".ipynb" and option.is_file()), None)
        if path is None:
            here = ", ".join(name for name, _ in there) or "none"
            raise ValueError(f"there is no notebook named {name}; here are: {here}")
        assignment = assignment_of(path)
        if assignment is None:
            raise ValueError(f"{path.name}: which assignment is it? Name it after one of: {', '.join(assignments())}")
        found.append((assignment, path.resolve()))
    return found


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    made = argparse.ArgumentParser(
        prog="check.py",
        description="Runs notebooks from the top and then their public cases, as grader.check does in the notebook. "
        "The hidden cases run where your work is graded.",
        epilog="Exit codes: 0 nothing is wrong, 1 something is (RED_WHEN in check.py says what counts), "
        "2 no such notebook or question.",
    )
    made.add_argument(
        "notebook", nargs="*", help="a notebook, with or without .ipynb; all that are here when none is named"
    )
    made.add_argument(
        "-q", "--question", action="append", default=[], help="only this question; more than once for several"
    )
    made.add_argument("--traceback", action="store_true", help="also say where exceptions were raised")
    return made


def checked(arguments: list[str]) -> tuple[list[tuple[str, Path]], argparse.Namespace]:
    """The command line, understood; ValueError when it names what is not there."""
    options = parser().parse_args(arguments)
    notebooks = chosen(options.notebook)
    known = [question.name for name, _ in notebooks for question in Handout.load(HERE / "tests" / name).questions]
    for question in options.question:
        if question not in known:
            raise ValueError(f"there is no question '{question}'{nearest(question, list(dict.fromkeys(known)))}")
    return notebooks, options


def main(arguments: list[str]) -> int:
    """The exit code is the policy's; 2 for a notebook or a question that is not here."""
    if arguments[:1] == ["--answer"]:  # check() calls this in a process of its own
        _, answer, _, notebook, name, *questions = arguments
        run(name, Path(notebook), questions, Path(answer))
        return 0
    try:
        notebooks, options = checked(arguments)
        reports = [check(name, notebook, options.question, options.traceback) for name, notebook in notebooks]
    except (ValueError, HandoutError) as problem:
        print(f"check.py: {problem}", file=sys.stderr)
        return 2
    print(f"\n{total([question for report in reports for question in report.questions])}")
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as page:
            page.write(summary_page(reports))
    return 1 if is_red(reports) else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
