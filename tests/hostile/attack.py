"""What an attack is: a name, what it tries, how its success would be seen from outside, and what is handed in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["score", "leak", "host", "availability", "persistence", "injection"]
World = dict[str, Any]
"""What the attacker is told, to be as strong as can be: paths of all secrets, ports, process ids and its own token."""

WRONG = """\
import os, sys
import numpy as np

def twice(x):
    return 0

def energy(x):
    raise ValueError("no idea")

def at_one(f, x):
    return 0.0
"""
"""The student who failed the course: wrong answers everywhere, worth nothing."""

RIGHT = """\
import os, sys
import numpy as np

def twice(x):
    return 2 * x

def energy(x):
    return 0.5 * (x * x).sum()

def at_one(f, x):
    return f(x)
"""
RIGHT_POINTS = 10.0


@dataclass(frozen=True)
class Attack:
    """One hostile submission."""

    name: str
    kind: Kind
    tries: str
    """What it tries, in a sentence."""
    seen: str
    """How success would be observed from outside."""
    code: str = ""
    """Code cells, separated by lines `# %%`; `WORLD` is a dict that the first cell defines."""
    raw: Callable[[World], bytes] | None = None
    """Instead of code: the file's bytes."""
    file: str = ""
    """The file's name; `<name>.ipynb` by default. May hold what a file system allows and a program dislikes."""
    base: str = WRONG
    """Code before the attack's own."""
    deserves: float = 0.0
    """Points that its right answers are worth: anything above is a success."""
    metadata: str = ""
    """Text that goes into every free field of the notebook's metadata."""
    slow: bool = False
    """Takes more than a few seconds: left out of quick test runs."""
    link: str = ""
    """Instead of bytes: a symbolic link to WORLD[link]."""

    def content(self, world: World) -> bytes:
        """The file's bytes."""
        if self.raw is not None:
            return self.raw(world)
        return notebook([f"WORLD = {world!r}\n{self.base}", *self.cells()], self.metadata)

    def cells(self) -> list[str]:
        """The attack's own cells."""
        return [cell.strip("\n") for cell in self.code.split("# %%\n") if cell.strip()]

    @property
    def file_name(self) -> str:
        """The name it is handed in under."""
        return self.file or f"{self.name}.ipynb"


def notebook(cells: list[str], metadata: str = "") -> bytes:
    """A notebook with these code cells."""
    extra: dict[str, Any] = {}
    if metadata:
        extra = {
            "kernelspec": {"name": metadata, "display_name": metadata, "language": metadata},
            "otter": {"assignment_name": metadata, "OK_FORMAT": metadata, "tests": {"q1": metadata}},
            "title": metadata,
        }
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": extra or {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"name": metadata, "tags": [metadata]} if metadata else {},
                "execution_count": None,
                "outputs": [],
                "source": cell,
            }
            for number, cell in enumerate(cells)
        ],
    }
    return json.dumps(content).encode()
