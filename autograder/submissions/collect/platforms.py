"""How each platform names what it lets an instructor download, one row of `PLATFORMS` each, and what it takes back.

Sources (observed and documented names; untried on a live platform where it says so):

- Canvas, "Download Submissions": `<lastnamefirstname>[_LATE]_<user>_<file number>_<file>`; the second number is each
  file's own. Anonymous assignments: `[LATE_]anon_<number>_<file number>_<file>`. Group assignments have the group's
  name, which may have underscores. Text entries are `…_text.html`. A file handed in again ends in `-1`, `-2`.
- Moodle, "Download all submissions": `<Full name>_<participant>_assignsubmission_file_/…`, or flat, without folders;
  `…_assignsubmission_onlinetext_…` is text typed on the platform.
- Gradescope, "Export submissions": `submission_metadata.yml` beside folders (see `gradescope`).
- Blackboard Learn, "Assignment File Download": `<assignment>_<user>_attempt_<yyyy-mm-dd-hh-mm-ss>_<file>`, and a
  summary `….txt` for each attempt (github.com/kwurst/bb-file-cleanup describes it). Untried on a live platform.
- Brightspace (D2L), "Download": `<number>-<number> - <Full Name> - <Sep 24, 2024 926 PM>/`, or flat with ` - <file>`;
  `index.html` lists them (described by users' scripts that rename them). Untried on a live platform.
- ILIAS, exercises: `<Lastname>_<Firstname>_<login>_<user>/`, files may begin with `<yyyymmddhhmmss>_` (described by
  plugins for its exercises, ExerciseStatusFile). Untried on a live platform.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autograder.records.roster import CLONE, PARTICIPANT, PLAIN, Student


@dataclass(frozen=True)
class Owner:
    """Who handed something in, and when, as the name of an entry of the download says."""

    key: str
    """The same for everything of one person."""
    label: str
    """What a stable file name is made of."""
    student: Student
    kind: str
    """The platform, or `plain` or `clone`, which state nothing about a student."""
    order: tuple[float, ...] = ()
    """Later files are larger; empty when the name does not say."""
    file: str = ""
    """The file's name as the student gave it; empty when the entry is the student's folder."""
    text: bool = False
    """Text typed on the platform instead of a file."""


Recognise = Callable[[str, "Context"], Owner | None]


@dataclass(frozen=True)
class Context:
    """What else there is in a download: some names can only be read beside the others."""

    names: tuple[str, ...]
    sizes: tuple[int, int] = (0, 0)
    """Canvas: how many digits the numbers of users and files usually have."""
    head: str = ""
    """Blackboard: what the names have in common before the login."""


@dataclass(frozen=True)
class Platform:
    """One way to name a download's entries."""

    name: str
    recognise: Recognise
    lists: re.Pattern[str] | None = None
    """Files that the platform adds itself."""
    unzoned: bool = False
    """Whether its times have no zone."""


# --- Canvas -----------------------------------------------------------------------------------

_CANVAS_NUMBERS = re.compile(r"(?=(?P<late>_LATE)?_(?P<user>\d+)_(?P<number>\d+)_(?P<file>.))", re.IGNORECASE)
_CANVAS_TEXT = re.compile(
    r"^(?P<name>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?:text|link|url)\.html?$", re.IGNORECASE | re.DOTALL
)
_CANVAS_ANONYMOUS = re.compile(
    r"^(?P<late>LATE_)?anon(?:ymous)?_(?P<user>[A-Za-z0-9]+)_(?:(?P<number>\d+)_(?P<file>.+)|(?:text|link|url)\.html?)$",
    re.DOTALL,
)


def _canvas_splits(name: str) -> list[re.Match[str]]:
    return [found for found in _CANVAS_NUMBERS.finditer(name) if found.start() > 0]


def _canvas_sizes(names: Iterable[str]) -> tuple[int, int]:
    """Digits of the numbers in names that can be read in one way only."""
    users: Counter[int] = Counter()
    files: Counter[int] = Counter()
    for name in names:
        splits = _canvas_splits(name)
        if len(splits) == 1:
            users[len(splits[0]["user"])] += 1
            files[len(splits[0]["number"])] += 1
    return (users.most_common(1)[0][0], files.most_common(1)[0][0]) if users else (0, 0)


