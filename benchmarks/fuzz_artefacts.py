"""Fuzzing the audit of artefacts: `python benchmarks/fuzz_artefacts.py [--count N] [--run M] [--resume FILE]`.

Artefacts are well-formed StableHLO made in two ways: a call of LAPACK as JAX makes it, bare, with its shapes, types,
attributes, layouts, aliases, target, number of operands and results, uses and surroundings changed; and whole functions
that JAX exported, with lengths, numbers, directions and operations of their text exchanged. All go through the audit.
What it lets through, up to M, is compiled and run in a process that may die, twice, with new memory filled by two
different bytes (`mallopt`) and the heap checked by glibc. Nothing may crash it, and the two runs must agree in every
bit: a difference is memory that was read before it was written.

--resume FILE keeps what was done in FILE and goes on from there. `--without signatures` runs what is refused for a
call's signature or a sort's comparison alone: it must find crashes and differences, or the fuzzing is blind. The last
line printed is for RECORDS.md. Ends with 1 after a crash or a difference.
"""

import argparse
import contextlib
import ctypes
import dataclasses
import glob
import json
import os
import pickle
import random
import re
import resource
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import jax
import jax.numpy as jnp
import linear_algebra
import numpy as np
from adkit.tracing import export as artefact
from adkit.tracing.counts import parse
from jax import export as jax_export
from jax import lax
from jax._src.export import _export
from jax.core import ShapedArray
from jax.interpreters import mlir
from jaxlib.mlir import ir

from autograder.isolation import audit as auditing
from autograder.isolation import lapack
from autograder.isolation.audit import ArtefactError, audit
from autograder.isolation.mlir import array_type, attribute_names

JOB_SECONDS = 60
_DTYPES = {
    "f32": "float32", "f64": "float64", "i32": "int32", "i64": "int64", "ui32": "uint32", "i1": "bool",
    "complex<f32>": "complex64", "complex<f64>": "complex128",
}  # fmt: skip
_LENGTHS = (0, 1, 2, 3, 4, 5, 7, 16, 64, 300)
_PERTURB = -6
"""mallopt's M_PERTURB: new memory is filled with the complement of this byte."""

OTHERS: dict[str, Callable[[Any], Any]] = {
    "sort": lambda a: jnp.sort(a),
    "unstable sort": lambda a: lax.sort((a, a * 2, a > 0), num_keys=2, is_stable=False),
    "complex sort": lambda a: jnp.sort(a + 1j),
    "top_k": lambda a: lax.top_k(a, 2),
    "fft": lambda a: jnp.fft.irfft2(jnp.fft.rfft2(a)),
    "convolution": lambda a: lax.conv_general_dilated(a[None, None], a[None, None], (1, 1), "SAME"),
    "window": lambda a: jax.grad(lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2, 2), (1, 1), "VALID").sum())(a),
    "random": lambda a: jax.random.normal(jax.random.key(0, impl="rbg"), (3,)) + a,
    "gather": lambda a: a[jnp.argsort(a[0])][:, ::-1],
    "scatter": lambda a: a.at[jnp.argsort(a[0]), 0].add(a[1]),
    "scan": lambda a: lax.scan(lambda c, row: (jnp.tanh(c + row), c), a[0], a),
    "while": lambda a: lax.while_loop(lambda v: v.sum() < 3, lambda v: jnp.abs(v) + 1, a),
    "branches": lambda a: lax.switch(jnp.argmax(a[0]), [jnp.sin, jnp.cos, jnp.tan], a),
    "pad": lambda a: lax.pad(a, 0.0, ((1, 2, 1), (0, -1, 0))),
    "dynamic": lambda a: lax.dynamic_update_slice(a, lax.dynamic_slice(a, (1, 0), (2, 2)), (a[0, 0].astype(int), 1)),
    "functions": lambda a: jax.scipy.special.erf(a) + jax.scipy.special.gammaln(a) + jnp.sinh(a),
    "product": lambda a: jnp.einsum("ij,kj,k->i", a, a, a[0]),
}


# ---------------------------------------- making


