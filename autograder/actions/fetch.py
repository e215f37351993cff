"""Submissions from students' repositories and archives, as plain files.

A student's repository is read with git's plumbing: there is never a work tree, so no filter, hook, link, submodule or
attribute of it takes effect, and nothing of it is run. The token is handed to git in its environment, for one server
only, and stays out of every file and command line.
"""

import base64
import json
import os
import re
import resource
import selectors
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.names import ENDINGS, is_skipped_folder, kind_of
from autograder.submissions.collect.choosing import NOT_FETCHED
from autograder.submissions.collect.download import entry_name
from autograder.walk import remove

MAX_FILES = 200
"""Files of one repository that are fetched, notebooks first."""
MAX_BYTES = 20 * 1024**2
"""One file."""
MAX_TOTAL_BYTES = 100 * 1024**2
"""All files of one repository."""
MAX_CLONE_BYTES = 1024**3
"""One file that git writes."""
MAX_LISTING_BYTES = 32 * 1024**2
"""What git may say about one repository's files: a tree of a hundred bytes can list without end (a "git bomb")."""
MAX_GIT_MEMORY = 4 * 1024**3
"""Address space of git."""
MAX_DEPTH = 50
"""Folders inside each other."""
_WORDS = 64 * 1024
"""How much of git's messages is remembered: the last of them."""
_SMALL = 1024**2
_MAX_ANSWER = 64 * 1024**2
"""One page of the server's list of repositories."""
MAX_ARCHIVE_FILES = 20_000
MAX_ARCHIVE_BYTES = 4 * 1024**3
"""Everything in an instructor's archive, unpacked."""
CLONE_SECONDS = 120.0
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


class FetchError(Exception):
    """What cannot be fetched; the message says which and why."""


@dataclass(frozen=True)
class Server:
    """Where repositories are, and who asks."""

    url: str
    """GITHUB_SERVER_URL."""
    api: str
    """GITHUB_API_URL."""
    token: str

    @staticmethod
    def from_environment() -> "Server":
        """The runner's server, and the token in STUDENTS_TOKEN."""
        names = ("GITHUB_SERVER_URL", "GITHUB_API_URL")
        missing = [name for name in names if not os.environ.get(name)]
        if missing:
            raise FetchError(f"{' and '.join(missing)} not set: this runs in a workflow")
        return Server(*(os.environ[name].rstrip("/") for name in names), token=os.environ.get("STUDENTS_TOKEN", ""))


def repositories(text: str) -> list[str]:
    """owner/name, one per line or separated by blanks or commas; FetchError names what is none."""
    names = [name for name in re.split(r"[\s,]+", text) if name]
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise FetchError(f"{name!r} is not the name of a repository (owner/name)")
    return sorted(set(names))


def of_organisation(server: Server, organisation: str, prefix: str) -> list[str]:
    """Repositories of an organisation that GitHub Classroom made for one assignment: `<prefix>-<login>`."""
    if _NAME.fullmatch(f"{organisation}/x") is None:
        raise FetchError(f"{organisation!r} is not the name of an organisation")
    found: list[str] = []
    for page in range(1, 101):
        url = f"{server.api}/orgs/{urllib.parse.quote(organisation)}/repos?per_page=100&page={page}"
        entries = _get(url, server.token)
        found += [str(entry["full_name"]) for entry in entries]
        if len(entries) < 100:
            break
    names = [name for name in found if name.split("/")[1].startswith(f"{prefix}-") and _NAME.fullmatch(name)]
    if not names:
        raise FetchError(
            f"{organisation} has no repository called {prefix}-… that this token can see ({len(found)} in all)"
        )
    return sorted(names)


def folder_names(names: Sequence[str], prefix: str = "") -> dict[str, str]:
    """A folder for each repository: the student's login when `prefix` leaves it, else the repository's own name."""
    short = {name: name.split("/")[1].removeprefix(f"{prefix}-" if prefix else "") for name in names}
    taken = [folder.lower() for folder in short.values()]
    return {
        name: folder if taken.count(folder.lower()) == 1 and folder not in (".git", "") else name.replace("/", "__")
        for name, folder in short.items()
    }


