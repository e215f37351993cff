#!/usr/bin/env python3
"""What grading in containers takes: building an assignment's image, its size, and the time of a right submission.

    python benchmarks/containers.py [--image IMAGE ...] [--count 5] [--assignment NAME ...]

Needs Docker with buildx. The image is built as `otter grade` builds it, from nothing (`--no-cache`); the assignment's
own solution is then graded `--count` times, in one container after another without a network. On a busy machine
the processor time (the container's own account of it) says more than the clock.
"""

import argparse
import importlib.resources
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from autograder.assignment import Assignment, names
from autograder.build.bundle import write_bundle
from autograder.build.command import assemble


def build(bundle: Path, image: str, tag: str) -> tuple[float, int]:
    """Seconds and bytes of the image for `bundle` on the base image `image`."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(bundle) as archive:
            archive.extractall(folder)
        started = time.monotonic()
        command = ["docker", "buildx", "build", "--no-cache", "--load", "-q", "-t", tag, "--build-arg"]
        command += [f"BASE_IMAGE={image}", "-f", str(importlib.resources.files("otter.grade") / "Dockerfile"), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
    if done.returncode != 0:
        sys.exit(done.stderr[-3000:])
    size = subprocess.run(
        ["docker", "image", "inspect", "-f", "{{.Size}}", tag], capture_output=True, text=True, check=True
    )
    return seconds, int(size.stdout)


_GRADE = """
cp /submission.ipynb /autograder/submission/
/autograder/run_autograder >&2
echo cpu $(cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null ||
    sed -n "s/usage_usec \\(.*\\)/\\1000/p" /sys/fs/cgroup/cpu.stat)
cat /autograder/results/results.json
"""


def grade(notebook: Path, tag: str) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of processor time, and points."""
    started = time.monotonic()
    command = ["docker", "run", "--rm", "--network", "none", "-v", f"{notebook}:/submission.ipynb:ro", tag]
    done = subprocess.run([*command, "bash", "-c", _GRADE], capture_output=True, text=True, check=True)
    seconds = time.monotonic() - started
    used = re.match(r"cpu (\d+)\n", done.stdout)
    if used is None:
        sys.exit(done.stderr[-3000:])
    tests = json.loads(done.stdout[used.end() :])["tests"]
    return seconds, int(used[1]) / 1e9, sum(test.get("score", 0.0) for test in tests)


def main() -> None:
    """Prints a row of a Markdown table for each assignment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assignment", action="append", metavar="NAME", help="may be repeated; default: all of them")
    parser.add_argument("--image", action="append", help="what to build on; may be repeated; default: rig-base:latest")
    parser.add_argument("--count", type=int, default=5, help="submissions of each; default: %(default)s")
    options = parser.parse_args()
    print("| assignment | on | image built in | size | a right submission | each | processor time | points |")
    print("|---|---|--:|--:|--:|---|--:|--:|")
    images = options.image or ["rig-base:latest"]
    for name, image in itertools.product(options.assignment or names(), images):
        assignment = Assignment.load(name)
        with tempfile.TemporaryDirectory() as folder:
            built = assemble(assignment)
            write_bundle(assignment, built.tests, Path(folder) / "autograder.zip")
            notebook = Path(folder) / f"{name}.ipynb"
            notebook.write_text(built.solution, encoding="utf-8")
            tag = f"containers-{name}"
            seconds, size = build(Path(folder) / "autograder.zip", image, tag)
            runs = [grade(notebook, tag) for _ in range(options.count)]
            subprocess.run(["docker", "image", "rm", "-f", tag], capture_output=True, check=False)
        clock, processor = (statistics.median(run[which] for run in runs) for which in (0, 1))
        each = ", ".join(f"{run[0]:.1f}" for run in runs)
        points = ", ".join(sorted({f"{run[2]:g}" for run in runs}))
        row = (
            f"`{name}`",
            image,
            f"{seconds:.0f} s",
            f"{size / 1e6:.0f} MB",
            f"{clock:.1f} s",
            each,
            f"{processor:.1f} s",
            points,
        )
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
