"""Everything made from a finished journal: grades, tables, the class report, every student's files."""

from collections.abc import Iterable
from pathlib import Path

from autograder.records import journal, roster
from autograder.records.final import UNKNOWN, Final, Finals
from autograder.records.journal import Record
from autograder.records.people import Person
from autograder.records.run import Run, write_atomically
from autograder.report import lms
from autograder.report.archives import Archives
from autograder.report.class_report import Class, report_page
from autograder.report.feedback import feedback_page
from autograder.report.grades import Row, final_grades, grades_detail
from autograder.report.gradescope import results_json
from autograder.report.page import compile_templates
from autograder.report.statistics import Statistics

DETAIL = "grades_detail.csv"


def prepare() -> None:
    """Does ahead what the first page that is written waits for."""
    compile_templates()


def statistics_of(out: Path) -> tuple[Statistics, Run]:
    """The class in an output folder, with its grades after all steps."""
    run = Run.read(out)
    return _statistics(journal.read_latest(out), run, Finals.load(out, run), out), run


def write_everything(out: Path, compare: Path | None = None) -> Statistics:
    """final_grades.csv, report.html, lms/, each submission's results and feedback, and the archives that carry them to
    students, from run.json and the journal. compare: the output folder of an earlier run to compare the class with."""
    run = Run.read(out)
    earlier = None if compare is None else Class(*statistics_of(compare), str(compare))
    finals = Finals.load(out, run)
    archives = Archives(out, run, finals.students)
    for record in journal.read_latest(out):
        final = finals.of(record.result)
        archives.add(record, final, write_submission(record, final, out, run))
    statistics = _statistics(journal.read_latest(out), run, finals, out)
    statistics.notes += archives.write()
    _write_class_files(out, statistics, run, earlier)
    return statistics


def write_submission(record: Record, final: Final, out: Path, run: Run) -> str:
    """Writes a submission's own files where they changed; returns the student's page."""
    page = feedback_page(record.result, run.title, final, run)
    _write_if_changed(out / "results" / f"{record.stem}.json", results_json(record, final))
    _write_if_changed(out / "feedback" / f"{record.stem}.html", page)
    return page


def _statistics(records: Iterable[Record], run: Run, finals: Finals, out: Path) -> Statistics:
    statistics = Statistics.of(records, finals.of)
    for student in roster.read_missing(out):
        final = finals.of_absent(student, run.possible)
        if run.missing in ("zero", "blank") or final.steps:
            label = Person("", "", student).label
            row = Row.of_absent(label, final, blank=run.missing != "zero" and not final.steps)
            statistics.absent.append((row, student))
    statistics.timeless = finals.timeless(row.file for row in statistics.rows)
    return statistics


def _write_class_files(out: Path, statistics: Statistics, run: Run, earlier: Class | None) -> None:
    rows = [*statistics.rows, *(row for row, _ in statistics.absent)]
    write_atomically(out / "final_grades.csv", final_grades(rows, run.questions))
    if any(row.final.steps or row.final.lateness for row in rows):
        write_atomically(out / DETAIL, grades_detail(rows))
    else:
        (out / DETAIL).unlink(missing_ok=True)
    whole = lms.Class(
        run=run,
        graded=lms.with_students(statistics.rows, roster.read_if_there(out / roster.FILE)),
        absent=statistics.absent,
        worksheet=lms.read_worksheet(out),
    )
    statistics.notes += lms.write_tables(whole, out / "lms")
    statistics.notes += _about_time(statistics)
    write_atomically(out / "lms" / "README.txt", lms.readme(whole, statistics.notes))
    write_atomically(out / "report.html", report_page(statistics, run, earlier))


def _about_time(statistics: Statistics) -> list[str]:
    late = [row.file for row in statistics.rows if row.final.lateness == UNKNOWN]
    other = [row.file for row in statistics.rows if row.final.lateness not in ("", UNKNOWN)]
    notes: list[str] = []
    if late:
        notes.append(
            f"late by an unknown amount, so nothing is deducted: {lms.some_files(late)}. Enter the time in the "
            "column `submitted` of extensions.csv"
        )
    if other:
        notes.append(
            f"late by the deadline here, but in time for the platform: {lms.some_files(other)}. Enter an "
            "extension in extensions.csv"
        )
    others = [file for file in statistics.timeless if file not in set(late)]
    if others and len(others) < len(statistics.rows):
        notes.append(f"without a submission time, so not treated as late: {lms.some_files(others)}")
    elif others:
        notes.append("no submission has a submission time, so none is treated as late: the late policy changes nothing")
    return notes


def _write_if_changed(path: Path, text: str) -> None:
    try:
        if path.read_bytes() == text.encode("utf-8", "replace"):
            return
    except OSError:
        pass
    write_atomically(path, text)
