"""The calls of LAPACK that an artefact may make: the signature of each, as JAX's own lowering rules make them.

XLA hands the operands and results of a custom call to jaxlib's kernels as raw pointers. A kernel takes its sizes from
some of them, copies one operand as long as it is into a result, however long that is, and gives LAPACK the rest as it
comes. So a call whose shapes do not fit together writes past the end of an array or returns memory that nothing was
written to. JAX never makes such a call; a forged artefact may.

`fault_of_call(operation)` holds a call against the table: number, rank, shape and element type of operands and results,
one batch for all, layouts, aliases, attributes with their values, the version of the calling convention. What LAPACK
leaves unwritten may not be read: workspaces and what was not asked for have no use at all, and what exists only if the
routine succeeded goes through `select(info == 0, …, …)` and nothing else, as JAX writes it.

Sources: `jax/_src/lax/linalg.py`, `jaxlib/lapack.py` (before JAX 0.5) and `jaxlib/cpu/lapack_kernels.cc` of JAX 0.4.38,
0.10.2 and 0.12; what a routine writes: the LAPACK Users' Guide and the routines' own headers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from autograder.isolation.mlir import array_of, attribute_names, dictionary, maker


@dataclass(frozen=True)
class _Form:
    """One way to call a routine.

    `operands`, `results`: separated by commas; a letter for the element type and the trailing lengths; before them
        stand the batch's lengths, the same for all. T: the routine's type; R: its real part's; C: the complex one;
        I: int32. `!` in front: without the batch. `=x|y`: an int32 scalar, constant, one of these numbers; `'NV'`: an
        unsigned byte, constant, one of these letters.
        Lengths: letters (bound where they first stand; b: the product of the batch), p = min(m, n), n-1, 2n.
    `attributes`: the backend's configuration: letters allowed for an unsigned byte, `=x` for an int32, `bool`.
    `aliases`: result -> the operand whose memory it takes.
    `at_least`: pairs (x, y) with x >= y.
    `after_success`: results that LAPACK may leave unwritten where info is not 0.
    `unwritten`: results that may hold nothing.
    """

    operands: str
    results: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: Mapping[int, int] = field(default_factory=dict[int, int])
    at_least: tuple[tuple[str, str], ...] = ()
    after_success: tuple[int, ...] = ()
    unwritten: tuple[int, ...] = ()

    @property
    def info(self) -> int:
        """Which result says whether the routine succeeded: the last one of type int32 (no array of T follows it)."""
        specs = _listed(self.results)
        return max(number for number, spec in enumerate(specs) if spec == "I")


_TRIANGLE = {"uplo": "LU"}
_TRSM = {**_TRIANGLE, "trans_x": "NTC", "diag": "NU"}
_IN_PLACE = {0: 0}


def _svd() -> tuple[_Form, ...]:
    def form(mode: str, u: str, vt: str, unwritten: tuple[int, ...] = ()) -> _Form:
        return _Form(
            "T m n",
            f"T m n, R p, {u}, {vt}, I",
            {"mode": mode},
            _IN_PLACE,
            at_least=(("p", "1"),),
            after_success=(1, 2, 3),
            unwritten=unwritten,
        )

    full, reduced = ("T m m", "T n n"), ("T m p", "T p n")
    return (
        form("A", *full),
        form("S", *reduced),
        form("N", *full, unwritten=(2, 3)),
        form("N", *reduced, unwritten=(2, 3)),
    )


def _geev(vectors: str, real: bool) -> tuple[_Form, ...]:
    values = ["T n"] * (2 if real else 1)
    first = len(values)

    def form(left: str, right: str) -> _Form:
        unwritten = [first] * (left == "N") + [first + 1] * (right == "N")
        return _Form(
            "T n n",
            ", ".join([*values, vectors, vectors, "I"]),
            {"compute_left": left, "compute_right": right},
            after_success=tuple(range(first + 2)),
            unwritten=tuple(unwritten),
        )

    return tuple(form(left, right) for left in "NV" for right in "NV")


def _gees(real: bool) -> tuple[_Form, ...]:
    values = ["T n"] * (2 if real else 1)
    count = len(values)  # of the results: the form, the vectors, the eigenvalues, how many were sorted, info
    unwritten = tuple(range(2, 3 + count))

    def form(mode: str) -> _Form:
        return _Form(
            "T n n",
            ", ".join(["T n n", "T n n", *values, "I", "I"]),
            {"mode": mode, "sort": "N"},
            _IN_PLACE,
            after_success=(1,),
            unwritten=unwritten if mode == "V" else (1, *unwritten),
        )

    return form("V"), form("N")


_ORGQR = (_Form("T m n, T k", "T m n", {}, _IN_PLACE, at_least=(("m", "n"), ("n", "k"))),)
_ORMQR = tuple(
    _Form(f"T m n, T k, {c}", c, {"left": left, "transpose": "bool"}, {0: 2}, at_least=(("p", "k"),))
    for left, c in (("true", "T m q"), ("false", "T q m"))
)
_EVD = (_Form("T n n", "T n n, R n, I", {"mode": "V", **_TRIANGLE}, _IN_PLACE, after_success=(1,)),)
_TRD = (
    _Form(
        "T n n", "T n n, R n, R n-1, T n-1, I", _TRIANGLE, _IN_PLACE,
        at_least=(("n", "1"),), after_success=(1, 2, 3),
    ),
)  # fmt: skip
_EITHER: dict[str, tuple[_Form, ...]] = {
    "trsm": (
        _Form("T m m, T m n", "T m n", {"side": "L", **_TRSM}, {0: 1}),
        _Form("T n n, T m n", "T m n", {"side": "R", **_TRSM}, {0: 1}),
    ),
    "getrf": (_Form("T m n", "T m n, I p, I", {}, _IN_PLACE),),
    "geqrf": (_Form("T m n", "T m n, T p", {}, _IN_PLACE),),
    "geqp3": (_Form("T m n, I n", "T m n, I n, T p", {}, {0: 0, 1: 1}),),
    "potrf": (_Form("T n n", "T n n, I", _TRIANGLE, _IN_PLACE),),
    "gesdd": _svd(),
    "gesvd": _svd(),
    "gehrd": (
        _Form(
            "T n n", "T n n, T n-1, I", {"low": "=1", "high": "=n"}, _IN_PLACE,
            at_least=(("n", "1"),), after_success=(1,),
        ),
    ),
    "gtsv": (_Form("T m, T m, T m, T m n", "T m, T m, T m, T m n, I", {}, {0: 0, 1: 1, 2: 2, 3: 3}),),
}  # fmt: skip
_FFI: dict[str, dict[str, tuple[_Form, ...]]] = {
    "real": {
        **_EITHER, "orgqr": _ORGQR, "ormqr": _ORMQR, "syevd": _EVD, "sytrd": _TRD,
        "geev": _geev("C n n", True), "gees": _gees(True),
    },
    "complex": {
        **_EITHER, "ungqr": _ORGQR, "unmqr": _ORMQR, "heevd": _EVD, "hetrd": _TRD,
        "geev": _geev("T n n", False), "gees": _gees(False),
    },
}  # fmt: skip
"""The typed calling convention: `lapack_dgetrf_ffi`, say."""


def _untyped_geev(real: bool) -> tuple[_Form, ...]:
    workspaces = "!T n n, !T n n, !T n n, T n, T n, C n n, C n n, I" if real else "!T n n, !R 2n, T n, T n n, T n n, I"
    scratch, first = (3, 5) if real else (2, 3)

    def form(left: str, right: str) -> _Form:
        unwritten = [first] * (left == "N") + [first + 1] * (right == "N")
        return _Form(
            f"=b, =n, '{left}', '{right}', T n n",
            workspaces,
            after_success=tuple(range(scratch, first + 2)),
            unwritten=(*range(scratch), *unwritten),
        )

    return tuple(form(left, right) for left in "NV" for right in "NV")


def _untyped_gees(real: bool) -> tuple[_Form, ...]:
    results = "T n n, T n, T n, T n n, I, I" if real else "T n n, !R n, T n, T n n, I, I"

    def form(mode: str) -> _Form:
        unwritten = (1, 2, 4) if mode == "V" else (1, 2, 3, 4)
        return _Form(f"=b, =n, '{mode}', 'N', T n n", results, {}, {0: 4}, after_success=(3,), unwritten=unwritten)

    return form("V"), form("N")


_UNTYPED_TRD = (
    _Form(
        "=n, =0|1, =n, =b, =w, T n n", "T n n, R n, R n-1, T n-1, I, !T w", {}, {0: 5},
        at_least=(("n", "1"), ("w", "n")), after_success=(1, 2, 3), unwritten=(5,),
    ),
)  # fmt: skip
_UNTYPED_EITHER: dict[str, tuple[_Form, ...]] = {
    "trsm": (
        _Form("=1, =0|1, =0|1|2, =0|1, =m, =n, =b, !T, T m m, T m n", "T m n", {}, {0: 9}),
        _Form("=0, =0|1, =0|1|2, =0|1, =m, =n, =b, !T, T n n, T m n", "T m n", {}, {0: 9}),
    ),
    "potrf": (_Form("=0|1, =b, =n, T n n", "T n n, I", {}, {0: 3}),),
    "gehrd": (
        _Form(
            "=n, =1, =n, =n, =b, =w, T n n", "T n n, T n-1, I, !T w", {}, {0: 6},
            at_least=(("n", "1"), ("w", "n")), after_success=(1,), unwritten=(3,),
        ),
    ),
}  # fmt: skip
_UNTYPED: dict[str, dict[str, tuple[_Form, ...]]] = {
    "real": {
        **_UNTYPED_EITHER, "sytrd": _UNTYPED_TRD,
        "geev": _untyped_geev(True), "gees": _untyped_gees(True),
    },
    "complex": {
        **_UNTYPED_EITHER, "hetrd": _UNTYPED_TRD,
        "geev": _untyped_geev(False), "gees": _untyped_gees(False),
    },
}  # fmt: skip
"""The calling convention before it (`blas_dtrsm`, `lapack_dpotrf`): sizes and choices are operands. `jax.export` of JAX
0.4.38 still writes these."""

_TARGET = re.compile(r"(lapack|blas)_([sdcz])(\w+?)(_ffi)?")
_TYPES = {"s": ("f32", "f32", "complex<f32>"), "d": ("f64", "f64", "complex<f64>")} | {
    "c": ("complex<f32>", "f32", "complex<f32>"),
    "z": ("complex<f64>", "f64", "complex<f64>"),
}
"""The element types T, R and C of a routine by its letter."""
_ATTRIBUTES = frozenset(
    {
        "call_target_name",
        "api_version",
        "operand_layouts",
        "result_layouts",
        "output_operand_aliases",
        "mhlo.backend_config",
        "mhlo.frontend_attributes",
        "sdy.sharding_rule",
    }
)
_UNTYPED_VERSION, _NO_VERSION = 2, 1
"""The typed convention is named by `mhlo.backend_config`, with the version that stands for none."""


def is_routine(target: str) -> bool:
    """Whether the table has a signature for calls of `target`."""
    return bool(_forms(target))


def fault_of_call(operation: Any) -> str | None:
    """What is wrong with a `stablehlo.custom_call`, in words; None for a call as JAX makes it."""
    target = operation.attributes["call_target_name"].value
    forms = _forms(target)
    if not forms:
        return "it is no LAPACK routine"
    faults = [_fault(operation, target, form) for form in forms]
    if None in faults:
        return None
    # the form that fits furthest says what is wrong
    return max((fault for fault in faults if fault is not None), key=lambda fault: fault[0])[1]


@cache
def _forms(target: str) -> tuple[_Form, ...]:
    match = _TARGET.fullmatch(target)
    if match is None:
        return ()
    library, letter, routine, typed = match.groups()
    expected = "blas" if routine == "trsm" and not typed else "lapack"
    table = _FFI if typed else _UNTYPED
    return table["real" if letter in "sd" else "complex"].get(routine, ()) if library == expected else ()


def _fault(operation: Any, target: str, form: _Form) -> tuple[int, str] | None:
    """(how far the call fits, what is wrong) or None."""
    match = _TARGET.fullmatch(target)
    assert match is not None
    operands, results = list(operation.operands), list(operation.results)
    shapes = _Shapes(dict(zip("TRC", _TYPES[match[2]], strict=True)) | {"I": "i32"})
    fault = shapes.fault("operand", _listed(form.operands), operands) or shapes.fault(
        "result", _listed(form.results), results
    )
    if fault is not None:
        return 0, fault
    for larger, smaller in form.at_least:
        if shapes.length(larger) < shapes.length(smaller):
            return 1, f"an array is too short: {_named(larger)} is less than {_named(smaller)}"
    fault = shapes.fault_of_scalars(_listed(form.operands), operands)
    if fault is not None:
        return 2, fault
    fault = _fault_of_attributes(operation, form, shapes, typed=match[4] is not None)
    if fault is not None:
        return 3, fault
    fault = _fault_of_uses(form, results, len(shapes.batch))
    if fault is None and not all(_is_for_nothing(result) for result in results) and _is_empty(operands, form):
        fault = "its matrix is empty, and what it gives is used"
    return None if fault is None else (4, fault)


class _Shapes:
    """Lengths by their letters, as a form's arrays bind them."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types
        self._sizes: dict[str, int] = {}
        self._batch: tuple[int, ...] | None = None

    @property
    def batch(self) -> tuple[int, ...]:
        return self._batch or ()

    def fault(self, what: str, specs: Sequence[str], values: Sequence[Any]) -> str | None:
        """What is wrong with the arrays among operands or results."""
        if len(specs) != len(values):
            return f"it has {len(values)} {what}s instead of {len(specs)}"
        for number, (spec, value) in enumerate(zip(specs, values, strict=True)):
            if not _is_array(spec):
                continue
            found = array_of(value)
            kind, lengths = _parts(spec)
            if found is None or found[1] != self._types[kind.lstrip("!")] or not self._binds(kind, lengths, found[0]):
                return f"its {what} {number} is {_clipped(str(value.type))}"
        return None

    def _binds(self, kind: str, lengths: Sequence[str], shape: tuple[int, ...]) -> bool:
        split = len(shape) - len(lengths)
        batch, trailing = shape[: max(split, 0)], shape[max(split, 0) :]
        if split < 0 or (kind.startswith("!") and split):
            return False
        if not kind.startswith("!"):
            if self._batch is None:
                self._batch = batch
            if batch != self._batch:
                return False
        for length, size in zip(lengths, trailing, strict=True):
            if length.isalpha() and length != "p":
                self._sizes.setdefault(length, size)
            if self.length(length) != size:
                return False
        return True

    def length(self, length: str) -> int:
        if length == "p":
            return min(self._sizes["m"], self._sizes["n"])
        if length == "b":
            return math.prod(self.batch)
        if length.endswith("-1"):
            return self._sizes[length[:-2]] - 1
        if length == "2n":
            return 2 * self._sizes["n"]
        return int(length) if length.isdigit() else self._sizes[length]

    def fault_of_scalars(self, specs: Sequence[str], operands: Sequence[Any]) -> str | None:
        """What is wrong with the sizes and choices among the operands, which a kernel believes."""
        for number, (spec, operand) in enumerate(zip(specs, operands, strict=True)):
            if _is_array(spec):
                continue
            if spec.startswith("="):
                kind, allowed = "i32", {self.length(length) for length in spec[1:].split("|")}
            else:
                kind, allowed = "ui8", {ord(letter) for letter in spec.strip("'")}
            if array_of(operand) != ((), kind) or _constant(operand) not in allowed:
                return f"its operand {number} is not the number that JAX gives"
        return None


