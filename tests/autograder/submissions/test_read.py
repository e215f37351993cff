"""Reading submissions: everything a student can hand in becomes cells or a sentence, and nothing else."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.assignment import Limits
from autograder.names import kind_of
from autograder.submissions.read import Submission, SubmissionError, read_content, read_submission

LIMITS = Limits(submission_bytes=200_000)


def nb(*sources: Any, **changes: Any) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **changes}).encode()


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read(content: bytes, name: str = "hw.ipynb", assignment: str | None = "toy") -> Submission:
    return read_content(content, name, LIMITS, assignment=assignment)


def test_code_cells_come_out_as_text_in_order() -> None:
    content = json.loads(nb("a = 1", ["b = 2\n", "c = 3"]))
    content["cells"].insert(1, {"cell_type": "markdown", "source": "words", "metadata": {}})
    assert read(json.dumps(content).encode()).cells == ("a = 1", "b = 2\nc = 3")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + nb("a = 1"),
        nb("a = 1").decode().encode("utf-16"),
        b'{"cells": [{"cell_type": "code", "source": "a = 1"}]}',
        b'{"cells": [{"cell_type": "code", "source": "a = 1", "id": "x"}, {"cell_type": "raw", "id": "x"}]}',
        b'{"cells": [null, 3, {"cell_type": "code", "source": ["a = ", 7, "1"], "metadata": null}], "x": NaN}',
        b'{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "a = 1", "language": "python"}]}]}',
        b'{"nbformat": 2, "worksheets": [{"cells": [{"cell_type": "code", "input": ["a = ", "1"]}]}]}',
        b'{"n": ' + b"9" * 10_000 + b', "cells": [{"cell_type": "code", "source": "a = 1"}]}',
        b'{"n": 1e999999, "cells": [{"cell_type": "code", "source": "a = 1"}]}',
    ],
)
def test_sloppy_and_old_notebooks_are_read(content: bytes) -> None:
    assert read(content).cells == ("a = 1",)


def test_cells_that_otter_ignores_are_left_out_and_that_is_said() -> None:
    content = json.loads(nb("a", "b", "c"))
    content["cells"][0]["metadata"] = {"tags": ["otter_ignore"]}
    content["cells"][2]["metadata"] = {"otter": {"ignore": True}}
    submission = read(json.dumps(content).encode())
    assert submission.cells == ("b",)
    assert "2 cells" in submission.notes[0]


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    content = b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800 \\ud83d\\ude00\'"}]}'
    assert read(content).cells == ("x = '\ufffd 😀'",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\0" * 500, "empty"),
        (nb("a = 1")[:-20], "not valid JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"cells":' * 20_000, "nested"),
        (b"[]", "not an object"),
        (b"{}", "no list of cells"),
        (b'{"cells": 7}', "no list of cells"),
        (b'{"worksheets": [1, {}]}', "no list of cells"),
        (b"%PDF-1.7 \xff\xfe", "not a notebook"),
        (zipped({"hw.ipynb": nb("a")}), "Rename it to .zip"),
        (b"x" * 200_001, "too large"),
        (b"[" + b"[]," * 66_000, "not valid JSON"),
    ],
)
def test_what_is_no_notebook_gets_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(SubmissionError, match=says):
        read(content)


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> origin/main\n"


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (nb("a")[:40] + b"\n" + CONFLICT.format("a", "b").encode(), "hw.ipynb", "git's conflict markers"),
        (b"x = 1\n" + CONFLICT.format("y = 2", "y = 3").encode(), "hw.py", "git's conflict markers"),
        (b"\n\n<!DOCTYPE html>\n<html><body></body></html>", "hw.ipynb", "a web page"),
        (b"<html><body></body></html>", "hw.py", "a web page"),
        (b"<!DOCTYPE html><html><body class='jp-Notebook'></body></html>", "hw.ipynb", "HTML export"),
        (b"%PDF-1.7 \xff\xfe", "hw.ipynb", "a PDF"),
        (b"\x1f\x8b\x08\x00", "hw.ipynb", "gzip"),
        (nb("a", metadata={"kernelspec": {"name": "ir", "language": "R"}}), "hw.ipynb", "for R, not for Python"),
        (nb("a", metadata={"language_info": {"name": "julia"}}), "hw.ipynb", "for Julia, not for Python"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "hw.ipynb", "Git LFS"),
        (b'{"doc_id": "1", "email": "a@b.c"}', "hw.ipynb", "Google Drive"),
        (b'{"url": "https://drive.google.com/open?id=1"}', "hw.ipynb", "Google Drive"),
        (b'[{"id": "checkpoint", "last_modified": "2025-01-01T00:00:00Z"}]', "hw.ipynb", "notebook's checkpoints"),
        (b"import numpy as np\nx = 1\n", "hw.ipynb", "Rename it to .py"),
    ],
)
def test_another_kind_of_file_is_named_in_one_line(content: bytes, name: str, says: str) -> None:
    with pytest.raises(SubmissionError, match=says) as raised:
        read(content, name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("language", ["python", "Python", "ipython", "made up", "", None, 3, ["R"]])
def test_a_kernel_that_may_be_python_is_read(language: Any) -> None:
    assert read(nb("a = 1", metadata={"kernelspec": {"language": language}, "language_info": []})).cells == ("a = 1",)


def test_single_conflict_marks_are_no_conflict() -> None:
    assert read(nb("x = '<<<<<<< HEAD'")).cells == ("x = '<<<<<<< HEAD'",)
    assert len(read(b"x = '''\n=======\n'''\n", "hw.py").cells) == 1


def test_jupyters_answer_about_a_notebook_is_read_as_the_notebook_in_it() -> None:
    answer = {"name": "hw.ipynb", "type": "notebook", "content": json.loads(nb("a = 1"))}
    submission = read(json.dumps(answer).encode())
    assert submission.cells == ("a = 1",)
    assert "inside it" in submission.notes[0]


SCRIPTS = [
    ["# %% [markdown]\n# text", "#%%\na\n# %%time\nb\n"],
    ["# coding: utf-8\n", "# In[1]:\n\na", "# In[ ]:\nb"],
    ["# <codecell>\na", "# <codecell>\nb"],
    ["a\n", "b\nc\n", "# of d\n@d\n\ndef d():\n    e\n\n    f\n"],
    ["if a:\n    b\n\nelse:\n    c\n"],
    ['x = """\n\n# %%\ny\n"""\n', "z = [\n\n1,\n\n2]\n"],
    ['x = """\n', "# %%\ny\n"],
]


