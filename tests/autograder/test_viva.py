"""Questions to students about their own code: unambiguous, the same each time, and the key for the instructor alone."""

import gc
import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from adkit.checks import CheckError
from independent_solutions import solution
from nasty import NASTY, tags
from unisolated import OpenSession

from autograder import viva
from autograder.assignment import Assignment
from autograder.submissions.functions import functions_of
from autograder.submissions.read import Submission
from autograder.viva import Asked, Question, changes_of, in_words, key, questions_for, sheet

CHECKPOINTING = Assignment.load("checkpointing")
AD_MODES = Assignment.load("ad_modes")


class Limited(OpenSession):
    """A session in which a call may take a fraction of a second of processor time, and a gigabyte: a changed loop may
    never end, or fill the memory before Python looks at signals again."""

    def __init__(self, submission: Submission, assignment: Assignment) -> None:
        super().__init__(submission, assignment)
        self.functions = {name: self.limited(function) for name, function in self.functions.items()}

    @staticmethod
    def limited(function: Callable[..., Any]) -> Callable[..., Any]:
        def stop(*_: object) -> None:
            raise CheckError("it did not finish")

        def call(*arguments: Any) -> Any:
            before = signal.signal(signal.SIGVTALRM, stop)
            soft, hard = resource.getrlimit(resource.RLIMIT_AS)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, hard))
            gc.disable()  # what a handler raises in a callback of the collector is lost, and fails another test
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.2, 0.1)  # again, where the first is caught
            try:
                return function(*arguments)
            except Exception as error:
                raise CheckError("it raised") from error
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
                signal.signal(signal.SIGVTALRM, before)
                gc.enable()
                resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

        return call


def asked(
    cells: list[str], name: str = "a.ipynb", seed: str = "secret", assignment: Assignment = CHECKPOINTING
) -> list[Question]:
    opened: Any = Limited
    return questions_for(Submission(name, None, tuple(cells)), assignment, opened, seed)


def carried_out(question: Question, cells: list[str]) -> str | None:
    """What the changed function answers, found by carrying out what the sheet says."""
    lines = list(question.asked.code)
    line = lines[question.asked.line - 1]
    assert len(re.findall(rf"(?<![\w.+*=<>-]){re.escape(question.asked.old)}(?![\w.+*=<>-])", line)) >= 1
    text = line.replace(question.asked.old, question.asked.new, 1) if line.count(question.asked.old) == 1 else None
    if text is None:
        return None
    lines[question.asked.line - 1] = text
    space: dict[str, Any] = {}
    for cell in cells:
        exec(cell, space)
    exec("\n".join(lines), space)
    return in_words(eval(question.asked.call, space))


@pytest.mark.parametrize("seed", range(10))
def test_the_key_is_what_the_sheet_asks_for(seed: int) -> None:
    cells = solution(seed)
    questions = asked(cells)
    assert 1 <= len(questions) <= 3
    assert len({question.asked.function for question in questions}) == len(questions)
    for question in questions:
        assert question.answer != question.unchanged
        assert carried_out(question, cells) in (question.answer, None)


def test_the_same_student_gets_the_same_questions_and_another_secret_gives_others() -> None:
    cells = solution(4)
    assert asked(cells) == asked(cells)
    others = [asked(cells, seed="other"), asked(cells, name="b.ipynb")]
    assert any(other != asked(cells) for other in others)


def test_code_that_answers_differently_each_time_is_not_asked_about() -> None:
    cells = ["import random\ndef choose_checkpoints(n):\n    x = random.random() + 1\n    return [x]\n"]
    assert asked(cells) == []


def test_a_change_that_makes_no_difference_or_no_answer_is_not_asked_about() -> None:
    unused = ["def choose_checkpoints(n):\n    unused = 3 + n\n    return [n]\n"]
    raising = ["def choose_checkpoints(n):\n    return [n // (n - n + 1)][0:][0 + 0]\n"]
    assert asked(unused) == []
    for question in asked(raising):
        assert question.answer != question.unchanged


def test_a_token_that_a_line_has_twice_is_not_changed() -> None:
    (function,) = functions_of(
        Submission("a", None, ("def f(n, start=1):\n    a = n + n + 2\n    b = -n\n    c = n * a\n    return c\n",))
    ).values()
    assert {(change.line, change.old) for change in changes_of(function)} == {(2, "2"), (4, "*")}


def test_functions_that_need_each_other_are_not_changed_together() -> None:
    cells = [
        "def vanilla_schedule(n):\n    return [('save', n + 1)]\n",
        "def memory_poor_schedule(n):\n    return vanilla_schedule(n + 1)\n",
    ]
    functions = functions_of(Submission("a", None, tuple(cells)))
    assert viva._independent(["memory_poor_schedule", "vanilla_schedule"], functions) == ["memory_poor_schedule"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.1 + 0.2, "0.3"),
        ([("forward", 1), ("free", 2)], "[(forward, 1), (free, 2)]"),
        (np.eye(2), "[[1, 0], [0, 1]]"),
        (True, "True"),
        (-0.00001, "0"),
        (float("nan"), None),
        (10**9, None),
        ("<script>", None),
        ("x" * 13, None),
        ([1] * 100, None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_answers_are_numbers_or_short_plain_data(value: object, words: str | None) -> None:
    assert in_words(value) == words


def test_the_key_is_not_in_the_students_sheet() -> None:
    questions = [Question(Asked("f", ("def f(x):", "    return x + 1"), 2, "+", "-", "f(2)", (), None), "4711", "4712")]
    page = sheet([question.asked for question in questions], CHECKPOINTING, "Jane Doe")
    assert "4711" not in page
    assert "4712" not in page
    assert "4711" in key(questions, CHECKPOINTING, "Jane Doe")


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()][:40])
def test_code_and_key_are_text_in_the_pages(text: str) -> None:
    def pages(word: str) -> str:
        question = Question(Asked(word, (word, word), 1, word, word, word, (word,), None), word, word)
        return sheet([question.asked], CHECKPOINTING, word) + key([question], CHECKPOINTING, word)

    assert tags(pages(text)) == tags(pages("x"))


def test_a_graph_is_said_in_words_and_drawn() -> None:
    from autograder.build.command import solutions

    questions = asked(list(solutions(AD_MODES).values()), assignment=AD_MODES)
    assert questions
    with_graph = [question.asked for question in questions if "graph" in question.asked.call]
    for one in with_graph:
        assert one.picture is not None
        assert any("v₃" in words for words in one.where)
