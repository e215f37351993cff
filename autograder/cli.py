"""The command line: build, grade, otter-grade, merge, report, regrade, forget, post-feedback, sample, collect, doctor.

Exit codes: 0 all well, 1 some submissions could not be graded (they are listed), 2 usage or environment,
130 interrupted. Every error is one sentence; `--debug` shows where it comes from.
"""

import argparse
import contextlib
import errno
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autograder
from autograder.report import commands

if TYPE_CHECKING:
    from autograder.engine.grade import Listener, Order
    from autograder.report.statistics import Statistics

USAGE = 2
INTERRUPTED = 130
_SECONDS_BETWEEN_LINES = 10.0


class UsageError(Exception):
    """What was asked for makes no sense; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return USAGE
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        if options.debug:
            raise
        if isinstance(error, OSError):
            _say(_of_the_system(error))
        elif not _is_ours(error):
            _say(f"unexpected {type(error).__name__}: {error} (--debug shows where)")
        else:
            _say(str(error))
        return USAGE


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = argparse.ArgumentParser(
        prog="autograder", description="Build, grade and report the assignments of this course.", parents=[common]
    )
    parser.add_argument("--version", action="version", version=f"autograder {autograder.__version__}")
    subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        # without a default of its own: `autograder --debug grade` must not be undone by the subcommand
        own = argparse.ArgumentParser(add_help=False)
        own.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
        )
        added = subcommands.add_parser(name, help=text, description=text, parents=[own])
        added.set_defaults(run=run)
        return added

    build = command("build", _build, "Build the students' version, the solution and autograder.zip.")
    build.add_argument("names", nargs="*", metavar="NAME", help="assignments; all of them without")
    build.add_argument("-o", "--out", type=Path, default=Path("dist"), metavar="DIST", help="default: dist")
    build.add_argument("--check", action="store_true", help="change nothing; fail when something is stale or leaks")

    grade = command("grade", _grade, "Grade notebooks, scripts and Otter's exports, and folders of them.")
    grade.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    grade.add_argument("-a", "--assignment", required=True, metavar="NAME", help="the assignment's name or folder")
    grade.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the output folder")
    grade.add_argument("-j", "--jobs", type=_positive, metavar="N", help="workers; default: one a core")
    grade.add_argument("--resume", action="store_true", help="grade only what OUT does not hold yet")
    grade.add_argument("--force", action="store_true", help="begin anew, replacing the results in OUT")
    grade.add_argument("--shard", type=_shard, metavar="I/K", help="grade the I-th of K parts of the class")
    grade.add_argument("--timeout", type=_seconds, metavar="S", help="seconds that one submission may take")
    grade.add_argument(
        "--roster",
        type=Path,
        metavar="CSV",
        help="the class list, for the tables in lms/ (columns: file, id, name, email, login, section)",
    )
    grade.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster (optional extra)")
    grade.add_argument("--no-isolation", action="store_true", help="run submissions unprotected; marks every result")
    grade.add_argument("--quiet", "-q", action="store_true", help="no progress and no table")
    commands.add_decisions(grade)

    otter = command(
        "otter-grade", _otter_grade, "Grade in Docker containers with `otter grade`: all kinds of files, safe names."
    )
    otter.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    otter.add_argument("-a", "--autograder", type=Path, required=True, metavar="ZIP", help="the autograder.zip")
    otter.add_argument("-o", "--out", "--output-dir", type=Path, required=True, metavar="OUT", help="the output folder")
    otter.add_argument("-n", "--name", type=_tag, help="the image's name; default: the assignment's")
    otter.add_argument("--image", default="python:3.13-slim", help="the image to build on; default: %(default)s")
    otter.add_argument("--containers", type=_positive, metavar="N", help="containers at a time; default: one a core")
    otter.add_argument("--ext", choices=("ipynb", "py", "zip"), help="from folders, only files of this kind")
    otter.add_argument(
        "--timeout", type=_seconds, metavar="S", help="seconds of a container; default: the assignment's limit and 300"
    )
    otter.add_argument(
        "--network", action=argparse.BooleanOptionalAction, default=False, help="a network in the containers"
    )
    otter.add_argument("--summaries", action="store_true", help="Otter's summary of each submission, in OUT")
    otter.add_argument("--resume", action="store_true", help="grade only what OUT does not hold yet")
    otter.add_argument("--force", action="store_true", help="begin anew, replacing the results in OUT")
    otter.add_argument("--roster", type=Path, metavar="CSV", help="students by file, for the tables in lms/")
    otter.add_argument("--quiet", "-q", action="store_true", help="no progress and no table")
    commands.add_decisions(otter)

    merge = command("merge", _merge, "Join the output folders of shards.")
    merge.add_argument("shards", nargs="+", type=Path, metavar="SHARD", help="output folders of `grade --shard`")
    merge.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the joined output folder")
    merge.add_argument("--force", action="store_true", help="replace the results in OUT")

    report = command("report", _report, "Write grades, class report and feedback again from the journal.")
    report.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    commands.add_report(report)

    regrade = command("regrade", _regrade, "Grade chosen submissions or questions again: who changed, and why.")
    commands.add_regrade(regrade, _positive, _seconds)
    forget = command("forget", _forget, "Remove everything that an output folder holds of one student.")
    commands.add_forget(forget)
    post = command("post-feedback", _post, "Commit each student's feedback to their clone, and push it with --push.")
    commands.add_post(post)

    sample = command("sample", _sample, "Write a class of sample submissions.")
    sample.add_argument("assignment", metavar="NAME", help="the assignment's name")
    sample.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="where to write them")

    collect = command("collect", _collect, "Collect submissions from repositories or a platform's download.")
    collect.add_argument("source", type=Path, metavar="FOLDER", help="clones, or an unpacked download")
    collect.add_argument("-a", "--assignment", required=True, metavar="NAME", help="the assignment's name")
    collect.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the folder to fill")
    collect.add_argument("--roster", type=Path, metavar="CSV", help="columns: id, name, email, login, section")

    command("doctor", _doctor, "What works on this machine, and how to mend what does not.")
    return parser


# --- commands ---------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> int:
    from autograder.build.command import build

    return build(options.names, options.out, options.check)


def _grade(options: argparse.Namespace) -> int:
    from autograder.assignment import Assignment
    from autograder.engine.grade import Order
    from autograder.engine.grade import seed as course_seed

    if options.dask and (options.jobs or options.no_isolation):
        raise UsageError("--dask cannot be combined with --jobs or --no-isolation")
    order = Order(
        assignment=Assignment.load(options.assignment),
        paths=tuple(options.paths),
        out=options.out,
        seed=course_seed(),
        jobs=options.jobs or _cores(),
        isolated=not options.no_isolation,
        timeout=options.timeout,
        resume=options.resume,
        force=options.force,
        shard=options.shard,
        roster=options.roster,
        dask=options.dask,
        **commands.decisions(options),
    )
    if not order.isolated:
        _say("warning: --no-isolation: submissions run unprotected and every result is marked")
    return _grade_and_conclude(order, options, f"grade {_shown(options.paths)} --assignment {options.assignment}")


def _otter_grade(options: argparse.Namespace) -> int:
    import tempfile

    from autograder.engine.containers import Bundle, ContainerGrader, Containers, check_docker
    from autograder.engine.grade import Order
    from autograder.engine.output import SUMMARIES

    with tempfile.TemporaryDirectory(prefix="autograder-bundle-") as folder:
        bundle = Bundle.read(options.autograder, Path(folder).resolve())
        check_docker()
        containers = Containers(
            bundle=bundle,
            name=options.name or bundle.assignment.name,
            image=options.image,
            count=options.containers or _cores(),
            timeout=options.timeout or bundle.assignment.limits.submission_seconds + 300,
            network=options.network,
            summaries=options.out / SUMMARIES if options.summaries else None,
        )
        order = Order(
            assignment=bundle.assignment,
            paths=tuple(options.paths),
            out=options.out,
            seed=bundle.seed,
            jobs=containers.count,
            resume=options.resume,
            force=options.force,
            roster=options.roster,
            grader=lambda: ContainerGrader(containers),
            contract=bundle.sha256,
            only=options.ext,
            **commands.decisions(options),
        )
        return _grade_and_conclude(order, options, f"otter-grade {_shown(options.paths)} -a {options.autograder}")


def _grade_and_conclude(order: "Order", options: argparse.Namespace, command: str) -> int:
    from autograder.engine.grade import grade
    from autograder.report.write import write_everything

    try:
        with _terminable(), _progress(options.quiet) as listener:
            run = grade(order, listener)
    except KeyboardInterrupt:
        _say(
            f"interrupted; what was graded is kept. Go on with: autograder {command} -o {options.out} "
            "--resume and the same options"
        )
        return INTERRUPTED
    statistics = write_everything(options.out)
    code = _conclude(statistics, options.out, options.quiet, run.ignored)
    if options.roster:
        _compare_with_roster(statistics, options.out)
    return code


def _shown(paths: Sequence[Path]) -> str:
    from autograder.report.escape import for_terminal

    return " ".join(for_terminal(str(path)) for path in paths)


def _merge(options: argparse.Namespace) -> int:
    from autograder.engine.merge import merge
    from autograder.report.write import write_everything

    merged = merge(options.shards, options.out, force=options.force)
    code = _conclude(write_everything(options.out), options.out, quiet=False)
    for sentence in merged.missing:
        _say(f"incomplete: {sentence}")
    return 1 if merged.missing else code


def _report(options: argparse.Namespace) -> int:
    return commands.report(options, _say)


def _regrade(options: argparse.Namespace) -> int:
    with _terminable():
        statistics, code = commands.regrade(options, _cores(), _say, _progress)
    return INTERRUPTED if statistics is None else max(code, _conclude(statistics, options.out, quiet=True))


def _forget(options: argparse.Namespace) -> int:
    return commands.forget(options, _say)


def _post(options: argparse.Namespace) -> int:
    return commands.post(options, _say)


def _sample(options: argparse.Namespace) -> int:
    from importlib import import_module

    from autograder.assignment import Assignment

    samples: Any = import_module("autograder.samples")
    samples.write_sample_class(Assignment.load(options.assignment).name, options.out)
    print(f"sample submissions: {options.out}")
    return 0


def _collect(options: argparse.Namespace) -> int:
    from autograder.assignment import Assignment
    from autograder.collect import collect
    from autograder.report.escape import for_terminal

    found = collect(options.source, Assignment.load(options.assignment).name, options.out, options.roster)
    for note in found.notes:
        _say(for_terminal(note))
    print(f"{len(found.collected)} submissions: {options.out}")
    return 0 if found.collected else USAGE


def _doctor(_options: argparse.Namespace) -> int:
    from autograder.doctor import examine, show

    return show(examine())


# --- what is shown ----------------------------------------------------------------------------


def _conclude(statistics: "Statistics", out: Path, quiet: bool, ignored: Sequence[str] = ()) -> int:
    """Prints the table and where everything is; the exit code."""
    from autograder.report.escape import for_terminal

    if not quiet:
        _table(statistics, out)
        if ignored:
            shown = ", ".join(for_terminal(name, 60) for name in ignored[:5])
            print(f"passed over (no submissions): {shown}{' …' if len(ignored) > 5 else ''}")
        print(f"grades    {out / 'final_grades.csv'}  (and {out / 'lms'} for Canvas, Moodle, Gradescope)")
        print(f"results   {out / 'results'}")
        print(f"feedback  {out / 'feedback'}")
        print(f"report    {out / 'report.html'}")
    commands.say_notes(statistics, out, _say)
    problems = statistics.problems
    if problems:
        _say(f"{len(problems)} of {len(statistics.rows)} could not be graded:")
        for row in problems[:50]:
            _say(f"  {for_terminal(row.file, 100)}: {for_terminal(row.problem, 300)}")
        if len(problems) > 50:
            _say(f"  … and {len(problems) - 50} more, see {out / 'report.html'}")
    return 1 if problems else 0


def _compare_with_roster(statistics: "Statistics", out: Path) -> None:
    """Says which files belong to nobody in the roster: their lines in lms/ have no student."""
    from autograder.report import roster
    from autograder.report.escape import for_terminal

    known = roster.read_if_there(out / roster.FILE)
    strangers = [for_terminal(row.file, 80) for row in statistics.rows if row.file not in known]
    if strangers:
        _say(
            f"{len(strangers)} of {len(statistics.rows)} files belong to nobody in the roster: "
            f"{', '.join(strangers[:10])}{' …' if len(strangers) > 10 else ''}. A column `file` in it says whose "
            "a file is, or call a file after the student's login, id, email or name; then run this again with --resume"
        )


def _table(statistics: "Statistics", out: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.engine.output import Run
    from autograder.report.escape import for_terminal
    from autograder.report.page import number

    run = Run.read(out)
    table = Table(title=Text(for_terminal(run.title)), title_justify="left")
    table.add_column("file", overflow="ellipsis", no_wrap=True)
    names = [str(question["name"]) for question in run.questions]
    for name in [*names, "total", "%"]:
        table.add_column(name, justify="right")
    table.add_column("")
    rows = statistics.rows
    shown = rows if len(rows) <= 60 else rows[:55]
    for row in shown:
        table.add_row(
            Text(for_terminal(row.file, 80)),
            *(number(row.scores.get(name, 0.0)) for name in names),
            Text(number(row.earned), "bold"),
            f"{100 * row.percent:.0f}",
            Text("" if row.status == "completed" else row.status, "red"),
        )
    points = [float(question["points"]) for question in run.questions]
    total = sum(float(question["points"]) for question in run.questions if not question["bonus"])
    table.add_section()
    bonus = ["+" if question["bonus"] else "" for question in run.questions]
    table.add_row("possible", *(sign + number(of) for sign, of in zip(bonus, points, strict=True)), number(total), "")
    # a log has no width of its own, and a narrow table is harder to read there than a long line
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table)
    if len(shown) < len(rows):
        console.print(f"… and {len(rows) - len(shown)} more in final_grades.csv")


@contextlib.contextmanager
def _progress(quiet: bool) -> Generator["Listener | None", None, None]:
    """A bar with rate and remaining time on a terminal, a line now and then otherwise."""
    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield _line_listener()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("grading", total=None, rate="")
        started = time.monotonic()
        before = 0

        def listener(record: Any, done: int, of: int) -> None:
            nonlocal before
            if record is None:
                before = done
            rate = (done - before) / max(1e-9, time.monotonic() - started)
            progress.update(bar, completed=done, total=of, rate=f"{rate:.2f}/s" if rate else "")

        yield listener


def _line_listener() -> "Listener":
    from autograder.report.escape import for_terminal
    from autograder.report.page import number

    started = time.monotonic()
    last = started - _SECONDS_BETWEEN_LINES
    before = 0

    def listener(record: Any, done: int, of: int) -> None:
        nonlocal last, before
        if record is None:
            before = done
            _say(f"{of} submissions" + (f", {done} of them are graded already" if done else ""))
            return
        now = time.monotonic()
        problem = record.result.status != "completed"
        if of > 40 and not problem and done != of and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = (done - before) / max(1e-9, now - started)
        remaining = (of - done) / rate
        what = record.result.status if problem else f"{number(record.result.earned)} points"
        _say(f"{done}/{of} {for_terminal(record.name, 80)}: {what} ({rate:.2f} a second, {remaining:.0f} s to go)")

    return listener


# --- small things -----------------------------------------------------------------------------


@contextlib.contextmanager
def _terminable() -> Generator[None, None, None]:
    """SIGTERM ends a run as Ctrl-C does: in order, with the journal kept."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    try:
        earlier = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _is_ours(error: Exception) -> bool:
    """Whether an error was written for the person."""
    return type(error).__module__.startswith("autograder.")


def _of_the_system(error: OSError) -> str:
    """The system's error about a file as a sentence that says what to do where that is known."""
    file: object = error.filename
    where = f"{file}: " if isinstance(file, str | Path) else ""
    what = f"{where}{error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what}. Free some space and go on: after `grade`, the same command with --resume grades only the rest"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{what}. Choose a place that you may write to, or change its permissions"
    return what


def _say(text: str) -> None:
    print(f"autograder: {text}" if not text.startswith(" ") else text, file=sys.stderr, flush=True)


def _cores() -> int:
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return os.cpu_count() or 1


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number, got '{text}'")
    return int(text)


def _tag(text: str) -> str:
    if not re.fullmatch(r"\w[\w.-]{0,127}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"may only hold letters, digits, '_', '-' and '.', got '{text}'")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"must be a positive number of seconds, got '{text}'")
    return seconds


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise argparse.ArgumentTypeError(f"must be I/K with 1 <= I <= K, got '{text}'")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
