"""What the isolated session has to say beside points, on its way from Otter's kernel to the records.

Otter carries points and a text for each case, and one text for the submission. What a record holds besides takes this
way, as fields, written and read here and nowhere else:

    kernel       Outcome -> written -> the session's report, a file that its owner alone can read
    plugin       the same data -> Otter's plugin data; `as_text` -> Otter's text, for people
    containers   Otter's plugin data -> read -> Outcome -> records
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from adkit.kinds import KINDS, Kind

from autograder.records.results import CaseResult, Failure, Limit, Timeout
from autograder.text import printable

_NOTES = 100
_TEXT = 8_000


@dataclass(frozen=True)
class Said:
    """What a case that did not pass has to say; the fields of `CaseResult`."""

    message: str = ""
    mistake: str = ""
    failure: Failure = ""
    kind: Kind | Literal[""] = ""
    mistakes: tuple[str, ...] = ()
    misconception: str = ""
    reread: tuple[str, ...] = ()
    detail: str = ""
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])

    @staticmethod
    def of(case: CaseResult) -> "Said":
        """What a case has to say."""
        return Said(**{entry.name: getattr(case, entry.name) for entry in fields(Said)})

    def onto(self, case: CaseResult) -> CaseResult:
        """The case with what it has to say."""
        return replace(case, **{entry.name: getattr(self, entry.name) for entry in fields(Said)})


@dataclass(frozen=True)
class Outcome:
    """What a session has to say; the fields of `SubmissionResult`. Texts of the submission's are untrusted."""

    notes: tuple[str, ...] = ()
    grader_notes: tuple[str, ...] = ()
    output: str = ""
    timeouts: tuple[Timeout, ...] = ()
    cases: Mapping[str, Said] = field(default_factory=dict[str, Said])
    """By the test function's name; those that passed are left out."""

    @staticmethod
    def said(cases: Mapping[str, CaseResult]) -> dict[str, Said]:
        """What the cases that did not pass have to say."""
        return {name: Said.of(case) for name, case in cases.items() if not case.passed}


def written(outcome: Outcome) -> dict[str, Any]:
    """As data for JSON; the inverse of `read`."""
    return asdict(outcome)


def read(data: Any) -> Outcome:
    """By exact types. What is of another form is left out: it costs a note, never the points."""
    if type(data) is not dict:
        return Outcome()
    given = cast("dict[str, Any]", data)
    found: Any = given.get("cases")
    cases = cast("dict[Any, Any]", found) if type(found) is dict else {}
    return Outcome(
        notes=_texts(given.get("notes")),
        grader_notes=_texts(given.get("grader_notes")),
        output=_text(given.get("output")),
        timeouts=tuple(timeout for entry in _list(given.get("timeouts")) if (timeout := _timeout(entry)) is not None),
        cases={str(name)[:200]: _said(entry) for name, entry in cases.items()},
    )


def as_text(outcome: Outcome) -> str:
    """For people who read Otter's results: notes, then the beginning of what was printed."""
    notes = [printable(note, 500, lines=False) for note in outcome.notes]
    notes += [printable(f"grader: {note}", 500, lines=False) for note in outcome.grader_notes]
    printed = printable(outcome.output, _TEXT)
    return "\n".join([*notes, f"Printed by the notebook:\n{printed}"] if printed.strip() else notes)


def as_otters(entry: Any, case: CaseResult) -> Any:
    """What came out of a case, for Otter's `entry` of it."""
    from otter.test_files.abstract_test import TestCaseResult

    message = "✅ Test case passed" if case.passed else f"❌ Test case failed\n{case.message}"
    return TestCaseResult(entry, message, case.passed)


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if type(value) in (list, tuple) else []  # JSON makes lists of tuples


def _text(value: Any) -> str:
    return value if type(value) is str else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text[:_TEXT] for text in _list(value)[:_NOTES] if type(text) is str)


def _timeout(entry: Any) -> Timeout | None:
    match entry:
        case {"limit": str(limit), "what": str(what), "seconds": int() | float() as seconds} if limit in get_args(
            Limit
        ):
            return Timeout(cast("Limit", limit), what[:200], float(seconds))
        case _:
            return None


def _said(entry: Any) -> Said:
    match entry:
        case {"message": str(message), "mistake": str(mistake), "failure": str(failure)}:
            found = cast("dict[str, Any]", entry)
            known = failure if failure in get_args(Failure) else ""
            kind: Any = found.get("kind")
            evidence: Any = found.get("evidence")
            return Said(
                message[:_TEXT],
                mistake[:_TEXT],
                cast("Failure", known),
                kind=kind if type(kind) is str and kind in KINDS else "",
                mistakes=_texts(found.get("mistakes")),
                misconception=_text(found.get("misconception"))[:_TEXT],
                reread=_texts(found.get("reread")),
                detail=_text(found.get("detail"))[:_TEXT],
                evidence=cast("dict[str, Any]", evidence) if type(evidence) is dict else {},
            )
        case _:
            return Said()
