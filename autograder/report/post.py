"""`autograder post-feedback`: FEEDBACK.md of lms/repositories/ as a branch `feedback` of each cloned repository.

A command for the instructor, by hand, after grading: it needs the right to write to students' repositories, and so is
never part of a job that runs students' code. Of a clone nothing is run and nothing is checked out: the commit is made
of one file, beside the work tree, with git's own plumbing commands; a clone whose settings name programs is refused.
Without `--push` nothing leaves the machine.
"""

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.report.archives import REPOSITORIES, REPOSITORY_FILE
from autograder.text import printable

BRANCH = "feedback"
_SECONDS = 120
_SETTINGS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks)"
    r"|remote\.[^\n]*\.(url|fetch|tagopt|promisor|partialclonefilter)|branch\..*\.(remote|merge|rebase)|branch\.autosetup.*"
    r"|submodule\..*\.(url|active)|submodule\.active|user\.(name|email)|extensions\.\w+|lfs\.repositoryformatversion|gc\.auto",
    re.IGNORECASE,
)
_WORDS = 400


class PostError(Exception):
    """Nothing can be posted; the message says why."""


@dataclass
class Posted:
    """What became of each login."""

    done: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def post(out: Path, clones: Path, *, push: bool, tell: Callable[[str], None] = lambda _text: None) -> Posted:
    """Commits each student's file to the branch `feedback` of their clone, and with `push` pushes that branch."""
    folder = out / "lms" / REPOSITORIES
    texts = {path.parent.name: path for path in sorted(folder.glob(f"*/{REPOSITORY_FILE}"))}
    if not texts:
        raise PostError(
            f"{folder} has no feedback: a clone's student is known by their login, see `autograder collect`"
        )
    if not clones.is_dir():
        raise PostError(f"there is no folder '{clones}'")
    repositories = [entry for entry in sorted(clones.iterdir()) if (entry / ".git").is_dir() and not entry.is_symlink()]
    posted = Posted()
    for login, path in texts.items():
        fitting = [entry for entry in repositories if _is_of(entry.name, login)]
        if len(fitting) != 1:
            posted.problems.append(
                (
                    login,
                    "no clone's name ends with this login"
                    if not fitting
                    else "the names of several clones end with this login",
                )
            )
            continue
        try:
            _refuse_programs(fitting[0])
            changed = _commit(fitting[0], path.read_bytes())
            if push:
                _git(fitting[0], "push", "--quiet", "--no-verify", "origin", f"refs/heads/{BRANCH}:refs/heads/{BRANCH}")
            (posted.done if changed or push else posted.unchanged).append(login)
            tell(f"{login}: {'pushed' if push else 'committed' if changed else 'unchanged'}")
        except PostError as error:
            posted.problems.append((login, str(error)))
    return posted


def _is_of(folder: str, login: str) -> bool:
    """Classroom's clones are named `assignment-login`."""
    return folder.casefold() == login.casefold() or folder.casefold().endswith(f"-{login.casefold()}")


def _refuse_programs(repository: Path) -> None:
    """A folder that a student packed has settings of theirs, and git runs what settings name."""
    for line in _git(repository, "config", "--local", "--list", "-z").split("\0"):
        key, _, value = line.partition("\n")
        if line and (_SETTINGS.fullmatch(key) is None or (key.endswith("url") and "::" in value)):
            raise PostError(f"the clone's settings have {printable(key, 60, lines=False)}: clone it again yourself")


def _commit(repository: Path, content: bytes) -> bool:
    """A commit of the one file on the branch; False when the branch has it already."""
    parent = ""
    for reference in (f"refs/heads/{BRANCH}", f"refs/remotes/origin/{BRANCH}"):
        parent = parent or _git(repository, "rev-parse", "--verify", "--quiet", reference, fails="")
    blob = _git(repository, "hash-object", "-w", "--stdin", "--no-filters", given=content)
    tree = _git(repository, "mktree", given=f"100644 blob {blob}\t{REPOSITORY_FILE}\n".encode())
    if parent and _git(repository, "rev-parse", f"{parent}^{{tree}}") == tree:
        _git(repository, "update-ref", f"refs/heads/{BRANCH}", parent)
        return False
    parents = ("-p", parent) if parent else ()
    commit = _git(repository, "commit-tree", tree, *parents, "-m", "Feedback")
    _git(repository, "update-ref", f"refs/heads/{BRANCH}", commit)
    return True


def _git(repository: Path, *arguments: str, given: bytes = b"", fails: str | None = None) -> str:
    """git's answer; `fails` is the answer for a command that fails. No hook, no file watcher, no question asked."""
    command: Sequence[str] = (
        "git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments,
    )  # fmt: skip
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS, env=environment, check=False)
    except FileNotFoundError:
        raise PostError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise PostError(f"git {arguments[0]} took longer than {_SECONDS} s") from None
    if done.returncode != 0:
        if fails is not None:
            return fails
        said = re.sub(r"\s+", " ", done.stderr.decode("utf-8", "replace")).strip()[:_WORDS]
        raise PostError(f"git {arguments[0]}: {said}")
    return done.stdout.decode("utf-8", "replace").strip()
