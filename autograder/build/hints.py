"""Hints in steps, and what to read again: `assignments/<name>/hints.toml`, and the headings that mistakes point to.

    [q1]
    question = "Which nodes use v1, and what does each of them hand back to it?"
    idea = "Go through the nodes backwards, and add what arrives."
    mathematics = "The adjoint of a node is a sum over its edges: …"

The file is optional; where it is there, every question has all three. What is in it is handed out in clear, so
`autograder build` looks for solutions in it as in every other file (`autograder.build.leaks`).
"""

import re
import tomllib
from collections.abc import Iterable

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.percent import Cell

FILE = "hints.toml"
STEPS = ("question", "idea", "mathematics")
"""A question back, an idea, one line of mathematics: the order in which a student gets them."""
_LONGEST = 400


def read_hints(assignment: Assignment) -> dict[str, tuple[str, ...]]:
    """The hints of each question, in order; empty for an assignment without any. BuildError when one is missing."""
    path = assignment.folder / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"{path}: not valid TOML: {error}") from None
    names = [question.name for question in assignment.questions]
    if sorted(content) != sorted(names):
        raise BuildError(f"{path}: it has {', '.join(content)}, and the questions are {', '.join(names)}")
    hints: dict[str, tuple[str, ...]] = {}
    for name in names:
        steps = content[name]
        if tuple(steps) != STEPS:
            raise BuildError(
                f"{path}, {name}: a hint has {', '.join(STEPS)}, in this order; this has {', '.join(steps)}"
            )
        for step, text in steps.items():
            if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST or "\n" in text.strip():
                raise BuildError(f"{path}, {name}: {step} must be one line of at most {_LONGEST} characters")
        if not steps["question"].strip().endswith("?"):
            raise BuildError(f"{path}, {name}: question must be a question")
        hints[name] = tuple(str(steps[step]).strip() for step in STEPS)
    return hints


def headings(cells: Iterable[Cell]) -> set[str]:
    """The headings of a notebook, without their #."""
    lines = (line for cell in cells if cell.kind == "markdown" for line in cell.source.splitlines())
    return {match[1].strip() for line in lines if (match := re.match(r"#{1,6} (.+)", line))}


def check_rereads(assignment: Assignment, cells: Iterable[Cell]) -> None:
    """BuildError where a known mistake points to a heading that the notebook does not have."""
    from reference.mistakes import catalogue  # imports JAX

    known = headings(cells)
    for mistake in catalogue(assignment.name):
        question = assignment.question(mistake.question)
        heading = mistake.reread or question.heading
        # an author may head a question without an estimate of minutes as they like
        if heading not in known and (mistake.reread or question.minutes is not None):
            name = f"{mistake.function}__{mistake.name}"
            raise BuildError(
                f"{name} points to the heading '{heading}', which {assignment.name}/notebook.py does not have"
            )