def _fault_of_attributes(operation: Any, form: _Form, shapes: _Shapes, typed: bool) -> str | None:
    attributes = operation.attributes
    names = set(attribute_names(operation))
    if names - _ATTRIBUTES:
        return f"it has the attribute {_clipped(min(names - _ATTRIBUTES))}"
    version = attributes["api_version"].value if "api_version" in names else _NO_VERSION
    if version != (_NO_VERSION if typed else _UNTYPED_VERSION) or ("mhlo.backend_config" in names) != typed:
        return "it follows another calling convention"
    if typed and not _is_configured(dictionary(operation, "mhlo.backend_config"), form, shapes):
        return "its configuration is not one that JAX gives"
    context = operation.context
    ranks = [
        [len((array_of(value) or ((),))[0]) for value in values] for values in (operation.operands, operation.results)
    ]
    for name, specs, found in zip(
        ("operand_layouts", "result_layouts"), (_listed(form.operands), _listed(form.results)), ranks, strict=True
    ):
        layouts = [_layout(spec, rank) for spec, rank in zip(specs, found, strict=True)]
        if name not in names or attributes[name] != _parsed(f"[{', '.join(layouts)}]", context):
            return "its arrays do not lie in memory as LAPACK expects them"
    several = len(ranks[1]) > 1
    aliases = [
        f"#stablehlo.output_operand_alias<output_tuple_indices = [{result if several else ''}], "
        f"operand_index = {operand}, operand_tuple_indices = []>"
        for result, operand in form.aliases.items()
    ]
    expected = _parsed(f"[{', '.join(aliases)}]", context)
    if (
        attributes["output_operand_aliases"] if "output_operand_aliases" in names else _parsed("[]", context)
    ) != expected:
        return "its results take other operands' memory than LAPACK expects"
    if "mhlo.frontend_attributes" in names and attributes["mhlo.frontend_attributes"] != _parsed(
        f'{{num_batch_dims = "{len(shapes.batch)}"}}', context
    ):
        return "it has other frontend attributes than JAX gives"
    if "sdy.sharding_rule" in names and str(attributes["sdy.sharding_rule"]) != _sharding_rule(operation, shapes.batch):
        return "it has another sharding rule than JAX gives"
    return None


