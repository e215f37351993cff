"""Each layer of isolation by itself: with it alone an attack fails, without any the same attack succeeds.

The second half is the proof that the first could fail: an attack that a layer is said to stop must work where nothing
stops it.
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import io
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from courses import one_question

from autograder.assignment import Limits
from autograder.isolation import calls, layers, procfs, seccomp, syscalls
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.layers import IsolationError, Policy
from autograder.isolation.procfs import descendants
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

PAUSE = 15
"""Seconds in which the watch is sure to look; less than a call may take, so that the watch is what ends it."""
RUN = "import os, sys, time, socket, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef run(code): return eval(code)"
LIMITS = Limits(call_seconds=20, memory_bytes=600_000_000, scratch_bytes=4_000_000, open_files=200)
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user id to change to")


class World:
    """One workshop whose policy is replaced between sessions, and things outside that an attack would like to reach."""

    def __init__(self, workshop: ForkServer, folder: Path) -> None:
        self.workshop = workshop
        self.secret = folder / "secret.txt"
        self.secret.write_text("the secret")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.abstract.bind(f"\0layers-{os.getpid()}")

    def attack(
        self, code: str, chosen: frozenset[str], limits: Limits = LIMITS, first: Callable[[], None] = lambda: None
    ) -> object:
        """What `code` gives in a session with exactly these layers; the check's message when the call fails.

        `first` is called when the cells have run.
        """
        self.workshop.policy = replace(self.workshop.policy, layers=chosen)
        assignment = one_question(limits, "run")
        with Session(self.workshop, Submission("layers", None, (RUN,)), assignment) as session:
            first()
            try:
                return session.functions["run"](code)
            except AssertionError as error:
                return str(error)

    def connected(self) -> bool:
        """Whether someone has reached a listener since the last look."""
        ready, _, _ = select.select([self.tcp, self.abstract], [], [], 0.0)
        for listener in ready:
            if listener is self.tcp:
                listener.accept()[0].close()
            else:
                listener.recv(100)
        return bool(ready)


@pytest.fixture(scope="module")
def world(workshop: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("layers")
    for parent in (folder, *folder.parents[:3]):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    policy = workshop.policy
    made = World(workshop, folder)
    yield made
    workshop.policy = policy
    made.tcp.close()
    made.abstract.close()


Sign = Callable[[World, str, object], bool]


def _answers(wanted: object) -> Sign:
    return lambda world, code, answer: answer == wanted


def _reached(world: World, code: str, answer: object) -> bool:
    return world.connected()


def _killed(world: World, code: str, answer: object) -> bool:
    return _victim is not None and _victim.poll() is not None


def _locked(world: World, code: str, answer: object) -> bool:
    """The second lock on a file is refused where the first has an effect."""
    return "BlockingIOError" in str(answer)


def _attributes_changed(world: World, code: str, answer: object) -> bool:
    with world.secret.open("rb") as file:
        flags = fcntl.ioctl(file, 0x80086601, bytes(8))
        changed = bool(int.from_bytes(flags, "little") & 0xC0)  # no dump, no access times
        if changed:
            fcntl.ioctl(file, 0x40086602, (int.from_bytes(flags, "little") & ~0xC0).to_bytes(8, "little"))
    return changed


_victim: "subprocess.Popen[bytes] | None" = None

TCP = "socket.create_connection(('127.0.0.1', {port}), 1) and 1"
MMAP = "__import__('mmap').mmap"
FCNTL = "__import__('fcntl')"
PIPE = "[p := os.pipe(), os.write(p[1], b'x'), q := os.pipe()]"
OPEN = "[fd := os.open({secret!r}, 0)]"
PAIR = "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', '\\0' + {abstract!r})"
READ = "open({secret!r}).read()"
KILL = "os.kill({victim}, 9)"
SIGNAL_OF_A_DESCRIPTOR = (
    "[p := socket.socketpair(), f := __import__('fcntl').fcntl, f(p[0], 10, 9), f(p[0], 8, {victim}), "
    "f(p[0], 4, 0o20000), p[1].send(b'x')]"
)

_TRUE = _answers(True)

# layer, what it is to stop, how that would show
CASES: tuple[tuple[str, str, Sign], ...] = (
    ("mount", READ, _answers("the secret")),
    ("mount", "open({folder!r} + '/mount-was-here', 'w').write('x')", _answers(1)),
    ("landlock", READ, _answers("the secret")),
    ("landlock", "open({folder!r} + '/landlock-was-here', 'w').write('x')", _answers(1)),
    ("landlock", TCP, _reached),
    ("landlock", PAIR, _reached),
    ("landlock", KILL, _killed),
    ("landlock", "os.open('/dev/zero', 0) > 0", _answers(True)),
    ("mount", "os.open('/dev/zero', 0) > 0", _answers(True)),
    ("landlock", "open('/proc/{grader}/environ', 'rb').read(1) != b''", _answers(True)),
    ("seccomp", TCP, _reached),
    ("seccomp", PAIR, _reached),
    ("seccomp", KILL, _killed),
    ("seccomp", "libc.prlimit({victim}, 0, (ctypes.c_ulong * 2)(0, 0), None)", _answers(0)),
    ("seccomp", "os.waitpid(os.posix_spawn('/bin/true', ['true'], {{}}), 0)[1]", _answers(0)),
    ("seccomp", "[pid := os.fork(), pid or os._exit(0), os.waitpid(pid, 0)[1]][2]", _answers(0)),
    ("seccomp", SIGNAL_OF_A_DESCRIPTOR, _killed),
    ("seccomp", "os.sched_setaffinity({victim}, {{0}}) or len(os.sched_getaffinity({victim}))", _answers(1)),
    ("seccomp", "libc.prctl(1, 0)", _answers(0)),
    ("seccomp", "libc.syscall(319, b'x', 0) > 0 if os.uname().machine == 'x86_64' else True", _answers(True)),
    ("seccomp", "[m := os.stat({secret!r}), os.chmod({secret!r}, m.st_mode ^ 8), os.stat({secret!r}) != m][2]", _TRUE),
    ("seccomp", "[m := os.stat({folder!r}), os.utime({folder!r}, (0, 0)), os.stat({folder!r}) != m][2]", _TRUE),
    ("seccomp", "libc.inotify_add_watch(libc.inotify_init1(0), os.fsencode({folder!r}), 0x3ff) >= 0", _TRUE),
    # memory that no process shows
    ("seccomp", f"len({MMAP}(-1, 4096))", _answers(4096)),
    ("seccomp", f"{PIPE} and libc.splice(p[0], None, q[1], None, 1, 0)", _answers(1)),
    ("seccomp", f"{PIPE} and libc.tee(p[0], q[1], 1, 0)", _answers(1)),
    ("seccomp", f"{PIPE} and libc.vmsplice(q[1], (ctypes.c_char_p * 2)(b'x' * 9, 9), 1, 0)", _answers(9)),
    ("seccomp", f"{PIPE} and {OPEN} and os.sendfile(q[1], fd, 0, 1)", _answers(1)),
    ("seccomp", f"{PIPE} and {FCNTL}.fcntl(p[1], 1031, 1 << 18)", _answers(1 << 18)),
    ("seccomp", "socket.socketpair()[0].setsockopt(1, 7, 1 << 18)", _answers(None)),
    ("seccomp", f"[m := {MMAP}(-1, 4096, flags=34), m.madvise(21)][1]", _answers(None)),
    # kernel memory that nobody counts
    ("seccomp", "libc.syscall({call[io_setup]}, 1, ctypes.byref(ctypes.c_ulong()))", _answers(0)),
    ("seccomp", "libc.syscall({call[timer_create]}, 1, None, ctypes.byref(ctypes.c_int()))", _answers(0)),
    ("seccomp", "libc.syscall({call[landlock_create_ruleset]}, None, 0, 1) > 0", _TRUE),
    ("seccomp", "libc.syscall({call[seccomp]}, 2, 0, ctypes.byref(ctypes.c_int(0)))", _answers(0)),
    ("seccomp", f"[fds := [open({{secret!r}}) for _ in '12'], [{FCNTL}.flock(fd, 6) for fd in fds]]", _locked),
    # which pages are in memory
    ("seccomp", f"{OPEN} and os.posix_fadvise(fd, 0, 0, 4)", _answers(None)),
    ("seccomp", f"{OPEN} and os.pread(fd, 1, 0) and os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT)", _answers(1)),
    ("seccomp", f"{OPEN} and libc.readahead(fd, ctypes.c_long(0), ctypes.c_long(1))", _answers(0)),
    (
        "seccomp",
        "[m := ctypes.pythonapi.PyMem_RawMalloc, m.__setattr__('restype', ctypes.c_long), "
        "libc.mincore(ctypes.c_void_p(m(1 << 20) // 4096 * 4096 + 4096), 4096, ctypes.byref(ctypes.c_char()))][2]",
        _answers(0),
    ),
    # attributes of files, and more that has an effect on others
    ("seccomp", f"{OPEN} and {FCNTL}.ioctl(fd, 0x40086602, (0x40).to_bytes(8, 'little'))", _attributes_changed),
    ("seccomp", f"{OPEN} and {FCNTL}.ioctl(fd, 0x401C5820, (0x80).to_bytes(28, 'little'))", _attributes_changed),
    ("seccomp", "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)) or os.sched_getscheduler(0)", _answers(3)),
    ("seccomp", "libc.prctl(4, 0)", _answers(0)),
    ("seccomp", "libc.syscall({call[membarrier]}, 1, 0)", _answers(0)),
    ("network", TCP, _reached),
    ("network", PAIR, _reached),
    ("pid", KILL, _killed),
    ("pid", "os.path.exists('/proc/{grader}/stat') if os.getpid() != 1 else False", _answers(True)),
    ("ipc", "libc.shmget({key}, 0, 0) >= 0", _answers(True)),
    ("rlimits", "len([os.open('/dev/null', 0) for _ in range(300)])", _answers(300)),
    ("rlimits", "open('big', 'wb').write(b'x' * 9_000_000)", _answers(9_000_000)),
    ("rlimits", "ctypes.CDLL(None).malloc(1) and len(__import__('mmap').mmap(-1, 6 * 10**9))", _answers(6 * 10**9)),
    ("watch", "[kept := __import__('numpy').ones(9 * 10**7), time.sleep({pause})][1]", _answers(None)),
    (
        "watch",
        "[open(f'f{{k}}', 'wb').write(b'x' * 10**6) for k in range(20)] and time.sleep({pause})",
        _answers(None),
    ),
)
NAMES = [b"RssAnon: 1", b"RssAnon:", b"RssShmem: 1", b"VmRSS: (\n"]
FLOODS = {
    "files": "[open(f'f{k}', 'wb').write(b'x' * 10**6) for k in range(20)]",
    "deleted files": "[[sys.path.append(open('f', 'wb')), os.unlink('f'), sys.path[-1].write(b'x' * 10**6),"
    " sys.path[-1].flush()] for k in range(20)]",
    "deep folders": "[[os.mkdir('d' * 200), os.chdir('d' * 200)] for k in range(30)]",
}
ROOT_CASES: tuple[tuple[str, str, Sign], ...] = (
    ("user", "os.getuid() == 0", _answers(True)),
    ("user", "open({private!r}).read()", _answers("for root alone")),
    ("user", KILL, _killed),
)


def _succeeds(world: World, code: str, sign: Sign, chosen: frozenset[str]) -> bool:
    global _victim
    world.connected()
    folder = world.secret.parent
    private = folder / "private.txt"
    private.write_text("for root alone")
    private.chmod(0o600)
    for left in folder.glob("*-was-here"):
        left.unlink()
    libc = ctypes.CDLL(None)
    key = 0x5EC0 + os.getpid() % 1000
    segment = libc.shmget(key, 4096, 0o1666)
    _victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        filled = code.format(
            secret=str(world.secret),
            private=str(private),
            folder=str(folder),
            port=world.tcp.getsockname()[1],
            abstract=world.abstract.getsockname()[1:].decode(),
            victim=_victim.pid,
            grader=os.getpid(),
            key=key,
            call=_numbers(),
            pause=PAUSE if chosen else 0,
        )
        answer = world.attack(filled, chosen)
        if sign is _killed:
            try:
                _victim.wait(0.5)
            except subprocess.TimeoutExpired:
                return False
        return sign(world, filled, answer)
    finally:
        _victim.kill()
        _victim.wait()
        libc.shmctl(segment, 0, None)


def _numbers() -> dict[str, int | None]:
    column = seccomp.COLUMN[syscalls.MACHINE]
    rules = {name: rule.numbers for name, rule in calls.by_argument(0).items()}
    return {name: numbers[column] for name, numbers in {**calls.ABSENT, **rules}.items()}


def _names(cases: tuple[tuple[str, str, Sign], ...]) -> list[str]:
    return [f"{layer}-{number}" for number, (layer, _, _) in enumerate(cases)]


@pytest.mark.parametrize(("layer", "code", "sign"), CASES, ids=_names(CASES))
def test_a_layer_alone_stops_what_succeeds_without_it(world: World, layer: str, code: str, sign: Sign) -> None:
    if layer not in layers.available():
        pytest.skip(f"this machine has no {layer}")
    if layer == "landlock" and code in (PAIR, KILL) and _landlock() < 6:
        pytest.skip("this Landlock knows no scopes")
    if os.geteuid() != 0 and code.startswith("open('/proc/"):
        pytest.skip("reading the environment of a process of the same user may be forbidden already")
    assert _succeeds(world, code, sign, frozenset()), "the attack must work where nothing stops it"
    assert not _succeeds(world, code, sign, frozenset({layer}))


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_the_watch_sees_what_is_written_where_no_file_system_bounds_it(world: World, flood: str) -> None:
    """As in a container: the scratch folder is on the machine's own disk."""
    code = f"{flood} and time.sleep({PAUSE})"
    assert "MB of files a submission may write" in str(world.attack(code, frozenset({"watch"})))


