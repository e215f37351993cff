"""A class graded by `otter grade`: each submission in a Docker container, names and links kept out of Otter's reach.

Otter writes file names into its table and on the terminal as they are, follows links, and grades one kind of file at a
time. Here every submission is first read as `autograder grade` reads it (no link, no device, no more than the limit)
and copied to a name of ours; what comes back are the same records as from any other grader, so journal, tables and
pages are the same too. `autograder.otter.listener` is the process that Otter runs in.
"""

import hashlib
import json
import math
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.assignment import Assignment
from autograder.grading.one import how_it_went, question_result, ungraded
from autograder.names import kind_of
from autograder.otter.container.config import plugin_settings
from autograder.otter.outcome import Said, read
from autograder.records.journal import Record
from autograder.records.results import CaseResult, Status, SubmissionResult, Timeout
from autograder.records.run import write_atomically
from autograder.submissions.batch import Entry
from autograder.submissions.read import SubmissionError, read_bytes, unreadable_digest
from autograder.testcases import Case, load_cases
from autograder.text import for_terminal, printable
from reference.inputs import seeds

_BUILD_SECONDS = 3600.0
_SILENCE_SECONDS = 300.0
"""What Docker may take to start and clear away containers beyond a submission's own time, before it is given up."""


class ContainersError(Exception):
    """Containers cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Bundle:
    """An autograder.zip that `autograder build` made."""

    path: Path
    assignment: Assignment
    """As the zip holds it: its tests are those that are run."""
    seed: str
    """The course's secret that the zip carries, else the documented default."""
    sha256: str
    """Of the zip."""

    @staticmethod
    def read(path: Path, folder: Path) -> "Bundle":
        """Reads the zip; its assignment is copied into `folder`. ContainersError when it is none of ours."""
        try:
            with zipfile.ZipFile(path) as archive:
                settings = plugin_settings(json.loads(archive.read("otter_config.json")))
                prefix = PurePosixPath("files", "assignments", str(settings["assignment"]))
                target = folder / str(settings["assignment"])
                for name in archive.namelist():
                    file = PurePosixPath(name)
                    if file.is_relative_to(prefix) and ".." not in file.parts and not name.endswith("/"):
                        place = target / file.relative_to(prefix)
                        place.parent.mkdir(parents=True, exist_ok=True)
                        place.write_bytes(archive.read(name))
        except FileNotFoundError:
            raise ContainersError(f"there is no file '{path}'; `autograder build` makes it") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise ContainersError(f"'{path}' is not an autograder.zip of `autograder build`: {error}") from None
        seed = str(settings.get("seed") or seeds.DEFAULT_SEED)
        return Bundle(path, Assignment.load(target), seed, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True)
class Containers:
    """What `otter grade` is told."""

    bundle: Bundle
    name: str
    """Of the image: otter-grade:<name>."""
    image: str
    """What the image is built on."""
    count: int
    """How many containers run at a time."""
    timeout: float
    """Seconds of a container."""
    network: bool
    summaries: Path | None
    """The folder for Otter's summaries, if they are wanted."""
    program: tuple[str, ...] = (sys.executable, "-P", "-m", "autograder.otter.listener")


