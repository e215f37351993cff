"""Implementations that a test case hands to a submission's own test: run on what the submission asks, away from both.

The submission may choose any graph, and an implementation may take for ever on it; so it runs neither in the grader
nor in the submission's process, which must not see it:

    Handed          the submission's process: a question as arrays, sent to the grader
    Implementation  trusted: reads the question strictly, keeps the limits, and hands it on as data; what comes back is
                    read strictly, too: numbers in lists, tuples and arrays, or one of `adkit.implementations.FAILURES`
    serve           a disposable process, as confined as the submission: the grader's own program, on checked numbers

A session has one such process, started by the first question. Implementations follow each other in it, each for one
call of the submission's function; one that takes too long, or ends the process, takes it along.
"""

# What another process sends has no type until the code has looked at it.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import secrets
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import adkit
import numpy as np
from adkit import implementations
from adkit.graph import ARITY
from adkit.implementations import ImplementationError, Question

from autograder.isolation import frames
from autograder.isolation.clock import Clock, Deadline
from autograder.isolation.confine import Confinement
from autograder.isolation.process import Ended, Process, TimedOut

_OPS: Final = tuple(ARITY)
_COLUMNS: Final = ("ops", "counts", "args", "inputs", "outputs")
"""Of a graph as it crosses: whole numbers. Beside them are the numbers of its constants, NaN where there is none."""


class Channel(Protocol):
    """Blocking frames, as `autograder.isolation.child.Channel`."""

    def send(self, value: Any) -> None: ...

    def receive(self) -> Any: ...


# ---------------------------------------- the submission's process: asking


class Handed:
    """An implementation as the submission sees it: calling it asks the grader. It answers in the call it is given to.

    Nothing here is relied on: the grader answers in each call for the implementation of that call alone.
    """

    __name__ = "reverse_mode"

    def __init__(self, channel: Channel, lock: threading.Lock, number: int) -> None:
        self._channel = channel
        self._lock = lock
        self._number = number
        self._over = False

    def __call__(self, graph: Any, x: Any, y_bar: Any) -> Any:
        if self._over:
            raise ImplementationError("over")
        request = {"callback": self._number, "question": sent(implementations.question(graph, x, y_bar))}
        with self._lock:
            self._channel.send(request)
            answer = self._channel.receive()
        if "refused" in answer:
            raise ValueError(answer["refused"])
        if "failed" in answer:
            raise ImplementationError(answer["failed"])
        if "answer" not in answer:
            raise ImplementationError("over")
        return implementations.returned(answer["answer"])

    def end(self) -> None:
        """The call that it was given to is over."""
        self._over = True


def sent(question: Question) -> dict[str, Any]:
    """A question as arrays."""
    nodes = question.graph.nodes
    number = {name: k for k, name in enumerate(_OPS)}
    columns = {
        "ops": [number[node.op] for node in nodes],
        "counts": [len(node.args) for node in nodes],
        "args": [arg for node in nodes for arg in node.args],
        "inputs": list(question.graph.inputs),
        "outputs": list(question.graph.outputs),
    }
    return {
        **{name: np.array(column, np.int64) for name, column in columns.items()},
        "values": np.array([np.nan if node.value is None else node.value for node in nodes], np.float64),
        "x": question.x,
        "y_bar": question.y_bar,
    }


# ---------------------------------------- trusted: reading, keeping the limits, handing on


def received(data: Any) -> Question:
    """The question in what a submission sent, with every rule of a graph looked at anew. ValueError where it is none.

    All lengths are looked at before a single entry is.
    """
    if type(data) is not dict or set(data) != {*_COLUMNS, "values", "x", "y_bar"}:
        raise ValueError("an implementation takes a graph, x and y_bar")
    for name, array in data.items():
        dtype = np.int64 if name in _COLUMNS else np.float64
        if type(array) is not np.ndarray or array.dtype != dtype or not array.dtype.isnative or array.ndim != 1:
            raise ValueError("an implementation takes a graph, x and y_bar")
        most = {"args": implementations.MOST_ARGUMENTS, "inputs": implementations.MOST_ENTRIES}
        most |= dict.fromkeys(("outputs", "x", "y_bar"), implementations.MOST_ENTRIES)
        if array.size > most.get(name, implementations.MOST_NODES):
            raise ValueError("this question is beyond the limits of a graph, of x or of y_bar")
    if not len(data["ops"]) == len(data["counts"]) == len(data["values"]):
        raise ValueError("these are not the columns of a graph")
    ops, counts, args, values = (data[name].tolist() for name in ("ops", "counts", "args", "values"))
    nodes: list[adkit.Node] = []
    at = 0
    for op, count, value in zip(ops, counts, values, strict=True):
        if not (0 <= op < len(_OPS) and 0 <= count <= len(args) - at):
            raise ValueError("these are not the columns of a graph")
        nodes.append(adkit.Node(_OPS[op], tuple(args[at : at + count]), None if value != value else value))
        at += count
    if at != len(args):
        raise ValueError("these are not the columns of a graph")
    graph = adkit.Graph(tuple(nodes), tuple(data["inputs"].tolist()), tuple(data["outputs"].tolist()))
    return implementations.question(graph, data["x"], data["y_bar"])


