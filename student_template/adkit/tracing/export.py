"""A function as an artefact: what JAX traced of it, as bytes that can be run and measured anywhere.

`measure(f, *args, transform=…)` traces `f` under a transformation of JAX, runs what was traced, and counts the linear
algebra in it (`adkit.tracing.counts`). The artefact is StableHLO, serialised by `jax.export`: no Python of `f` is left in it. So it
can be traced in one process and be run and counted in another.

What the transformations take and give (args are pytrees of arrays; `outputs` are the leaves from left to right; `static`
is Python data that is appended to the arguments of `f` and not traced; the first `leading` of it stand before them):

| transform        | args                        | outputs                                                                |
|------------------|-----------------------------|------------------------------------------------------------------------|
| `call`           | p1, …, pk                   | f(p1, …, pk)                                                           |
| `jit`            | p1, …, pk                   | jit(f)(p1, …, pk)                                                      |
| `vmap`           | p1, …, pk, each with a leading batch axis | vmap(f)(p1, …, pk), each with a leading batch axis       |
| `jvp`            | p1, …, pk, floats           | f(p1, …, pk), then its derivative along (p1, …, pk); refused by JAX where f has a `jax.custom_vjp` rule |
| `vjp`            | p1, …, pk, y_bar            | p1_bar, …, pk_bar                                                      |
| `vjp_at`         | p1, …, pk, of which the shapes are used | p1_bar, …, pk_bar at the point that is the first of `static` after the leading ones: a list of p1, …, pk, y_bar |
| `vjp_split`      | p1, …, pk, y_bar            | y, then p1_bar, …, pk_bar                                              |
| `vjp_vjp`        | p1, …, pk, y_bar, (p1_bar_bar, …, pk_bar_bar) | the vector-Jacobian product of (p1, …, pk) -> (p1_bar, …, pk_bar) with y_bar held fixed: again one array for each leaf of p1, …, pk |
| `value_and_grad` | p1, …, pk, floats           | f(p1, …, pk), a scalar, then its gradient by each leaf of p1, …, pk    |
| `vmap_grad`      | p1, …, pk, floats, each with a leading batch axis | vmap(grad(f))(p1, …, pk), the gradient of a scalar f by each leaf, each with a leading batch axis |

Where something is differentiated, integers among the args become floats. y_bar has the shape of f(p1, …, pk), which may be a tuple or a list; every cotangent has the shape of what it belongs to.

`vjp_at` is for what JAX differentiates but cannot trace, such as a loop of Python on values behind a `jax.custom_vjp`:
the derivative is computed where `f` is, at a point that is told, and the artefact says nothing but its numbers. Its
counts mean nothing, and arguments are single arrays.

`vjp_split` runs reverse mode as two artefacts. The forward pass gives y and the *residuals*: everything it hands to the backward
pass that is not itself an argument of `f` (the leaves of what `jax.vjp` returns, each value once; arguments are handed over
by the caller and are not counted). The backward pass gets the arguments, the residuals and y_bar.
"""  # noqa: E501  (the table)

# The types of what JAX traces, and of its trees, are partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from adkit.checks.autodiff import use_in_this_notebook
from adkit.checks.calling import in_time
from adkit.checks.case import name_of
from adkit.checks.errors import (
    CHANGED,
    CheckError,
    StubError,
    StudentError,
    describe,
    kinds_of,
    not_defined,
    own_line,
)
from adkit.stubs import is_stub
from adkit.tracing.counts import KINDS, Work, WorkError, count
from adkit.tracing.interpreter import Interpreter, NotInterpretedError
from adkit.tracing.stablehlo import Module, read
from adkit.tracing.transforms import (
    TRANSFORMS,
    ShapeOfResultError,
    SplitVjp,
    as_arrays,
    flat_function,
    inputs_of,
    primals_of,
    pulled_back_at,
)

__all__ = [
    "KINDS",
    "TRANSFORMS",
    "UNSTABLE_CUSTOM_CALLS",
    "Artefacts",
    "Measured",
    "Program",
    "Work",
    "WorkError",
    "count",
    "evaluate",
    "export",
    "export_plain",
    "measure",
]

UNSTABLE_CUSTOM_CALLS = tuple(
    f"lapack_{routine}_ffi"
    for routine in (
        *("sgeqp3", "dgeqp3", "cgeqp3", "zgeqp3"),
        *("sormqr", "dormqr", "cunmqr", "zunmqr"),
        *("sgesvd", "dgesvd", "cgesvd", "zgesvd"),
    )
)
"""LAPACK routines (QR with pivoting, products with Q, the SVD by QR iterations) of which JAX promises no stable form to
artefacts that are kept for months. Here an artefact is run at once, by the same version that made it."""

