"""Checks: what passes, what does not, and what the student is told."""

import json
from collections import deque
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from adkit import checks
from adkit.checks import known_mistakes, sealed
from otter.test_files import ExceptionTestFile

from autograder.isolation import child

CASES = """
from otter.test_files import test_case
name = "q1"
points = None

@test_case(points=1)
def test_q1_public(double):
    import numpy as np
    from adkit import checks
    y = checks.call(double, np.array([[1.0, 2.0], [3.0, 4.0]]))
    checks.close(y, [[2.0, 4.0], [6.0, 8.0]], rtol=1e-9, what="y")

@test_case(points=1, hidden=True)
def test_q1_hidden(double):
    import numpy as np
    from adkit import checks
    y = checks.call(double, np.array([[1.0, 2.0], [3.0, 4.0]]))
    checks.close(y, [[2.0, 4.0], [6.0, 8.0]], rtol=1e-9, what="y")
"""


def told(double, path="tests/q1.py") -> list[str]:
    """The messages of the public and of the hidden case; empty where it passes."""
    file = ExceptionTestFile.from_string(CASES, path=path)
    file.run({"double": double} if double is not None else {})
    return ["" if r.passed else str(r.message).split("\n")[-1] or "failed" for r in file.test_case_results]


def error(run) -> Any:
    with pytest.raises(checks.CheckError) as caught:
        run()
    return caught.value


def test_right_answers_pass_as_arrays_lists_and_jax_arrays():
    import jax.numpy as jnp

    for double in (lambda x: 2 * x, lambda x: (2 * x).tolist(), lambda x: 2 * jnp.asarray(x)):
        assert told(double) == ["", ""]


def test_a_missing_function_is_named():
    assert "double is not defined" in told(None)[0]


def test_the_template_stub_is_told_from_a_crash():
    def double(x):
        raise NotImplementedError("q1: double the matrix")

    assert "not done yet: double" in told(double)[0]


def test_an_exception_is_shown_with_the_line_of_the_student():
    def double(x):
        return x / undefined_name  # noqa: F821  # pyright: ignore[reportUndefinedVariable]

    message = told(double)[0]
    assert "NameError" in message
    assert "return x / undefined_name" in message


def test_exit_is_a_failure_of_the_case_only():
    def double(x):
        raise SystemExit(3)

    assert "SystemExit" in told(double)[0]


def test_changing_an_argument_is_told():
    def double(x):
        x *= 2
        return x

    assert "changed its arguments" in told(double)[0]


def test_a_function_that_answers_differently_is_told():
    state = []

    def double(x):
        state.append(1)
        return 2 * x + 0.01 * len(state)

    assert "asked again" in told(double)[0]


def test_nan_equals_nan_when_asked_again_but_is_not_right():
    assert "NaN" in told(lambda x: x * np.nan)[0]


def test_relations_are_told_in_both_numbers_only_in_public():
    public, hidden = told(lambda x: -2 * x)
    assert "wrong sign" in public
    assert "wrong sign" in hidden
    assert "-8" in public
    assert "8" not in hidden
    public, hidden = told(lambda x: (2 * x).T)
    assert "transposed" in public
    assert "transposed" in hidden


def test_shapes_do_not_broadcast():
    public, hidden = told(lambda x: 2 * x[:, :1])
    assert "(2, 1)" in public
    assert "(2, 1)" not in hidden
    assert told(lambda x: 2.0)[0]


def test_a_direct_call_shows_no_numbers():
    message = error(lambda: checks.close([1.0, 2.5], [1.0, 2.0], rtol=1e-9, what="v")).message
    assert "2.5" not in message


@pytest.mark.parametrize("value", ["a", None, [[1.0], [1.0, 2.0]], [1j, 2.0], {"a": 1}, lambda: 0, [True, False]])
def test_what_is_no_array_of_numbers_is_refused(value):
    assert "v" in error(lambda: checks.array(value, what="v")).message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(bad):
    assert error(lambda: checks.array([1.0, bad], what="v"))