class ContainerGrader:
    """Grades entries in containers; a context manager, which leaves no container and no copy behind."""

    def __init__(self, order: Containers) -> None:
        self._order = order
        self._staging: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._containers: set[str] = set()

    @property
    def isolation(self) -> list[str]:
        """Where submissions ran; the layers in the container are not told."""
        return [f"containers of otter grade on {self._order.image}"]

    def __enter__(self) -> "ContainerGrader":
        check_docker()
        self._staging = Path(tempfile.mkdtemp(prefix="otter-grade-")).resolve()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._end()
        finally:
            if self._staging is not None:
                shutil.rmtree(self._staging, ignore_errors=True)

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]:
        """A record for each entry, as they are finished. ContainersError when no image can be built."""
        assert self._staging is not None
        waiting: dict[str, Entry] = {}
        digests: dict[str, str] = {}
        limits = self._order.bundle.assignment.limits
        for number, entry in enumerate(entries, start=1):
            try:
                content = read_bytes(entry.path, limits)
            except SubmissionError as error:
                sha256 = unreadable_digest(error)
                yield self._record(entry, sha256, {"kind": "unreadable", "error": str(error), "summary": str(error)})
                continue
            name = f"{number:05d}{kind_of(entry.path.name) or entry.path.suffix.lower()}"
            (self._staging / name).write_bytes(content)
            waiting[name], digests[name] = entry, hashlib.sha256(content).hexdigest()
        if not waiting:
            return
        built = False
        for message in self._messages([str(self._staging / name) for name in waiting]):
            built = built or "built" in message
            if "container" in message:
                self._containers.add(str(message["container"]))
            elif "fatal" in message:
                raise ContainersError(self._why_no_image(str(message["fatal"])))
            elif message.get("file") in waiting:
                entry = waiting.pop(message["file"])
                yield self._record(entry, digests[message["file"]], message)
        last = self._last_words()
        if not built:
            raise ContainersError(f"`otter grade` could not be started: {last}")
        for name, entry in waiting.items():
            text = f"`otter grade` ended before this submission was graded: {last}"
            yield self._record(entry, digests[name], {"kind": "failed", "error": text, "summary": text})

    def _messages(self, paths: list[str]) -> Iterator[dict[str, Any]]:
        """What the process says until it ends or says nothing for too long."""
        order, staging = self._order, self._staging
        assert staging is not None
        (staging / "out").mkdir()
        told = {
            "name": order.name,
            "paths": paths,
            "output_dir": str(staging / "out"),
            "autograder": os.path.abspath(order.bundle.path),
            "containers": order.count,
            "image": order.image,
            "timeout": math.ceil(order.timeout),
            "no_network": not order.network,
        }
        (staging / "order.json").write_text(json.dumps(told), encoding="utf-8")
        paths_here = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        with open(staging / "order.json", "rb") as given, open(staging / "log", "wb") as log:
            self._process = subprocess.Popen(
                order.program,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=staging,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths_here))},
                start_new_session=True,  # Ctrl-C is for this process, which then ends everything in order
            )
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        received = b""
        allowed = _BUILD_SECONDS
        heard = time.monotonic()
        while True:
            if not select.select([output], [], [], max(0.0, heard + allowed - time.monotonic()))[0]:
                return
            chunk = os.read(output, 1 << 16)
            if not chunk:
                return
            heard = time.monotonic()
            *lines, received = (received + chunk).split(b"\n")
            for line in lines:
                message: dict[str, Any] = json.loads(line)
                if "built" in message:
                    allowed = order.timeout + _SILENCE_SECONDS
                yield message

    def _record(self, entry: Entry, sha256: str, message: Mapping[str, Any]) -> Record:
        result = result_of(entry.name, message, self._order.bundle.assignment, self._order.timeout)
        if self._order.summaries is not None:
            text = printable(str(message.get("summary", "")), 200_000)
            write_atomically(self._order.summaries / f"{entry.stem}.txt", text + "\n")
        return Record(entry.name, entry.stem, sha256, result)

    def _why_no_image(self, problem: str) -> str:
        image = self._order.image
        last = self._last_words() or for_terminal(problem, 300)
        here = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0
        if not here:
            return f"image '{image}' is not available locally and could not be pulled: {last}"
        return f"the image for grading could not be built on '{image}': {last}"

    def _last_words(self) -> str:
        """The line of the log that says most: the last error, else the last line."""
        if self._staging is None or not (self._staging / "log").is_file():
            return ""
        text = (self._staging / "log").read_bytes()[-20_000:].decode("utf-8", "replace")
        lines = [shown for line in text.splitlines() if (shown := for_terminal(line, 400).strip(" -"))]
        errors = [line for line in lines if "error" in line.lower()]
        return next(iter(reversed(errors or lines)), "it said nothing")

    def _end(self) -> None:
        """Ends Otter's process and what it started, and removes containers that are still there."""
        if self._process is not None:
            for sign, seconds in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 30.0)):
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, sign)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(seconds)
                    break
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None
        if not self._containers:
            return
        listed = subprocess.run(["docker", "ps", "-aq", "--no-trunc"], capture_output=True, text=True, check=False)
        left = self._containers & set(listed.stdout.split())
        if left:
            subprocess.run(["docker", "rm", "-f", *sorted(left)], capture_output=True, check=False)
        self._containers.clear()


def check_docker() -> None:
    """ContainersError when Docker or its buildx is not there or does not answer."""
    if shutil.which("docker") is None:
        raise ContainersError(
            "Docker is not installed here: there is no `docker` command. `autograder grade` needs none"
        )
    for asked, what in (("info", "Docker does not answer"), ("buildx version", "Docker's buildx is not installed")):
        done = subprocess.run(["docker", *asked.split()], capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            last = next(iter(reversed(done.stderr.strip().splitlines())), f"exit code {done.returncode}")
            raise ContainersError(f"{what} (`docker {asked}`: {for_terminal(last, 300)})")


def result_of(name: str, message: Mapping[str, Any], assignment: Assignment, timeout: float) -> SubmissionResult:
    """What was told of a submission, as a result. Text is kept as it is: every report escapes it."""
    seconds = {"total": float(message.get("seconds", 0.0))}
    if "error" in message:
        text = printable(str(message["error"]), 2000, lines=False)
        status: Status = "unreadable" if message["kind"] == "unreadable" else "failed"
        timeouts: tuple[Timeout, ...] = ()
        if message["kind"] == "timeout":
            text = f"It was not finished after {timeout:g} seconds, and its container was stopped."
            status, timeouts = "timed out", (Timeout("container", "", timeout),)
        return replace(ungraded(name, status, text, assignment, timeouts=timeouts), seconds=seconds)
    cases, outcome = load_cases(assignment), read(message.get("outcome"))
    told: dict[str, list[tuple[bool, str]]] = message["cases"]
    if {question: len(case) for question, case in told.items()} != {q: len(case) for q, case in cases.items()}:
        problem = "the container's results do not have the cases of the assignment"
        return replace(ungraded(name, "failed", problem, assignment), seconds=seconds)
    questions = tuple(
        question_result(
            question,
            tuple(
                _case(case, passed, outcome.cases.get(case.name, Said(text)))
                for case, (passed, text) in zip(cases[question.name], told[question.name], strict=True)
            ),
        )
        for question in assignment.questions
    )
    scores: dict[str, float] = message["scores"]
    status, problem = how_it_went(questions, outcome.timeouts, outcome.grader_notes)
    if any(abs(question.earned - scores[question.name]) > 1e-6 for question in questions):
        status, problem = "failed", "the points of the container's results are not those of its cases"
    return SubmissionResult(
        file=name,
        status=status,
        questions=questions,
        problem=problem,
        notes=outcome.notes,
        grader_notes=outcome.grader_notes,
        output=outcome.output,
        seconds=seconds,
        timeouts=outcome.timeouts,
    )


def _case(case: Case, passed: bool, said: Said) -> CaseResult:
    result = CaseResult(case.name, case.title, case.points, case.hidden, passed, "")
    return result if passed else said.onto(result)
