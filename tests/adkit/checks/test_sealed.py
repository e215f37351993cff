"""Sealed sentences: what opens them, what does not, and what the file shows to whoever only reads it."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from adkit.checks import sealed
from adkit.checks.fingerprint import digits_of

from autograder.build.known_mistakes import Table, entries
from autograder.grading.recognition import PublicAnswer
from reference.mistakes import Mistake

RANDOM = np.random.default_rng(20)
WRONG = RANDOM.normal(size=(3, 4)) * 1e3
SENTENCE = "The sign is wrong."


def mistake(says=SENTENCE, openly=None, name="some_mistake"):
    return Mistake(name, "q1", "f", says, lambda: None, openly)


def table(*answers, held=()):
    """The table for (answer, mistake) pairs, all at one check."""
    found = [PublicAnswer("test_q1_a", 2, answer, tolerance, entry) for answer, entry, tolerance in answers]
    return Table(tuple(entries(found, held)), "salt")


def content(*answers):
    return json.loads(table(*answers).render())


def said(answer, *answers):
    return sealed.open_sentences(content(*answers), "test_q1_a", 2, answer)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sealed, "ITERATIONS", 1)
    sealed.slow_key.cache_clear()
    yield
    sealed.slow_key.cache_clear()


# --- what opens a sentence -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-300, 1e-3, 1.0, 7.3e5, 1e300])
def test_the_same_answer_up_to_rounding_opens_the_sentence_on_whatever_side_of_a_boundary_it_lies(size):
    for _ in range(60):
        wrong = RANDOM.normal(size=int(RANDOM.integers(3, 9))) * size
        lock = sealed.locks(wrong, [6])[0]
        other = wrong * (1.0 + RANDOM.uniform(-9e-7, 9e-7))
        other[0] += RANDOM.uniform(-3e-7, 3e-7) * np.max(np.abs(wrong))
        assert lock in sealed.locks(other, [6])


@pytest.mark.parametrize("digits", range(6, 12))
def test_an_answer_further_away_than_a_few_tolerances_opens_nothing(digits):
    for _ in range(30):
        wrong = RANDOM.normal(size=5)
        lock = sealed.locks(wrong, [digits])[0]
        assert lock not in sealed.locks(wrong * (1.0 + 20 * 10.0**-digits), [digits])
        assert lock not in sealed.locks(wrong + 300 * 10.0**-digits * RANDOM.choice([-1.0, 1.0], size=5), [digits])


def test_a_number_on_the_edge_of_a_cell_has_a_grid_in_which_it_is_far_from_every_edge():
    for exponent in range(-40, 40):
        edge = float(np.exp(exponent * 10e-6))  # the logarithm is a multiple of the cell's width
        lock = sealed.locks([edge, 2.0 * edge, -edge], [6])[0]
        for factor in (1.0 - 1e-9, 1.0 + 1e-9):
            assert sealed.locks([factor * edge, 2.0 * factor * edge, -factor * edge], [6])[0] == lock


def test_the_sentence_is_said_to_the_answer_and_to_no_other():
    answers = ((WRONG, mistake(), 1e-6),)
    assert said(WRONG * (1.0 + 1e-12), *answers) == [SENTENCE]
    assert said(WRONG.tolist(), *answers) == [SENTENCE]
    for other in (-WRONG, WRONG.T, WRONG.ravel(), WRONG * 1.001, np.where(WRONG < 0, np.nan, WRONG), None, "WRONG", []):
        assert said(other, *answers) == []


def test_it_is_said_at_its_own_check_of_its_own_test_only():
    here = content((WRONG, mistake(), 1e-6))
    assert sealed.open_sentences(here, "test_q1_a", 3, WRONG) == []
    assert sealed.open_sentences(here, "test_q1_b", 2, WRONG) == []
    here["checks"]["test_q1_a"]["3"] = here["checks"]["test_q1_a"]["2"]
    assert sealed.open_sentences(here, "test_q1_a", 3, WRONG) == []  # the key is of the check as well


def test_a_mistake_that_is_nearly_right_is_opened_from_much_nearer_than_the_right_answer():
    nearly = WRONG * (1.0 + 1e-7)
    answers = ((nearly, mistake(), 1e-9),)
    assert said(nearly * (1.0 + 1e-13), *answers) == [SENTENCE]
    assert said(WRONG, *answers) == []


def test_two_mistakes_with_one_answer_are_both_said():
    one, other = mistake("This."), mistake("That.", name="another")
    assert said(WRONG, (WRONG, one, 1e-6), (WRONG * (1.0 + 1e-14), other, 1e-6)) == ["This.", "That."]


def test_three_mistakes_with_one_answer_are_not_handed_out():
    three = [(WRONG, mistake(f"Number {k}.", name=f"number_{k}"), 1e-6) for k in range(3)]
    assert content(*three)["checks"] == {}


def test_a_failing_check_costs_four_slow_keys_for_each_number_of_digits():
    near = (2.0 * WRONG, mistake("B.", name="b"), 1e-9)
    many = [(WRONG * k, mistake(f"M{k}.", name=f"m{k}"), 1e-6) for k in range(3, 20)]
    here = content(near, *many)
    sealed.slow_key.cache_clear()
    sealed.open_sentences(here, "test_q1_a", 2, -WRONG)
    assert sealed.slow_key.cache_info().misses == 8


# --- what the file shows -------------------------------------------------------------------------------------------


def test_no_sentence_no_number_and_no_name_stands_in_the_file():
    text = table((WRONG, mistake(), 1e-6)).render()
    assert SENTENCE not in text
    assert "some_mistake" not in text
    assert base64.b64encode(SENTENCE.encode()).decode()[:12] not in text
    assert set(json.loads(text)["checks"]["test_q1_a"]["2"]) == {"digits", "sealed"}


def test_the_sentences_of_a_check_are_of_one_length_and_sorted_by_their_bytes():
    answers = [(WRONG * k, mistake("x" * (3 * k), name=f"m{k}"), 1e-6) for k in range(1, 30)]
    there = content(*answers)["checks"]["test_q1_a"]["2"]["sealed"]
    assert len({len(entry) for entry in there}) == 1
    assert there == sorted(there)
    assert content(*reversed(answers))["checks"]["test_q1_a"]["2"]["sealed"] == there


def test_a_sentence_worded_anew_under_the_same_key_shares_nothing_with_the_old_one():
    key = bytes(range(32))
    old, new = (base64.b64decode(sealed.seal(text, key, 64)) for text in ("The sign is wrong.", "The sign is right."))
    assert bytes(a ^ b for a, b in zip(old[16:], new[16:], strict=True))[:9] != bytes(9)


def test_a_changed_byte_is_no_sentence():
    key = bytes(range(32))
    sentence = base64.b64decode(sealed.seal(SENTENCE, key, 64))
    assert sealed.unseal(base64.b64encode(sentence).decode(), key) == SENTENCE
    for place in (0, 15, 16, 40, len(sentence) - 1):
        changed = bytearray(sentence)
        changed[place] ^= 1
        assert sealed.unseal(base64.b64encode(bytes(changed)).decode(), key) is None


@pytest.mark.parametrize(
    "broken",
    [
        None, [], 3, "x", {}, {"checks": 3}, {"checks": {"test_q1_a": []}}, {"checks": {"test_q1_a": {"2": "x"}}},
        {"checks": {"test_q1_a": {"2": {"digits": "6", "sealed": ["", "!", 3, None]}}}},
        {"checks": {"test_q1_a": {"2": {"digits": [True, -1, 400, 1e9], "sealed": ["AAAA"]}}}},
    ],
)  # fmt: skip
def test_a_damaged_file_says_nothing(broken):
    assert sealed.open_sentences(broken, "test_q1_a", 2, WRONG) == []


# --- what the build makes sure of ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        True, None, "forward", 3, [], [1, 0, 2], 0.0, 43.0, [1.0, -1.0], np.zeros((5, 5)), np.ones(7), -np.ones(7),
        np.eye(4), np.full((3, 3), np.nan), np.full(3, np.inf), [np.zeros(3), np.zeros((2, 2))], float("nan"),
        np.array([2.0, -1.0, 0.0]),
    ],
)  # fmt: skip
def test_an_answer_that_can_be_guessed_needs_a_sentence_that_may_be_read(answer):
    assert "can be obtained without making the mistake" in table((answer, mistake(), 1e-6)).problems()[0]
    assert not table((answer, mistake(openly="Look at the sign."), 1e-6)).problems()


@pytest.mark.parametrize(
    "answer", [WRONG, [0.123456789], [("forward", k) for k in range(9)], RANDOM.integers(0, 9, (4, 4)), WRONG[0]]
)
def test_an_answer_that_cannot_be_guessed_needs_none(answer):
    there = table((answer, mistake(), 1e-6))
    assert not there.problems()
    assert not there.guessed


@pytest.mark.parametrize("numbers", [1, 2])
def test_an_answer_of_few_numbers_that_is_nearly_right_can_be_found_from_the_right_one(numbers):
    assert table((WRONG[0, :numbers], mistake(), 1e-8)).problems()


def test_what_a_student_holds_opens_no_sentence_that_is_a_secret():
    there = table((WRONG, mistake(), 1e-6), held=[(WRONG + 0.0, "an input of test_q1_a")])
    assert "an input of test_q1_a" in there.problems()[0]


@pytest.mark.parametrize(
    "openly", ["It is x_bar = A^-T b.", "Take U @ V.", "It is 1 / (a - b).", "mul(x, x) counts twice.", "+="]
)
def test_a_sentence_that_may_be_read_holds_no_formula(openly):
    assert "holds a formula" in table((True, mistake(openly=openly), 1e-6)).problems()[0]


def test_where_an_answer_can_be_guessed_the_other_sentence_is_said_and_elsewhere_the_whole():
    entry = mistake("x_bar = A^-T b, not A^-1 b.", openly="A transpose is missing.")
    assert said(np.zeros(3), (np.zeros(3), entry, 1e-6)) == ["A transpose is missing."]
    assert said(WRONG, (WRONG, entry, 1e-6)) == ["x_bar = A^-T b, not A^-1 b."]


def test_a_sentence_that_may_not_be_read_is_left_out_where_the_answer_can_be_guessed():
    assert content((np.zeros(3), mistake(openly=""), 1e-6))["checks"] == {}


def test_nobody_is_given_one_of_two_mistakes_because_the_other_is_left_out():
    first, second = mistake("A.", openly="A."), mistake("B.", openly="", name="b")
    assert content((np.zeros(3), first, 1e-6), (np.zeros(3), second, 1e-6))["checks"] == {}


def test_the_bytes_depend_on_nothing_but_the_answers_up_to_rounding_the_sentences_and_the_salt():
    there = table((WRONG, mistake(), 1e-6), (-WRONG, mistake("B.", name="b"), 1e-9))
    near = table((WRONG * (1 + 1e-14), mistake(), 1e-6), (-WRONG * (1 - 1e-14), mistake("B.", name="b"), 1e-9))
    assert there.render() == near.render()
    assert replace(there, salt="other").render() != there.render()


@pytest.mark.parametrize(
    ("tolerance", "digits"), [(1.0, 6), (1e-6, 6), (9.9e-7, 7), (1e-8, 8), (3e-10, 10), (1e-30, 11), (0.0, 6)]
)
def test_a_tolerance_is_rounded_down_to_a_power_of_ten(tolerance, digits):
    assert digits_of(tolerance) == digits
