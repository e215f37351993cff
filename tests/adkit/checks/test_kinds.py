"""The kind in which a case fails: one of a fixed list, chosen here and not by the submission."""

from typing import get_args

import numpy as np
import pytest
from adkit import checks
from adkit.checks import StudentError, schedules
from adkit.kinds import KINDS, Kind

from autograder.assignment import Assignment
from autograder.testcases import load_cases


def kind_of(check) -> str:
    with pytest.raises(checks.CheckError) as raised:
        check()
    return raised.value.kind


def call(body):
    return lambda: checks.call(body, np.ones(2))


def test_there_are_at_most_twelve_kinds_and_each_has_words() -> None:
    assert tuple(KINDS) == get_args(Kind)
    assert len(KINDS) <= 12
    assert all(KINDS.values())


def raises(error):
    def function(x):
        raise error

    return function


def raises_always(error):
    def function(*_args):
        raise error

    return function


def changes(x):
    x[0] = 7.0
    return x


def moody(x, calls=[0]):  # noqa: B006 (it is meant to remember)
    calls[0] += 1
    return calls[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (raises(RecursionError()), "recursion limit"),
        (raises(ValueError("4711")), "exception"),
        (raises(NotImplementedError()), "no answer"),
        (changes, "changed arguments"),
        (moody, "changed arguments"),
        (None, "no answer"),
    ],
)
def test_a_call_that_gives_no_answer(body, kind: str) -> None:
    assert kind_of(call(body)) == kind


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ([1.0, 3.0], "wrong answer"),
        ([1.0, 2.00001], "nearly right"),
        ([1.0, np.nan], "not finite"),
        ([1.0], "wrong shape"),
        ("text", "wrong shape"),
    ],
)
def test_an_answer_that_is_not_right(given, kind: str) -> None:
    assert kind_of(lambda: checks.close(given, [1.0, 2.0], rtol=1e-9, what="x")) == kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (lambda layers, x: None, "wrong shape"),
        (lambda layers, x: [x], "wrong shape"),
        (lambda layers, x: x, "wrong shape"),
        (lambda layers, x: layers.pop().sum(), "changed arguments"),
        (lambda layers, x: float(x[0]), "not traceable"),
        (raises_always(RecursionError()), "recursion limit"),
        (raises_always(ValueError("4711")), "exception"),
        (None, "no answer"),
    ],
)
@pytest.mark.parametrize("transform", ["vjp", "vjp_split", "value_and_grad"])
def test_a_traced_function_that_gives_no_answer(body, kind: str, transform: str) -> None:
    arguments = ([np.ones(2)], np.ones(2))
    cotangent = () if transform == "value_and_grad" else (np.float64(1.0),)
    assert kind_of(lambda: checks.measured(body, *arguments, *cotangent, transform=transform, autodiff=True)) == kind


def test_what_is_no_array_is_told_as_that_where_it_is_only_called() -> None:
    assert kind_of(lambda: checks.measured(lambda x: "text", np.ones(2))) == "wrong shape"


@pytest.mark.parametrize("answer", [None, 3, "text", [("forward",)], [("forward", 1.5)], [[[]]], [1, 2]])
def test_an_answer_that_is_no_list_of_actions_is_of_the_wrong_kind_of_data(answer) -> None:
    assert kind_of(lambda: schedules.legal(2, answer)) == "wrong shape"
    assert kind_of(lambda: schedules.subset(2, answer if answer != [1, 2] else [[1], [2]])) == "wrong shape"


def test_an_illegal_schedule_is_a_wrong_answer() -> None:
    assert kind_of(lambda: schedules.legal(2, [("backward", 2)])) == "wrong answer"
    assert kind_of(lambda: schedules.legal(2, [("skip", 2)])) == "wrong answer"


@pytest.mark.parametrize(
    ("error", "kind"), [(RecursionError(), "recursion limit"), (TypeError(), "exception"), (None, "wrong answer")]
)
def test_another_error_than_the_one_that_is_asked_for_keeps_its_kind(error, kind: str) -> None:
    body = raises(error) if error is not None else lambda x: x
    assert kind_of(lambda: checks.raises(body, 1.0, error="ValueError")) == kind


@pytest.mark.parametrize("name", ["ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing"])
@pytest.mark.parametrize(
    ("error", "kind"), [(RecursionError(), "recursion limit"), (ValueError("4711"), "exception")], ids=["deep", "error"]
)
def test_every_hidden_case_of_every_assignment_says_how_a_call_failed(name: str, error, kind: str) -> None:
    """Also where work is counted, where an error is asked for, and where another sentence is said as well."""
    assignment = Assignment.load(name)
    functions = dict.fromkeys(assignment.functions, raises_always(error))
    for question in assignment.questions:
        for case in load_cases(assignment)[question.name]:
            if case.hidden:
                with pytest.raises(checks.CheckError) as raised:
                    case.run(functions)
                assert raised.value.kind == kind, case.name
                assert "4711" not in raised.value.told(hidden=True)


def test_what_costs_too_much_is_a_kind_of_its_own() -> None:
    assert kind_of(lambda: schedules.at_most(3, 2, what="the peak", case="n = 2", answer=[])) == "too costly"


@pytest.mark.parametrize("name", ["LookAtMe", "0123456789" * 20, "a b c", "ZeroDivisionError"])
def test_a_hidden_case_says_nothing_of_an_exceptions_name(name: str) -> None:
    error = StudentError("public words", (name, "Exception"))
    assert error.kind == "exception"
    assert error.told(hidden=True) == "the function raised an error in this hidden case"