@pytest.mark.parametrize("cells", SCRIPTS)
def test_a_script_is_cut_into_the_cells_it_was_made_of(cells: list[str]) -> None:
    submission = read("\n".join(cells).encode(), "hw.py")
    assert submission.cells == tuple(cells)
    begins = [1 + "\n".join([*cells[:k], ""]).count("\n") for k in range(len(cells))]
    assert submission.lines == tuple(begins)


def test_what_colab_has_commented_out_is_a_cell_again() -> None:
    mark = "# Commented out IPython magic to ensure Python compatibility."
    script = f"a\n{mark}\n# %matplotlib inline\nb\n\n{mark}\n# %%time\n# def f():\n#   # why\n#   return 1\n\nc\n"
    assert read(script.encode(), "hw.py").cells == (
        "a", "%matplotlib inline\nb\n", "%%time\ndef f():\n  # why\n  return 1", "c\n",
    )  # fmt: skip


def test_structures_that_would_fill_the_memory_are_refused_before_they_are_built() -> None:
    content = b'{"cells": [' + b"{}," * 1_100_000 + b"{}]}"
    with pytest.raises(SubmissionError, match="too much structured data"):
        read_content(content, "hw.ipynb", Limits())


def test_a_script_is_read_in_any_usual_encoding() -> None:
    assert read(b"a = 1\r\nb = 2\r\n", "hw.py").cells == ("a = 1\nb = 2\n",)
    assert read("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "hw.py").cells == ("# coding: latin-1\nx = 'é'\n",)
    assert read("x = 'é'\n".encode("utf-8-sig"), "hw.py").cells == ("x = 'é'\n",)
    broken = read(b"x = '\xff'\n", "hw.py")
    assert broken.cells == ("x = '\ufffd'\n",)
    assert "not valid Unicode" in broken.notes[0]
    assert read(b"# coding: rot13\na = 1\n", "hw.py").cells == ("# coding: rot13\na = 1\n",)


def test_an_otter_export_is_read_and_everything_else_in_it_passed_over() -> None:
    content = zipped(
        {
            "hw.ipynb": nb("a = 1"),
            ".OTTER_LOG": b"\x80\x04pickle",
            "hw.pdf": b"%PDF",
            "__MACOSX/._hw.ipynb": b"\0",
            ".ipynb_checkpoints/hw-checkpoint.ipynb": nb("old"),
            "../../evil.py": b"raise SystemExit",
        }
    )
    submission = read(content, "hw.zip")
    assert submission.cells == ("a = 1",)
    assert "5 other files were ignored" in submission.notes[0]


def test_of_several_notebooks_in_a_zip_the_assignments_one_is_taken() -> None:
    others = {"x/one.ipynb": nb("one"), "x/two.ipynb": nb("two")}
    assert read(zipped({**others, "deep/er/toy.ipynb": nb("mine")}), "hw.zip").cells == ("mine",)
    assert read(zipped({**others, "my toy (2).ipynb": nb("mine")}), "hw.zip").cells == ("mine",)
    named = nb("mine", metadata={"otter": {"assignment_name": "toy"}})
    assert read(zipped({**others, "z.ipynb": named}), "hw.zip").cells == ("mine",)
    with pytest.raises(SubmissionError, match="none is named after the assignment"):
        read(zipped(others), "hw.zip")


def lying_zip(size: int) -> bytes:
    """A zip that declares an entry to be small which unpacks to `size` bytes."""
    content = bytearray(zipped({"hw.ipynb": b" " * size}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(mark) + offset
        content[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def encrypted_zip() -> bytes:
    content = bytearray(zipped({"hw.ipynb": nb("a")}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped({"hw.ipynb": b" " * 300_000}), "too large"),
        (zipped({f"{index}.txt": b" " * 3_000 for index in range(100)}), "too large"),
        (lying_zip(10_000_000), "not a readable zip|too large|not a notebook|empty"),
        (zipped({f"{index}": b"" for index in range(2_001)}), "more than 2000 entries|too large"),
        (encrypted_zip(), "password"),
        (zipped({"hw.ipynb": nb("a")}, zipfile.ZIP_LZMA), "unusual compression"),
        (zipped({"readme.txt": b""}), "no notebook"),
        (zipped({"hw.ipynb": nb("a")})[:-30], "not a readable zip"),
        (b"PK\x03\x04" + b"junk" * 100, "not a readable zip"),
        (zipped({"hw.ipynb": nb("a" * 500)}).replace(b"PK\x03\x04", b"PK\x03\x05"), "not a readable zip"),
        (zipped({"inner.zip": zipped({"hw.ipynb": nb("a")})}), "no notebook"),
    ],
)
def test_bombs_and_broken_zips_get_a_sentence(content: bytes, says: str) -> None:
    with pytest.raises(SubmissionError, match=says):
        read(content, "hw.zip")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "real.ipynb").write_bytes(nb("a"))
    (tmp_path / "link.ipynb").symlink_to("real.ipynb")
    for name, says in (
        ("folder.ipynb", "folder"),
        ("pipe.ipynb", "not a regular file"),
        ("link.ipynb", "link"),
        ("missing.ipynb", "no such file"),
        ("nul\0.ipynb", "name"),
    ):
        with pytest.raises(SubmissionError, match=says):
            read_submission(tmp_path / name, LIMITS)
    with pytest.raises(SubmissionError, match="not a regular file"):
        read_submission("/dev/zero", LIMITS)
    assert read_submission(tmp_path / "real.ipynb", LIMITS).cells == ("a",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["cells", "source", "metadata", "tags"]), inner),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(st.fixed_dictionaries({"cell_type": st.just("code")}, optional={"source": JSON, "metadata": JSON})),
    more=st.dictionaries(st.sampled_from(["metadata", "worksheets", "nbformat"]), JSON),
)
def test_any_json_of_a_notebooks_shape_gives_strings(cells: list[Any], more: dict[str, Any]) -> None:
    submission = read(json.dumps({"cells": cells, **more}).encode())
    assert all(type(cell) is str for cell in submission.cells)
    for cell in submission.cells:
        cell.encode()