@dataclasses.dataclass
class Call:
    """A call of LAPACK: types as (lengths, element)."""

    target: str
    operands: list[tuple[list[int], str]]
    results: list[tuple[list[int], str]]
    config: dict[str, str]
    aliases: dict[int, int]
    after_success: tuple[int, ...]
    unwritten: tuple[int, ...]
    info: int | None


def calls_in(module: Any) -> Iterator[Call]:
    """The calls of LAPACK in a module that JAX made."""
    for operation in auditing._inside(module.operation):
        if operation.name != "stablehlo.custom_call":
            continue
        target = operation.attributes["call_target_name"].value
        form = next((f for f in lapack._forms(target) if lapack._fault(operation, target, f) is None), None)
        operands, results = (
            [_known_type(value) for value in values] for values in (operation.operands, operation.results)
        )
        if form is None or "mhlo.backend_config" not in attribute_names(operation):
            continue
        guarded = form.after_success
        yield Call(
            target,
            operands,
            results,
            dict(re.findall(r"(\w+) = ([^,}]+)", str(operation.attributes["mhlo.backend_config"]))),
            dict(form.aliases),
            guarded,
            form.unwritten,
            form.info if guarded else None,
        )


def _known_type(value: Any) -> tuple[list[int], str]:
    """Shape and element type of an operand or result of a call that JAX made: always an array of a known type."""
    known = array_type(str(value.type))
    assert known is not None, value.type
    return list(known[0]), known[1]


def changed(call: Call, chance: random.Random) -> tuple[Call, dict[str, Any]]:
    """A call with some things changed, and what is to be done with its surroundings."""
    call = Call(
        call.target,
        [(list(shape), element) for shape, element in call.operands],
        [(list(shape), element) for shape, element in call.results],
        dict(call.config),
        dict(call.aliases),
        call.after_success,
        call.unwritten,
        call.info,
    )
    around: dict[str, Any] = {"nested": chance.choice(("main", "main", "call", "case", "while"))}
    for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 3))):
        arrays = [*call.operands, *call.results]
        shape, _ = array = chance.choice(arrays)
        match chance.randrange(16):
            case 0 | 1 if shape:
                shape[chance.randrange(len(shape))] = chance.choice(_LENGTHS)
            case 2 | 3:  # one length wherever it is
                old, new = chance.choice([n for s, _ in arrays for n in s] or [0]), chance.choice(_LENGTHS)
                for other, _ in arrays:
                    other[:] = [new if length == old else length for length in other]
            case 4:
                new = chance.choice(_LENGTHS[:5])
                for other, _ in arrays:
                    other.insert(0, new)
            case 5:
                shape.insert(0, chance.choice(_LENGTHS[:5])) if chance.random() < 0.5 else shape[:1].clear()
            case 6:
                side = call.operands if array in call.operands else call.results
                side[side.index(array)] = (shape, chance.choice(list(_DTYPES)))
            case 7:
                side = chance.choice((call.operands, call.results))
                if side:
                    match chance.randrange(3):
                        case 0:
                            side.pop()
                        case 1:
                            side.append(chance.choice(side))
                        case _:
                            side.reverse()
            case 8 | 9 if call.config:
                name = chance.choice(list(call.config))
                values = [f"{ord(letter)} : ui8" for letter in "NTCLURVASOX"] + ["1 : i32", "0 : i32", "true", "false"]
                call.config[name] = chance.choice(values)
            case 10:
                call.config["mode"] = f"{ord('V')} : ui8"
            case 11:
                around["layouts"] = chance.random()
            case 12:
                call.aliases = {} if chance.random() < 0.5 else {0: 0, 1: chance.randrange(3)}
            case 13:
                letter = chance.choice("sdcz")
                routine = chance.choice(
                    (call.target[8:], "getrf_ffi", "geqrf_ffi", "gesdd_ffi", "potrf_ffi", "geev_ffi")
                )
                call.target = f"lapack_{letter}{routine}"
            case 14:
                around["uses"] = chance.choice(("raw", "inverted", "everything"))
            case _:
                around["attribute"] = chance.choice(
                    (
                        "api_version = 4 : i32", "api_version = 2 : i32", "has_side_effect = false",
                        'mhlo.frontend_attributes = {num_batch_dims = "7"}', 'mhlo.sharding = "{replicated}"',
                    )
                )  # fmt: skip
    return call, around


