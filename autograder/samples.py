"""A sample class: submissions of every kind, made from the student's notebook, the reference and the known mistakes.

For trying the grader out before students do, and for the tests: each submission comes with what it must get.
"""

import copy
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import jupytext

from autograder.assignment import Assignment, Question
from autograder.build import BuildError
from autograder.build.course import Course
from autograder.build.notebooks import dumps
from autograder.build.solution import Module, WrongSolution
from autograder.build.testfiles import TestFile, read_test_files

MISTAKES_PER_QUESTION = 2
EXPECTED_FILE = "expected.json"


@dataclass(frozen=True)
class Expected:
    """What one sample submission must get."""

    points: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """Question -> the least and the most points, both included (the same number when there is no doubt)."""
    unreadable: str = ""
    """Why the file cannot be graded; empty when it can."""

    def objections(self, earned: Mapping[str, float]) -> list[str]:
        """What is wrong with these points, in sentences; nothing when they are as they must be."""
        wanted = dict.fromkeys(earned, (0.0, 0.0)) if self.unreadable else self.points
        return [
            f"{question}: {earned.get(question)} points, must be {_range(least, most)}"
            for question, (least, most) in wanted.items()
            if question not in earned or not least - 1e-9 <= earned[question] <= most + 1e-9
        ]


def _range(least: float, most: float) -> str:
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def write_sample_class(assignment: Assignment | str, folder: Path, *, hanging: bool = True) -> dict[str, Expected]:
    """Writes the sample submissions into `folder`, and `expected.json`; what each file must get, by its name.

    assignment: itself or its name. hanging: also those that hang or end their process, which take as long as the limits
    allow. BuildError when the student's notebook has not been built.
    """
    samples = _Samples(Assignment.load(assignment) if isinstance(assignment, str) else assignment)
    files: dict[str, tuple[bytes, Expected]] = {}
    kinds = (_right, _wrong, _broken, *((_hostile_by_accident,) if hanging else ()), _no_notebooks)
    for make in kinds:
        files |= make(samples)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    expected = {name: expectation for name, (_, expectation) in files.items()}
    document = {name: asdict(expectation) for name, expectation in expected.items()}
    (folder / EXPECTED_FILE).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return expected


Files = dict[str, tuple[bytes, Expected]]


class _Samples:
    """The material of an assignment's samples."""

    def __init__(self, assignment: Assignment) -> None:
        course = Course.of(assignment)
        template = course.notebook(assignment.name)
        if not template.is_file():
            raise BuildError(f"{template}: missing; run `autograder build {assignment.name}` first")
        self.assignment = assignment
        self.template: dict[str, Any] = json.loads(template.read_text(encoding="utf-8"))
        self.module = Module(course.reference(assignment.name))
        mistakes = course.mistakes(assignment.name)
        self.catalogue = Module(mistakes) if mistakes.is_file() else None
        self.tests: dict[str, TestFile] = {file.question: file for file in read_test_files(assignment)}
        self.full = {question.name: question.points for question in assignment.questions}

    def solution(self, question: Question, module: Module | None = None) -> str:
        """Code that solves one question without what any other cell defines.

        Where a solution uses another question's function it gets a copy under a private name, so that
        a mistake there costs nothing here.

        module: the reference with a mistake in it; without one, the solution is right.
        """
        code, bound = (module or self.module).cut(question.functions)
        for name in sorted(bound & set(self.assignment.functions) - set(question.functions)):
            code = re.sub(rf"\b{name}\b", f"_{name}_for_{question.name}", code)
        return code

    def notebook(self, answers: Mapping[str, str], *, first: str = "", last: str = "") -> dict[str, Any]:
        """The student's notebook with the stubs in `answers` replaced and a cell added at each end."""
        notebook = copy.deepcopy(self.template)
        for cell in notebook["cells"]:
            question = cell["metadata"].get("question")
            if question in answers:
                cell["source"] = answers[question]
            else:
                cell["source"] = "".join(cell["source"])
        for position, source in ((0, first), (len(notebook["cells"]) + bool(first), last)):
            if source:
                cell: dict[str, Any] = {"cell_type": "code", "id": f"added-{position}", "metadata": {}}
                cell |= {"source": source, "execution_count": None, "outputs": []}
                notebook["cells"].insert(position, cell)
        return notebook

    def solved(self, **instead: str) -> dict[str, str]:
        """The right answers to all questions, but for those given."""
        return {q.name: self.solution(q) for q in self.assignment.questions} | instead

    def expect(self, **other: tuple[float, float] | float) -> Expected:
        """Full points, but for the questions given."""
        points = {name: (full, full) for name, full in self.full.items()}
        for name, value in other.items():
            points[name] = value if isinstance(value, tuple) else (float(value), float(value))
        return Expected(points)

    def not_all_of(self, question: str) -> tuple[float, float]:
        """At least one case of the question is lost."""
        return 0.0, self.full[question] - min(case.points for case in self.tests[question].cases)

    @property
    def first(self) -> Question:
        """The first question that is not a bonus: the one that samples get wrong."""
        return next(question for question in self.assignment.questions if not question.bonus)

    def in_first(self, body: str) -> dict[str, str]:
        """Right answers, but the first question's functions all do `body`."""
        question = self.first
        code = "\n\n\n".join(f"def {name}(*args, **kwargs):\n    {body}" for name in question.functions)
        return self.solved(**{question.name: code})


