"""One confined process, seen from the grader: frames with deadlines, what it printed, how it ended.

Everything that arrives is untrusted. A process that sends what is not a frame, or sends when it was not asked, is
ended.
"""

import contextlib
import errno
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Literal

from autograder.isolation import frames, procfs
from autograder.isolation.clock import SLICE, Clock, Deadline
from autograder.isolation.confine import SCRATCH_FILES
from autograder.isolation.waiting import soon

Kind = Literal["submission", "artefacts", "implementation"]
"""What a confined process does: run a notebook, the artefacts of its functions, or an implementation that it asks."""

_WATCH_SECONDS: Final = 0.1
_END_SECONDS: Final = 20.0
_NO_ANSWER: Final = "it sent something that is not an answer"


class Ended(Exception):  # noqa: N818 (an end is not always an error)
    """The process is gone; the message says how, in words for the student."""


class TimedOut(Ended):
    """The process was ended because a time limit passed."""


class ProtocolViolation(Ended):
    """The process was ended because what it sent was not an answer to what it was asked."""


class Process:
    """A confined process. `send` and `receive` raise `Ended` once it is gone; `end` ends it with all it started."""

    def __init__(
        self,
        channel: socket.socket,
        output: int,
        control: socket.socket,
        supervisor: int,
        *,
        clock: Clock,
        frame_bytes: int,
        memory_bytes: int,
        output_bytes: int,
        scratch: str | None,
        scratch_bytes: int,
    ) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._output = output
        self._control = control
        self._supervisor = supervisor
        self._below: list[int] = []
        self._supervisor_ended = os.pidfd_open(supervisor)
        self._frame_bytes = frame_bytes
        self._memory_bytes = memory_bytes
        self._scratch = scratch
        self._scratch_bytes = scratch_bytes
        os.set_blocking(output, False)
        self._text = _Kept(output_bytes)
        self._reading = threading.Lock()
        self._limit_hit = ""
        self._over = False
        self._status: str | None = None
        self.ended_by_kernel: Callable[[], str] = lambda: ""
        """In words, after its end: that the kernel has ended it because a limit was hit, if so."""
        self._stop_reading, self._stop_writing = os.pipe()
        self._after: list[Callable[[], None]] = []
        self._watch = threading.Thread(target=self._watching, daemon=True)
        self._watch.start()
        clock.watch(self)
        self._after.append(lambda: clock.forget(self))

    def processes(self) -> list[int]:
        """The ids of the confined process and of what it started, as of a moment ago."""
        if not self._below:
            self._below = procfs.descendants(self._supervisor)
        return self._below

    @property
    def output(self) -> str:
        """What the process printed so far: the beginning and the end of it. Untrusted text."""
        with self._reading:
            if not self._over:
                self._text.add(_rest(self._output))
            return self._text.text()

    def at_end(self, action: Callable[[], None]) -> None:
        """Does `action` once, after the process and everything it started are gone."""
        self._after.append(action)

    def send(self, value: Any, deadline: Deadline) -> None:
        """Sends one frame before `deadline`."""
        self._refuse_unasked_data()
        data = memoryview(frames.frame(value))
        while data:
            self._wait(select.POLLOUT, deadline)
            try:
                data = data[self._channel.send(data) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._how_it_ended() from None

    def receive(self, deadline: Deadline) -> Any:
        """The next frame, decoded, before `deadline`."""
        try:
            header = self._exactly(4, deadline)
            try:
                length = frames.body_length(header, self._frame_bytes)
            except frames.FrameError as error:
                self.end()
                megabytes = self._frame_bytes / 1024**2
                raise ProtocolViolation(f"it sent more than the {megabytes:.3g} MB of one answer") from error
            return frames.decode(self._exactly(length, deadline))
        except (frames.FrameError, RecursionError, MemoryError) as error:
            self.end()
            # what exactly is not told: the submission chooses it, and may have seen the inputs of hidden cases
            raise ProtocolViolation(_NO_ANSWER) from error

    def end(self) -> str:
        """Ends the process and everything it started, and waits until all are gone. Says how it ended."""
        if self._over:
            return self._status or ""
        self._over = True
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        self._control.settimeout(_END_SECONDS)
        words = b""
        try:
            while piece := self._control.recv(4096):
                words += piece
        except OSError:
            os.kill(self._supervisor, signal.SIGKILL)
        # it closes its pipe a moment before it is gone
        gone = select.poll()
        gone.register(self._supervisor_ended, select.POLLIN)
        gone.poll(_END_SECONDS * 1000)
        os.write(self._stop_writing, b"x")
        self._watch.join()
        with self._reading:
            self._text.add(_rest(self._output))
        for descriptor in (self._output, self._stop_reading, self._stop_writing, self._supervisor_ended):
            os.close(descriptor)
        self._control.close()
        self._channel.close()
        self._status = _in_words(words.decode("utf-8", "replace"))
        self._limit_hit = self._limit_hit or self.ended_by_kernel()
        for action in self._after:
            action()
        return self._status

    def _refuse_unasked_data(self) -> None:
        if self._over:
            raise self._how_it_ended()
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        if poll.poll(0):
            try:
                waiting = self._channel.recv(1, socket.MSG_PEEK)
            except OSError:
                waiting = b""
            if waiting:
                self.end()
                raise ProtocolViolation("it sent data without being asked")
            raise self._how_it_ended()

    def _exactly(self, count: int, deadline: Deadline) -> bytes:
        pieces = bytearray()
        while len(pieces) < count:
            self._wait(select.POLLIN, deadline)
            try:
                piece = self._channel.recv(min(count - len(pieces), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                raise self._how_it_ended()
            pieces += piece
        return bytes(pieces)

    def _wait(self, event: int, deadline: Deadline) -> None:
        if self._over:
            raise self._how_it_ended()
        poll = select.poll()
        poll.register(self._channel, event)
        long = False
        if event == select.POLLIN and deadline.left() > 0 and soon(poll):
            deadline.clock.look(full=False)
            return
        while (left := deadline.left()) > 0:
            happened = poll.poll(min(left, SLICE) * 1000)
            deadline.clock.look(full=long or not happened)
            if happened:
                return
            long = True
        self.end()
        raise self._how_it_ended() if self._limit_hit else TimedOut("it took too long")

    def _how_it_ended(self) -> Ended:
        status = self.end()
        return Ended(self._limit_hit or status or "its process ended")

    def _watching(self) -> None:
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        poll.register(self._stop_reading, select.POLLIN)
        next_look = time.monotonic()
        while True:
            for descriptor, event in poll.poll(_WATCH_SECONDS * 1000):
                if descriptor == self._stop_reading:
                    return
                with self._reading:
                    self._text.add(_rest(self._output))
                if not event & select.POLLIN:
                    poll.unregister(self._output)
            if not self._limit_hit and time.monotonic() >= next_look:
                try:
                    self._look()
                except Exception:  # a process that cannot be monitored is terminated
                    self._end_because("what it used could not be watched")
                next_look = time.monotonic() + _WATCH_SECONDS

    def _look(self) -> None:
        processes = self._below = procfs.descendants(self._supervisor)
        used = sum(procfs.held_bytes(pid) for pid in processes)
        if used > self._memory_bytes:
            self._end_because(too_much_memory(self._memory_bytes))
        elif self._scratch is not None and self._written(self._scratch, processes) > self._scratch_bytes:
            self._end_because(
                f"it wrote more than the {self._scratch_bytes / 1024**2:.0f} MB of files a submission may write, "
                f"or more than {SCRATCH_FILES} files"
            )

    def _end_because(self, limit_hit: str) -> None:
        """Orders the end of the process, no more; whoever waits for it learns why."""
        self._limit_hit = limit_hit
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def _written(self, scratch: str, processes: list[int]) -> int:
        """Bytes in the scratch folder, and in files deleted from it that are still open or mapped."""
        deleted = sum(procfs.deleted_bytes(pid, scratch) for pid in processes)
        return deleted + _folder_bytes(scratch, self._scratch_bytes)


class _Kept:
    """The first and the last half of a long output."""

    def __init__(self, size: int) -> None:
        self._half = max(size // 2, 1)
        self._first = bytearray()
        self._last = bytearray()
        self._dropped = 0

    def add(self, piece: bytes) -> None:
        room = self._half - len(self._first)
        self._first += piece[:room]
        self._last += piece[room:] if room < len(piece) else b""
        if len(self._last) > self._half:
            self._dropped += len(self._last) - self._half
            del self._last[: len(self._last) - self._half]

    def text(self) -> str:
        middle = f"\n[… {self._dropped} bytes of output were dropped …]\n".encode() if self._dropped else b""
        return (bytes(self._first) + middle + bytes(self._last)).decode("utf-8", "replace")


def too_much_memory(limit: int) -> str:
    """For the student: that a submission used more than `limit` bytes."""
    return f"it used more memory than the {limit / 1024**3:.3g} GB a submission may use"


def _rest(output: int) -> bytes:
    """What waits in the pipe, up to its size: a process that never stops printing is not waited for."""
    pieces: list[bytes] = []
    try:
        while len(pieces) < 16 and (piece := os.read(output, 1 << 16)):
            pieces.append(piece)
    except OSError:
        pass
    return b"".join(pieces)


def _folder_bytes(folder: str, enough: int) -> int:
    """Bytes in a folder and all below it; more than `enough` as soon as these or the number of files are too many."""
    total = files = 0
    waiting = [folder]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    with contextlib.suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        total += entry.stat(follow_symlinks=False).st_blocks * 512 + 512
                    if total > enough or files > SCRATCH_FILES:
                        return enough + 1
        except OSError as error:
            # too deep to look into is too deep, and so is one that its maker alone may write to but nobody list
            if error.errno in (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM):
                return enough + 1
    return total


def _in_words(report: str) -> str:
    first = report.strip().split("\n")[0]
    if first.startswith("error"):
        return f"its process could not be started ({first[6:]})"
    try:
        status = int(first)
    except ValueError:
        return "its process ended"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        words: dict[int, str] = {
            signal.SIGSEGV: "its process crashed (segmentation fault)",
            signal.SIGABRT: "its process crashed (abort)",
            signal.SIGKILL: "its process was killed",
            signal.SIGXCPU: "it used more CPU time than a submission may use",
            signal.SIGXFSZ: "it wrote a file larger than a submission may write",
            signal.SIGSYS: "it made a system call that is not allowed",
        }
        return words.get(number, "its process was ended by a signal")
    # the code itself is not told: the submission chooses it, and may have seen the inputs of hidden cases
    return "its process exited"
