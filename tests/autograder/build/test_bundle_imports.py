"""A container has one assignment: what its tests, reference, mistakes and inputs import has to be there with it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.assignment import Assignment, names

REFERENCE = Path(__file__).resolve().parents[3] / "reference"


def imported(path: Path) -> Iterator[str]:
    """The modules of `reference` that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("reference"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reference":
            module = str(node.module)
            yield module
            for alias in node.names:  # from reference.inputs import matrix_gradients
                if (REFERENCE.parent / f"{module.replace('.', '/')}/{alias.name}.py").is_file():
                    yield f"{module}.{alias.name}"


@pytest.mark.parametrize("name", names())
def test_an_assignment_imports_nothing_of_another(name: str) -> None:
    others = set(names()) - {name}
    own = [REFERENCE / f"{name}.py", *(REFERENCE / part / f"{name}.py" for part in ("mistakes", "inputs"))]
    files = [*Assignment.load(name).tests_dir.glob("*.py"), *filter(Path.is_file, own)]
    shared = [path for path in REFERENCE.rglob("*.py") if path.stem not in names()]
    found = {(path.name, module) for path in (*files, *shared) for module in imported(path)}
    assert any(module == f"reference.{name}" for _, module in found)
    assert [(file, module) for file, module in sorted(found) if module.split(".")[-1] in others] == []
