"""A class whose students have a known ability, and whose test cases separate as well as they were made to.

A case is passed with the probability of the two-parameter logistic model, 1 / (1 + exp(-a (ability - difficulty)))
(Birnbaum, in Lord & Novick, *Statistical Theories of Mental Test Scores*, 1968). The planted cases are bad on purpose.
"""

import math
import random
from collections.abc import Mapping
from pathlib import Path

from graded_class import record, write_class
from nasty import NASTY

from autograder.records.journal import Record
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult, Timeout
from autograder.records.roster import Student

QUESTIONS = tuple(
    {
        "name": f"q{number}",
        "title": f"Question {number}",
        "points": 5.0,
        "bonus": number == 6,
        "heading": f"q{number}: Question {number} (5 points, about {10 * number} minutes)",
        "minutes": 10 * number,
    }
    for number in range(1, 7)
)
GOOD = tuple((f"test_q{1 + k // 5}_{k}", -1.6 + 3.2 * k / 24) for k in range(25))
"""Names and difficulties."""
PLANTED: Mapping[str, str] = {
    "test_q6_coin": "does not separate",
    "test_q6_reversed": "the weaker pass it",
    "test_q6_nobody": "nobody passes",
    "test_q6_everybody": "everybody passes",
}
MISTAKES = ("A_bar is transposed.", "The sign is wrong.", "Adjoints are overwritten.")


def passes(name: str, ability: float, difficulty: float, rng: random.Random) -> bool:
    """Whether a student of that ability passes a case."""
    if name == "test_q6_coin":
        return rng.random() < 0.5
    if name in ("test_q6_nobody", "test_q6_everybody"):
        return name == "test_q6_everybody"
    steepness = -1.5 if name == "test_q6_reversed" else 1.5
    return rng.random() < 1 / (1 + math.exp(-steepness * (ability - difficulty)))


def submissions(count: int, seed: int, planted: bool = True) -> list[SubmissionResult]:
    """Results of a class."""
    rng = random.Random(seed)
    made: list[SubmissionResult] = []
    for number in range(count):
        ability = rng.gauss(0, 1)
        cases: dict[str, list[CaseResult]] = {f"q{n}": [] for n in range(1, 7)}
        for name, difficulty in (*GOOD, *((name, 0.0) for name in PLANTED if planted)):
            passed = passes(name, ability, difficulty, rng)
            hidden = int(name.encode()[-1]) % 2 == 0
            mistake = "" if passed or rng.random() < 0.6 else MISTAKES[len(name) % 3]
            question = name.split("_")[1]
            cases[question].append(
                CaseResult(
                    name,
                    f"case {name}",
                    1.0,
                    hidden,
                    passed,
                    "" if passed else mistake or "y[0] is 1, and should be 2",
                    mistake,
                    kind="" if passed else "wrong answer",
                    mistakes=(f"f__{mistake}",) if mistake else (),
                    misconception=mistake,
                )
            )
        questions = tuple(
            QuestionResult(
                name,
                f"Question {name[1:]}",
                0.0 if name == "q6" else float(len(entries)),
                name == "q6",
                tuple(entries),
            )
            for name, entries in cases.items()
        )
        timeouts = (Timeout("call", "f", 10.0),) if number % 40 == 3 else ()
        seconds = {"total": round(rng.uniform(2, 9), 1)}
        made.append(SubmissionResult(f"s{number:03}.ipynb", "completed", questions, seconds=seconds, timeouts=timeouts))
    return made


def records(count: int, seed: int) -> list[Record]:
    """Their lines in the journal."""
    return [record(one) for one in submissions(count, seed)]


def write(out: Path, count: int = 300, seed: int = 1, *, nasty: bool = True) -> Path:
    """An output folder of such a class; nasty: some students have names that try to be more than names."""
    made = submissions(count, seed)
    words = [text.replace("\x00", "") for text in NASTY if len(text) < 200 and text.strip()] if nasty else []
    names = [*words, *(f"Student {number:03}" for number in range(count))]
    students = [Student(file=one.file, name=name) for one, name in zip(made, names, strict=False)]
    return write_class(out, made, students, questions=QUESTIONS)
