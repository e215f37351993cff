"""`autograder doctor`: what works on this machine, what is lost without what does not, and how to mend it."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autograder.records.run import versions

State = Literal["ok", "weak", "bad"]
_DISK_BYTES = 2 * 1024**3
_MEMORY_PER_WORKER = 4 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    """ok; weak: grading works, with less; bad: grading does not work."""
    what: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Looks at everything; changes nothing."""
    return [_python(), *_packages(), *_isolation(), _memory(), _disk(), _docker()]


def show(findings: Sequence[Finding]) -> int:
    """Prints the findings as a table; exit code 0 when grading works here, 2 otherwise."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": Text("ok", "green"), "weak": Text("weak", "yellow"), "bad": Text("bad", "bold red")}
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        text = finding.what if not finding.remedy else f"{finding.what}\n-> {finding.remedy}"
        table.add_row(marks[finding.state], finding.name, Text(text))
    console = Console(highlight=False)
    console.print(table)
    bad = [finding.name for finding in findings if finding.state == "bad"]
    if bad:
        console.print(f"\n`autograder grade` does not work here: {', '.join(bad)}.")
    else:
        console.print("\n`autograder grade` works here.")
    return 2 if bad else 0


def policy() -> dict[str, dict[str, Any]]:
    """What a submission may do on this machine, by headings: everything that isolation takes away, and what it leaves.

    IsolationError where it cannot be isolated.
    """
    from autograder.assignment import Limits
    from autograder.isolation import calls, layers
    from autograder.isolation.confine import address_space

    chosen = layers.policy()
    limits = Limits()
    private = "mount" in chosen.layers
    block_metadata_calls = not private and not (os.geteuid() == 0 and "user" in chosen.layers)
    gigabyte, megabyte = 1024**3, 1024**2
    without_effect = [*calls.WITHOUT_EFFECT, *(calls.METADATA_CALLS if block_metadata_calls else ())]
    return {
        "layers": {
            layer: ["on" if layer in chosen.layers else f"not here: {layers.LOST_WITHOUT[layer]}"]
            for layer in layers.LAYERS
        },
        "limits": {
            "memory": [f"{limits.memory_bytes / gigabyte:.3g} GB"],
            "address space": [f"{address_space(limits.memory_bytes) / gigabyte:.3g} GB"],
            "files": [f"{limits.scratch_bytes / megabyte:.0f} MB in all, {limits.open_files} open"],
            "threads": [f"{limits.processes}, and no other process"],
            "time": [
                f"{limits.call_seconds:g} s per call, {limits.cell_seconds:g} s per cell, "
                f"{limits.notebook_seconds:g} s for all cells, {limits.submission_seconds:g} s in all"
            ],
            "other": ["an assignment's own [limits] take precedence over these"],
        },
        "files": {
            "read": [str(path) for path in chosen.read],
            "list only": [str(path) for path in chosen.list_only],
            "write": ["a scratch folder of its own" + (", in memory" if private else ""), "/dev/null"],
            "of its own": ["/proc/self"],
            "all others": ["do not exist" if private else "cannot be opened"],
        },
        "calls": {
            "by argument": [f"{name} ({rule.says})" for name, rule in sorted(calls.by_argument(0).items())],
            "without effect": sorted(without_effect),
            "refused": sorted(calls.REFUSED),
            "absent": [*sorted(calls.ABSENT), "all that newer kernels have"],
            "allowed": sorted([*calls.ALLOWED, *(() if block_metadata_calls else calls.METADATA_CALLS)]),
        }
        if "seccomp" in chosen.layers
        else {"allowed": ["all: this machine has no seccomp"]},
    }


def show_policy(sections: Mapping[str, Mapping[str, Sequence[str]]], width: int) -> None:
    """Prints a policy, wrapped to `width` columns."""
    indent = 2 + max(len(name) for rows in sections.values() for name in rows) + 2
    for heading, rows in sections.items():
        print(heading.capitalize())
        for name, entries in rows.items():
            # paths and sentences as they are; names of calls side by side
            text = ", ".join(entries) or "nothing"
            lines = list(entries) if entries and heading == "files" else [text]
            for place, line in enumerate(lines):
                lead = f"  {name if place == 0 else ''}".ljust(indent)
                wrapped = textwrap.wrap(
                    line, max(width, indent + 20), initial_indent=lead, subsequent_indent=" " * indent,
                    break_on_hyphens=False,
                )  # fmt: skip
                print("\n".join(wrapped))


def _python() -> Finding:
    what = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info >= (3, 14):
        return Finding("Python", "weak", what, "tested with 3.11, 3.12 and 3.13")
    return Finding("Python", "ok", what)


def _packages() -> list[Finding]:
    found: list[Finding] = []
    for name, version in versions().items():
        if name == "python":
            continue
        if version == "not installed" and name != "scipy":
            found.append(Finding(name, "bad", version, f"pip install {name}"))
        elif version != "not installed":
            found.append(Finding(name, "ok", version))
    return found


def _isolation() -> list[Finding]:
    try:
        from autograder.isolation import layers

        available = layers.available()
    except (ImportError, OSError) as error:
        return [Finding("isolation", "bad", f"cannot be examined: {error}")]
    found = [
        Finding(f"layer {layer}", "ok", "works")
        if layer in available
        else Finding(f"layer {layer}", "ok", f"not here, and not needed: {layers.LOST_WITHOUT[layer]}", _remedy(layer))
        if layer in layers.OPTIONAL
        else Finding(f"layer {layer}", "weak", f"not here: {layers.LOST_WITHOUT[layer]}", _remedy(layer))
        for layer in layers.LAYERS
    ]
    try:
        layers.policy(secrets=_secrets())
    except layers.IsolationError as error:
        found.append(Finding("isolation", "bad", str(error)))
    else:
        found.append(Finding("isolation", "ok", "files and network are kept from submissions"))
    return found


def _remedy(layer: str) -> str:
    if sys.platform != "linux":
        return "grade on Linux or in Docker (`otter grade`)"
    if layer == "landlock":
        return "Linux 5.13 or newer with Landlock among the security modules (boot option lsm=landlock,...)"
    if layer in ("mount", "network", "pid", "ipc", "user"):
        if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
            return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (user namespaces)"
        return "allow user namespaces (sysctl user.max_user_namespaces), or run outside of a container"
    if layer == "cgroup":
        return (
            "where systemd runs: `systemd-run --user --scope -p Delegate=yes autograder grade ...`; "
            "in a container: a cgroup that can be written to"
        )
    return "a newer kernel"


def _secrets() -> list[Path]:
    """What a submission must never be able to read, as far as it is known here."""
    root = Path(__file__).resolve().parent.parent
    return [path for path in (root / "reference", root / "assignments") if path.exists()]


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return Finding("memory", "weak", "unknown")
    workers = max(1, total // _MEMORY_PER_WORKER)
    what = f"{total / 1024**3:.1f} GB, {os.cpu_count()} cores"
    if workers < (os.cpu_count() or 1):
        return Finding("memory", "weak", what, f"use `grade -j {workers}`: a submission may take 3 GB")
    return Finding("memory", "ok", what)


def _disk() -> Finding:
    scratch = tempfile.gettempdir()
    free = {place: shutil.disk_usage(place).free for place in (scratch, os.getcwd())}
    what = ", ".join(f"{size / 1024**3:.1f} GB free in {place}" for place, size in free.items())
    if min(free.values()) < _DISK_BYTES:
        return Finding("disk", "weak", what, "free 2 GB, or set TMPDIR to a larger disk")
    return Finding("disk", "ok", what)


def _docker() -> Finding:
    """Only `otter grade` needs it."""
    name, remedy = "Docker", "only `otter grade` needs it: install Docker and start its daemon"
    if shutil.which("docker") is None:
        return Finding(name, "weak", "not installed", remedy)
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, "weak", f"does not answer: {type(error).__name__}", remedy)
    if answer.returncode != 0:
        reason = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
        return Finding(name, "weak", f"the daemon does not answer: {reason[:200]}", remedy)
    return Finding(name, "ok", answer.stdout.strip())


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