def test_close_is_relative_to_the_norm_or_to_each_entry():
    expected = np.array([1e6, 1.0])
    checks.close([1e6, 1.0 + 1e-4], expected, rtol=1e-9, what="v")
    assert error(lambda: checks.close([1e6, 1.0 + 1e-4], expected, rtol=1e-9, what="v", scale="entry"))


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_close_neither_overflows_nor_underflows(size):
    right = size * np.array([[1.0, 2.0], [3.0, 4.0]])
    checks.close(right, right, rtol=1e-9, what="v")
    assert error(lambda: checks.close(1.001 * right, right, rtol=1e-9, what="v"))
    assert error(lambda: checks.close(0 * right, right, rtol=1e-9, what="v"))


def test_close_with_a_right_answer_of_zero():
    checks.close([0.0, 0.0], [0.0, 0.0], rtol=1e-9, what="v")
    assert error(lambda: checks.close([0.0, 1e-30], [0.0, 0.0], rtol=1e-9, what="v"))


def test_close_says_what_a_case_knows():
    message = error(lambda: checks.close([4.0], [2.0], rtol=1e-9, what="v", says={"you doubled it": [4.0]})).message
    assert "you doubled it" in message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], (1, 2)),
        (np.int64(3), 3),
        (np.array(3), 3),
        (np.array([1, 2]), [1, 2]),
        (np.bool_(True), True),
        ((("forward", 1),), [["forward", 1]]),
        (3.0, 3),
        (np.str_("a"), "a"),
    ],
)
def test_equal_forgives_kinds_of_sequences_and_numbers(one, other):
    checks.equal(one, other, what="v")


@pytest.mark.parametrize(
    ("one", "other"),
    [(True, 1), (1, True), ([1, 2], [1, 2, 3]), ("a", "b"), ([1], 1), (None, 0), (float("nan"), 0), ({}, [])],
)
def test_equal_is_exact(one, other):
    assert error(lambda: checks.equal(one, other, what="v"))


def test_raises_wants_that_kind():
    def subclass():
        raise UnicodeError("bad")

    checks.raises(subclass)

    def other():
        raise KeyError("bad")

    assert "should raise ValueError" in error(lambda: checks.raises(other, when="n is 0")).message
    assert "it returned" in error(lambda: checks.raises(lambda: 1)).message


def test_returns_takes_sequences_of_that_length():
    assert list(checks.call(lambda: (1, 2), returns=2)) == [1, 2]
    assert list(checks.call(lambda: np.array([1.0, 2.0]), returns=2)) == [1.0, 2.0]
    assert "3" in error(lambda: checks.call(lambda: [1, 2, 3], returns=2)).message
    assert error(lambda: checks.call(lambda: 1.0, returns=2))


@pytest.mark.parametrize("value", [2**63 - 1, [0, -(2**63)], [2.0**53], 1e300, np.uint64(2**64 - 1)])
def test_whole_numbers_that_a_float_cannot_tell_apart_are_refused(value):
    assert "2^53" in error(lambda: checks.array(value, what="v", kind="i")).message
    np.testing.assert_array_equal(checks.array([2**53 - 1, -3], what="v", kind="i"), [2**53 - 1, -3])


def test_a_hidden_case_tells_no_length_that_the_answer_chose():
    """A function could make lengths of the numbers it was given."""
    ragged = [[0.0] * 31, [0.0] * 41]
    public, hidden = told(lambda x: [[ragged, ragged], [ragged]])
    for message in (public, hidden):
        assert message.endswith("y should be an array of numbers, but its rows are of different lengths")

    def test_q1_hidden():
        checks.call(lambda: [0.0] * 31415, returns=2)

    assert "many more" in error(test_q1_hidden).message


def test_generators_and_objects_are_no_answers():
    assert "generator" in error(lambda: checks.call(lambda: (i for i in range(3)))).message


