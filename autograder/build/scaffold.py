"""`autograder new` and `autograder new-question`: the files of an assignment or a question, for an author to replace.

What is written is complete: it builds, its solution gets full points and its known mistake loses some. An author
replaces the example, the gradient of a sum of squares, piece by piece, and builds in between.
"""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import Assignment, assignments_folder
from autograder.build import BuildError
from autograder.build.course import Course
from autograder.build.hints import FILE as HINTS
from autograder.build.tables import QUESTIONS, row

_SAYS = "The gradient lacks the factor that the square brings."


@dataclass(frozen=True)
class Example:
    """The example of one question."""

    assignment: str
    question: str
    function: str
    title: str

    @property
    def table(self) -> str:
        """Its table in assignment.toml."""
        return (
            f'[questions.{self.question}]\ntitle = "{self.title}"\npoints = 2\nminutes = 10\n'
            f'functions = ["{self.function}"]\n'
        )

    @property
    def cells(self) -> str:
        """Its cells in notebook.py."""
        return (
            f"# %% [markdown]\n# ## {self.question}\n#\n"
            "# Write the gradient of $f(x) = \\sum_i x_i^2$. (Your text and formulas come here.)\n\n"
            f'# %% question="{self.question}"\n{self._head}\n'
            f'    raise NotImplementedError("{self.question}: {self.function}")\n\n'
            f'# %% check="{self.question}"\ngrader.check("{self.question}")\n'
        )

    @property
    def _head(self) -> str:
        return f'def {self.function}(x):\n    """The gradient of the sum of the squares of the (n,) array x, (n,)."""'

    @property
    def solution(self) -> str:
        """Its solution in the reference."""
        return f"{self._head}\n    return 2.0 * np.asarray(x)\n"

    @property
    def mistake(self) -> str:
        """Its known mistake in the catalogue."""
        return (
            f'{self.question} = MISTAKES.question("{self.question}")\n\n{self.question}.edit(\n'
            f'    "{self.function}__factor_missing",\n    ("2.0 * np.asarray(x)", "np.asarray(x)"),\n'
            f'    says="{_SAYS}",\n    openly=True,\n)\n'
        )

    @property
    def hints(self) -> str:
        """Its table in hints.toml."""
        return (
            f'[{self.question}]\nquestion = "What does one entry of x add to f, and does another entry change that?"\n'
            'idea = "Differentiate for an x of one entry first, then of two."\n'
            'mathematics = "The gradient holds the partial derivatives ∂f/∂x_i, one for each entry of x."\n'
        )

    @property
    def tests(self) -> str:
        """Its test file."""
        name = self.question
        return f'''"""{name}: {self.title}."""

from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = None


@test_case(points=0.75)
def test_{name}_at_a_point({self.function}):
    """At a point"""
    import numpy as np
    from adkit import checks

    answer = checks.call({self.function}, np.array([1.0, -2.0, 3.0]))
    checks.close(answer, [2.0, -4.0, 6.0], rtol=1e-12, what="the gradient")


@test_case(points=1.25, hidden=True)
def test_{name}_random({self.function}):
    """At random points"""
    from adkit import checks

    from reference import {self.assignment} as reference
    from reference.inputs.seeds import rng

    random = rng("{self.assignment}", "{name}", "random")
    for n in (1, 4, 7):
        x = random.standard_normal(n)
        checks.close(checks.call({self.function}, x), reference.{self.function}(x), rtol=1e-12, what="the gradient")
'''


