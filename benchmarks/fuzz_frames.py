"""Fuzzing the parser of frames: `python benchmarks/fuzz_frames.py [--count N] [--seed S] [--atheris SECONDS]`.

Frames are made by a grammar of the format's own tags, by mutating well-formed ones, and from plain random bytes. Each
must decode to a value of plain types that encodes again to something equal, or raise FrameError, in bounded memory.
With --atheris, libFuzzer is guided by the decoder's branches for that long as well (`pip install atheris`).
"""

import argparse
import importlib
import random
import resource
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.isolation import frames

_TAGS = b"NTFifcsbltdaoI\x00\xff"
_PLAIN = (type(None), bool, int, float, complex, str, bytes, list, tuple, dict, np.ndarray)


def check(body: bytes) -> str:
    """What a body decodes to: "value" or "refused". Anything else is a fault."""
    try:
        value = frames.decode(body)
    except frames.FrameError:
        return "refused"
    if not _is_plain(value):
        raise AssertionError(f"not plain: {type(value)}")
    again = frames.decode(frames.encode(value))
    if not _same(value, again):
        raise AssertionError("a value does not survive the way out and back")
    return "value"


def grammatical(chance: random.Random, depth: int = 0) -> bytes:
    """A body by the format's grammar, with lengths and counts that lie now and then."""
    tag = chance.choice(_TAGS if depth < 40 else b"NTFif")
    match bytes((tag,)):
        case b"i":
            return b"i" + chance.randbytes(8)
        case b"f":
            return b"f" + chance.randbytes(8)
        case b"c":
            return b"c" + chance.randbytes(16)
        case b"s" | b"b" as text:
            content = chance.randbytes(chance.randrange(12))
            return text + _u32(chance, len(content)) + content
        case b"l" | b"t" as kind:
            items = [grammatical(chance, depth + 1) for _ in range(chance.randrange(4))]
            return kind + _u32(chance, len(items)) + b"".join(items)
        case b"d":
            count = chance.randrange(4)
            entries = [_key(chance) + grammatical(chance, depth + 1) for _ in range(count)]
            return b"d" + _u32(chance, count) + b"".join(entries)
        case b"a":
            shape = [chance.choice((0, 1, 2, 3, 2 ** chance.randrange(63))) for _ in range(chance.randrange(4))]
            body = chance.randbytes(chance.choice((0, 8, 16, 48, 96)))
            head = bytes((chance.randrange(16), len(shape)))
            return b"a" + head + b"".join(struct.pack(">Q", size) for size in shape) + body
        case b"o":
            return b"o" + _u32(chance, 4) + b"node" + grammatical(chance, depth + 1)
        case other:
            return other


def mutated(chance: random.Random, body: bytes) -> bytes:
    """A body with a few bytes flipped, cut, doubled or replaced by interesting numbers."""
    changed = bytearray(body)
    for _ in range(chance.randrange(1, 5)):
        if not changed:
            break
        at = chance.randrange(len(changed))
        match chance.randrange(5):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + chance.randrange(1, 9)]
            case 2:
                changed[at:at] = changed[at : at + chance.randrange(1, 9)]
            case 3:
                changed[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\x1e\x84\x80")
                )
            case _:
                changed[at] = chance.choice(_TAGS)
    return bytes(changed)


def well_formed(chance: random.Random, depth: int = 0) -> Any:
    """A value of the kinds that are sent."""
    kind = chance.randrange(11 if depth < 4 else 7)
    match kind:
        case 0:
            return chance.choice((None, True, False))
        case 1:
            return chance.randrange(-(2**63), 2**63)
        case 2:
            return chance.uniform(-1e9, 1e9)
        case 3:
            return complex(chance.random(), chance.random())
        case 4:
            return "".join(chr(chance.randrange(1, 0xD800)) for _ in range(chance.randrange(8)))
        case 5:
            return chance.randbytes(chance.randrange(8))
        case 6:
            dtype = chance.choice(frames.DTYPES)
            return np.ones([chance.randrange(4) for _ in range(chance.randrange(4))], dtype)
        case 7:
            return tuple(well_formed(chance, depth + 1) for _ in range(chance.randrange(4)))
        case 8:
            return {f"k{n}": well_formed(chance, depth + 1) for n in range(chance.randrange(4))}
        case _:
            return [well_formed(chance, depth + 1) for _ in range(chance.randrange(4))]


def main() -> int:
    """Runs and prints the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--atheris", type=int, default=0, metavar="SECONDS")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    kept = [frames.encode(well_formed(chance)) for _ in range(500)]
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: grammatical(chance),
        lambda: mutated(chance, chance.choice(kept)),
        lambda: chance.randbytes(chance.randrange(64)),
        lambda: chance.choice(kept),
    )
    counts: Counter[str] = Counter()
    slowest, faults = 0.0, 0
    warm = 0
    started = time.monotonic()
    for number in range(options.count):
        if number == options.count // 10:
            warm = _resident()
        body = chance.choices(makers, (5, 5, 2, 1))[0]()
        before = time.perf_counter()
        try:
            counts[check(body)] += 1
        except Exception as error:
            faults += 1
            print(f"FAULT {type(error).__name__}: {error}: {body[:200]!r}")
        slowest = max(slowest, time.perf_counter() - before)
    seconds = time.monotonic() - started
    print(f"{options.count} frames (seed {options.seed}) in {seconds:.0f} s: {dict(counts)}, {faults} faults")
    print(f"slowest frame {slowest * 1000:.1f} ms; resident memory grew by {_growth(warm)} after the first tenth")
    if options.atheris and not faults:
        _guided(options.atheris)
    return 1 if faults else 0


def _guided(seconds: int) -> None:
    atheris: Any = importlib.import_module("atheris")  # not a dependency: whoever wants it installs it

    atheris.instrument_func(frames.decode)
    for name in ("take", "_bytes", "_u32", "_count", "_text", "_dict", "_array", "_object"):
        setattr(frames._Decoder, name, atheris.instrument_func(getattr(frames._Decoder, name)))
    # libFuzzer prints its own record and ends the process with 0 when nothing was found
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=5", "-max_len=512"], check
    )
    atheris.Fuzz()


def _key(chance: random.Random) -> bytes:
    return chance.choice((b"s\0\0\0\1k", b"i" + chance.randbytes(8), b"N", b"s\0\0\0\1" + chance.randbytes(1)))


def _u32(chance: random.Random, number: int) -> bytes:
    if chance.random() < 0.05:
        number = chance.choice((number + 1, 2**32 - 1, 2**31, 10**6, 0))
    return struct.pack(">I", number)


def _is_plain(value: Any) -> bool:
    if type(value) not in _PLAIN:
        return False
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(type(key) in (str, int) and _is_plain(item) for key, item in value.items())
    return True


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack(">d", one) == struct.pack(">d", other)
    if isinstance(one, complex):
        return struct.pack(">dd", one.real, one.imag) == struct.pack(">dd", other.real, other.imag)
    return bool(one == other)


def _resident() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _growth(warm: int) -> str:
    return f"{(_resident() - warm) / 2**20:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
