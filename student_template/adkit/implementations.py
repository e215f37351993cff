"""Implementations of reverse mode that are handed to a test of your own: `is_right` in `ad_modes`.

    def is_right(reverse_mode):
        y, x_bar = reverse_mode(graph, x, y_bar)

An `Implementation` is called like the function that you wrote for q4. It takes questions up to the limits below, and a
question beyond them raises a `ValueError` that says which. Whatever else it does instead of answering arrives as an
`ImplementationError`, and never as an exception of its own. In the grader it runs in a process of its own, and what
crosses on the way there and back are numbers; what is said here holds in your notebook as well as there.
"""

# What an implementation answers has no type until it has been looked at.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from adkit.graph import Graph
from adkit.notebook import missing_jax

__all__ = ["Asked", "Implementation", "ImplementationError", "Program", "Question", "by_jax", "question"]

MOST_NODES: Final = 400
"""Nodes of a graph."""
MOST_ARGUMENTS: Final = 1_000
"""Arguments of all nodes of a graph together."""
MOST_ENTRIES: Final = 200
"""Entries of a graph's inputs, of its outputs, of x and of y_bar."""
MOST_CALLS: Final = 2_000
"""Calls of the implementation in one call of `is_right`."""
CALL_SECONDS: Final = 2.0
"""Of one call of the implementation, in the grader."""
ALL_SECONDS: Final = 20.0
"""Of all of them in one call of `is_right`, in the grader: a right one takes milliseconds for the largest graph."""
MOST_NUMBERS: Final = 50_000
"""Numbers in an answer: those of a Jacobian of the largest graph."""
DEPTH: Final = 3
"""How deep lists and tuples in an answer may be nested: a pair of lists of lists."""

FAILURES: Final[dict[str, str]] = {
    "raised": "the implementation raised an error",
    "too slow": f"the implementation did not answer within {CALL_SECONDS:g} seconds, or {ALL_SECONDS:g} in all",
    "no numbers": "the implementation returned something that is not made of numbers",
    "ended": "the implementation ended its process",
    "over": "this implementation was handed to an earlier call of is_right, and answers in that call only",
}
"""In which ways an implementation can fail to answer, and what is said then."""


