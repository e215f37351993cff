"""A notebook run from the top in a process of its own, and its public cases after that: what the grader does, too.

The process is `check.py --answer FILE --notebook FILE NAME QUESTION…`. It writes JSON objects of one entry, a line
each: `cell` (the source of the cell that starts now, null after the last), `problems` and `notes` (a sentence),
`question` (a result).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from adkit.notebook.handout import Handout
from adkit.notebook.public_cases import QuestionResult

__all__ = ["Note", "Problem", "fresh_run"]

_POLL = 0.1
_ALL_SECONDS = 900.0
"""One notebook with all its cases."""
_LOST_CELLS = 5
"""So many cells may take too long; after one more the notebook is given up."""


@dataclass(frozen=True)
class Problem:
    """Something in the notebook that does not run."""

    text: str


@dataclass(frozen=True)
class Note:
    """What to know besides."""

    text: str


def fresh_run(
    script: Path, handout: Handout, notebook: bytes, questions: Sequence[str] = ()
) -> Generator[QuestionResult | Problem | Note, None, None]:
    """What comes out, as it comes. A cell that takes longer than the grader's limit is left out, as the grader does.

    script: the path of check.py. notebook: the file's content. questions: all when none is named.
    """
    end = time.monotonic() + _ALL_SECONDS
    for _ in range(_LOST_CELLS + 1):
        lost = yield from _attempt(script, handout, notebook, questions, end)
        if lost is None:
            return
        notebook, number = _without(notebook, lost)
        yield Problem(
            f"code cell {number} was left out: it took longer than the {handout.cell_seconds:g} seconds of a cell"
        )
    yield Problem(f"the notebook could not be run: more than {_LOST_CELLS} cells took too long")


def _attempt(
    script: Path, handout: Handout, notebook: bytes, questions: Sequence[str], end: float
) -> Generator[QuestionResult | Problem | Note, None, str | None]:
    """One run; the source of the cell that took too long, None where none did."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        file, answer = Path(scratch, f"{handout.name}.ipynb"), Path(scratch, "answer.jsonl")
        file.write_bytes(notebook)
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": "1", "IPYTHONDIR": scratch}
        command = [sys.executable, str(script), "--answer", str(answer), "--notebook", str(file), handout.name]
        nothing = subprocess.DEVNULL  # what a notebook prints is not shown: run it in Jupyter to see it
        with open(Path(scratch, "stderr"), "w+b") as said:
            process = subprocess.Popen(
                [*command, *questions], cwd=script.parent, env=environment, stdin=nothing, stdout=nothing, stderr=said
            )
            try:
                lost = yield from _read(answer, process, handout, end)
                if lost is not None:
                    return lost
                if process.returncode is None:
                    yield Problem(f"it took longer than {_ALL_SECONDS:g} s; the other questions were not checked")
                elif process.returncode != 0:
                    yield Problem(_last_words(process.returncode, said))
            finally:
                process.kill()
                process.wait()
    return None


def _read(
    answer: Path, process: "subprocess.Popen[bytes]", handout: Handout, end: float
) -> Generator[QuestionResult | Problem | Note, None, str | None]:
    """The lines that the process writes, until it ends or time is up; the cell that took too long."""
    read, cell, began = 0, None, 0.0
    while True:
        ended = process.poll() is not None
        content = answer.read_bytes() if answer.is_file() else b""
        whole = content.rfind(b"\n") + 1
        for line in content[read:whole].splitlines():
            entry: dict[str, Any] = json.loads(line)
            cell, began = entry.get("cell"), time.monotonic()
            if "question" in entry:
                yield QuestionResult.from_data(entry["question"])
            elif "problems" in entry:
                yield Problem(str(entry["problems"]))
            elif "notes" in entry:
                yield Note(str(entry["notes"]))
        read = whole
        if ended or time.monotonic() > end:
            return None
        if cell is not None and time.monotonic() > began + handout.cell_seconds:
            return cell
        time.sleep(_POLL)


def _last_words(code: int, said: IO[bytes]) -> str:
    said.seek(0)
    words = said.read().decode("utf-8", "replace").strip().splitlines()
    return f"the notebook's process ended early (exit code {code}) {words[-1][:500] if words else ''}".strip()


def _without(notebook: bytes, source: str) -> tuple[bytes, int]:
    """The notebook with that cell emptied, and the number that the cell has among the code cells."""
    content: Any = json.loads(notebook.decode("utf-8-sig"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        if "".join(cell["source"]) == source:
            cell["source"] = ""
            return json.dumps(content).encode(), number
    return notebook, 0
