"""Workflow commands: annotations that a name cannot break out of, and output that is never taken for a command.

The runner reads every line a step prints. A line that begins (after blanks) with `::` is a command, and so is a line
that holds `##[` anywhere: a file called `x##[add-mask]y.ipynb` in a progress line would be one. (actions/runner,
src/Runner.Common/ActionCommand.cs.)
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autograder.report.escape import plain

Level = Literal["error", "warning", "notice"]
SHOWN = 10
"""Annotations of one level that GitHub shows for a step; what comes after is dropped without a word."""


def annotation(level: Level, message: str, title: str = "") -> str:
    """One command line; message and title are data, whatever they hold."""
    text = _data(plain(message, 1000, lines=False))
    name = _data(plain(title, 200, lines=False)).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{text}" if title else f"::{level}::{text}"


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
        # Files that set outputs, variables and the path of later steps are not for this command
        names = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        return subprocess.run(command, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    finally:
        print(f"\n::{token}::", flush=True)


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
