"""`python -m autograder.actions hide | fetch | unpack | plan | guard | summary`."""

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from autograder.actions import commands, private
from autograder.actions.fetch import (
    FetchError,
    Server,
    clear,
    fetch,
    folder_names,
    note_unfetched,
    of_organisation,
    repositories,
    unpack,
)


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; its exit code (2: usage or environment)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (FetchError, OSError) as error:
        print(commands.annotation("error", private.without_quotes(str(error), sys.argv)), flush=True)
        return 2


NAMES = "names.csv"
"""In the output folder: which file is which number of the summary."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder.actions", description=__doc__)
    added = parser.add_subparsers(required=True, metavar="COMMAND")

    hiding = added.add_parser("hide", help="have the runner mask the repositories that were typed into the form")
    hiding.set_defaults(run=_hide)

    fetching = added.add_parser("fetch", help="submissions from students' repositories")
    fetching.add_argument("--repositories", default="", help="owner/name, separated by blanks or commas")
    fetching.add_argument("--organisation", default="", help="with --prefix: the repositories of a classroom")
    fetching.add_argument("--prefix", default="", help="what the repositories' names begin with, without the login")
    fetching.add_argument("--before", default="", help="the last commit until then counts")
    fetching.add_argument("-o", "--out", type=Path, required=True)
    fetching.add_argument("--names", type=Path, metavar="CSV", help="where to write which repository is which number")
    fetching.set_defaults(run=_fetch)

    unpacking = added.add_parser("unpack", help="an archive of submissions")
    unpacking.add_argument("archive", type=Path)
    unpacking.add_argument("-o", "--out", type=Path, required=True)
    unpacking.set_defaults(run=_unpack)

    plan = added.add_parser("plan", help="how many shards: outputs `shards` (a list) and `count`")
    plan.add_argument("folder", type=Path)
    plan.add_argument("-a", "--assignment", required=True)
    plan.add_argument("--shards", type=int, required=True)
    plan.set_defaults(run=_plan)

    guard = added.add_parser("guard", help="run a command whose output holds no workflow commands")
    guard.add_argument("--log", type=Path, help="keep what it prints, which may name students, in this file instead")
    guard.add_argument("rest", nargs=argparse.REMAINDER, metavar="COMMAND")
    guard.set_defaults(run=_guard)

    summary = added.add_parser("summary", help="the job summary, and annotations for what could not be graded")
    summary.add_argument("out", type=Path)
    summary.add_argument("--no-annotations", action="store_true", help="for sample classes: broken files are meant")
    summary.add_argument("--names", action="store_true", help="show the files' names instead of numbers: no students'")
    summary.set_defaults(run=_summary)
    return parser


def _hide(_options: argparse.Namespace) -> int:
    for name in _typed_in():
        print(commands.mask(name))
    return 0


def _typed_in() -> list[str]:
    """The repositories typed into the form of a run that was started by hand; a log shows them in a step's settings."""
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return repositories(str(event["inputs"].get("repositories") or ""))
    except (KeyError, OSError, ValueError, TypeError, AttributeError, FetchError):
        return []


def _fetch(options: argparse.Namespace) -> int:
    server = Server.from_environment()
    if bool(options.organisation) != bool(options.prefix):
        raise FetchError("an organisation and a prefix go together")
    names = repositories(options.repositories)
    if options.organisation:
        names = sorted({*names, *of_organisation(server, options.organisation, options.prefix)})
    if not names:
        raise FetchError("no repositories are named")
    failed: list[tuple[str, str]] = []
    folders = folder_names(names, options.prefix)
    shuffled = secrets.SystemRandom().sample(names, len(names))  # the number says nothing of the name
    public = {name: f"repository {number:03d}" for number, name in enumerate(shuffled, start=1)}
    lines: list[tuple[str, str, str, str]] = []
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-") as scratch:
        for number, name in enumerate(shuffled, start=1):
            commit = problem = ""
            try:
                commit = fetch(server, name, options.out / folders[name], Path(scratch), options.before)
                print(f"{number}/{len(names)} fetched", flush=True)
            except FetchError as error:
                problem = str(error)
                parts = (name, name.split("/")[1], folders[name])
                failed.append((public[name], private.without_names(problem, parts, public[name])))
                clear(options.out / folders[name])
                note_unfetched(options.out / folders[name], f"The repository could not be fetched: {error}.")
            lines.append((public[name], name, commit, problem))
    if options.names is not None:
        options.names.parent.mkdir(parents=True, exist_ok=True)
        text = private.table(("number", "repository", "commit", "problem"), lines)
        options.names.write_text(text, encoding="utf-8")
    for line in commands.annotations("warning", failed, "more repositories could not be fetched"):
        print(line)
    print(f"{len(names) - len(failed)} of {len(names)} repositories fetched")
    return 0 if len(failed) < len(names) else 2


def _unpack(options: argparse.Namespace) -> int:
    skipped: list[str] = []
    print(f"{unpack(options.archive, options.out, skipped)} files unpacked")
    left = [
        (name, "not unpacked: a link, a path out of the archive, or a second file of this name") for name in skipped
    ]
    for line in commands.annotations("warning", left, "more entries were not unpacked"):
        print(line)
    return 0


def _plan(options: argparse.Namespace) -> int:
    from autograder.submissions.batch import gather

    count = len(gather([options.folder], options.assignment).names)
    if count == 0:
        raise FetchError(f"there is no submission in {options.folder}")
    shards = list(range(1, max(1, min(options.shards, count, 256)) + 1))  # a matrix has 256 jobs at most
    commands.append("GITHUB_OUTPUT", f"shards={json.dumps(shards)}\ntotal={len(shards)}\ncount={count}\n")
    print(f"{count} submissions in {len(shards)} shards")
    return 0


def _guard(options: argparse.Namespace) -> int:
    command = options.rest[1:] if options.rest[:1] == ["--"] else options.rest
    if not command:
        raise FetchError("guard needs a command")
    return commands.guard(command) if options.log is None else commands.guard_privately(command, options.log)


def _summary(options: argparse.Namespace) -> int:
    from autograder.actions.summary import problem_annotations, read, summary

    statistics, run = read(options.out)
    names: dict[str, str] | None = None
    if not options.names:
        names = private.pseudonyms((row.file for row in statistics.rows), run.seed)
        lines = sorted((number, file) for file, number in names.items())
        (options.out / NAMES).write_text(private.table(("number", "file"), lines), encoding="utf-8")
    commands.append("GITHUB_STEP_SUMMARY", summary(statistics, run, names))
    for line in () if options.no_annotations else problem_annotations(statistics, names):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
