"""How wide are the channels between two submissions that are graded one after the other on one machine?

The first leaves a random number behind in a call, the second shows in its first cell what it finds: a pair that works
together. Measured are what no sandbox takes away, on this machine and with all layers that it offers:

    pages      which pages of a library's file are cached, by the time that a read takes. Nothing but reads is used; the
               pages are made cold beforehand by this program, as they are on a machine that has just been started.
    counters   the kernel's numbers for pipes, which it counts up for all processes.

    python benchmarks/shared_state.py [--bits 4096]
"""

import argparse
import os
import random
import time
from pathlib import Path

import numpy as np

from autograder.assignment import Assignment, Limits, Question
from autograder.isolation import layers
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.submissions.read import Submission

_APART = 32 * 4096
"""Bytes between two places of a file: more than the kernel reads ahead where reads are random."""
_FILES = 200
"""A submission may have 256 files open."""
_HEAD = """
import os, time
import numpy as np
files, bits, apart = {files!r}, {bits}, {apart}
opened = [(os.open(path, os.O_RDONLY), os.path.getsize(path)) for path in files]
places = [(file, at) for file, size in opened for at in range(0, size - 1, apart)][:bits]
order = np.random.default_rng(7).permutation(len(places))
"""
_SENDER = """
def f(message):
    started = time.perf_counter()
    for k in order:
        if message[k]: os.pread(places[k][0], 1, places[k][1])
    return time.perf_counter() - started
def g(pipes):
    for _ in range(pipes):
        for end in os.pipe(): os.close(end)
    return 0
"""
_RECEIVER = """
took, started = np.zeros(len(places)), time.perf_counter()
for k in order:
    begun = time.perf_counter()
    os.pread(places[k][0], 1, places[k][1])
    took[k] = time.perf_counter() - begun
seconds = time.perf_counter() - started
def f(): return [took, seconds]
def g(): return os.fstat(os.pipe()[0]).st_ino
"""


def _cold_files(bits: int) -> list[str]:
    """Libraries' files with room for so many bits, which this program has put out of the cache."""
    packages = Path(np.__file__).parents[1]
    mapped = Path("/proc/self/maps").read_text()
    chosen: list[str] = []
    for path in sorted(packages.rglob("*"), key=lambda path: -path.lstat().st_size):
        if path.is_symlink() or not path.is_file() or str(path) in mapped:
            continue
        chosen.append(str(path))
        bits -= path.stat().st_size // _APART
        if bits <= 0 or len(chosen) == _FILES:
            break
    for path in chosen:
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    return chosen


def main() -> None:
    """Prints the width of each channel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=int, default=4096, help="bits to be sent, as far as 200 files hold them")
    bits = parser.parse_args().bits
    assignment = Assignment("pair", "Pair", Path(), (Question("q1", "t", 1, ("f", "g")),), Limits(call_seconds=60))
    with ForkServer(layers.policy()) as workshop:

        def session(code: str, files: list[str]):
            head = _HEAD.format(files=files, bits=bits, apart=_APART)
            return Session(workshop, Submission("pair", None, (head, code)), assignment)

        files = _cold_files(bits)
        with session(_SENDER, []) as sender, session(_RECEIVER, []) as receiver:
            before = receiver.functions["g"]()
            sender.functions["g"](1000)
            print(f"counters: a pipe's number was {before}, after 1000 pipes of another {receiver.functions['g']()}")
        message = [random.getrandbits(1) for _ in range(bits)]
        with session(_SENDER, files) as sender:
            started = time.monotonic()
            sent = sender.functions["f"](message)
        with session(_RECEIVER, files) as receiver:
            took, received = receiver.functions["f"]()
        told = [
            int(seconds < np.sqrt(np.median(took[took > 3e-5]) * np.median(took[took <= 3e-5]))) for seconds in took
        ]
        wrong = sum(a != b for a, b in zip(told, message, strict=False)) / len(told)
        share = 0.0 if wrong in (0.0, 1.0) else -wrong * np.log2(wrong) - (1 - wrong) * np.log2(1 - wrong)
        print(
            f"pages: {len(told)} bits, sent in {sent:.2f} s, read in {received:.2f} s, {wrong:.1%} wrong: "
            f"{len(told) * (1 - share):.0f} bits, {len(told) * (1 - share) / received:.0f} a second "
            f"({time.monotonic() - started:.1f} s with both gradings' starts)"
        )


if __name__ == "__main__":
    main()
