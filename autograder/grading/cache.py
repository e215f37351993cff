"""What a run may keep for the next one: where the cache is, and the digests under which things are kept."""

import hashlib
import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from autograder.assignment import Assignment


def cache_folder() -> Path:
    """The cache directory: $AUTOGRADER_CACHE, else `autograder` in the user's cache folder."""
    given = os.environ.get("AUTOGRADER_CACHE")
    if given:
        return Path(given).resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").resolve() / "autograder"


def content_key(assignment: Assignment) -> str:
    """A digest of all that decides what is compiled for an assignment, and what its known mistakes answer."""
    parts = hashlib.sha256()
    for part in (sys.version, *(version(package) for package in ("jax", "jaxlib", "numpy")), _processor()):
        parts.update(part.encode() + b"\0")
    parts.update(digest_of(assignment).encode())
    parts.update((Path(__file__).parents[1] / "isolation" / "operations.py").read_bytes())  # what is kept, and how
    return parts.hexdigest()[:24]


def digest_of(assignment: Assignment) -> str:
    """A digest of the files that decide an assignment's scores and feedback: assignment.toml, the tests, the reference,
    its known mistakes and inputs, their recognition, and adkit.

    Without what changes neither: the table `[late]`, which is about what is made of a score; `about`, which is for
    READMEs; `[budget]`, which is for the build; and the address of the notebook.
    """
    digest = hashlib.sha256()
    for file in _sources(assignment):
        content = file.read_bytes()
        if file.name == "assignment.toml":
            table = tomllib.loads(content.decode())
            for key in ("late", "about", "budget", "notebook_url"):
                table.pop(key, None)
            content = json.dumps(table, default=str).encode()
        digest.update(file.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def reference_of(assignment: Assignment) -> Path | None:
    """The file of the hidden solution; None where it is not installed."""
    file = _package("reference") / f"{assignment.name}.py"
    return file if file.is_file() else None


def _sources(assignment: Assignment) -> Iterator[Path]:
    yield assignment.folder / "assignment.toml"
    yield from sorted(assignment.tests_dir.glob("*.py"))
    reference = reference_of(assignment)
    if reference is not None:
        yield reference
        editing = find_spec("reference.editing")
        if editing is not None and editing.origin is not None:
            yield Path(editing.origin)
        yield from sorted((reference.parent / "mistakes").glob(f"{assignment.name}.py"))
        yield from sorted((reference.parent / "facts").glob(f"{assignment.name}.py"))
        yield from sorted((reference.parent / "implementations").glob(f"{assignment.name}.py"))
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


def _processor() -> str:
    """What machine code depends on: compiled for one processor, it may not run on another."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if line.startswith(("model name", "flags", "Features", "CPU part"))]
        return platform.machine() + "".join(sorted(set(lines)))
    return platform.machine() + platform.processor()
