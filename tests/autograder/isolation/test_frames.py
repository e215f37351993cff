"""Frames: plain data out and back, and no bytes that do anything else than become plain data or an error."""

import contextlib
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder.isolation import frames
from autograder.isolation.frames import FrameError

ARRAYS = st.sampled_from(frames.DTYPES).flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(exclude_categories=("Cs",)))
    | st.binary()
    | ARRAYS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4) | st.integers(-9, 9), inner)
    ),
    max_leaves=12,
)


def same(one: object, other: object) -> bool:
    """Equality of type, content and bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float | complex):
        return repr(one) == repr(other)
    return one == other


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_plain_data_survives_the_way_out_and_back(value: object) -> None:
    assert same(frames.decode(frames.encode(value)), value)


@given(st.binary(max_size=300))
@settings(max_examples=1000, deadline=None)
def test_arbitrary_bytes_are_a_value_or_an_error(body: bytes) -> None:
    try:
        value = frames.decode(body)
    except FrameError:
        return
    assert same(frames.decode(frames.encode(value)), value)


@given(VALUES, st.data())
@settings(max_examples=500, deadline=None)
def test_a_frame_with_a_changed_byte_is_a_value_or_an_error(value: object, data: st.DataObject) -> None:
    body = bytearray(frames.encode(value))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FrameError):
        frames.decode(body)


@given(VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_frame_that_is_cut_short_is_an_error(value: object, data: st.DataObject) -> None:
    body = frames.encode(value)
    with pytest.raises(FrameError):
        frames.decode(body[: data.draw(st.integers(0, len(body) - 1))])


def u32(number: int) -> bytes:
    return struct.pack(">I", number)


COLLIDING = [k * (2**61 - 1) for k in range(1, 50)]
HOSTILE = {
    "a list that announces more than there is": b"l" + u32(2**32 - 1) + b"N" * 100,
    "text that announces more than there is": b"s" + u32(2**31) + b"x",
    "an array of an absurd shape": b"a\x0b\x02" + struct.pack(">QQ", 2**62, 2**62),
    "an array whose size overflows 64 bits to nothing": b"a\x0b\x02" + struct.pack(">QQ", 2**32, 2**32),
    "an empty array of an absurd shape": b"a\x0b\x02" + struct.pack(">QQ", 0, 2**39),
    "an array of an unknown dtype": b"a\xff\x00",
    "an array of too many dimensions": b"a\x0b\xff" + b"\0" * 3000,
    "a boolean array that holds a 2": b"a\x00\x01" + struct.pack(">Q", 1) + b"\x02",
    "a million levels": b"l\0\0\0\1" * 1_000_000 + b"N",
    "millions of keys": b"d" + u32(100_000) + b"".join(b"i" + struct.pack(">q", k) + b"N" for k in range(100_000)),
    "a key that is a list": b"d" + u32(1) + b"l" + u32(0) + b"N",
    "a key that comes twice": b"d" + u32(2) + b"s\0\0\0\1aN" + b"s\0\0\0\1aN",
    "an object": b"o" + u32(8) + b"callable" + b"i" + b"\0" * 8,
    "a pickle": b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94",
    "two values": b"NN",
    "nothing": b"",
    "text that is no UTF-8": b"s" + u32(2) + b"\xff\xfe",
    "a surrogate in text": b"s" + u32(3) + b"\xed\xa0\x80",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_frame_is_an_error_and_takes_little_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(FrameError):
            frames.decode(body)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def test_more_values_than_the_limit_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_VALUES", 1000)
    assert len(frames.decode(b"l" + u32(999) + b"N" * 999)) == 999
    with pytest.raises(FrameError, match="more than 1000 values"):
        frames.decode(b"l" + u32(1000) + b"N" * 1000)


@pytest.mark.parametrize("tag", [b"l", b"t", b"d"])
def test_a_list_that_announces_more_values_than_are_accepted_is_refused_before_one_is_read(
    monkeypatch: pytest.MonkeyPatch, tag: bytes
) -> None:
    monkeypatch.setattr(frames, "MAX_VALUES", 1000)
    with pytest.raises(FrameError, match="more than 1000 values"):
        frames.decode(tag + u32(1001) + b"?" * 3000)  # what follows is no value: it is not looked at


def test_text_is_bounded_in_all_towards_the_grader_and_not_towards_the_submission() -> None:
    value = ["x" * (frames.MAX_TEXT // 2), "y" * (frames.MAX_TEXT // 2 + 1)]
    assert frames.decode(frames.encode(value[:1])) == value[:1]
    with pytest.raises(FrameError, match="bytes of text"):
        frames.decode(frames.encode(value))
    assert frames.decode(frames.encode(value), text=None) == value


@pytest.mark.parametrize("length", [101, 2**31, 2**32 - 1])
def test_a_length_beyond_the_limit_is_refused_before_anything_is_read(length: int) -> None:
    with pytest.raises(FrameError, match="at most 100"):
        frames.body_length(u32(length), 100)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        print,
        np.array([object()]),
        np.array("text"),
        2**64,
        {1.5: 0},
        {(1,): 0},
        np.float64(1),
        range(3),
    ],
    ids=lambda value: type(value).__name__,  # repr holds addresses, which differ between pytest's processes
)
def test_what_is_no_plain_data_cannot_be_sent(value: object) -> None:
    with pytest.raises(FrameError):
        frames.encode(value)


@pytest.mark.parametrize("colliding", [COLLIDING, [-k for k in COLLIDING]])
def test_integers_that_could_be_chosen_to_collide_in_a_dict_are_refused(colliding: list[int]) -> None:
    assert len({hash(number) for number in colliding}) == 1
    with pytest.raises(FrameError, match="64"):
        frames.encode(colliding)


def test_a_value_larger_than_the_limit_is_refused_before_it_is_copied() -> None:
    with pytest.raises(FrameError, match="MB that one answer may have"):
        frames.encode(np.zeros(10_000), limit=1000)


def test_a_decoded_array_is_a_copy_that_can_be_written_to() -> None:
    array = frames.decode(frames.encode(np.zeros(3)))
    array[0] = 1
    assert array.base is None or array.flags.owndata


def test_objects_cross_only_to_a_decoder_that_knows_them() -> None:
    body = frames.encode([frames.Object("node", 7)])
    assert frames.decode(body, objects={"node": lambda data: data + 1}) == [8]
    with pytest.raises(FrameError, match="only plain data"):
        frames.decode(body)
