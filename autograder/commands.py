"""The commands about a graded class: report, regrade, forget, post-feedback, alike, viva, and their options.

Nothing heavy is imported before a command runs.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder import console

if TYPE_CHECKING:
    from autograder.grading.regrade import Outcome
    from autograder.records.run import Run
    from autograder.report.statistics import Statistics

_ROWS = 40
"""Lines of a table on the terminal; all are in regraded.csv."""


class CommandError(Exception):
    """Options that do not go together; the message says which."""


def add_decisions(parser: argparse.ArgumentParser) -> None:
    """The options of grade, otter-grade and report that decide what is made of scores."""
    group = parser.add_argument_group("from scores to grades")
    group.add_argument(
        "--adjustments",
        type=Path,
        metavar="CSV",
        help="kept as OUT/adjustments.csv (an earlier one as ….before.csv): student, question, points, reason",
    )
    group.add_argument(
        "--extensions",
        type=Path,
        metavar="CSV",
        help="kept as OUT/extensions.csv in the same way: student, until, submitted, reason",
    )
    group.add_argument(
        "--missing",
        choices=("zero", "blank", "none"),
        help="a line for everyone on the roster who handed in nothing; default: none",
    )
    group.add_argument(
        "--cap", action=argparse.BooleanOptionalAction, help="no grade above the points possible; default: no cap"
    )
    group.add_argument("--worksheet", type=Path, metavar="CSV", help="Moodle's grading worksheet, to be filled in")
    group.add_argument("--mail-from", metavar="ADDRESS", help="the sender of the messages in lms/mail.mbox")


def decisions(options: argparse.Namespace) -> dict[str, Any]:
    """The same, as an `Order` has them."""
    return {
        "adjustments": options.adjustments,
        "extensions": options.extensions,
        "worksheet": options.worksheet,
        "cap": options.cap,
        "missing": options.missing or "",
        "mail_from": _sender(options.mail_from),
    }


def add_report(parser: argparse.ArgumentParser) -> None:
    """The arguments of `report` beside the output folder."""
    add_decisions(parser)
    parser.add_argument(
        "--late-policy",
        metavar="NAME",
        help="take the table [late] of this assignment as it is now (`none`: no policy)",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD",
        help="compare the class in report.html with that of another output folder",
    )
    parser.add_argument(
        "--anonymous", type=Path, metavar="DIR", help="write a copy without names into DIR, nothing else"
    )


def report(options: argparse.Namespace) -> int:
    """`autograder report`."""
    from autograder.assignment import Assignment
    from autograder.records.final import is_part, people_of
    from autograder.records.inputs import Given
    from autograder.records.run import Run
    from autograder.report.write import write_everything

    out: Path = options.out
    if options.anonymous is not None:
        from autograder.report.anonymous import write_anonymous

        count = write_anonymous(out, options.anonymous)
        options.document = {"out": str(options.anonymous), "submissions": count}
        print(f"{count} submissions without names: {options.anonymous / 'report.html'}")
        return 0
    run = Run.read(out)
    given = Given((), None, options.worksheet, options.adjustments, options.extensions)
    names = [str(question["name"]) for question in run.questions]
    given.check(out, people_of(out), names, partial=is_part(run) or not run.finished)
    if options.late_policy is not None:
        policy = None if options.late_policy == "none" else Assignment.load(options.late_policy).late
        if policy is None and options.late_policy != "none":
            raise CommandError(f"assignment.toml of {options.late_policy} has no table [late]")
        run = replace(run, late=dict(policy.text or {}) if policy else {})
    run = replace(run, mail_from=_sender(options.mail_from) or run.mail_from)
    if options.cap is not None:
        run = replace(run, cap=options.cap)
    if options.missing is not None:
        run = replace(run, missing=options.missing)
    for note in given.keep(out):
        console.say(note)
    run.write(out)
    statistics = write_everything(out, options.compare)
    options.document = console.document(statistics, out)
    console.notes(statistics, out)
    print(f"{len(statistics.rows)} submissions: {out / 'report.html'}")
    return 0


def add_regrade(
    parser: argparse.ArgumentParser, positive: Callable[[str], int], seconds: Callable[[str], float]
) -> None:
    """The arguments of `regrade`."""
    parser.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="the files or folders that were graded")
    parser.add_argument("--student", action="append", default=[], metavar="S", help="only this one; may be repeated")
    parser.add_argument("--question", action="append", default=[], metavar="Q", help="only this one; may be repeated")
    parser.add_argument("-a", "--assignment", metavar="NAME", help="default: the assignment that OUT was graded with")
    parser.add_argument("-j", "--jobs", type=positive, metavar="N", help="number of workers (default: one per core)")
    parser.add_argument("--timeout", type=seconds, metavar="S", help="seconds that one submission may take")
    parser.add_argument("--no-isolation", action="store_true", help="for an OUT that was graded without isolation")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress and no table")


def regrade(options: argparse.Namespace, cores: int) -> "tuple[Statistics | None, int]":
    """`autograder regrade`: the class as it is now (None when interrupted), and the exit code so far."""
    from autograder.assignment import Assignment
    from autograder.grading import regrade as engine
    from autograder.grading.grade import Order
    from autograder.grading.grade import seed as course_seed
    from autograder.records.run import Run
    from autograder.report.write import write_everything

    run = Run.read(options.out)
    order = Order(
        assignment=Assignment.load(options.assignment or run.assignment),
        paths=tuple(options.paths),
        out=options.out,
        seed=course_seed(),
        jobs=options.jobs or cores,
        isolated=not options.no_isolation,
        timeout=options.timeout,
    )
    outcome = engine.Outcome()
    interrupted = False
    try:
        with console.progress(options.quiet) as listener:
            engine.regrade(order, options.student, options.question, listener, outcome)
    except KeyboardInterrupt:
        interrupted = True
    statistics = write_everything(options.out)
    options.document = {
        **console.document(statistics, options.out),
        "changed": [{**asdict(one), "changes": [asdict(change) for change in one.changes]} for one in outcome.changed],
        "unchanged": outcome.unchanged,
        "failed": [{"file": file, "problem": problem} for file, problem in outcome.failed],
        "regrade_notes": outcome.notes,
    }
    for note in outcome.notes:
        console.say(note)
    if not options.quiet:
        _show_changes(outcome, options.out, run)
    if outcome.failed:
        console.say(f"{len(outcome.failed)} could not be graded again and keep what they had:")
        for file, problem in outcome.failed[:50]:
            console.say(f"  {_shown(file, 100)}: {_shown(problem, 300)}")
    if interrupted:
        done = len(outcome.changed) + outcome.unchanged
        console.say(f"interrupted: {done} were graded again, the others are as they were; run it again for the rest")
        return None, 1
    return statistics, 1 if outcome.failed else 0


def _show_changes(outcome: "Outcome", out: Path, run: "Run") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.text import number, signed

    if outcome.changed:
        table = Table(title=Text(f"Graded again: {_shown(run.title, 100)}"), title_justify="left")
        table.add_column("file", overflow="ellipsis", no_wrap=True, max_width=30)
        for name in ("before", "after", "change"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("why", overflow="fold")
        for one in outcome.changed[:_ROWS]:
            why = "\n".join(
                f"{change.question} {_shown(change.case, 60)}: {number(change.before)} → {number(change.after)}, "
                f"{_shown(change.why, 200)}".strip()
                for change in one.changes[:6]
            )
            more = f"\n… and {len(one.changes) - 6} more" if len(one.changes) > 6 else ""
            difference = one.after - one.before
            table.add_row(
                Text(_shown(one.file, 80)),
                number(one.before),
                number(one.after),
                Text(signed(difference) if difference else "0", "green" if difference > 0 else "red"),
                Text(why + more),
            )
        terminal = Console(highlight=False, width=console.columns())
        terminal.print(table)
        if len(outcome.changed) > _ROWS:
            terminal.print(f"… and {len(outcome.changed) - _ROWS} more")
        print(f"changes   {out / 'regraded.csv'}")
    print(f"{len(outcome.changed)} changed, {outcome.unchanged} did not")


def add_forget(parser: argparse.ArgumentParser) -> None:
    """The arguments of `forget`."""
    parser.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    parser.add_argument("--student", required=True, metavar="S", help="their file, number, login, address or name")


def forget(options: argparse.Namespace) -> int:
    """`autograder forget`."""
    from autograder.report.forget import forget as forget_one

    done = forget_one(options.out, options.student)
    options.document = asdict(done)
    print("removed:")
    for what in done.removed:
        print(f"  {_shown(what, 200)}")
    if done.left:
        console.say(
            "some of their words remain in (another's text, a name that two have, or a file of yours): "
            f"{', '.join(done.left)}"
        )
    print("What was handed in, and copies of this folder elsewhere, are not touched")
    return 0


def add_alike(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """The arguments of `alike`."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument("-a", "--assignment", required=True, metavar="NAME", help="the assignment's name or folder")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the page to write (HTML)")
    parser.add_argument("--most", type=positive, default=20, metavar="N", help="pairs to show; default: %(default)s")


