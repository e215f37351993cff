"""Work: a function as JAX traces it, what that computes, and whether it has a reverse rule of its own."""

# A jaxpr and its parts have no public types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Sequence
from typing import Any

from adkit.checks.autodiff import own_rule_in_this_notebook
from adkit.checks.case import name_of, next_check
from adkit.checks.errors import StudentError, not_defined
from adkit.checks.failures import failed, note_asked, note_call, student_failed

__all__ = ["countable", "has_own_reverse_rule", "measured"]


def measured(
    f: Any,
    *args: Any,
    transform: str = "call",
    static: Sequence[Any] = (),
    leading: int = 0,
    autodiff: bool = False,
    run: bool = True,
) -> Any:
    """`adkit.tracing.export.measure` as a check: the outputs of `f` as JAX traced it, and what they take.

    Raises StudentError when `f` is missing or cannot be traced.
    """
    from adkit.tracing.export import measure  # only cases about work need it

    next_check()
    note_asked((*static[:leading], *args, *static[leading:]), ())
    if f is None:
        student_failed(not_defined())
    try:
        found = measure(f, *args, transform=transform, static=static, leading=leading, autodiff=autodiff, run=run)
    except StudentError as problem:
        student_failed(problem)
    note_call(args, found.outputs)
    if run and not found.outputs:
        failed(f"{name_of(f)} returned nothing that JAX could trace: None or an empty list", kind="wrong shape")
    return found


def countable(work: Any) -> None:
    """Passes when every count of `work` (`adkit.tracing.counts.Work`) is exact: no work is in an open-ended loop."""
    next_check()
    if work.unbounded:
        failed(
            "linear algebra (or a multiplication) runs inside a loop whose number of iterations depends on the data "
            "(jax.lax.while_loop): work cannot be counted there",
            kind="too costly",
        )


def has_own_reverse_rule(f: Any, *args: Any) -> None:
    """Passes when `f` has a reverse rule of its own, made with `jax.custom_vjp` or its like.

    It is looked for in the code of what `f` reaches (`adkit.checks.autodiff`), by the grader and in a student's
    notebook alike: what a submission's process says of its own functions is worth no points. Of a function that no cell
    is seen to define, what JAX traces of `f(*args)` decides, where that is at hand.
    """
    next_check()
    if f is None:
        student_failed(not_defined())
    if getattr(f, "__autograder_proxy__", False):
        own = f.has_own_reverse_rule()
    else:
        seen = own_rule_in_this_notebook(name_of(f))
        own = _traces_a_rule(f, args) if seen is None else seen
    if not own:
        failed(
            f"{name_of(f)} has no reverse rule of its own: JAX differentiates the operations in it. "
            "Decorate it with jax.custom_vjp and set the rule with defvjp",
            kind="no answer",
        )


def _traces_a_rule(f: Any, args: tuple[Any, ...]) -> bool:
    """Whether what JAX traces calls a `jax.custom_vjp` function; no, where it cannot be traced."""
    import jax

    try:
        return any(name.startswith("custom_vjp") for name in _primitives(jax.make_jaxpr(f)(*args).jaxpr))
    except Exception:
        return False


def _primitives(jaxpr: Any) -> Iterator[str]:
    """The names of all primitives in a jaxpr, and in those among their parameters."""
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for parameter in equation.params.values():
            for part in parameter if isinstance(parameter, list | tuple) else (parameter,):
                inner = getattr(part, "jaxpr", part)  # a closed jaxpr holds one
                if hasattr(inner, "eqns"):
                    yield from _primitives(inner)
