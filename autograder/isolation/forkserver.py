"""The fork server: the zygote, and what it forks. One per worker."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from autograder.assignment import Limits
from autograder.isolation import cgroup, operations, procfs
from autograder.isolation.clock import Clock
from autograder.isolation.confine import ARENAS, Confinement
from autograder.isolation.layers import IsolationError, Policy
from autograder.isolation.leases import Lease, LeaseError, lease
from autograder.isolation.process import Ended, Kind, Process, too_much_memory
from autograder.walk import remove_folder

_START_SECONDS: Final = 120.0
_READY_SECONDS: Final = 30.0
_GROUP_ROOM: Final = 1.25
"""A cgroup counts page cache and the kernel's own memory, which the limit on memory does not mean."""


class ForkServer:
    """A context manager around one zygote, from which every process of a submission is forked."""

    def __init__(self, policy: Policy, *, compiled: Path | None = None, writing: bool = False) -> None:
        """`compiled`: a folder with what JAX has compiled before; submissions read it, and add to it if `writing`."""
        self.policy = policy if compiled is None else replace(policy, read=(*policy.read, compiled))
        self._compiled = compiled
        self._writing = writing
        self._zygote: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._lease: Lease | None = None
        self.report_waiting: Callable[[float], None] | None = None
        """Called now and then with the seconds that submissions have waited for a processor since the last time."""

    def __enter__(self) -> "ForkServer":
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def user_ids(self) -> tuple[int, ...]:
        """The user ids that its submissions and artefacts run under; none where they have the grader's own."""
        return () if self._lease is None else (self._lease.submission, self._lease.artefacts)

    def close(self) -> None:
        """Stops the zygote; processes that it forked are stopped by their session, or now."""
        self._end_zygote()
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def _end_zygote(self) -> None:
        if self._requests is not None:
            self._requests.close()
            self._requests = None
        if self._zygote is not None:
            self._zygote.terminate()
            self._zygote.wait()
            self._zygote = None

    def clock(self) -> Clock:
        """A clock for one submission, which reports what it waits."""
        return Clock(self.report_waiting)

    def fork(self, kind: Kind, limits: Limits, clock: Clock | None = None) -> Process:
        """A new confined process, ready to be asked, whose waiting `clock` is to see.

        IsolationError when a layer that is asked for did not hold.
        """
        scratch = tempfile.mkdtemp(prefix="submission-")
        group = self._group(limits)
        try:
            process = self._fork(kind, limits, scratch, clock or Clock(), group)
        except BaseException:
            remove_folder(scratch)
            if group is not None:
                group.remove()
            raise
        return process

    def _group(self, limits: Limits) -> cgroup.Group | None:
        """A cgroup for one submission. Where none can be made after all, this server does without from now on."""
        if "cgroup" not in self.policy.layers:
            return None
        try:
            base = cgroup.place()
            if base is None:
                raise OSError("there is no place for cgroups any more")
            cgroup.prepare(base)
            return cgroup.Group(base, round(limits.memory_bytes * _GROUP_ROOM) + limits.scratch_bytes)
        except OSError:
            self.policy = replace(self.policy, layers=self.policy.layers - {"cgroup"})
            return None

    def _fork(self, kind: Kind, limits: Limits, scratch: str, clock: Clock, group: cgroup.Group | None) -> Process:
        if self._zygote is None or self._zygote.poll() is not None:
            self._start()
        assert self._requests is not None
        uid, held, others = os.getuid(), list[int](), 0
        if os.geteuid() == 0 and "user" in self.policy.layers:
            taken = self._leased()
            uid = taken.submission if kind == "submission" else taken.artefacts
            held = [] if taken.descriptor is None else [taken.descriptor]
            os.chown(scratch, uid, uid)
        else:  # the limit counts whatever else this user runs
            others = procfs.threads_of_user(uid)
        confinement = Confinement(
            layers=tuple(sorted(self.policy.layers)),
            read=tuple(map(str, self.policy.read)),
            list_only=tuple(map(str, self.policy.list_only)),
            scratch=scratch,
            uid=uid,
            memory_bytes=limits.memory_bytes,
            scratch_bytes=limits.scratch_bytes,
            processes=limits.processes + others,
            threads=limits.processes,
            open_files=limits.open_files,
            cpu_seconds=max(1, round(4 * limits.submission_seconds)),
            group="" if group is None else group.members,
        )
        ours, theirs = socket.socketpair()
        control, their_control = socket.socketpair()
        reading, writing = os.pipe()
        try:
            message = {"kind": kind, "confinement": asdict(confinement), "frame_bytes": limits.frame_bytes}
            socket.send_fds(
                self._requests,
                [json.dumps(message).encode()],
                [theirs.fileno(), writing, their_control.fileno(), *held],
            )
            supervisor = int(self._requests.recv(64))
        except (OSError, ValueError):
            for end in (ours, control):
                end.close()
            os.close(reading)
            self._end_zygote()
            raise IsolationError("the zygote ended unexpectedly; it will be started anew") from None
        finally:
            theirs.close()
            their_control.close()
            os.close(writing)
        watched = "watch" in self.policy.layers
        process = Process(
            ours,
            reading,
            control,
            supervisor,
            clock=clock,
            frame_bytes=limits.frame_bytes,
            memory_bytes=limits.memory_bytes if watched else 1 << 62,
            output_bytes=limits.output_bytes,
            # in a root of its own the scratch is in memory, bounded by its own file system
            scratch=None if "mount" in self.policy.layers else scratch,
            scratch_bytes=limits.scratch_bytes if watched else 1 << 62,
        )
        process.at_end(lambda: remove_folder(scratch))
        if group is not None:
            process.ended_by_kernel = lambda: too_much_memory(limits.memory_bytes) if group.exceeded() else ""
            process.at_end(group.remove)
        try:
            # sent before the first line of the submission runs, so it can be believed
            ready = process.receive(clock.deadline(_READY_SECONDS))
        except Ended as problem:
            raise IsolationError(f"no isolated process could be started: {problem}; {process.output}") from None
        missing = self.policy.layers - set(ready["ready"])
        if missing:
            process.end()
            raise IsolationError(f"these layers did not hold: {', '.join(sorted(missing))}")
        return process

    def _leased(self) -> Lease:
        if self._lease is None:
            try:
                self._lease = lease()
            except LeaseError as problem:
                raise IsolationError(str(problem)) from None
        return self._lease

    def _start(self) -> None:
        self._end_zygote()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # the folders this process imports from, whether installed or not; the submission loses all but adkit's
        paths = [str(Path(__file__).resolve().parents[2]), *_adkit_folder()]
        start = (
            f"import sys; sys.path[:0] = {paths!r}; "
            f"from autograder.isolation.zygote import main; main({theirs.fileno()})"
        )
        self._zygote = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", start],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=_environment() | self._compilation_cache(),
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._requests = ours
        ours.settimeout(_START_SECONDS)
        word = ours.recv(64)
        if not word.startswith(b"ready"):
            self._end_zygote()
            raise IsolationError("the zygote did not start; its error is above")

    def _compilation_cache(self) -> dict[str, str]:
        if self._compiled is None:
            return {}
        operations_of = operations.RECORD if self._writing else operations.READ
        return {
            operations_of: str(self._compiled if self._writing else self._compiled / operations.FILE),
            "JAX_COMPILATION_CACHE_DIR": str(self._compiled),
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",  # for GPUs; its path would be part of every key
            # seconds that something must take to compile to be kept: nothing does, unless this is the run that writes
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0" if self._writing else "1e9",
        }


def _adkit_folder() -> list[str]:
    import adkit

    return [str(Path(adkit.__file__).resolve().parents[1])]


def _environment() -> dict[str, str]:
    """The whole environment of a submission: nothing of the instructor's."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/",
        "LANG": "C.UTF-8",
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": str(ARENAS),
        "MPLBACKEND": "agg",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
