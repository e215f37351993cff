"""The untrusted side: runs a notebook's cells, then answers calls of its functions, until the channel closes.

This module is public and runs in the submission's own process: nothing here is relied on for a score. It makes honest
notebooks work as they do in Jupyter, and turns what functions return into plain data.
"""

import errno
import os
import select
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
from adkit import checks
from adkit.notebook import cells
from adkit.stubs import STUB, is_stub
from adkit.tracing import export as artefact

from autograder.isolation import eager, frames, operations
from autograder.isolation.confine import Confinement, flush_standard_streams
from autograder.isolation.demonstrations import cells_to_run
from autograder.isolation.implementations import Handed
from autograder.isolation.waiting import soon
from autograder.isolation.wire import rebuilders

_TEXT: Final = 4000
"""Characters kept of an error message."""

_limits: Confinement | None = None
"""What this process may use, for saying which limit an exception comes from."""


class Channel:
    """Blocking frames on a descriptor."""

    def __init__(self, descriptor: int, limit: int, objects: Mapping[str, Callable[[Any], Any]]) -> None:
        self.descriptor = descriptor
        self.limit = limit
        self.objects = objects
        self._asked = select.poll()
        self._asked.register(descriptor, select.POLLIN)

    def send(self, value: Any) -> None:
        """Sends one frame; FrameError when the value is not plain data or too large."""
        data = memoryview(frames.frame(value, limit=self.limit))
        while data:
            data = data[os.write(self.descriptor, data) :]

    def receive(self) -> Any:
        """The next frame; EOFError when the grader has closed the channel."""
        (length,) = struct.unpack(">I", self._exactly(4))
        return frames.decode(self._exactly(length), objects=self.objects, text=None)

    def _exactly(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count:
            soon(self._asked)
            piece = os.read(self.descriptor, min(count, 1 << 20))
            if not piece:
                raise EOFError
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)


def plain(value: Any) -> Any:
    """`value` as plain data that can be sent: what a check makes of it in a student's notebook, in dtypes of frames.

    TypeError names what cannot be sent.
    """
    if _more_than(value, frames.MAX_VALUES):
        raise TypeError(f"more than {frames.MAX_VALUES:,} values")
    return _sendable(checks.plain(value))


_COLLECTIONS: Final = (list, tuple, np.ndarray)


def _more_than(value: Any, most: int) -> bool:
    """Whether lists, tuples and arrays hold more than `most` values: found out before any of them is converted."""
    pending, seen = [value], 0
    while pending and seen <= most:
        each = pending.pop()
        if isinstance(each, list | tuple):
            inner = cast("Sequence[Any]", each)
            seen += len(inner)
            pending.extend(cast("Any", item) for item in inner[: most + 1] if isinstance(item, _COLLECTIONS))
        elif isinstance(each, np.ndarray):
            seen += each.size
    return seen > most


