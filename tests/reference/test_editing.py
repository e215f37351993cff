"""Known mistakes are edits of the reference: what may be edited, and what is refused."""

import traceback
from pathlib import Path
from types import ModuleType

import pytest

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.solution import Module, WrongSolution
from autograder.samples import _mistaken, _Samples
from reference.editing import EditError, edited_function, edited_source
from reference.mistakes import Catalogue, catalogue

TEXT = '''\
import math

SCALE = 2.0


def _shared(x):
    return x + SCALE


def _inner(x):
    return math.floor(x)


def _own(x):
    return _inner(x) * 10


def rounded(x):
    """Ten times the whole part of x + 2."""
    return _own(_shared(x))


def other(x):
    return _shared(x) / rounded(x)
'''


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "toy.py"
    path.write_text(TEXT)
    found = ModuleType("toy")
    exec(compile(TEXT, str(path), "exec"), vars(found))
    found.__file__ = str(path)
    return found


def test_an_edit_reaches_the_function_and_the_helpers_that_nothing_else_uses(module: ModuleType) -> None:
    assert edited_function(module, "rounded", "rounded__up", [("floor", "ceil")])(0.5) == 30
    assert edited_function(module, "rounded", "rounded__bare", [("_shared(x)", "x")])(2.5) == 20
    assert module.rounded(0.5) == 20  # what is edited is a copy


@pytest.mark.parametrize("old", ["x + SCALE", "/ rounded(x)"])
def test_what_other_functions_use_cannot_be_edited(module: ModuleType, old: str) -> None:
    with pytest.raises(EditError, match="occurs 0 times in the source of rounded"):
        edited_function(module, "rounded", "rounded__wrong", [(old, "x")])


def test_an_edit_that_matches_twice_is_refused() -> None:
    with pytest.raises(EditError, match=r"rounded__wrong: '\(x\):' occurs 3 times"):
        edited_source(TEXT, "rounded", "rounded__wrong", [("(x):", "(y):")])


def test_edits_are_made_one_after_the_other() -> None:
    source = edited_source(TEXT, "rounded", "rounded__wrong", [("* 10", "* 11"), ("11", "12")])
    assert "_inner(x) * 12" in source


def test_an_edit_that_leaves_no_valid_python_is_refused() -> None:
    with pytest.raises(EditError, match="rounded__wrong: the edit leaves no valid Python"):
        edited_source(TEXT, "rounded", "rounded__wrong", [("* 10", "* ")])


def test_an_edit_of_a_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(EditError, match="there is no function missing"):
        edited_source(TEXT, "missing", "missing__wrong", [("a", "b")])


def test_a_traceback_shows_the_edited_source(module: ModuleType) -> None:
    divides = edited_function(module, "rounded", "rounded__divides", [("* 10", "/ 0")])
    assert (divides.__name__, divides.__qualname__) == ("rounded__divides", "rounded__divides")
    with pytest.raises(ZeroDivisionError) as raised:
        divides(1.0)
    shown = "".join(traceback.format_exception(raised.value))
    assert 'File "<rounded__divides, an edit of toy>", line 6, in _own' in shown
    assert "return _inner(x) / 0" in shown


def test_two_mistakes_of_the_same_name_are_refused() -> None:
    question = Catalogue("ad_modes").question("q1")
    question.edit("toy_reverse__wrong", ("v5_bar = 1.0", "v5_bar = 2.0"), says="Two.")
    with pytest.raises(ValueError, match="two mistakes named toy_reverse__wrong"):
        question.edit("toy_reverse__wrong", ("v5_bar = 1.0", "v5_bar = 3.0"), says="Three.")


def test_the_build_names_the_file_of_an_edit_that_does_not_match(tmp_path: Path) -> None:
    path = tmp_path / "toy.py"
    path.write_text(TEXT)
    with pytest.raises(BuildError, match=r"toy\.py: rounded__wrong: 'ten' occurs 0 times"):
        Module(path).edited(WrongSolution("rounded__wrong", "q1", 1, (("ten", "x"),)))


@pytest.mark.parametrize("name", ["ad_modes", "checkpointing", "matrix_gradients"])
def test_every_mistake_can_stand_in_a_notebook_in_the_place_of_the_students_function(name: str) -> None:
    samples = _Samples(Assignment.load(name))
    assert samples.catalogue is not None
    mistakes = samples.catalogue.mistakes()
    assert [mistake.name for mistake in mistakes] == [f"{entry.function}__{entry.name}" for entry in catalogue(name)]
    assert [mistake.question for mistake in mistakes] == [entry.question for entry in catalogue(name)]
    for mistake in mistakes:
        cell = _mistaken(samples, samples.assignment.question(mistake.question), mistake)
        namespace: dict[str, object] = {"__name__": "__main__"}
        exec(compile(cell, mistake.name, "exec"), namespace)
        assert callable(namespace[mistake.function])