def _encode(notebook: dict[str, Any]) -> bytes:
    return dumps(notebook).encode("utf-8")


def _right(samples: _Samples) -> Files:
    """Everything right, in every form in which it can be handed in."""
    perfect = samples.notebook(samples.solved())
    content, full = _encode(perfect), samples.expect()
    script = "\n\n\n".join(cell["source"] for cell in perfect["cells"] if cell["cell_type"] == "code") + "\n"
    name = samples.assignment.name
    foreign = copy.deepcopy(perfect)
    foreign["metadata"]["kernelspec"] = {"display_name": "Conda env", "language": "python", "name": "conda-env-x"}
    printing = samples.notebook(samples.solved(), last='for _ in range(100_000):\n    print("x" * 100)')
    export = _zip({f"{name}.ipynb": content, ".OTTER_LOG": b"not a log", "__zip_filename__": b"export.zip"})
    return {
        "perfect.ipynb": (content, full),
        "perfect_script.py": (script.encode("utf-8"), full),
        "perfect_export.zip": (export, full),
        "perfect_kernel_of_another_machine.ipynb": (_encode(foreign), full),
        "perfect_prints_much.ipynb": (_encode(printing), full),
        "perfect Übung – λ Müller.ipynb": (content, full),
        "=perfect+1.ipynb": (content, full),
    }


