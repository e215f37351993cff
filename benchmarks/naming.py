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
import sys
import time
from collections import Counter
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"], os.environ["JAX_ENABLE_X64"] = "cpu", "1"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

RECORD = Path(__file__).with_suffix(".json")
ASSIGNMENTS = ("ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing")
SETS = {"first": "wrong_solutions", "second": "wrong_solutions.second"}
OUTCOMES = ("right", "check", "silent", "wrong", "other", "kept")
SAYS_THE_SAME = {
    "linear_solve_vjp__inverse_formed": "as forming A^-1 does",
    "linear_solve_vjp__factorised_twice": "is factorised 2 times",
    "linear_solve__factorised_again": "the backward pass factorises a matrix",
    "linear_solve__inverse_kept": "as forming A^-1 does",
    "linear_solve__without_a_rule": "has no reverse rule of its own",
    "sparse_jacobian__pattern_ignored": "more vectors go through f than the pattern needs",
}
"""Known mistakes that a check finds by what it measures, with its words."""


def solutions(assignment: str, which: str) -> list[Any]:
    """The wrong solutions of a set."""
    return list(import_module(f"{SETS[which]}.{assignment}").WRONG)


def described_by(assignment: str, function: str, name: str) -> set[str]:
    """The known mistakes that describe a solution, as names of the catalogue."""
    from wrong_solutions.described import DESCRIBED

    known = DESCRIBED[assignment]
    return {f"{function}__{each}" for each in known.get(f"{function}:{name}", known.get(name, "")).split()}


def told(assignment: str, function: str, answer: Any) -> dict[str, dict[str, Any]]:
    """What is said in each failed case: the names of the mistakes, the sentence, the message."""
    import cases_here

    question = cases_here.question_of(assignment, function)
    failed = cases_here.failures(assignment, question, {function: answer})
    settled = cases_here.settled(assignment, question, failed)
    hidden = {case.name: case.hidden for case in cases_here.cases_of(assignment, question)}
    said: dict[str, dict[str, Any]] = {}
    for name, error in failed.items():
        if error.failure is not None:
            error.recognised = settled.get(name, type(error.recognised)())
        said[name] = {
            "names": list(error.recognised.names),
            "sentence": error.mistake,
            "message": error.told(hidden=hidden[name])[:300],
        }
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
    same = [SAYS_THE_SAME[each] for each in described if each in SAYS_THE_SAME]
    if any(words in case["message"] for words in same for case in said.values()):
        return "check", []
    return ("silent" if described else "other"), []


def code() -> str:
    """What the record is of: the code that decides, and the solutions."""
    files: list[Path] = []
    for pattern in ("reference/mistakes/*.py", "autograder/grading/recognition.py", "tests/wrong_solutions/**/*.py"):
        files += sorted(ROOT.glob(pattern))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _catalogue(assignment: str) -> str:
    """What the known mistakes answer depends on these files; running them takes longest."""
    files = [
        ROOT / f"reference/mistakes/{assignment}.py",
        *sorted((ROOT / f"assignments/{assignment}/tests").glob("*")),
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()[:12]


def grade(assignment: str, which: str, names: Iterable[str] = ()) -> dict[str, Any]:
    """One set of one assignment; `names` takes only these."""
    from autograder.grading import recognition

    recognition.install(assignment)
    answers = ROOT / "build" / "naming" / f"{assignment}-{_catalogue(assignment)}.json"
    answers.parent.mkdir(parents=True, exist_ok=True)
    recognition.load_answers(assignment, answers)
    wanted, found, started = set(names), {}, time.monotonic()
    for solution in solutions(assignment, which):
        if wanted and solution.name not in wanted:
            continue
        said = told(assignment, solution.function, solution.answer)
        what, untrue = outcome(assignment, solution.function, solution.name, said)
        found[f"{solution.function}:{solution.name}"] = {
            "truth": solution.truth,
            "outcome": what,
            "told": sorted({each for case in said.values() for each in case["names"]}),
            **({"untrue": untrue} if untrue else {}),
        }
        print(f"{assignment} {which} {solution.name}: {what}", flush=True)
        recognition.save_answers(assignment, answers)
    return {"code": code(), "seconds": round(time.monotonic() - started), "solutions": found}


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
            if options.names:
                found = grade(assignment, which, options.names)["solutions"]
                if found:
                    record[key]["solutions"].update(found)
            elif options.again or record.get(key, {}).get("code") != code():
                record[key] = grade(assignment, which)
            RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(record))
    for key, entry in record.items():
        for name, solution in entry["solutions"].items():
            if solution["outcome"] in ("wrong", "silent", "kept"):
                print(f"{key} {name}: {solution['outcome']} ({solution['truth']}) {solution.get('untrue', '')}")


if __name__ == "__main__":
    main()
