"""Reading what a student handed in: a notebook, a script or an Otter export, as the text of its code cells.

A file is opened once, without following links, and read up to the size limit; a zip is looked into in memory
and nothing is ever unpacked to disk. What comes out are plain strings: no metadata, no outputs, no objects.
Whatever is wrong with a file becomes a `SubmissionError` with a sentence for the person who handed it in.

This module runs nothing of what it reads.
"""

import codecs
import errno
import hashlib
import io
import json
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, cast

from autograder.assignment import Limits
from autograder.names import NO_SUBMISSIONS, is_skipped_folder, kind_of, letters_of

MAX_ENTRIES = 2_000
"""Entries of a zip."""
MAX_CONTAINERS = 1_000_000
"""Lists and objects in a notebook's JSON: they cost 20 times their text in memory."""
MAX_STRINGS = 2_000_000
"""Strings in a notebook's JSON."""
MAX_CELLS = 5_000
"""Code cells of a notebook."""

_SCRIPT_ENCODINGS = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"}
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class SubmissionError(Exception):
    """A file that is not a usable submission; the message says why, for the person who handed it in."""


@dataclass(frozen=True)
class Submission:
    """A submission's code."""

    name: str
    """Unique in its batch."""
    path: Path | None
    """Where it was read; None when it did not come from a file here."""
    cells: tuple[str, ...]
    """The text of the code cells, in order."""
    notes: tuple[str, ...] = ()
    """What was tolerated or ignored, for the student."""
    demonstrations: tuple[int, ...] = ()
    """Numbers (from 1) of cells that are demonstrations as they were handed out: run only if others need them."""
    lines: tuple[int, ...] = ()
    """Of a script: the line (from 1) where each cell begins, for tracebacks. Empty for a notebook."""


def demonstration_digest(source: str) -> str:
    """What a notebook's handed-out demonstration cells carry as `metadata.demonstration`: it tells them unchanged."""
    return hashlib.sha256(source.strip().encode("utf-8", "replace")).hexdigest()[:16]


def read_submission(
    path: str | Path, limits: Limits, *, name: str | None = None, assignment: str | None = None
) -> Submission:
    """Reads `path`; `assignment` (a name) helps to choose among several notebooks in a zip."""
    path = Path(path)
    return read_content(read_bytes(path, limits), path.name, limits, name=name, path=path, assignment=assignment)


def read_content(
    content: bytes,
    file_name: str,
    limits: Limits,
    *,
    name: str | None = None,
    path: Path | None = None,
    assignment: str | None = None,
) -> Submission:
    """The same for a file's content; the end of `file_name` says what it is."""
    suffix = kind_of(file_name)
    if len(content) > limits.submission_bytes:
        raise too_large(len(content), limits)
    if not content.strip(b"\x00 \t\r\n"):
        raise SubmissionError("The file is empty. Save the notebook and hand it in again.")
    if suffix == ".zip":
        code = _zip_code(content, limits, assignment)
    elif suffix == ".ipynb":
        code = _notebook_code(content)
    elif suffix == ".py":
        code = _script_code(content)
    else:
        raise SubmissionError("Only notebooks (.ipynb), scripts (.py) and Otter's exports (.zip) are graded.")
    return Submission(name or file_name, path, code.cells, code.notes, code.demonstrations, code.lines)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """A regular file's content: no link, no device, no more than the limit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(_why_not_opened(error)) from None
    except ValueError:
        raise SubmissionError("The file's name cannot be used on this machine.") from None
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise SubmissionError("This is a folder, not a file. Hand in the notebook itself.")
        if not stat.S_ISREG(status.st_mode):
            raise SubmissionError("This is not a regular file (a pipe or a device). Hand in the notebook.")
        if status.st_size > limits.submission_bytes:
            raise too_large(status.st_size, limits)
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(limits.submission_bytes + 1)
    except OSError as error:
        raise SubmissionError(f"The file could not be read ({error.strerror}).") from None
    finally:
        os.close(descriptor)
    if len(content) > limits.submission_bytes:
        raise too_large(len(content), limits)
    return content


def digest(path: Path, limits: Limits) -> str:
    """The SHA-256 of a submission's content, in hex; of what is wrong with it when it cannot be read."""
    try:
        return hashlib.sha256(read_bytes(path, limits)).hexdigest()
    except SubmissionError as error:
        return unreadable_digest(error)


