"""The tables and headings that readers see, made from `assignment.toml`.

In a notebook's text `<!-- questions -->` becomes the table of its questions and `## q1` the heading of a question. In
README.md and student_template/README.md the build writes the table of all assignments between two comments:

<!-- assignments: autograder build writes this table -->
<!-- end of the table -->

Its rows keep the order that they have there; an assignment that is new comes last.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from autograder.assignment import Assignment, Question

QUESTIONS = "<!-- questions -->"
BEGIN = "<!-- assignments: autograder build writes this table -->"
END = "<!-- end of the table -->"
_REGION = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)


def heading(question: Question) -> str:
    """The heading that announces a question."""
    return f"## {question.heading}"


def row(question: Question, minutes: bool = True) -> str:
    """The row of the notebook's table for a question; without its last column when no question says its minutes."""
    functions = ", ".join(f"`{function}`" for function in question.functions)
    name, plus = (f"{question.name} (bonus)", "+") if question.bonus else (question.name, "")
    last = f" {question.minutes or ''} |" if minutes else ""
    return f"| {name} | {functions} | {plus}{question.points:g} |{last}"


def questions_table(assignment: Assignment) -> str:
    """The table of an assignment's questions."""
    minutes = any(question.minutes for question in assignment.questions)
    head = ["| question | you write | points |", "|---|---|--:|"]
    if minutes:
        head = [head[0] + " minutes |", head[1] + "--:|"]
    return "\n".join([*head, *(row(question, minutes) for question in assignment.questions)])


def filled_in(source: str, assignment: Assignment) -> str:
    """An author's markdown with the table of questions and the questions' headings written out."""
    source = re.sub(f"^{QUESTIONS}$", lambda _: questions_table(assignment), source, flags=re.MULTILINE)
    for question in assignment.questions:
        source = re.sub(rf"^## {question.name}$", lambda _, q=question: heading(q), source, flags=re.MULTILINE)
    return source


def points(assignment: Assignment) -> str:
    """The points possible, and those of bonus questions: "30 + 5"."""
    bonus = sum(question.points for question in assignment.questions if question.bonus)
    return f"{assignment.points:g}" + (f" + {bonus:g}" if bonus else "")


def assignments_table(assignments: Iterable[Assignment], *, for_students: bool) -> str:
    """The table of all assignments: with points for instructors, with the notebooks' names for students."""
    if for_students:
        head = ["| notebook | what it is about | points |", "|---|---|--:|"]
        rows = [f"| `{each.name}.ipynb` | {each.about or each.title} | {points(each)} |" for each in assignments]
    else:
        head = ["| assignment | what a student writes | points |", "|---|---|--:|"]
        rows = [f"| `{each.name}` | {each.about or each.title} | {points(each)} |" for each in assignments]
    return "\n".join([*head, *rows])


def renewed(text: str, assignments: Iterable[Assignment], *, for_students: bool) -> str:
    """A page with its table of assignments replaced; as it is where it has none."""
    region = _REGION.search(text)
    if region is None:
        return text
    there = re.findall(r"^\| `(\w+)(?:\.ipynb)?` ", region[0], re.MULTILINE)
    ordered = sorted(assignments, key=lambda each: there.index(each.name) if each.name in there else len(there))
    table = assignments_table(ordered, for_students=for_students)
    return f"{text[: region.start()]}{BEGIN}\n\n{table}\n\n{END}{text[region.end() :]}"


def stale_pages(root: Path, assignments: Iterable[Assignment]) -> dict[Path, str]:
    """The READMEs of a course whose tables do not say what `assignment.toml` says, with their right text."""
    assignments = tuple(assignments)
    found: dict[Path, str] = {}
    for page, for_students in ((root / "README.md", False), (root / "student_template" / "README.md", True)):
        if page.is_file():
            text = page.read_text(encoding="utf-8")
            right = renewed(text, assignments, for_students=for_students)
            if right != text:
                found[page] = right
    return found
