"""`autograder.zip`: Otter's own generate, then what isolation and quick containers need.

tests/…                       all test cases, each with its title as its name; a bonus question's worth 0 for Otter
otter_config.json             Otter's settings: the isolation plugin with the assignment and the bonus points
setup.sh run_autograder run_otter.py requirements.txt requirements.constraints.txt    from `autograder/otter/container`
environment.yml               Otter's, unused: its Dockerfile wants it there
files/                        autograder, reference, adkit, assignments/<name>: what grading runs
requirements.course.zip       the same once more, for setup.sh: it runs before Otter's Dockerfile adds files/
"""

import contextlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.build import BuildError
from autograder.build.course import Course
from autograder.build.testfiles import TestFile, render
from autograder.otter.container.config import PLUGIN

SCRIPTS = ("setup.sh", "run_autograder", "run_otter.py")
_EPOCH = (2020, 1, 1, 0, 0, 0)  # the same zip from the same sources
_FRAMEWORK = (
    "__init__.py",
    "editing.py",
    "facts/__init__.py",
    "mistakes/__init__.py",
    "implementations/__init__.py",
    "inputs/__init__.py",
    "inputs/seeds.py",
)
"""Of `reference`, what every course uses."""
_PACKAGE = Path(__file__).resolve().parent.parent


def write_bundle(assignment: Assignment, tests: Iterable[TestFile], path: Path) -> None:
    """Writes `autograder.zip` to `path`; BuildError when Otter's generate refuses."""
    tests = tuple(tests)
    with tempfile.TemporaryDirectory(prefix="autograder-bundle-") as temporary:
        folder = Path(temporary).resolve()
        (folder / "tests").mkdir()
        for file in tests:
            bonus = assignment.question(file.question).bonus
            text = render(file, hidden=True, worth_nothing=bonus)
            (folder / "tests" / f"{file.question}.py").write_text(text, encoding="utf-8")
        (folder / "otter_config.json").write_text(json.dumps(_config(assignment, tests)), encoding="utf-8")
        _copy_sources(assignment, folder)
        generated = folder / "generated.zip"
        _generate(folder, generated)
        entries = _entries(generated) | _scripts(Course.of(assignment).root)
    course = {name.removeprefix("files/"): entries[name] for name in entries if name.startswith("files/")}
    if os.environ.get("AUTOGRADER_SEED"):
        course["seed"] = os.environ["AUTOGRADER_SEED"].encode()
    entries["requirements.course.zip"] = _zipped(course)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_zipped(entries))


def _zipped(entries: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = (0o100755 if name in SCRIPTS else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name])
    return buffer.getvalue()


def _config(assignment: Assignment, tests: tuple[TestFile, ...]) -> dict[str, Any]:
    bonus = {
        file.question: [case.points for case in file.cases]
        for file in tests
        if assignment.question(file.question).bonus
    }
    settings: dict[str, Any] = {"assignment": assignment.name, "bonus": bonus}
    if os.environ.get("AUTOGRADER_SEED"):
        # containers get no environment from the instructor: the course's secret travels in the zip, as the tests do
        settings["seed"] = os.environ["AUTOGRADER_SEED"]
    return {
        "plugins": [{PLUGIN: settings}],
        "show_hidden": False,
        "show_stdout": False,
        "logo": False,
        # division by zero in Otter when nothing but bonus questions is graded
        "print_score": assignment.points > 0,
    }


def _generate(folder: Path, output: Path) -> None:
    from otter.generate import main as otter_generate

    sources = sorted(path.name for path in (folder / "files").iterdir())
    try:
        with contextlib.chdir(folder / "files"):  # Otter names the files relative to where it runs
            otter_generate(
                tests_dir=str(folder / "tests"),
                output_path=str(output),
                config=str(folder / "otter_config.json"),
                no_requirements=True,
                no_environment=True,
                files=sources,
            )
    except Exception as error:
        raise BuildError(f"otter generate refused the assignment: {error}") from error


def _entries(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as generated:
        return {info.filename: generated.read(info) for info in generated.infolist() if not info.is_dir()}


def _scripts(root: Path) -> dict[str, bytes]:
    container = _PACKAGE / "otter" / "container"
    found = {name: (container / name).read_bytes() for name in SCRIPTS}
    found["requirements.txt"] = (container / "requirements.txt").read_bytes()
    for constraints in (root / "constraints.txt", _PACKAGE.parent / "constraints.txt"):
        if constraints.is_file():
            found["requirements.constraints.txt"] = constraints.read_bytes()
            break
    return found


def _copy_sources(assignment: Assignment, folder: Path) -> None:
    """autograder, reference, adkit and the assignment, without caches and without other assignments."""
    import adkit

    import reference

    course, files = Course.of(assignment), folder / "files"
    files.mkdir()
    _copy(_PACKAGE, files / "autograder", [path.relative_to(_PACKAGE) for path in _files(_PACKAGE)])
    installed = [Path(entry) for entry in reference.__path__]
    framework = next((root for root in installed if (root / "mistakes" / "__init__.py").is_file()), None)
    if framework is not None:
        _copy(
            framework,
            files / "reference",
            list(map(Path, _FRAMEWORK)),
        )
    own = course.root / "reference"
    others = {p.name for p in assignment.folder.resolve().parent.iterdir()} - {assignment.name}
    _copy(
        own,
        files / "reference",
        [path.relative_to(own) for path in _files(own) if path.stem not in others],
    )
    kit = course.adkit if course.adkit.is_dir() else Path(str(adkit.__file__)).parent
    _copy(kit, files / "adkit", [path.relative_to(kit) for path in _files(kit)])
    target = files / "assignments" / assignment.name
    _copy(assignment.folder, target, [Path("assignment.toml")])
    _copy(
        assignment.folder,
        target,
        [path.relative_to(assignment.folder) for path in sorted(assignment.tests_dir.glob("*.py"))],
    )


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]


def _copy(source: Path, target: Path, relative: Iterable[Path]) -> None:
    for path in relative:
        if (source / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, target / path)
