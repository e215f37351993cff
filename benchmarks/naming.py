"""Are mistakes named rightly? The wrong solutions of `tests/wrong_solutions`, graded in this process.

Each was written without a look at the catalogue of known mistakes. `described` says, by reading, which known mistakes
have a sentence that is true of it. For each assignment and set that gives four numbers:

    right    a known mistake describes it, and one of its sentences is told; nothing untrue is
    check    a known mistake describes it, and the check's own words say the same (no sentence of the catalogue)
    silent   a known mistake describes it, and it is not told
    wrong    a sentence is told that is not true of it
    other    no known mistake describes it, and none is told
    kept     it loses no points: a hole in the tests

    python benchmarks/naming.py                     everything that has not been graded with this code yet
    python benchmarks/naming.py --only ad_modes     one assignment; --again grades anew
    python benchmarks/naming.py --names always ridge   these solutions anew, within what is recorded
    python benchmarks/naming.py --table             the table of what is recorded, for the handbook
"""

import argparse
import hashlib
import json
import os
import pickle
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

os.environ["JAX_PLATFORMS"], os.environ["JAX_ENABLE_X64"] = "cpu", "1"
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "student_template"), str(ROOT / "tests")]

import numpy as np  # noqa: E402  # found from here on
from adkit.checks.errors import Failure, Recognised  # noqa: E402
from wrong_solutions import Wrong  # noqa: E402

RECORD = Path(__file__).with_suffix(".json")
ASSIGNMENTS = ("ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing")
SETS = {
    "first": "wrong_solutions",
    "second": "wrong_solutions.second",
    "third": "wrong_solutions.third",
    "fourth": "wrong_solutions.fourth",
    "fifth": "wrong_solutions.fifth",
    "sixth": "wrong_solutions.sixth",
    "variants": "wrong_solutions.variants",
    "subtle": "subtle_mistakes",
}
"""The modules, or the module, of each."""
OUTCOMES = ("right", "check", "silent", "wrong", "other", "kept")
SAYS_THE_SAME = {
    "linear_solve_vjp__inverse_formed": [
        "as forming A^-1 does",
        "as forming A^-1 takes",
        "no pseudo-inverse made of them",
    ],
    "linear_solve_vjp__normal_equations": ["A^T A has the square of A's condition number"],
    "linear_solve_vjp__factorised_twice": [
        "serve the system with A^T as well",
        "the factors of A serve all columns of b",
    ],
    "linear_solve_vjp__factorised_per_column": ["the factors of A serve all columns of b"],
    "linear_solve__factorised_again": ["the backward pass factorises a matrix"],
    "linear_solve__factorised_per_column": ["the backward pass factorises"],
    "linear_solve__inverse_kept": ["as forming A^-1 does"],
    "linear_solve__without_a_rule": ["has no reverse rule of its own"],
    "sparse_jacobian__pattern_ignored": ["more vectors go through f than the pattern needs"],
    "is_right__cotangents_of_one": ["every cotangent that it asks about is 1"],
    "is_right__one_output": ["every graph that it asks about has one output"],
    "is_right__every_input_used": ["every graph that it asks about uses all of its inputs"],
    "is_right__no_repeated_factor": ["no graph that it asks about multiplies a node by itself"],
    "is_right__no_inner_output": ["no graph that it asks about has an output that feeds another node"],
    "is_right__no_output_twice": ["no graph that it asks about lists an output twice"],
    "is_right__values_ignored": ["in which every y is 0"],
}
"""Known mistakes that a check finds by what it measures, with its words."""


def solutions(assignment: str, which: str) -> list[Any]:
    """The wrong solutions of a set."""
    if which == "subtle":
        subtle = import_module(SETS[which]).SUBTLE
        return [Wrong(s.function, s.words, s.words, s.implementation) for s in subtle if s.assignment == assignment]
    module = f"{SETS[which]}.{assignment}"
    return list(import_module(module).WRONG) if find_spec(module) else []


def described_by(assignment: str, function: str, name: str) -> set[str]:
    """The known mistakes that describe a solution, as names of the catalogue."""
    from wrong_solutions.described import DESCRIBED

    known = DESCRIBED[assignment]
    return {f"{function}__{each}" for each in known.get(f"{function}:{name}", known.get(name, "")).split()}


