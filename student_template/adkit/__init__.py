"""adkit: the library that the course's notebooks are written with, and that the grader uses too.

    import adkit
    graph = adkit.toy_graph()

It is written to be read. The subject is in seven short modules:

1. `graph`: a program as a list of nodes, and `trace`, which records a Python function as one (`ad_modes`);
2. `elimination`: derivatives of a graph by removing its nodes one by one, and what an order costs (`ad_modes`);
3. `functions`: functions made of numbers, which JAX can trace and differentiate (`ad_in_jax`);
4. `differences`: finite differences, with which a derivative can be checked (`matrix_gradients`);
5. `schedule`: forward, backward, save and free as data, and the rules of memory (`checkpointing`);
6. `network`: the chain of layers to which a schedule is applied (`checkpointing`);
7. `stubs`: how a demonstration cell waits for a function that you have not written yet.

Around them are packages that you can leave closed: `drawing` makes the pictures (start with `drawing/svg.py`), `checks`
compares answers and writes the messages, `tracing` counts what JAX computes, and `notebook` runs a notebook as the
grader does. To find the rule behind a message, search `adkit/checks/` for a few of its words. Whether a schedule or a
graph is valid is decided by the subject itself: `schedule.simulate` and `graph.Graph`. The checks call them from the
cases in `tests/`, beside this package.

Importing adkit is cheap, because a module is loaded when it is first used. It also turns on 64-bit floats for JAX, so
import it before you make the first JAX array (the notebooks do).
"""

import os
from importlib import import_module
from typing import Any

from adkit.notebook import missing_jax

os.environ.setdefault("JAX_ENABLE_X64", "1")
missing_jax.install()  # where there is no JAX, `import jax` says so when it is used

__version__ = "0.2.0"
"""The release of the course. It is written down here and nowhere else: pyproject.toml and the grader read it."""

_EXPORTS: dict[str, str] = {
    # name: the module of this package that has it, or with ":" at its end the module itself
    "Notebook": "notebook.notebook",
    "Implementation": "implementations",
    "ImplementationError": "implementations",
    "checks": "checks:",
    "differences": "differences:",
    "artefact": "tracing.export:",
    "functions": "functions:",
    "implementations": "implementations:",
    "measure": "tracing.export",
    "Node": "graph",
    "Graph": "graph",
    "trace": "graph",
    "toy_graph": "graph",
    "figure_4": "graph",
    "draw": "drawing.graph",
    "trace_table": "drawing.tables",
    "linearise": "elimination",
    "eliminate": "elimination",
    "elimination_cost": "elimination",
    "skip_until_implemented": "stubs",
    "once_written": "stubs",
    "ScheduleError": "schedule",
    "Trace": "schedule",
    "simulate": "schedule",
    "least_evaluations": "schedule",
    "animate": "drawing.animation",
    "step_through": "drawing.animation",
    "steps": "drawing.animation",
    "stills": "drawing.animation",
    "space_time": "drawing.space_time",
    "compare": "drawing.space_time",
    "trade_off": "drawing.trade_off",
    "Affine": "functions",
    "Contraction": "functions",
    "Equilibrium": "functions",
    "GraphFunction": "functions",
    "Kepler": "functions",
    "Logistic": "functions",
    "LogSumExp": "functions",
    "Marked": "functions",
    "NetworkLoss": "functions",
    "Quadratic": "functions",
    "ReverseMarked": "functions",
    "SparseMap": "functions",
    "Stencil": "functions",
    "TanhMap": "functions",
    "mlp": "network",
    "mlp_layer": "network",
    "mlp_loss": "network",
    "watch": "tracing.live",
    "live_bytes": "tracing.live",
    "memory_plot": "drawing.memory_plot",
    "log_plot": "drawing.log_plot",
}


def __getattr__(name: str) -> Any:
    """Loads the module that has `name` (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'adkit' has no attribute '{name}'; it has: {', '.join(sorted(_EXPORTS))}")
    where, whole, _ = _EXPORTS[name].partition(":")
    module = import_module(f"adkit.{where}")
    value = module if whole else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_EXPORTS)