def unreadable_digest(problem: object) -> str:
    """Stands for the content of a file that could not be read, so that `--resume` knows it again."""
    return hashlib.sha256(b"unreadable: " + str(problem).encode()).hexdigest()


def _why_not_opened(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return "This is a link to another file. Hand in the file itself."
    if error.errno == errno.ENOENT:
        return "There is no such file (a link that leads nowhere, or it was removed meanwhile)."
    if error.errno in (errno.EACCES, errno.EPERM):
        return "The file may not be read: its permissions forbid it."
    if error.errno == errno.ENXIO:
        return "This is not a regular file (a socket or a pipe). Hand in the notebook."
    return f"The file could not be opened ({error.strerror})."


def too_large(size: int, limits: Limits) -> SubmissionError:
    """What is said of a file, or of a zip's contents, of `size` bytes when that is more than the limit."""
    allowed = limits.submission_bytes / 1024**2
    return SubmissionError(
        f"The submission is too large: {size / 1024**2:.1f} MB, at most {allowed:g} MB are read. "
        "Clear large outputs (Kernel > Restart & Clear Output) and hand it in again."
    )


@dataclass(frozen=True)
class _Code:
    """What a file holds: the fields of a `Submission` with these names."""

    cells: tuple[str, ...]
    notes: tuple[str, ...]
    demonstrations: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()


# --- notebooks ------------------------------------------------------------------------------------


def _notebook_code(content: bytes) -> _Code:
    notebook, notes = _parse_notebook(content)
    _refuse_other_languages(notebook)
    cells: list[str] = []
    demonstrations: list[int] = []
    ignored = 0
    for cell in _cells(notebook):
        if cell.get("cell_type") != "code":
            continue
        if _is_ignored(cell):
            ignored += 1
            continue
        cells.append(_valid_unicode(_source(cell)))
        if _is_demonstration(cell, cells[-1]):
            demonstrations.append(len(cells))
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"The notebook has {len(cells)} code cells; at most {MAX_CELLS} are read.")
    if ignored:
        notes.append(f"{_count(ignored, 'cell')} tagged otter_ignore not run.")
    if not any(cell.strip() for cell in cells):
        notes.append("The notebook has no code.")
    return _Code(tuple(cells), tuple(notes), tuple(demonstrations))


def _parse_notebook(content: bytes) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    _refuse_other_files(content)
    if content.count(b"[") + content.count(b"{") > MAX_CONTAINERS or content.count(b'"') > 2 * MAX_STRINGS:
        raise SubmissionError("The notebook holds too much structured data. Clear its outputs and hand it in again.")
    text = _decode(content, notes)
    try:
        notebook: object = json.loads(text, parse_int=_small_int, parse_float=_zero, parse_constant=_nothing)
    except RecursionError:
        raise SubmissionError("The notebook is nested too deeply to be one. Save it again from Jupyter.") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        _refuse_conflicts(text)
        if not text.lstrip().startswith(("{", "[")) and _SCRIPT_LINE.search(text):
            raise SubmissionError(
                "The file is a Python script with a notebook's name, not a notebook. Rename it to .py and hand it in "
                "again."
            ) from None
        raise SubmissionError(
            f"The file is not a notebook: it is not valid JSON{where}, perhaps cut off in an upload. "
            "Open it in Jupyter, save it and hand it in again."
        ) from None
    if _is_checkpoint_listing(notebook):
        raise SubmissionError(
            "The file is not a notebook: it is Jupyter's list of a notebook's checkpoints. Download the notebook "
            "itself (File > Download) and hand it in."
        )
    if not isinstance(notebook, dict):
        raise SubmissionError("The file is not a notebook: its JSON is not an object. Save it again from Jupyter.")
    found = cast(dict[str, Any], notebook)
    inner: object = found.get("content")
    if "cells" not in found and found.get("type") == "notebook" and isinstance(inner, dict):
        notes.append("The file is Jupyter's answer about a notebook; the notebook inside it was graded.")
        return cast(dict[str, Any], inner), notes
    if "cells" not in found and "worksheets" not in found and _is_drive_shortcut(found):
        raise SubmissionError(
            "The file is not a notebook: it is a shortcut to a file in Google Drive. Open the notebook there, download "
            "it (File > Download > Download .ipynb) and hand that in."
        )
    return found, notes


