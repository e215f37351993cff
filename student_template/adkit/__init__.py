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

_EXPORTS: dict[str, str] = {
    # name: the module of this package that has it; a module's own name stands for the module itself
    "Notebook": "notebook",
    "checks": "checks",
    "differences": "differences",
    "artefact": "artefact",
    "Node": "graph",
    "Graph": "graph",
    "trace": "graph",
    "toy_graph": "graph",
    "figure_4": "graph",
    "draw": "drawing",
    "trace_table": "tables",
    "linearise": "elimination",
    "eliminate": "elimination",
    "elimination_cost": "elimination",
    "once_written": "stubs",
    "ScheduleError": "schedule",
    "Trace": "schedule",
    "simulate": "schedule",
    "animate": "animation",
    "stills": "animation",
    "space_time": "lifetimes",
    "trade_off": "tradeoff",
    "least_evaluations": "tradeoff",
    "mlp": "network",
    "mlp_layer": "network",
    "mlp_loss": "network",
}


def __getattr__(name: str) -> Any:
    """Loads the module that has `name` (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'adkit' has no attribute '{name}'; it has: {', '.join(sorted(_EXPORTS))}")
    module = import_module(f"adkit.{_EXPORTS[name]}")
    value = module if name == _EXPORTS[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_EXPORTS)
