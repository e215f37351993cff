"""Stands in for pip in a job's environment: what pip has once found to install, it does not look up again.

The workflows' jobs ask pip for the same over and over: the course with its constraints, the students' requirements. The
first time pip itself does it, and what it has put into the environment is kept; whoever asks again for the same, by
content, gets a copy in which the folders are their own. Run as `python -m pip`; workflow_runner.py puts it there.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


def digest(arguments: list[str]) -> str:
    """What is asked for: a file's name counts as its content, a project's folder as its pyproject.toml."""
    meant: list[str] = []
    for argument in arguments:
        path = Path(argument)
        file = path / "pyproject.toml" if path.is_dir() else path
        meant.append(file.read_text(encoding="utf-8") if file.is_file() else argument)
    return hashlib.sha256(json.dumps(meant).encode()).hexdigest()


def files(folders: dict[str, Path]) -> set[tuple[str, Path]]:
    """Everything in an environment that pip may add to."""
    return {
        (name, path.relative_to(folder))
        for name, folder in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def main(arguments: list[str]) -> int:
    """Installs as pip does, or as it has done; pip's exit code."""
    kept = Path(os.environ["WORKFLOW_INSTALLED"]) / digest(arguments)
    folders = {name: Path(sysconfig.get_path(name)) for name in ("purelib", "scripts")}
    project = next((str(path.resolve()) for path in map(Path, arguments) if path.is_dir()), "")
    own = {"environment": sys.prefix, "project": project}
    if kept.is_dir():
        old = json.loads((kept / "own.json").read_text(encoding="utf-8"))
        for name, path in files({name: kept / name for name in folders}):
            content = (kept / name / path).read_bytes()
            for what in filter(old.get, own):
                content = content.replace(old[what].encode(), own[what].encode())
            (folders[name] / path).parent.mkdir(parents=True, exist_ok=True)
            (folders[name] / path).write_bytes(content)
            (folders[name] / path).chmod((kept / name / path).stat().st_mode)
        return 0
    before = files(folders)
    code = subprocess.run([sys.executable, os.environ["WORKFLOW_PIP"], *arguments]).returncode
    if code == 0:
        for name, path in files(folders) - before:
            (kept / name / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folders[name] / path, kept / name / path)
        kept.mkdir(exist_ok=True)
        (kept / "own.json").write_text(json.dumps(own), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