@pytest.mark.parametrize("name", NAMES)
def test_the_watch_is_not_misled_by_the_name_of_a_process(world: World, name: bytes) -> None:
    flood = f"[libc.prctl(15, {name!r}), kept := __import__('numpy').ones(9 * 10**7), time.sleep({PAUSE})]"
    assert "used more memory" in str(world.attack(flood, frozenset({"watch"})))


def test_a_process_that_cannot_be_watched_is_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise ValueError("what /proc says is no number")

    def break_the_watch() -> None:
        monkeypatch.setattr("autograder.isolation.procfs.held_bytes", fails)

    said = world.attack(f"time.sleep({PAUSE})", frozenset({"watch"}), first=break_the_watch)
    assert "could not be watched" in str(said)


def test_copies_are_made_where_permissions_cannot_be_changed(world: World) -> None:
    """`shutil.copy` sets the copy's permissions, and nobody misses them."""
    code = "[open('a', 'w').write('x'), __import__('shutil').copy2('a', 'b'), open('b').read()][2]"
    assert world.attack(code, frozenset({"landlock", "seccomp"}) & layers.available()) == "x"


HONEST = {
    "a copy": "[open('a', 'w').write('x'), __import__('shutil').copyfile('a', 'b'), open('b').read() == 'x'][2]",
    "a folder's copy": "[os.mkdir('a'), open('a/x', 'w').write('x'), __import__('shutil').copytree('a', 'b'),"
    " open('b/x').read() == 'x'][3]",
    "a database": "[c := __import__('sqlite3').connect('d'), c.execute('create table t (x)'), c.execute('insert into t"
    " values (1)'), c.commit(), c.execute('select x from t').fetchone() == (1,)][4]",
    "an event loop": "__import__('asyncio').run(__import__('asyncio').sleep(0, True))",
    "threads": "list(__import__('concurrent.futures').futures.ThreadPoolExecutor(8).map(abs, range(-8, 0)))[0] == 8",
    "private memory": "[m := __import__('mmap').mmap(-1, 8192, flags=34), m.write(b'x') == 1][1]",
    "a mapped file": "[n := __import__('numpy'), a := n.memmap('m', 'float64', 'w+', shape=(9,)), a.fill(1),"
    " a.flush(), float(n.fromfile('m').sum()) == 9.0][4]",
    "a temporary file": "__import__('tempfile').TemporaryFile(dir='.').write(b'x') == 1",
    "a timer": "[s := __import__('signal'), s.setitimer(s.ITIMER_REAL, 100), s.alarm(0) > 0][2]",
}