_SCRIPT_LINE = re.compile(r"^(import \w|from [\w.]+ import |def \w+\(|# %%|# In\[)", re.MULTILINE)


def _refuse_other_files(content: bytes) -> None:
    """SubmissionError for what can be seen to be another kind of file, whatever its name says."""
    start = content[:4096].removeprefix(codecs.BOM_UTF8).lstrip()
    lower = start.lower()
    if content.startswith(b"PK\x03\x04"):
        raise SubmissionError("The file is a zip archive with a notebook's name. Rename it to .zip.")
    if content.startswith(b"\x1f\x8b"):
        raise SubmissionError("The file is compressed (gzip). Unpack it and hand in the notebook itself.")
    if start.startswith(b"%PDF-"):
        raise SubmissionError(
            "The file is not a notebook but a PDF, perhaps an export of one. Hand in the notebook itself (.ipynb)."
        )
    if lower.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        exported = any(mark in content for mark in (b"jp-Notebook", b"jp-Cell", b"nbconvert", b"input_area"))
        what = "an HTML export of one" if exported else "a web page, saved in the place of a download"
        raise SubmissionError(
            f"The file is not a notebook but {what}. Hand in the notebook itself: File > Download in Jupyter, or the "
            "raw file on GitHub."
        )
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise SubmissionError(
            "The file is not a notebook but a pointer of Git LFS to one. Run `git lfs pull` and hand in the notebook, "
            "or put it into the repository without LFS."
        )


def _refuse_conflicts(text: str) -> None:
    lines = text.splitlines()
    opened = divided = False
    for number, line in enumerate(lines, 1):
        if line.startswith("<<<<<<< "):
            opened, divided = True, False
        elif line == "=======" and opened:
            divided = True
        elif line.startswith(">>>>>>> ") and divided:
            raise SubmissionError(
                f"The file holds git's conflict markers (up to line {number}): two versions were merged, and the "
                "conflict was not resolved. Keep one version, save it and hand it in again."
            )


def _refuse_other_languages(notebook: dict[str, Any]) -> None:
    """A notebook whose kernel is known to be of another language."""
    metadata: object = notebook.get("metadata")
    if not isinstance(metadata, dict):
        return
    entries = cast(dict[str, Any], metadata)
    for entry, key in (("kernelspec", "language"), ("language_info", "name")):
        part: object = entries.get(entry)
        language: object = cast(dict[str, Any], part).get(key) if isinstance(part, dict) else None
        if isinstance(language, str) and (name := _LANGUAGES.get(language.lower()[:40])):
            raise SubmissionError(
                f"The notebook is for {name}, not for Python: choose a Python kernel (Kernel > Change Kernel), save it "
                "and hand it in again."
            )


_LANGUAGES = {
    name.lower(): name
    for name in (
        "R", "Julia", "JavaScript", "TypeScript", "C++", "C++11", "C++14", "C++17", "C++20", "Java", "Scala", "Kotlin",
        "Octave", "MATLAB", "SAS", "Stata", "Bash", "Ruby", "Go", "Rust", "Haskell", "OCaml", "SQL", "C#", "F#",
        "PowerShell", "Lua", "Perl", "Wolfram Language", "Mathematica", "Maxima", "Fortran", "C",
    )
}  # fmt: skip
"""What a kernel calls its language, and what it is called."""


def _is_checkpoint_listing(data: object) -> bool:
    if not isinstance(data, list) or not data:
        return False
    entries = cast("list[dict[str, Any]]", data)
    return all(isinstance(entry, dict) and entry.keys() == {"id", "last_modified"} for entry in entries[:100])  # pyright: ignore[reportUnnecessaryIsInstance]


