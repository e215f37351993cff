"""What is known of every mutant, what of it is out of date, and the summary.

Outcomes are lines of JSON in `build/validity/`, on disk before the next one is asked for. Each has a key: the digest of
the mutant, of the case (its source, the assignment's inputs and seeds) or of the oracle. So what is asked again is what
has changed, and nothing else. `validity.json` is made from them, a question at a time; the repository has it, with a
digest of all that a question's figures depend on.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import json
import os
import platform
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from itertools import combinations
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from validity.mutants import ASSIGNMENTS, Mutant, code, mutants_of, questions_of, reaches
from validity.oracles import oracles_of
from validity.scoring import ORACLE, PASSED, TOO_SLOW, UNDECIDED, cases_of

__all__ = [
    "BY_HAND",
    "PAGE",
    "SUMMARY",
    "Outcomes",
    "by_hand",
    "digest_of",
    "page_with_table",
    "problems",
    "question_summary",
    "read_summary",
    "stale",
    "table",
    "why_alike",
    "write_summary",
]

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SUMMARY = REPOSITORY / "benchmarks" / "validity.json"
BY_HAND = HERE / "by_hand.toml"
HALF_RIGHT = REPOSITORY / "benchmarks" / "half_right.json"
SUBTLE = "subtle: "
"""How the answers begin there that are in the tests, and are no mutants."""
PAGE = REPOSITORY / "docs" / "maintainers" / "validity.md"
BEGIN, END = "<!-- validity: from here on written by make validity -->", "<!-- validity: end -->"
PUBLIC_SHARE = 0.8
"""Of the mutants that lose points, so many lose public ones, or a reason stands in `by_hand.toml`."""
BY_HAND_SHARE = 0.05
"""So many of an assignment's mutants may be listed by hand at most."""
LEAST_MUTANTS = 600