def test_proxies_get_the_call_as_it_is():
    calls = []

    class Proxy:
        __autograder_proxy__ = True

        def __call__(self, *args, autodiff):
            calls.append((args, autodiff))
            raise checks.StudentError("it crashed", ("ValueError", "Exception"))

    checks.raises(Proxy(), 1, 2)
    assert calls == [((1, 2), True)]
    assert error(lambda: checks.call(Proxy(), 3, autodiff=False)).kinds == ("ValueError", "Exception")


def test_known_mistakes_beside_the_test_file_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(known_mistakes, "recogniser", None)  # as on a student's machine, where no grader has set one
    wrong = 3 * np.array([[1.0, 2.0], [3.0, 4.0]])
    key = sealed.slow_key(sealed.locks(wrong, [6])[0], "salt", "test_q1_public", "2")
    entries = {"digits": [6], "sealed": [sealed.seal("You tripled it.", key, 64)]}
    table = {"salt": "salt", "checks": {"test_q1_public": {"2": entries}}}
    (tmp_path / "known_mistakes.json").write_text(json.dumps(table))
    assert "You tripled it." in told(lambda x: 3 * x, str(tmp_path / "q1.py"))[0]
    assert "You tripled it." not in told(lambda x: 4 * x, str(tmp_path / "q1.py"))[0]


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"checks": {"test_q1_public": 3}}', "\\ud800"])
def test_an_unusable_file_of_known_mistakes_costs_the_sentence_only(tmp_path, monkeypatch, content):
    monkeypatch.setattr(known_mistakes, "recogniser", None)
    (tmp_path / "known_mistakes.json").write_text(content)
    assert "should be" in told(lambda x: 3 * x, str(tmp_path / "q1.py"))[0]


def test_the_calls_of_a_test_are_noted_up_to_its_first_failure():
    def case(f):
        assert checks.call(f, 2.0) == 4.0
        checks.close(checks.call(f, 3.0), 7.0, rtol=1e-9, what="y")
        checks.call(f, 4.0)

    assert checks.calls_of(lambda: case(lambda x: 2 * x)) == [((2.0,), 4.0), ((3.0,), 6.0)]


def test_fingerprints_tolerate_rounding_and_nothing_else():
    value = [np.array([1.0, 2.0, 3.0]), 4.0, "word", 5]
    key = checks.fingerprint(value)
    assert checks.matches(key, checks.fingerprint((np.array([1.0, 2.0, 3.0 + 1e-12]), np.float64(4.0), "word", 5)))
    for other in (
        [np.array([1.0, 2.0, 3.001]), 4.0, "word", 5],
        [np.array([1.0, 3.0, 2.0]), 4.0, "word", 5],
        [np.array([[1.0, 2.0, 3.0]]), 4.0, "word", 5],
        [np.array([1.0, 2.0, np.nan]), 4.0, "word", 5],
        [np.array([1.0, 2.0, 3.0]), 4.0, "other", 5],
        [np.array([1.0, 2.0, 3.0]), 4.0, "word", 6],
        [-np.array([1.0, 2.0, 3.0]), -4.0, "word", 5],
    ):
        assert not checks.matches(key, checks.fingerprint(other))


def test_a_fingerprint_keeps_the_tolerance_it_was_made_with():
    value = np.array([1.0, 2.0, 3.0])
    near = checks.fingerprint(value + 1e-8)
    assert checks.matches(near, checks.fingerprint(value))
    assert not checks.matches(near, checks.fingerprint(value, tolerance=1e-9))
    assert checks.matches(checks.fingerprint(value + 1e-12), checks.fingerprint(value, tolerance=1e-9))


def test_fingerprints_of_arrays_and_of_nested_lists_are_the_same():
    for value in (np.array([[1.0, 2.5], [3.0, 4.0]]), np.array([1, 2, 3]), (np.eye(2), np.ones(3))):
        aslist = [part.tolist() for part in value] if isinstance(value, tuple) else value.tolist()
        assert checks.matches(checks.fingerprint(value), checks.fingerprint(aslist))