def _is_drive_shortcut(data: dict[str, Any]) -> bool:
    text = "".join(str(value)[:300] for value in list(data.values())[:20] if isinstance(value, str))
    return bool({"doc_id", "file_id", "shortcutDetails"} & set(data)) or "google.com/" in text


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """All cells, from `cells` (format 4) or `worksheets` (formats 2 and 3)."""
    lists: list[object] = []
    if "cells" in notebook:
        lists.append(notebook["cells"])
    elif isinstance(notebook.get("worksheets"), list):
        for sheet in notebook["worksheets"]:
            if isinstance(sheet, dict):
                lists.append(cast(dict[str, Any], sheet).get("cells"))
    found: list[dict[str, Any]] = []
    usable = False
    for cells in lists:
        if isinstance(cells, list):
            usable = True
            found += [cast(dict[str, Any], cell) for cell in cast(list[object], cells) if isinstance(cell, dict)]
    if not usable:
        raise SubmissionError("The file is not a notebook: it has no list of cells. Save it again from Jupyter.")
    return found


def _source(cell: dict[str, Any]) -> str:
    source: object = cell.get("source")
    if source is None:
        source = cell.get("input", "")  # formats 2 and 3
    if isinstance(source, str):
        return source
    if isinstance(source, list):
        return "".join(line for line in cast(list[object], source) if isinstance(line, str))
    return ""


def _is_ignored(cell: dict[str, Any]) -> bool:
    """As Otter decides it: the tag `otter_ignore`, or `metadata.otter.ignore`."""
    metadata: object = cell.get("metadata")
    if not isinstance(metadata, dict):
        return False
    entries = cast(dict[str, Any], metadata)
    tags: object = entries.get("tags")
    if isinstance(tags, list) and "otter_ignore" in cast(list[object], tags):
        return True
    otter: object = entries.get("otter")
    return isinstance(otter, dict) and bool(cast(dict[str, Any], otter).get("ignore"))


def _is_demonstration(cell: dict[str, Any], source: str) -> bool:
    """Whether it was handed out as a demonstration and is unchanged.

    Forging the tag only makes the forger's own cell be skipped.
    """
    metadata: object = cell.get("metadata")
    given: object = cast(dict[str, Any], metadata).get("demonstration") if isinstance(metadata, dict) else None
    return isinstance(given, str) and given == demonstration_digest(source)


def _otter_assignment(notebook: dict[str, Any]) -> str | None:
    """The assignment's name that `otter assign` wrote into a notebook's metadata."""
    metadata: object = notebook.get("metadata")
    otter: object = cast(dict[str, Any], metadata).get("otter") if isinstance(metadata, dict) else None
    name: object = cast(dict[str, Any], otter).get("assignment_name") if isinstance(otter, dict) else None
    return name if isinstance(name, str) else None


def _small_int(digits: str) -> int:
    return int(digits) if len(digits) < 20 else 0


def _zero(_: str) -> float:
    return 0.0


def _nothing(_: str) -> None:
    return None


# --- scripts --------------------------------------------------------------------------------------


def _script_code(content: bytes) -> _Code:
    """A script as the cells of the notebook that it was exported from, or that its blank lines make of it."""
    notes: list[str] = []
    if content.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"{") and b'"cells"' in content:
        raise SubmissionError("The file is a notebook with a script's name. Rename it to .ipynb.")
    _refuse_other_files(content)
    text = _valid_unicode(_script_text(content, notes)).replace("\r\n", "\n").replace("\r", "\n")
    _refuse_conflicts(text)
    cells, lines = _script_cells(*_with_magics(text))
    return _Code(cells, tuple(notes), lines=lines)


def _script_text(content: bytes, notes: list[str]) -> str:
    for line in content.split(b"\n", 2)[:2]:
        coding = _CODING.match(line)
        if coding is None:
            continue
        try:
            encoding = codecs.lookup(coding.group(1).decode("ascii", "replace")).name
        except (LookupError, ValueError):
            break
        if encoding in _SCRIPT_ENCODINGS and encoding != "utf-8":
            return content.decode(encoding, "replace")
        break
    return _decode(content, notes)


_COMMENTED_OUT = "# Commented out IPython magic to ensure Python compatibility."