def text_of(call: Call, around: dict[str, Any], chance: random.Random) -> str:
    """A module whose main function takes the call's operands and returns what may be read of its results."""

    def array(kind: tuple[list[int], str]) -> str:
        return f"tensor<{''.join(f'{length}x' for length in kind[0])}{kind[1]}>"

    def layout(kind: tuple[list[int], str], matrices: int) -> str:
        rank = len(kind[0])
        order = list(range(rank - 1, -1, -1))
        if rank == matrices and rank > 1:
            order[:2] = [rank - 2, rank - 1]
        if around.get("layouts", 1.0) < 0.5:
            chance.shuffle(order)
        text = "" if not order else str(order[0]) if rank == 1 else str(order)
        return f"dense<{text}> : tensor<{rank}xindex>"

    operands, results = list(map(array, call.operands)), list(map(array, call.results))
    matrices = max((len(shape) for shape, _ in call.operands), default=0)
    several = len(results) > 1
    attributes = [
        f"mhlo.backend_config = {{{', '.join(f'{key} = {value}' for key, value in call.config.items())}}}",
        f"operand_layouts = [{', '.join(layout(kind, matrices) for kind in call.operands)}]",
        f"result_layouts = [{', '.join(layout(kind, matrices) for kind in call.results)}]",
    ]
    if call.aliases:
        aliases = ", ".join(
            f"#stablehlo.output_operand_alias<output_tuple_indices = [{result if several else ''}], "
            f"operand_index = {operand}, operand_tuple_indices = []>"
            for result, operand in call.aliases.items()
        )
        attributes.append(f"output_operand_aliases = [{aliases}]")
    if "attribute" in around:
        attributes.append(around["attribute"])
    name = "%r" if not several else f"%r:{len(results)}"
    names = ", ".join(f"%a{number}" for number in range(len(operands)))
    lines = [
        f"{name} = stablehlo.custom_call @{call.target}({names}) {{{', '.join(attributes)}}}"
        f" : ({', '.join(operands)}) -> ({', '.join(results)})"
    ]
    given: list[tuple[str, str]] = []
    uses = around.get("uses", "guarded")
    for number, kind in enumerate(results):
        value = f"%r#{number}" if several else "%r"
        if uses != "everything" and number in call.unwritten:
            continue
        if number in call.after_success and uses not in ("raw", "everything") and call.info is not None:
            value = _guarded(lines, number, value, call, kind, "NE" if uses == "inverted" else "EQ")
        given.append((value, kind))
    types = ", ".join(kind for _, kind in given)
    values = ", ".join(value for value, _ in given)
    arguments = ", ".join(f"%a{number}: {kind}" for number, kind in enumerate(operands))
    lines.append(f"return {values} : {types}" if given else "return")
    body = "\n  ".join(lines)
    signature = f"({arguments}) -> ({types})"
    inner = f"func.func private @g{signature} {{\n  {body}\n}}\n"
    call_g = f"func.call @g({names}) : ({', '.join(operands)}) -> ({types})"
    several_given = f":{len(given)}" if len(given) > 1 else ""
    passed = ", ".join(f"%y#{number}" for number in range(len(given))) if several_given else "%y"
    if around["nested"] == "main" or not given:
        return f"func.func public @main{signature} {{\n  {body}\n}}"
    if around["nested"] == "call":
        main = f"%y{several_given} = {call_g}\n  return {passed} : {types}"
    elif around["nested"] == "case":
        branch = f"{{\n  %y{several_given} = {call_g}\n  stablehlo.return {passed} : {types}\n}}"
        main = (
            "%i = stablehlo.constant dense<1> : tensor<i32>\n"
            f'  %z{several_given} = "stablehlo.case"(%i) ({branch}, {branch})'
            f" : (tensor<i32>) -> ({types})\n  return {passed.replace('%y', '%z')} : {types}"
        )
    else:
        starts = [f"%s{number} = {_zero(kind)}" for number, (_, kind) in enumerate(given)]
        carried = ["%j", *(f"%s{number}" for number in range(len(given)))]
        kinds = ["tensor<i32>", *(kind for _, kind in given)]
        block = ", ".join(f"%c{number}: {kind}" for number, kind in enumerate(kinds))
        out = ", ".join(f"%w#{number + 1}" for number in range(len(given)))
        main = "\n  ".join(
            [
                "%j = stablehlo.constant dense<0> : tensor<i32>",
                *starts,
                f'%w:{len(kinds)} = "stablehlo.while"({", ".join(carried)}) ({{',
                f"^bb0({block}):",
                "%n = stablehlo.constant dense<2> : tensor<i32>",
                "%p = stablehlo.compare LT, %c0, %n, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>",
                "stablehlo.return %p : tensor<i1>",
                "}, {",
                f"^bb0({block}):",
                "%o = stablehlo.constant dense<1> : tensor<i32>",
                "%k = stablehlo.add %c0, %o : tensor<i32>",
                f"%y{several_given} = {call_g}",
                f"stablehlo.return %k, {passed} : {', '.join(kinds)}",
                f"}}) : ({', '.join(kinds)}) -> ({', '.join(kinds)})",
                f"return {out} : {types}",
            ]
        )
    return f"func.func public @main{signature} {{\n  {main}\n}}\n{inner}"


