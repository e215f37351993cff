"""Runs what is not known yet of the mutants, and writes the summary and the handbook's table.

    python benchmarks/validity                            all of it; stopped at any time, it goes on where it was
    python benchmarks/validity -a ad_modes -q q4          one question
    python benchmarks/validity --workers 1 --matrix       one process; every mutant in every hidden case
    python benchmarks/validity --survivors                which mutants keep their points, and no more
    python benchmarks/validity --check                    runs nothing: what is out of date, and what is wrong

For each question: the cases on every mutant until one fails, public cases first; the oracle on those that pass all;
then hidden cases on more mutants, until every two of them have been told apart; and the oracle on a few that lose
points, which it should refute. Exit codes: 0 all is well, 1 a mutant
keeps its points or a figure lacks its reason, 2 usage.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:1] = [str(ROOT / part) for part in ("benchmarks", "", "student_template", "tests")]
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.pop("AUTOGRADER_SEED", None)  # the inputs of all who have none
# What one child has compiled, the next ones need not: the references, the oracles, most of what a mutant computes.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / "build" / "validity" / "compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

from validity import record  # noqa: E402
from validity.mutants import ASSIGNMENTS, Mutant, mutants_of, questions_of  # noqa: E402
from validity.record import Outcomes  # noqa: E402
from validity.scoring import ORACLE, TOO_SLOW, UNDECIDED, Job, cases_of, in_children  # noqa: E402

MORE = 8
"""Mutants that are run in all hidden cases at once, until these are told apart."""
CROSS = 4
"""Mutants of each question that lose points and are put before the oracle all the same."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; see above."""
    import_module("jax")  # once, before anything is forked
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-a", "--assignment", choices=ASSIGNMENTS, help="this one only")
    parser.add_argument("-q", "--question", help="this one only, with -a")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--matrix", action="store_true", help="every mutant in every hidden case")
    parser.add_argument("--survivors", action="store_true", help="only who keeps all points: no more than that needs")
    parser.add_argument("--check", action="store_true", help="run nothing, say what is out of date or wrong")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "validity", help="where outcomes are kept")
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error("--workers must be at least 1")
    if options.question and not options.assignment:
        parser.error("-q needs -a: a question of which assignment?")
    chosen = [
        (assignment, question)
        for assignment in ([options.assignment] if options.assignment else ASSIGNMENTS)
        for question in questions_of(assignment)
        if options.question in (None, question)
    ]
    if not chosen:
        parser.error(f"{options.assignment} has no question {options.question} to mutate")
    summary = record.read_summary()
    if not options.check:
        runner = Runner(Outcomes.read(options.folder), options.workers, options.matrix)
        here = [pair for pair in chosen if options.matrix or runner.knows(*pair) or not _is_current(summary, *pair)]
        for step in (runner.fates,) if options.survivors else (runner.fates, runner.cases_apart):
            for assignment, question in here:
                step(assignment, question)
                part = summary["assignments"].setdefault(assignment, {})
                part[question] = record.question_summary(runner.outcomes, assignment, question)
                _in_order(summary)
                if runner.ran:
                    run = runner.report(arguments)
                    summary["runs"] = [*[old for old in summary["runs"] if old["date"] != run["date"]], run][-5:]
                record.write_summary(summary)
        record.PAGE.write_text(record.page_with_table(record.PAGE.read_text("utf-8"), summary), "utf-8")
    stale = record.stale(summary)
    wrong = record.problems(summary)
    for line in (*(f"out of date, run make validity: {name}" for name in stale), *wrong):
        print(line)
    return 1 if wrong or stale else 0


def _is_current(summary: dict[str, dict[str, dict[str, dict[str, object]]]], assignment: str, question: str) -> bool:
    """Whether a question has been measured, here or on another machine, with everything as it is."""
    entry = summary["assignments"].get(assignment, {}).get(question, {})
    return entry.get("digest") == record.digest_of(assignment, question)


def _in_order(summary: dict[str, dict[str, dict[str, object]]]) -> None:
    """Assignments and questions in the order of the course."""
    known = summary["assignments"]
    summary["assignments"] = {
        assignment: {q: known[assignment][q] for q in questions_of(assignment) if q in known[assignment]}
        for assignment in ASSIGNMENTS
        if assignment in known
    }


