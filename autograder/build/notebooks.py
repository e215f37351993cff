"""The student's notebook and the solution notebook from Otter's versions, as text that is the same on every build.

Cell ids are digests of what the cells hold, so that an edit changes the ids of the edited cells only; no outputs, no
execution counts, no version of the Python that built it.
"""

import copy
import hashlib
import json
from typing import Any

from autograder.build import BuildError
from autograder.build.master import ANSWER_TAG, KERNEL, SOLUTION_TAG
from autograder.submissions.read import demonstration_digest

_OTTER_TAGS = {ANSWER_TAG, SOLUTION_TAG, "otter_include"}


def student_notebook(otters: Any) -> str:
    """The notebook handed out: no raw cell, no solution cell, no trace of Otter's structure."""
    return _finish(otters, drop=_is_emptied_solution)


def solution_notebook(otters: Any) -> str:
    """The instructor's notebook: the solution stands where the stub was."""
    return _finish(otters, drop=_is_stub)


def dumps(notebook: Any) -> str:
    """A notebook as JSON text, sources as nbformat writes them, keys sorted."""
    prepared = copy.deepcopy(notebook)
    for cell in prepared["cells"]:
        cell["source"] = str(cell["source"]).splitlines(keepends=True)
    return json.dumps(prepared, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _is_emptied_solution(cell: Any) -> bool:
    return cell["cell_type"] == "code" and not cell["source"].strip()


def _is_stub(cell: Any) -> bool:
    tags = cell["metadata"].get("tags", [])
    return ANSWER_TAG in tags and SOLUTION_TAG not in tags


def _finish(otters: Any, drop: Any) -> str:
    cells: list[dict[str, Any]] = []
    ids: set[str] = set()
    for cell in otters["cells"]:
        if cell["cell_type"] == "raw":
            raise BuildError("Otter left a raw cell in the notebook")
        if drop(cell):
            continue
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            source = _without_markers(source)
        made: dict[str, Any] = {
            "cell_type": cell["cell_type"],
            "id": _identifier(cell["cell_type"], source, ids),
            "metadata": _metadata(cell, source),
            "source": source,
        }
        if cell["cell_type"] == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    return dumps({"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})


def _metadata(cell: Any, source: str) -> dict[str, Any]:
    metadata = cell["metadata"]
    tags = [tag for tag in metadata.get("tags", []) if tag not in _OTTER_TAGS]
    kept: dict[str, Any] = {"tags": tags} if tags else {}
    if "question" in metadata:
        return kept | {"question": metadata["question"]}
    if source.startswith("grader.check("):
        # Otter locks everything of a question; students may well edit an example between stub and check
        return kept | {"deletable": False, "editable": False}
    if cell["cell_type"] == "code" and not tags:  # neither the setup nor the export
        return {"demonstration": demonstration_digest(source)}
    return kept


def _without_markers(source: str) -> str:
    lines = source.split("\n")
    if lines[0].startswith("# BEGIN SOLUTION") and lines[-1] == "# END SOLUTION":
        return "\n".join(lines[1:-1]).strip("\n")
    return source


def _identifier(kind: str, source: str, taken: set[str]) -> str:
    digest = hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:12]
    name, count = digest, 1
    while name in taken:
        count += 1
        name = f"{digest}-{count}"
    taken.add(name)
    return name
