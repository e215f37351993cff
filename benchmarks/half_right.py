"""What half-right answers earn: every known mistake of an assignment, case by case, and the table of the handbook.

    python benchmarks/half_right.py [NAME…] [--write] [--again]

measures what `benchmarks/half_right.json` does not hold yet (each mistake in the place of the student's function, every
case of its question, in this process), and writes after each question, so that it can be stopped and goes on where it
was. What was measured holds as long as the question's tests and the mistake's code are the same, whatever is said of
it: a digest says so.
--write makes the tables in docs/instructors/half-right.md anew; --again measures everything.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
os.environ["JAX_ENABLE_X64"] = "1"  # as everywhere where something is graded
sys.path[:0] = [str(ROOT), str(ROOT / "student_template"), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import ad_in_jax_solutions  # noqa: E402  (tests/)
import matrix_gradients_solutions  # noqa: E402  (tests/)
import subtle_mistakes  # noqa: E402  (tests/)
from cases_here import failures  # noqa: E402  (tests/)
from validity.mutants import what_it_does  # noqa: E402  (beside this file)

from autograder.assignment import Assignment, Question, names  # noqa: E402
from autograder.testcases import Case, load_cases  # noqa: E402
from reference.mistakes import catalogue  # noqa: E402

RECORD = ROOT / "benchmarks" / "half_right.json"
PAGE = ROOT / "docs" / "instructors" / "half-right.md"
SUBTLE = "subtle: "
"""How answers begin that are not in the tables."""


@dataclass(frozen=True)
class Answer:
    """A wrong answer to a question: one function of it is wrong, the others are the reference's."""

    words: str
    function: str
    implementation: Callable[..., Any]
    source: str
    """Where it is written, or of a known mistake its code."""


def answers(assignment: Assignment, question: Question) -> list[Answer]:
    """The known mistakes of a question, in the words of their names, and what is wrong on few inputs only."""
    return [*known_mistakes(assignment, question), *subtle(assignment, question)]


def subtle(assignment: Assignment, question: Question) -> list[Answer]:
    """Answers of the tests that are wrong on few inputs: with them, cases are told apart that known mistakes do not.

    Those of networks that take long are left out, and one that takes as long as its time limit.
    """
    if (assignment.name, question.name) in (("checkpointing", "q7"), ("checkpointing", "q9")):
        return []
    source = Path(subtle_mistakes.__file__).read_text(encoding="utf-8")
    found = [
        Answer(SUBTLE + wrong.words, wrong.function, wrong.implementation, source)
        for wrong in subtle_mistakes.SUBTLE
        if (wrong.assignment, wrong.question) == (assignment.name, question.name) and "a table of" not in wrong.words
    ]
    if solutions := {"matrix_gradients": matrix_gradients_solutions, "ad_in_jax": ad_in_jax_solutions}.get(
        assignment.name
    ):
        source = Path(str(solutions.__file__)).read_text(encoding="utf-8")
        found += [
            Answer(SUBTLE + words, function, implementation, source)
            for (function, words), implementation in solutions.WRONG.items()
            if function in question.functions
        ]
    return found


def known_mistakes(assignment: Assignment, question: Question) -> list[Answer]:
    """The known mistakes of a question, in the words of their names."""
    several = len(question.functions) > 1
    return [
        Answer(
            f"{mistake.function}: {words}" if several else words,
            mistake.function,
            mistake.implementation,
            what_it_does(assignment.name, mistake),
        )
        for mistake in catalogue(assignment.name)
        if mistake.question == question.name
        for words in [mistake.name.replace("_", " ")]
    ]


def digest(assignment: Assignment, question: Question, answer: Answer) -> str:
    """Changes with the question's tests and with the answer's source."""
    tests = (assignment.tests_dir / f"{question.name}.py").read_text(encoding="utf-8")
    return hashlib.sha256(f"{tests}\n{answer.source}".encode()).hexdigest()[:16]


def lost_by(assignment: Assignment, question: Question, answer: Answer) -> list[str]:
    """The cases that the answer does not pass."""
    seconds = question.call_seconds or assignment.limits.call_seconds
    return list(failures(assignment.name, question.name, {answer.function: answer.implementation}, seconds))


def read_record() -> dict[str, Any]:
    """{assignment: {question: {words: [digest, the cases that are lost]}}}."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}


def measure(chosen: list[str], *, again: bool = False) -> dict[str, Any]:
    """Measures what is not in the record, or everything, and writes it down question by question."""
    record = read_record()
    for name in chosen:
        assignment = Assignment.load(name)
        for question in assignment.questions:
            known = record.setdefault(name, {}).get(question.name, {})
            found: dict[str, Any] = {}
            for answer in answers(assignment, question):
                key = digest(assignment, question, answer)
                if again or known.get(answer.words, [""])[0] != key:
                    print(f"{name} {question.name}: {answer.words}", flush=True)
                    found[answer.words] = [key, lost_by(assignment, question, answer)]
                else:
                    found[answer.words] = known[answer.words]
            record[name][question.name] = found
            RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def earned(cases: list[Case], lost: list[str], *, hidden: bool | None = None) -> float:
    """The points of the cases that are not lost."""
    return sum(case.points for case in cases if case.name not in lost and hidden in (None, case.hidden))


def table(question: Question, cases: list[Case], found: dict[str, Any]) -> str:
    """What each answer earns, those that earn most first; answers that earn the same are in one row."""
    rows: dict[tuple[float, float, float], list[str]] = {}
    for words, (_, lost) in found.items():
        if words.startswith(SUBTLE):
            continue
        key = tuple(earned(cases, lost, hidden=hidden) for hidden in (None, False, True))
        rows.setdefault(key, []).append(words)  # pyright: ignore[reportArgumentType]
    full = earned(cases, [])
    lines = [f"| of {full:g} | public | hidden | answers |", "|--:|--:|--:|---|"]
    for (points, public, hidden), all_words in sorted(rows.items(), reverse=True):
        lines.append(f"| {points:g} | {public:g} | {hidden:g} | {'; '.join(sorted(all_words))} |")
    return "\n".join(lines)


def alike(cases: list[Case], found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of hidden cases that exactly the same of these answers do not pass, one of them at least."""
    hidden = [case.name for case in cases if case.hidden]
    losers = {name: {words for words, (_, lost) in found.items() if name in lost} for name in hidden}
    for one, other in combinations(hidden, 2):
        if losers[one] == losers[other]:
            yield one, other


def page(text: str, record: dict[str, Any]) -> str:
    """The handbook's page with every table between its markers made from the record."""
    for name, questions in record.items():
        assignment = Assignment.load(name)
        cases = load_cases(assignment)
        for question in assignment.questions:
            start, end = f"<!-- half-right: {name} {question.name} -->\n", "<!-- end of the table -->"
            if start not in text:
                continue
            before, _, rest = text.partition(start)
            _, _, after = rest.partition(end)
            made = table(question, list(cases[question.name]), questions[question.name])
            text = f"{before}{start}\n{made}\n\n{end}{after}"
    return text


def main() -> None:
    """As the module says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--again", action="store_true")
    given = parser.parse_args()
    chosen = given.names or [name for name in names() if catalogue(name)]
    record = measure(chosen, again=given.again)
    for name in chosen:
        assignment = Assignment.load(name)
        for question in assignment.questions:
            pairs = alike(list(load_cases(assignment)[question.name]), record[name][question.name])
            for one, other in pairs:
                print(f"{name}: {one} and {other} are lost by the same answers")
    if given.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")


if __name__ == "__main__":
    main()
