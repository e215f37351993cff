"""`make` and `.ci/run`: from nothing but a Python, and only what is needed again."""

import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLD = "#!/bin/sh\nexit 1\n"  # an interpreter that says it is too old, or a shim of one that is not there
CURRENT = f'#!/bin/sh\nexec {sys.executable} "$@"\n'


class Checkout:
    """What make needs of a checkout, with stand-ins for what installs and what grades."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir(parents=True)
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        for name in ("one", "two"):
            (folder / "assignments" / name).mkdir(parents=True)
            (folder / "assignments" / name / "assignment.toml").touch()
        # make needs these; no interpreter among them
        for name in ("sh", "bash", "echo", "touch", "rm", "id", "dirname", "find", "env", "make"):
            (self.tools / name).symlink_to(str(shutil.which(name)))
        self.tool("uv", f'#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "$@" >> {folder}/uv.log\n')

    def tool(self, name: str, script: str, folder: Path | None = None) -> None:
        path = (folder or self.tools) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": str(self.tools), "HOME": str(self.folder), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", "--no-print-directory", *arguments)

    @property
    def installs(self) -> int:
        log = self.folder / "uv.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def installed(self, autograder: str) -> None:
        """A finished environment whose `autograder` is a script."""
        self.tool("autograder", autograder, self.folder / ".venv" / "bin")
        (self.folder / ".venv" / ".installed").touch()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


# --- installing -------------------------------------------------------------------------------------------------


def test_packages_are_installed_again_only_when_what_is_to_be_installed_has_changed(checkout: Checkout) -> None:
    checkout.tool("python3", CURRENT)
    assert checkout.make("install").returncode == 0
    assert checkout.installs == 1
    assert checkout.make("install").returncode == 0
    assert checkout.installs == 1
    later = (checkout.folder / ".venv" / ".installed").stat().st_mtime + 10
    os.utime(checkout.folder / "constraints.txt", (later, later))
    assert checkout.make("install").returncode == 0
    assert checkout.installs == 2


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    checkout.tool("python3", '#!/bin/sh\n[ "$1" = -c ] && exit 0\nexit 1\n')
    assert checkout.make("install").returncode != 0
    assert not (checkout.folder / ".venv" / ".installed").exists()


def test_a_newer_python_is_found_when_python3_is_too_old(checkout: Checkout) -> None:
    checkout.tool("python3", OLD)
    checkout.tool("python3.13", OLD)
    checkout.tool("python3.12", CURRENT)
    done = checkout.make("install")
    assert done.returncode == 0, done.stderr
    assert "python3 is not a Python 3.11 or newer" in done.stdout
    assert "using python3.12" in done.stdout


def test_without_any_python_it_says_what_to_do(checkout: Checkout) -> None:
    done = checkout.make("install")
    assert done.returncode != 0
    assert "make PYTHON=" in done.stderr


def test_the_constraints_and_the_development_packages_are_installed(checkout: Checkout) -> None:
    checkout.tool("python3", CURRENT)
    checkout.make("install")
    said = (checkout.folder / "uv.log").read_text()
    assert f"--constraint {checkout.folder}/constraints.txt" in said
    assert f"--editable {checkout.folder}[dask,docs]" in said
    assert "pytest-xdist" in said


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`.ci/install`, as a module."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = importlib.machinery.SourceFileLoader("ci_install", str(ROOT / ".ci" / "install"))
    spec = importlib.util.spec_from_loader("ci_install", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def ran(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch, uv: list[str] | None, uv_works: bool
) -> list[list[str]]:
    """The commands that an installation runs."""
    found: list[list[str]] = []

    def run(command: list[Any], **_options: Any) -> subprocess.CompletedProcess[str]:
        found.append([str(part) for part in command])
        return subprocess.CompletedProcess(command, int(command[0] == "uv" and not uv_works))

    monkeypatch.setattr(installer, "uv", lambda: uv)
    monkeypatch.setattr(installer.subprocess, "run", run)
    installer.install(Path("/x/python"))
    return found


def test_uv_is_used_when_it_is_there(installer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = ran(installer, monkeypatch, ["uv"], uv_works=True)
    assert [command[:3] for command in commands] == [["uv", "pip", "install"]]


@pytest.mark.parametrize("uv", [["uv"], None])
def test_pip_is_used_when_uv_is_not_there_or_cannot(
    uv: list[str] | None, installer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = ran(installer, monkeypatch, uv, uv_works=False)
    assert commands[-1][:4] == ["/x/python", "-m", "pip", "install"]
    assert "--group" not in commands[-1]  # pip knows it since 25.1 only


# --- constraints ------------------------------------------------------------------------------------------------


def test_everything_that_pyproject_names_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += [entry for extra in project["project"]["optional-dependencies"].values() for entry in extra]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {line.split("==")[0] for line in lines}
    missing = {entry for entry in wanted if entry.split(">")[0].split("=")[0].split("<")[0].lower() not in pinned}
    assert missing == set()
    assert all("==" in line and "://" not in line for line in lines)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_each_package_has_one_pin_for_each_supported_python(version: str) -> None:
    from packaging.requirements import Requirement

    environment = {"python_version": version, "python_full_version": f"{version}.9", "implementation_name": "cpython"}
    names: list[str] = []
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({**environment, "sys_platform": "linux"}):
                names.append(requirement.name)
    assert len(names) == len(set(names))
    assert {"jax", "jaxlib", "numpy", "otter-grader"} <= set(names)


# --- grading ----------------------------------------------------------------------------------------------------

GRADER = '#!/bin/sh\necho "autograder $@"\nif [ "$1" = grade ]; then exit {code}; fi\n'


def said_by_autograder(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith("autograder ")]


def test_make_grade_grades_one_class_without_submissions_that_hang(checkout: Checkout) -> None:
    checkout.installed(GRADER.format(code=1))
    done = checkout.make("grade", "ASSIGNMENT=two")
    assert done.returncode == 0, done.stderr
    assert said_by_autograder(done) == [
        "autograder sample two -o build/samples/two --without-hanging",
        "autograder grade build/samples/two --assignment two -o build/out/two",
    ]
    for place in ("final_grades.csv", "results/", "feedback/", "report.html", "lms/"):
        assert f"build/out/two/{place}" in done.stdout


def test_make_grade_all_builds_and_grades_every_class(checkout: Checkout) -> None:
    checkout.installed(GRADER.format(code=1))
    done = checkout.make("grade-all")
    assert done.returncode == 0, done.stderr
    assert said_by_autograder(done) == [
        "autograder build",
        "autograder sample one -o build/samples/one",
        "autograder grade build/samples/one --assignment one -o build/out/one",
        "autograder sample two -o build/samples/two",
        "autograder grade build/samples/two --assignment two -o build/out/two",
    ]
    for place in ("final_grades.csv", "results/", "feedback/", "report.html", "lms/"):
        assert f"build/out/two/{place}" in done.stdout


@pytest.mark.parametrize("target", ["grade", "grade-all"])
def test_make_grade_fails_when_grading_could_not_be_done(checkout: Checkout, target: str) -> None:
    checkout.installed(GRADER.format(code=2))
    done = checkout.make(target, "ASSIGNMENT=one")
    assert done.returncode != 0
    assert "build/out/one/report.html" not in done.stdout
    assert "two" not in done.stdout


# --- .ci/run ----------------------------------------------------------------------------------------------------

MAKE = '#!/bin/sh\necho "make $1"\nif [ "$1" = {fails} ]; then exit 3; fi\n'


def run_ci(checkout: Checkout, fails: str) -> subprocess.CompletedProcess[str]:
    checkout.tool("python3", CURRENT)
    checkout.tool("make", MAKE.format(fails=fails))
    return checkout.run(".ci/run")


def test_ci_lints_then_tests_and_ends_with_the_tests_output(checkout: Checkout) -> None:
    done = run_ci(checkout, fails="nothing")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["make lint", "make test"]


@pytest.mark.parametrize("part", ["lint", "test"])
def test_ci_fails_when_a_part_fails_and_runs_the_tests_all_the_same(checkout: Checkout, part: str) -> None:
    done = run_ci(checkout, fails=part)
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == "make test"


def test_ci_without_a_supported_python_says_so(checkout: Checkout) -> None:
    checkout.tool("python3", OLD)
    done = checkout.run(".ci/run")
    assert done.returncode == 2
    assert "no Python 3.11 to 3.13" in done.stderr
