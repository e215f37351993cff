"""What keeps the repository in order: one version, updates that arrive, hooks that catch what they are for."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import adkit
import pytest
import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

import autograder
import reference

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DEPENDABOT = ROOT / ".github" / "dependabot.yml"
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
}


# --- version ----------------------------------------------------------------------------------------------------


def test_the_package_the_grader_and_the_students_library_have_one_version() -> None:
    built = ProjectMetadata(str(ROOT), PluginManager()).version
    assert built == autograder.__version__ == adkit.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", built)


def test_the_version_is_written_down_once() -> None:
    for file in ("pyproject.toml", "student_template/pyproject.toml"):
        project = tomllib.loads((ROOT / file).read_text())["project"]
        assert "version" not in project
        assert "version" in project["dynamic"]


def test_without_package_metadata_the_version_is_known_as_in_a_container(tmp_path: Path) -> None:
    bundle = tmp_path / "files.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.write(ROOT / "autograder" / "__init__.py", "autograder/__init__.py")
        for name in ("__init__.py", "notebook/__init__.py", "notebook/missing_jax.py"):
            archive.write(ROOT / "student_template" / "adkit" / name, f"adkit/{name}")
    program = f"import sys; sys.path[:0] = [{str(bundle)!r}]; import autograder; print(autograder.__version__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == adkit.__version__


def test_the_changelog_has_a_section_for_the_version() -> None:
    assert f"\n## {adkit.__version__}, " in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("package", [autograder, reference, adkit], ids=lambda package: package.__name__)
def test_a_package_says_that_it_has_types(package: Any) -> None:
    assert (Path(package.__file__).parent / "py.typed").is_file()


# --- updates ----------------------------------------------------------------------------------------------------


def test_dependabot_is_configured_by_its_schema() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", DEPENDABOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_security_linter_finds_nothing_in_the_configuration_of_dependabot() -> None:
    command = [BIN / "zizmor", "--offline", "--persona", "pedantic", "--no-config", DEPENDABOT]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependabot_looks_at_every_workflow() -> None:
    updates = yaml.safe_load(DEPENDABOT.read_text())["updates"]
    folders = next(update["directories"] for update in updates if update["package-ecosystem"] == "github-actions")
    # at the root Dependabot looks into .github/workflows of its own accord, elsewhere at the named folder alone
    looked_at = {ROOT / ".github" / "workflows" if folder == "/" else ROOT / folder.strip("/") for folder in folders}
    assert looked_at == {path.parent for path in ROOT.glob("**/.github/workflows/*.yml") if ".venv" not in path.parts}


# --- hooks ------------------------------------------------------------------------------------------------------


def test_hooks_download_nothing() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS.values()} <= {"system", "pygrep"}


def test_a_hook_runs_what_is_installed() -> None:
    programs = {hook["entry"].split()[0] for hook in HOOKS.values() if hook["language"] == "system"}
    assert {program for program in programs if not (BIN / program.removeprefix(".venv/bin/")).is_file()} == set()


BAD = {
    "merge-markers": ("a.py", "x = 1\n<<<<<<< HEAD\n"),
    "trailing-whitespace": ("a.md", "# Title \n"),
    "final-newline": ("a.yml", "x: 1"),
    "toml": ("a.toml", "x = \n"),
}


def failed_hooks(folder: Path, texts: dict[str, str]) -> set[str]:
    """The hooks of BAD that fail in a repository with these files."""
    (folder / ".pre-commit-config.yaml").write_bytes((ROOT / ".pre-commit-config.yaml").read_bytes())
    (folder / ".venv").symlink_to(BIN.parent, target_is_directory=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    environment = {**os.environ, "PRE_COMMIT_HOME": str(folder / ".cache"), "SKIP": ",".join(HOOKS.keys() - BAD.keys())}
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", ".pre-commit-config.yaml", *texts], cwd=folder, check=True)
    command = [BIN / "pre-commit", "run", "--files", *texts]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return set(re.findall(r"^- hook id: (.+)$", done.stdout, re.MULTILINE))


def test_hooks_refuse_what_they_are_for(tmp_path: Path) -> None:
    assert failed_hooks(tmp_path, dict(BAD.values())) == set(BAD)


def test_hooks_pass_what_is_in_order(tmp_path: Path) -> None:
    assert failed_hooks(tmp_path, {name: 'x = "======="\n' for name, _ in BAD.values()}) == set()