def checked(answer: Any) -> Any:
    """What the disposable process answered, if it is made of numbers. ImplementationError where it is not."""
    count, pending = 0, [(answer, 0)]
    while pending:
        value, depth = pending.pop()
        count += 1
        if count > implementations.MOST_NUMBERS or depth > implementations.DEPTH:
            raise ImplementationError("no numbers")
        if type(value) in (list, tuple):
            pending += [(entry, depth + 1) for entry in value]
        elif type(value) is np.ndarray:
            count += value.size
            if value.dtype.name not in ("float64", "int64", "bool") or value.ndim > implementations.DEPTH:
                raise ImplementationError("no numbers")
        elif value is not None and type(value) not in (bool, int, float):
            raise ImplementationError("no numbers")
    return answer


class Implementation:
    """One implementation in one call of a submission's function."""

    def __init__(
        self,
        given: implementations.Implementation,
        start: Callable[[], Process],
        forget: Callable[[], None],
        clock: Clock,
    ) -> None:
        """start: the disposable process, ready to be asked. forget: ends it, so that the next one is new."""
        self._given = given
        self._start = start
        self._forget = forget
        self._clock = clock
        self._all: Deadline | None = None
        self._process: Process | None = None
        self._calls = 0
        self._failed = ""
        """Why it answers no more: it took too long, or its process ended."""

    def answer(self, data: Any, deadline: Deadline) -> dict[str, Any]:
        """What is sent back for a question, before `deadline`: an answer, a kind of failure, or what is wrong with it.

        The last is said in the grader's own words. Raises nothing of the disposable process's.
        """
        self._calls += 1
        try:
            if self._calls > implementations.MOST_CALLS:
                raise implementations.too_many_calls()
            question = received(data)
        except ValueError as problem:
            self._given.asked.refused = self._given.asked.refused or str(problem)
            return {"refused": str(problem)}
        self._given.asked.note(question)
        try:
            return {"answer": self._ask(question, deadline)}
        except ImplementationError as problem:
            return {"failed": problem.kind}

    def _ask(self, question: Question, deadline: Deadline) -> Any:
        if self._failed:
            raise ImplementationError(self._failed)
        number = secrets.randbits(62)
        request: dict[str, Any] = {"id": number, "question": sent(question)}
        try:
            if self._process is None:
                self._process = self._start()
                self._all = self._clock.deadline(implementations.ALL_SECONDS)
                program = self._given.program or implementations.graders_own
                request["program"] = None if program is None else [program.source, program.name]
                request["spoiled"] = self._given.spoiled
            assert self._all is not None
            before = self._clock.deadline(implementations.CALL_SECONDS).and_not_after(self._all).and_not_after(deadline)
            self._process.send(request, before)
            reply = self._process.receive(before)
        except Ended as problem:
            raise self._over("too slow" if isinstance(problem, TimedOut) else "ended") from None
        if type(reply) is not dict or type(reply.get("id")) is not int or reply["id"] != number:
            raise self._over("ended")
        if "answer" in reply:
            return checked(reply["answer"])
        failed = reply.get("failed")
        raise ImplementationError(failed if type(failed) is str and failed in implementations.FAILURES else "raised")

    def _over(self, kind: str) -> ImplementationError:
        self._forget()
        self._process = None
        self._failed = kind
        return ImplementationError(kind)


# ---------------------------------------- the disposable process


def serve(descriptor: int, applied: tuple[str, ...], confinement: Confinement, limit: int) -> None:
    """The body of the process: the grader's own program, on numbers that the grader has looked at."""
    from autograder.isolation import child  # which imports this module

    current: list[Callable[..., Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        try:
            if "spoiled" in request:
                current.clear()
                program = request["program"]
                made = None if program is None else implementations.Program(*program)
                current.append(implementations.function_of(made, request["spoiled"]))
            reply = {"answer": implementations.answered(current[0], received(request["question"]))}
            frames.encode(reply["answer"])
            return reply
        except ImplementationError as problem:
            return {"failed": problem.kind}
        except BaseException:
            return {"failed": "raised"}

    child.serve_answers(descriptor, applied, confinement, limit, answer)