class Runner:
    """Asks for outcomes that are not known, and keeps count."""

    def __init__(self, outcomes: Outcomes, workers: int, matrix: bool) -> None:
        self.outcomes = outcomes
        self.workers = workers
        self.matrix = matrix
        self.ran = 0
        self._started = time.monotonic()
        self._date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")

    def knows(self, assignment: str, question: str) -> bool:
        """Whether anything of a question has been run on this machine."""
        return any(
            self.outcomes.of(mutant, case.name)
            for mutant in mutants_of(assignment, question)
            for case in cases_of(assignment, question)
        )

    def fates(self, assignment: str, question: str) -> None:
        """Whether each mutant loses points, and of those that do not, what the oracle says."""
        mutants = mutants_of(assignment, question)
        cases = [case.name for case in cases_of(assignment, question)]
        started = time.monotonic()
        self._ask(((m, cases) for m in mutants if not self.outcomes.finished(m)), first_only=True)
        self._ask((m, [ORACLE]) for m in mutants if not self.outcomes.failed(m))
        found = record.question_summary(self.outcomes, assignment, question)
        print(
            f"{assignment} {question}: {found['mutants']} mutants, {found['lose points']} lose points, "
            f"{found['lose public points']} of them public ones; {found['equivalent by the oracle']} equivalent, "
            f"{len(found['survivors'])} survive ({time.monotonic() - started:.0f} s)",
            flush=True,
        )

    def cases_apart(self, assignment: str, question: str) -> None:
        """Hidden cases on more mutants, until these are told apart or a reason is known; some before the oracle.

        The catalogue first, whose mistakes are of many kinds. What is slow tells little, and is not waited for.
        """
        by_digest = sorted(mutants_of(assignment, question), key=lambda mutant: mutant.digest)
        self._ask(((m, [ORACLE]) for m in [m for m in by_digest if self.outcomes.failed(m)][:CROSS]), patient=False)
        order = sorted(by_digest, key=lambda mutant: mutant.kind not in ("mistake", "pair"))
        order = [mutant for mutant in order if not self.outcomes.is_slow(mutant)]
        hidden = [case.name for case in cases_of(assignment, question) if case.hidden]
        while order:
            pairs = record.alike(self.outcomes, assignment, question)[0]
            pairs = [pair for pair in pairs if not record.why_alike(assignment, question, *pair)]
            asked = [case for case in hidden if self.matrix or any(case in pair for pair in pairs)]
            if not asked:
                break
            now, order = order[:MORE], order[MORE:]
            self._ask(((m, asked) for m in now), patient=False)

    def _ask(self, jobs: Iterable[Job], *, first_only: bool = False, patient: bool = True) -> None:
        """Runs what is not known of the jobs.

        What ran out of time is asked again with the grader's limits, unless another case has failed already where one
        is enough. Without patience it stays undecided.
        """
        known = self.outcomes.of if patient else self.outcomes.tried
        missing = [(mutant, [case for case in cases if not known(mutant, case)]) for mutant, cases in jobs]
        while missing := [job for job in missing if job[1]]:
            late: dict[int, tuple[Mutant, list[str]]] = {}
            left = {id(mutant): (mutant, list(cases)) for mutant, cases in missing}
            for mutant, case, what in in_children(missing, workers=self.workers, first_only=first_only):
                left[id(mutant)][1].remove(case)
                if what == TOO_SLOW and patient:
                    late.setdefault(id(mutant), (mutant, []))[1].append(case)
                elif what == TOO_SLOW:
                    self._note(mutant, case, UNDECIDED)
                else:
                    self._note(mutant, case, what)
            if not patient:
                return
            again = [job for job in late.values() if not first_only or not self.outcomes.failed(job[0])]
            for mutant, case, what in in_children(again, workers=self.workers, first_only=first_only, patient=True):
                self._note(mutant, case, what)
            missing = [left[id(m)] for m, _ in again if first_only and not self.outcomes.failed(m)]

    def _note(self, mutant: Mutant, case: str, what: str) -> None:
        self.outcomes.add(mutant, case, what)
        self.ran += 1

    def report(self, arguments: list[str] | None) -> dict[str, object]:
        """How what was run has been run."""
        words = sys.argv[1:] if arguments is None else arguments
        return {
            "command": " ".join(["python benchmarks/validity", *words]),
            "date": self._date,
            "outcomes": self.ran,
            "seconds": round(time.monotonic() - self._started),
            "workers": self.workers,
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[1], 1),
            "versions": record.versions(),
        }


if __name__ == "__main__":
    raise SystemExit(main())
