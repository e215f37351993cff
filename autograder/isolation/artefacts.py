"""Artefacts of submitted functions, run and measured without trusting them.

A submitted function is traced in the submission's process; what comes out is bytes, and the submission may
have forged them. They are audited, run and counted in a disposable process: parsing hostile bytes can crash a
process, and running them can take any time. What that process answers is plain data, and is checked again:

    request = request_for(args, transform)               trusted: what to run it on, what must come out
    reply = export_plain(f, args, transform, static)     the submission's process
    job = job_for(request, reply)                        trusted
    plain = run_artefacts(job)                           disposable (`autograder.isolation.audit`): audit, run, count
    measured = measured_from_plain(plain, request)       trusted: an `adkit.tracing.export.Measured`
"""

# A reply is whatever an untrusted process sends: its parts have no type until the code has looked at them.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from adkit.tracing.export import KINDS, Measured, Work
from adkit.tracing.transforms import inputs_of

from autograder.isolation.audit import (
    DTYPES,
    MAX_RESULT_BYTES,
    MAX_RESULTS,
    ArtefactError,
    clipped,
    described,
    listed,
    too_large,
)

MAX_ARTEFACT_BYTES = 4 * 2**20
"""One artefact, where an assignment's limits say nothing else."""

_MAX_COUNT = 2**53


def request_for(args: Sequence[Any], transform: str, run: bool = True) -> dict[str, Any]:
    """What a function's artefacts are run on and what must come out, as plain data.

    `inputs`: the leaves of `args`; `primals`: how many of them belong to the function's own arguments;
    `outputs`: shape and dtype of each output, or None where only the function knows; `run`: whether they are asked for.
    Raises `ValueError` or `TypeError` if `args` do not fit the transform.
    """
    inputs, primals = inputs_of(args, transform)
    gradients = [described(leaf) for leaf in inputs[:primals]]
    match transform:
        case "call" | "jit" | "vmap" | "jvp":
            outputs = None
        case "vjp_split":
            outputs = [described(leaf) for leaf in inputs[primals:]] + gradients
        case "value_and_grad":
            outputs = [[[], "float64"], *gradients]
        case _:
            outputs = gradients
    return {"transform": transform, "inputs": inputs, "primals": primals, "outputs": outputs, "run": run}


def job_for(request: dict[str, Any], reply: Any, largest: int = MAX_ARTEFACT_BYTES) -> dict[str, Any]:
    """The disposable process's task, with what the submission's process replied. Raises `ArtefactError`.

    largest: bytes that one artefact may have.
    """
    artefacts = reply.get("artefacts") if type(reply) is dict else None
    number = 2 if request["transform"] == "vjp_split" else 1
    if type(artefacts) is not list or [type(artefact) for artefact in artefacts] != [bytes] * number:
        raise ArtefactError("what came back is not a traced function")
    for artefact in artefacts:
        if len(artefact) > largest:
            raise ArtefactError(too_large("the traced function", len(artefact), largest))
    return {**request, "artefacts": artefacts}


def measured_from_plain(plain: Any, request: dict[str, Any]) -> Measured:
    """What the disposable process answered to `request`, checked entry by entry. Raises `ArtefactError`."""
    if type(plain) is not dict:
        raise _bad_answer("no dict")
    if "error" in plain:
        raise ArtefactError(clipped(plain["error"]) if type(plain["error"]) is str else "it could not be run")
    keys = {"outputs", "residuals", "work", "forward_work", "backward_work"}
    if set(plain) != keys:
        raise _bad_answer("other keys")
    outputs = _arrays(plain["outputs"])
    if not request["run"] and outputs:
        raise _bad_answer("outputs that were not asked for")
    if request["run"] and request["outputs"] is not None:
        given = [described(array) for array in outputs]
        if given != request["outputs"]:
            raise ArtefactError(f"the traced function gave {listed(given)}; expected {listed(request['outputs'])}")
    if request["transform"] != "vjp_split":
        if not (plain["residuals"] is plain["forward_work"] is plain["backward_work"] is None):
            raise _bad_answer("residuals that were not asked for")
        return Measured(outputs, _work(plain["work"]))
    residuals = _arrays(plain["residuals"])
    forward, backward = _work(plain["forward_work"]), _work(plain["backward_work"])
    return Measured(outputs, forward + backward, residuals, forward, backward)


def _arrays(value: Any) -> list[np.ndarray]:
    if type(value) is not list or len(value) > MAX_RESULTS:
        raise _bad_answer("no list of arrays")
    for array in value:
        if type(array) is not np.ndarray or array.dtype.name not in DTYPES or not array.dtype.isnative:
            raise _bad_answer("something that is not an array")
    if sum(array.nbytes for array in value) > MAX_RESULT_BYTES:
        raise _bad_answer("arrays that are too large")
    return value


def _work(value: Any) -> Work:
    numbers = {field.name for field in dataclasses.fields(Work)} - {"by_kind", "unbounded"}
    if type(value) is not dict or set(value) != {*numbers, "by_kind", "unbounded"}:
        raise _bad_answer("no counts")
    by_kind = value["by_kind"]
    if type(by_kind) is not dict or set(by_kind) != set(KINDS) or type(value["unbounded"]) is not bool:
        raise _bad_answer("no counts")
    kinds: dict[str, Any] = {kind: by_kind[kind] for kind in KINDS}
    counts: dict[str, Any] = {name: value[name] for name in numbers}
    for number in (*counts.values(), *kinds.values()):
        if type(number) is not int or not 0 <= number <= _MAX_COUNT:
            raise _bad_answer("a count that is none")
    return Work(by_kind=kinds, unbounded=value["unbounded"], **counts)


def _bad_answer(what: str) -> ArtefactError:
    return ArtefactError(f"running the traced function went wrong: {what} came back")
