"""`autograder report OUT --anonymous DIR`: grades, results, pages and the class report without anyone's name.

What is left out: file names, names, numbers, addresses, times of hand-ins, digests of files, and every text that a
submission or a person chose (messages of cases, notes, output, reasons). What stays: points, which cases passed, and
the sentences of known mistakes, which are the course's own. No table maps back: a pseudonym is a keyed digest
(HMAC-SHA-256) of the submission's name. The key is the course's secret, AUTOGRADER_SEED, or without one a random key
that stays in the output folder: the same submission has the same pseudonym in each copy.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import replace
from pathlib import Path

from autograder.records import journal
from autograder.records.final import Final, Finals
from autograder.records.journal import Record
from autograder.records.run import Run, write_atomically
from autograder.report.class_report import report_page
from autograder.report.grades import final_grades
from autograder.report.statistics import Statistics
from autograder.report.write import write_submission

KEY = "pseudonyms.key"
_MARK = "ANONYMOUS.txt"
_ABOUT = """Grades without names, made with `autograder report --anonymous`. Points and passed cases can still
identify a student to anyone who knows their points: share this copy only where that does not matter.
"""


class AnonymousError(Exception):
    """A folder that cannot be used; the message says what to do."""


def write_anonymous(out: Path, into: Path) -> int:
    """Writes the copy; returns the number of submissions in it."""
    if into.exists() and (not into.is_dir() or (any(into.iterdir()) and not (into / _MARK).is_file())):
        raise AnonymousError(f"{into} is not empty and was not created by `report --anonymous`: choose another folder")
    if into.resolve() == out.resolve() or out.resolve() in into.resolve().parents:
        raise AnonymousError("the anonymous copy must be outside the output folder, which has the names")
    run = Run.read(out)
    finals = Finals.load(out, run)
    key = _key(out)
    records: list[Record] = []
    grades: dict[str, Final] = {}
    for record in journal.read_latest(out):
        anonymous = _without_names(record, _pseudonym(record.name, key))
        records.append(anonymous)
        grades[anonymous.name] = _without_reasons(finals.of(record.result))
    records.sort(key=lambda record: record.name)
    run = replace(run, ignored=(), machine="", seed="", regrades=(), started=run.started[:10])
    into.mkdir(parents=True, exist_ok=True)
    write_atomically(into / _MARK, _ABOUT)
    for folder in ("results", "feedback"):
        for old in (into / folder).glob("submission-*"):
            old.unlink()
    for record in records:
        write_submission(record, grades[record.name], into, run)
    statistics = Statistics.of(records, lambda result: grades[result.file])
    write_atomically(into / "final_grades.csv", final_grades(statistics.rows, run.questions))
    write_atomically(into / "report.html", report_page(statistics, run))
    return len(records)


def _key(out: Path) -> bytes:
    from reference.inputs import seeds

    secret = os.environ.get("AUTOGRADER_SEED", "")
    if secret and secret != seeds.DEFAULT_SEED:
        return hashlib.sha256(f"pseudonyms {secret}".encode()).digest()
    path = out / KEY
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return bytes.fromhex(path.read_text())


def _pseudonym(name: str, key: bytes) -> str:
    digest = hmac.new(key, name.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"submission-{digest.hexdigest()[:12]}"


def _without_names(record: Record, name: str) -> Record:
    result = record.result
    questions = tuple(
        replace(
            question,
            cases=tuple(
                replace(case, message=case.mistake or ("" if case.passed else "—"), detail="", evidence={})
                for case in question.cases
            ),
        )
        for question in result.questions
    )
    problem = {
        "completed": "",
        "timed out": "It ran out of time.",
        "unreadable": "The file could not be read.",
    }.get(result.status, "The grader failed.")
    result = replace(result, file=name, questions=questions, problem=problem, notes=(), output="", seconds={})
    return replace(record, name=name, stem=name, sha256="", result=result)


def _without_reasons(final: Final) -> Final:
    reasons = {"late": "late", "cap": "no more than the points possible"}
    steps = tuple(replace(step, reason=reasons.get(step.kind, "")) for step in final.steps)
    return replace(final, steps=steps, lateness="", who="")
