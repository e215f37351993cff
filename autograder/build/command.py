"""`autograder build`: generated files are written, or (`--check`) compared with what is there.

What is wrong with the sources is said all at once, and each stage says in a line what it found.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.assignment import Assignment, AssignmentError, names
from autograder.build import BuildError, Faults, stamp
from autograder.build.assign import assign
from autograder.build.bundle import write_bundle
from autograder.build.cost import Cost, cost_of
from autograder.build.course import Course
from autograder.build.figures import split_figures
from autograder.build.hints import check_rereads, read_hints
from autograder.build.known_mistakes import KNOWN_MISTAKES, Table, known_mistakes
from autograder.build.leaks import Leak, find_leaks, handed_out, secrets
from autograder.build.master import master_notebook
from autograder.build.notebooks import solution_notebook, student_notebook
from autograder.build.percent import Cell, read_cells
from autograder.build.pictures import render as render_pictures
from autograder.build.solution import Module
from autograder.build.stamp import Stamp
from autograder.build.tables import stale_pages
from autograder.build.testfiles import TestFile, agree, read_test_files, render

FACTS = "assignment.json"
"""What a student's checks know of an assignment besides its tests: see `adkit.notebook.handout`."""
Say = Callable[[str, str], None]
"""Takes the name of a stage and what it found."""
GRADERS_VERSIONS = ("numpy", "jax")
"""The packages whose version can make a difference to a student's functions."""


@dataclass(frozen=True)
class Built:
    """One assignment, built in memory."""

    assignment: Assignment
    cells: tuple[Cell, ...]
    tests: tuple[TestFile, ...]
    student: str
    """The student's notebook, as text."""
    solution: str
    """The instructor's notebook, as text."""
    public: dict[str, str]
    """What else belongs in student_template/, by relative path."""
    known: Table | None = None
    """The sealed sentences about known mistakes."""

    @property
    def template_files(self) -> dict[str, str]:
        """Everything generated for student_template/, by relative path."""
        return {f"{self.assignment.name}.ipynb": self.student, **self.public}


@dataclass
class BuildReport:
    """What a build did or would do."""

    built: list[str] = field(default_factory=list[str])
    written: list[str] = field(default_factory=list[str])
    stale: list[str] = field(default_factory=list[str])
    leaks: list[Leak] = field(default_factory=list[Leak])
    problems: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    """Assignments that were not built again, because nothing that they are made from has changed."""
    guessed: list[str] = field(default_factory=list[str])
    """Sentences about known mistakes that can be read without making the mistake."""

    costs: dict[str, Cost] = field(default_factory=dict[str, Cost])
    """By assignment, where it has a budget: what grading the reference takes."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.stale or self.leaks or self.problems)


def build(
    names: list[str], dist: Path, check: bool, guessable: bool = False, again: bool = False, costs: bool = False
) -> int:
    """Builds the named assignments (all when none is named) and prints what happened; 0 when all is well.

    guessable: also list the sentences about known mistakes that can be read without making the mistake.
    again: also where nothing has changed since the last build.
    costs: also print, by case, what grading the reference takes (`autograder.build.cost`).
    """
    try:
        report = run(names, dist, check, again or guessable or costs, say=_Stages())
    except (BuildError, AssignmentError) as error:
        print(f"autograder build: {error}", file=sys.stderr)
        return 2
    for path in report.written:
        print(f"wrote  {path}")
    for entry in report.guessed if guessable else ():
        print(f"guessable  {entry}")
    for name, cost in report.costs.items():
        if costs or any(problem.startswith(f"{name}/") for problem in report.problems):
            print(f"{name}\n{cost.table()}")
    for leak in report.leaks:
        print(f"LEAK   {leak}", file=sys.stderr)
    for path in report.stale:
        print(f"stale  {path}", file=sys.stderr)
    for problem in report.problems:
        print(f"error  {problem}", file=sys.stderr)
    if report.stale:
        print("Run `autograder build` and commit what it writes.", file=sys.stderr)
    if report.ok and check:
        print(f"up to date: {', '.join(sorted(report.built + report.unchanged))}")
    elif report.ok:
        if report.built:
            print(f"built: {', '.join(report.built)}")
        if report.unchanged:
            print(f"unchanged since the last build: {', '.join(report.unchanged)}")
    return 0 if report.ok else 1


class _Stages:
    """Prints a line when a stage is done, with the seconds it took where these are worth a word."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def __call__(self, stage: str, text: str) -> None:
        now = time.monotonic()
        took = f"  ({now - self._since:.0f} s)" if now - self._since >= 1 and text else ""
        print(f"  {stage:<10} {text}{took}" if text else stage, flush=True)
        self._since = now


def _silent(_stage: str, _text: str) -> None: ...


