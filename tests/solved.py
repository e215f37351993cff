"""A solved notebook, without the table of known mistakes, which takes most of a build's time."""

from functools import lru_cache

from autograder.assignment import Assignment
from autograder.build.assign import assign
from autograder.build.command import solutions
from autograder.build.master import master_notebook
from autograder.build.notebooks import solution_notebook
from autograder.build.percent import read_cells
from autograder.build.testfiles import read_test_files


@lru_cache
def solved_notebook(name: str) -> str:
    """The instructor's solution notebook of an assignment, as text."""
    assignment = Assignment.load(name)
    master = master_notebook(assignment, read_cells(assignment), read_test_files(assignment), solutions(assignment))
    return solution_notebook(assign(master, name).autograder)
