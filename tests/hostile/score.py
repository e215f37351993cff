"""Attacks on the score: points without right answers."""

import json

from autograder.submissions.read import demonstration_digest
from hostile.attack import RIGHT, WRONG, Attack, notebook

SEEN = "a score above what right answers deserve"


def _demonstrations():
    """Cells whose metadata says that they need not be run, in every wrong way and in the right one."""
    sources = [WRONG, "def twice(x): return x + 4", "import sys; sys.modules.clear()", "def at_one(f, x): return f"]
    marks = [demonstration_digest(sources[1]), [demonstration_digest(sources[2])], {"a": 1}, True, None, "x" * 10**6]
    content = json.loads(notebook(sources * 6))
    for number, cell in enumerate(content["cells"]):
        cell["id"] = "the-same"
        if number >= len(sources):
            cell["metadata"] = {"demonstration": marks[number % len(marks)], "tags": {"otter_ignore": 1}, "otter": "x"}
    return json.dumps(content).encode()


ATTACKS = (
    Attack("patched-checks", "score", "replaces every check of adkit by one that passes", SEEN, '''
import adkit.checks as checks
for name in dir(checks):
    if callable(getattr(checks, name)) and not isinstance(getattr(checks, name), type):
        setattr(checks, name, lambda *a, **k: None)
sys.modules["adkit.checks"] = checks
'''),
    Attack("patched-numpy", "score", "makes every NumPy and JAX comparison true", SEEN, '''
import jax, jax.numpy as jnp
class Yes:
    def __bool__(self): return True
    def __getattr__(self, name): return lambda *a, **k: Yes()
for module in (np, jnp, np.testing):
    for name in ("allclose", "array_equal", "isclose", "all", "any", "max", "abs", "assert_allclose", "isfinite"):
        setattr(module, name, lambda *a, **k: Yes())
'''),
    Attack("patched-builtins", "score", "replaces builtins that tests use (abs, all, len, isinstance, AssertionError)", SEEN, '''
import builtins
builtins.abs = lambda x: 0
builtins.all = builtins.any = lambda *a: True
builtins.isinstance = lambda *a: True
builtins.AssertionError = type("Never", (BaseException,), {"__init__": lambda self, *a: None})
'''),
    Attack("lying-equality", "score", "answers with an object that equals everything", SEEN, '''
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __float__(self): return 6.0
    def __array__(self, *a, **k): return np.zeros(())
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __sub__
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
def twice(x): return Equal()
energy = twice
def at_one(f, x): return Equal()
'''),
    Attack("lying-subclasses", "score", "answers with subclasses of int, float, list and ndarray that lie about themselves", SEEN, '''
class I(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
class A(np.ndarray):
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
def twice(x): return I(0)
def energy(x): return np.zeros(()).view(A)
def at_one(f, x): return np.zeros(()).view(A)
'''),
    Attack("proxy-pretender", "score", "pretends to be one of the grader's proxies", SEEN, '''
class Pretender:
    __autograder_proxy__ = True
    __name__ = "twice"
    def __call__(self, *a, **k): return 0
    def measure(self, *a, **k):
        from adkit.tracing.export import Measured, Work
        return Measured([np.array(7.125)], Work(0))
twice = Pretender()
energy = Pretender()
'''),
    Attack("always-nan", "score", "answers with NaN, which some comparisons let pass", SEEN, '''
def twice(x): return float("nan")
def energy(x): return x.sum() * np.nan
def at_one(f, x): return np.nan
'''),
    Attack("broadcast", "score", "answers with shapes that broadcast against the right one", SEEN, '''
def twice(x): return [6]
def energy(x): return np.full((1, 1), 7.0)
def at_one(f, x): return np.full((1,), 3.0)
'''),
    Attack("frames-inspected", "score", "walks the stack and the heap for the test's frame and the expected value", SEEN, '''
import gc
def search():
    frame = sys._getframe()
    while frame is not None:
        for name, value in {**frame.f_locals, **frame.f_globals}.items():
            if name in ("expected", "reference", "checks"): return value
        frame = frame.f_back
    for thing in gc.get_objects():
        if callable(thing) and getattr(thing, "__name__", "").startswith("test_q"): return thing
def twice(x): return search()
'''),
    Attack("trace-hooks", "score", "leaves trace, profile and audit hooks behind for the test's code", SEEN, '''
import threading
def trace(frame, event, arg):
    for name in ("expected", "actual", "passed"):
        if name in frame.f_locals: frame.f_locals[name] = True
    return trace
sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
sys.addaudithook(lambda event, args: None)
'''),
    Attack("results-forged-in-words", "score", "prints what graders print: results, pickles, JSON with full points", SEEN, '''
import json
for text in ('{"score": 10, "tests": [{"score": 10, "max_score": 10}]}', "q1 results: All test cases passed!"):
    print(text); print(text, file=sys.stderr); os.write(1, text.encode() + b"\\n")
for name in ("results.json", "results.pkl", ".OTTER_LOG", "final_grades.csv", "run.json", "journal.jsonl"):
    try: open(name, "w").write('{"score": 10}')
    except OSError: pass
'''),
    Attack("forged-reply", "score", "writes replies with passing verdicts to every descriptor before it is asked", SEEN, '''
from autograder.isolation import frames
def flood():
    for number in range(1, 40):
        for value in ({"id": number, "value": True, "passed": True, "score": 10, "points": 10},
                      {"id": number, "result": {"passed": True}}):
            for fd in range(0, 12):
                try: os.write(fd, frames.frame(value))
                except OSError: pass
flood()
'''),
    Attack("forged-early-replies", "score", "a thread answers later calls before they are made", SEEN, '''
import threading, time
from autograder.isolation import frames
def answers():
    for number in range(2, 2000):
        for fd in range(3, 10):
            try: os.write(fd, frames.frame({"id": number, "value": 6.0, "changed": False}))
            except OSError: pass
        time.sleep(0.0005)
threading.Thread(target=answers, daemon=True).start()
'''),
    Attack("replies-with-array-ids", "score", "replies whose id is an array, equal to every number entry by entry", SEEN, '''
from autograder.isolation import frames
def twice(x):
    for fd in range(3, 10):
        try: os.write(fd, frames.frame({"id": np.arange(50), "value": 6, "changed": np.zeros(3)}))
        except OSError: pass
    import time; time.sleep(9)
'''),
    Attack("objects-in-replies", "score", "sends the grader a frame with an object (a callable, a graph) to rebuild", SEEN, '''
from autograder.isolation import frames
def twice(x):
    for kind in ("callable", "graph", "node"):
        for fd in range(3, 10):
            try: os.write(fd, frames.frame({"id": 2, "value": frames.Object(kind, 0)}))
            except OSError: pass
    import time; time.sleep(9)
'''),
    Attack("replayed-answers", "score", "records the frames of right answers and replays them for other calls", SEEN, '''
from autograder.isolation import child, frames
real = frames.frame
def replay(value, **options):
    if isinstance(value, dict) and "value" in value: value = {**value, "value": 6}
    return real(value, **options)
child.frames.frame = frames.frame = replay
''', deserves=1.0),
    Attack("remembers-calls", "score", "answers differently when asked again, by counting its calls", SEEN, '''
count = 0
def twice(x):
    global count
    count += 1
    return 6 if count % 2 else np.ones(3)
def energy(x):
    global count
    count += 1
    return np.ones((2, 2)) if count % 2 else 7.0
'''),
    Attack("knows-it-is-graded", "score", "answers rightly only outside of the grader", SEEN, '''
graded = "autograder.isolation.child" in sys.modules
def twice(x): return 0 if graded else 2 * x
'''),
    Attack("says-not-changed", "score", "changes its arguments to what a test wants to see", SEEN, '''
def energy(x):
    x[...] = 0
    return 7.0
def at_one(f, x):
    x *= 0
    return 3.0
''', deserves=2.0),
    Attack("callbacks-forged", "score", "forges callbacks: unknown functions, text, deep lists, negative numbers", SEEN, '''
from autograder.isolation import frames
deep = 1.0
for _ in range(25): deep = [deep]
def at_one(f, x):
    for number, point in ((-1, x), (99, x), (True, x), (np.zeros(2), x), (0, "text"), (0, deep), (0, np.zeros((5, 5)))):
        for fd in range(3, 10):
            try: os.write(fd, frames.frame({"callback": number, "x": point}))
            except OSError: pass
    return 3.0
''', deserves=1.0),
    Attack("artefact-of-another-function", "score", "exports a constant instead of its function and says it was traced", SEEN, '''
import adkit.tracing.export as artefact, jax, jax.numpy as jnp
real = artefact.export_plain
def forged(f, args, transform, static=(), leading=0):
    return real(lambda *a: jnp.float64(7.125) + 0 * a[0].sum(), args, transform, static, leading)
artefact.export_plain = forged
''', deserves=3.0),
    Attack("artefact-of-the-answer", "score", "computes the answer while it is traced, from the values it finds on the stack, and exports it as a constant", SEEN, '''
import adkit.tracing.export as artefact, jax, jax.numpy as jnp
real = artefact.export_plain
def forged(f, args, transform, static=(), leading=0):
    answer = np.float64(0.5 * sum(float((np.asarray(a) ** 2).sum()) for a in args))
    return real(lambda *a: jnp.float64(answer) + 0 * a[0].sum(), args, transform, static, leading)
artefact.export_plain = forged
'''),
    Attack("artefact-with-counts", "score", "puts counts and a verdict into the reply beside the artefact", SEEN, '''
import adkit.tracing.export as artefact
real = artefact.export_plain
def forged(f, args, transform, static=(), leading=0):
    plain = real(f, args, transform, static, leading)
    return {**plain, "work": {"products": 0}, "outputs": [np.array(7.125)], "measured": True, "result": {}}
artefact.export_plain = forged
'''),
    Attack("artefact-lapack-out-of-shape", "score", "beside the right answer, calls LAPACK with a result shorter than what is written into it", SEEN, '''
import jax, jax.numpy as jnp
def energy(x):
    if isinstance(x, np.ndarray): return 0.0
    shapes = (jax.ShapeDtypeStruct((2, 2), np.float64), jax.ShapeDtypeStruct((1,), np.int32), jax.ShapeDtypeStruct((), np.int32))
    pivots = jax.ffi.ffi_call("lapack_dgetrf_ffi", shapes, input_layouts=[(1, 0)], output_layouts=[(1, 0), (0,), ()])(x)[1]
    return 0.5 * (x * x).sum() + jnp.minimum(jnp.abs(pivots.sum()), 0)
'''),
    Attack("artefact-sort-by-no-order", "score", "beside the right answer, sorts by <=, with which std::sort runs past the ends of the array", SEEN, '''
import dataclasses, jax, jax.numpy as jnp, adkit.tracing.export as artefact
from adkit.tracing.counts import parse
from jax import export
from jax.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo
real = artefact.export_plain
def energy(x): return 0.0
def forged(f, args, transform, static=(), leading=0):
    least = lambda x: jnp.minimum(jnp.abs(jax.lax.sort(x.ravel(), is_stable=False)[0]), 0)
    plain = real(lambda x: 0.5 * (x * x).sum() + least(x), args, transform, static, leading)
    exported = export.deserialize(bytearray(plain["artefacts"][0]))
    text = str(parse(exported)).replace("compare LT", "compare LE").replace("compare  LT", "compare  LE")
    with mlir.make_ir_context(): code = stablehlo.serialize_portable_artifact(ir.Module.parse(text), stablehlo.get_current_version())
    return {"artefacts": [bytes(dataclasses.replace(exported, mlir_module_serialized=code).serialize())]}
artefact.export_plain = forged
'''),
    Attack("artefact-counts-hidden-in-calls", "score", "hides matrix products in a scan inside a call inside a call", SEEN, '''
import jax, jax.numpy as jnp
def energy(x):
    @jax.jit
    def inner(m):
        return jax.lax.scan(lambda c, _: (c + 0 * (m @ m.T), None), jnp.zeros((m.shape[0], m.shape[0])), None, length=3)[0]
    m = jnp.atleast_2d(x)
    return 0.5 * (x * x).sum() + inner(m).sum() * 0
''', deserves=1.0),
    Attack("functions-swapped-later", "score", "swaps its functions for other kinds of objects between calls", SEEN, '''
class Swapping:
    def __call__(self, x):
        globals()["twice"] = 6
        sys.modules["__main__"].__dict__["twice"] = None
        return 6
twice = Swapping()
''', deserves=0.0),
    Attack("raises-what-is-expected", "score", "raises AssertionError, CheckError, SystemExit and KeyboardInterrupt at the grader", SEEN, '''
from adkit import checks
def twice(x): raise SystemExit(0)
def energy(x): raise KeyboardInterrupt
def at_one(f, x): raise checks.CheckError("passed")
'''),
    Attack("pickled-answers", "score", "answers with pickles and bytes of pickles that would run code when loaded", SEEN, '''
import pickle
class Boom:
    def __reduce__(self): return (os.system, ("touch " + WORLD["markers"] + "/" + WORLD["token"],))
def twice(x): return pickle.dumps(Boom())
def energy(x): return np.array([Boom()], dtype=object)
def at_one(f, x): return Boom()
'''),
    Attack("shadowing-modules", "score", "writes otter.py, adkit.py, numpy.py, sitecustomize.py into its folder", SEEN, '''
for name in ("otter", "adkit", "numpy", "reference", "autograder", "sitecustomize", "usercustomize", "conftest"):
    for folder in (".", WORLD["course"], os.path.dirname(WORLD["hidden_test"])):
        try: open(os.path.join(folder, name + ".py"), "w").write("raise SystemExit(0)\\n# " + WORLD["token"])
        except OSError: pass
'''),
    Attack("right-answers-only-for-public-inputs", "score", "a table of the public inputs", "more than the public points", '''
def twice(x): return {3: 6}.get(x, 0)
def energy(x): return 7.0 if x.shape == (3,) else x.sum() * 0
def at_one(f, x): return 3.0
''', deserves=3.0),
    Attack("template-patched", "score", "patches the child's own serving code, so that it answers for every function", SEEN, '''
from autograder.isolation import child
child._call = lambda notebook, request: {"value": True, "changed": False, "passed": True, "points": 99}
child._export = child._call
'''),
    Attack("uses-the-reference-it-finds", "score", "looks for the references, where graders and containers keep them, and answers with them", SEEN, '''
import time
end = time.monotonic() + 1.5
for top in (WORLD["course"], "/autograder", "/proc/self/root/autograder", "/opt", WORLD["repository"] + "/tests", "/tmp"):
    for folder, _, files in os.walk(top):
        if "vault.py" in files:
            try: exec(open(os.path.join(folder, "vault.py")).read())
            except OSError as error: print(type(error).__name__)
        if time.monotonic() > end: break
for name in ("reference.vault", "vault"):
    try: exec("from " + name + " import twice, energy, at_one")
    except ImportError: pass
'''),
    Attack("honest", "score", "nothing: an honest submission has its exact score", "a score other than 10", base=RIGHT, deserves=10.0),
    Attack("numbers-at-the-edges", "score", "answers with numbers that overflow, underflow and cancel in a comparison: infinities, the largest, the smallest, both zeros, NaN with a content", SEEN, '''
edges = [np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, -0.0, np.array([0x7ff8dead00000001]).view(np.float64)[0], np.uint64(2**64 - 1), np.int64(-2**63), complex(np.nan, 0), np.float16(np.inf), np.array(1e308) * np.ones(()), np.longdouble(1) / 3]
state = {"call": 0}
def edge():
    state["call"] += 1
    return edges[state["call"] // 2 % len(edges)]
def twice(x): return edge()
def energy(x): return edge()
def at_one(f, x): return edge()
'''),
    Attack("arrays-that-lie-about-memory", "score", "answers with structured, overlapping, reversed, big-endian and object arrays", SEEN, '''
kinds = iter([
    np.array([(6.0, 6.0)], dtype=[("a", "f8"), ("b", "f8")]), np.lib.stride_tricks.as_strided(np.array([6.0]), (3, 3), (0, 0)), np.array(6.0, ">f8")[None][::-1],
    np.array(["6"]), np.array([6.0, None], object), np.array(6, "m8[s]"), np.ma.masked_all(()), np.array([b"6"]), np.recarray((1,), dtype=[("x", "f8")]), np.zeros((1,) * 32),
] * 20)
def twice(x): return next(kinds)
def energy(x): return next(kinds)
def at_one(f, x): return next(kinds)
'''),
    Attack("traces-differently-each-time", "score", "is one function when it is traced for the counts and another when it is asked for values", SEEN, '''
import jax, jax.numpy as jnp
state = {"traced": 0}
def energy(x):
    if isinstance(x, jax.core.Tracer):
        state["traced"] += 1
        return jnp.trace(x @ x.T) / 2 if state["traced"] % 2 else jnp.float64(0) * x.sum()
    return 0.0
'''),
    Attack("artefact-counts-hidden-in-regions", "score", "hides matrix products in branches, in loops without a fixed number of turns, in scalar functions of sorts and scatters", SEEN, '''
import jax, jax.numpy as jnp
def energy(x):
    m = jnp.atleast_2d(x)
    hidden = jax.lax.while_loop(lambda c: c[0] < (m[0, 0] * 0 + 3), lambda c: (c[0] + 1, jax.lax.cond(c[0] > 5, lambda a: a, lambda a: a @ a.T * 0 + a, c[1])), (m[0, 0] * 0, m @ m.T))[1]
    return 0.5 * jnp.trace(hidden)
''', deserves=1.0),
    Attack("callbacks-kept-for-later", "score", "keeps the test's function and asks it in other calls, from threads, and while it is being asked", SEEN, '''
import threading
kept = []
def ask(x):
    for f in kept:
        threads = [threading.Thread(target=f, args=(np.ones(3),)) for _ in range(3)]
        for thread in threads: thread.start()
        try: f(np.full(3, np.nan)); f(f)
        except Exception as error: print(type(error).__name__)
        for thread in threads: thread.join(0.3)
def at_one(f, x): kept.append(f); ask(x); return 0.0
def twice(x): ask(x); return 0
def energy(x): ask(x); return 0.0
'''),
    Attack("demonstrations-forged", "score", "cells that pass for demonstrations, with metadata of wrong types and the same ids", SEEN, raw=lambda world: _demonstrations()),
    Attack("modules-of-the-grader", "score", "writes modules with the names of the grader's own into its folder, to be imported by whoever looks there", "points for wrong answers", '''
%%writefile sitecustomize.py
import builtins
# %%
for name in ("numpy", "jax", "adkit", "autograder", "reference", "otter", "flatbuffers", "json", "checks"):
    text = "def __getattr__(name): return lambda *a, **k: True\\n"
    get_ipython().run_cell_magic("writefile", f"{name}.py", text)
    try: os.mkdir(name)
    except OSError: pass
    get_ipython().run_cell_magic("writefile", f"{name}/__init__.py", text)
'''),
    Attack("stand-ins-as-answers", "score", "answers with stand-ins, which take part in anything", "points for wrong answers", '''
import matplotlib.pyplot as plt
class Equal(type(plt.x)):
    def __eq__(self, other): return True
    def __array__(self, *a, **k): return np.zeros(())
    def __float__(self): return 1.0
    def __iter__(self): return iter([self])
def twice(x): return plt.plot(x)
def energy(x): return Equal("x", "y")
def at_one(f, x): return f(plt.plot(x))
'''),
)  # fmt: skip