def _canvas(name: str, context: Context) -> Owner | None:
    anonymous = _CANVAS_ANONYMOUS.match(name)
    if anonymous is not None:
        # No user's number: the platform's importer would take it for somebody else's
        person = f"anon_{anonymous['user']}"
        student = Student(name=person, late="yes" if anonymous["late"] else "no")
        order = (float(anonymous["number"] or 0),)
        return Owner(person, person, student, "canvas", order, anonymous["file"] or "text.html", not anonymous["file"])
    text = _CANVAS_TEXT.match(name)
    splits = _canvas_splits(name)
    if splits:
        # A group's name may have numbers, and so may a file's: the numbers as long as the others' are the platform's,
        # and of several the first ones, because what follows is the student's own
        users, files = context.sizes
        found = min(splits, key=lambda split: _distance(split, users, files)) if users else splits[0]
        person, file, number = name[: found.start()], name[found.start("file") :], float(found["number"])
    elif text is not None:
        found, person, file, number = text, text["name"], "text.html", 0.0
    else:
        return None
    late = "yes" if found["late"] else "no"
    student = Student(name=person, platform=found["user"], late=late)
    typed = not splits
    return Owner(f"canvas {found['user']}", f"{person}-{found['user']}", student, "canvas", (number,), file, typed)


def _distance(split: re.Match[str], users: int, files: int) -> int:
    return abs(len(split["user"]) - users) + abs(len(split["number"]) - files)


def canvas_feedback(name: str) -> tuple[str, str]:
    """The name of a file that Canvas takes feedback back under, and the number of the user whose Canvas takes it to be.

    Both are empty where Canvas would not know. name: in the download. Canvas's import goes by the first number between
    underscores, whatever the length of the others.
    """
    name = name.replace("\\", "/").rpartition("/")[2]
    if not _canvas_splits(name):
        return "", ""
    return name, next(part for part in name.split("_") if part.isdecimal())


# --- Moodle -----------------------------------------------------------------------------------

# A folder's name is all the platform's: the last number counts. Of a flat one the first: what follows is the student's
MOODLE_FOLDER = re.compile(r"^(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?P<what>[a-z]+)_?$", re.DOTALL)
_MOODLE_FILE = re.compile(r"^(?P<name>.+?)_(?P<user>\d+)_assignsubmission_(?P<what>[a-z]+)_(?P<file>.+)$", re.DOTALL)


def _moodle(name: str, _context: Context) -> Owner | None:
    found = MOODLE_FOLDER.match(name) or _MOODLE_FILE.match(name)
    if found is None:
        return None
    person = found["name"].replace("_", " ").strip()
    student = Student(name=person, platform=f"{PARTICIPANT}{found['user']}")
    file = found.groupdict().get("file") or ""
    text = found["what"] == "onlinetext"
    return Owner(f"moodle {found['user']}", f"{found['name']}-{found['user']}", student, "moodle", (), file, text)


def moodle_feedback(path: str) -> tuple[str, str]:
    """The folder that Moodle takes feedback back in, and the digits of the participant whose Moodle takes it to be.

    Both are empty where Moodle would not know. path: in the download. Moodle's import goes by the number behind the
    first underscore.
    """
    first = path.replace("\\", "/").lstrip("/").partition("/")[0]
    flat = None if MOODLE_FOLDER.match(first) else _MOODLE_FILE.match(first)
    folder = first[: flat.start("file")] if flat else first
    return (folder, folder.split("_")[1]) if MOODLE_FOLDER.match(folder) else ("", "")


# --- Blackboard, Brightspace, ILIAS -------------------------------------------------------------

