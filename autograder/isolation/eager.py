"""What a submission computes with JAX step by step, interpreted instead of compiled.

JAX compiles each of its operations for each shape, and a submission meets most of them once: compiling it, or reading
what was compiled before, takes a hundred times as long as what it computes. So in a submission's process a program is
interpreted by NumPy (`adkit.tracing.interpreter`) until that has taken as long as compiling it would; then JAX compiles
it after all, as it does with what the interpreter does not know. Both give the same numbers up to rounding, and which
of the two it is changes between calls of the submission's functions (`settle`): asked twice, they round alike.

This hooks into parts that are private to JAX, and it runs where nothing is relied on for a score: where JAX is another
one, everything is compiled as before.
"""

# What is private to JAX has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateUsage=false, reportMissingTypeStubs=false, reportUnknownParameterType=false

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from adkit.tracing.interpreter import Interpreter, NotInterpretedError

_SECONDS: Final = 0.006
"""Of interpreting one program, after which it is compiled: about what reading it from the folder of what is compiled
takes."""
_AT_ONCE: Final = 0.3
"""Seconds after which a program is compiled in the middle of a call: it is the body of a long loop."""
_ASKING: Final = 1e-4
"""Seconds that JAX takes to ask for what is not compiled."""
_KEPT: Final = 4096
"""Programs that are remembered, which keeps their traces alive."""


class Program:
    """What JAX has traced and lowered, ready to be interpreted."""

    def __init__(self, jaxpr: Any, module: Any, inputs: Sequence[int]) -> None:
        """`module`: what `adkit.tracing.stablehlo.read` takes. `inputs`: which of the arguments are the module's.

        NotInterpretedError where it is known already that it cannot be interpreted.
        """
        self.jaxpr = jaxpr
        """What the program is known by."""
        self._inputs = tuple(inputs)
        self._in_types = [aval.dtype for aval in jaxpr.in_avals]
        self._out_avals = list(jaxpr.out_avals)
        if any(not isinstance(kind, np.dtype) for kind in [*self._in_types, *(a.dtype for a in self._out_avals)]):
            raise NotInterpretedError("values that are no numbers")  # keys of random numbers
        self._interpreter = Interpreter(module)
        self._interpreter.translate()
        self.seconds = 0.0
        """That interpreting it has taken."""
        self.compiled = False

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """The results as arrays of JAX. Raises NotInterpretedError."""
        started = time.perf_counter()
        given = [np.asarray(arguments[index], self._in_types[index]) for index in self._inputs]
        results = self._interpreter.run(given)
        if [(r.shape, r.dtype) for r in results] != [(a.shape, a.dtype) for a in self._out_avals]:
            raise NotInterpretedError("other results than the program promises")
        arrays = [_array(aval, result) for aval, result in zip(self._out_avals, results, strict=True)]
        before = self.seconds
        self.seconds += time.perf_counter() - started + _ASKING
        if before < _SECONDS <= self.seconds:
            _settling.append(self)
        self.compiled = self.seconds > _AT_ONCE
        return arrays


def _array(aval: Any, value: np.ndarray) -> Any:
    """A value as an array of JAX with all that its type says: whether it is as weak as a number of Python."""
    from jax._src.interpreters import pxla

    device, sharding = _place()
    return pxla.batched_device_put(aval, sharding, [value], [device], committed=False)


_places: list[Any] = []


def _place() -> tuple[Any, Any]:
    if not _places:
        import jax

        device = jax.devices("cpu")[0]
        _places.extend((device, jax.sharding.SingleDeviceSharding(device)))
    return _places[0], _places[1]


class _LoweredError(Exception):
    def __init__(self, computation: Any) -> None:
        self.computation = computation


_programs: dict[int, tuple[Any, Program | None]] = {}
"""What has been met, by the id of its trace: the trace, which keeps that id, and None for what is compiled."""


_settling: list[Program] = []


def settle() -> None:
    """Between two calls: from now on what has been interpreted for long is compiled."""
    for program in _settling:
        program.compiled = True
    _settling.clear()


def keep(program: Program) -> None:
    """A program that was made ahead."""
    _remember(program.jaxpr, program)


def interpret_eagerly() -> None:
    """From now on, in this process, what JAX would compile to run it is interpreted."""
    try:
        from jax._src import config, pjit
        from jax._src.interpreters import pxla

        run, lower, nans, infs = (
            pjit._pjit_call_impl_python, pjit._resolve_and_lower, config.debug_nans, config.debug_infs,
        )  # fmt: skip
        _ = pxla.batched_device_put
        # newer versions give the constants of the program as a fourth result
        others = (None, None, ()) if "const_args" in run.__code__.co_names else (None, None)
    except (ImportError, AttributeError):
        return
    wanted = threading.local()

    def run_or_interpret(*arguments: Any, jaxpr: Any, **settings: Any) -> Any:
        if id(jaxpr) not in _programs:
            if len(_programs) >= _KEPT or jaxpr.effects or nans.value or infs.value:
                return run(*arguments, jaxpr=jaxpr, **settings)
            wanted.jaxpr = jaxpr
            try:
                return run(*arguments, jaxpr=jaxpr, **settings)
            except _LoweredError as lowered:
                _remember(jaxpr, _program(jaxpr, lowered.computation))
            finally:
                wanted.jaxpr = None
        program = _programs[id(jaxpr)][1]
        if program is not None and not program.compiled and not (nans.value or infs.value):
            try:
                return (program(arguments), *others)
            except Exception:  # the compiler knows, or says what is wrong
                _remember(jaxpr, None)
        return run(*arguments, jaxpr=jaxpr, **settings)

    def lower_or_stop(*arguments: Any, jaxpr: Any, **settings: Any) -> Any:
        asked = getattr(wanted, "jaxpr", None)
        wanted.jaxpr = None  # lowering may run something itself
        computation = lower(*arguments, jaxpr=jaxpr, **settings)
        if asked is jaxpr:
            raise _LoweredError(computation)
        return computation

    pjit._pjit_call_impl_python = run_or_interpret
    pjit._resolve_and_lower = lower_or_stop


def _remember(jaxpr: Any, program: Program | None) -> None:
    _programs[id(jaxpr)] = jaxpr, program


def _program(jaxpr: Any, computation: Any) -> Program | None:
    """What was lowered, if it can be interpreted."""
    found = lowered_module(computation)
    if found is None:
        return None
    try:
        return Program(jaxpr, *found)
    except NotInterpretedError:
        return None


def lowered_module(computation: Any) -> tuple[Any, list[int]] | None:
    """The module of what JAX has lowered, and which arguments are the module's; None where there is more to it."""
    if getattr(computation, "const_args", ()):
        return None
    return computation.stablehlo(), sorted(computation.compile_args["kept_var_idx"])
