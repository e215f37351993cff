"""adkit: what the course's notebooks are written with, and what the grader uses too.

Importing it is cheap: a part is loaded when it is first used. It also turns 64-bit floats on
for JAX, so import it before the first JAX array is made (the notebooks do).

    import adkit
    graph = adkit.toy_graph()
"""

import os
from importlib import import_module
from typing import Any

os.environ.setdefault("JAX_ENABLE_X64", "1")

__version__ = "0.1.0"
"""The release of the course. It is written down here and nowhere else: pyproject.toml and the grader read it."""

_EXPORTS: dict[str, str] = {
    # name: the module of this package that has it, or with ":" at its end the module itself
    "Notebook": "notebook.notebook",
    "checks": "checks:",
    "differences": "differences:",
    "artefact": "tracing.export:",
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
    "once_written": "stubs",
    "ScheduleError": "schedule",
    "Trace": "schedule",
    "simulate": "schedule",
    "least_evaluations": "schedule",
    "animate": "drawing.animation",
    "stills": "drawing.animation",
    "space_time": "drawing.space_time",
    "trade_off": "drawing.trade_off",
    "mlp": "network",
    "mlp_layer": "network",
    "mlp_loss": "network",
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