def _zero(kind: str) -> str:
    element = (array_type(kind) or ((), "f64"))[1]
    zero = "false" if element == "i1" else "(0.0,0.0)" if "complex" in element else "0.0" if "f" in element else "0"
    return f"stablehlo.constant dense<{zero}> : {kind}"


def _guarded(lines: list[str], number: int, value: str, call: Call, kind: str, direction: str) -> str:
    """A result where info is 0, elsewhere 0; appended to `lines`, and its name."""
    if call.info is None or call.info >= len(call.results):
        return value
    info_shape = call.results[call.info][0]
    info, flag, wide = (f"tensor<{''.join(f'{n}x' for n in shape)}{element}>" for shape, element in (
        (info_shape, "i32"), (info_shape, "i1"), ((array_type(kind) or ((), ""))[0], "i1")))  # fmt: skip
    dims = ", ".join(map(str, range(len(info_shape))))
    lines += [
        f"%i{number} = stablehlo.constant dense<0> : tensor<i32>",
        f"%b{number} = stablehlo.broadcast_in_dim %i{number}, dims = [] : (tensor<i32>) -> {info}",
        f"%f{number} = stablehlo.compare {direction}, %r#{call.info}, %b{number}, SIGNED : ({info}, {info}) -> {flag}",
        f"%w{number} = stablehlo.broadcast_in_dim %f{number}, dims = [{dims}] : ({flag}) -> {wide}",
        f"%z{number} = {_zero(kind)}",
        f"%g{number} = stablehlo.select %w{number}, {value}, %z{number} : {wide}, {kind}",
    ]
    return f"%g{number}"


_EXCHANGED = (
    ("LT", "GT", "LE", "GE", "EQ", "NE"),
    ("TOTALORDER", "FLOAT", "SIGNED", "UNSIGNED"),
    ("is_stable = true", "is_stable = false"),
    ("add", "subtract", "multiply", "maximum", "divide", "power"),
    ("tanh", "negate", "sine", "exponential", "abs", "log"),
    ("unique_indices = true", "unique_indices = false", "indices_are_sorted = true", "indices_are_sorted = false"),
    ("DEFAULT", "PHILOX", "THREE_FRY"),
    ("FFT", "IFFT", "RFFT", "IRFFT"),
    ("false", "true"),
)  # fmt: skip


