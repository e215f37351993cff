"""A session: one submission in its own confined process, and its functions as proxies for the tests.

When the process dies (a crash, an endless loop, an exit), the call at hand fails with a message and the next call
starts the notebook anew, so that only the cases that killed it are lost.

What a submission says in its own words (failed cells, what it printed, what was noticed, which cell ended its process)
is taken from the first run of the notebook, before any call. A later run may know what a hidden case passed, by what
outlives a process on every machine: which pages of a library are cached, the time of day, the kernel's counters.
Nothing of it reaches the log but that it was. Of a call in a hidden case the log has no more than whether time was over
or the process.
"""

# A reply is whatever a submission's process sends: its parts have no type until the code has looked at them.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Protocol

import numpy as np
from adkit import checks, implementations
from adkit.checks.errors import TOO_LARGE
from adkit.notebook import cells
from adkit.stubs import STUB

from autograder.assignment import Assignment, Limits, Question
from autograder.isolation import frames
from autograder.isolation.clock import Clock, Deadline
from autograder.isolation.implementations import Implementation
from autograder.isolation.process import Ended, Kind, Process, ProtocolViolation, TimedOut
from autograder.isolation.runs import Runs, key_of
from autograder.isolation.wire import blank, pack
from autograder.records.results import Limit, Timeout
from autograder.submissions.read import Submission


class Server(Protocol):
    """Where confined processes come from: `autograder.isolation.forkserver.ForkServer`."""

    def clock(self) -> Clock:
        """A clock for one submission."""
        ...

    def fork(self, kind: Kind, limits: Limits, clock: Clock) -> Process:
        """A new confined process."""
        ...


_CALLBACKS: Final = 100_000
"""How often one call may call the functions it was given."""
_CALLBACK_SIZE: Final = 100_000
_KEPT_ANSWERS: Final = 1000
"""Of the functions that calls were given, at points of at most `_KEPT_SIZE` entries."""
_KEPT_SIZE: Final = 1000
_VALUES: Final = 6_000_000
"""Values in all answers of a submission together, twenty times those of a right one (277 000): they bound what reading
them costs the grader."""
_LOST_CELLS: Final = 5
"""Cells that may be left out because they end the notebook's process; with more, nothing is run."""
_KEPT_NOTES: Final = 20
_KEPT_TEXT: Final = 2000
_KEPT_KINDS: Final = 16


