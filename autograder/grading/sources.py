"""The files that decide an assignment's scores and feedback, and a digest of them."""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from autograder.assignment import Assignment


def reference_of(assignment: Assignment) -> Path | None:
    """The file of the hidden solution; None where it is not installed."""
    file = _package("reference") / f"{assignment.name}.py"
    return file if file.is_file() else None


def digest_of(assignment: Assignment) -> str:
    """A digest of assignment.toml, the tests, the reference, its known mistakes, the checks and adkit.

    Without the table `[late]`: it changes what is made of a score, not the score.
    """
    digest = hashlib.sha256()
    for file in _sources(assignment):
        content = file.read_bytes()
        if file.name == "assignment.toml":
            table = tomllib.loads(content.decode())
            table.pop("late", None)
            content = json.dumps(table, default=str).encode()
        digest.update(file.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def _sources(assignment: Assignment) -> Iterator[Path]:
    yield assignment.folder / "assignment.toml"
    yield from sorted(assignment.tests_dir.glob("*.py"))
    reference = reference_of(assignment)
    if reference is not None:
        yield reference
        yield from sorted((reference.parent / "mistakes").glob(f"{assignment.name}.py"))
    others = {path.name for path in assignment.folder.resolve().parent.iterdir()} - {assignment.name}
    inputs = sorted((_package("reference") / "inputs").glob("*.py"))
    yield from (path for path in inputs if path.stem not in others)
    yield Path(__file__).parent / "recognition.py"
    yield from sorted(_package("adkit").rglob("*.py"))


def _package(name: str) -> Path:
    """The folder of an installed package, which is not imported: adkit would bring JAX along."""
    found = find_spec(name)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent
