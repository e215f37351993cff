"""What an isolated session has to say crosses Otter whole, and what is of another form costs a note at most."""

import json
from typing import Any

import pytest

from autograder.otter.outcome import Outcome, Said, as_text, read, written
from autograder.records.results import Timeout

EVERYTHING = Outcome(
    notes=("Cell 1 raised an error",),
    grader_notes=("test_q1: TypeError",),
    output="hello\n",
    timeouts=(Timeout("call", "twice", 1.0),),
    cases={"test_q1": Said("You doubled it (y is 4)", "You doubled it", "timeout")},
)


def test_what_is_read_is_what_was_written_with_json_between_and_without() -> None:
    assert read(written(EVERYTHING)) == EVERYTHING
    assert read(json.loads(json.dumps(written(EVERYTHING)))) == EVERYTHING


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"notes": "x", "timeouts": [["call"]], "cases": 3},
        {"timeouts": [{"limit": "none", "what": "", "seconds": 1}]},
    ],
)
def test_what_is_of_another_form_is_left_out(data: Any) -> None:
    assert read(data) == Outcome()


def test_for_people_the_instructor_s_notes_are_marked() -> None:
    lines = as_text(EVERYTHING).splitlines()
    assert lines == ["Cell 1 raised an error", "grader: test_q1: TypeError", "Printed by the notebook:", "hello"]
