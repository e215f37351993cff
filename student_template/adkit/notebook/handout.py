"""What a student is handed of an assignment, besides the notebook: its public tests and what it is about, in figures.

`tests/<name>/assignment.json` is written when the course is built: titles, points, the grader's limits and versions.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

__all__ = ["FACTS", "Handout", "HandoutError", "Question", "find", "nearest"]

FACTS = "assignment.json"


class HandoutError(Exception):
    """Something that was handed out is not where it should be; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """IPython shows this where it would show a traceback, of which the sentence would be the last line."""
        return [str(self)]


@dataclass(frozen=True)
class Question:
    """A question of an assignment."""

    name: str
    title: str
    points: float
    functions: tuple[str, ...]
    bonus: bool
    call_seconds: float
    """One call of one of its functions may take this long."""
    public_cases: int
    public_points: float
    hints: tuple[str, ...] = ()
    """A question back, an idea, a line of mathematics; empty where the course has none."""


@dataclass(frozen=True)
class Handout:
    """An assignment as a student has it."""

    name: str
    title: str
    folder: Path
    """The folder of its public tests."""
    questions: tuple[Question, ...]
    cell_seconds: float
    """One cell of the notebook may take this long."""
    timeouts: int
    """So many calls of a question may end without an answer; the others are not made then."""
    versions: dict[str, tuple[str, ...]]
    """The grader's versions of packages that can make a difference; several where Python's version decides."""

    def question(self, name: str) -> Question | None:
        """The question of that name."""
        return next((question for question in self.questions if question.name == name), None)

    @staticmethod
    def load(folder: Path) -> "Handout":
        """Reads what stands in the folder of public tests; HandoutError when it cannot be read."""
        try:
            facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            limits: dict[str, Any] = facts["limits"]
            return Handout(
                name=facts["name"],
                title=facts["title"],
                folder=folder,
                questions=tuple(_question(entry) for entry in facts["questions"]),
                cell_seconds=limits["cell_seconds"],
                timeouts=limits["timeouts"],
                versions={package: tuple(versions) for package, versions in facts["versions"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise HandoutError(
                f"{folder / FACTS} cannot be read ({type(problem).__name__}): "
                "take the folder tests/ as it was handed out again."
            ) from None


def _question(entry: dict[str, Any]) -> Question:
    functions: list[str] = entry.pop("functions")
    hints: list[str] = entry.pop("hints", [])
    return Question(functions=tuple(functions), hints=tuple(hints), **entry)


def find(name: str) -> Handout:
    """The assignment `name`, where the notebook runs or else beside adkit; HandoutError when it is in neither."""
    places = list(dict.fromkeys([Path.cwd(), Path(__file__).resolve().parents[2]]))
    for place in places:
        if (place / "tests" / name).is_dir():
            return Handout.load(place / "tests" / name)
    names = sorted({file.parent.name for place in places for file in place.glob(f"tests/*/{FACTS}")})
    if names:
        raise HandoutError(f"There is no assignment '{name}' here{nearest(name, names)}.")
    raise HandoutError(
        f"There is no tests/ in {places[0]}: open the notebook in the folder it was handed out in, "
        "where adkit/ and tests/ are."
    )


def nearest(name: str, names: list[str]) -> str:
    """The end of a sentence about a name that is not known: the one that was probably meant, and all there are."""
    folded = {known.casefold(): known for known in names}
    close = get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.5)
    meant = f"; did you mean '{folded[close[0]]}'?" if close else ";"
    return f"{meant} There {'is' if len(names) == 1 else 'are'} {', '.join(names)}"