@dataclass(frozen=True)
class Lost:
    """A failed case: where it failed, and what its check says when no mistake is recognised."""

    failure: Failure | None
    message: str


def lost(assignment: str, function: str, answer: Any) -> dict[str, Lost]:
    """The failed cases of a solution."""
    import cases_here
    from adkit.checks import known_mistakes

    question = cases_here.question_of(assignment, function)
    hidden = {case.name: case.hidden for case in cases_here.cases_of(assignment, question)}
    before, known_mistakes.recogniser = known_mistakes.recogniser, lambda failure: Recognised()
    try:
        failed = cases_here.failures(assignment, question, {function: answer})
    finally:
        known_mistakes.recogniser = before
    return {name: Lost(_plain(error.failure), error.told(hidden=hidden[name])[:300]) for name, error in failed.items()}


class Recorded:
    """A function of Python, which cannot be kept, at the points where it was evaluated once: it answers there again."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.values: dict[bytes, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"function": None, "values": self.values}

    def __call__(self, x: Any) -> Any:
        key = np.asarray(x, dtype=np.float64).tobytes()
        if key not in self.values and self.function is not None:
            self.values[key] = np.asarray(self.function(x))
        return self.values[key]


def _plain(failure: Failure | None) -> Failure | None:
    """The failure as it can be kept; functions of Python at x, and at the points of a difference quotient there."""
    from reference.matrix_gradients import numerical_gradient

    if failure is None:
        return None
    x = next((argument for argument in reversed(failure.arguments) if isinstance(argument, np.ndarray)), None)
    kept: list[Any] = []
    for argument in failure.arguments:
        try:
            pickle.dumps(argument)
            kept.append(argument)
        except (pickle.PicklingError, AttributeError, TypeError):
            recorded = Recorded(argument)
            with suppress(Exception):
                if np.shape(recorded(x)) == ():
                    numerical_gradient(recorded, np.array(x, dtype=np.float64))
            kept.append(recorded)
    return replace(failure, arguments=tuple(kept))


def told(assignment: str, function: str, failed: Mapping[str, Lost]) -> dict[str, dict[str, Any]]:
    """What is said in each failed case: the names of the mistakes, the sentence, the check's own message."""
    import cases_here

    question = cases_here.question_of(assignment, function)
    settled = cases_here.settled(assignment, question, cast("Any", failed))  # only where it failed is looked at
    said: dict[str, dict[str, Any]] = {}
    for name, case in failed.items():
        recognised = settled.get(name, Recognised()) if case.failure is not None else Recognised()
        said[name] = {"names": list(recognised.names), "sentence": recognised.sentence, "message": case.message}
    return said


def outcome(assignment: str, function: str, name: str, said: dict[str, dict[str, Any]]) -> tuple[str, list[str]]:
    """Which of OUTCOMES it is, and what is told that is not true."""
    described = described_by(assignment, function, name)
    if not said:
        return "kept", []
    untrue = [case["sentence"] for case in said.values() if case["names"] and not described & set(case["names"])]
    if untrue:
        return "wrong", sorted(set(untrue))
    if any(case["names"] for case in said.values()):
        return "right", []
    same = [words for each in described for words in SAYS_THE_SAME.get(each, [])]
    if any(words in case["message"] for words in same for case in said.values()):
        return "check", []
    return ("silent" if described else "other"), []


def code(assignment: str, which: str) -> str:
    """What a part of the record is of: the code that decides, and the solutions."""
    mistakes = ROOT / "reference" / "mistakes"
    facts = ROOT / "reference" / "facts"
    decides = [mistakes / "__init__.py", mistakes / "signs.py", mistakes / f"{assignment}.py"]
    decides += [facts / "__init__.py", facts / f"{assignment}.py"]
    judges = ROOT / "tests" / "wrong_solutions" / "described.py"
    return _digest([*decides, ROOT / "autograder/grading/recognition.py", judges, *_of_set(assignment, which)])


def _of_set(assignment: str, which: str) -> list[Path]:
    """Where the solutions of a set are written; a later set takes functions of the first."""
    if which == "subtle":
        return [ROOT / "tests" / "subtle_mistakes.py"]
    parts = [SETS["first"], SETS[which]]
    return [ROOT / "tests" / part.replace(".", "/") / f"{assignment}.py" for part in dict.fromkeys(parts)]


