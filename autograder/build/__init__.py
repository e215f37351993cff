"""From an assignment's sources to what students, instructors and graders get.

A pipeline of small modules, each one job:

    course      where sources and generated files are
    percent     notebook.py (jupytext percent format)  -> cells
    testfiles   tests/qN.py                            -> test cases; rendered again with or without the hidden ones
    pictures    figures/*.svg                          -> figures/*.png, by a browser, when an SVG has changed
    figures     figures/*.png                          -> images inside the notebook
    tables      assignment.toml                        -> the tables and headings that readers see
    solution    reference/<name>.py                    -> the code of a solved question
    master      cells + tests + solutions              -> Otter's master notebook
    assign      the master notebook                    -> Otter's own student and autograder versions
    notebooks   Otter's versions                       -> the student's notebook and the solution notebook, byte-stable
    bundle      everything                             -> autograder.zip, by Otter's own generate
    leaks       what must not be in the student's version
    stamp       what a build was made from, so that the next one can see that nothing has changed
    command     `autograder build`
    scaffold    `autograder new` and `autograder new-question`
"""

from collections.abc import Generator
from contextlib import contextmanager


class BuildError(Exception):
    """An assignment that cannot be built: each fault says which file (and line) and what to change."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Faults:
    """Collects what is wrong, so that an author is told all of it at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, *faults: str) -> None:
        """Notes faults; one that is known already is not repeated."""
        self.found += [fault for fault in faults if fault not in self.found]

    @contextmanager
    def collected(self) -> Generator[None]:
        """Notes a BuildError of the block, which ends there."""
        try:
            yield
        except BuildError as error:
            self.add(*error.faults)

    def raise_any(self) -> None:
        """BuildError with everything that was noted; nothing when nothing was."""
        if self.found:
            raise BuildError(*self.found)
