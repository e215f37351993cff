"""What is in a download: every file of a folder or of a zip, as data that can be read when it is wanted.

A zip is never unpacked: its names are read, and a file's content when it is taken. So what a zip says about paths,
links and sizes has no effect on this machine's disk, and a file that cannot be taken is still accounted for.
"""

import os
import stat
import struct
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.assignment import Limits
from autograder.submissions.read import SubmissionError, read_bytes, too_large
from autograder.walk import Bounds, Place, walk

MAX_ARCHIVE_ENTRIES = 200_000
"""Of a platform's zip."""
MAX_DIRECTORY_BYTES = 64 * 1024**2
"""Of a zip's table of contents: Python keeps all of it in memory."""
MAX_PARTS = 60
"""Folders inside each other in a zip."""

CLUTTER_FOLDERS = {"__MACOSX", "__pycache__", "node_modules", "venv", "site-packages", "$RECYCLE.BIN"}
"""Not looked into, like folders whose names begin with a dot: no hand-in lies there."""
HANDED_OUT_FOLDERS = {"adkit", "tests"}
"""Of the repository that students were handed."""

Read = Callable[[Limits], bytes]


class DownloadError(Exception):
    """A download that cannot be looked through; the message says why and what to give instead."""


@dataclass(frozen=True)
class Item:
    """A file of a download, or a folder that was not looked into and stands for everything in it."""

    parts: tuple[str, ...]
    """Its path below the download."""
    read: Read
    """Its content; SubmissionError when there is none that can be used."""
    modified: float = 0.0
    """Seconds since 1970."""
    folder: bool = False
    problem: str = ""
    """Why it cannot be taken, whatever it is: a sentence."""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.parts[-1]

    @property
    def path(self) -> str:
        """Its path as text; a folder's ends with a slash."""
        return "/".join(self.parts) + ("/" if self.folder else "")


@contextmanager
def opened(source: Path, exclude: Path | None = None) -> Generator[list[Item], None, None]:
    """Everything in a folder or a zip, in the order of names, to be read before the context ends.

    `exclude` is not looked into, and is not an item. Raises DownloadError.
    """
    if source.is_dir():
        without = os.path.abspath(exclude) if exclude is not None else None
        yield list(_of_folder(source, (), without))
    elif not source.exists():
        raise DownloadError(f"{source} is neither a folder nor a zip: there is no such file")
    elif not zipfile.is_zipfile(source):
        raise DownloadError(
            f"{source} is neither a folder nor a zip; give the download as it came, or the folder it was unpacked to"
        )
    else:
        _check_directory(source)
        try:
            archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, struct.error) as error:
            raise DownloadError(f"{source} cannot be read as a zip ({error}); download it again") from None
        with archive:
            if len(archive.infolist()) > MAX_ARCHIVE_ENTRIES:
                raise DownloadError(
                    f"{source} has more than {MAX_ARCHIVE_ENTRIES} entries: that is not the download of a class"
                )
            yield list(_of_zip(archive))


def _of_folder(folder: Path, parts: tuple[str, ...], exclude: str | None, depth: int = 0) -> Iterator[Item]:
    """Each student's folder is walked within bounds of its own, so that one cannot use up another's."""

    def is_excluded(path: Path) -> bool:
        return exclude is not None and os.path.abspath(path) == exclude

    bounds = Bounds(entries=MAX_ARCHIVE_ENTRIES)
    tops = [place for place in walk(folder, bounds, lambda _parts, _names: False) if not is_excluded(place.path)]
    inner = [place for place in tops if place.folder and not place.problem and place.parts]
    inner = [place for place in inner if not _is_clutter(place.parts[-1])]
    files = [place for place in tops if not place.folder and not place.parts[-1].startswith(".")]
    # A single folder may be one around the download: then its folders are the students'
    lone = depth < 8 and len(inner) == 1 and len(files) <= 10
    for top in tops:
        if top not in inner:
            yield _item(top, parts)
        elif lone:
            yield from (
                _of_folder(top.path, (*parts, *top.parts), exclude, depth + 1)
                if _filled(top.path)
                else (_item(top, parts),)
            )
        else:
            inside = walk(
                top.path,
                enter=lambda below, _names, top=top: (
                    not _is_clutter(below[-1])
                    and below[-1] not in HANDED_OUT_FOLDERS
                    and not is_excluded(top.path.joinpath(*below))
                ),
            )
            for place in inside:
                if not is_excluded(place.path):
                    yield _item(place, (*parts, *top.parts))