def _tests(assignment: str) -> list[Path]:
    return sorted((ROOT / f"assignments/{assignment}/tests").glob("*"))


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:12]


def _kept(assignment: str, which: str) -> tuple[Path, Path]:
    """Files of this machine's: what the known mistakes answer, and what the solutions of a set do. Running them takes
    longest; when only the recognition has changed neither is run again."""
    folder = ROOT / "build" / "naming"
    folder.mkdir(parents=True, exist_ok=True)
    answers = _digest([ROOT / f"reference/mistakes/{assignment}.py", *_tests(assignment)])
    checks = sorted((ROOT / "student_template/adkit/checks").glob("*.py"))
    failed = _digest([*_of_set(assignment, which), *checks, *_tests(assignment)])
    return folder / f"{assignment}-{answers}.json", folder / f"{assignment}-{which}-{failed}.pickle"


def grade(assignment: str, which: str, names: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Solutions of one set of one assignment, by "function:name"; each with what is told of it."""
    from autograder.grading import recognition

    recognition.install(assignment)
    answers, runs = _kept(assignment, which)
    recognition.load_answers(assignment, answers)
    failed: dict[str, dict[str, Lost]] = pickle.loads(runs.read_bytes()) if runs.exists() else {}
    for solution in solutions(assignment, which):
        key = f"{solution.function}:{solution.name}"
        if key not in names:
            continue
        if key not in failed:
            failed[key] = lost(assignment, solution.function, solution.answer)
            runs.write_bytes(pickle.dumps(failed))
        said = told(assignment, solution.function, failed[key])
        what, untrue = outcome(assignment, solution.function, solution.name, said)
        recognition.save_answers(assignment, answers)
        print(f"{assignment} {which} {solution.name}: {what}", flush=True)
        yield (
            key,
            {
                "truth": solution.truth,
                "outcome": what,
                "told": sorted({each for case in said.values() for each in case["names"]}),
                **({"untrue": untrue} if untrue else {}),
            },
        )


def counts(entry: dict[str, Any]) -> Counter[str]:
    """How many solutions of a set have each outcome."""
    return Counter(solution["outcome"] for solution in entry["solutions"].values())


def table(record: dict[str, Any]) -> str:
    """The confusion matrix, in Markdown."""
    lines = [
        "| assignment | set | solutions | right | by the check | not told | told wrongly | unknown | keep points |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    total: dict[str, Counter[str]] = {}
    for key, entry in record.items():
        assignment, _, which = key.partition(" ")
        found = counts(entry)
        total.setdefault(which, Counter()).update(found)
        lines.append(_row(assignment, which, found))
    lines += [_row("together", which, found) for which, found in total.items()]
    return "\n".join(lines)


def _row(assignment: str, which: str, found: Counter[str]) -> str:
    numbers = " | ".join(str(found[each]) for each in OUTCOMES)
    return f"| {assignment} | {which} | {sum(found.values())} | {numbers} |"


def main() -> None:
    """Grades what is missing from the record, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="assignments")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--again", action="store_true", help="grade anew what is recorded for this code")
    parser.add_argument("--names", nargs="*", default=[], help="only these solutions, whatever is recorded of them")
    parser.add_argument("--table", action="store_true", help="grade nothing")
    options = parser.parse_args()
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for assignment in () if options.table else options.only or ASSIGNMENTS:
        for which in options.sets:
            key = f"{assignment} {which}"
            if not solutions(assignment, which):
                continue
            there = [f"{solution.function}:{solution.name}" for solution in solutions(assignment, which)]
            entry: dict[str, Any] = record.get(key, {})
            if entry.get("code") != code(assignment, which) or options.again:
                entry = record[key] = {"code": code(assignment, which), "solutions": {}}
            if options.names:
                wanted = [each for each in there if each.partition(":")[2] in options.names]
            else:
                wanted = [each for each in there if each not in entry["solutions"]]
            for name, found in grade(assignment, which, wanted):
                entry["solutions"][name] = found
                RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))
    for key, entry in record.items():
        for name, solution in entry["solutions"].items():
            if solution["outcome"] in ("wrong", "silent", "kept"):
                print(f"{key} {name}: {solution['outcome']} ({solution['truth']}) {solution.get('untrue', '')}")


if __name__ == "__main__":
    main()