def rewritten(text: str, chance: random.Random) -> str:
    """A module's text with a few things exchanged."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        match chance.randrange(4):
            case 0:  # one length of one type, everywhere
                types = sorted(set(re.findall(r"tensor<((?:\d+x)+)", text)))
                if types:
                    old = chance.choice(types)
                    lengths = old.split("x")[:-1]
                    lengths[chance.randrange(len(lengths))] = str(chance.choice(_LENGTHS))
                    text = text.replace(f"tensor<{old}", f"tensor<{'x'.join(lengths)}x")
            case 1:  # a length, wherever it stands
                found = sorted(set(re.findall(r"\d+(?=x)", text)))
                if found:
                    old, new = chance.choice(found), str(chance.choice(_LENGTHS))
                    text = re.sub(rf"(?<![\w.]){old}(?=x)", new, text)
            case 2:
                places = list(re.finditer(r"(?<=[\[ ,])-?\d+(?=[\],:])", text))
                if places:
                    place = chance.choice(places)
                    text = text[: place.start()] + str(chance.choice((-1, *_LENGTHS))) + text[place.end() :]
            case _:
                words = chance.choice(_EXCHANGED)
                places = [m for word in words for m in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text)]
                if places:
                    place = chance.choice(places)
                    text = text[: place.start()] + chance.choice(words) + text[place.end() :]
    return text


class Maker:
    """Makes artefact number n of a seed, always the same one."""

    def __init__(self, seed: int, cases: Sequence[str] = tuple(linear_algebra.CASES)) -> None:
        self._seed = seed
        self._made = 0
        self._context = mlir.make_ir_context()
        self._container = jax_export.export(jax.jit(lambda x: x), platforms=["cpu"])(np.zeros(1))
        self._calls: list[Call] = []
        self._texts: list[str] = []
        for case in map(linear_algebra.CASES.__getitem__, cases):
            for number, dtype in enumerate(case.dtypes):
                self._keep(case.f, case.shapes[number % len(case.shapes)], dtype)
        for f in OTHERS.values():
            self._keep(f, ((3, 3),), "float64")

    def _keep(self, f: Callable[..., Any], shapes: Any, dtype: str) -> None:
        args = linear_algebra.arrays(shapes, dtype)
        try:
            module = parse(artefact.export(lambda *a: jax.tree_util.tree_leaves(f(*a)), args).modules[0])
        except Exception:
            return  # not in this version of JAX
        self._calls += [call for call in calls_in(module) if call not in self._calls]
        self._texts.append(str(module))

    def artefact(self, number: int) -> tuple[bytes, list[np.ndarray], int]:
        """(a well-formed artefact, inputs for it, how many ill-formed ones were thrown away before)."""
        chance = random.Random(f"{self._seed} {number}")
        for thrown in range(1_000):
            if chance.random() < 0.6:
                call, around = changed(chance.choice(self._calls), chance)
                text = text_of(call, around, chance)
            else:
                text = rewritten(chance.choice(self._texts), chance)
            try:
                return (*self._serialized(text, chance), thrown)
            except _IllFormedError:
                continue
        raise AssertionError("no well-formed artefact in a thousand")

    def _serialized(self, text: str, chance: random.Random) -> tuple[bytes, list[np.ndarray]]:
        self._made += 1
        if self._made % 200 == 0:
            self._context = mlir.make_ir_context()  # what was parsed stays in a context
        with self._context:
            try:
                module = ir.Module.parse(text)
                main: Any = ir.SymbolTable(module.operation)["main"]
                signature: Any = main.type  # of a function, which the stubs do not know
                kinds = [[array_type(str(kind)) for kind in side] for side in (signature.inputs, signature.results)]
                avals = [[_aval(kind) for kind in side] for side in kinds]
                code = _export._module_to_bytecode(module)
            except (ir.MLIRError, KeyError, ValueError, TypeError) as problem:
                raise _IllFormedError from problem
        inputs = [_input(aval, chance) for aval in avals[0]]
        trees = [
            jax.tree_util.tree_structure((tuple([0] * len(avals[0])), {})),
            jax.tree_util.tree_structure([0] * len(avals[1])),
        ]
        exported = dataclasses.replace(
            self._container,
            mlir_module_serialized=code,
            in_avals=tuple(avals[0]),
            out_avals=tuple(avals[1]),
            in_tree=trees[0],
            out_tree=trees[1],
            module_kept_var_idx=tuple(range(len(avals[0]))),
            **{
                name: (None,) * len(avals[name.startswith("out") or name.startswith("_out")])
                for name in ("in_shardings_hlo", "out_shardings_hlo", "_in_named_shardings", "_out_named_shardings")
                if hasattr(self._container, name)
            },
            disabled_safety_checks=tuple(
                jax_export.DisabledSafetyCheck.custom_call(target) for target in artefact.UNSTABLE_CUSTOM_CALLS
            ),
        )
        try:
            return bytes(exported.serialize()), inputs
        except (ValueError, TypeError, KeyError) as problem:
            raise _IllFormedError from problem


class _IllFormedError(Exception):
    pass


def _aval(kind: Any) -> Any:
    if kind is None or kind[1] not in _DTYPES:
        raise ValueError("no array")
    return ShapedArray(kind[0], np.dtype(_DTYPES[kind[1]]))


def _input(aval: Any, chance: random.Random) -> np.ndarray:
    if aval.size * aval.dtype.itemsize > auditing.MAX_VALUE_BYTES:  # inputs are the grader's own, never as large
        raise _IllFormedError
    numbers = np.random.default_rng(chance.randrange(2**32))
    array = numbers.normal(size=aval.shape)
    if aval.dtype.kind == "c":
        array = array + 1j * numbers.normal(size=aval.shape)
    array = np.asarray(array * 3 if aval.dtype.kind in "iub" else array).astype(aval.dtype)
    if array.size and aval.dtype.kind in "fc" and chance.random() < 0.2:
        array.flat[chance.randrange(array.size)] = chance.choice((np.nan, np.inf))
    return array


# ---------------------------------------- running


def child() -> None:
    """Compiles and runs what comes on the standard input, twice; answers a line each."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None)
    source = sys.stdin.buffer
    while head := source.read(4):
        code, inputs = pickle.loads(source.read(struct.unpack(">I", head)[0]))
        try:
            exported = jax_export.deserialize(bytearray(code))
            compiled = jax.jit(exported.call).lower(*inputs).compile(compiler_options=artefact._COMPILER_OPTIONS)
            seen: list[list[bytes]] = []
            for byte in (0x01, 0xA5):
                libc.mallopt(_PERTURB, byte)
                seen.append([np.asarray(result).tobytes() for result in compiled(*inputs)])
            libc.mallopt(_PERTURB, 0)
            print("same" if seen[0] == seen[1] else "differs", file=answers)
        except Exception as problem:
            libc.mallopt(_PERTURB, 0)
            print(f"refused {type(problem).__name__}: {' '.join(str(problem).split())[:200]}", file=answers)


