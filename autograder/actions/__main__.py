"""`python -m autograder.actions fetch | unpack | plan | guard | summary`."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from autograder.actions import commands
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
        print(commands.annotation("error", str(error)), flush=True)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder.actions", description=__doc__)
    added = parser.add_subparsers(required=True, metavar="COMMAND")

    fetching = added.add_parser("fetch", help="submissions from students' repositories")
    fetching.add_argument("--repositories", default="", help="owner/name, separated by blanks or commas")
    fetching.add_argument("--organisation", default="", help="with --prefix: the repositories of a classroom")
    fetching.add_argument("--prefix", default="", help="what the repositories' names begin with, without the login")
    fetching.add_argument("--before", default="", help="the last commit until then counts")
    fetching.add_argument("-o", "--out", type=Path, required=True)
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
    guard.add_argument("rest", nargs=argparse.REMAINDER, metavar="COMMAND")
    guard.set_defaults(run=_guard)

    summary = added.add_parser("summary", help="the job summary, and annotations for what could not be graded")
    summary.add_argument("out", type=Path)
    summary.add_argument("--no-annotations", action="store_true", help="for sample classes: broken files are meant")
    summary.set_defaults(run=_summary)
    return parser


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
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-") as scratch:
        for name in names:
            try:
                commit = fetch(server, name, options.out / folders[name], Path(scratch), options.before)
                print(f"{name} {commit}", flush=True)
            except FetchError as error:
                failed.append((name, str(error)))
                clear(options.out / folders[name])
                note_unfetched(options.out / folders[name], f"The repository could not be fetched: {error}.")
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
    from autograder.engine.batch import gather

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
    return commands.guard(command)


def _summary(options: argparse.Namespace) -> int:
    from autograder.actions.summary import problem_annotations, read, summary

    statistics, run = read(options.out)
    commands.append("GITHUB_STEP_SUMMARY", summary(statistics, run))
    for line in () if options.no_annotations else problem_annotations(statistics):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