def _wrong(samples: _Samples) -> Files:
    """Known mistakes, work half done, answers of another kind."""
    files: Files = {}
    for mistake in _chosen(samples):
        question = samples.assignment.question(mistake.question)
        files[f"mistake_{mistake.name}.ipynb"] = (
            _encode(samples.notebook(samples.solved(**{question.name: _mistaken(samples, question, mistake)}))),
            samples.expect(**{question.name: samples.not_all_of(question.name)}),
        )
    questions = samples.assignment.questions
    half = questions[: (len(questions) + 1) // 2]
    rest = dict.fromkeys((question.name for question in questions[len(half) :]), 0.0)
    answers = {question.name: samples.solution(question) for question in half}
    first = samples.first.name
    nothing = samples.expect(**dict.fromkeys(samples.full, 0.0))
    return (
        files
        | {
            "half_done.ipynb": (_encode(samples.notebook(answers)), samples.expect(**rest)),
            "empty_template.ipynb": (_encode(samples.notebook({})), nothing),
            "wrong_shapes.ipynb": (
                _encode(samples.notebook(samples.in_first("return [[[0.0, 1.0]]]"))),
                samples.expect(**{first: 0.0}),
            ),
            "returns_nothing.ipynb": (
                _encode(samples.notebook(samples.in_first("return None"))),
                samples.expect(**{first: 0.0}),
            ),
            "misspelled_function.ipynb": (
                _encode(samples.notebook(samples.solved(**{first: "def my_function(x):\n    return x"}))),
                samples.expect(**{first: 0.0}),
            ),
        }
        | _own(samples)
    )


def _broken(samples: _Samples) -> Files:
    """Cells that fail: the others count."""
    first = samples.first.name
    broken = "raise RuntimeError('this cell fails')\n\n" + samples.solution(samples.first)
    syntax = "def unfinished(:\n    return"
    return {
        "first_cell_raises.ipynb": (
            _encode(samples.notebook(samples.solved(), first="import a_package_that_is_not_there", last=syntax)),
            samples.expect(),
        ),
        "answer_cell_raises.ipynb": (
            _encode(samples.notebook(samples.solved(**{first: broken}))),
            samples.expect(**{first: 0.0}),
        ),
        "markdown_only.ipynb": (
            _encode(_without_code(samples.notebook({}))),
            samples.expect(**dict.fromkeys(samples.full, 0.0)),
        ),
    }


def _hostile_by_accident(samples: _Samples) -> Files:
    """Functions that end or stop their process: they cost their question only."""
    bodies = {
        "endless_loop.ipynb": "while True:\n        pass",
        "exits_the_process.ipynb": "import os\n    os._exit(0)",
        "calls_exit.ipynb": "raise SystemExit(0)",
        "recursion_without_end.ipynb": f"return {samples.first.functions[0]}(*args, **kwargs)",
    }
    expected = samples.expect(**{samples.first.name: 0.0})
    return {name: (_encode(samples.notebook(samples.in_first(body))), expected) for name, body in bodies.items()}


def _no_notebooks(samples: _Samples) -> Files:
    """Files that are not a submission: a row, no points, and a sentence that says why."""
    perfect = _encode(samples.notebook(samples.solved()))
    return {
        "truncated.ipynb": (perfect[: len(perfect) // 2], Expected(unreadable="the upload broke off")),
        "empty_file.ipynb": (b"", Expected(unreadable="nothing in it")),
        "essay.zip": (_zip({"essay.txt": b"On gradients."}), Expected(unreadable="no notebook in the zip")),
        "not_a_notebook.ipynb": (b'{"title": "notes"}', Expected(unreadable="JSON, but no notebook")),
    }


def _chosen(samples: _Samples) -> list[WrongSolution]:
    """The first mistakes of each question."""
    if samples.catalogue is None:
        return []
    chosen: list[WrongSolution] = []
    for question in samples.assignment.questions:
        own = [mistake for mistake in samples.catalogue.mistakes() if mistake.question == question.name]
        chosen += own[:MISTAKES_PER_QUESTION]
    return chosen


def _mistaken(samples: _Samples, question: Question, mistake: WrongSolution) -> str:
    """The question solved, with one function replaced by the mistake."""
    assert samples.catalogue is not None
    if mistake.edits:
        return samples.solution(question, samples.module.edited(mistake))
    code, bound = samples.module.followed_by(samples.catalogue).cut([mistake.name])
    for name in sorted(bound & set(samples.assignment.functions)):  # the right one, also of what is replaced
        code = re.sub(rf"\b{name}\b", f"_right_{name}", code)
    renamed = re.sub(rf"\b{mistake.name}\b", mistake.function, code)
    return f"{samples.solution(question)}\n\n\n{renamed}"


def _without_code(notebook: dict[str, Any]) -> dict[str, Any]:
    return notebook | {"cells": [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]}


def _zip(entries: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def _own(samples: _Samples) -> Files:
    """The assignment's own samples: each file of `assignments/<name>/samples/` answers some questions in its own way.

    A file is in the notebook's format (jupytext percent). Its cells of code replace the stubs, and say what they
    earn: `# %% question="q1" points=6`. The other questions are answered right.
    """
    files: Files = {}
    for path in Course.of(samples.assignment).samples(samples.assignment.name):
        text = path.read_text(encoding="utf-8")
        cells = cast("list[Any]", jupytext.reads(text, fmt="py:percent").cells)  # pyright: ignore
        answers: dict[str, str] = {}
        points: dict[str, float] = {}
        for cell in cells:
            if cell.cell_type != "code":
                continue
            question, earned = cell.metadata.get("question"), cell.metadata.get("points")
            if question not in samples.full or not isinstance(earned, int | float):
                raise BuildError(
                    f"{path}: a cell of code says which question it answers and what it earns, as in "
                    f'`# %% question="q1" points=2`; got {dict(cell.metadata)}'
                )
            answers[question], points[question] = cell.source, float(earned)
        files[f"{path.stem}.ipynb"] = (_encode(samples.notebook(samples.solved(**answers))), samples.expect(**points))
    return files