@settings(max_examples=300, deadline=None)
@given(data=st.data(), suffix=st.sampled_from([".ipynb", ".py", ".zip"]))
def test_any_bytes_give_strings_or_a_sentence(data: st.DataObject, suffix: str) -> None:
    seed = {".ipynb": nb("a = 1"), ".py": b"a = 1", ".zip": zipped({"hw.ipynb": nb("a = 1"), "b.txt": b"b"})}[suffix]
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 6))):
        position = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 12))
        content[position : position + cut] = data.draw(st.binary(max_size=12))
    try:
        submission = read(bytes(content), f"hw{suffix}")
    except SubmissionError:
        return
    assert all(type(cell) is str for cell in submission.cells)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.ipynb.txt", ".ipynb"),
        ("x.IPYNB.JSON", ".ipynb"),
        ("x.ipynb (2).txt", ".ipynb"),
        ("x.py.txt", ".py"),
        ("x.ipynb.zip", ".zip"),
        ("x.txt", ""),
        ("ipynb.json", ""),
        ("x.ipynb.pdf", ""),
    ],
)
def test_a_files_kind_is_read_from_its_name_whatever_a_browser_added(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_notebook_that_a_browser_saved_as_text_is_read_as_a_notebook(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb.txt"
    path.write_text('{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
    assert read_submission(path, Limits()).cells == ("x = 1",)
