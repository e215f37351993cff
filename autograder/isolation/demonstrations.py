"""Which cells of a notebook need not be run: demonstrations, as they were handed out, that nothing else depends on.

A notebook trains networks, draws pictures and tries the student's own functions on long graphs. None of that earns
points, and with functions that hang or crash it costs minutes. A demonstration is run after all when a cell that is
run reads a name which it binds. Decided in the submission's own process, since it parses the submission: a wrong answer
there is the submission's own loss.
"""

import ast
import symtable
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from adkit.notebook import cells as rule
from adkit.notebook import magics

_READS_ANYTHING = {"eval", "exec", "globals", "locals", "vars", "compile", "__import__", "__dict__"}


def cells_to_run(cells: Sequence[tuple[int, str]], demonstrations: Collection[int]) -> list[tuple[int, str]]:
    """The cells (number, source) without the demonstrations (by number) that no other cell needs, in their order."""
    if not demonstrations:
        return list(cells)
    names = {number: _names(source) for number, source in cells}
    kept = [number for number in names if number not in demonstrations]
    waiting = set(names).difference(kept)
    needed = set[str]()
    for number in kept:  # grows while it is gone through
        found = names[number]
        if found is None or found.read & _READS_ANYTHING:
            return list(cells)
        needed |= found.read
        joining = {other for other in waiting if (binding := names[other]) is None or binding.bound & needed}
        kept += joining
        waiting -= joining
    return [(number, source) for number, source in cells if number not in waiting]


@dataclass(frozen=True)
class _Names:
    """A cell's names at the level of the notebook."""

    bound: frozenset[str]
    read: frozenset[str]


def _names(source: str) -> _Names | None:
    """What a cell binds and reads; None when that cannot be told."""
    try:
        try:
            table = symtable.symtable(source, "<cell>", "exec")
        except (SyntaxError, ValueError):  # magics
            pieces = rule.statements(source)
            statements = [piece for piece in pieces if isinstance(piece, ast.stmt)]
            if len(statements) < len(pieces) or any(map(magics.may_run_code, statements)):
                return None
            table = symtable.symtable(ast.unparse(ast.Module(statements, [])), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound, read = set[str](), set[str]()
    tables = [table]
    while tables:
        inner = tables.pop()
        tables += inner.get_children()
        for symbol in inner.get_symbols():
            if inner is not table and not symbol.is_global():
                continue
            if symbol.is_assigned() or symbol.is_imported():
                bound.add(symbol.get_name())
            # `x += 1` and `del x` read x, too, and look like any assignment here
            if symbol.is_referenced() or (symbol.is_assigned() and not symbol.is_namespace()):
                read.add(symbol.get_name())
    return _Names(frozenset(bound), frozenset(read))
