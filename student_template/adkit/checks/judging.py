"""Judging a test that a student wrote: does `is_right` let a wrong implementation through, or refuse a right one?"""

from __future__ import annotations

from typing import Any

from adkit.checks.calling import call
from adkit.checks.case import next_check
from adkit.checks.failures import NO_ANSWER, failed
from adkit.checks.plain import kind_of
from adkit.implementations import Asked, Implementation

__all__ = ["accepts", "refuses"]


def accepts(is_right: Any, given: Implementation, what: str, *, repeat: bool = False) -> None:
    """Passes if and only if `is_right` says True to `given`, a right implementation. what: "which returns tuples"."""
    _judge(is_right, given, True, f"refuses a right implementation, {what}", "", repeat)


def refuses(is_right: Any, given: Implementation, what: str, *, without: str = "", repeat: bool = False) -> None:
    """Passes if and only if `is_right` says False to `given`, a wrong implementation.

    what: the kind of its mistake, as in "which ignores the cotangents". without: what a test must have asked about to
    notice it, one of `NEEDED`; where nothing of that kind was asked, a public case says so.
    repeat: ask a second time, and expect the same verdict.
    """
    _judge(is_right, given, False, f"lets a wrong implementation through, {what}", without, repeat)


NEEDED: dict[str, str] = {
    "anything": "it never calls the implementation",
    "repeats_in_products": "no graph that it asks about multiplies a node by itself",
    "repeats_in_differences": "no graph that it asks about subtracts a node from itself, or divides it by itself",
    "cotangents_but_one": "every cotangent that it asks about is 1",
    "several_outputs": "every graph that it asks about has one output",
    "inner_outputs": "no graph that it asks about has an output that feeds another node",
    "listed_twice": "no graph that it asks about lists an output twice",
    "unused_inputs": "every graph that it asks about uses all of its inputs",
    "shared_nodes": "no graph that it asks about has a node that two others use",
}
"""What is said where a test has asked nothing of that kind, by the name of the field of `Asked`."""


def _judge(is_right: Any, given: Implementation, right: bool, wrong: str, without: str, repeat: bool) -> None:
    verdict = call(is_right, given, repeat=repeat)
    next_check()
    if type(verdict) is not bool:
        failed(
            f"is_right returned {kind_of(verdict)}, and should return True or False",
            hidden="is_right should return True or False",
            kind="wrong shape",
        )
    if verdict is right:
        return
    asked = given.asked
    missing = next((NEEDED[name] for name in ("anything", without) if name and not getattr(asked, name)), "")
    refused = f"one of its questions was refused: {asked.refused}" if asked.refused else ""
    reasons = [reason for reason in (missing, refused) if reason]
    failed(
        f"is_right {wrong}" + (f"; {'; '.join(reasons)}" if reasons else ""),
        hidden=f"is_right {wrong}",
        answer=[verdict, [*asked.seen()]] if _tells(right, asked) else NO_ANSWER,
    )


def _tells(right: bool, asked: Asked) -> bool:
    """Whether what was asked, by which known mistakes are recognised, tells what is wrong.

    It does where nothing was asked, and where a mistake gets through and a single thing was never asked. Where several
    were not, the kind of mistake says more; where none is missing, or a right one is refused, there are many reasons.
    """
    return not asked.anything or (not right and asked.seen().count(False) == 1)
