"""`grader.hint`: a question back, an idea, a line of mathematics, one at a time."""

import json
from pathlib import Path

import pytest
from adkit import Notebook
from small_handout import handout

STEPS = ["Which way?", "Go <there>.", "1 + 1 = 2"]


@pytest.fixture
def grader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    folder = handout(tmp_path)
    path = folder / "tests" / "small" / "assignment.json"
    facts = json.loads(path.read_text())
    facts["questions"][0]["hints"] = STEPS
    path.write_text(json.dumps(facts))
    monkeypatch.chdir(folder)
    return Notebook("small")


def test_each_call_gives_one_more_and_says_how_many_are_left(grader: Notebook) -> None:
    assert repr(grader.hint("q1")).splitlines() == [
        "q1: Question 1",
        "  1. Which way?",
        '  grader.hint("q1") again gives 2 more hints, one at a time.',
    ]
    second = repr(grader.hint("q1"))
    assert "2. Go <there>." in second
    assert "1 + 1 = 2" not in second
    for _ in range(2):
        last = repr(grader.hint("q1"))
        assert "3. 1 + 1 = 2" in last
        assert last.endswith("These are all the hints there are for this question.")


def test_a_hint_is_text_in_a_page(grader: Notebook) -> None:
    grader.hint("q1")
    html = grader.hint("q1")._repr_html_()
    assert "Go &lt;there&gt;." in html


def test_a_question_without_hints_and_an_unknown_one_are_sentences(grader: Notebook) -> None:
    assert repr(grader.hint("q2")) == "There are no hints for q2."
    assert "did you mean 'q1'?" in repr(grader.hint("q11"))
