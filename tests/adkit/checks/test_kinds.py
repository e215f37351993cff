"""The kind in which a case fails: one of a fixed list, chosen here and not by the submission."""

from typing import get_args

import numpy as np
import pytest
from adkit import checks
from adkit.checks import StudentError, schedules
from adkit.kinds import KINDS, Kind


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


def test_what_costs_too_much_is_a_kind_of_its_own() -> None:
    assert kind_of(lambda: schedules.at_most(3, 2, what="the peak", case="n = 2", answer=[])) == "too costly"


@pytest.mark.parametrize("name", ["LookAtMe", "0123456789" * 20, "a b c", "ZeroDivisionError"])
def test_a_hidden_case_says_nothing_of_an_exceptions_name(name: str) -> None:
    error = StudentError("public words", (name, "Exception"))
    assert error.kind == "exception"
    assert error.told(hidden=True) == "the function raised an error in this hidden case"
