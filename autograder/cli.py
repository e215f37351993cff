"""The command line: one function for each command of `autograder`.

What is shown is `autograder.console`'s.

Exit codes: 0 all well, 1 some submissions could not be graded (they are listed), 2 usage or environment,
130 interrupted. Every error is one sentence; `--debug` shows where it comes from.
"""

import argparse
import contextlib
import errno
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

import autograder
from autograder import commands, console
from autograder.suggest import did_you_mean

if TYPE_CHECKING:
    from autograder.assignment import Assignment
    from autograder.grading.grade import Order
    from autograder.records.final import Final
    from autograder.records.journal import Record
    from autograder.records.run import Run

USAGE = 2
INTERRUPTED = 130
_EXIT_CODES = """\
exit codes:
  0    all well
  1    done, but something needs a person's look: it is listed
  2    a mistake in the command or on this machine: nothing was done
  130  interrupted
"""


class UsageError(Exception):
    """What was asked for makes no sense; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code."""
    parser = _parser()
    _Parser.given = list(sys.argv[1:] if arguments is None else arguments)
    options, rest = parser.parse_known_args(arguments)
    if rest:
        getattr(options, "parser", parser).error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command is None:
        parser.print_help()
        return USAGE
    as_json = bool(getattr(options, "json", False))
    try:
        return _run(options, as_json)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED, as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        if options.debug:
            raise
        if isinstance(error, OSError):
            sentence = _of_the_system(error)
        elif not _is_ours(error):
            sentence = f"unexpected {type(error).__name__}: {error} (--debug shows where)"
        else:
            sentence = str(error)
        return _failed(sentence, USAGE, as_json)


def _run(options: argparse.Namespace, as_json: bool) -> int:
    """Carries out the command. With --json what it prints goes to standard error, and its document comes last."""
    options.document = dict[str, Any]()
    if not as_json:
        return int(options.run(options))
    with contextlib.redirect_stdout(sys.stderr):
        code = int(options.run(options))
    console.answer({"command": options.command, "exit_code": code, **options.document})
    return code


