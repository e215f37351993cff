"""Everything that is made from a finished journal: grades, tables, the class report, every student's
files."""

from pathlib import Path

from autograder.engine import journal
from autograder.engine.output import Run, write_atomically
from autograder.report import roster
from autograder.report.class_report import report_page
from autograder.report.feedback import feedback_page
from autograder.report.grades import final_grades
from autograder.report.gradescope import results_json
from autograder.report.lms import write_lms
from autograder.report.statistics import Statistics


def write_class_files(out: Path) -> Statistics:
    """final_grades.csv, report.html and lms/, from run.json and the journal."""
    run = Run.read(out)
    statistics = Statistics.of(journal.read_latest(out))
    write_atomically(out / "final_grades.csv", final_grades(statistics.rows, run.questions))
    students = roster.read_if_there(out / roster.FILE)
    write_lms(statistics.rows, students, run.title, run.questions, out / "lms")
    write_atomically(out / "report.html", report_page(statistics, run))
    return statistics


def write_everything(out: Path) -> Statistics:
    """The same, and each submission's results and feedback again."""
    run = Run.read(out)
    for record in journal.read_latest(out):
        write_atomically(out / "results" / f"{record.stem}.json", results_json(record))
        write_atomically(out / "feedback" / f"{record.stem}.html", feedback_page(record.result, run.title))
    return write_class_files(out)
