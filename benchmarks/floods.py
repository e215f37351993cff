"""What floods take of the machine, watched from outside: `python benchmarks/floods.py [NAME…]`.

Grades each attack of `tests/hostile` whose name is given (by default those on memory) through a session, and looks at
/proc meanwhile, twenty times a second: by how much available memory fell, kernel memory that cannot be reclaimed
grew, and how many asynchronous requests and locks there were. What else the machine does meanwhile counts along.
"""

import functools
import os
import sys
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hostile.apparatus import Lab
from hostile.corpus import ATTACKS, BY_NAME
from hostile.runners import Growth, SessionRunner

FLOODS = [
    attack.name
    for attack in ATTACKS
    if attack.name.startswith("memory-") or attack.name.endswith(("s-without-end", "-taken", "-never-applied"))
]


def main() -> int:
    """Measures and prints a table."""
    print("| flood | available memory fell by | kernel memory grew by | requests | locks | outcome |")
    print("|---|--:|--:|--:|--:|---|")
    with Lab() as lab, SessionRunner(lab) as session:
        for name in sys.argv[1:] or FLOODS:
            with Growth(_figures, 0.05) as growth:
                outcome = session.run(BY_NAME[name])
            grown = growth.most()
            print(
                f"| {name} | {grown['memory'] / 1e6:.0f} MB | {grown['slab'] / 1e6:.0f} MB "
                f"| {grown['asynchronous requests']} | {grown['locks']} "
                f"| {'held' if outcome.held else '; '.join(outcome.found)} |",
                flush=True,
            )
    return 0


def _figures() -> dict[str, int]:
    """Bytes and numbers in use: the more, the less there is for others."""
    lines = _read("/proc/meminfo").splitlines()
    memory = {line.split(b":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return {
        "memory": -memory[b"MemAvailable"],
        "slab": memory[b"SUnreclaim"] + memory[b"PageTables"] + memory[b"KernelStack"],
        "locks": _read("/proc/locks").count(b"\n"),
        "asynchronous requests": int(_read("/proc/sys/fs/aio-nr")),
    }


@functools.cache
def _opened(path: str) -> int:
    """Open for good: the session counts this process's descriptors."""
    return os.open(path, os.O_RDONLY)


def _read(path: str) -> bytes:
    content = b""
    while piece := os.pread(_opened(path), 1 << 16, len(content)):
        content += piece
    return content


if __name__ == "__main__":
    sys.exit(main())
