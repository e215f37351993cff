"""Comparisons that a sort may use: strict weak orders.

The CPU runtime sorts by `std::sort` and `std::stable_sort`. With a comparison that is not a strict weak order the first
runs past the ends of the array: an unstable sort by `<=` is enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from autograder.isolation.mlir import array_of, attribute_texts, maker


def is_order(block: Any) -> bool:
    """Whether the comparison of a `stablehlo.sort` is a strict weak order, as all that JAX makes are.

    block: its body; the arguments are the keys of two elements in turn: a0, b0, a1, b1, … Recognised is
    f(a) < f(b), for one f of an element's keys and in a total order, and several of these lexicographically:
    f(a) < f(b) or (f(a) == f(b) and the next).
    """
    comparison = _Comparison(block)
    operations = [entry.operation for entry in block.operations]
    if len(operations[-1].operands) != 1:
        return False
    value = operations[-1].operands[0]
    for _ in operations:
        side_by_side = comparison.of_the_same(value)
        if side_by_side is not None:
            return side_by_side.direction in ("LT", "GT")
        value = comparison.next_key(value)
        if value is None:
            return False
    return False


@dataclass(frozen=True)
class _Made:
    """What a value is made of: the expression's number, its number with a and b exchanged, which of them are in it."""

    number: int
    mirrored: int
    depends: frozenset[int]


@dataclass(frozen=True)
class _SideBySide:
    """f(a) compared with f(b)."""

    direction: str
    left: int
    right: int


class _Comparison:
    def __init__(self, block: Any) -> None:
        self._numbers: dict[Any, int] = {}
        self._made: dict[Any, _Made] = {}
        for position, argument in enumerate(block.arguments):
            key, side = divmod(position, 2)
            self._made[argument] = _Made(self._number(key, side), self._number(key, 1 - side), frozenset({side}))
        for entry in block.operations:
            operation = entry.operation
            if len(operation.results) == 1 and not any(True for _ in operation.regions):
                self._made[operation.results[0]] = self._of_operation(operation)

    def _of_operation(self, operation: Any) -> _Made:
        if operation.name == "stablehlo.constant":
            number = self._number(str(operation).partition("=")[2])
            return _Made(number, number, frozenset())
        head = (operation.name, attribute_texts(operation), str(operation.results[0].type))
        parts = [self._find(operand) for operand in operation.operands]
        return _Made(
            self._number(*head, *(part.number for part in parts)),
            self._number(*head, *(part.mirrored for part in parts)),
            frozenset[int]().union(*(part.depends for part in parts)),
        )

    def _number(self, *expression: Any) -> int:
        return self._numbers.setdefault(expression, len(self._numbers))

    def _find(self, value: Any) -> _Made:
        if value not in self._made:  # from outside: the same for both elements
            number = self._number("outside", len(self._numbers))
            self._made[value] = _Made(number, number, frozenset())
        return self._made[value]

    def of_the_same(self, value: Any) -> _SideBySide | None:
        """The comparison that a value is, if it is of f(a) with f(b), in a total order."""
        operation = maker(value)
        if operation is None or operation.name != "stablehlo.compare":
            return None
        text = attribute_texts(operation)
        direction = re.search(r"comparison_direction (EQ|NE|LT|LE|GT|GE)", text)
        kind = re.search(r"comparison_type (\w+)", text)
        array = array_of(operation.operands[0])
        if direction is None or kind is None or array is None or kind[1] != _total(array[1]):
            return None
        left, right = (self._find(operand) for operand in operation.operands)
        if left.mirrored != right.number or {left.depends, right.depends} != {frozenset({0}), frozenset({1})}:
            return None
        return _SideBySide(direction[1], left.number, right.number)

    def next_key(self, value: Any) -> Any:
        """The comparison of all further keys in "the first key less, or equal and …"; None if a value is not such."""
        either = maker(value)
        if either is None or either.name != "stablehlo.or":
            return None
        both = maker(either.operands[1])
        if both is None or both.name != "stablehlo.and":
            return None
        less, equal = self.of_the_same(either.operands[0]), self.of_the_same(both.operands[0])
        if less is None or less.direction not in ("LT", "GT"):
            return None
        return both.operands[1] if equal == _SideBySide("EQ", less.left, less.right) else None


def _total(element: str) -> str:
    """The kind of comparison that orders all numbers of a type, NaN included; complex numbers have none."""
    if element.startswith("complex"):
        return "none"
    if "f" in element:
        return "TOTALORDER"
    return "UNSIGNED" if element == "i1" or element.startswith("ui") else "SIGNED"
