"""What JAX compiles for an assignment again and again is compiled once.

Most of the time of a right submission is JAX compiling the same operations on the same shapes as everybody else's.
Before the first submission is graded the reference solution is graded once, by itself, and what JAX compiled for it is
kept in a folder: one for each assignment and its content, Python, JAX and processor. Submissions and the grader read
it; only the run of the reference ever writes to it, so that no submission can leave anything there for another. What is
kept are JAX's own operations alone: a compiled function of the reference would be its solution, ready to be run.

The folder is $AUTOGRADER_CACHE, else `autograder` in the user's cache folder. It can be deleted at any time.

`autograder.grading.warmup` grades the reference. In an image for containers it does so when the image is built. Where a
container then runs on another processor than the one that built it, nothing in the folder fits and it is not used.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, cast

from autograder.assignment import Assignment
from autograder.grading.cache import cache_folder, content_key, reference_of
from autograder.isolation import operations
from autograder.isolation.layers import Policy

_KEPT_FOLDERS: Final = 12
"""Older ones, of other versions or contents, are removed."""


def compiled_folder(
    assignment: Assignment, rules: Policy, *, make: bool = True, seed: str | None = None
) -> Path | None:
    """The folder of compiled operations for `assignment`, made if it is not there (and `make`).

    seed: the course's, for what known mistakes answer in hidden cases (`autograder.grading.known`) is found on the way.
    None where there is no reference, or no folder that can be written here and read by a submission under `rules`.
    """
    if reference_of(assignment) is None:
        return None
    try:
        root = cache_folder()
        root.mkdir(parents=True, exist_ok=True)
        target = root / f"{assignment.name}-{content_key(assignment)}"
        if not _readable_under(rules, target):
            return None
        if not make:
            return target if target.is_dir() else None
        with open(root / f".lock-{assignment.name}", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # other workers of this run wait here, and then find it made
            if not target.is_dir():
                _make(assignment, target, seed)
                _forget_old(root, keep=target)
    except OSError:
        return None
    return target


def use_here(folder: Path) -> None:
    """Lets JAX in this process read what was compiled, without adding to it."""
    import jax

    config = cast("Any", jax.config)  # untyped
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_persistent_cache_min_compile_time_secs", 1e9)
    config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    config.update("jax_persistent_cache_enable_xla_caches", "none")


def _make(assignment: Assignment, target: Path, seed: str | None) -> None:
    made = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    environment = {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": str(made),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
    } | ({} if seed is None else {"AUTOGRADER_SEED": seed})
    try:
        # a process of its own: this one has yet to decide what JAX reads here
        command = [sys.executable, "-m", "autograder.grading.warmup", str(assignment.folder), str(made)]
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=True)
        operations.gather(made)
        for file in made.iterdir():
            if not _is_jax_own(file.name) and file.name != operations.FILE:
                file.unlink()
        for file in (made, *made.rglob("*")):
            file.chmod(0o755 if file.is_dir() else 0o644)
        made.rename(target)
    except subprocess.CalledProcessError as problem:
        raise OSError(f"compiling ahead failed: {problem}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _is_jax_own(entry: str) -> bool:
    """Whether an entry of the cache, `jit_<function>-<key>-cache`, is one of JAX's operations, by its name."""
    import jax
    import jax.numpy.linalg
    import jax.scipy.linalg

    name = entry.removeprefix("jit_").split("-")[0].lstrip("_")
    homes = (jax.lax, jax.lax.linalg, jax.numpy, jax.numpy.linalg, jax.scipy.linalg)
    return entry.startswith("jit_") and any(hasattr(home, found) for home in homes for found in (name, f"{name}_p"))


def _forget_old(root: Path, keep: Path) -> None:
    folders = sorted(
        (entry for entry in root.glob("*-*") if entry.is_dir() and entry != keep),
        key=lambda entry: entry.stat().st_mtime,
        reverse=True,
    )
    for folder in folders[_KEPT_FOLDERS:]:
        shutil.rmtree(folder, ignore_errors=True)


def _readable_under(rules: Policy, folder: Path) -> bool:
    """Whether the user a submission runs as gets there: with a root of its own it always does."""
    if "mount" in rules.layers or "user" not in rules.layers or os.geteuid() != 0:
        return True
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents)
