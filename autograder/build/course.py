"""Where an assignment's sources are and where its generated files go.

A course is a folder with `assignments/`, `reference/` and `student_template/` side by side; this repository is one.
"""

from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import Assignment


@dataclass(frozen=True)
class Course:
    """The folders of the course that an assignment belongs to."""

    root: Path

    @staticmethod
    def of(assignment: Assignment) -> "Course":
        """The course whose `assignments/` folder holds `assignment`."""
        return Course(assignment.folder.resolve().parent.parent)

    @property
    def template(self) -> Path:
        """What students are handed."""
        return self.root / "student_template"

    @property
    def adkit(self) -> Path:
        """The library that notebooks and tests import."""
        return self.template / "adkit"

    def reference(self, name: str) -> Path:
        """The hidden reference implementations of assignment `name`."""
        return self.root / "reference" / f"{name}.py"

    def mistakes(self, name: str) -> Path:
        """The catalogue of known mistakes of assignment `name` (it may not exist)."""
        return self.root / "reference" / "mistakes" / f"{name}.py"

    def implementations(self, name: str) -> Path:
        """What a student's own test is graded with in assignment `name` (it may not exist)."""
        return self.root / "reference" / "implementations" / f"{name}.py"

    def inputs(self, name: str) -> Path:
        """What the hidden cases of assignment `name` share (it may not exist)."""
        return self.root / "reference" / "inputs" / f"{name}.py"

    def samples(self, name: str) -> tuple[Path, ...]:
        """Sample submissions of assignment `name`'s own (there may be none)."""
        return tuple(sorted((self.root / "assignments" / name / "samples").glob("*.py")))

    def notebook(self, name: str) -> Path:
        """The generated student notebook."""
        return self.template / f"{name}.ipynb"

    def public_tests(self, name: str) -> Path:
        """The generated public tests."""
        return self.template / "tests" / name
