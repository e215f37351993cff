"""Pairs that agree: a disguised copy is found among solutions that nobody copied, and nothing is decided."""

import json
import os
from pathlib import Path

import pytest
from adkit import simulate
from independent_solutions import disguised, solution
from nasty import NASTY, tags

from autograder.alike import Comparison, Pair, Shared, answers_of, compare, known_marks, marks_of, page
from autograder.assignment import Assignment
from autograder.cli import main
from autograder.submissions.functions import functions_of, needed_by
from autograder.submissions.read import Submission

CHECKPOINTING = Assignment.load("checkpointing")
QUESTIONS = [question.name for question in CHECKPOINTING.questions]


def submission(name: str, cells: list[str]) -> Submission:
    return Submission(name, None, tuple(cells))


@pytest.mark.parametrize("seed", [0, 17, 59])
def test_the_independent_solutions_are_right(seed: int) -> None:
    space: dict = {}
    for cell in solution(seed):
        exec(cell, space)
    assert simulate(9, space["vanilla_schedule"](9)).evaluations == 9
    assert simulate(9, space["memory_poor_schedule"](9)).peak == 1
    trace = simulate(12, space["checkpointed_schedule"](12, [4, 8]))
    assert trace.peak <= 2 + 4
    assert trace.evaluations <= 24
    assert space["choose_checkpoints"](20)


@pytest.fixture(scope="module")
def known() -> set[int]:
    return known_marks(CHECKPOINTING)


@pytest.mark.parametrize("original", [3, 22, 41])
def test_a_planted_copy_is_found_among_sixty_without_a_false_alarm_above_it(original: int, known: set[int]) -> None:
    answers = {f"s{seed}": answers_of(submission("", solution(seed)), CHECKPOINTING) for seed in range(60)}
    answers["copy"] = answers_of(submission("", disguised(solution(original))), CHECKPOINTING)
    pairs = compare(answers, QUESTIONS, known)
    assert set(pairs[0].names) == {"copy", f"s{original}"}
    assert pairs[0].evidence > 1.4 * pairs[1].evidence
    assert {shared.question for shared in pairs[0].questions if shared.share > 0.9}


def test_renaming_comments_layout_and_docstrings_change_no_fingerprint() -> None:
    plain = "def f(x, n):\n    total = 0\n    for i in range(n):\n        total += x[i] * i\n    return total\n"
    other = '''def g(values, count):
  """Sums."""
  result = 0  # so far
  for index in range(count):

      result += (
          values[index] * index)
  return result
'''
    other = other.replace("(\n          ", "").replace("index)", "index")
    one, two = ({mark.digest for mark in marks_of(text)} for text in (plain, other))
    assert one == two
    assert one


def test_what_the_template_and_the_reference_have_does_not_count(known: set[int]) -> None:
    from autograder.build.command import solutions

    cells = list(solutions(CHECKPOINTING).values())
    answers = {name: answers_of(submission(name, cells), CHECKPOINTING) for name in ("a", "b")}
    assert compare(answers, QUESTIONS, known) == []


def test_functions_are_found_by_their_tokens_with_decorators_and_what_they_need() -> None:
    cells = [
        "%matplotlib inline\n!ls 'unfinished\nimport jax\n",
        "def helper(x):\n    return x\n\n\n@jax.jit\n@other(\n    1)\n"
        "def f(x):\n    '''\nnot the end\n'''\n    return helper(x)\nf(2)\n",
        "def lonely(x): return 3\nclass C:\n    def f(self):\n        return 0\n",
        "def helper(x):\n    return x + 1  # again\n",
        "def broken(:\n  (((",
    ]
    found = functions_of(submission("a", cells))
    assert {"helper", "f", "lonely"} <= set(found)
    assert found["helper"].text == "def helper(x):\n    return x + 1  # again"
    assert found["f"].text.startswith("@jax.jit\n@other(")
    assert found["f"].text.endswith("    return helper(x)")
    assert found["lonely"].text == "def lonely(x): return 3"
    assert {function.name for function in needed_by(["f"], found)} == {"f", "helper"}


HOSTILE = ("(" * 100_000, "-" * 100_000, "def f():\n   x=" + "[" * 50_000, "\x00", "if 1:\n" * 500)


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_source_costs_its_own_functions_alone(source: str) -> None:
    assert "g" in functions_of(submission("a", [source, "def g():\n    return 1\n"]))


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()][:40])
def test_code_and_names_are_text_in_the_page(text: str) -> None:
    def of(word: str) -> str:
        sides = (((word, True),), ((word, False),))
        return page(Comparison((Pair((word, word), 1.0, (Shared("q1", 1.0, 0.5, sides),)),), 2, ()), CHECKPOINTING)

    assert tags(of(text)) == tags(of("x"))


def test_the_command_writes_a_page_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    for seed in range(12):
        cells = disguised(solution(3)) if seed == 11 else solution(seed)
        entries = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
        text = json.dumps({"cells": entries, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (folder / f"s{seed}.ipynb").write_text(text)
    out = tmp_path / "alike.html"
    assert main(["alike", str(folder), "-a", "checkpointing", "-o", str(out)]) == 0
    assert os.stat(out).st_mode & 0o077 == 0
    said = capsys.readouterr().out
    assert "s3.ipynb" in said
    assert "s11.ipynb" in said
    written = out.read_text(encoding="utf-8")
    assert "not a verdict" in written
    assert "<mark>" in written