_BLACKBOARD = re.compile(
    r"^(?P<head>.+?)_attempt_(?P<time>\d{4}(?:-\d{2}){5})(?:_(?P<file>.+)|(?P<summary>\.txt))$", re.DOTALL
)
_BRIGHTSPACE = re.compile(
    r"^(?P<numbers>\d+-\d+) - (?P<name>.+?) ?- (?P<time>[^-]*?\b\d{4}\b[^-]*?)(?: - (?P<file>.+))?$",
    re.DOTALL,
)
_ILIAS = re.compile(r"^(?P<last>[^_]+)_(?P<first>[^_]+)_(?P<login>.+)_(?P<user>\d+)$", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _blackboard(name: str, context: Context) -> Owner | None:
    found = _BLACKBOARD.match(name)
    if found is None:
        return None
    head = found["head"]
    login = head[len(context.head) :] if context.head else head.rpartition("_")[2]
    time = _local(tuple(map(int, found["time"].split("-"))))
    student = Student(login=login, submitted=time.isoformat() if time else "")
    order = (time.timestamp(),) if time else ()
    # The summary holds what the student typed: it is theirs, and no file that they handed in
    return Owner(f"blackboard {login}", login, student, "blackboard", order, found["file"] or "", not found["file"])


def _brightspace(name: str, _context: Context) -> Owner | None:
    found = _BRIGHTSPACE.match(name)
    if found is None:
        return None
    person = found["name"].lstrip(". ").strip()
    time = _spoken(found["time"])
    student = Student(name=person, submitted=time.isoformat() if time else "")
    order = (time.timestamp(),) if time else ()
    key = f"brightspace {found['numbers']} {person}"
    return Owner(key, f"{person}-{found['numbers']}", student, "brightspace", order, found["file"] or "")


def _ilias(name: str, _context: Context) -> Owner | None:
    found = _ILIAS.match(name)
    if found is None:
        return None
    student = Student(name=f"{found['first']} {found['last']}", login=found["login"], platform=found["user"])
    return Owner(f"ilias {found['user']}", f"{found['login']}-{found['user']}", student, "ilias")


def _local(parts: Sequence[int]) -> datetime | None:
    """A time without a zone as this machine's."""
    try:
        return datetime(*parts).astimezone()  # pyright: ignore[reportArgumentType]
    except (ValueError, OverflowError, OSError):
        return None


def _spoken(text: str) -> datetime | None:
    """`Sep 24, 2024 926 PM`, in English; other forms are not known."""
    found = re.fullmatch(r"(\w{3})\w*\.? (\d{1,2}), (\d{4}) (\d{1,2}):?(\d{2}) ?([AP])M", text.strip(), re.IGNORECASE)
    month = _MONTHS.index(found[1].lower()) + 1 if found and found[1].lower() in _MONTHS else 0
    if found is None or not month or not 1 <= int(found[4]) <= 12:
        return None
    hour = int(found[4]) % 12 + 12 * (found[6].upper() == "P")
    return _local((int(found[3]), month, int(found[2]), hour, int(found[5])))


PLATFORMS = (
    Platform("moodle", _moodle),
    Platform("blackboard", _blackboard, unzoned=True),
    Platform("brightspace", _brightspace, re.compile(r"^index\.html?$", re.IGNORECASE), unzoned=True),
    Platform("canvas", _canvas),
    Platform("ilias", _ilias, re.compile(r"^(?:status|mark|user_?data).*\.(?:csv|xlsx?|xml)$", re.IGNORECASE)),
)


def platform_of(names: Sequence[str], folders: Iterable[str] = ()) -> tuple[Platform, Context] | None:
    """The platform whose names these are: the one that most of them fit, if that is at least half; None for no one's.

    ILIAS's names look like anybody's: all of them must be such folders.
    """
    context = Context(tuple(names), _canvas_sizes(names), _blackboard_head(names))
    of_folders = set(folders)
    best: tuple[int, Platform] | None = None
    for platform in PLATFORMS:
        among = [name for name in names if platform.lists is None or not platform.lists.match(name)]
        fitting = [name for name in among if platform.recognise(name, context) is not None]
        if platform.name == "ilias" and not (len(fitting) == len(among) and of_folders.issuperset(fitting)):
            continue
        if platform.name == "ilias" and len({name.partition("_")[0] for name in fitting}) < 2:
            continue  # clones, named after an assignment
        if fitting and 2 * len(fitting) >= len(among) and (best is None or len(fitting) > best[0]):
            best = (len(fitting), platform)
    return (best[1], context) if best is not None else None


def unnamed_owner(name: str, stem: str, is_folder: bool) -> Owner:
    """Of an entry that no platform named: a clone, or a file that somebody named."""
    if is_folder:
        return Owner(f"clone {name}", name, Student(name=name, login=name), CLONE)
    return Owner(f"plain {stem}", stem, Student(name=stem), PLAIN, (), name)


def _blackboard_head(names: Iterable[str]) -> str:
    """The assignment's title, which all names begin with: a login may have an underscore, and so may a title."""
    heads = {found["head"] for name in names if (found := _BLACKBOARD.match(name)) is not None}
    if len(heads) < 2:
        return ""
    first, last = min(heads), max(heads)
    common = next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("_", 0, common) + 1]