class Runner:
    """A process that runs artefacts and may die of one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, code: bytes, inputs: list[np.ndarray]) -> str:
        """'same', 'differs', 'refused …', 'crashed …' or 'timed out'."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=os.environ | _checked_heap(),
            )  # fmt: skip
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        job = pickle.dumps((code, inputs))
        try:
            process.stdin.write(struct.pack(">I", len(job)) + job)
            process.stdin.flush()
        except BrokenPipeError:
            return self._ended()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(JOB_SECONDS):
                process.kill()
                self._ended()
                return "timed out"
        line = process.stdout.readline().decode().strip()
        return line or self._ended()

    def _ended(self) -> str:
        assert self._process is not None
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process = None
        return f"crashed with {signal.Signals(-code).name if code < 0 else code}"

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._ended()


def _checked_heap() -> dict[str, str]:
    """glibc looks at what stands around a piece of memory when it is freed, and hands none out again unfilled."""
    checked = {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.tcache_count=0"}
    libraries = glob.glob("/lib*/*/libc_malloc_debug.so.0") + glob.glob("/usr/lib*/*/libc_malloc_debug.so.0")
    return checked | ({"LD_PRELOAD": libraries[0]} if libraries else {})


# ---------------------------------------- all of it


@dataclasses.dataclass
class Record:
    """What was done so far."""

    seed: int
    done: int = 0
    ill_formed: int = 0
    let_through: int = 0
    ran: int = 0
    audit_seconds: float = 0.0
    outcomes: dict[str, int] = dataclasses.field(default_factory=dict)
    refusals: dict[str, int] = dataclasses.field(default_factory=dict)
    faults: list[str] = dataclasses.field(default_factory=list)


def fuzz(
    record: Record,
    count: int,
    run: int,
    saved: Callable[[Record], None] = lambda record: None,
    blind: bool = False,
    cases: Sequence[str] = tuple(linear_algebra.CASES),
) -> Record:
    """Goes on to `count` artefacts, of which up to `run` that the audit lets through are run.

    blind: run instead what it refuses for a call's signature or a sort's comparison alone.
    """
    maker, runner = Maker(record.seed, cases), Runner()
    # runs are spread over all artefacts, not spent on the first
    every = 1 if blind else max(1, count // max(run, 1) // 3)
    try:
        while record.done < count:
            number = record.done
            code, inputs, thrown = maker.artefact(number)
            record.ill_formed += thrown
            before = time.perf_counter()
            try:
                audit(code, inputs)
                refusal = None
            except ArtefactError as problem:
                refusal = problem.message
            record.audit_seconds += time.perf_counter() - before
            if blind:
                refusal = _without_signatures(code, inputs) if refusal is not None else "let through anyway"
            if refusal is None:
                record.let_through += 1
                if record.ran < run and record.let_through % every == 0:
                    record.ran += 1
                    outcome = runner.run(code, inputs)
                    kind = outcome.split(":")[0]
                    record.outcomes[kind] = record.outcomes.get(kind, 0) + 1
                    if outcome.startswith(("crashed", "differs")):
                        record.faults.append(f"{number}: {outcome}")
                        print(f"FAULT artefact {number} of seed {record.seed}: {outcome}", flush=True)
            else:
                kind = re.sub(r"[\d'].*|calls \w+", "…", refusal)[:70]
                record.refusals[kind] = record.refusals.get(kind, 0) + 1
            record.done += 1
            if record.done % 100 == 0:
                saved(record)
    finally:
        runner.close()
        saved(record)
    return record


def _without_signatures(code: bytes, inputs: list[np.ndarray]) -> str | None:
    """Why an audit refuses an artefact that does not look at signatures and comparisons; None if it does not."""
    looks = lapack.fault_of_call, auditing.is_order
    lapack.fault_of_call, auditing.is_order = lambda operation: None, lambda block: True
    try:
        audit(code, inputs)
    except ArtefactError as problem:
        return problem.message
    finally:
        lapack.fault_of_call, auditing.is_order = looks
    return None


def main() -> int:
    """Runs and prints the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--run", type=int, default=2_000, help="how many of those let through are run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path, metavar="FILE")
    parser.add_argument("--without", choices=["signatures"], help="run what only that refuses")
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print one artefact's code and end")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child()
        return 0
    if options.show is not None:
        print(parse(Maker(options.seed).artefact(options.show)[0]))
        return 0
    record = Record(options.seed)
    if options.resume is not None and options.resume.exists():
        record = Record(**json.loads(options.resume.read_text()))

    def saved(record: Record) -> None:
        if options.resume is not None:
            part = options.resume.with_suffix(".part")
            part.write_text(json.dumps(dataclasses.asdict(record)))
            part.replace(options.resume)

    fuzz(record, options.count, options.run, saved, options.without is not None)
    print(f"refused: {dict(sorted(record.refusals.items(), key=lambda item: -item[1])[:25])}")
    print(
        f"{record.done} artefacts (seed {record.seed}, JAX {jax.__version__}; {record.ill_formed} ill-formed ones "
        f"thrown away): {record.let_through} let through, {record.ran} run: {record.outcomes}; "
        f"{len(record.faults)} faults; audit {record.audit_seconds / max(record.done, 1) * 1000:.1f} ms each"
    )
    return 1 if record.faults else 0


if __name__ == "__main__":
    sys.exit(main())
