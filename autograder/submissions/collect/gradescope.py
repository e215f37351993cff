"""The metadata of a Gradescope export: who handed in which folder, and when.

`submission_metadata.yml` has a key for each folder, with `:submitters:` (a list of `:name:`, `:sid:`, `:email:`;
several for a group) and `:created_at:`. Everything else in it, such as results and their output, is passed over.
Untried on a live platform; made after exports that users have shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from autograder.records.roster import Student
from autograder.submissions.collect.platforms import Owner

NAME = "submission_metadata.yml"
MAX_BYTES = 256 * 1024**2
_LARGE = 2 * 1024**2


class MetadataError(Exception):
    """Metadata that cannot be used; the message says what is wrong."""


@dataclass(frozen=True)
class Submission:
    """A folder of the export."""

    owners: tuple[Owner, ...]
    """One; several for a group; one without a name when the metadata names nobody."""


def submissions(content: bytes, say: Callable[[str], None]) -> dict[str, Submission]:
    """The export's folders by name. `say` is handed a line when it will take a moment."""
    if len(content) > _LARGE:
        say(f"reading {len(content) / 1024**2:.0f} MB of Gradescope's metadata …")
    import yaml  # only for Gradescope's downloads

    # The loader in C is ten times as fast; without types a number such as 0042 stays what it is
    loader: Any = getattr(yaml, "CBaseLoader", None) or yaml.BaseLoader
    try:
        parsed: object = yaml.load(content, loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        why = str(getattr(error, "problem", None) or type(error).__name__)
        raise MetadataError(f"{NAME} is not valid YAML{where} ({why}); export the submissions again") from None
    if not isinstance(parsed, dict):
        raise MetadataError(f"{NAME} is not the metadata of a Gradescope export: it names no submissions")
    found: dict[str, Submission] = {}
    for key, described in cast(dict[object, object], parsed).items():
        folder = str(key).replace("\\", "/").rstrip("/").rpartition("/")[2]
        found[folder] = _submission(folder, _mapping(described))
    return found


def _submission(folder: str, described: dict[str, object]) -> Submission:
    time = _time(described.get(":created_at"))
    order = (time.timestamp(),) if time else ()
    listed = described.get(":submitters")
    owners: list[Owner] = []
    for submitter in map(_mapping, cast(list[object], listed) if isinstance(listed, list) else []):
        student = Student(
            id=_value(submitter, ":sid"),
            name=_value(submitter, ":name"),
            email=_value(submitter, ":email"),
            submitted=time.isoformat() if time else "",
        )
        number = student.id or student.email
        if not (number or student.name):
            continue
        # Two of the same name are two people, unless a number says otherwise
        key = f"gradescope {number}" if number else f"gradescope {folder} {student.name}"
        label = "-".join(filter(None, (student.name, number or folder)))
        owners.append(Owner(key, label, student, "gradescope", order))
    if not owners:
        student = Student(submitted=time.isoformat() if time else "")
        owners.append(Owner(f"gradescope {folder}", folder, student, "gradescope", order))
    return Submission(tuple({owner.key: owner for owner in owners}.values()))


def _mapping(value: object) -> dict[str, object]:
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _value(submitter: dict[str, object], key: str) -> str:
    value = submitter.get(key)
    return value.strip() if isinstance(value, str) and value not in ("~", "null") else ""


def _time(value: object) -> datetime | None:
    """A time as Ruby writes it (`2026-01-01 02:52:07.938335000 Z`) or in ISO 8601."""
    if not isinstance(value, str):
        return None
    text = value.strip().replace(" Z", "+00:00").replace(" UTC", "+00:00").replace(" +", "+").replace(" -", "-")
    head, dot, rest = text.partition(".")
    if dot:  # no more than microseconds
        digits = len(rest) - len(rest.lstrip("0123456789"))
        text = f"{head}.{rest[: min(digits, 6)].ljust(6, '0')}{rest[digits:]}"
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
