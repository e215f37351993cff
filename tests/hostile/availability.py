"""Attacks on availability: the batch, the machine, other submissions' results."""

import io
import json
import zipfile

from hostile.attack import WRONG, Attack, notebook

SEEN = "the batch ends or hangs, the grader's memory grows, or an honest neighbour's score changes"


MORE = "points, which only an answer earns that holds more of the machine's memory than it may use"

_BY_HAND = """
import ctypes, errno, mmap, struct, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
here = 0 if os.uname().machine == "x86_64" else 1
kept = []
def did(result):
    if result is None or result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""


def _zip(write):
    def content(world):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            write(archive)
        return buffer.getvalue()

    return content


def _bomb(archive):
    archive.writestr("vault.ipynb", b"0" * 400_000_000)


def _thousands(archive):
    for number in range(5000):
        archive.writestr(f"{number}/vault.ipynb", b"{}")


def _nested(archive):
    inner = b"0" * 10_000_000
    for _ in range(5):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as deeper:
            for number in range(4):
                deeper.writestr(f"{number}.zip", inner)
        inner = buffer.getvalue()
    archive.writestr("vault.zip", inner)


def _lying_sizes(world):
    content = bytearray(_zip(lambda archive: archive.writestr("vault.ipynb", b"0" * 100_000_000))(world))
    for at in range(len(content) - 4):
        if content.startswith((100_000_000).to_bytes(4, "little"), at):
            content[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def _deep(world):
    return b'{"cells": ' + b"[" * 400_000 + b"]" * 400_000 + b"}"


def _wide(world):
    return b'{"cells": [' + b"{}," * 5_000_000 + b"{}]}"


def _huge_numbers(world):
    return (
        b'{"nbformat": '
        + b"9" * 3_000_000
        + b', "cells": [{"cell_type": "code", "source": '
        + b"1" * 3_000_000
        + b"}]}"
    )


def _thousands_of_cells():
    content = json.loads(notebook([WRONG, *[f"print({number})" for number in range(4900)]]))
    for cell in content["cells"]:
        cell["outputs"] = [{"output_type": "stream", "text": ["x" * 1500]}] * 2
        cell["attachments"] = {"a": {"image/png": "A" * 300}}
    return json.dumps(content).encode()


def _source(text):
    return lambda world: notebook([WRONG, text])


ATTACKS = (
    Attack("endless-loop", "availability", "never ends, in a cell and in a call", SEEN, '''
def twice(x):
    while True: pass
def energy(x):
    import time
    time.sleep(10**6)
'''),
    Attack("endless-cell", "availability", "a cell that never ends", SEEN, '''
while True: pass
'''),
    Attack("os-exit", "availability", "ends its process everywhere: cells, calls, callbacks", SEEN, '''
def twice(x): os._exit(0)
def energy(x): sys.exit(1)
def at_one(f, x):
    f(x)
    os.abort()
'''),
    Attack("segfault", "availability", "crashes in native code", SEEN, '''
import ctypes
def twice(x): ctypes.string_at(0)
def energy(x): ctypes.memset(id(None), 0, 64)
'''),
    Attack("recursion", "availability", "recurses in Python and, by the parser and the compiler, in C", SEEN, '''
sys.setrecursionlimit(10**9)
def twice(x): return twice(x)
def energy(x): return eval("-" * 10**6 + "1")
def at_one(f, x):
    deep = []
    for _ in range(10**6): deep = [deep]
    return deep
'''),
    Attack("signals-ignored", "availability", "ignores every signal, blocks them, stops itself", SEEN, '''
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
def twice(x):
    signal.raise_signal(signal.SIGSTOP)
    while True: pass
'''),
    Attack("memory-flood", "availability", "takes all memory, touching every page", SEEN, '''
def twice(x):
    kept = []
    while True: kept.append(np.ones(10_000_000))
'''),
    Attack("memory-hidden", "availability", "takes memory that belongs to no process: memfd, shm, mqueue, sockets, pipes, tmpfs", SEEN, '''
import ctypes, socket, mmap
libc = ctypes.CDLL(None)
kept = []
print(libc.syscall(319, b"x", 0), libc.shmget(0, 1 << 30, 0o1777), libc.syscall(447, 0), libc.mq_open(b"/x", 66, 0o777, None))
try:
    while True:
        pair = socket.socketpair(); kept.append(pair); pair[0].setblocking(False)
        try:
            while True: pair[0].send(b"x" * 65536)
        except BlockingIOError: pass
except OSError as error: print(len(kept), error)
'''),
    Attack("thread-flood", "availability", "starts threads without end", SEEN, '''
import threading, time
def twice(x):
    while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
'''),
    Attack("fork-flood", "availability", "forks without end, from a thread, with setsid", SEEN, '''
import ctypes
libc = ctypes.CDLL(None)
def twice(x):
    while True:
        for make in (os.fork, lambda: libc.syscall(57), lambda: libc.syscall(56, 17, 0, 0, 0, 0), libc.vfork):
            try:
                if make() == 0: os.setsid()
            except OSError: pass
'''),
    Attack("descriptor-flood", "availability", "opens descriptors without end", SEEN, '''
def twice(x):
    kept = []
    while True: kept.append(os.open(".", os.O_RDONLY)); os.pipe()
'''),
    Attack("disk-flood", "availability", "fills its folder: one file, many files, deep folders, open deleted files, holes", SEEN, '''
def twice(x):
    with open("big", "wb") as file:
        while True: file.write(b"x" * (1 << 20))
def energy(x):
    number = 0
    while True:
        number += 1
        open(f"f{number}", "wb").write(b"x" * 10000)
def at_one(f, x):
    while True:
        os.mkdir("d"); os.chdir("d"); open("f", "wb").write(b"x" * 100000)
'''),
    Attack("deleted-files-flood", "availability", "writes to files it has deleted", SEEN, '''
def twice(x):
    kept = []
    while True:
        kept.append(open("f", "wb")); os.unlink("f"); kept[-1].write(b"x" * (1 << 20)); kept[-1].flush()
'''),
    Attack("shm-flood", "availability", "fills /dev/shm and /tmp", SEEN, '''
for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run"):
    try:
        with open(f"{folder}/{WORLD['token']}", "wb") as file:
            for _ in range(100): file.write(b"x" * (1 << 20))
    except OSError as error: print(type(error).__name__)
'''),
    Attack("output-flood", "availability", "prints without end, to both streams, by threads", SEEN, '''
import threading
def flood(fd):
    while True: os.write(fd, b"flood " * 10000)
for fd in (1, 2, 1, 2): threading.Thread(target=flood, args=(fd,), daemon=True).start()
def twice(x):
    while True: pass
'''),
    Attack("frame-oversized", "availability", "announces a frame of 4 GB, and sends 100 MB", SEEN, '''
def twice(x):
    for fd in range(3, 10):
        try:
            os.write(fd, b"\\xff\\xff\\xff\\xff")
            while True: os.write(fd, b"x" * (1 << 20))
        except OSError: pass
    return 0
def energy(x): return np.zeros(30_000_000)
'''),
    Attack("frame-one-byte-at-a-time", "availability", "sends a frame so slowly that every single read is fast", SEEN, '''
import time
def twice(x):
    while True:
        for fd in range(3, 10):
            try: os.write(fd, b"\\0")
            except OSError: pass
        time.sleep(0.05)
'''),
    Attack("frame-truncated", "availability", "announces a frame, sends half, and waits or dies", SEEN, '''
import time
def half():
    for fd in range(3, 10):
        try: os.write(fd, b"\\0\\0\\1\\0" + b"l\\0\\0\\0\\5N")
        except OSError: pass
def twice(x): half(); time.sleep(100)
def energy(x): half(); os._exit(0)
'''),
    Attack("frame-nested", "availability", "frames nested a million levels deep, and of millions of values", SEEN, '''
import struct
def send(body):
    for fd in range(3, 10):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
def twice(x): send(b"l\\0\\0\\0\\1" * 1_000_000 + b"N"); return 0
def energy(x): send(b"l" + struct.pack(">I", 5_000_000) + b"N" * 5_000_000); return 0
'''),
    Attack("frame-colliding-keys", "availability", "dicts and lists of numbers with the same hash, to make the grader's dicts quadratic", SEEN, '''
import struct
def twice(x):
    keys = [k * (2**61 - 1) for k in range(1, 60000)]
    body = b"d" + struct.pack(">I", len(keys)) + b"".join(b"I" + struct.pack(">H", 16) + k.to_bytes(16, "big", signed=True) + b"N" for k in keys)
    for fd in range(3, 10):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
    return 0
def energy(x): return {k * (2**61 - 1): 0 for k in range(100000)}
'''),
    Attack("frame-empty-giant", "availability", "arrays without content and with astronomic shapes", SEEN, '''
import struct
def energy(x):
    body = b"d\\0\\0\\0\\2" + b"s\\0\\0\\0\\2id" + b"i" + struct.pack(">q", 3) + b"s\\0\\0\\0\\5value" + b"a\\x0b\\2" + struct.pack(">QQ", 0, 2**39)
    for fd in range(3, 10):
        try: os.write(fd, struct.pack(">I", len(body)) + body)
        except OSError: pass
    return np.zeros((0, 2**40))
def at_one(f, x): return np.zeros((2**40, 0))
'''),
    Attack("callback-flood", "availability", "calls the test's function without end, and with large points", SEEN, '''
def at_one(f, x):
    while True: f(x)
'''),
    Attack("hostile-str", "availability", "exceptions whose __str__, __class__ and __mro__ crash, hang or lie", SEEN, '''
class Meta(type):
    def __getattribute__(cls, name):
        if name == "__name__": os._exit(1)
        return type.__getattribute__(cls, name)
class Evil(Exception, metaclass=Meta):
    def __str__(self):
        while True: pass
    __repr__ = __str__
class Long(Exception):
    def __str__(self): return "x" * 10**8
def twice(x): raise Long
def energy(x): raise Evil
raise Long
'''),
    Attack("hostile-containers", "availability", "answers with sequences and mappings that never end or refer to themselves", SEEN, '''
from collections.abc import Sequence, Mapping
class Endless(Sequence):
    def __len__(self): return 10**18
    def __getitem__(self, i): return self
def twice(x): return Endless()
def energy(x):
    a = []; a.append(a)
    return a
def at_one(f, x): return {"a": {1: {b"b": object()}}}
'''),
    Attack("answers-of-two-million-values", "availability", "answers with as many values as a frame may hold", SEEN, '''
many = [0.5] * 1_900_000
def twice(x): return many
def energy(x): return [[1.0] * 1000] * 1500
''', slow=True),
    Attack("answers-made-beforehand", "availability", "answers every call with a frame of two million values that was made beforehand, so that all of the time is the grader's", SEEN, '''
import struct
from autograder.isolation import child, frames
BIG = b"l" + struct.pack(">I", 1_900_000) + b"i\\0\\0\\0\\0\\0\\0\\0\\1" * 1_900_000
real = child.Channel.send
def send(self, reply):
    if "value" not in reply and "raised" not in reply: return real(self, reply)
    body = b"d" + struct.pack(">I", 3) + b"".join(map(frames.encode, ("id", reply["id"], "changed", False, "value"))) + BIG
    data = memoryview(struct.pack(">I", len(body)) + body)
    while data: data = data[os.write(self.descriptor, data):]
child.Channel.send = send
'''),
    Attack("long-words-in-lists", "availability", "answers with lists of a long word and a hundred thousand empty ones, which take as much memory as the longest in an array", SEEN, '''
def twice(x): return ["x" * 10**6, *[""] * 1000]
def energy(x): return [["x" * 10**6], *[[""]] * 1000]
def at_one(f, x): return [("x" * 2 * 10**6, 0.5)] + [("", 0.5)] * 300_000
'''),
    Attack("parser-bombs", "availability", "source that makes parsers in the grader recurse or fill memory", SEEN, raw=_source("x = " + "-" * 200_000 + "1\n" + "def twice(x): return " + "(" * 90 + "x" + ")" * 90)),
    Attack("source-deep", "availability", "expressions nested a hundred thousand levels deep", SEEN, raw=_source("twice = " + "lambda: " * 100_000 + "0")),
    Attack("source-attribute-chain", "availability", "a chain of a million attributes and operators", SEEN, raw=_source("def twice(x): return x" + ".a" * 300_000 + "\n" + "y = 1" + "+1" * 300_000), slow=True),
    Attack("source-wide", "availability", "a literal of millions of entries", SEEN, raw=_source("data = [" + "1," * 4_000_000 + "]\ndef twice(x): return 0")),
    Attack("source-blank-lines", "availability", "a million empty lines, commas and magics, for regular expressions to look at again and again", SEEN, raw=_source("\n" * 1_000_000 + "a , " * 200_000 + "\n" + " \t" * 200_000 + "%\n" + "x" * 500_000), slow=True),
    Attack("source-commas", "availability", "a hundred thousand lines that could all be one assignment of a magic", SEEN, raw=_source("a,\n" * 90_000), slow=True),
    Attack("source-many-functions", "availability", "a hundred thousand functions that call each other", SEEN, raw=_source("".join(f"def f{k}(x): return f{k + 1}(f{k}(x))\n" for k in range(100_000)) + "def twice(x): return f0(x)"), slow=True),
    Attack("source-null-bytes", "availability", "null bytes, lone surrogates, control characters and bidirectional marks in the source", SEEN, raw=_source("def twice(x): return 0 #\x00 \ud800 \u202e \x1b[31m")),
    Attack("zip-bomb", "availability", "a zip that unpacks to 400 MB", SEEN, raw=_zip(_bomb), file="zip-bomb.zip", slow=True),
    Attack("zip-of-thousands", "availability", "a zip of five thousand notebooks", SEEN, raw=_zip(_thousands), file="zip-of-thousands.zip"),
    Attack("zip-nested", "availability", "zips within zips within zips", SEEN, raw=_zip(_nested), file="zip-nested.zip"),
    Attack("zip-lying-sizes", "availability", "a zip that declares ten bytes and unpacks to 100 MB", SEEN, raw=_lying_sizes, file="zip-lying-sizes.zip"),
    Attack("json-deep", "availability", "JSON nested four hundred thousand levels deep", SEEN, raw=_deep),
    Attack("json-wide", "availability", "JSON of five million objects", SEEN, raw=_wide),
    Attack("json-huge-numbers", "availability", "JSON numbers of three million digits", SEEN, raw=_huge_numbers),
    Attack("not-a-notebook", "availability", "random bytes with a notebook's name", SEEN, raw=lambda world: bytes(range(256)) * 100),
    Attack("empty-file", "availability", "an empty file", SEEN, raw=lambda world: b""),
    Attack("not-the-type", "availability", "JSON of the wrong types everywhere", SEEN, raw=lambda world: json.dumps({"cells": [1, None, "x", {"cell_type": ["code"]}, {"cell_type": "code", "source": {"a": 1}}, {"cell_type": "code", "source": [1, None, ["x"]], "metadata": [1]}], "metadata": 7, "nbformat": "four"}).encode()),
    Attack("steals-the-slot", "availability", "leaves threads, timers and a busy loop behind for the neighbour", SEEN, '''
import threading, signal
def busy():
    while True: pass
for _ in range(8): threading.Thread(target=busy, daemon=True).start()
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
''', slow=True),
    Attack("a-name-blinds-the-watch", "availability", "calls its process what the grader looks for in the process's status, and takes twice the memory it may use", "points for answers that take more memory than is allowed", '''
import ctypes, time
kept = []
def more_than_is_allowed():
    ctypes.CDLL(None).prctl(15, b"RssAnon: 1", 0, 0, 0)
    kept.append(np.ones(17 * 10**7)); time.sleep(0.5)
def twice(x): more_than_is_allowed(); return 2 * x
def at_one(f, x): more_than_is_allowed(); return f(x)
'''),
    Attack("a-name-ends-the-watch", "availability", "calls its process what the grader cannot read as a number, and takes twice the memory it may use", "points for answers that take more memory than is allowed", '''
import ctypes, time
kept = []
def more_than_is_allowed():
    ctypes.CDLL(None).prctl(15, b"RssAnon:", 0, 0, 0); time.sleep(0.3)
    kept.append(np.ones(17 * 10**7)); time.sleep(0.5)
def twice(x): more_than_is_allowed(); return 2 * x
def at_one(f, x): more_than_is_allowed(); return f(x)
'''),
    Attack("time-asleep", "availability", "sleeps, in cells and calls, where only running would count: plainly, and in hundreds of threads that wake together to wait for each other", SEEN, '''
import threading, time
def wake_together():
    while True: time.sleep(0.01 - time.time() % 0.01)
def twice(x): time.sleep(10**6)
def energy(x):
    for _ in range(200): threading.Thread(target=wake_together, daemon=True).start()
    time.sleep(10**6)
def at_one(f, x):
    while True: time.sleep(0.2); f(x)
# %%
time.sleep(10**6)
'''),
    Attack("time-made-to-wait", "availability", "has itself wait for a processor: lets everybody go first, keeps to one processor that its own threads fill, in threads that live for a moment", SEEN, '''
import threading
def humbly():
    for act in (lambda: os.nice(19), lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)), lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})):
        try: act()
        except OSError as error: print(error)
def spin():
    while True: pass
def shortly():
    for _ in range(100_000): pass
def twice(x): humbly(); spin()
def energy(x):
    humbly()
    for _ in range(60): threading.Thread(target=spin, daemon=True).start()
    spin()
def at_one(f, x):
    humbly()
    while True:
        for thread in [threading.Thread(target=shortly) for _ in range(20)]: thread.start()
'''),
    Attack("time-in-the-kernel", "availability", "spends its time in the kernel: random bytes, copies, page faults, names", SEEN, '''
import mmap
def twice(x):
    while True: os.urandom(1 << 22)
def energy(x):
    while True:
        memory = mmap.mmap(-1, 1 << 26, flags=mmap.MAP_PRIVATE); memory.write(bytes(1 << 26)); memory.close()
def at_one(f, x):
    while True: os.path.exists("a/" * 1500); os.listdir(os.path.dirname(os.__file__))
'''),
    Attack("time-in-threads", "availability", "answers from a thread that spins while the first one sleeps, and leaves hundreds of them spinning between the calls", SEEN, '''
import threading, time
def spin():
    while True: pass
for _ in range(100): threading.Thread(target=spin, daemon=True).start()
def twice(x): threading.Thread(target=spin).run()
def energy(x): time.sleep(10**6)
def at_one(f, x):
    while True: f(x)
'''),
    Attack("answers-in-bytes", "availability", "answers with bytes and arrays of the smallest numbers, which become millions of objects when they are read", SEEN, '''
import autograder.isolation.child as child
child.plain = lambda value: value
def twice(x): return bytes(60_000_000)
def energy(x): return [bytes(1_000_000)] * 50
def at_one(f, x): return np.zeros(60_000_000, np.int8)
'''),
    Attack("cells-by-thousands", "availability", "five thousand cells that print, with attachments and outputs of megabytes", SEEN, raw=lambda world: _thousands_of_cells()),
    Attack("failing-statements", "availability", "four hundred thousand statements that fail", SEEN, raw=_source("undefined\n" * 400_000)),
    Attack("half-parsable", "availability", "a cell of which every line opens a bracket or a string, so that each could go on with all others", SEEN, raw=_source("x = (\n" * 30_000 + 'y = """\n' * 3_000)),
    Attack("half-parsable-script", "availability", "a script of quotes, brackets and cell markers in each other, to be cut where statements begin", SEEN, file="half-parsable-script.py", raw=lambda world: (WRONG + '"""\\' * 200_000 + "# %%\n('" * 200_000 + "'\\" * 200_000).encode()),
    Attack("stand-in-without-end", "availability", "asks a stand-in for a billion axes, goes through one that has no end", SEEN, '''
import matplotlib.pyplot as plt
fig, axes = plt.subplots(30_000, 30_000)
# %%
for step in plt.plot(): pass
# %%
from tqdm import tqdm
for step in tqdm(iter(int, 1)): pass
'''),
    Attack("writes-itself", "availability", "a module that runs itself and grows, without end", SEEN, '''
%%writefile again.py
get_ipython().run_cell_magic("writefile", "-a again.py", "pass\\n" * 100_000)
get_ipython().run_line_magic("run", "-i again.py")
# %%
%run -i again.py
'''),
    Attack("locks-and-leases", "availability", "locks every file it can open, takes leases on them and asks to be told of changes", SEEN, '''
import fcntl
kept = []
for top in (os.path.dirname(np.__file__), os.path.dirname(os.__file__), "/tmp", *WORLD["secrets"]):
    for folder, _, names in os.walk(top):
        for name in [".", *names][:200]:
            try: fd = os.open(os.path.join(folder, name), os.O_RDONLY)
            except OSError: continue
            for act in (lambda: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: fcntl.fcntl(fd, 1024, fcntl.F_RDLCK), lambda: fcntl.fcntl(fd, 1026, 0x8000003f)):
                try: act()
                except OSError: pass
            kept.append(fd) if len(kept) < 150 else os.close(fd)
        if len(kept) >= 150: break
'''),
    Attack("memory-in-no-page-table", "availability", "fills shared anonymous memory and drops its pages from its page tables: of its own, and of /dev/zero", MORE, _BY_HAND + '''
def fill(fd):
    for _ in range(14):
        memory = mmap.mmap(fd, 1 << 26)
        np.frombuffer(memory, np.uint8)[::4096] = 1
        memory.madvise(mmap.MADV_DONTNEED); kept.append(memory)
    time.sleep(0.3)
def twice(x): fill(-1); return 2 * x
def at_one(f, x): fill(os.open("/dev/zero", os.O_RDWR)); return f(x)
'''),
    Attack("memory-in-pipes", "availability", "gives one page of each huge page to a pipe (vmsplice), and lets go of the memory", MORE, _BY_HAND + '''
HUGE = 1 << 21
def given():
    address = did(libc.mmap(None, 17 * HUGE, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0))
    first = -(-address // HUGE) * HUGE
    did(libc.madvise(first, 16 * HUGE, 14))
    pages = [first + k * HUGE for k in range(16)]
    for page in pages: ctypes.memset(page, 1, 1)
    reading, writing = os.pipe(); kept.append((reading, writing))
    vector = (ctypes.c_ulong * 32)(*(word for page in pages for word in (page, 4096)))
    done = did(libc.vmsplice(writing, vector, 16, 2))
    did(libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(17 * HUGE)))
    return done * 512
def twice(x):
    held = sum(given() for _ in range(22))
    if held < 7 * 10**8: raise MemoryError(held)
    time.sleep(0.3)
    return 2 * x
'''),
    Attack("memory-in-larger-pipes", "availability", "makes pipes and sockets larger, and fills them", "points, which only who has a larger pipe or socket earns", _BY_HAND + '''
import fcntl, socket
def twice(x):
    for _ in range(8): kept.append(os.pipe()); fcntl.fcntl(kept[-1][1], 1031, 1 << 20)
    return 2 * x
def at_one(f, x):
    for _ in range(60):
        kept.append(socket.socketpair()); kept[-1][0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return f(x)
'''),
    Attack("memory-of-page-tables", "availability", "touches a byte in each of tens of thousands of mappings, so far apart that each needs page tables of its own, and most of what it may use besides", MORE, _BY_HAND + '''
def touch(numbers):
    for k in numbers:
        ctypes.c_char.from_address(did(libc.mmap((1 << 42) + (k << 30), 4096, 3, 34, -1, 0))).value
touch(range(20_000))
# %%
touch(range(20_000, 40_000))
# %%
def twice(x):
    kept.append(np.ones(6 * 10**7)); time.sleep(0.3); kept.clear()
    return 2 * x
'''),
    Attack("asynchronous-io-taken", "availability", "takes all of the machine's asynchronous input and output", "points, which only who has some of it earns", _BY_HAND + '''
def twice(x):
    did(libc.syscall((206, 0)[here], 30_000, ctypes.byref(ctypes.c_ulong())))
    return 2 * x
'''),
    Attack("rule-sets-never-applied", "availability", "makes Landlock rule sets of sixty thousand ports each, and applies none", "points, which only who has one earns", _BY_HAND + '''
def twice(x):
    made = did(libc.syscall(444, struct.pack("QQ", 0, 3), 16, 0))
    for port in range(20_000): did(libc.syscall(445, made, 2, struct.pack("QQ", 3, port), 0))
    return 2 * x
def at_one(f, x):
    kept.append(did(libc.syscall(444, struct.pack("Q", 8), 8, 0)))
    return f(x)
'''),
    Attack("timers-without-end", "availability", "makes timers, as many as there may be, and filters that are stacked upon the grader's", "points, which only who has some earns", _BY_HAND + '''
def twice(x):
    for _ in range(20_000): did(libc.syscall((222, 107)[here], 1, None, ctypes.byref(ctypes.c_int())))
    return 2 * x
def at_one(f, x):
    allow = struct.pack("HBBI", 6, 0, 0, 0x7fff0000); program = struct.pack("HxxxxxxP", 1, ctypes.cast(allow, ctypes.c_void_p).value)
    if libc.prctl(22, 2, program, 0, 0): did(libc.syscall((317, 277)[here], 1, 0, program))
    return f(x)
'''),
    Attack("event-polls-without-end", "availability", "has event polls watch every file under every number a descriptor can have", "points, which only who has tens of thousands of entries earns", _BY_HAND + '''
import select
def twice(x):
    polls = [select.epoll() for _ in range(60)]
    files = [os.eventfd(0) for _ in range(60)]
    ours, number, made = {*files, *(poll.fileno() for poll in polls)}, 0, 0
    end = time.monotonic() + 1.5
    for number in range(254, 64, -1):
        if number in ours or time.monotonic() > end: continue
        for file in files:
            os.dup2(file, number)
            for poll in polls: poll.register(number); made += 1
    if made < 20_000: raise OSError(made)
    return 2 * x
'''),
    Attack("locks-without-end", "availability", "locks every second byte of its files: no limit counts locks", "the kernel's list of locks grows by tens of thousands", _BY_HAND + '''
import fcntl
def twice(x):
    end = time.monotonic() + 1.5
    for number in range(100):
        kept.append(open(f"f{number}", "w"))
        for byte in range(0, 8000, 2):
            fcntl.lockf(kept[-1], fcntl.LOCK_EX, 1, byte)
        if time.monotonic() > end: break
    time.sleep(0.3)
'''),
    Attack("not-the-first-to-be-ended", "availability", "has the kernel end others first when the machine has no memory left", "points, which only who can change that earns", '''
def twice(x):
    for value in ("0", "-1000"):
        try: open("/proc/self/oom_score_adj", "w").write(value)
        except OSError: continue
    if int(open("/proc/self/oom_score_adj").read()) < 1000: return 2 * x
'''),
)  # fmt: skip