def _with_magics(text: str) -> tuple[str, set[int]]:
    """The magics that Colab has commented out, line for line, and the lines, from 0, where their cells begin and end.

    Of a cell that begins with `%%` Colab makes a comment as a whole.
    """
    bounds = set[int]()
    if _COMMENTED_OUT not in text:
        return text, bounds
    lines = text.split("\n")
    magic = cell = False
    for number, line in enumerate(lines):
        if line.strip() == _COMMENTED_OUT:
            magic, cell = True, False
            lines[number] = ""
            bounds.add(number)
        elif cell and line.startswith("#"):
            lines[number] = line[2:] if line.startswith("# ") else line[1:]
        elif magic and line.startswith("# %%"):
            cell = True
            lines[number] = line[2:]
        elif magic and line.startswith(("# %", "# !")):
            lines[number] = line[2:]
        elif cell:
            magic = cell = False
            bounds.add(number)
    return "\n".join(lines), bounds


_TOKENS = re.compile(
    r"#[^\n]*|"
    + "|".join(rf"{quotes}(?:\\.|[^\\])*?(?:{quotes}|\Z)" for quotes in ('"""', "'''"))
    + r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[(\[{]|[)\]}]""",
    re.DOTALL,
)
"""Comments, strings and brackets: what must be known to see where a statement begins. Each ends at the end of the text
at the latest, so that a look at all of them takes time in proportion to the text."""
_MARKER = re.compile(r"# ?%%+(?=\s|\[|$)|# ?In ?\[[\d ]*\]|# ?<codecell>")
_GOES_ON = re.compile(r"(else|elif|except|finally)\b|[)\]}\s]")


def _script_cells(text: str, known: set[int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The cells of a script and the line, from 1, where each begins.

    They begin at the markers of VS Code, Spyder, jupytext and nbconvert (`# %%`, `# In[3]:`, `# <codecell>`). A script
    without any, such as Colab's, is cut where a statement at the margin follows a blank line. known: further starts.
    """
    lines = text.split("\n")
    inside = _lines_inside(text)
    starts = [number for number, line in enumerate(lines) if number not in inside and _MARKER.match(line)]
    if not starts:
        starts = _statements_after_blank_lines(lines, inside)
        starts = starts[:: len(starts) // MAX_CELLS + 1]
    elif len(starts) >= MAX_CELLS:
        raise SubmissionError(f"The script has {len(starts)} cells; at most {MAX_CELLS} are read.")
    bounds = sorted({0, *starts, *known, len(lines)})
    cells: list[str] = []
    first: list[int] = []
    for start, end in pairwise(bounds):
        cell = "\n".join(lines[start:end])
        if cell.strip():
            cells.append(cell)
            first.append(start + 1)
    return tuple(cells), tuple(first)


def _statements_after_blank_lines(lines: list[str], inside: set[int]) -> list[int]:
    starts: list[int] = []
    after_blank = decorated = False
    first: int | None = None  # of the comments above a statement
    for number, line in enumerate(lines):
        if number in inside:
            continue
        if not line.strip():
            after_blank, first = True, None
            continue
        if after_blank and first is None and line[0] not in " \t":
            first = number
        if line.startswith("#"):
            continue
        if first is not None and not decorated and not _GOES_ON.match(line):
            starts.append(first)
        after_blank, first = False, None
        if line[0] not in " \t":
            decorated = line.startswith("@")
    return starts


def _lines_inside(text: str) -> set[int]:
    """The lines, from 0, that begin inside of a string or of brackets that are closed later."""
    inside: set[int] = set()
    line = depth = at = opened = 0
    for token in _TOKENS.finditer(text):
        line += text.count("\n", at, token.start())
        at = token.start()
        mark = token[0]
        if mark[0] in "([{":
            depth += 1
            opened = line if depth == 1 else opened
        elif mark[0] in ")]}":
            if depth == 1:
                inside.update(range(opened + 1, line + 1))
            depth = max(depth - 1, 0)
        elif "\n" in mark and (mark.endswith(mark[:3]) and len(mark) >= 6):
            inside.update(range(line + 1, line + 1 + mark.count("\n")))
    return inside


# --- zips -----------------------------------------------------------------------------------------


def _zip_code(content: bytes, limits: Limits, assignment: str | None) -> _Code:
    # Every entry of the directory begins with this mark: counted before anything is built from them.
    if content.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise SubmissionError(f"The zip has more than {MAX_ENTRIES} entries. Hand in Otter's export.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            declared = sum(entry.file_size for entry in entries)
            if declared > limits.submission_bytes:
                raise too_large(declared, limits)
            candidates = {_path(entry): entry for entry in entries if kind_of(_path(entry).name) in (".ipynb", ".py")}
            candidates = {path: entry for path, entry in candidates.items() if not _is_clutter(path)}
            path, data, notes = _choose(archive, candidates, limits, assignment)
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        OverflowError,
        MemoryError,
        LookupError,
    ):
        raise SubmissionError(
            "The file is not a readable zip archive, perhaps cut off in an upload. Export it again and hand it in."
        ) from None
    others = len(entries) - 1
    if others:
        notes.append(f"Of the zip only '{_shown(path)}' was graded; {_count(others, 'other file')} ignored.")
    code = _notebook_code(data) if kind_of(path.name) == ".ipynb" else _script_code(data)
    return replace(code, notes=(*notes, *code.notes))


def _choose(
    archive: zipfile.ZipFile,
    candidates: dict[PurePosixPath, zipfile.ZipInfo],
    limits: Limits,
    assignment: str | None,
) -> tuple[PurePosixPath, bytes, list[str]]:
    notebooks = [path for path in candidates if kind_of(path.name) == ".ipynb"]
    scripts = [path for path in candidates if kind_of(path.name) == ".py" and path.name not in NO_SUBMISSIONS]
    chosen = _fitting(notebooks, assignment)
    if len(notebooks) > 1 and chosen is None and assignment is not None and len(notebooks) <= 20:
        named = [path for path in notebooks if _assignment_of(_unpack(archive, candidates[path], limits)) == assignment]
        chosen = named[0] if len(named) == 1 else None
    if chosen is None and not notebooks:
        chosen = _fitting(scripts, assignment)
    if chosen is not None:
        return chosen, _unpack(archive, candidates[chosen], limits), []
    found = notebooks or scripts
    if not found:
        raise SubmissionError("The zip holds no notebook. Export it again with the notebook's last cell.")
    names = ", ".join(f"'{_shown(path)}'" for path in found[:4])
    raise SubmissionError(
        f"The zip holds {len(found)} notebooks or scripts ({names}) and none is named after the assignment. "
        "Hand in one."
    )


def _fitting(paths: list[PurePosixPath], assignment: str | None) -> PurePosixPath | None:
    """The only one, or the only one named after the assignment (exactly, else as a part of its name)."""
    if len(paths) == 1:
        return paths[0]
    if assignment is None:
        return None
    exact = [path for path in paths if path.stem == assignment]
    partly = [path for path in paths if letters_of(assignment) in letters_of(path.stem)]
    for fitting in (exact, partly):
        if len(fitting) == 1:
            return fitting[0]
    return None


def _assignment_of(content: bytes) -> str | None:
    try:
        return _otter_assignment(_parse_notebook(content)[0])
    except SubmissionError:
        return None


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> bytes:
    if entry.flag_bits & 0x1:
        raise SubmissionError("The zip is protected by a password. Hand in one without.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SubmissionError("The zip uses an unusual compression. Export it again with Otter.")
    with archive.open(entry) as file:
        content = file.read(limits.submission_bytes + 1)  # the declared size may lie
    if len(content) > limits.submission_bytes:
        raise too_large(len(content), limits)
    return content


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _is_clutter(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or any(map(is_skipped_folder, path.parts[:-1]))


# --- text -----------------------------------------------------------------------------------------


def _decode(content: bytes, notes: list[str]) -> str:
    """UTF-8 or UTF-16, with or without a byte order mark; what is not valid is replaced, and that is said."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, encoding = content.decode("utf-16", "replace"), "utf-16"
    else:
        text, encoding = content.decode("utf-8-sig", "replace"), "utf-8"
    if "\ufffd" in text:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            notes.append("Some characters in the file are not valid Unicode and were replaced.")
    return text


def _valid_unicode(text: str) -> str:
    """Pairs of surrogates joined, lone ones replaced: JSON may hold them, UTF-8 may not."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _shown(path: PurePosixPath) -> str:
    name = _valid_unicode(path.name)
    return name if len(name) <= 60 else f"{name[:57]}..."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun} was" if number == 1 else f"{number} {noun}s were"
