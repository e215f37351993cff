"""One MLIR context for a whole process.

JAX makes a new context for every function that it lowers, and fills it with all its dialects: most of the time that
lowering one operation takes. A process that lowers hundreds, one after the other, shares one.
"""

from __future__ import annotations

import threading
from typing import Any, cast

_shared: list[tuple[int, Any]] = []
"""The thread whose context is shared, and the context; at most one."""


def context() -> Any:
    """A context to read a module in: the shared one, or a new one where none is shared."""
    from jax.interpreters import mlir

    for thread, shared in _shared:
        if thread == threading.get_ident():
            return shared
    return mlir.make_ir_context()


def leave_out_locations() -> None:
    """From now on JAX writes into what it traces no lines of source: functions that are alike give the same bytes."""
    import jax

    try:
        jax.config.update("jax_traceback_in_locations_limit", 0)  # pyright: ignore[reportUnknownMemberType]
    except AttributeError:  # a version without it
        return


def share_context() -> None:
    """From now on JAX uses one context for all that this thread lowers, in this process and in forks of it.

    Where JAX, to which this is private, does it in another way, nothing changes. A module and its operations keep their
    context alive and not the other way round, so that what is no longer used goes all the same; what stays are types
    and attributes, which are alike for alike functions.
    """
    if _shared:
        return
    _name_the_mesh()
    try:
        from jax._src.interpreters import mlir

        make = mlir.make_ir_context
        shared = make()
        shared.enable_multithreading(False)  # the threads of a pool would not be there in a fork
    except (ImportError, AttributeError):
        return
    owner = threading.get_ident()
    _shared.append((owner, shared))

    def make_ir_context() -> Any:
        return shared if threading.get_ident() == owner else make()

    mlir.make_ir_context = make_ir_context


def _name_the_mesh() -> None:
    """Says from the beginning that there is no mesh of devices, as JAX's transformations say it.

    In some versions nothing is said at first, and what is traced outside of a transformation is not found in one.
    """
    try:
        from jax._src import config, mesh

        manager = cast("Any", config).abstract_mesh_context_manager
        if manager.value is None:
            manager.set_local(mesh.empty_abstract_mesh)
    except (ImportError, AttributeError):
        return