@pytest.mark.parametrize("what", HONEST)
def test_what_honest_code_does_works_under_all_layers(world: World, what: str) -> None:
    assert world.attack(HONEST[what], layers.policy().layers) is True


REFUSED = {
    "shared anonymous memory": ("__import__('mmap').mmap(-1, 4096)", "PermissionError"),
    "memory shared between processes": (
        "__import__('multiprocessing.shared_memory').shared_memory.SharedMemory(create=True, size=9)",
        "Error",
    ),
    "advice on a file": ("os.posix_fadvise(os.open('.', 0), 0, 0, 4)", "PermissionError"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_raises_an_exception_that_python_code_can_catch(world: World, what: str) -> None:
    code, error = REFUSED[what]
    assert error in str(world.attack(code, layers.policy().layers))


def test_a_submission_is_what_the_kernel_ends_first_when_memory_is_short(world: World) -> None:
    world.workshop.policy = replace(world.workshop.policy, layers=layers.policy().layers)
    process = world.workshop.fork("submission", LIMITS)
    try:
        found = [Path(f"/proc/{pid}/oom_score_adj").read_text() for pid in descendants(process._supervisor)]
    finally:
        process.end()
    assert found == ["1000\n"]


def test_a_submission_cannot_have_others_ended_first(world: World) -> None:
    code = "open('/proc/self/oom_score_adj', 'w').write('0')"
    assert "Error" in str(world.attack(code, layers.policy().layers))


def test_a_folder_of_too_many_files_counts_as_full_before_all_of_them_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.isolation import process

    for number in range(20):
        (tmp_path / str(number)).touch()
    monkeypatch.setattr(process, "SCRATCH_FILES", 10)
    looked: list[str] = []
    look = os.scandir

    @contextlib.contextmanager
    def counted(path: str) -> Generator[Iterator[os.DirEntry[str]]]:
        with look(path) as entries:
            yield (entry for entry in entries if looked.append(entry.name) is None)

    monkeypatch.setattr(os, "scandir", counted)
    assert process._folder_bytes(str(tmp_path), 10**9) > 10**9
    assert len(looked) == 11


@pytest.mark.parametrize("line", ["RssAnon", "RssShmem", "VmSwap", "VmPTE", "HugetlbPages"])
def test_memory_counts_wherever_the_kernel_holds_it(line: str, monkeypatch: pytest.MonkeyPatch) -> None:

    lines = {"RssAnon": 10, "RssShmem": 0, "VmSwap": 0, "VmPTE": 0, "HugetlbPages": 0}
    status = "Name:\tx\n" + "".join(f"{name}:\t{size + 5 * (name == line)} kB\n" for name, size in lines.items())
    content = {"statm": b"9 9 9 9 9 9 9", "status": status.encode()}
    monkeypatch.setattr("builtins.open", lambda path, mode: io.BytesIO(content[path.rpartition("/")[2]]))
    assert procfs.held_bytes(1) == 15 * 1024


def test_a_folder_that_cannot_be_listed_counts_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.isolation import process

    (tmp_path / "closed").mkdir()
    look = os.scandir

    def refused(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert process._folder_bytes(str(tmp_path), 10_000) > 10_000


@ROOT
@pytest.mark.parametrize(("layer", "code", "sign"), ROOT_CASES, ids=_names(ROOT_CASES))
def test_another_user_id_alone_stops_what_root_may(world: World, layer: str, code: str, sign: Sign) -> None:
    if layer not in layers.available():
        pytest.skip(f"this machine has no {layer}")
    assert _succeeds(world, code, sign, frozenset())
    assert not _succeeds(world, code, sign, frozenset({layer}))


def test_every_layer_has_a_case_and_a_sentence_on_what_is_lost_without_it() -> None:
    assert {layer for layer, _, _ in (*CASES, *ROOT_CASES)} == set(layers.LAYERS) - layers.OPTIONAL
    assert set(layers.LOST_WITHOUT) == set(layers.LAYERS)


@pytest.mark.parametrize("layer", ["pid", None], ids=["in a process namespace", "without one"])
def test_processes_left_behind_are_ended_with_the_session(world: World, layer: str | None) -> None:
    """Without seccomp, which would refuse the fork; ended by the namespace, or hunted down."""
    chosen = frozenset({layer} if layer else {"user"}) & layers.available()
    code = (
        "[signal := __import__('signal'), signal.signal(15, signal.SIG_IGN), "
        "pid := os.fork(), pid or [os.setsid(), os.fork() and os._exit(0), time.sleep(100)], os.getpid()][-1]"
    )
    before = _forks(world)
    world.attack(code, chosen)
    assert _forks(world) == before


def _forks(world: World) -> set[int]:
    """Processes that the template started, by the command line they share with it."""
    template = world.workshop._zygote
    assert template is not None
    own = Path(f"/proc/{template.pid}/cmdline").read_bytes()
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cmdline").read_bytes() == own and b"State:\tZ" not in (entry / "status").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def _landlock() -> int:
    from autograder.isolation import landlock

    return landlock.version()


# ---------------------------------------- closed when something is missing


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({"seccomp", "network", "user", "pid", "rlimits", "watch"}, "files"),
        ({"landlock", "mount", "user", "pid", "rlimits", "watch"}, "network"),
        ({"watch"}, "files"),
    ],
)
def test_a_machine_without_file_or_network_isolation_is_refused(
    monkeypatch: pytest.MonkeyPatch, there: set[str], missing: str
) -> None:
    monkeypatch.setattr(layers, "available", lambda: frozenset(there))
    with pytest.raises(IsolationError, match=f"cannot isolate a submission's {missing}.*--no-isolation"):
        layers.policy()


def test_landlock_alone_is_refused_where_it_cannot_keep_files_from_being_emptied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "available", lambda: frozenset({"landlock", "seccomp", "rlimits", "watch"}))
    monkeypatch.setattr(layers.landlock, "version", lambda: 2)
    with pytest.raises(IsolationError, match=r"emptying your files: Linux 6\.2"):
        layers.policy()
    monkeypatch.setattr(layers.landlock, "version", lambda: 3)
    assert layers.policy().isolated


