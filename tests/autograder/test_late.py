"""What handing in late costs: the table in assignment.toml, and how much is taken off when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import courses
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment import Assignment, AssignmentError
from autograder.grading.cache import digest_of
from autograder.late import LateError, LatePolicy, moment, span

DEADLINE = "2026-05-01T23:59:00+02:00"


def policy(steps: str, **keys: str) -> LatePolicy:
    return LatePolicy.parse({"deadline": DEADLINE, "steps": steps, **keys})


@pytest.mark.parametrize(
    ("hours", "off"),
    [(-5, 0), (0, 0), (0.2, 0), (0.3, 1), (24, 1), (24.01, 2), (60, 3), (72, 3), (720, 3)],
)
def test_each_day_begun_after_the_grace_costs_a_step_until_the_most(hours: float, off: float) -> None:
    rule = policy("10 % per day, at most 3 days", grace="15 minutes")
    late = rule.late_by(rule.deadline + timedelta(hours=hours))
    assert rule.reduction(late, 10.0, 12.0)[0] == off


@pytest.mark.parametrize(
    ("steps", "keys", "off", "why"),
    [
        ("2 points per hour", {}, 6.0, "2 hours 30 minutes late: 6 points"),
        ("5 % per 12 hours, at most 50 %", {}, 0.4, "2 hours 30 minutes late: 5 % of the points earned"),
        (
            "5 % per hour, at most 10 %",
            {},
            0.8,
            "2 hours 30 minutes late: 10 % of the points earned, which is the most",
        ),
        ("10 % per day", {"of": "possible"}, 1.2, "2 hours 30 minutes late: 10 % of the points possible"),
        ("50 points per day", {}, 8.0, "2 hours 30 minutes late: 50 points"),
        ("1 point a week, at most 3 points", {}, 1.0, "2 hours 30 minutes late: 1 point"),
        ("10% per day", {"nothing_after": "2 hours"}, 8.0, "2 hours 30 minutes late: later than 2 hours earns nothing"),
    ],
)
def test_steps_are_per_cent_or_points_of_a_duration(steps: str, keys: dict[str, str], off: float, why: str) -> None:
    assert policy(steps, **keys).reduction(timedelta(hours=2.5), 8.0, 12.0) == (off, why)


@given(st.floats(0, 1000), st.floats(0, 50), st.floats(0, 50))
def test_a_reduction_never_takes_more_than_there_is_and_never_shrinks(hours: float, more: float, earned: float) -> None:
    rule = policy("7 % per 5 hours, at most 4 days", nothing_after="2 weeks")
    first = rule.reduction(timedelta(hours=hours), earned, 40.0)[0]
    then = rule.reduction(timedelta(hours=hours + more), earned, 40.0)[0]
    assert 0 <= first <= then <= earned


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"steps": "10 % per day"}, "'deadline' is missing"),
        ({"deadline": DEADLINE}, "'steps' is missing"),
        ({"deadline": "2026-05-01", "steps": "10 % per day"}, "a date and a time with a zone"),
        ({"deadline": "2026-05-01T23:59:00", "steps": "10 % per day"}, "a date and a time with a zone"),
        ({"deadline": DEADLINE, "steps": "ten percent"}, "steps must be like"),
        ({"deadline": DEADLINE, "steps": "10 % per fortnight"}, "steps must be like"),
        ({"deadline": DEADLINE, "steps": "0 % per day"}, "steps must be like"),
        ({"deadline": DEADLINE, "steps": "10 % per day, at most 3 points"}, "or end with `at most 30 %`"),
        ({"deadline": DEADLINE, "steps": "10 % per day", "grace": "a while"}, "grace must be a duration"),
        ({"deadline": DEADLINE, "steps": "1 point per day", "of": "possible"}, "of must be"),
        ({"deadline": DEADLINE, "steps": "10 % per day", "step": "x"}, "unknown keys: step; the keys are: deadline"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told_which_key_is_wrong(table: dict[str, str], says: str) -> None:
    with pytest.raises(LateError, match=says):
        LatePolicy.parse(table)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-02T10:00:00+02:00",
        "2026-05-02 10:00:00 +0200",
        "2026-05-02T08:00:00Z",
        "2026-05-02 08:00:00 UTC",
        "2026-05-02T08:00+00:00",
    ],
)
def test_times_are_read_as_platforms_write_them(text: str) -> None:
    assert moment(text) == datetime(2026, 5, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-05-02", "36 days late", "2026-13-02T10:00"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text) is None


def test_durations_are_said_in_words() -> None:
    hours = [0.001, 0.5, 1, 25, 48.4]
    assert [span(timedelta(hours=value)) for value in hours] == [
        "less than a minute",
        "30 minutes",
        "1 hour",
        "1 day 1 hour",
        "2 days",
    ]


def test_the_table_in_assignment_toml_changes_no_score_and_so_not_the_contract(tmp_path: Path) -> None:
    assignment = courses.awkward_assignment(tmp_path)
    file = assignment.folder / "assignment.toml"
    before = digest_of(assignment)
    file.write_text(file.read_text() + f'[late]\ndeadline = {DEADLINE}\nsteps = "10 % per day"\n')
    late = Assignment.load(assignment.folder)
    assert late.late is not None
    assert digest_of(late) == before
    file.write_text(file.read_text().replace("points = 3", "points = 4"))
    assert digest_of(late) != before


def test_a_wrong_table_in_assignment_toml_names_the_file(tmp_path: Path) -> None:
    assignment = courses.awkward_assignment(tmp_path)
    file = assignment.folder / "assignment.toml"
    file.write_text(file.read_text() + '[late]\nsteps = "10 % per day"\n')
    with pytest.raises(AssignmentError, match=r"assignment\.toml: late: 'deadline' is missing"):
        Assignment.load(assignment.folder)