def test_the_first_failure_knows_its_check_and_its_answer():
    def test_q1_something(f):
        checks.close(checks.call(f, 1.0), 1.0, rtol=1e-9, what="a")
        checks.close(checks.call(f, 2.0), 2.0, rtol=1e-9, what="b")

    failure = checks.first_failure(lambda: test_q1_something(lambda x: min(x, 1.5)))
    assert failure is not None
    assert (failure.test, failure.ordinal, failure.answer) == ("test_q1_something", 4, 1.5)
    assert checks.first_failure(lambda: test_q1_something(lambda x: x)) is None


def test_adkit_is_cheap_to_import_and_lists_what_it_has():
    import subprocess
    import sys

    code = "import sys, adkit; assert 'jax' not in sys.modules; assert 'checks' in dir(adkit); adkit.checks.call"
    subprocess.run([sys.executable, "-c", code], check=True)
    import adkit

    with pytest.raises(AttributeError, match="nothing_like_it"):
        adkit.nothing_like_it  # noqa: B018


class Mode(str, Enum):  # noqa: UP042 (as students write it)
    FORWARD = "forward"


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (range(3), [0, 1, 2]),
        (deque([1.5, 2.5]), [1.5, 2.5]),
        ((Fraction(1, 2), 3), (0.5, 3)),
        (Mode.FORWARD, "forward"),
    ],
    ids=repr,
)
def test_sequences_and_numbers_of_python_are_answers_here_and_in_the_isolated_process(answer, means):
    for plain in (checks.plain, child.plain):
        assert plain(answer) == means
        assert type(plain(answer)) is type(means)


def test_a_generator_is_refused_with_the_way_out():
    for plain in (checks.plain, child.plain):
        with pytest.raises(TypeError, match=r"list\(…\)"):
            plain(entry for entry in [1.0, 2.0])


def test_an_entry_that_is_no_number_is_pointed_out():
    message = str(error(lambda: checks.close([1.0, None], [1.0, 0.0], rtol=1e-9, what="x_bar")))
    assert message == "an entry of x_bar should be a number, but it is None (is a return missing?)"
    message = str(error(lambda: checks.array([[1.0], [1.0, 2.0]], what="G")))
    assert message == "G should be an array of numbers, but its rows are of different lengths"


def test_an_answer_that_is_nearly_right_is_told_so_and_no_relation_is_seen_in_its_rounding():
    right = np.array([1.0, 2.0, 3.0])
    for wrong in (right + np.array([0, 0, 1e-7]), right * (1 + 1e-8), np.float32(right / 3)):
        expected = right / 3 if wrong.dtype == np.float32 else right
        message = str(error(lambda wrong=wrong, expected=expected: checks.close(wrong, expected, rtol=1e-12, what="y")))
        assert message.startswith("y is nearly right")
    assert "nearly" not in str(error(lambda: checks.close([1.0, 2.0, 3.1], right, rtol=1e-12, what="y")))
    small = error(lambda: checks.close([1.0, 2e-9], [1.0, 1e-9], rtol=1e-12, what="y", scale="entry"))
    assert "nearly" not in str(small)


def test_of_entries_that_stand_for_themselves_the_first_wrong_one_is_told():
    def double(x):
        return [[2.0, 4.5], [6.0, 80.0]]

    source = CASES.replace('what="y")', 'what="y", scale="entry")')
    file = ExceptionTestFile.from_string(source, path="tests/q1.py")
    file.run({"double": double})
    assert "y[0, 1] is 4.5, and should be 4" in str(file.test_case_results[0].message)


def test_a_number_of_another_type_is_not_told_to_be_a_number():
    assert str(error(lambda: checks.equal(24.5, 24, what="the cost"))) == "the cost is not right"
    assert "should be a string, not a number" in str(error(lambda: checks.equal(1, "forward", what="the mode")))


def test_the_key_of_a_list_of_words_takes_no_more_memory_than_the_words():
    import tracemalloc

    words = [["x" * 10**5], *[[""]] * 2000]  # as a NumPy array: 800 MB
    tracemalloc.start()
    try:
        checks.fingerprint(words)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()
