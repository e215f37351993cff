"""The catalogue of known mistakes: wrong implementations, each with a sentence for the student.

    MISTAKES = Catalogue("ad_modes")
    q4 = MISTAKES.question("q4")

    q4.edit(
        "reverse_mode__adjoint_overwritten",
        ("v_bar[j] += v_bar[i] * d", "v_bar[j] = v_bar[i] * d"),
        says="Adjoints are overwritten: a node that several nodes use gets the sum of what they hand back.",
    )

A mistake is named after the function it stands for, two underscores, and what is wrong. Most are edits of the reference
(`reference.editing`). Where no edit says naturally what is wrong, it is a function of its own, decorated with
`@q4.mistake(says=…)`, which may use the public functions of the reference. The sources work in a notebook in the place
of the student's function. Every mistake loses points on its own question and on no other; a test holds that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypedDict, TypeVar, Unpack

from adkit.checks import Failure

from reference.editing import Edit, edited_function

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mistake:
    """One known mistake."""

    name: str
    """What is wrong, in one word: `a_bar_transposed`."""
    question: str
    function: str
    """The student's function that it replaces."""
    says: str
    """What the student is told: the mistake and the public rule it breaks."""
    implementation: Callable[..., Any]
    openly: str | None = None
    """What a student's own check says instead where the answer can be guessed: no solution. "" for nothing, None where
    no answer in a public case can be guessed."""
    reread: str = ""
    """The notebook's heading to read again, without its #; empty for the question's own."""
    sign: Callable[[Failure], int] | None = None
    """What shows the mistake in an answer that is another one than its own (`reference.mistakes.signs`): positive. What
    speaks against it, in this case and so in every other, is negative."""
    repeated: bool = False
    """Whether the sign is a number that the mistake leaves open, as the number of iterations: it has to be the same in
    two cases at least."""
    first_order: bool = False
    """Whether it is a small change of any size: then every answer whose error has the direction of its error is of it.
    """
    throughout: bool = False
    """Whether it is several mistakes in one, and told only where it is behind every failed case of its question: in one
    case alone it looks like each of them."""
    edits: tuple[Edit, ...] = ()
    """The edits of the reference that make it; empty for a function of its own."""


class KnownBy(TypedDict, total=False):
    """How a mistake is recognised where an answer differs from its own, see `Mistake`."""

    sign: Callable[[Failure], int] | None
    repeated: bool
    first_order: bool
    throughout: bool


class How(KnownBy, total=False):
    """What a mistake is entered with, beside its name and its sentence, see `Question`."""

    openly: str | bool | None
    reread: str


class Catalogue:
    """The known mistakes of one assignment, in the order they are written; `MISTAKES` in their module."""

    def __init__(self, assignment: str) -> None:
        self.assignment = assignment
        self.mistakes: list[Mistake] = []

    def question(self, name: str, *, reread: str = "") -> "Question":
        """The part about one question, to enter its mistakes in."""
        return Question(self, name, reread)


@dataclass(frozen=True)
class Question:
    """Enters the mistakes of one question.

    says: what the student is told. openly: for a mistake whose answer in a public case can be guessed (True, zeros, the
    input), so that whoever looks for it can read the sentence there. True: `says` may be read, it holds no solution; a
    sentence: that is said instead; False: nothing is. `autograder build` asks for it where it is needed. The grader
    always says `says`.
    reread: the heading of the notebook to read again, where that is not the question's own; of the question's mistakes
    as a whole, or of one. `autograder build` looks whether the notebook has it.
    sign, repeated, first_order, throughout: how it is recognised where an answer differs from its own, see `Mistake`.
    """

    catalogue: Catalogue
    name: str
    reread: str = ""

    def edit(self, name: str, *edits: Edit, says: str, **how: Unpack[How]) -> None:
        """The mistake `name`, <function>__<mistake>, is that function of the reference with the edits made.

        Raises EditError unless each edit's old text occurs exactly once in what may be edited.
        """
        reference = import_module(f"reference.{self.catalogue.assignment}")
        function, _ = _parts(name)
        self._enter(name, edited_function(reference, function, name, edits), says, edits, **how)

    def mistake(self, *, says: str, **how: Unpack[How]) -> Callable[[Function], Function]:
        """The mistake is the decorated function, named <function>__<mistake>; it stays what it is."""

        def enter(function: Function) -> Function:
            self._enter(function.__name__, function, says, **how)
            return function

        return enter

    def _enter(
        self,
        name: str,
        implementation: Callable[..., Any],
        says: str,
        edits: tuple[Edit, ...] = (),
        *,
        openly: str | bool | None = None,
        reread: str = "",
        **known_by: Unpack[KnownBy],
    ) -> None:
        function, mistake = _parts(name)
        entries = self.catalogue.mistakes
        if any((entry.function, entry.name) == (function, mistake) for entry in entries):
            raise ValueError(f"there are two mistakes named {name}")
        if isinstance(openly, bool):
            openly = says if openly else ""
        entries.append(
            Mistake(
                name=mistake,
                question=self.name,
                function=function,
                says=says,
                implementation=implementation,
                openly=openly,
                reread=reread or self.reread,
                edits=edits,
                **known_by,
            )
        )


def _parts(name: str) -> tuple[str, str]:
    function, separator, mistake = name.partition("__")
    if not separator or not function or not mistake:
        raise ValueError(f"a mistake is named <function>__<mistake>, not {name}")
    return function, mistake


@lru_cache
def catalogue(assignment: str) -> tuple[Mistake, ...]:
    """All known mistakes of an assignment, in the order they are written; empty when it has no catalogue."""
    module = f"{__name__}.{assignment}"
    if find_spec(module) is None:
        return ()
    return tuple(import_module(module).MISTAKES.mistakes)