@pytest.mark.parametrize("without", [("mount", "landlock"), ("seccomp", "network")])
def test_switching_off_all_layers_for_files_or_network_is_refused(without: tuple[str, ...]) -> None:
    with pytest.raises(IsolationError):
        layers.policy(without=without)


def test_only_no_isolation_gives_a_policy_that_is_not_isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "available", lambda: frozenset({"watch"}))
    assert not layers.policy(allow_none=True).isolated


READS_RANDOM_NUMBERS = (
    "import os\ndef run(code): return [os.path.isdir('/dev'), len(open('/dev/urandom', 'rb').read(8))]"
)


def test_what_the_graders_umask_hides_from_others_does_not_hide_the_submissions_own_root() -> None:
    before = os.umask(0o077)  # as on many shared machines
    try:
        with ForkServer(layers.policy()) as server:
            submission = Submission("umask", None, (READS_RANDOM_NUMBERS,))
            with Session(server, submission, one_question(LIMITS, "run")) as session:
                assert session.functions["run"]("") == [True, 8]
    finally:
        os.umask(before)


@ROOT
def test_packages_that_only_root_can_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "adkit" / "__init__.py"
    package.parent.mkdir()
    package.touch(0o600)
    found = importlib.util.find_spec

    def find_spec(name: str) -> Any:
        return SimpleNamespace(origin=str(package)) if name == "adkit" else found(name)

    monkeypatch.setattr(layers.importlib.util, "find_spec", find_spec)
    with pytest.raises(IsolationError, match=rf"{package} can be read by root only.*chmod -R go\+rX {tmp_path}"):
        layers.policy()
    package.chmod(0o644)
    layers.policy()
    package.parent.chmod(0o700)
    with pytest.raises(IsolationError, match="can be read by root only"):
        layers.policy()


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(IsolationError, match="no layer landlook"):
        layers.policy(without=("landlook",))