def _sendable(value: Any, depth: int = 0) -> Any:
    if depth > frames.MAX_DEPTH:
        raise TypeError("a result nested too deeply")
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):  # an extended float, which is no Python number
        return _array(value).item()
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {_sendable(key, depth + 1): _sendable(item, depth + 1) for key, item in pairs}
    if isinstance(value, tuple):
        return tuple(_sendable(item, depth + 1) for item in cast("tuple[Any, ...]", value))
    if isinstance(value, list):
        return [_sendable(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _array(value: Any) -> Any:
    value = np.asarray(value)
    if (value.dtype.kind == "f" and value.dtype not in frames.DTYPES) or value.dtype.name in ("bfloat16",):
        value = value.astype(np.float64)
    elif value.dtype.kind == "c" and value.dtype not in frames.DTYPES:
        value = value.astype(np.complex128)
    elif value.dtype.kind == "O":
        value = np.array(value.tolist())
    if value.dtype not in frames.DTYPES and value.dtype.newbyteorder("=") not in frames.DTYPES:
        raise TypeError(f"an array of dtype {value.dtype}")
    return np.array(value, copy=True, order="C", subok=False)


class _CallBack:
    """A function that the test hands to the submission: calling it asks the grader. Works on tracers too."""

    def __init__(self, channel: Channel, lock: threading.Lock, number: int) -> None:
        self._channel = channel
        self._lock = lock
        self._number = number

    def __call__(self, x: Any) -> Any:
        import jax
        from jax.core import Tracer

        if isinstance(x, Tracer):
            probe = np.asarray(self._ask(np.zeros(x.shape)))
            shape = jax.ShapeDtypeStruct(probe.shape, np.float64)
            return jax.pure_callback(self._ask, shape, x, vmap_method="sequential")
        return self._ask(x)

    def _ask(self, x: Any) -> Any:
        with self._lock:
            self._channel.send({"callback": self._number, "x": plain(np.asarray(x))})
            answer = self._channel.receive()
        if "error" in answer:
            raise ValueError(answer["error"])
        value = answer["value"]
        return np.float64(value) if isinstance(value, float) else value


def serve_submission(descriptor: int, applied: tuple[str, ...], confinement: Confinement, limit: int) -> None:
    """The body of a submission's process: announces the layers, then serves until the channel closes."""
    enter(confinement)
    holder: list[Channel] = []
    lock = threading.Lock()
    objects = rebuilders(
        lambda number: _CallBack(holder[0], lock, number), lambda number: Handed(holder[0], lock, number)
    )
    channel = Channel(descriptor, limit, objects)
    holder.append(channel)
    channel.send({"ready": list(applied)})
    artefact.drop_debug_output()
    recorded = os.environ.get(operations.RECORD)
    if recorded:
        operations.record(recorded)
    else:
        eager.interpret_eagerly()
    notebook = cells.Runner(_text, folder=confinement.scratch)
    notebook.__enter__()  # for as long as the process lives
    while True:
        try:
            request = channel.receive()
        except EOFError:
            return
        do = request["do"]
        if do == "cells":
            reply = _run_cells(notebook, channel, request)
        elif do == "call":
            reply = _reply(lambda request=request: _call(notebook, request))
        else:
            reply = _reply(lambda request=request: _export(notebook, request))
        flush_standard_streams()
        reply["id"] = request["id"]
        try:
            channel.send(reply)
        except frames.FrameError as error:
            channel.send({"id": request["id"], "unsendable": str(error)})


def enter(confinement: Confinement) -> None:
    """What any confined process does first."""
    global _limits
    _limits = confinement
    os.environ.update(HOME=confinement.scratch, TMPDIR=confinement.scratch, PWD=confinement.scratch)
    readable = (*confinement.read, *confinement.list_only)
    keep = [entry for entry in sys.path if any(_within(entry, folder) for folder in readable)]
    import adkit

    parent = os.path.dirname(os.path.dirname(os.path.abspath(adkit.__file__)))
    sys.path[:] = [*keep, parent] if parent not in keep else keep


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _run_cells(notebook: cells.Runner, channel: Channel, request: dict[str, Any]) -> dict[str, Any]:
    if request["look"]:
        channel.send(_look(request))
    lines: list[int] = request["lines"]
    for number, source in cells_to_run(request["cells"], request["demonstrations"]):
        channel.send({"cell": number})
        notebook.run_cell(source, number, lines[number - 1] if lines else 0)
    defined = [name for name in request["functions"] if callable(notebook.names.get(name))]
    failed = [(failure.cell, str(failure)) for failure in notebook.failures]
    return {"defined": defined, "failed": failed, "noticed": notebook.report()}


def _look(request: dict[str, Any]) -> dict[str, Any]:
    """What the source says: a sentence for each function that uses autodiff, and who has a reverse rule of its own."""
    from adkit.checks.autodiff import autodiff_use, own_reverse_rule

    sources = [source for _, source in request["cells"]]
    uses = {function: autodiff_use(sources, function) for function in request["functions"]}
    return {
        "uses": {function: sentence for function, sentence in uses.items() if sentence is not None},
        # where no cell is seen to define it, what is measured decides
        "rules": [function for function in request["functions"] if own_reverse_rule(sources, function) is not False],
    }


def _reply(answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        reply = answer()
    except frames.FrameError as error:
        return {"unsendable": str(error)}
    except checks.StubError as error:
        return {"raised": [STUB], "message": error.words}
    except checks.CheckError as error:  # a sentence already, and it knows what was behind it
        told = [str(kind) for kind in getattr(error, "kinds", ())][:8]  # what went wrong comes first
        kinds = told + [kind.__name__ for kind in type(error).__mro__]
        return {"raised": kinds[:16], "message": error.public}
    except BaseException as error:
        if is_stub(error):
            return {"raised": [STUB], "message": str(error)[:_TEXT]}
        return {"raised": [kind.__name__ for kind in type(error).__mro__][:16], "message": _text(error)}
    reply["seconds"] = time.perf_counter() - started
    return reply


def _call(notebook: cells.Runner, request: dict[str, Any]) -> dict[str, Any]:
    notebook.keep_settings()
    function = notebook.names[request["function"]]
    arguments: list[Any] = request["arguments"]
    before = _snapshot(arguments)
    _settle_unless_asked_again(request["function"], before)
    try:
        result = function(*arguments)
    finally:
        for argument in arguments:
            if isinstance(argument, Handed):
                argument.end()
    try:
        value = plain(result)
    except (TypeError, ValueError, RecursionError) as error:
        return {"unsendable": str(error)}
    return {"value": value, "changed": _snapshot(arguments) != before}


_last_call: list[Any] = []


def _settle_unless_asked_again(function: str, arguments: list[bytes | None]) -> None:
    """Asked the same again, a function is expected to answer the same: what computes it stays what it is."""
    if _last_call != [function, arguments]:
        _last_call[:] = function, arguments
        eager.settle()


def _snapshot(arguments: list[Any]) -> list[bytes | None]:
    return [frames.encode(argument) if _is_data(argument) else None for argument in arguments]


def _is_data(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_data, cast("Sequence[Any]", value)))
    return value is None or isinstance(value, bool | int | float | complex | str | bytes | np.ndarray)


def _export(notebook: cells.Runner, request: dict[str, Any]) -> dict[str, Any]:
    notebook.keep_settings()
    function = notebook.names[request["function"]]
    static, leading = tuple(request["static"]), request["leading"]
    return artefact.export_plain(function, request["arguments"], request["transform"], static, leading)


def _text(error: BaseException) -> str:
    """What a student needs of an exception: type, message, and the line of their own code."""
    return cells.describe(error) + _limit_behind(error)


def _limit_behind(error: BaseException) -> str:
    """The limit that the system's words for an exception leave unsaid."""
    if _limits is None:
        return ""
    scratch = f"a submission may write {_limits.scratch_bytes / 1024**2:.3g} MB of files"
    told = {
        errno.ENOSPC: scratch,
        errno.EFBIG: scratch,
        errno.EMFILE: f"a submission may have {_limits.open_files} files open at once",
    }
    if isinstance(error, OSError) and error.errno in told:
        return f" ({told[error.errno]})"
    if isinstance(error, MemoryError):
        return f" (a submission may use {_limits.memory_bytes / 1024**3:.3g} GB of memory)"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return f" (a submission may have {_limits.threads} threads at once)"
    return ""


def serve_artefacts(descriptor: int, applied: tuple[str, ...], confinement: Confinement, limit: int) -> None:
    """The body of the disposable process that runs exported functions: trusted code on untrusted bytes."""
    from autograder.isolation.audit import run_artefacts

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": run_artefacts(request["job"])}
        except BaseException as error:
            return {"refused": f"{type(error).__name__}: {error}"[:_TEXT]}

    serve_answers(descriptor, applied, confinement, limit, answer)


def serve_answers(
    descriptor: int,
    applied: tuple[str, ...],
    confinement: Confinement,
    limit: int,
    answer: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """The body of a disposable process: `answer` to each request, until the channel closes."""
    enter(confinement)
    channel = Channel(descriptor, limit, {})
    channel.send({"ready": list(applied)})
    while True:
        try:
            request = channel.receive()
        except EOFError:
            return
        channel.send({**answer(request), "id": request["id"]})