def fetch(server: Server, name: str, folder: Path, scratch: Path, before: str = "") -> str:
    """Writes the notebooks, scripts and zips of a repository's default branch into `folder`; the commit's hash.

    before: the last commit until then (`2026-05-01 23:59 +0200`); a commit's date is what its author's clock said.
    """
    clone = Path(tempfile.mkdtemp(dir=scratch)) / "clone.git"  # its own: git that was killed leaves one behind
    depth = () if before else ("--depth", "1")
    skipped: list[str] = []
    try:
        _git(server, "clone", "--quiet", "--bare", "--single-branch", *depth, "--", f"{server.url}/{name}", str(clone))
        until = ("--before", before) if before else ()
        commit = _git(server, f"--git-dir={clone}", "rev-list", "-1", *until, "HEAD", limit=_SMALL).decode().strip()
        if not commit:
            raise FetchError(f"there is no commit before {before}")
        when = int(_git(server, f"--git-dir={clone}", "log", "-1", "--format=%ct", commit, limit=_SMALL))
        for path, digest in _files(server, clone, commit, skipped):
            target = folder.joinpath(*path.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_git(server, f"--git-dir={clone}", "cat-file", "blob", digest, limit=MAX_BYTES))
            os.utime(target, (when, when))
        if skipped:
            others = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
            note_unfetched(folder, f"These files were not fetched: {', '.join(skipped[:3])}{others}.")
    except (OSError, OverflowError) as error:  # two files whose names, as text, are one; a date beyond all clocks
        raise FetchError(f"its files cannot be written: {error}") from None
    finally:
        remove(clone.parent)
    return commit


