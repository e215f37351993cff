"""Handed-out demonstrations cost no grading time, and every submission that needs one gets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation.demonstrations import cells_to_run
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission, demonstration_digest, read_content

SETUP = "import numpy as np"
SHOW = "points = np.arange(3)\nprint(points)"


def run(*cells: str, demonstrations: tuple[int, ...]) -> list[int]:
    return [number for number, _ in cells_to_run(list(enumerate(cells, 1)), demonstrations)]


def test_a_demonstration_that_nothing_reads_is_left_out() -> None:
    assert run(SETUP, SHOW, "def f(x):\n    return np.sin(x)", demonstrations=(2,)) == [1, 3]


@pytest.mark.parametrize(
    "reader",
    [
        "y = points + 1",
        "def f(x):\n    return x + points",
        "class F:\n    def __call__(self, x):\n        return x + points",
        "f = lambda x: [x + p for p in points]",
        "def f(x):\n    def g():\n        return points\n    return g()",
        "def f(x, start=points):\n    return x",
        "points += 1",
        "del points",
    ],
)
def test_a_demonstration_whose_names_are_read_is_run(reader: str) -> None:
    assert run(SETUP, SHOW, reader, demonstrations=(2,)) == [1, 2, 3]


@pytest.mark.parametrize(
    "reader",
    [
        "def f(points):\n    return points + 1",
        "def f(x):\n    points = x + 1\n    return points",
        "f = lambda points: points",
        "# points",
        "text = 'points'",
        "def f(x):\n    return x.points",
    ],
)
def test_a_local_name_is_not_the_demonstrations(reader: str) -> None:
    assert run(SETUP, SHOW, reader, demonstrations=(2,)) == [1, 3]


def test_what_a_needed_demonstration_needs_is_run_too() -> None:
    cells = ("base = 2", "double = base * 2", "print('unrelated')", "def f(x):\n    return double * x")
    assert run(*cells, demonstrations=(1, 2, 3)) == [1, 2, 4]


@pytest.mark.parametrize(
    "reader",
    ["f = eval('points')", "exec('print(points)')", "globals()['points']", "%time g(points)", "%%time\npoints"],
)
def test_code_that_may_read_anything_gets_everything(reader: str) -> None:
    assert run(SETUP, SHOW, reader, demonstrations=(2,)) == [1, 2, 3]


def test_a_cell_that_is_no_python_does_not_hide_what_it_reads() -> None:
    assert run(SETUP, SHOW, "def f(:\n    points", demonstrations=(2,)) == [1, 2, 3]


def test_a_name_bound_by_a_function_of_the_demonstration_counts() -> None:
    demonstration = "def remember():\n    global points\n    points = 3\nremember()"
    assert run(SETUP, demonstration, "f = lambda x: points", demonstrations=(2,)) == [1, 2, 3]


# --- what is a demonstration ------------------------------------------------------------------------------------


def cell(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata}


def read(*cells: dict[str, Any]) -> Submission:
    return read_content(json.dumps({"cells": cells}).encode(), "x.ipynb", Limits())


def test_an_unchanged_demonstration_is_known_by_its_digest() -> None:
    handed_out = {"demonstration": demonstration_digest(SHOW)}
    submission = read(cell(SETUP), cell(SHOW, **handed_out), cell(SHOW + "\nmine = 1", **handed_out), cell(SHOW))
    assert submission.demonstrations == (2,)


@pytest.mark.parametrize("value", [True, 1, [], {}, None, "", "0" * 16])
def test_other_metadata_makes_no_demonstration(value: Any) -> None:
    assert read(cell(SHOW, demonstration=value)).demonstrations == ()


@pytest.mark.parametrize("name", ["ad_modes", "checkpointing", "matrix_gradients"])
def test_the_handed_out_notebooks_mark_demonstrations_and_nothing_else(name: str) -> None:
    path = Path(__file__).parents[3] / "student_template" / f"{name}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [found for found in notebook["cells"] if found["cell_type"] == "code"]
    submission = read_content(path.read_bytes(), path.name, Limits())
    marked = {number for number, found in enumerate(code, 1) if "demonstration" in found["metadata"]}
    assert marked == set(submission.demonstrations)
    for number, found in enumerate(code, 1):
        source = "".join(found["source"])
        graded = "question" in found["metadata"] or "grader" in source
        assert (number in marked) != graded, source


# --- in a session -----------------------------------------------------------------------------------------------


def opened(workshop: ForkServer, cells: tuple[str, ...], demonstrations: tuple[int, ...]) -> Session:
    return Session(
        workshop, Submission("toy", None, cells, (), demonstrations), one_question(Limits(cell_seconds=2), "f")
    )


def test_a_demonstration_of_a_function_that_hangs_takes_no_time_and_leaves_no_note(workshop: ForkServer) -> None:
    cells = ("def f(x):\n    while x > 1: pass\n    return x", "print(f(2))")
    with opened(workshop, cells, (2,)) as session:
        assert session.functions["f"](1) == 1
    assert session.log.notes == []
    assert session.log.restarts == 0


def test_a_function_that_uses_a_demonstrations_name_works(workshop: ForkServer) -> None:
    with opened(workshop, ("offset = 3", "def f(x):\n    return x + offset"), (1,)) as session:
        assert session.functions["f"](1) == 4


def test_numbers_of_cells_count_demonstrations_too(workshop: ForkServer) -> None:
    with opened(workshop, ("print('shown')", "f = 1 / 0"), (1,)) as session:
        pass
    assert [number for number, _ in session.log.failed_cells] == [2]
    assert session.log.output == ""


def test_source_that_crashes_the_parser_is_run_without_being_read(workshop: ForkServer) -> None:
    cells = ("def f(x):\n    return x", "-" * 200_000 + "1", "print(1)")
    with opened(workshop, cells, (3,)) as session:
        assert session.functions["f"](2) == 2
