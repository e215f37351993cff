"""From an assignment's sources to what students, instructors and graders get.

A pipeline of small modules, each one job:

    course      where sources and generated files are
    percent     notebook.py (jupytext percent format)  -> cells
    testfiles   tests/qN.py                            -> test cases; rendered again with or without the hidden ones
    pictures    figures/*.svg                          -> figures/*.png, by a browser, when an SVG has changed
    figures     figures/*.png                          -> images inside the notebook
    solution    reference/<name>.py                    -> the code of a solved question
    master      cells + tests + solutions              -> Otter's master notebook
    assign      the master notebook                    -> Otter's own student and autograder versions
    notebooks   Otter's versions                       -> the student's notebook and the solution notebook, byte-stable
    bundle      everything                             -> autograder.zip, by Otter's own generate
    leaks       what must not be in the student's version
    command     `autograder build`
"""


class BuildError(Exception):
    """An assignment that cannot be built; the message says which file (and line) and what to change."""