def note_unfetched(folder: Path, why: str) -> None:
    """Leaves word of why a student's files are not there: `collect` gives the student a row that says it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NOT_FETCHED).write_text(f"{why}\n", encoding="utf-8")


def clear(folder: Path) -> None:
    """Removes what was fetched before something went wrong: half a repository must not pass for all of it."""
    if os.path.lexists(folder):
        remove(folder)


def unpack(archive: Path, folder: Path, skipped: list[str] | None = None) -> int:
    """Unpacks the archive an instructor uploaded: regular files only, inside `folder`, with limits; how many.

    skipped: is handed the names of entries that were not unpacked.
    """
    skipped = [] if skipped is None else skipped
    try:
        with zipfile.ZipFile(archive) as content:
            members = [info for info in content.infolist() if not info.is_dir()]
            if len(members) > MAX_ARCHIVE_FILES or sum(info.file_size for info in members) > MAX_ARCHIVE_BYTES:
                raise FetchError(f"{archive.name} is too large unpacked")
            written = 0
            for info in members:
                path = PurePosixPath(entry_name(info).replace("\\", "/"))
                mode = info.external_attr >> 16
                target = folder.joinpath(*path.parts)
                if not _inside(path) or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)) or os.path.lexists(target):
                    skipped.append(info.filename)
                    continue
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with content.open(info) as packed, open(target, "xb") as file:
                        shutil.copyfileobj(packed, file)
                except (FileExistsError, NotADirectoryError, IsADirectoryError):  # a file and a folder of one name
                    skipped.append(info.filename)
                    continue
                written += 1
            return written
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise FetchError(f"{archive.name} cannot be unpacked: {error}") from None


def _files(server: Server, clone: Path, commit: str, skipped: list[str]) -> Iterator[tuple[PurePosixPath, str]]:
    """What can be a submission, notebooks and what lies near the top first, as path and digest.

    skipped: is handed the names of those that are too large or too many.
    """
    command = ("ls-tree", "-r", "-z", "--long", "--full-tree", commit)
    listing = _git(server, f"--git-dir={clone}", *command, limit=MAX_LISTING_BYTES)
    found: list[tuple[int, int, PurePosixPath, str, int]] = []
    for line in listing.split(b"\0"):
        if not line:
            continue
        description, _, name = line.partition(b"\t")
        mode, _kind, digest, size = description.decode("ascii").split()
        path = PurePosixPath(name.decode("utf-8", "replace"))
        kind = kind_of(path.name)
        if mode not in ("100644", "100755") or not kind or not _inside(path):
            continue  # links and submodules too
        if not any(map(is_skipped_folder, path.parts[:-1])):
            found.append((ENDINGS.index(kind), len(path.parts), path, digest, int(size)))
    total = count = 0
    for *_, path, digest, size in sorted(found):
        if size > MAX_BYTES or count >= MAX_FILES or total + size > MAX_TOTAL_BYTES:
            skipped.append(f"{path} ({size / 1024**2:.1f} MB)")
            continue
        count += 1
        total += size
        yield path, digest


def _inside(path: PurePosixPath) -> bool:
    text = str(path)
    return (
        not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in text
        and len(path.parts) <= MAX_DEPTH
        and len(os.fsencode(text)) < 1000
        and all(len(os.fsencode(part)) < 200 for part in path.parts)
    )


def _git(server: Server, *arguments: str, limit: int = _SMALL) -> bytes:
    """What git says, up to `limit` bytes: a repository can make it say more than the machine can hold."""
    settings = {
        "core.hooksPath": "/dev/null",
        "core.fsmonitor": "false",
        "protocol.ext.allow": "never",
        "fetch.fsckObjects": "true",
        "transfer.bundleURI": "false",
    }
    if server.token:
        header = base64.b64encode(f"x-access-token:{server.token}".encode()).decode()
        settings[f"http.{server.url}/.extraheader"] = f"AUTHORIZATION: basic {header}"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    with subprocess.Popen(
        ["git", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as git:
        try:
            with suppress(ProcessLookupError):
                resource.prlimit(git.pid, resource.RLIMIT_FSIZE, (MAX_CLONE_BYTES, MAX_CLONE_BYTES))
                resource.prlimit(git.pid, resource.RLIMIT_AS, (MAX_GIT_MEMORY, MAX_GIT_MEMORY))
            out, words = _streams(git, limit)
            git.wait(timeout=CLONE_SECONDS)
        except (subprocess.TimeoutExpired, TimeoutError):
            raise FetchError(f"git took longer than {CLONE_SECONDS:.0f} s") from None
        finally:
            if git.returncode is None:  # with what it started: that would go on writing
                os.killpg(git.pid, signal.SIGKILL)
    if git.returncode != 0:
        said = words.decode("utf-8", "replace").strip().splitlines()
        raise FetchError(said[-1] if said else f"git ended with exit code {git.returncode}")
    return out


def _streams(git: "subprocess.Popen[bytes]", limit: int) -> tuple[bytes, bytes]:
    """What a process writes until it ends: all of its output, the end of its messages."""
    assert git.stdout is not None
    assert git.stderr is not None
    out, words = bytearray(), bytearray()
    until = time.monotonic() + CLONE_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(git.stdout, selectors.EVENT_READ, out)
        selector.register(git.stderr, selectors.EVENT_READ, words)
        while selector.get_map():
            ready = selector.select(max(0.0, until - time.monotonic()))
            if not ready or time.monotonic() > until:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
            if len(out) > limit:
                raise FetchError(f"git said more than {limit / 1024**2:g} MB about it: it lists too many files")
            del words[:-_WORDS]
    return bytes(out), bytes(words)


def _get(url: str, token: str) -> list[dict[str, Any]]:
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            content: Any = json.loads(answer.read(_MAX_ANSWER + 1)[:_MAX_ANSWER])
    except urllib.error.HTTPError as error:
        hint = "; does the token have access to the organisation?" if error.code in (401, 403, 404) else ""
        raise FetchError(f"the list of repositories could not be read: {error.code} {error.reason}{hint}") from None
    except (urllib.error.URLError, ValueError, TimeoutError) as error:
        raise FetchError(f"the list of repositories could not be read: {error}") from None
    if not isinstance(content, list):
        raise FetchError("the list of repositories has an unknown form")
    return content  # pyright: ignore[reportUnknownVariableType]