def alike(options: argparse.Namespace) -> int:
    """`autograder alike`."""
    from autograder.alike import compare_files, page
    from autograder.assignment import Assignment

    assignment = Assignment.load(options.assignment)
    comparison = compare_files(options.paths, assignment, options.most)
    write_privately(options.out, page(comparison, assignment))
    for pair in comparison.pairs[:10]:
        left, right = (_shown(name, 60) for name in pair.names)
        print(f"{pair.evidence:8.1f}  {left}  {right}  ({', '.join(one.question for one in pair.questions)})")
    print(f"{comparison.compared} submissions compared: {options.out}")
    return 0


def add_viva(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """The arguments of `viva`."""
    parser.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    parser.add_argument("paths", nargs="+", type=Path, metavar="SUBMISSIONS", help="the files or folders graded")
    parser.add_argument("--student", action="append", default=[], metavar="S", help="only this one; may be repeated")
    parser.add_argument(
        "--questions", type=positive, default=3, metavar="N", help="for each student; default: %(default)s"
    )


def viva(options: argparse.Namespace) -> int:
    """`autograder viva`: OUT/viva/ for students, OUT/viva_key/ for the instructor."""
    from autograder import viva as engine
    from autograder.assignment import Assignment
    from autograder.grading.grade import seed as course_seed
    from autograder.grading.grader import open_grader
    from autograder.records.final import people_of
    from autograder.records.run import Run
    from autograder.submissions.batch import gather
    from autograder.submissions.read import SubmissionError, read_submission

    out: Path = options.out
    run = Run.read(out)
    assignment, seed = Assignment.load(run.assignment), course_seed()
    people = people_of(out)
    chosen = {people.find(word).file for word in options.student}
    known = {person.file: person for person in people.everyone if person.file}
    without: list[str] = []
    written = 0
    secrets = [out.resolve(), *(path.resolve() for path in options.paths)]
    with open_grader(assignment, seed=seed, secrets=secrets, isolated=run.isolated, make=False) as grader:
        for entry in gather(options.paths, assignment.name).entries:
            person = known.get(entry.name)
            if person is None or (chosen and entry.name not in chosen):
                continue
            try:
                read = read_submission(entry.path, assignment.limits, name=entry.name, assignment=assignment.name)
                questions = engine.questions_for(read, assignment, grader.open_session, seed, options.questions)
            except SubmissionError:
                questions = []
            if not questions:
                without.append(entry.name)
                continue
            who = person.student.name or entry.name
            asked = [question.asked for question in questions]
            write_privately(out / "viva" / f"{person.stem}.html", engine.sheet(asked, assignment, who))
            write_privately(out / "viva_key" / f"{person.stem}.html", engine.key(questions, assignment, who))
            written += 1
    for name in without:
        console.say(f"no question: {_shown(name, 100)}")
    print(f"{written} sheets: {out / 'viva'}; their keys: {out / 'viva_key'}")
    return 0


def write_privately(path: Path, text: str) -> None:
    """Writes a file that its owner alone can read: it holds students' work, or a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def add_post(parser: argparse.ArgumentParser) -> None:
    """The arguments of `post-feedback`."""
    parser.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    parser.add_argument("clones", type=Path, metavar="CLONES", help="the folder with your clones, one for each student")
    parser.add_argument("--push", action="store_true", help="push the branch; without, it is only made in the clone")


def post(options: argparse.Namespace) -> int:
    """`autograder post-feedback`."""
    from autograder.report.post import BRANCH
    from autograder.report.post import post as post_all

    posted = post_all(options.out, options.clones, push=options.push)
    options.document = asdict(posted)
    for login, problem in posted.problems:
        console.say(f"{_shown(login, 60)}: {_shown(problem, 300)}")
    where = "pushed" if options.push else f"committed (branch `{BRANCH}` of each clone; --push pushes it)"
    print(f"{len(posted.done)} {where}, {len(posted.unchanged)} unchanged, {len(posted.problems)} failed")
    return 1 if posted.problems else 0


def _sender(text: str | None) -> str:
    if not text:
        return ""
    from autograder.report.archives import sender_is_usable

    if not sender_is_usable(text):
        raise CommandError(
            f"--mail-from must be an address like 'Ada Prof <ada@example.org>', got '{_shown(text, 80)}'"
        )
    return text


def _shown(text: str, limit: int) -> str:
    from autograder.text import for_terminal

    return for_terminal(text, limit)