def _is_configured(config: Mapping[str, Any], form: _Form, shapes: _Shapes) -> bool:
    if set(config) != set(form.attributes):
        return False
    for name, allowed in form.attributes.items():
        text = str(config[name])
        if allowed in ("bool", "true", "false"):
            good = text in (("true", "false") if allowed == "bool" else (allowed,))
        elif allowed.startswith("="):
            good = text == f"{shapes.length(allowed[1:])} : i32"
        else:
            good = text in {f"{ord(letter)} : ui8" for letter in allowed}
        if not good:
            return False
    return True


def _layout(spec: str, rank: int) -> str:
    """Minor to major: matrices by columns, all else by rows."""
    order = list(range(rank - 1, -1, -1))
    if _is_array(spec) and len(_parts(spec)[1]) == 2:
        order[:2] = [rank - 2, rank - 1]
    text = "" if not order else str(order[0]) if rank == 1 else str(order)
    return f"dense<{text}> : tensor<{rank}xindex>"


def _sharding_rule(operation: Any, batch: tuple[int, ...]) -> str:
    """The rule by which Shardy would cut the call up, as it is printed: along the batch, and nowhere else."""
    sizes = list(batch)
    factors = [_factor(number) for number in range(len(batch))]

    def described(values: Any) -> str:
        arrays: list[str] = []
        for value in values:
            shape = (array_of(value) or ((), ""))[0]
            own = [*range(len(sizes), len(sizes) + len(shape) - len(batch))]
            sizes.extend(shape[len(batch) :])
            arrays.append(f"[{', '.join([*factors, *map(_factor, own)])}]")
        return ", ".join(arrays)

    rule = f"({described(operation.operands)})->({described(operation.results)})"
    lengths = ", ".join(f"{_factor(number)}={size}" for number, size in enumerate(sizes))
    return f"#sdy.op_sharding_rule<{rule} {{{lengths}}}, custom>"


