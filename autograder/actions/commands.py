"""Workflow commands: annotations that a name cannot break out of, and output that is never taken for a command.

The runner reads every line a step prints. A line that begins (after blanks) with `::` is a command, and so is a line
that holds `##[` anywhere: a file called `x##[add-mask]y.ipynb` in a progress line would be one. (actions/runner,
src/Runner.Common/ActionCommand.cs.)
"""

import os
import secrets
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autograder.actions import private
from autograder.text import printable

_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
"""Variables that name files which set outputs, variables and the path of later steps: not for a guarded command."""
Level = Literal["error", "warning", "notice"]
SHOWN = 10
"""Annotations of one level that GitHub shows for a step; what comes after is dropped without a word."""


def annotation(level: Level, message: str, title: str = "") -> str:
    """One command line; message and title are data, whatever they hold."""
    text = _data(printable(message, 1000, lines=False))
    name = _data(printable(title, 200, lines=False)).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{text}" if title else f"::{level}::{text}"


def mask(text: str) -> str:
    """A command that has the runner show `***` in place of a text, in every later line of the job's log."""
    return f"::add-mask::{_data(printable(text, 500, lines=False))}"


def annotations(level: Level, found: Sequence[tuple[str, str]], rest: str) -> list[str]:
    """Commands for (title, message) pairs; when there are more than are shown, the last one says `rest` of how many."""
    if len(found) <= SHOWN:
        return [annotation(level, message, title) for title, message in found]
    shown = [annotation(level, message, title) for title, message in found[: SHOWN - 1]]
    return [*shown, annotation(level, f"{len(found) - len(shown)} {rest}")]


def guard(command: Sequence[str]) -> int:
    """Runs a command whose output is only text for the runner; its exit code.

    Both streams go through standard output, so that nothing overtakes the line that stops the commands.
    """
    token = secrets.token_hex(16)  # nobody who could write into the output knows it
    print(f"::stop-commands::{token}", flush=True)
    try:
        environment = {name: value for name, value in os.environ.items() if name not in _FILES}
        return subprocess.run(command, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    finally:
        print(f"\n::{token}::", flush=True)


def guard_privately(command: Sequence[str], log: Path) -> int:
    """The same, for a command that names students: its output goes into `log`, which belongs in an artefact.

    What is shown is how far it is and, where it fails, why.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in _FILES}
    last: deque[str] = deque(maxlen=50)
    with (
        log.open("ab") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            text = line[:10_000].decode("utf-8", "replace")
            last.append(text)
            if shown := private.progress(text):
                print(shown, flush=True)
    code = process.returncode
    if code not in (0, 1):
        why = private.last_error(last, command)
        print(annotation("error", why or f"exit code {code}; its output is in {log.name} of the artefact"), flush=True)
    else:
        print(f"exit code {code}; the output, which may name students, is in {log.name} of the artefact", flush=True)
    return code


def append(variable: str, text: str) -> None:
    """Appends to the file that a runner names in `variable` (GITHUB_OUTPUT, GITHUB_STEP_SUMMARY); prints without."""
    file = os.environ.get(variable)
    if not file:
        sys.stdout.write(text)
        return
    with Path(file).open("a", encoding="utf-8") as stream:
        stream.write(text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
