"""What handing in late costs: the table `[late]` of assignment.toml, and the time a hand-in has.

[late]
deadline = 2026-05-01T23:59:00+02:00     # with a zone
grace = "15 minutes"                     # optional: up to here nothing is taken off
steps = "10 % per day, at most 3 days"   # or "2 points per hour", "5 % per 12 hours, at most 50 %"
of = "earned"                            # optional: a per cent of the points earned (default), or of those "possible"
nothing_after = "7 days"                 # optional: later than this a hand-in earns nothing

A step is counted from the deadline as soon as it has begun: with the table above 16 minutes late costs 10 %, 25 hours
20 %. `at most` ends the growth of what is taken off (here at 30 %), `nothing_after` ends the points.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_DURATION = re.compile(r"(?P<count>\d+(?:\.\d+)?)?\s*(?P<unit>minute|hour|day|week)s?")
_STEPS = re.compile(
    r"(?P<size>\d+(?:\.\d+)?)\s*(?P<kind>%|percent|per cent|points?)\s+(?:per|a|an|each|every)\s+(?P<each>[^,]+?)"
    r"\s*(?:,?\s*(?:at most|up to)\s+(?P<most>.+?))?"
)
_MOST = re.compile(r"(?P<size>\d+(?:\.\d+)?)\s*(?P<kind>%|percent|per cent|points?)")
_KEYS = ("deadline", "grace", "steps", "of", "nothing_after")
_EXAMPLE = '"10 % per day, at most 3 days"'


class LateError(ValueError):
    """A late policy or a time that cannot be read; the message says what was expected."""


@dataclass(frozen=True)
class LatePolicy:
    """When a hand-in is late, and what that costs."""

    deadline: datetime
    size: float
    """What a step takes off: per cent or points."""
    percent: bool
    step: timedelta
    most: float | None = None
    """What all steps together take off at most, in the same measure; None for all there is."""
    grace: timedelta = timedelta()
    of_possible: bool = False
    nothing_after: timedelta | None = None
    text: Mapping[str, str] | None = None
    """The table as it was written: what run.json keeps."""

    @staticmethod
    def parse(table: Mapping[str, Any]) -> "LatePolicy":
        """Reads the table; LateError says which key is wrong."""
        unknown = sorted(set(table) - set(_KEYS))
        if unknown:
            raise LateError(f"late: unknown keys: {', '.join(unknown)}; the keys are: {', '.join(_KEYS)}")
        for key in ("deadline", "steps"):
            if key not in table:
                raise LateError(f"late: '{key}' is missing")
        deadline = moment(table["deadline"])
        if deadline is None or deadline.tzinfo is None:
            raise LateError(
                f"late: deadline must be a date and a time with a zone (2026-05-01T23:59:00+02:00), "
                f"got {str(table['deadline'])!r}"
            )
        steps = _STEPS.fullmatch(" ".join(str(table["steps"]).split()))
        each = _duration(steps["each"]) if steps else None
        if steps is None or each is None or float(steps["size"]) <= 0:
            raise LateError(f"late: steps must be like {_EXAMPLE}, got {str(table['steps'])!r}")
        percent = not steps["kind"].startswith("point")
        of = str(table.get("of", "earned"))
        if of not in ("earned", "possible") or (of == "possible" and not percent):
            raise LateError(f'late: of must be "earned" or, for steps in per cent, "possible"; got {of!r}')
        policy = LatePolicy(
            deadline=deadline,
            size=float(steps["size"]),
            percent=percent,
            step=each,
            most=_most(steps["most"], float(steps["size"]), percent, each),
            grace=_span("grace", table) or timedelta(),
            of_possible=of == "possible",
            nothing_after=_span("nothing_after", table),
            text={
                key: value.isoformat() if isinstance(value, datetime) else str(value) for key, value in table.items()
            },
        )
        if policy.nothing_after is not None and policy.nothing_after < policy.grace:
            raise LateError("late: nothing_after must not be shorter than grace")
        return policy

    def late_by(self, submitted: datetime, deadline: datetime | None = None) -> timedelta:
        """How long after the deadline (or another, after an extension) a hand-in came; within the grace not at all."""
        late = submitted - (deadline or self.deadline)
        return late if late > self.grace else timedelta()

    def reduction(self, late: timedelta, earned: float, possible: float) -> tuple[float, str]:
        """What so much lateness takes off `earned` points, to two decimals and never more than there are, and why."""
        if late <= timedelta():
            return 0.0, ""
        if self.nothing_after is not None and late > self.nothing_after:
            return max(0.0, earned), f"{span(late)} late: later than {span(self.nothing_after)} earns nothing"
        steps = math.ceil(late / self.step)
        amount = steps * self.size
        most = ""
        if self.most is not None and amount >= self.most:
            most = "" if amount == self.most else ", which is the most"
            amount = self.most
        base = possible if self.of_possible else earned
        off = amount / 100 * base if self.percent else amount
        of = (" of the points possible" if self.of_possible else " of the points earned") if self.percent else ""
        what = f"{amount:g} %{of}" if self.percent else f"{amount:g} point{'' if amount == 1 else 's'}"
        return min(max(0.0, earned), round(max(0.0, off), 2)), f"{span(late)} late: {what}{most}"


def moment(value: object) -> datetime | None:
    """A time as TOML, a platform or a person writes it (ISO 8601); None for anything else. It may lack a zone."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip().replace(" ", "T", 1)
    text = re.sub(r"\s+(?=[+-]\d\d:?\d\d$|Z$|UTC$)", "", text).removesuffix("UTC")
    if "T" not in text:
        return None
    try:
        return datetime.fromisoformat(text + ("+00:00" if value.strip().endswith("UTC") else ""))
    except ValueError:
        return None


def in_zone(time: datetime, of: datetime) -> datetime:
    """A time without a zone is one of the deadline's zone."""
    return time if time.tzinfo is not None else time.replace(tzinfo=of.tzinfo or UTC)


def span(time: timedelta) -> str:
    """A duration in words: `1 day 3 hours`, `16 minutes`; less than a minute is called so."""
    minutes = int(time.total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (minutes if not days else 0, "minute")]
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return " ".join(words) or "less than a minute"


def _duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    seconds = float(match["count"] or 1) * _UNITS[match["unit"]]
    return timedelta(seconds=seconds) if 0 < seconds < 10 * 365 * 86_400 else None


def _span(key: str, table: Mapping[str, Any]) -> timedelta | None:
    if key not in table:
        return None
    duration = _duration(str(table[key]))
    if duration is None:
        raise LateError(f'late: {key} must be a duration like "15 minutes" or "2 days", got {str(table[key])!r}')
    return duration


def _most(text: str | None, size: float, percent: bool, step: timedelta) -> float | None:
    if text is None:
        return None
    duration = _duration(text)
    if duration is not None:
        return math.ceil(duration / step) * size
    match = _MOST.fullmatch(text)
    if match is None or match["kind"].startswith("point") == percent:
        raise LateError(f"late: steps must be like {_EXAMPLE}, or end with `at most 30 %`; got `at most {text}`")
    return float(match["size"])