class ImplementationError(Exception):
    """An implementation that was handed to `is_right` gave no answer. `kind` is one of `FAILURES`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(FAILURES[kind])


@dataclass(frozen=True)
class Question:
    """What an implementation is asked: a graph, and x and y_bar as arrays of 64-bit floats."""

    graph: Graph
    x: NDArray[np.float64]
    y_bar: NDArray[np.float64]


def question(graph: Any, x: Any, y_bar: Any) -> Question:
    """The question, if it is one, and within the limits. ValueError says what is wrong with it.

    x and y_bar may be any sequences or arrays (n,) of real numbers, also of a wrong length.
    """
    if not isinstance(graph, Graph):
        raise ValueError(f"the first argument of an implementation is an adkit.Graph, got a {type(graph).__name__}")
    for what, count, most in (
        ("nodes", len(graph.nodes), MOST_NODES),
        ("arguments in all its nodes", sum(len(node.args) for node in graph.nodes), MOST_ARGUMENTS),
        ("inputs", len(graph.inputs), MOST_ENTRIES),
        ("outputs", len(graph.outputs), MOST_ENTRIES),
    ):
        if count > most:
            raise ValueError(f"a graph may have at most {most:,} {what} here, and this one has {count:,}")
    return Question(graph, _entries("x", x), _entries("y_bar", y_bar))


def too_many_calls() -> ValueError:
    """What is raised by the first call beyond `MOST_CALLS`."""
    return ValueError(f"an implementation may be called at most {MOST_CALLS:,} times by one call of is_right")


def _entries(name: str, given: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(given)
        entries = array.astype(np.float64) if array.dtype.kind in "fiub" or array.size == 0 else None
    except (TypeError, ValueError, OverflowError):
        entries = None
    if entries is None or entries.ndim != 1:
        raise ValueError(f"{name} should be a sequence of real numbers, as in [1.0, 2.0]")
    if entries.size > MOST_ENTRIES:
        raise ValueError(f"{name} may have at most {MOST_ENTRIES} entries here, and this one has {entries.size:,}")
    return entries


def plain_answer(value: Any) -> Any:
    """What an implementation returned, as data: None, numbers, arrays, and lists and tuples of them.

    A NumPy scalar becomes an array of shape (), which `returned` turns back. Raises ImplementationError for all else.
    """
    count = 0

    def look(value: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > DEPTH or count > MOST_NUMBERS:
            raise ImplementationError("no numbers")
        if value is None or type(value) in (bool, float):
            return value
        if type(value) is int and abs(value) < 2**63:
            return value
        if type(value) is list or type(value) is tuple:
            entries = [look(entry, depth + 1) for entry in value]
            return entries if type(value) is list else tuple(entries)
        if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
            array = np.asarray(value)
            kinds = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}
            if array.dtype.kind in kinds and array.ndim <= DEPTH and array.size <= MOST_NUMBERS:
                count += array.size
                return array.astype(kinds[array.dtype.kind])
        raise ImplementationError("no numbers")

    return look(value, 0)


def returned(data: Any) -> Any:
    """What `plain_answer` made plain, as the implementation returned it: an array of shape () is a NumPy scalar."""
    if isinstance(data, list | tuple):
        return type(data)(returned(entry) for entry in cast("Sequence[Any]", data))
    return data[()] if isinstance(data, np.ndarray) and data.ndim == 0 else data


# --- implementations ------------------------------------------------------------------------------------------------

Function = Callable[[Graph, Any, Any], Any]


@dataclass(frozen=True)
class Program:
    """An implementation as text: the function `name` in a module with this source."""

    source: str
    name: str

    def made(self) -> Function:
        """The function. What the source imports must be there."""
        space: dict[str, Any] = {"__name__": "implementation"}
        exec(compile(self.source, "<implementation>", "exec", dont_inherit=True), space)
        return space[self.name]


def by_jax(graph: Graph, x: Any, y_bar: Any) -> tuple[Any, Any]:
    """(y, x_bar) by `jax.vjp` of the graph: right, and with nothing to be seen of how reverse mode works."""
    if not graph.outputs:
        return [], np.zeros(len(graph.inputs))
    import jax

    y, pull_back = jax.vjp(graph, np.asarray(x, dtype=np.float64))
    return np.asarray(y), np.asarray(pull_back(np.asarray(y_bar, dtype=np.float64))[0])


graders_own: Program | None = None
"""What the grader runs in the place of `by_jax`: the same answers up to rounding, without JAX, in a process of its
own."""


class Implementation:
    """An implementation of reverse mode as a test case hands it to `is_right`.

    program: what answers; without one, `by_jax`. spoiled: in which way its questions or answers are spoiled, one of
    `SPOILED`; empty for not at all.
    """

    __name__ = "reverse_mode"

    def __init__(self, program: Program | None = None, spoiled: str = "") -> None:
        if spoiled and spoiled not in SPOILED:
            raise ValueError(f"there is no spoiling {spoiled!r}; there are: {', '.join(SPOILED)}")
        self.program = program
        self.spoiled = spoiled
        self.asked = Asked()
        self._calls = 0
        self._function: Function | None = None

    def __repr__(self) -> str:
        return "<an implementation of reverse_mode(graph, x, y_bar)>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Implementation:
        copy = Implementation(self.program, self.spoiled)  # each call of is_right gets a copy, with its own count
        copy.asked = self.asked
        return copy

    def __call__(self, graph: Graph, x: Any, y_bar: Any) -> Any:
        """(y, x_bar) or whatever it answers. Raises ValueError beyond the limits, ImplementationError for no answer."""
        try:
            self._calls += 1
            if self._calls > MOST_CALLS:
                raise too_many_calls()
            asked = question(graph, x, y_bar)
        except ValueError as problem:
            self.asked.refused = self.asked.refused or str(problem)
            raise
        self.asked.note(asked)
        if self._function is None:
            self._function = function_of(self.program or graders_own, self.spoiled)
        return returned(answered(self._function, asked))


def function_of(program: Program | None, spoiled: str) -> Function:
    """The function itself, as it is run in whichever process."""
    function = by_jax if program is None else program.made()
    return SPOILED[spoiled](function) if spoiled else function


def answered(function: Function, asked: Question) -> Any:
    """What the function answers, as `plain_answer` has it. Raises ImplementationError, and nothing else."""
    failed = "no numbers"
    try:
        try:
            answer = function(asked.graph, asked.x.copy(), asked.y_bar.copy())
        except Exception:
            failed = "raised"
            raise
        return plain_answer(answer)
    except Exception as problem:
        if missing_jax.behind(problem) is not None:
            raise  # at home, where there is no JAX: not the implementation's fault
    raise ImplementationError(failed)  # without a context, whose text and frames would be of the implementation


@dataclass
class Asked:
    """What an implementation was asked, over all calls of `is_right`: what a case can say of the test it grades."""

    anything: bool = False
    repeats_in_products: bool = False
    repeats_in_differences: bool = False
    cotangents_but_one: bool = False
    several_outputs: bool = False
    inner_outputs: bool = False
    listed_twice: bool = False
    unused_inputs: bool = False
    shared_nodes: bool = False
    refused: str = ""
    """The first question that was beyond the limits: what its error said."""

    def note(self, asked: Question) -> None:
        """Takes in a question."""
        graph = asked.graph
        users = Counter(arg for node in graph.nodes for arg in set(node.args))
        outputs = set(graph.outputs)
        repeats = {node.op for node in graph.nodes if len(set(node.args)) < len(node.args)}
        self.anything = True
        self.repeats_in_products |= "mul" in repeats
        self.repeats_in_differences |= not repeats.isdisjoint({"sub", "div"})
        self.cotangents_but_one |= bool(np.any(asked.y_bar != 1.0))
        self.several_outputs |= len(outputs) > 1
        self.inner_outputs |= not outputs.isdisjoint(users)
        self.listed_twice |= len(outputs) < len(graph.outputs)
        self.unused_inputs |= not outputs.union(users).issuperset(graph.inputs)
        self.shared_nodes |= any(count > 1 for count in users.values())

    def seen(self) -> tuple[bool, ...]:
        """All of it but the texts, in the order of the fields."""
        return (
            self.anything, self.repeats_in_products, self.repeats_in_differences, self.cotangents_but_one,
            self.several_outputs, self.inner_outputs, self.listed_twice, self.unused_inputs, self.shared_nodes,
        )  # fmt: skip


# --- spoiling -------------------------------------------------------------------------------------------------------


def _question_spoiled(change: Callable[[Graph, NDArray[np.float64]], Any]) -> Callable[[Function], Function]:
    """Asked about other cotangents than the given ones."""
    return lambda function: lambda graph, x, y_bar: function(graph, x, change(graph, y_bar))


def _answer_spoiled(change: Callable[[Graph, Any, NDArray[np.float64]], Any]) -> Callable[[Function], Function]:
    """With another answer, made of the right one."""

    def spoiled(function: Function) -> Function:
        def implementation(graph: Graph, x: Any, y_bar: Any) -> Any:
            y, x_bar = function(graph, x, y_bar)
            return change(graph, y, np.asarray(x_bar, dtype=np.float64))

        return implementation

    return spoiled


def _used(graph: Graph) -> set[int]:
    return {*graph.outputs, *(arg for node in graph.nodes for arg in node.args)}


def _numbers(values: Any) -> Iterator[Any]:
    """Whole numbers where they are whole, as Python has them."""
    for value in np.asarray(values, dtype=np.float64).tolist():
        yield int(value) if abs(value) < 2**53 and value == round(value) else value


SPOILED: Final[dict[str, Callable[[Function], Function]]] = {
    # not spoiled at all, but in another style
    "lists": _answer_spoiled(lambda graph, y, x_bar: [np.asarray(y).tolist(), x_bar.tolist()]),
    "tuples of whole numbers": _answer_spoiled(lambda graph, y, x_bar: (tuple(_numbers(y)), tuple(_numbers(x_bar)))),
    # wrong
    "negated": _answer_spoiled(lambda graph, y, x_bar: (y, -x_bar)),
    "doubled": _answer_spoiled(lambda graph, y, x_bar: (y, 2.0 * x_bar)),
    "without values": _answer_spoiled(lambda graph, y, x_bar: (np.zeros(len(graph.outputs)), x_bar)),
    "parts swapped": _answer_spoiled(lambda graph, y, x_bar: (x_bar, y)),
    "nothing": _answer_spoiled(lambda graph, y, x_bar: None),
    "unused inputs left out": _answer_spoiled(
        lambda graph, y, x_bar: (
            y,
            [bar for index, bar in zip(graph.inputs, x_bar, strict=True) if index in _used(graph)],
        )
    ),
    "cotangents ignored": _question_spoiled(lambda graph, y_bar: np.ones(len(graph.outputs))),
    "first output only": _question_spoiled(lambda graph, y_bar: np.where(np.arange(len(y_bar)) == 0, y_bar, 0.0)),
}
"""What is done to an implementation's questions or answers, by its name."""