def _filled(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return True  # the walk says what is wrong


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name in CLUTTER_FOLDERS


def _item(place: Place, above: tuple[str, ...]) -> Item:
    modified = 0.0
    with suppress(OSError, ValueError):
        modified = place.path.lstat().st_mtime
    parts = tuple(_text(part) for part in (*above, *place.parts))
    item = Item(parts or (".",), lambda limits: read_bytes(place.path, limits), modified, place.folder, place.problem)
    return replace(item, problem="It is a link to another file or folder.") if place.link else item


def _text(name: str) -> str:
    """A name as text: bytes that are no UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


# --- zips -------------------------------------------------------------------------------------


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Item]:
    seen: Counter[tuple[str, ...]] = Counter()
    folders: list[tuple[str, ...]] = []
    filled: set[tuple[str, ...]] = set()
    items: list[Item] = []
    for info in archive.infolist():
        name = entry_name(info)
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
        if info.is_dir():
            folders.append(parts)
            continue
        problem = _problem(info, name, parts)
        parts = parts or (name or "?",)
        seen[parts] += 1
        if seen[parts] > 1:
            problem = problem or "The zip holds several files with this name."
        items.append(Item(parts, _reader(archive, info, problem), _time(info), problem=problem))
        filled |= {parts[:depth] for depth in range(1, min(len(parts), MAX_PARTS))}
    # somebody's folder with nothing in it
    items += [
        Item(folder, _nothing, folder=True)
        for folder in folders
        if 0 < len(folder) < MAX_PARTS and folder not in filled
    ]
    yield from _without_clutter(sorted(items, key=lambda item: item.parts))


def _without_clutter(items: list[Item]) -> Iterator[Item]:
    """The items, with one for each folder that is not looked into instead of those in it."""
    last: tuple[str, ...] | None = None
    for item in items:
        for depth in range(1, min(len(item.parts), MAX_PARTS)):
            name = item.parts[depth - 1]
            if _is_clutter(name) or (depth > 1 and name in HANDED_OUT_FOLDERS):
                folder = item.parts[:depth]
                if folder != last:
                    last = folder
                    yield Item(folder, _nothing, folder=True)
                break
        else:
            yield item


def _nothing(_limits: Limits) -> bytes:
    raise SubmissionError("This is a folder, not a file. Hand in the notebook itself.")


def entry_name(info: zipfile.ZipInfo) -> str:
    """An entry's name: UTF-8 where it says so or is, else the code page of the format (437).

    Source: APPNOTE.TXT 6.3.10, D.1 and 4.6.9 (the extra field 0x7075 has the name in UTF-8).
    """
    if info.flag_bits & 0x800:
        return info.filename
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x7075 and size > 5 and len(extra) >= 4 + size:
            with suppress(UnicodeDecodeError):
                return extra[9 : 4 + size].decode("utf-8")
        extra = extra[4 + size :]
    with suppress(UnicodeError):  # many programs write UTF-8 and do not say so
        return info.filename.encode("cp437").decode("utf-8")
    return info.filename


def _problem(info: zipfile.ZipInfo, name: str, parts: tuple[str, ...]) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "It is a link to another file or folder."
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return "It is not a regular file."
    if ".." in parts or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":") or "\0" in name:
        return "Its path leads out of the zip."
    if len(parts) > MAX_PARTS:
        return f"Its folders are nested more than {MAX_PARTS} deep."
    if info.flag_bits & 0x1:
        return "It is protected by a password."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "The zip uses an unusual compression."
    return ""


def _reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo, problem: str) -> Read:
    def read(limits: Limits) -> bytes:
        if problem:
            raise SubmissionError(problem)
        try:
            with archive.open(info) as file:
                content = file.read(limits.submission_bytes + 1)  # the declared size may lie
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError) as error:
            raise SubmissionError(f"It cannot be read from the zip ({error}).") from None
        if len(content) > limits.submission_bytes:
            raise too_large(max(len(content), info.file_size), limits)
        return content

    return read


def _time(info: zipfile.ZipInfo) -> float:
    """When the file was changed, by this machine's clock: a zip's times have no zone."""
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _check_directory(path: Path) -> None:
    """Looks at how large the table of contents says it is, before it is read. Source: APPNOTE.TXT 4.3.14, 4.3.16."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    directory = struct.unpack("<L", tail[at + 12 : at + 16])[0] if 0 <= at <= len(tail) - 22 else 0
    wide = tail.rfind(b"PK\x06\x06", 0, max(0, at))
    if directory == 0xFFFFFFFF and 0 <= wide <= len(tail) - 56:
        directory = struct.unpack("<Q", tail[wide + 40 : wide + 48])[0]
    if directory > MAX_DIRECTORY_BYTES:
        raise DownloadError(f"{path} lists more files than are looked at ({directory} bytes of names)")