def run(wanted: list[str], dist: Path, check: bool, again: bool = True, say: Say = _silent) -> BuildReport:
    """The same as data. With `check` nothing is written; without, nothing is written when something would leak
    or has to be decided first. Without `again` an assignment that has not changed since it was built is left alone."""
    report = BuildReport()
    assignments = [Assignment.load(name) for name in wanted or names()]
    if assignments:
        _pages(assignments[0], check, report)
    # Those whose own sources have changed come first: what they write is handed out beside the others.
    stamps = {each.name: None if again else Stamp.load(dist / each.name) for each in assignments}
    if not again:
        assignments.sort(key=lambda each: _same_sources(stamps[each.name], each))
    for assignment in assignments:
        before = stamps[assignment.name]
        if before is not None and before.holds(assignment, with_dist=not check):
            report.unchanged.append(assignment.name)
            if not check:
                (dist / assignment.name / "autograder.zip").touch()  # newer than what it was found to agree with
            continue
        say(assignment.name, "")
        try:
            if not check:
                report.written += [_shown(path) for path in _refresh_figures(assignment)]
            begun = stamp.begin(assignment)
            built = assemble(assignment, say)
            if assignment.budget:
                cost = report.costs[assignment.name] = cost_of(assignment)
                say("cost", cost.summary(assignment))
                report.problems += cost.problems(assignment)
        except BuildError as error:
            report.problems += error.faults
            continue
        course = Course.of(assignment)
        report.built.append(assignment.name)
        leaks = _leaks(built, course)
        say("leaks", f"{len(leaks) or 'none'}")
        where = _shown(course.mistakes(assignment.name))
        problems = [] if built.known is None else [f"{where}, {problem}" for problem in built.known.problems()]
        report.leaks += leaks
        report.problems += problems
        if built.known is not None:
            report.guessed += [f"{assignment.name}: {entry}" for entry in built.known.guessed]
        if check:
            report.stale += _stale(built, course)
        elif not (report.leaks or report.problems):
            report.written += _write(built, course, dist, begun)
    return report


def _same_sources(before: Stamp | None, assignment: Assignment) -> bool:
    return before is not None and before.sources == stamp.sources(assignment)


def _pages(one: Assignment, check: bool, report: BuildReport) -> None:
    """The tables in the READMEs of the course that an assignment belongs to."""
    root = Course.of(one).root
    every = [Assignment.load(file.parent) for file in sorted((root / "assignments").glob("*/assignment.toml"))]
    for page, text in stale_pages(root, every).items():
        if check:
            report.stale.append(_shown(page))
        else:
            page.write_text(text, encoding="utf-8")
            report.written.append(_shown(page))


def _refresh_figures(assignment: Assignment) -> list[Path]:
    """Makes the PNG of each figure whose SVG has changed; where that cannot be done, assembling says which it is."""
    try:
        return render_pictures(sorted((assignment.folder / "figures").glob("*.svg")))
    except RuntimeError:
        return []


def assemble(assignment: Assignment, say: Say = _silent) -> Built:
    """Builds one assignment in memory; BuildError with everything that is wrong with its sources."""
    cells, tests, code = _sources(assignment, say)
    otters = assign(master_notebook(assignment, cells, tests, code), assignment.name)
    public: dict[str, str] = {}
    for file in tests:
        text = render(file, hidden=False)
        # Otter leaves a file out when a question has no test at all; it writes an empty one when all are hidden
        if not agree(text, otters.student_tests.get(file.question, "")):
            raise BuildError(f"{assignment.name}/tests/{file.question}.py: Otter understands it differently")
        if not agree(render(file, hidden=True), otters.autograder_tests[file.question]):
            raise BuildError(f"{assignment.name}/tests/{file.question}.py: Otter understands it differently")
        public[f"tests/{assignment.name}/{file.question}.py"] = text
    public[f"tests/{assignment.name}/{FACTS}"] = facts(assignment, tests)
    student, solution = student_notebook(otters.student), solution_notebook(otters.autograder)
    say("otter", "student and autograder versions")
    held = handed_out(Course.of(assignment).template) | _encoded({f"{assignment.name}.ipynb": student, **public})
    cases = {relative: text for relative, text in public.items() if relative.endswith(".py")}
    table = known_mistakes(assignment, cells, cases, held)
    if table is not None:
        check_rereads(assignment, cells)
        public[f"tests/{assignment.name}/{KNOWN_MISTAKES}"] = table.render()
        say("sealed", f"{len(table.entries)} answers of known mistakes in public cases")
    return Built(assignment, cells, tests, student, solution, public, table)


def _sources(assignment: Assignment, say: Say) -> tuple[tuple[Cell, ...], tuple[TestFile, ...], dict[str, str]]:
    """An author's cells, tests and solutions; BuildError with everything that is wrong in any of them."""
    faults = Faults()
    cells: tuple[Cell, ...] = ()
    tests: tuple[TestFile, ...] = ()
    code: dict[str, str] = {}
    with faults.collected():
        cells = read_cells(assignment)
        say("notebook", f"{len(cells)} cells, {len(assignment.questions)} questions")
    for cell in cells:
        if cell.kind == "markdown":
            with faults.collected():
                split_figures(cell.source, assignment.folder)
    with faults.collected():
        tests = read_test_files(assignment)
        cases = [case for file in tests for case in file.cases]
        say("tests", f"{len(cases)} cases, {sum(not case.hidden for case in cases)} of them public")
    with faults.collected():
        code = solutions(assignment)
        say("solutions", f"{len(assignment.functions)} functions")
    with faults.collected():
        say("mistakes", _mistakes(assignment))
    faults.raise_any()
    return cells, tests, code