@dataclass
class SessionLog:
    """What happened, for feedback and report. Texts that come from the submission are untrusted."""

    notes: list[str] = field(default_factory=list[str])
    failed_cells: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    output: str = ""
    restarts: int = 0
    timeouts: list[Timeout] = field(default_factory=list[Timeout])
    """The limits in seconds that were hit."""
    not_run: int = 0
    """Calls that were not made, because time or restarts were used up."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def note(self, text: str) -> None:
        """Adds a note once, up to a limit."""
        if text not in self.notes and len(self.notes) < _KEPT_NOTES:
            self.notes.append(text[:_KEPT_TEXT])

    def time_out(self, limit: Limit, what: str, seconds: float) -> None:
        """Adds a limit that was hit; a limit on everything counts once."""
        timeout = Timeout(limit, what, seconds)
        if limit != "submission" or timeout not in self.timeouts:
            self.timeouts.append(timeout)

    def add_seconds(self, phase: str, seconds: float) -> None:
        """Adds to the time spent in a phase."""
        self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


class Session:
    """A context manager: entering runs the notebook's cells, leaving ends every process of the submission."""

    def __init__(
        self, server: Server, submission: Submission, assignment: Assignment, runs: Runs | None = None
    ) -> None:
        """`runs`: what is kept of the programs of a class, for all sessions that share it."""
        self.log = SessionLog()
        self.functions: dict[str, Proxy] = {}
        """A proxy for every function of the assignment that the submission defines."""
        self.assignment = assignment
        self._server = server
        self._submission = submission
        self._limits = assignment.limits
        self._process: Process | None = None
        self._runner: Process | None = None
        """The disposable process for artefacts."""
        self._runs_only: list[bytes] | None = None
        """The artefacts that alone have been in it; None where others have been, or may have been."""
        self._runs_implementations: Process | None = None
        """The disposable process for implementations. At most one of the two is there."""
        self._shared = Runs() if runs is None else runs
        self._runs = Runs()
        self.told = _Told()
        self._exports: dict[tuple[bool, bytes], dict[str, Any]] = {}
        """Functions as artefacts, by whether the submission had been asked in a hidden case, and what was asked."""
        self._skipped: set[int] = set()
        self._demonstrations = list(submission.demonstrations)
        self._given_up = ""
        self._seen_hidden = False
        self._ever_hidden = False
        self._spoken = False
        """Whether the notebook has been run to its end once: from then on nothing of its own words is taken."""
        self._autodiff_uses: dict[str, str] | None = None
        """Why a function's use of autodiff costs its points, by function; None as long as nobody has looked."""
        self._values = 0
        """Of all answers so far."""
        self._own_rules: frozenset[str] | None = None
        """The functions that have a reverse rule of their own; None where the source could not be read."""
        self._deaths: dict[str, int] = {}
        self._start_clock()

    def _start_clock(self) -> None:
        self._clock = self._server.clock()
        self._end = self._clock.deadline(self._limits.submission_seconds)

    def __enter__(self) -> "Session":
        self._start_clock()
        try:
            self._run_notebook()
        except _GivenUpError as problem:
            self._given_up = str(problem)
            self.log.note(str(problem))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process of the submission; returns when none is left."""
        self._end_disposable()
        self._forget_process()

    def call(self, function: str, arguments: Sequence[Any], *, autodiff: bool) -> Any:
        """Calls a function of the submission; plain data, or StudentError."""
        question = self._allowed(function, autodiff)
        callables: list[Callable[[Any], Any]] = []
        packed = [pack(argument, callables) for argument in arguments]
        shapes = {np.shape(argument) for argument in arguments if isinstance(argument, np.ndarray)}
        request = {"do": "call", "function": function, "arguments": packed}
        reply = self._ask(question, request, _Callbacks(callables, shapes, self))
        if reply.get("changed") is True:
            raise checks.CheckError(
                f"{function} changes its arguments. A function must leave what it is given as it was: "
                "work on a copy (np.array(x)) instead of writing into x.",
                kind="changed arguments",
            )
        value = reply.get("value")
        size, has_bytes = _census(value)
        if has_bytes:  # which are no answer, and would be read one by one
            raise checks.CheckError(f"{function} returned something that is not an answer.", kind="wrong shape")
        if size > frames.MAX_VALUES:  # reading them costs the grader's time, however few bytes each takes
            raise checks.CheckError(f"{function} returned more than {frames.MAX_VALUES:,} numbers.", kind="wrong shape")
        return value

    def export(
        self,
        function: str,
        arguments: Sequence[Any],
        *,
        transform: str,
        static: Sequence[Any],
        leading: int,
        autodiff: bool,
    ) -> dict[str, Any]:
        """A function of the submission as artefacts, plain and unchecked; StudentError when it cannot be traced."""
        question = self._allowed(function, autodiff)
        # Shapes and types are all that tracing needs. With the values a submission could compute the answer while it is
        # traced, by any work it likes, and hand over a function that only says it.
        request = {
            "do": "export", "function": function, "arguments": [blank(pack(argument, [])) for argument in arguments],
            "transform": transform, "static": [pack(value, []) for value in static],
            "leading": leading,
        }  # fmt: skip
        # What was made after a hidden case is for hidden cases alone. A function that is another one in each case is
        # still found out: what is counted is what answers.
        self._keep_public_apart()
        asked, hidden = frames.encode(request), self._ever_hidden or checks.in_hidden_case()
        for made_hidden in (False, hidden):
            if (made_hidden, asked) in self._exports:
                return self._exports[made_hidden, asked]
        reply = self._ask(question, request, _Callbacks([], set(), self))
        self._exports[hidden, asked] = reply
        return reply

    def has_own_reverse_rule(self, function: str) -> bool:
        """Whether the source of a function, read before the notebook ran, makes a reverse rule."""
        return self._own_rules is not None and function in self._own_rules

    def run_artefacts(self, job: dict[str, Any]) -> Any:
        """Runs artefacts in the disposable process; its plain, unchecked answer, or StudentError."""
        key = key_of(job, self._limits)
        hidden = self._ever_hidden or checks.in_hidden_case()
        own = key + b"hidden" * hidden
        for known in (self._runs.find(own), self._shared.find(key)):
            if known is not None:
                return known
        alone = self._shared.meet(key)
        started = time.monotonic()
        seconds = self._limits.call_seconds * 2
        question = _unpredictable()
        try:
            runner = self._disposable(job["artefacts"] if alone else None)
            deadline = self._clock.deadline(seconds).and_not_after(self._end)
            runner.send({"id": question, "job": job}, deadline)
            reply = runner.receive(deadline)
        except Ended as problem:
            self._end_disposable()
            why = str(problem)
            if isinstance(problem, TimedOut):
                why = f"it did not finish within {seconds:g} seconds"
                if self._end.passed:
                    why = self._used_up()
                else:
                    self.log.time_out("traced function", "a function, as JAX traced it,", seconds)
            ours = "it did not finish in time" if isinstance(problem, TimedOut) else "its process ended"
            self.log.note(f"A function, as JAX traced it, could not be run: {self._may_say(why, ours)}.")
            kind = "TimeoutError" if isinstance(problem, TimedOut) else "ProcessEnded"
            raise self._problem(
                f"The function, as JAX traced it, could not be run: {why}.", (kind, "Exception")
            ) from None
        except frames.FrameError as problem:
            what = f"The function, as JAX traced it, is too large: {problem}."
            raise self._problem(what, (TOO_LARGE, "Exception")) from None
        finally:
            self.log.add_seconds("artefacts", time.monotonic() - started)
        # what parses hostile bytes may have been taken over by them
        if not _answers(reply, question):
            self._end_disposable()
            reply = {"refused": "it did not answer what it was asked"}
        if "refused" in reply:
            what = f"The function, as JAX traced it, could not be run: {_text(reply['refused'])}"
            raise self._problem(what, ("ArtefactError", "Exception"))
        result = reply.get("result")
        (self._shared if alone else self._runs).keep(key if alone else own, result)
        return result

    def _disposable(self, only: list[bytes] | None) -> Process:
        """The process that runs artefacts. only: the artefacts that have to be the only ones in it; None: whichever."""
        if self._runner is None or only not in (None, self._runs_only):
            self._end_disposable()
            self._runner = self._server.fork("artefacts", self._limits, self._clock)
        self._runs_only = only
        return self._runner

    def implementation(self, given: implementations.Implementation) -> Implementation:
        """What answers for an implementation in one call, in a disposable process that the first question starts."""
        return Implementation(given, self._implementer, self._end_disposable, self._clock)

    def _implementer(self) -> Process:
        """The process in which implementations run, one after the other."""
        if self._runs_implementations is None:
            self._end_disposable()
            self._runs_implementations = self._server.fork("implementation", self._limits, self._clock)
        return self._runs_implementations

    def _end_disposable(self) -> None:
        """Ends every disposable process. There is one at a time: they share a user id, and where there is no namespace
        of processes, whoever ends one ends all of that id."""
        for process in (self._runner, self._runs_implementations):
            if process is not None:
                process.end()
        self._runner = self._runs_implementations = None

    def _call_seconds(self, question: Question) -> float:
        return question.call_seconds or self._limits.call_seconds

    def _allowed(self, function: str, autodiff: bool) -> Question:
        question = next(q for q in self.assignment.questions if function in q.functions)
        if not autodiff and not question.autodiff:
            use = (self._autodiff_uses or {}).get(function)
            if use is not None:
                raise checks.CheckError(use, kind="no answer")
        if self._given_up:
            self.log.not_run += 1
            raise checks.StudentError(self._given_up, kinds=("Exception",))
        if self._deaths.get(question.name, 0) >= self._limits.restarts_per_question:
            self.log.not_run += 1
            raise checks.StudentError(
                f"Not run: {question.name} has ended its process {self._limits.restarts_per_question} times already.",
                kinds=("Exception",),
            )
        return question

    def _ask(self, question: Question, request: dict[str, Any], callbacks: "_Callbacks") -> dict[str, Any]:
        started = time.monotonic()
        self._keep_public_apart()
        process = self._living_process()
        request["id"] = _unpredictable()
        deadline = self._clock.deadline(self._call_seconds(question)).and_not_after(self._end)
        try:
            process.send(request, deadline)
            while True:
                reply = process.receive(deadline)
                if isinstance(reply, dict) and "callback" in reply:
                    process.send(callbacks.answer(reply, deadline), deadline)
                    continue
                break
        except Ended as problem:
            raise self._lost(question, request["function"], problem) from None
        finally:
            self.log.add_seconds("calls", time.monotonic() - started)
        self._charge(reply)
        return self._checked(question, request, reply)

    def _checked(self, question: Question, request: dict[str, Any], reply: Any) -> dict[str, Any]:
        if not _answers(reply, request["id"]):
            assert self._process is not None
            self._process.end()
            raise self._lost(question, request["function"], ProtocolViolation("it did not answer what it was asked"))
        answer: dict[str, Any] = reply
        function = request["function"]
        if "raised" in answer:
            given: Any = answer["raised"]
            kinds: list[Any] = given[:_KEPT_KINDS] if type(given) is list else []
            names = tuple(kind[:80] for kind in kinds if type(kind) is str) or ("Exception",)
            text = _text(answer.get("message"))
            if STUB in names:
                raise checks.StubError(function, self._may_say(text, ""))
            raise self._problem(text if "CheckError" in names else f"{function} raised {text}", names)
        if "unsendable" in answer:
            megabytes = self._limits.frame_bytes / 1024**2
            ours = f"what is neither numbers nor an array nor a sequence of them, or more than {megabytes:.3g} MB"
            what = self._may_say(_text(answer["unsendable"]), ours)
            raise checks.CheckError(
                f"{function} returned {what}.", hidden=f"{function} returned {ours}.", kind="wrong shape"
            )
        return answer

    def _charge(self, reply: Any) -> None:
        """Takes an answer's size off what the submission may have the grader read in all."""
        self._values += _census(reply)[0]
        if self._values > _VALUES and not self._given_up:
            self._given_up = f"Not run: the submission's answers had more than {_VALUES:,} numbers, all together."
            self.log.note(self._given_up)

    def _lost(self, question: Question, function: str, problem: Ended) -> checks.StudentError:
        self._forget_process()
        self.log.restarts += 1
        self._deaths[question.name] = self._deaths.get(question.name, 0) + 1
        if isinstance(problem, TimedOut):
            limit = self._call_seconds(question)
            text = f"{function} did not finish within {limit:g} seconds"
            if self._end.passed:
                self._given_up = f"Not run: {self._used_up()}."
                text = f"{function} did not finish: {self._used_up()}"
            else:
                self.log.time_out("call", function, limit)
        else:
            why = self._may_say(str(problem), "its process ended in a hidden case")
            text = f"{function} could not be finished: {why}"
        self.log.note(f"{question.name}: {text}.")
        kind = "TimeoutError" if isinstance(problem, TimedOut) else "ProcessEnded"
        return checks.StudentError(f"{text}.", kinds=(kind, "Exception"))

    def _used_up(self) -> str:
        """In words that the submission's time is over, which is noted."""
        self.log.time_out("submission", "", self._limits.submission_seconds)
        return f"the submission used up its {self._limits.submission_seconds:g} seconds in all"

    def _forget_process(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def _keep_public_apart(self) -> None:
        """A process that has been asked in a hidden case answers no public one.

        What a public case says is shown to the student word by word; a submission could put there what it was
        given in a hidden case. Graders that run the public cases first pay nothing for this.
        """
        hidden = not checks.in_public_case()
        self._ever_hidden |= checks.in_hidden_case()
        if self._seen_hidden and not hidden:
            self._forget_process()
            self._end_disposable()
        self._seen_hidden = hidden

    def _may_say(self, theirs: str, ours: str) -> str:
        """`theirs`, unless the submission may know what a hidden case passes: then it has no word in any message, nor
        in the log, also of a public case that comes later."""
        return ours if self._ever_hidden or checks.in_hidden_case() else theirs

    def _problem(self, theirs: str, kinds: Sequence[str] = ("Exception",)) -> checks.StudentError:
        """What is raised for a call that gave no answer; `theirs` may hold words of the submission's."""
        problem = checks.StudentError(theirs, kinds)
        return checks.StudentError(self._may_say(theirs, problem.hidden), kinds)

    def _living_process(self) -> Process:
        if self._process is None:
            if self.log.restarts >= self._limits.restarts:
                self._given_up = f"Not run: the submission ended its process {self._limits.restarts} times."
                self.log.note(self._given_up)
                self.log.not_run += 1
                raise checks.StudentError(self._given_up, kinds=("Exception",))
            try:
                self._run_notebook()
            except _GivenUpError as problem:
                self._given_up = str(problem)
                self.log.not_run += 1
                raise checks.StudentError(self._given_up, kinds=("Exception",)) from None
        assert self._process is not None
        return self._process

    def _run_notebook(self) -> None:
        """Starts a process and runs the cells, leaving out cells that ended an earlier one."""
        while True:
            started = time.monotonic()
            self._process = self._server.fork("submission", self._limits, self._clock)
            self.log.add_seconds("fork", time.monotonic() - started)
            running = -1
            deadline = self._end
            look = self._autodiff_uses is None
            try:
                deadline = self._clock.deadline(self._limits.notebook_seconds).and_not_after(self._end)
                question = _unpredictable()
                sources = [(k, cell) for k, cell in enumerate(self._submission.cells, 1) if k not in self._skipped]
                request = {
                    "do": "cells", "id": question, "cells": sources, "functions": list(self.assignment.functions),
                    "look": look, "demonstrations": self._demonstrations, "lines": list(self._submission.lines),
                }  # fmt: skip
                self._process.send(request, deadline)
                if look:
                    # Parsing hostile source can end a process, so it is done there; and before the first cell runs,
                    # so that the answer can be believed.
                    self._autodiff_uses = {}
                    seen = self._process.receive(deadline)
                    self._autodiff_uses = _sentences(seen)
                    self._own_rules = frozenset(map(str, seen["rules"]))
                while True:
                    of_a_cell = self._clock.deadline(self._limits.cell_seconds)
                    reply = self._process.receive(of_a_cell.and_not_after(deadline))
                    if type(reply) is dict and set(reply) == {"cell"} and type(reply["cell"]) is int:
                        running = reply["cell"]
                        continue
                    break
                if not _answers(reply, question):
                    self._process.end()
                    raise ProtocolViolation("it sent something that is not an answer")
            except Ended as problem:
                if not self._spoken and not self.log.output:
                    self.log.output = self._process.output
                self._forget_process()
                self.log.add_seconds("cells", time.monotonic() - started)
                if look and not self._autodiff_uses and running == -1:
                    self._demonstrations = []
                    continue  # without reading it this time
                self._cell_lost(running, problem, deadline)
                continue
            except frames.FrameError as problem:
                raise _GivenUpError(f"The notebook is too large to be run: {problem}.") from None
            break
        self.log.add_seconds("cells", time.monotonic() - started)
        if not self._spoken:
            self._spoken = True
            self.log.output = self._process.output
            self._take_functions(reply)

    def _cell_lost(self, running: int, problem: Ended, deadline: Deadline) -> None:
        """Leaves out the cell that was running. `deadline`: of all cells together."""
        what = str(problem)
        if isinstance(problem, TimedOut):
            what = f"it took longer than the {self._limits.cell_seconds:g} seconds of a cell"
            if self._end.passed:
                what = self._used_up()
            elif deadline.passed:
                what = f"all cells together took longer than {self._limits.notebook_seconds:g} seconds"
                self.log.time_out("notebook", "", self._limits.notebook_seconds)
            else:
                self.log.time_out("cell", "A cell" if self._spoken else f"Cell {running}", self._limits.cell_seconds)
        if running not in range(1, len(self._submission.cells) + 1) or running in self._skipped:
            raise _GivenUpError(
                "The notebook could not be run again." if self._spoken else f"The notebook could not be run: {what}."
            )
        if not self._spoken:
            self.log.note(f"Cell {running} was left out: {what}.")
        self._skipped.add(running)
        self.log.restarts += 1
        if self._end.passed:
            raise _GivenUpError(f"The notebook could not be run: {self._used_up()}.")
        if len(self._skipped) > _LOST_CELLS:
            raise _GivenUpError(f"The notebook could not be run: more than {_LOST_CELLS} cells ended its process.")

    def _take_functions(self, reply: dict[str, Any]) -> None:
        defined: Any = reply.get("defined")
        told = {name for name in defined if type(name) is str} if type(defined) is list else set[str]()
        names = [name for name in self.assignment.functions if name in told]
        self.functions.clear()
        for name in names:
            self.functions[name] = Proxy(self, name)
        failed: Any = reply.get("failed")
        self.log.failed_cells = []
        for entry in failed if isinstance(failed, list) else []:
            match entry:
                case (int(number), str(text)) if len(self.log.failed_cells) < cells.LIMIT:
                    self.log.failed_cells.append((number, text[:_KEPT_TEXT]))
                case _:
                    continue
        # sentences of the grader: only names and numbers of the submission's are in them, and they are checked
        for sentence in cells.sentences(reply.get("noticed")):
            self.log.note(sentence)


def _unpredictable() -> int:
    """The id of a question: who has not read the question cannot have answered it, however early the answer comes."""
    return secrets.randbits(62)


def _answers(reply: Any, number: int) -> bool:
    """Whether a reply is an answer to request `number`: by exact types, since an array would compare entry by entry."""
    return type(reply) is dict and type(reply.get("id")) is int and reply["id"] == number


def _text(given: Any) -> str:
    return given[:_KEPT_TEXT] if type(given) is str else ""


def _census(value: Any) -> tuple[int, bool]:
    """How many values there are, and whether there are bytes among them."""
    count, has_bytes, pending = 0, False, [value]
    while pending:
        each = pending.pop()
        count += 1
        kind = type(each)
        if kind is list or kind is tuple:
            kinds = set(map(type, each))
            if kinds <= _PLAIN:
                count += len(each)
            else:
                pending.extend(each)
        elif kind is dict:
            pending.extend(each.values())
        elif kind is np.ndarray:
            count += each.size
        elif kind is bytes:
            has_bytes = True
    return count, has_bytes


_PLAIN: Final = {int, float, bool, complex, str, type(None)}


def _sentences(reply: Any) -> dict[str, str]:
    uses = reply["uses"]
    return {str(function): str(sentence) for function, sentence in uses.items()}


class _GivenUpError(Exception):
    """The notebook cannot be run; the message is for the student."""


class Proxy:
    """A function of the submission, as the tests see it: called with plain data, answering with plain data."""

    __autograder_proxy__: Final = True

    def __init__(self, session: Session, name: str) -> None:
        self.__name__ = name
        self._session = session

    def __call__(self, *arguments: Any, autodiff: bool = False) -> Any:
        """Calls the function. Raises `checks.StudentError` when it raises, hangs or ends its process."""
        return self._session.call(self.__name__, arguments, autodiff=autodiff)

    def has_own_reverse_rule(self) -> bool:
        """Whether the function's source makes a reverse rule (`adkit.checks.autodiff`)."""
        return self._session.has_own_reverse_rule(self.__name__)

    def measure(
        self,
        args: Sequence[Any],
        *,
        transform: str = "call",
        static: Sequence[Any] = (),
        leading: int = 0,
        autodiff: bool = False,
        run: bool = True,
    ) -> Any:
        """The function traced by JAX, run and counted by the grader: an `adkit.tracing.export.Measured`."""
        from autograder.isolation import artefacts

        request = artefacts.request_for(args, transform, run)
        largest = self._session.assignment.limits.artefact_bytes
        reply = self._session.export(
            self.__name__, args, transform=transform, static=static, leading=leading, autodiff=autodiff
        )
        plain = self._session.run_artefacts(artefacts.job_for(request, reply, largest))
        return artefacts.measured_from_plain(plain, request)


class _Callbacks:
    """The functions that a call hands to the submission, evaluated here on what it asks about."""

    def __init__(self, functions: list[Callable[..., Any]], shapes: set[tuple[int, ...]], session: Session) -> None:
        self._functions = functions
        self._shapes = shapes
        self._told = session.told
        self._count = 0
        self._implementations = {
            number: session.implementation(function)
            for number, function in enumerate(functions)
            if isinstance(function, implementations.Implementation)
        }
        if len(self._implementations) > 1:
            raise TypeError("a test passed several implementations at once: one call can ask one")

    def answer(self, asked: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        """The value of a function at the submission's x, or an error in words; what an implementation answers."""
        self._count += 1
        number, x = asked.get("callback"), asked.get("x")
        if self._count > _CALLBACKS:
            return {"error": f"a function was called more than {_CALLBACKS} times"}
        if type(number) is not int or not 0 <= number < len(self._functions):
            return {"error": "there is no such function"}
        if number in self._implementations:
            return self._implementations[number].answer(asked.get("question"), deadline)
        if not isinstance(x, np.ndarray) or x.dtype.kind not in "biufc" or x.size > _CALLBACK_SIZE:
            return {"error": "the function takes an array of numbers"}
        # any other shape would be a new compilation each time, in the grader
        if x.shape not in self._shapes:
            return {"error": f"the function takes an array of shape {sorted(self._shapes)}, got {x.shape}"}
        point = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
        return self._told.at(self._functions[number], point)


class _Told:
    """What the functions of a test have answered, for the second time that a call is made: a test's function answers
    the same at the same point, and evaluating it is most of what such a call costs the grader."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, bytes], tuple[Callable[..., Any], dict[str, Any]]] = {}

    def at(self, function: Callable[..., Any], point: np.ndarray) -> dict[str, Any]:
        """The value of `function` at `point`, or an error in words."""
        if point.size > _KEPT_SIZE:
            return _value(function, point)
        key = (id(function), f"{point.dtype}{point.shape}", point.tobytes())
        if key not in self._known:
            if len(self._known) >= _KEPT_ANSWERS:
                self._known.clear()
            self._known[key] = function, _value(function, point)  # the function stays, and with it its id
        return self._known[key][1]


def _value(function: Callable[..., Any], point: np.ndarray) -> dict[str, Any]:
    try:
        value = np.asarray(function(point))
        value = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    except Exception as error:
        return {"error": f"the function cannot be evaluated there ({type(error).__name__})"}
    return {"value": value.item() if value.ndim == 0 else value}