_COMPILER_OPTIONS: dict[str, Any] = {
    # An artefact runs once, so compiling is the cost. Without fusion a solve and its derivatives take a quarter of the
    # time to compile (JAX 0.10: 110 ms for 420).
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
_NO_SUCH_OPTION = re.compile("No such compile option: '([a-z_]+)'")


@dataclass(frozen=True)
class Artefacts:
    """A traced function: serialized `jax.export` artefacts, one, or two (forward, backward) for `vjp_split`.

    Each takes arrays: the leaves of the arguments; the backward pass takes the leaves of the primals, the
    residuals and the leaves of the cotangent.
    """

    transform: str
    modules: tuple[bytes, ...]


@dataclass(frozen=True)
class Measured:
    """What came out of one evaluation, and what it took.

    `outputs`   the leaves of the result, see the module's table.
    `work`      the whole evaluation's counts; with `vjp_split` the sum of the two passes.
    `residuals`, `forward_work`, `backward_work`   with `vjp_split` only, else None.
    """

    outputs: list[np.ndarray]
    work: Work
    residuals: list[np.ndarray] | None = None
    forward_work: Work | None = None
    backward_work: Work | None = None


def measure(
    f: Any,
    *args: Any,
    transform: str = "call",
    static: Sequence[Any] = (),
    leading: int = 0,
    autodiff: bool = False,
    run: bool = True,
) -> Measured:
    """Trace `f` on arrays like `args`, run what was traced on `args`, and count what it does.

    `transform`, `static`, `leading`: see the module's table. `autodiff`: whether `f` may use JAX's own differentiation.
    `run`: whether what was traced is run; if not, `outputs` is empty.
    Raises `adkit.checks.StudentError` if `f` cannot be traced (it uses NumPy on what it is given, say) or
    fails, and `ValueError` for arguments that do not fit the transform.
    """
    primals_of(args, transform)
    if getattr(f, "__autograder_proxy__", False):
        return f.measure(args, transform=transform, static=tuple(static), leading=leading, autodiff=autodiff, run=run)
    if not autodiff and callable(f):
        use = use_in_this_notebook(name_of(f))
        if use is not None:
            raise StudentError(use)
    inputs, primals = inputs_of(args, transform)
    known = _known_by(f, args, inputs, transform, static)
    read_in_time = partial(in_time, f"{name_of(f)}, as JAX traced it,", factor=2.0)  # as long as the grader allows
    if known in _kept:
        program, _ = _kept[known]
    else:
        artefacts: Artefacts = in_time(name_of(f), lambda: export(f, args, transform, static, leading))
        program = read_in_time(lambda: _program(artefacts, primals, len(inputs) - primals))
        if known is not None:
            _keep(known, program, sum(map(len, artefacts.modules)))
    return read_in_time(lambda: program.measure(inputs, run))


def export(
    f: Callable[..., Any], args: Sequence[Any], transform: str = "call", static: Sequence[Any] = (), leading: int = 0
) -> Artefacts:
    """Trace `f` on arrays of the shapes and types of `args`. Raises as `measure` does."""
    if f is None:
        raise not_defined()
    if not callable(f):
        raise StudentError(f"a function is needed, not {type(f).__name__}", ("TypeError",))
    _use_64_bit()
    inputs, primal_count = inputs_of(args, transform)
    primals = inputs[:primal_count]
    watched = _leaving_its_arguments(f, static[:leading])
    static = static[leading:]
    if transform == "vjp_at":
        numbers = _computed(lambda: pulled_back_at(watched, static[0], static[1:]), f)
        return Artefacts(transform, (_serialized(_export_flat(lambda *_: as_arrays(numbers), inputs, f)),))
    if transform != "vjp_split":
        flat = flat_function(watched, args, transform, static)
        return Artefacts(transform, (_serialized(_export_flat(flat, inputs, f)),))
    split = SplitVjp(watched, args, static)
    forward = _export_flat(split.forward, primals, f)
    residuals = forward.out_avals[len(forward.out_avals) - split.residuals :]
    backward = _export_flat(split.backward, [*primals, *residuals, *inputs[primal_count:]], f)
    return Artefacts(transform, (_serialized(forward), _serialized(backward)))


def export_plain(
    f: Callable[..., Any], args: Sequence[Any], transform: str = "call", static: Sequence[Any] = (), leading: int = 0
) -> dict[str, Any]:
    """As `export`, as plain data: {"transform": str, "artefacts": [bytes, …]}."""
    artefacts = export(f, args, transform, static, leading)
    return {"transform": transform, "artefacts": list(artefacts.modules)}


class Program:
    """Deserialised artefacts: counted once, and run as often as they are asked to.

    Of two, forward and backward, the forward pass gives as many results as there are cotangents, then the residuals.
    """

    def __init__(self, modules: Sequence[Any], primals: int, cotangents: int) -> None:
        """`modules`: of the type `jax.export.Exported`, or what `adkit.tracing.stablehlo.read` has made of them.
        `primals`, `cotangents`: how many arrays the arguments have of each; one artefact takes all of them.

        Raises `WorkError` if they cannot be counted.
        """
        _use_64_bit()
        self._primals, self._cotangents = primals, cotangents
        self._parts = [_Part(module) for module in modules]
        self._works = [count(self._parts[0].traced)]
        if len(modules) == 2:
            backward = self._parts[1].traced
            residuals = range(primals, len(backward.exported.in_avals) - cotangents)
            self._works.append(count(backward, own=residuals))

    def measure(self, inputs: Sequence[np.ndarray], run: bool = True) -> Measured:
        """Runs them on the leaves of the arguments, and says what that takes; or says it only."""
        if len(self._parts) == 1:
            return Measured(self._parts[0](inputs) if run else [], self._works[0])
        forward, backward = self._parts
        outputs: list[np.ndarray] = []
        residuals: list[np.ndarray] = []
        if run:
            primals, cotangents = inputs[: self._primals], inputs[self._primals :]
            results = forward(primals)
            results, residuals = results[: self._cotangents], results[self._cotangents :]
            outputs = [*results, *backward([*primals, *residuals, *cotangents])]
        return Measured(outputs, self._works[0] + self._works[1], residuals, *self._works)


class _Part:
    """One artefact, interpreted; compiled where the interpreter does not know it."""

    def __init__(self, module: Any) -> None:
        self.traced: Module = read(module)
        self._interpreter = Interpreter(self.traced)

    def __call__(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        import jax

        try:
            return self._interpreter.run(inputs)
        except NotInterpretedError:
            results = _compiled(jax.jit(self.traced.exported.call).lower(*inputs))(*inputs)
            return [np.array(result) for result in results]


def evaluate(artefacts: Artefacts, args: Sequence[Any], run: bool = True) -> Measured:
    """Runs and counts artefacts on arrays like those that the function was traced on; or counts only."""
    inputs, primals = inputs_of(args, artefacts.transform)
    return _program(artefacts, primals, len(inputs) - primals).measure(inputs, run)


def _program(artefacts: Artefacts, primals: int, cotangents: int) -> Program:
    from jax import export as jax_export

    modules = [jax_export.deserialize(bytearray(module)) for module in artefacts.modules]
    return Program(modules, primals, cotangents)


_kept: dict[Any, tuple[Program, int]] = {}
"""Programs, and the bytes that they were read from."""
_KEPT_BYTES = 1_000_000
"""Of all that is kept; read they take three hundred times as much. With more, those of before are forgotten."""
_own: set[int] | None = None
"""The functions, by their ids, whose programs are kept beside those of modules; None where none are kept."""


@contextmanager
def programs_kept(functions: Sequence[Callable[..., Any]] = ()) -> Generator[None]:
    """Until its end these functions, and those that are a module's own, are traced once for each shape of their
    arguments. The functions must stay alive.

    For a grader, which measures the same functions of its own for every submission. Not for a notebook, where a name
    may get another function.
    """
    global _own
    before, _own = _own, set(map(id, functions))
    try:
        yield
    finally:
        _own = before
        _kept.clear()


def _known_by(f: Any, args: Sequence[Any], inputs: Sequence[Any], transform: str, static: Sequence[Any]) -> Any:
    """What makes the program of `f`, if it is kept; else None."""
    from jax import tree_util

    if _own is None or static or not (id(f) in _own or _of_a_module(f)):
        return None
    return f, transform, tree_util.tree_structure(tuple(args)), tuple((leaf.shape, leaf.dtype) for leaf in inputs)


def _of_a_module(f: Any) -> bool:
    found: Any = sys.modules.get(getattr(f, "__module__", None) or "")
    for name in getattr(f, "__qualname__", "").split("."):
        found = getattr(found, name, None)
    return found is f


def _keep(known: Any, program: Program, size: int) -> None:
    if size + sum(kept for _, kept in _kept.values()) > _KEPT_BYTES:
        _kept.clear()
    if size <= _KEPT_BYTES:
        _kept[known] = program, size


def _compiled(lowered: Any) -> Any:
    """The program, compiled with those of the options that this version of XLA knows."""
    while True:
        try:
            return lowered.compile(compiler_options=_COMPILER_OPTIONS)
        except Exception as problem:
            unknown = _NO_SUCH_OPTION.search(str(problem))
            if unknown is None or _COMPILER_OPTIONS.pop(unknown[1], None) is None:
                raise


def _export_flat(flat: Callable[..., Any], inputs: Sequence[Any], f: Any) -> Any:
    import jax
    from jax import export as jax_export

    shapes = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in inputs]
    allowed = [jax_export.DisabledSafetyCheck.custom_call(routine) for routine in UNSTABLE_CUSTOM_CALLS]

    def exported() -> Any:
        return jax_export.export(jax.jit(flat), platforms=["cpu"], disabled_checks=allowed)(*shapes)

    try:
        with _without_debug_output():
            try:
                return exported()
            except Exception as problem:
                if not _calls_back(problem):
                    raise
                # a part that was traced before, with a jax.debug.print in it, is traced anew without
                jax.clear_caches()
                return exported()
    except CheckError:
        raise
    except (Exception, SystemExit) as problem:
        raise _untraceable(f, problem) from problem


def _computed(compute: Callable[[], Any], f: Any) -> Any:
    try:
        return compute()
    except CheckError:
        raise
    except (Exception, SystemExit) as problem:
        raise _untraceable(f, problem, "JAX differentiated it") from problem


def drop_debug_output() -> None:
    """From now on `jax.debug.print` and its kind do nothing: the grader asks what a function answers and what work it
    does, and a print left in from the search for a mistake is not part of either."""
    for primitive in _debug_primitives():
        primitive.bind = _binds_nothing


@contextmanager
def _without_debug_output() -> Generator[None]:
    dropped = [primitive for primitive in _debug_primitives() if "bind" not in vars(primitive)]
    for primitive in dropped:
        primitive.bind = _binds_nothing
    try:
        yield
    finally:
        for primitive in dropped:
            del primitive.bind


def _binds_nothing(*_arguments: Any, **_options: Any) -> list[Any]:
    return []


def _debug_primitives() -> list[Any]:
    """JAX's primitives for output alone; private to JAX, so that none may be found."""
    try:
        from jax._src import debugging
    except ImportError:
        return []
    names = ("debug_callback_p", "debug_print_p", "inspect_sharding_p")
    return [getattr(debugging, name) for name in names if hasattr(debugging, name)]


def _calls_back(problem: BaseException) -> bool:
    """Whether JAX refuses to export a function for what it calls. JAX raises bare exceptions there: its words are all
    that tells them apart, and this is the one place that looks at them."""
    return "host_callbacks" in str(problem) or "custom calls whose targets" in str(problem)


def _leaving_its_arguments(f: Callable[..., Any], leading: Sequence[Any]) -> Callable[..., Any]:
    """`f` with its first arguments given, which must leave the lists that it is given as they were: arrays cannot be
    written into while JAX traces."""
    from jax import tree_util

    def watched(*args: Any) -> Any:
        leaves, structure = tree_util.tree_flatten(args)
        result = f(*leading, *args)
        after, structure_after = tree_util.tree_flatten(args)
        if structure_after != structure or any(a is not b for a, b in zip(leaves, after, strict=True)):
            what = f"{_own_name(f)} changed its arguments; work on a copy (list(x)) or make new lists"
            raise StudentError(what, (CHANGED,))
        return result

    return watched


def _own_name(f: Any) -> str:
    name = getattr(f, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() else "your function"


def _serialized(exported: Any) -> bytes:
    return bytes(exported.serialize())


def _use_64_bit() -> None:
    """64-bit arrays even where JAX was imported, and its settings read, before adkit."""
    import jax

    if not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        jax.config.update("jax_enable_x64", True)


def _untraceable(f: Any, problem: BaseException, doing: str = "JAX traced it") -> StudentError:
    import jax

    name, kinds = _own_name(f), kinds_of(problem)
    where = own_line(problem.__traceback__)
    if is_stub(problem):
        return StubError(name, str(problem), kinds)
    if isinstance(problem, ShapeOfResultError):
        return StudentError(f"{name}: {problem}", kinds)
    if isinstance(problem, jax.errors.TracerArrayConversionError):
        why = "it uses NumPy on traced values; this case needs jax.numpy"
    elif isinstance(problem, jax.errors.ConcretizationTypeError):
        why = (
            "it uses the value of a traced array as a Python number or in an if or while; "
            "this case needs jax.numpy, and jnp.where or jax.lax.cond where the values decide"
        )
    elif _calls_back(problem):
        why = "it calls back into Python, or uses a routine of which JAX promises no stable form"
    else:
        return StudentError(f"{name} raised {describe(problem)} while {doing}{where}", kinds)
    return StudentError(f"{name} could not be traced by JAX: {why}{where}", ("UntraceableError", *kinds))