def new_assignment(name: str, title: str, function: str) -> list[Path]:
    """Writes the files of a new assignment with one question; their paths. BuildError when the name is taken or odd."""
    _check_name("assignment", name)
    _check_name("function", function)
    folder = assignments_folder() / name
    course = Course(folder.resolve().parent.parent)
    example = Example(name, "q1", function, "The first question")
    files = {
        folder / "assignment.toml": f'title = "{title}"\nabout = "what a student writes in it"\n\n{example.table}',
        folder / "notebook.py": _notebook(title, example),
        folder / "tests" / "q1.py": example.tests,
        course.reference(name): f'"""Solutions of `{name}`."""\n\nimport numpy as np\n\n\n{example.solution}',
        course.mistakes(name): f'"""Known mistakes of `{name}`."""\n\nfrom reference.mistakes import Catalogue\n\n'
        f'MISTAKES = Catalogue("{name}")\n\n{example.mistake}',
    }
    there = [path for path in files if path.exists()]
    if there:
        raise BuildError(f"{there[0]} is there already: choose another name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def new_question(assignment: Assignment, question: str, title: str, function: str) -> list[Path]:
    """Adds a question behind the last one; the files changed. BuildError when a name is taken or odd."""
    if re.fullmatch(r"q\d+", question) is None:
        raise BuildError(f"a question is named q and a number, as q{len(assignment.questions) + 1}; got '{question}'")
    _check_name("function", function)
    if question in {each.name for each in assignment.questions}:
        raise BuildError(f"{assignment.name} has a {question} already")
    if function in assignment.functions:
        raise BuildError(f"{assignment.name} has a function {function} already")
    course = Course.of(assignment)
    example = Example(assignment.name, question, function, title)
    settings, tests = assignment.folder / "assignment.toml", assignment.tests_dir / f"{question}.py"
    reference, mistakes = course.reference(assignment.name), course.mistakes(assignment.name)
    if tests.exists():
        raise BuildError(f"{tests} is there already, but assignment.toml does not name {question}")
    if not re.search(r"^import numpy as np$", _read(reference), re.MULTILINE):
        raise BuildError(f"{reference}: the example needs `import numpy as np` there; add it, and take it out again")
    catalogue = _read(mistakes) if mistakes.exists() else (
        f'"""Known mistakes of `{assignment.name}`."""\n\nfrom reference.mistakes import Catalogue\n\n'
        f'MISTAKES = Catalogue("{assignment.name}")\n'
    )  # fmt: skip
    hints = assignment.folder / HINTS
    changed = {
        settings: f"{_read(settings).rstrip()}\n\n{example.table}",
        assignment.notebook: _with_cells(assignment, _read(assignment.notebook), example),
        tests: example.tests,
        reference: f"{_read(reference).rstrip()}\n\n\n{example.solution}",
        mistakes: f"{catalogue.rstrip()}\n\n\n{example.mistake}",
    }
    if hints.exists():  # then every question needs some
        changed[hints] = f"{_read(hints).rstrip()}\n\n{example.hints}"
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    return list(changed)


def _notebook(title: str, example: Example) -> str:
    return f'''# %% [markdown]
# # {title}
#
# What this assignment is about, in a few sentences.
#
# {QUESTIONS}

# %% tags=["setup"]
import os

try:
    import adkit  # before JAX: it turns 64-bit floats on
except ModuleNotFoundError as missing:
    where = f"There is no adkit/ in {{os.getcwd()}}: open this notebook in the folder it was handed out in."
    missing._render_traceback_ = lambda: [where]
    raise

import numpy as np

grader = adkit.Notebook("{example.assignment}")

{example.cells}
# %% [markdown]
# ## Hand in
#
# Run this cell: it saves the notebook where it can (elsewhere it asks you to), makes the file to hand in, and runs the
# public checks once more on what is in it.

# %% tags=["export"]
grader.export()
'''


def _with_cells(assignment: Assignment, text: str, example: Example) -> str:
    """The notebook with a question's cells before the first heading behind the last question's check, and its row where
    the table is written."""
    last = assignment.questions[-1]
    check = re.search(rf'^# %% check="{last.name}".*?(?=^# %%|\Z)', text, re.DOTALL | re.MULTILINE)
    if check is None:
        raise BuildError(f'{assignment.notebook}: there is no cell check="{last.name}" to put the question behind')
    # what stands between the check and the next heading still speaks of the last question
    heading = re.compile(r"^# %% \[markdown\]\n# #{1,2} ", re.MULTILINE).search(text, check.end())
    place = heading.start() if heading else check.end()
    text = f"{text[:place].rstrip()}\n\n{example.cells}\n{text[place:]}"
    minutes = any(question.minutes for question in assignment.questions)
    written = f"# {row(last, minutes)}\n"
    return text.replace(written, f"{written}# | {example.question} | `{example.function}` | 2 | {'10 |' * minutes}\n")


def _check_name(what: str, name: str) -> None:
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None or keyword.iskeyword(name):
        raise BuildError(f"'{name}' cannot name {'an' if what[0] == 'a' else 'a'} {what}: it is the name of a Python "
                         "module or function too; use small letters, digits and _")  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{path}: missing") from None
