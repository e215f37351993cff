"""Fuzzing the reader of submissions: `python benchmarks/fuzz_submissions.py [--count N] [--seed S] [--atheris S]`.

Notebooks, scripts and zips are mutated as bytes and as JSON. Each must be read as a Submission whose cells are strings,
or raise SubmissionError with a sentence, in bounded time and memory.
"""

import argparse
import importlib
import io
import json
import random
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from autograder.assignment import Limits
from autograder.submissions.read import SubmissionError, read_content

LIMITS = Limits(submission_bytes=2 * 1024**2)


def check(name: str, content: bytes) -> str:
    """ "read" or "refused"; anything else is a fault."""
    try:
        submission = read_content(content, name, LIMITS, assignment="toy")
    except SubmissionError as error:
        if not str(error).strip():
            raise AssertionError("refused without a word") from None
        return "refused"
    for text in (*submission.cells, *submission.notes):
        if type(text) is not str:
            raise AssertionError(f"a cell of type {type(text)}")
        text.encode("utf-8")
    return "read"


def notebook(chance: random.Random) -> bytes:
    """A notebook, now and then with values of other types in its places."""
    cells: list[Any] = []
    for _ in range(chance.randrange(6)):
        source: Any = chance.choice(("x = 1\n", ["a = 2\n", "b = 3"], "%matplotlib inline", "é\u2028", ""))
        cell = {"cell_type": chance.choice(("code", "markdown")), "metadata": {"tags": ["a"]}, "source": source}
        cells.append({**cell, "outputs": [], "execution_count": 1} if chance.random() < 0.7 else cell)
    content: dict[str, Any] = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"otter": {"assignment_name": "toy"}},
        "cells": cells,
    }
    for _ in range(chance.randrange(3)):
        _change(chance, content)
    return json.dumps(content).encode(chance.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))


def _change(chance: random.Random, node: Any) -> None:
    """Puts something else somewhere into a tree of JSON."""
    odd: Any = chance.choice(
        (None, 1, -1e308, "", [], {}, [[[]]], {"a": {}}, True, "\ud800", 10**30, ["x", 1], "x" * 5000)
    )
    while True:
        if isinstance(node, dict) and node:
            key = chance.choice(list(node))
        elif isinstance(node, list) and node:
            key = chance.randrange(len(node))
        else:
            return
        if chance.random() < 0.4 or not isinstance(node[key], dict | list):
            node[key] = odd
            return
        node = node[key]


def archive(chance: random.Random) -> bytes:
    """A zip of a notebook and other things."""
    buffer = io.BytesIO()
    warnings.simplefilter("ignore", UserWarning)  # the same name twice is wanted
    with zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made:
        for _ in range(chance.randrange(1, 5)):
            name = chance.choice(
                (
                    "toy.ipynb",
                    "a/toy.ipynb",
                    "../x.ipynb",
                    "/etc/x.py",
                    "x.py",
                    "é.ipynb",
                    "__MACOSX/._toy.ipynb",
                    ".OTTER_LOG",
                    "a" * 300 + ".py",
                )
            )
            made.writestr(name, notebook(chance))
    return buffer.getvalue()


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Bytes flipped, cut, doubled, filled."""
    changed = bytearray(content)
    for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
        if not changed:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + chance.randrange(1, 40)]
            case 2:
                changed[at:at] = changed[at : at + chance.randrange(1, 200)]
            case 3:
                changed[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"PK\3\4", b"PK\1\2", b"PK\5\6")
                )
            case _:
                changed[at:at] = chance.choice(
                    (b"[" * 3000, b'{"a":' * 2000, b'"', b"\\ud800", b"9" * 6000, b"\0" * 100, b"NaN")
                )
    return bytes(changed)


def main() -> int:
    """Runs and prints the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", type=int, default=0, metavar="SECONDS")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    counts: Counter[str] = Counter()
    slowest, faults, warm = 0.0, 0, 0
    started = time.monotonic()
    for number in range(options.count):
        if number == options.count // 10:
            warm = _resident()
        kind, make = chance.choice(((".ipynb", notebook), (".ipynb", notebook), (".zip", archive), (".py", notebook)))
        content = mutated(chance, make(chance))
        before = time.perf_counter()
        try:
            counts[f"{kind} {check('toy' + kind, content)}"] += 1
        except Exception as error:
            faults += 1
            print(f"FAULT {type(error).__name__}: {error}: {kind} {content[:300]!r}")
        slowest = max(slowest, time.perf_counter() - before)
    seconds = time.monotonic() - started
    print(
        f"{options.count} files (seed {options.seed}) in {seconds:.0f} s: "
        f"{dict(sorted(counts.items()))}, {faults} faults"
    )
    growth = (_resident() - warm) / 2**20
    print(f"slowest file {slowest * 1000:.1f} ms; resident memory grew by {growth:.1f} MB after the first tenth")
    if options.atheris and not faults:
        _guided(options.atheris)
    return 1 if faults else 0


def _guided(seconds: int) -> None:
    atheris: Any = importlib.import_module("atheris")  # not a dependency: whoever wants it installs it

    from autograder.submissions import read as submission

    for name in (
        "_notebook_cells",
        "_parse_notebook",
        "_cells",
        "_source",
        "_zip_cells",
        "_choose",
        "_unpack",
        "_decode",
        "_script_cells",
    ):
        setattr(submission, name, atheris.instrument_func(getattr(submission, name)))

    def one(data: bytes) -> None:
        check(("toy.ipynb", "toy.zip", "toy.py")[data[0] % 3] if data else "toy.ipynb", data[1:])

    # libFuzzer starts from well-formed files, prints its own record and ends the process with 0 when nothing was found
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as seeds:
        for number in range(200):
            content = b"\1" + archive(chance) if number % 3 == 1 else bytes((number % 3,)) + notebook(chance)
            Path(seeds, str(number)).write_bytes(content)
        options = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-max_len=16384"]
        atheris.Setup([sys.argv[0], *options, seeds], one)
        atheris.Fuzz()


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