def _factor(number: int) -> str:
    letters = "ijklmnopqrstuvwxyz"
    return letters[number] if number < len(letters) else f"z_{number - len(letters) + 1}"


def _fault_of_uses(form: _Form, results: Sequence[Any], batch: int) -> str | None:
    for number in form.unwritten:
        if any(True for _ in results[number].uses):
            return f"its result {number}, which LAPACK leaves unwritten, is used"
    for number in form.after_success:
        if number not in form.unwritten and not _is_guarded(results[number], results[form.info], batch):
            return f"its result {number} is used without a look at whether LAPACK succeeded"
    return None


def _is_empty(operands: Sequence[Any], form: _Form) -> bool:
    """Whether the first matrix has no rows or no columns. OpenBLAS divides by such a length (getrf)."""
    for spec, operand in zip(_listed(form.operands), operands, strict=True):
        if _is_array(spec) and len(_parts(spec)[1]) == 2:
            return 0 in (array_of(operand) or ((), ""))[0][-2:]
    return False


def _is_for_nothing(value: Any) -> bool:
    """Whether a value is empty, or goes into empty values only: then the compiler drops it, and what makes it."""
    pending, seen = [value], set[Any]()
    while pending:
        value = pending.pop()
        array = array_of(value)
        if value in seen or (array is not None and 0 in array[0]):
            continue
        seen.add(value)
        for use in value.uses:
            user = use.owner.operation
            if user.name.endswith("return") or user.name == "func.call" or any(True for _ in user.regions):
                return False
            pending.extend(user.results)
    return True