def test_a_secret_in_a_folder_that_submissions_read_is_refused() -> None:
    import numpy

    with pytest.raises(IsolationError, match="which submissions can read"):
        layers.policy(secrets=[Path(numpy.__file__)])


@pytest.mark.parametrize("chosen", [frozenset({"rlimits"}), None], ids=["alone", "with all others"])
def test_no_cell_runs_when_a_layer_does_not_hold(world: World, tmp_path: Path, chosen: frozenset[str] | None) -> None:
    """A limit that the kernel refuses to set stands for any step of confinement that fails."""
    marker = tmp_path / "ran"
    everything = layers.policy().layers
    world.workshop.policy = replace(world.workshop.policy, layers=chosen or everything)
    limits = replace(LIMITS, open_files=2**40)
    assignment = one_question(limits, "run")
    cell = f"open({str(marker)!r}, 'w')"
    with (
        pytest.raises(IsolationError, match=r"no isolated process could be started.*isolation failed"),
        Session(world.workshop, Submission("layers", None, (cell,)), assignment),
    ):
        pytest.fail("a session was opened")
    assert not marker.exists()


def test_a_layer_that_the_process_does_not_report_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.isolation.process import Process

    monkeypatch.setattr(Process, "receive", lambda self, deadline: {"ready": ["rlimits"]})
    everything = layers.policy().layers
    world.workshop.policy = replace(world.workshop.policy, layers=everything)
    with pytest.raises(IsolationError, match="these layers did not hold"):
        world.workshop.fork("submission", LIMITS)


def test_the_policy_that_grading_uses_has_every_layer_of_the_machine() -> None:
    chosen: Policy = layers.policy()
    assert chosen.layers == layers.available() & frozenset(layers.LAYERS)
    assert chosen.isolated
