"""Artefacts with code that JAX did not make."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jax import export as jax_export
from jax.interpreters import mlir
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

MATRIX = "tensor<3x3xf64>"


def forged(body: str, functions: str = "", **container: Any) -> bytes:
    """An artefact that says it maps a 3 x 3 matrix to one, with `body` for its code."""
    honest = jax_export.export(jax.jit(lambda x: x + 1), platforms=["cpu"])(np.zeros((3, 3)))
    text = f"func.func public @main(%x: {MATRIX}) -> {MATRIX} {{\n{body}\n}}\n{functions}"
    context = mlir.make_ir_context()
    context.allow_unregistered_dialects = True
    with context:
        module = ir.Module.parse(
            f"module attributes {{mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32}} {{{text}}}"
        )
        code = stablehlo.serialize_portable_artifact(module, stablehlo.get_current_version())
    container = {"mlir_module_serialized": code, **container}
    return bytes(dataclasses.replace(honest, **container).serialize())