def _is_guarded(value: Any, info: Any, batch: int) -> bool:
    """Whether every use of a value takes it only where info is 0."""
    pending = [value]
    while pending:
        for use in pending.pop().uses:
            user = use.owner.operation
            if user.name == "stablehlo.complex":
                pending.append(user.results[0])
            elif (
                user.name != "stablehlo.select"
                or use.operand_number != 1
                or not _is_success(user.operands[0], info, batch)
            ):
                return False
    return True


def _is_success(condition: Any, info: Any, batch: int) -> bool:
    """Whether a condition is info == 0, spread over the arrays of each member of the batch."""
    operation = maker(condition)
    while operation is not None and operation.name == "stablehlo.broadcast_in_dim":
        inner, outer = (array_of(value) for value in (operation.operands[0], operation.results[0]))
        if inner is None or outer is None or not _is_prefix(operation, len(inner[0])):
            return False
        if any(
            a != b and (number < batch or a != 1) for number, (a, b) in enumerate(zip(inner[0], outer[0], strict=False))
        ):
            return False
        operation = maker(operation.operands[0])
    if operation is None or operation.name != "stablehlo.compare" or operation.operands[0] != info:
        return False
    zero = operation.operands[1]
    source = maker(zero)
    if source is not None and source.name == "stablehlo.broadcast_in_dim":
        zero = source.operands[0]
    return "comparison_direction EQ" in str(operation.attributes["comparison_direction"]) and _constant(zero) == 0