def solutions(assignment: Assignment) -> dict[str, str]:
    """The code that solves each question, every helper in the first question that needs it."""
    module = Module(Course.of(assignment).reference(assignment.name))
    already: frozenset[str] = frozenset()
    code: dict[str, str] = {}
    faults = Faults()
    for question in assignment.questions:
        with faults.collected():
            code[question.name], bound = module.cut(question.functions, already)
            already |= bound
    faults.raise_any()
    return code


def _mistakes(assignment: Assignment) -> str:
    """What the catalogue of known mistakes holds; BuildError where a question has none, or an edit does not fit."""
    course = Course.of(assignment)
    path = course.mistakes(assignment.name)
    where = f"reference/mistakes/{path.name}"
    if not path.is_file():
        return f"none: there is no {where}"
    faults = Faults()
    entered = Module(path).mistakes()
    reference = Module(course.reference(assignment.name))
    for mistake in entered:
        with faults.collected():
            if mistake.edits:
                reference.edited_source(mistake)
    questions = {mistake.question for mistake in entered}
    for question in assignment.questions:
        if question.name not in questions:
            faults.add(
                f"{where}: {question.name} has no known mistake; enter what students will get wrong: it is what they "
                "are told, and it tests the tests"
            )
    faults.raise_any()
    return f"{len(entered)}"


def facts(assignment: Assignment, tests: tuple[TestFile, ...]) -> str:
    """The contract as a student may know it, as JSON text: of hidden cases only what they are worth together."""
    public = {file.question: [case for case in file.cases if not case.hidden] for file in tests}
    hints = read_hints(assignment)
    questions = [
        {
            "name": question.name,
            "title": question.title,
            "points": question.points,
            "functions": question.functions,
            "bonus": question.bonus,
            "call_seconds": question.call_seconds or assignment.limits.call_seconds,
            "public_cases": len(public[question.name]),
            "public_points": sum(case.points for case in public[question.name]),
            **({"hints": hints[question.name]} if hints else {}),
        }
        for question in assignment.questions
    ]
    limits = {
        "cell_seconds": assignment.limits.cell_seconds,
        "timeouts": assignment.limits.restarts_per_question,
    }
    versions = graders_versions(Course.of(assignment).root / "constraints.txt")
    content = {
        "name": assignment.name, "title": assignment.title, "questions": questions, "limits": limits,
        "versions": versions,
    }  # fmt: skip
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def graders_versions(constraints: Path) -> dict[str, list[str]]:
    """The versions that constraints.txt pins of each package that matters, several where Python's version decides."""
    if not constraints.is_file():
        return {}
    found: dict[str, list[str]] = {name: [] for name in GRADERS_VERSIONS}
    for line in constraints.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        if name in found and version and version not in found[name]:
            found[name].append(version)
    return found


def _write(built: Built, course: Course, dist: Path, begun: Stamp) -> list[str]:
    written: list[str] = []
    for relative, text in built.template_files.items():
        path = course.template / relative
        if not _same(path, text):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(_shown(path))
    for path in _left_over(built, course):
        path.unlink()
    solution = dist / built.assignment.name / "solution" / f"{built.assignment.name}.ipynb"
    solution.parent.mkdir(parents=True, exist_ok=True)
    solution.write_text(built.solution, encoding="utf-8")
    bundle = dist / built.assignment.name / "autograder.zip"
    write_bundle(built.assignment, built.tests, bundle)
    everything = [*(course.template / relative for relative in built.template_files), solution, bundle]
    stamp.finish(begun, everything).save(bundle.parent)
    return [*written, _shown(solution), _shown(bundle)]


def _stale(built: Built, course: Course) -> list[str]:
    stale: list[str] = []
    for relative, text in built.template_files.items():
        path = course.template / relative
        if not _same(path, text):
            stale.append(_shown(path) + ("" if path.is_file() else " (missing)"))
    return stale + [f"{_shown(path)} (left over)" for path in _left_over(built, course)]


def _left_over(built: Built, course: Course) -> list[Path]:
    expected = {course.template / relative for relative in built.template_files}
    folder = course.public_tests(built.assignment.name)
    return [path for path in sorted(folder.glob("*")) if path.is_file() and path not in expected]


def _leaks(built: Built, course: Course) -> list[Leak]:
    """Leaks in what is there (students may be handed it as it is) and in what is about to be written."""
    files = handed_out(course.template) | _encoded(built.template_files)
    if built.known is not None:
        files[f"tests/{built.assignment.name}/{KNOWN_MISTAKES} (unsealed)"] = built.known.sentences.encode("utf-8")
    return find_leaks(secrets(built.assignment, built.cells, built.tests), files)


def _encoded(texts: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode("utf-8") for name, text in texts.items()}


def _same(path: Path, text: str) -> bool:
    try:
        there = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return there == text


def _shown(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
