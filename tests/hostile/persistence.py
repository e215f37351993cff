"""Attacks that outlive their grading: processes, files, caches that the next submission or the grader would meet."""

from hostile.attack import Attack

ALIVE = "a process of the submission is alive afterwards"
FOUND = "a file with the token outside the scratch folder, or a neighbour's score that changed"

ATTACKS = (
    Attack("double-fork", "persistence", "forks twice, with setsid, ignoring signals, and waits", ALIVE, '''
import signal, time
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
except OSError as error: print(error)
'''),
    Attack("clone-by-hand", "persistence", "clones by raw system calls: clone, clone3, vfork, with CLONE_PARENT", ALIVE, '''
import ctypes, time
libc = ctypes.CDLL(None)
for flags in (17, 0x8000 | 17, 0x4000 | 0x100 | 17, 0x10000000 | 17, 0x100 | 0x800 | 17):
    if libc.syscall(56, flags, 0, 0, 0, 0) == 0: time.sleep(600)
arguments = (ctypes.c_ulong * 11)(0, 0, 0, 0, 17)
if libc.syscall(435, ctypes.byref(arguments), 88) == 0: time.sleep(600)
'''),
    Attack("threads-outlive-the-main-one", "persistence", "ends its main thread and lives on in another, without dying with its parent", ALIVE, '''
import ctypes, threading, time
libc = ctypes.CDLL(None)
libc.prctl(1, 0); libc.prctl(36, 1); libc.prctl(4, 0)
threading.Thread(target=time.sleep, args=(600,)).start()
libc.syscall(60, 0)
'''),
    Attack("poisons-bytecode", "persistence", "writes __pycache__ and .pth files for the next import", FOUND, '''
import importlib.util, adkit, jax
for module in (adkit, np, jax):
    folder = os.path.dirname(module.__file__)
    for path in (f"{folder}/__pycache__/{WORLD['token']}.pyc", f"{os.path.dirname(folder)}/{WORLD['token']}.pth", f"{folder}/{WORLD['token']}.py"):
        try: os.makedirs(os.path.dirname(path), exist_ok=True); open(path, "wb").write(b"x")
        except OSError as error: print(type(error).__name__)
'''),
    Attack("poisons-home", "persistence", "leaves IPython, Jupyter, matplotlib and shell configuration in every home", FOUND, '''
for home in {os.path.expanduser("~"), "/root", "/home", "/", os.environ.get("TMPDIR", "/tmp"), "/etc", WORLD["home"]}:
    for name in (".ipython/profile_default/startup/0.py", ".jupyter/jupyter_config.py", ".config/matplotlib/matplotlibrc", ".bashrc", ".profile", ".pythonrc.py", "usercustomize.py", ".netrc", ".ssh/authorized_keys"):
        try: os.makedirs(os.path.dirname(f"{home}/{name}"), exist_ok=True); open(f"{home}/{name}", "a").write("raise SystemExit # " + WORLD["token"])
        except OSError: pass
'''),
    Attack("poisons-compile-cache", "persistence", "turns on JAX's persistent cache in shared folders and fills it", FOUND, '''
import jax, jax.numpy as jnp
for folder in ("/tmp/jax-" + WORLD["token"], "/dev/shm/jax-" + WORLD["token"], WORLD["markers"] + "/jax-" + WORLD["token"]):
    try:
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.jit(lambda x: x * 3 + len(folder))(jnp.ones(3))
    except Exception as error: print(type(error).__name__)
'''),
    Attack("poisons-the-template", "persistence", "changes modules in its memory, and hopes that the next fork has them", "a neighbour's score that changed", '''
import builtins, json
np.array = np.asarray = np.zeros = lambda *a, **k: None
builtins.len = lambda x: 0
json.loads = None
from autograder.isolation import child, frames
frames.encode = frames.decode = None
'''),
    Attack("shared-memory", "persistence", "leaves System V and POSIX shared memory, semaphores, queues and keys", FOUND, '''
import ctypes
libc = ctypes.CDLL(None)
for key in range(1, 20):
    libc.shmget(key, 4096, 0o1777); libc.semget(key, 1, 0o1777); libc.msgget(key, 0o1777)
libc.syscall(248, b"user", WORLD["token"].encode(), b"x", 1, -3)
libc.shm_open(("/" + WORLD["token"]).encode(), 0o102, 0o777)
libc.mq_open(("/" + WORLD["token"]).encode(), 0o102, 0o777, None)
'''),
    Attack("scratch-trap", "persistence", "a scratch folder that is hard to remove: deep, unreadable, links out, names that are no text", "something outside changed, or the scratch folder is left", '''
os.makedirs("a/b/c"); open("a/b/c/f", "w")
os.symlink(WORLD["markers"], "out"); os.symlink(WORLD["hidden_test"], "a/link"); os.symlink("/", "a/b/root")
os.mkdir(b"\\xff\\xfe\\x01"); open(b"\\xff\\xfe\\x01/\\x80", "w"); os.mkfifo("fifo")
for _ in range(300):
    os.mkdir("d" * 200); os.chdir("d" * 200)
os.chdir(os.environ["HOME"])
for path in ("a/b/c", "a/b", "a"): os.chmod(path, 0)
os.chmod(".", 0)
'''),
    Attack("answers-later", "persistence", "a thread keeps the channel and answers the next submission's calls", "a neighbour's score that changed", '''
import threading, time
from autograder.isolation import frames
def answer():
    time.sleep(0.2)
    for number in range(3000):
        for fd in range(3, 10):
            try: os.write(fd, frames.frame({"id": number, "value": 0}))
            except OSError: pass
threading.Thread(target=answer, daemon=False).start()
'''),
)  # fmt: skip