def _is_prefix(broadcast: Any, rank: int) -> bool:
    return _numbers(str(broadcast.attributes["broadcast_dimensions"])) == list(range(rank))


def _numbers(text: str) -> list[int]:
    """The numbers of `array<i64: 0, 1>`."""
    return [int(number) for number in re.findall(r"\d+", text.partition(":")[2])]


def _constant(value: Any) -> int | None:
    """A scalar that is constant: a number, or a product of such."""
    pending, product = [value], 1
    for _ in range(100):
        if not pending:
            return product
        operation = maker(pending.pop())
        if operation is None or array_of(operation.results[0]) not in (((), "i32"), ((), "ui8")):
            return None
        if operation.name == "stablehlo.multiply":
            pending.extend(operation.operands)
            continue
        if operation.name != "stablehlo.constant":
            return None
        match = re.match(r"dense<(-?\d+)>", str(operation.attributes["value"]))
        if match is None:
            return None
        product *= int(match[1])
    return None


def _parsed(text: str, context: Any) -> Any:
    from jaxlib.mlir import ir

    return ir.Attribute.parse(text, context)  # pyright: ignore[reportUnknownMemberType]


def _listed(specs: str) -> list[str]:
    return [spec.strip() for spec in specs.split(",")]


def _is_array(spec: str) -> bool:
    return spec[0] not in "='"


@cache
def _parts(spec: str) -> tuple[str, tuple[str, ...]]:
    kind, *lengths = spec.split()
    return kind, tuple(lengths)


def _named(length: str) -> str:
    return {"p": "the shorter side"}.get(length, length)


def _clipped(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