def _failed(sentence: str, code: int, as_json: bool) -> int:
    console.say(sentence)
    if as_json:
        console.answer({"exit_code": code, "error": sentence})
    return code


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, with the name that was meant."""

    given: ClassVar[list[str]] = []
    """The whole command line."""

    def error(self, message: str) -> NoReturn:
        """Says what is wrong and ends the program with exit code 2."""
        choice = re.search(r"invalid choice: (['\"])(.*?)\1", message)
        unknown = [word for word in (given.partition("=")[0] for given in self.given) if self._is_unknown(word)]
        commands = self._commands(message)
        if choice is not None and commands:
            hint = did_you_mean(choice[2], commands) or f"; the commands are: {', '.join(commands)}"
            message = f"there is no command '{choice[2]}'{hint}"
        elif unknown and re.match("the following arguments are required|unrecognized arguments", message):
            long = [option for option in self._option_string_actions if option.startswith("--")]
            message = f"there is no option '{unknown[0]}'{did_you_mean(unknown[0], long)}"
        elif message.startswith("unrecognized arguments: "):
            message = f"too many arguments: {message.removeprefix('unrecognized arguments: ')}"
        sentence = f"{message}{'' if message.endswith('?') else '.'} `{self.prog} --help` shows what there is"
        if "--json" in self.given:
            console.answer({"exit_code": USAGE, "error": sentence})
        self.exit(USAGE, f"{self.prog}: {sentence}\n")

    def _is_unknown(self, word: str) -> bool:
        known = (option.startswith(word) for option in self._option_string_actions)
        return word.startswith("--") and len(word) > 2 and not any(known)

    def _commands(self, message: str) -> list[str]:
        """The commands, when an error is about the command."""
        groups = [cast("dict[str, Any]", action.choices) for action in self._actions if action.dest == "command"]
        return [*groups[0]] if groups and message.startswith("argument COMMAND") else []


def _parser() -> _Parser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = _Parser(
        prog="autograder",
        description="Build, grade and report the assignments of this course.",
        epilog=f"`autograder COMMAND --help` has the options and examples of a command.\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"autograder {autograder.__version__}")
    subcommands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str, *examples: str, json: bool = False
    ) -> argparse.ArgumentParser:
        # without a default of its own: `autograder --debug grade` must not be undone by the subcommand
        own = _Parser(add_help=False)
        own.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error"
        )
        if json:
            own.add_argument(
                "--json", action="store_true", help="answer with one JSON document; all else goes to standard error"
            )
        shown = "\n".join(f"  autograder {name} {example}".rstrip() for example in examples or ("",))
        added = subcommands.add_parser(
            name,
            help=text,
            description=text,
            epilog=f"examples:\n{shown}\n\n{_EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[own],
        )
        added.set_defaults(run=run, parser=added)
        return added

    build = command(
        "build",
        _build,
        "Build the students' version, the solution and autograder.zip.",
        "",
        "matrix_gradients -o dist",
        "--check",
    )
    build.add_argument("names", nargs="*", metavar="NAME", help="assignments to build (default: all)")
    build.add_argument("-o", "--out", type=Path, default=Path("dist"), metavar="DIST", help="default: dist")
    build.add_argument("--check", action="store_true", help="change nothing; fail when something is stale or leaks")
    build.add_argument("--again", action="store_true", help="also what has not changed since the last build")
    build.add_argument(
        "--guessable", action="store_true", help="list the answers of known mistakes that students could guess"
    )
    build.add_argument(
        "--costs", action="store_true", help="print how many operations of JAX and exports each case needs"
    )

    new = command("new", _new, "Write the files of a new assignment, which builds as it is.", "dual_numbers")
    new.add_argument("name", metavar="NAME", help="its name: small letters, digits, _")
    new.add_argument("--title", metavar="TEXT", help="default: made from the name")
    new.add_argument("--function", metavar="NAME", default="gradient", help="what its first question asks for")

    question = command(
        "new-question",
        _new_question,
        "Add a question to an assignment, which builds as it is.",
        "dual_numbers q2 --function divide --title 'The quotient'",
    )
    question.add_argument("assignment", metavar="NAME", help="the assignment's name")
    question.add_argument("question", metavar="QUESTION", help="q and a number")
    question.add_argument("--function", metavar="NAME", required=True, help="the function that it asks for")
    question.add_argument("--title", metavar="TEXT", default="A new question", help="default: %(default)s")

    grade = command(
        "grade",
        _grade,
        "Grade notebooks, scripts and Otter's exports, and folders of them.",
        "submissions -a matrix_gradients -o out",
        "submissions -a matrix_gradients -o out --resume",
        "ann.ipynb -a matrix_gradients -o out --json | jq .submissions",
        json=True,
    )
    grade.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    grade.add_argument("-a", "--assignment", required=True, metavar="NAME", help="the assignment's name or folder")
    grade.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the output folder")
    grade.add_argument("-j", "--jobs", type=_positive, metavar="N", help="number of workers (default: one per core)")
    grade.add_argument("--resume", action="store_true", help="grade only what OUT does not hold yet")
    grade.add_argument("--force", action="store_true", help="begin anew, replacing the results in OUT")
    grade.add_argument("--shard", type=_shard, metavar="I/K", help="grade the I-th of K parts of the class")
    grade.add_argument("--timeout", type=_seconds, metavar="S", help="seconds that one submission may take")
    grade.add_argument(
        "--roster",
        type=Path,
        metavar="CSV",
        help="the class list, as a platform exports it; it is joined with what `collect` found",
    )
    grade.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster (optional extra)")
    grade.add_argument("--no-isolation", action="store_true", help="run submissions unprotected; marks every result")
    grade.add_argument("--quiet", "-q", action="store_true", help="no progress and no table")
    commands.add_decisions(grade)

    otter = command(
        "otter-grade",
        _otter_grade,
        "Grade in Docker containers with `otter grade`: all kinds of files, safe names.",
        "submissions -a matrix_gradients -o out",
        "submissions -a dist/matrix_gradients/autograder.zip -o out --containers 4",
        json=True,
    )
    otter.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
    otter.add_argument(
        "-a",
        "--autograder",
        "--assignment",
        required=True,
        metavar="NAME|ZIP",
        help="the assignment's name (dist/NAME/autograder.zip, built when it is missing or old), or an autograder.zip",
    )
    otter.add_argument("-o", "--out", "--output-dir", type=Path, required=True, metavar="OUT", help="the output folder")
    otter.add_argument("-n", "--name", type=_tag, help="the image's name; default: the assignment's")
    otter.add_argument("--image", default="python:3.13-slim", help="the image to build on; default: %(default)s")
    otter.add_argument("--containers", type=_positive, metavar="N", help="containers at a time (default: one per core)")
    otter.add_argument("--ext", choices=("ipynb", "py", "zip"), help="from folders, only files of this kind")
    otter.add_argument(
        "--timeout",
        type=_seconds,
        metavar="S",
        help="seconds per container (default: ten times the assignment's limit, which ends it earlier, + 300)",
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

    merge = command("merge", _merge, "Join the output folders of shards.", "shard-1 shard-2 shard-3 -o out", json=True)
    merge.add_argument("shards", nargs="+", type=Path, metavar="SHARD", help="output folders of `grade --shard`")
    merge.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the joined output folder")
    merge.add_argument("--force", action="store_true", help="replace the results in OUT")

    report = command(
        "report",
        _report,
        "Write grades, class report and feedback again from the journal.",
        "out",
        "out --adjustments changes.csv --missing zero",
        "out --compare last_year/out",
        "out --anonymous shared",
        json=True,
    )
    report.add_argument("out", type=Path, metavar="OUT", help="an output folder of `grade`")
    commands.add_report(report)

    regrade = command(
        "regrade",
        _regrade,
        "Grade chosen submissions or questions again: who changed, and why.",
        "out submissions",
        "out submissions --question q2",
        "out submissions --student jdoe --student 'Ann Roe'",
        json=True,
    )
    commands.add_regrade(regrade, _positive, _seconds)

    forget = command(
        "forget",
        _forget,
        "Remove everything that an output folder holds of one student.",
        "out --student jdoe",
        json=True,
    )
    commands.add_forget(forget)

    post = command(
        "post-feedback",
        _post,
        "Commit each student's feedback to their clone, and push it with --push.",
        "out clones",
        "out clones --push",
        json=True,
    )
    commands.add_post(post)

    alike = command(
        "alike",
        _alike,
        "Pairs of submissions that agree in what few others have, side by side, for you to read.",
        "submissions -a matrix_gradients -o alike.html",
    )
    commands.add_alike(alike, _positive)

    viva = command(
        "viva",
        _viva,
        "Questions to each student about their own code, with a key computed by running it.",
        "out submissions",
        "out submissions --student jdoe --questions 5",
    )
    commands.add_viva(viva, _positive)

    sample = command("sample", _sample, "Write a class of sample submissions.", "matrix_gradients -o class")
    sample.add_argument("assignment", metavar="NAME", help="the assignment's name")
    sample.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="where to write them")
    sample.add_argument(
        "--without-hanging",
        action="store_true",
        help="leave out the submissions that hang or end their process: grading them takes as long as the limits allow",
    )

    collect = command(
        "collect",
        _collect,
        "Collect submissions from repositories or a platform's download.",
        "download.zip -a matrix_gradients -o submissions",
        "clones -a matrix_gradients -o submissions --roster students.csv",
        json=True,
    )
    collect.add_argument("source", type=Path, metavar="DOWNLOAD", help="a folder of clones, or a download (.zip too)")
    collect.add_argument("-a", "--assignment", required=True, metavar="NAME", help="the assignment's name")
    collect.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help="the folder to fill")
    collect.add_argument("--roster", type=Path, metavar="CSV", help="the class list, as a platform exports it")

    doctor = command(
        "doctor", _doctor, "What works on this machine, and how to fix what does not.", "", "--policy", json=True
    )
    doctor.add_argument(
        "--policy", action="store_true", help="instead: what submissions may do here (files, system calls, limits)"
    )
    return parser


# --- commands ---------------------------------------------------------------------------------


def _build(options: argparse.Namespace) -> int:
    from autograder.build.command import build

    return build(options.names, options.out, options.check, options.guessable, options.again, options.costs)


def _new(options: argparse.Namespace) -> int:
    from autograder.build.scaffold import new_assignment

    title = options.title or options.name.replace("_", " ").capitalize()
    return _scaffolded(new_assignment(options.name, title, options.function), options.name)


def _new_question(options: argparse.Namespace) -> int:
    from autograder.assignment import Assignment
    from autograder.build.scaffold import new_question

    assignment = Assignment.load(options.assignment)
    return _scaffolded(new_question(assignment, options.question, options.title, options.function), assignment.name)


def _scaffolded(written: list[Path], name: str) -> int:
    for path in written:
        print(f"wrote  {os.path.relpath(path)}")
    print(f"Replace the example by your own, then: autograder build {name}")
    return 0


def _grade(options: argparse.Namespace) -> int:
    from autograder.assignment import Assignment
    from autograder.grading.grade import Order
    from autograder.grading.grade import seed as course_seed

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
        console.say("warning: --no-isolation: submissions run unprotected and every result is marked")
    return _grade_and_conclude(order, options, f"grade {_shown(options.paths)} --assignment {options.assignment}")


def _otter_grade(options: argparse.Namespace) -> int:
    import tempfile

    from autograder.grading.grade import Order
    from autograder.isolation.clock import HARD
    from autograder.otter.containers import Bundle, ContainerGrader, Containers, check_docker
    from autograder.records.run import SUMMARIES

    with tempfile.TemporaryDirectory(prefix="autograder-bundle-") as folder:
        bundle = Bundle.read(_bundle(options.autograder, check_docker), Path(folder).resolve())
        check_docker()
        containers = Containers(
            bundle=bundle,
            name=options.name or bundle.assignment.name,
            image=options.image,
            count=options.containers or _cores(),
            timeout=options.timeout or HARD * bundle.assignment.limits.submission_seconds + 300,
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


def _bundle(given: str, before_building: Callable[[], None]) -> Path:
    """The autograder.zip of an assignment, by its name, or the given one."""
    path = Path(given)
    if path.suffix.lower() == ".zip" or path.is_file():
        return path
    from autograder.assignment import Assignment

    assignment = Assignment.load(given)
    made = Path("dist", assignment.name, "autograder.zip")
    why = "is missing" if not made.is_file() else "is older than the assignment" if _is_older(made, assignment) else ""
    if not why:
        console.say(f"using {made}")
        return made
    before_building()
    console.say(f"{made} {why}: building it")
    from autograder.build.command import build

    with contextlib.redirect_stdout(sys.stderr):
        if build([assignment.name], Path("dist"), check=False) != 0:
            raise UsageError(f"{made} could not be built: see above")
    return made


def _is_older(made: Path, assignment: "Assignment") -> bool:
    """Whether something of the assignment, its reference or this package has changed since the zip was made."""
    from importlib.util import find_spec

    places = [assignment.folder]
    for package in ("autograder", "reference", "adkit"):
        spec = find_spec(package)
        places += [Path(spec.origin).parent] if spec is not None and spec.origin is not None else []
    files = (file for place in places for file in place.rglob("*") if "__pycache__" not in file.parts)
    return any(file.is_file() and file.stat().st_mtime > made.stat().st_mtime for file in files)


def _grade_and_conclude(order: "Order", options: argparse.Namespace, command: str) -> int:
    from dataclasses import replace

    from autograder.grading.grade import grade

    warnings: list[str] = []
    order = replace(order, warn=warnings.append, meanwhile=_load_report)
    try:
        with _terminable(), console.progress(options.quiet) as listener:
            run = grade(order, listener, _write_submission)
    except KeyboardInterrupt:
        console.say(
            f"interrupted; what was graded is kept. Go on with: autograder {command} -o {options.out} "
            "--resume and the same options"
        )
        return INTERRUPTED
    from autograder.report.write import write_everything

    statistics = write_everything(options.out)
    options.document = console.document(statistics, options.out, run.ignored)
    code = console.conclude(statistics, options.out, options.quiet or options.json, run.ignored)
    for warning in warnings:
        console.say(warning)
    return code


def _load_report() -> None:
    """Loads what writes pages, a tenth of a second: while workers start it costs nothing."""
    from autograder.report.write import prepare

    prepare()


def _write_submission(record: "Record", final: "Final", out: Path, run: "Run") -> None:
    from autograder.report.write import write_submission

    write_submission(record, final, out, run)


def _shown(paths: Sequence[Path]) -> str:
    from autograder.text import for_terminal

    return " ".join(for_terminal(str(path)) for path in paths)


def _merge(options: argparse.Namespace) -> int:
    from autograder.grading.merge import merge
    from autograder.report.write import write_everything, write_submission

    merged = merge(options.shards, options.out, force=options.force, write=write_submission)
    statistics = write_everything(options.out)
    options.document = {**console.document(statistics, options.out), "incomplete": list(merged.missing)}
    code = console.conclude(statistics, options.out, quiet=options.json)
    for sentence in merged.missing:
        console.say(f"incomplete: {sentence}")
    return 1 if merged.missing else code


def _report(options: argparse.Namespace) -> int:
    return commands.report(options)


def _alike(options: argparse.Namespace) -> int:
    return commands.alike(options)


def _viva(options: argparse.Namespace) -> int:
    return commands.viva(options)


def _regrade(options: argparse.Namespace) -> int:
    with _terminable():
        statistics, code = commands.regrade(options, _cores())
    if statistics is None:
        return INTERRUPTED
    return max(code, console.conclude(statistics, options.out, quiet=True))


def _forget(options: argparse.Namespace) -> int:
    return commands.forget(options)


def _post(options: argparse.Namespace) -> int:
    return commands.post(options)


def _sample(options: argparse.Namespace) -> int:
    from autograder.assignment import Assignment
    from autograder.samples import write_sample_class

    write_sample_class(Assignment.load(options.assignment).name, options.out, hanging=not options.without_hanging)
    print(f"sample submissions: {options.out}")
    return 0


def _collect(options: argparse.Namespace) -> int:
    from collections import Counter

    from autograder.assignment import Assignment, names
    from autograder.records.roster import ACCOUNT
    from autograder.submissions.collect import VERDICTS, collect
    from autograder.text import for_terminal

    assignment = Assignment.load(options.assignment)
    found = collect(
        options.source, assignment.name, options.out, options.roster, assignment.limits, names(), say=console.say
    )
    options.document = {"out": str(options.out), **asdict(found)}
    for note in found.notes[:100]:
        console.say(for_terminal(note, 1000))
    if len(found.notes) > 100:
        console.say(f"… and {len(found.notes) - 100} more, see {options.out / ACCOUNT}")
    counts = Counter(row.verdict for row in found.rows)
    print(f"{len(found.collected)} submissions: {options.out}")
    print(f"files: {', '.join(f'{counts[verdict]} {verdict}' for verdict in VERDICTS)}: {options.out / ACCOUNT}")
    if not found.complete:
        console.say(
            f"not complete: {len(found.empty_handed)} students have files of which none was taken, "
            f"{len(found.nobodys)} files belong to nobody that is known"
        )
    return 0 if found.complete else 1


def _doctor(options: argparse.Namespace) -> int:
    from autograder.doctor import examine, policy, show, show_policy

    if options.policy:
        sections = policy()
        show_policy(sections, console.columns() or shutil.get_terminal_size().columns)
        options.document = {"policy": sections}
        return 0
    findings = examine()
    code = show(findings)
    options.document = {"works": code == 0, "findings": [asdict(finding) for finding in findings]}
    return code


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
