"""The reader of submissions on what nobody meant to hand in: a Submission of plain strings, or a sentence."""

import io
import json
import warnings
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignment import Limits
from autograder.submissions.read import Submission, SubmissionError, read_content

LIMITS = Limits(submission_bytes=100_000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
CELLS = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
        "source": st.text(max_size=30) | st.lists(st.text(max_size=9)) | JSON,
        "metadata": st.fixed_dictionaries({}, optional={"tags": JSON, "otter": JSON}) | JSON,
        "input": JSON,
    },
)
NOTEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "cells": st.lists(CELLS | JSON, max_size=5) | JSON,
        "worksheets": JSON,
        "metadata": JSON,
        "nbformat": JSON,
    },
)


def read(content: bytes, name: str) -> Submission | None:
    """What becomes of a file; anything but a submission or a sentence fails the test."""
    try:
        submission = read_content(content, name, LIMITS, assignment="toy")
    except SubmissionError as error:
        if not str(error).strip():
            raise
        return None
    for text in (*submission.cells, *submission.notes):
        assert type(text) is str
        text.encode("utf-8")
    return submission


@given(NOTEBOOKS)
@settings(max_examples=300, deadline=None)
def test_json_of_other_shapes_is_a_submission_or_a_sentence(content: object) -> None:
    read(json.dumps(content).encode(), "toy.ipynb")


@given(st.binary(max_size=400), st.sampled_from(["toy.ipynb", "toy.py", "toy.zip", "toy.pdf", ""]))
@settings(max_examples=500, deadline=None)
def test_arbitrary_bytes_are_a_submission_or_a_sentence(content: bytes, name: str) -> None:
    read(content, name)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=50)), max_size=4), st.data())
@settings(max_examples=300, deadline=None)
def test_a_mutated_zip_is_a_submission_or_a_sentence(entries: list[tuple[str, bytes]], data: st.DataObject) -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("toy.ipynb", b'{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
        for name, content in entries:
            try:
                archive.writestr(name, content)
            except (UnicodeEncodeError, ValueError, IndexError):  # IndexError: a name that begins with a NUL byte
                continue
    changed = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(changed[: data.draw(st.integers(1, len(changed)))]), "toy.zip")