def _sha(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _code(path: Path) -> str:
    """What a module does, whatever its comments and docstrings are."""
    return code(ast.parse(_text(path)).body)


@cache
def case_digest(assignment: str, question: str, case: str) -> str:
    """Of the code of a case and of the inputs that it may use; of the oracle's, in its place."""
    if case == ORACLE:
        check = oracles_of(assignment)[question].check.__name__
        parts = reaches(ast.parse(_text(HERE / "oracles" / f"{assignment}.py")), [check])
        return _sha(_code(HERE / "oracles" / "__init__.py"), *map(code, parts.values()))
    tests = ast.parse(_text(Assignment.load(assignment).tests_dir / f"{question}.py")).body
    body = next(node for node in tests if isinstance(node, ast.FunctionDef) and node.name == case)
    inputs = REPOSITORY / "reference" / "inputs"
    texts = [_text(inputs / f"{assignment}.py"), ast.unparse(body)]
    used = {name for text in texts for name in re.findall(r"from reference\.inputs\.(\w+) import", text)}
    return _sha(code([body]), *(_code(inputs / f"{name}.py") for name in sorted({*used, assignment, "seeds"})))


def digest_of(assignment: str, question: str) -> str:
    """Of all that a question's figures depend on: its mutants, its cases, its oracle, what is listed by hand."""
    mutants = (f"{mutant.name} {mutant.digest}" for mutant in mutants_of(assignment, question))
    cases = (
        f"{case.name} {case.hidden} {case.points} {case_digest(assignment, question, case.name)}"
        for case in cases_of(assignment, question)
    )
    listed = json.dumps(by_hand().get((assignment, question), {}), sort_keys=True)
    reasons = re.findall("# beside .+", _text(Assignment.load(assignment).tests_dir / f"{question}.py"))
    return _sha(*mutants, *cases, case_digest(assignment, question, ORACLE), listed, *reasons)


def key(mutant: Mutant, case: str) -> str:
    """Of an outcome: of this mutant, in this case."""
    return _sha(mutant.question, mutant.digest, case, case_digest(mutant.assignment, mutant.question, case))


@dataclass
class Outcomes:
    """All outcomes so far, and the file that has them."""

    file: Path
    known: dict[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def read(folder: Path) -> Outcomes:
        """What is on disk; a torn last line is left out."""
        outcomes = Outcomes(folder / "outcomes.jsonl")
        if outcomes.file.exists():
            for line in outcomes.file.read_text("utf-8").splitlines(keepends=True):
                if line.endswith("\n"):
                    entry = json.loads(line)
                    outcomes.known[entry["key"]] = entry["is"]
        return outcomes

    def of(self, mutant: Mutant, case: str) -> str | None:
        """What is known of a mutant in a case."""
        what = self.known.get(key(mutant, case))
        return None if what == UNDECIDED else what

    def tried(self, mutant: Mutant, case: str) -> bool:
        """Whether a mutant has been run in a case, with whatever came of it."""
        return key(mutant, case) in self.known

    def add(self, mutant: Mutant, case: str, what: str) -> None:
        """Notes an outcome; on return it is on disk."""
        self.known[key(mutant, case)] = what
        entry = {
            "key": key(mutant, case), "is": what, "of": f"{mutant.assignment} {mutant.question}", "case": case,
            "mutant": mutant.name,
        }  # fmt: skip
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def failed(self, mutant: Mutant) -> list[str]:
        """The cases that are known to take points from a mutant."""
        names = [case.name for case in cases_of(mutant.assignment, mutant.question)]
        return [name for name in names if self.of(mutant, name) not in (None, PASSED)]

    def is_slow(self, mutant: Mutant) -> bool:
        """Whether it is known to lose points by its time alone."""
        failed = self.failed(mutant)
        return bool(failed) and all(self.of(mutant, case) == TOO_SLOW for case in failed)

    def finished(self, mutant: Mutant) -> bool:
        """Whether its fate is known: it loses points, or has run all cases and has been put before the oracle."""
        names = [case.name for case in cases_of(mutant.assignment, mutant.question)]
        return bool(self.failed(mutant)) or all(self.of(mutant, name) for name in (*names, ORACLE))


# ---------------------------------------- what is written by hand


@cache
def by_hand() -> dict[tuple[str, str], dict[str, Any]]:
    """{(assignment, question): {"public": reason, "equivalent": {mutant: reason}}} of `by_hand.toml`.

    And "alike", {"case and case": reason}, where there are such pairs.
    """
    content = tomllib.loads(_text(BY_HAND))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for assignment, questions in content.items():
        for question, entry in questions.items():
            equivalent = {item["mutant"]: item["reason"] for item in entry.get("equivalent", [])}
            found[assignment, question] = {"public": entry.get("public", ""), "equivalent": equivalent}
            if alike := entry.get("alike"):
                found[assignment, question]["alike"] = {
                    " and ".join(pair): item["reason"].strip()
                    for item in alike
                    for pair in combinations(sorted(item["cases"]), 2)
                }
    return found


def why_alike(assignment: str, question: str, case: str, other: str) -> str:
    """Why two hidden cases lose points for the same mutants.

    It stands in `by_hand.toml`, or in one of them, as a comment `# beside <the other case>: <why>`. Or a wrong answer
    that the tests have, and no fault in the reference makes, loses one of them alone.
    """
    reasons: dict[str, str] = by_hand().get((assignment, question), {}).get("alike", {})
    if why := reasons.get(" and ".join(sorted((case, other)))):
        return why
    source = _text(Assignment.load(assignment).tests_dir / f"{question}.py")
    lines = source.splitlines()
    bodies = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    for one, two in ((case, other), (other, case)):
        node = bodies[one]
        text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        if found := re.search(rf"# beside {two}: (.+(?:\n\s+# .+)*)", text):
            return " ".join(part.strip().lstrip("# ") for part in found.group(1).splitlines())
    words = loses_one(assignment, question, case, other, known=False)
    return (
        f"no fault in the reference loses one of them alone, and a solution of another kind does: “{words}”"
        if words
        else ""
    )


# ---------------------------------------- the summary


@cache
def half_right() -> dict[str, dict[str, dict[str, list[Any]]]]:
    """{assignment: {question: {wrong answer: [digest, the cases that it loses]}}}: see `benchmarks/half_right.py`."""
    return json.loads(_text(HALF_RIGHT))


def loses_one(assignment: str, question: str, case: str, other: str, *, known: bool) -> str:
    """A half-right answer that loses one of two cases: a known mistake, or one that the tests have. Or nothing."""
    for words, (_, lost) in half_right().get(assignment, {}).get(question, {}).items():
        if words.startswith(SUBTLE) != known and (case in lost) != (other in lost):
            return words.removeprefix(SUBTLE)
    return ""


def alike(outcomes: Outcomes, assignment: str, question: str) -> tuple[list[tuple[str, str]], int]:
    """Pairs of hidden cases that no mutant tells apart, of those that have run in both; and how many ran in all.

    Known mistakes, which are mutants too, have run in all cases where half-right answers were measured.
    """
    hidden = [case.name for case in cases_of(assignment, question) if case.hidden]
    rows = [[outcomes.of(mutant, case) for case in hidden] for mutant in mutants_of(assignment, question)]
    pairs = [
        (hidden[one], hidden[two])
        for one in range(len(hidden))
        for two in range(one + 1, len(hidden))
        if not any(row[one] and row[two] and (row[one] == PASSED) != (row[two] == PASSED) for row in rows)
        and not loses_one(assignment, question, hidden[one], hidden[two], known=True)
    ]
    return pairs, sum(all(row) for row in rows)


def question_summary(outcomes: Outcomes, assignment: str, question: str) -> dict[str, Any]:
    """What is written of a question: counts, survivors by name, equivalents and how each was decided."""
    mutants = mutants_of(assignment, question)
    cases = cases_of(assignment, question)
    public = {case.name for case in cases if not case.hidden}
    listed = by_hand().get((assignment, question), {"public": "", "equivalent": {}})
    kinds: dict[str, list[int]] = {}
    caught = by_public = slow = 0
    equivalent: list[str] = []
    survivors: list[str] = []
    refuted: list[str] = []
    unrefuted: list[str] = []
    for mutant in mutants:
        failed = outcomes.failed(mutant)
        counts = kinds.setdefault(mutant.kind, [0, 0, 0])
        counts[0] += 1
        if failed:
            caught += 1
            counts[1] += 1
            by_public += not public.isdisjoint(failed)
            slow += outcomes.is_slow(mutant)
            if before_oracle := outcomes.of(mutant, ORACLE):
                (unrefuted if before_oracle == PASSED else refuted).append(mutant.name)
        elif outcomes.of(mutant, ORACLE) == PASSED:
            equivalent.append(mutant.name)
            counts[2] += 1
        elif mutant.name in listed["equivalent"]:
            counts[2] += 1
        else:
            survivors.append(mutant.name)
    hand = {name: why for name, why in listed["equivalent"].items() if any(m.name == name for m in mutants)}
    pairs, rows = alike(outcomes, assignment, question)
    return {
        "digest": digest_of(assignment, question),
        "mutants": len(mutants),
        "lose points": caught,
        "lose public points": by_public,
        "ran out of time": slow,
        "equivalent by the oracle": len(equivalent),
        "equivalent by hand": {name: why for name, why in hand.items() if name not in equivalent},
        "survivors": survivors,
        "lose points, refuted by the oracle too": len(refuted),
        "lose points, not refuted": unrefuted,
        "why few are public": listed["public"],
        "run in every hidden case": rows,
        "alike": [[one, two, why_alike(assignment, question, one, two)] for one, two in pairs],
        "kinds": dict(sorted(kinds.items())),
        "equivalents": equivalent,
    }


def read_summary() -> dict[str, Any]:
    """What `validity.json` holds; nothing of any question where there is no such file."""
    return json.loads(SUMMARY.read_text("utf-8")) if SUMMARY.exists() else {"runs": [], "assignments": {}}


def write_summary(summary: Mapping[str, Any]) -> None:
    """Writes `validity.json`, at once or not at all."""
    beside = SUMMARY.with_suffix(".new")
    beside.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", "utf-8")
    beside.replace(SUMMARY)


def versions() -> dict[str, str]:
    """What the figures were measured with."""
    names = ("jax", "jaxlib", "numpy", "otter-grader")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def stale(summary: Mapping[str, Any]) -> list[str]:
    """The questions whose figures are missing, or of other references, tests, inputs, oracles or lists."""
    return [
        f"{assignment} {question}"
        for assignment in ASSIGNMENTS
        for question in questions_of(assignment)
        if summary["assignments"].get(assignment, {}).get(question, {}).get("digest") != digest_of(assignment, question)
    ]


def problems(summary: Mapping[str, Any]) -> list[str]:
    """What is wrong with the tests, by these figures; a line each, and none when all is well."""
    found: list[str] = []
    total = 0
    for assignment, questions in summary["assignments"].items():
        mutants = sum(entry["mutants"] for entry in questions.values())
        hand = sum(len(entry["equivalent by hand"]) for entry in questions.values())
        total += mutants
        if hand > BY_HAND_SHARE * mutants:
            found.append(f"{assignment}: {hand} of {mutants} mutants are listed by hand")
        for question, entry in questions.items():
            where = f"{assignment} {question}"
            found += [f"{where}: keeps all its points: {name}" for name in entry["survivors"]]
            if entry["lose public points"] < PUBLIC_SHARE * entry["lose points"] and not entry["why few are public"]:
                found.append(
                    f"{where}: public cases catch {entry['lose public points']} of {entry['lose points']} only, and "
                    f"{BY_HAND.name} does not say why"
                )
            found += [
                f"{where}: {one} and {two} lose points for the same mutants, and neither says why"
                for one, two, why in entry["alike"]
                if not why
            ]
    if total < LEAST_MUTANTS:
        found.append(f"there are {total} mutants, and there should be {LEAST_MUTANTS} at least")
    return found


def table(summary: Mapping[str, Any]) -> str:
    """The handbook's tables."""
    lines = [
        "| question | mutants | lose points | equivalent: oracle | by hand | survivors | public cases alone |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    reasons: list[str] = []
    sums = [0] * 6

    def row(name: str, numbers: list[int], mark: str = "") -> str:
        mutants, caught, oracle, hand, survivors, public = numbers
        share = f"{100 * public / caught:.0f} %" if caught else "—"
        return f"| {name} | {mutants} | {caught} | {oracle} | {hand} | {survivors} | {share}{mark} |"

    for assignment, questions in summary["assignments"].items():
        part = [0] * 6
        rows: list[str] = []
        for question, entry in questions.items():
            numbers = [
                entry["mutants"], entry["lose points"], entry["equivalent by the oracle"],
                len(entry["equivalent by hand"]), len(entry["survivors"]), entry["lose public points"],
            ]  # fmt: skip
            part = [one + other for one, other in zip(part, numbers, strict=True)]
            few = numbers[5] < PUBLIC_SHARE * numbers[1]
            rows.append(row(f"{assignment} {question}", numbers, " *" if few else ""))
            if few:
                reasons.append(f"- {assignment} {question}: {entry['why few are public']}")
        sums = [one + other for one, other in zip(sums, part, strict=True)]
        lines += [*rows, row(f"**{assignment}**", part)]
    lines.append(row("**all**", sums))
    if reasons:
        lines += ["", "\\* Where public cases catch fewer than four in five:", "", *reasons]
    pairs = [
        f"- {assignment} {question}: `{one}` and `{two}`: {why}"
        for assignment, questions in summary["assignments"].items()
        for question, entry in questions.items()
        for one, two, why in entry["alike"]
        if why
    ]
    if pairs:
        lines += ["", "Hidden cases that lose points for the same mutants, and why both are there:", "", *pairs]
    if summary["runs"]:
        run = summary["runs"][-1]
        lines += ["", f"{_told(run)}"]
    return "\n".join(lines)


def _told(run: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return (
        f"Last run: `{run['command']}` on {run['date']}, {run['outcomes']} outcomes in {run['seconds']} s with "
        f"{run['workers']} workers on {run['cores']} cores (load {run['load']}); {parts}."
    )


def page_with_table(page: str, summary: Mapping[str, Any]) -> str:
    """The handbook's page with the tables of these figures. ValueError for a page without a place for them."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"{PAGE} has no lines {BEGIN} and {END} for the tables to stand between")
    return f"{page.split(BEGIN)[0]}{BEGIN}\n\n{table(summary)}\n\n{END}{page.split(END)[1]}"
