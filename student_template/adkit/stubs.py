"""Functions that are not written yet: how the checks know one, and how a demonstration waits for it."""

import re
from types import TracebackType

STUB = "StubError"
"""What a stub's error is called among the kinds of an error (`adkit.checks.StudentError.kinds`)."""
_SAID = re.compile(r"q\d+: \w+")
"""How the template's stubs say which function they are: raise NotImplementedError("q1: toy_forward")."""


def is_stub(error: BaseException) -> bool:
    """Whether an exception says that a function is still the template's stub.

    A stub names its question, or says nothing. Any other NotImplementedError is JAX's, or of a finished function that
    means to say that there is no such thing.
    """
    if isinstance(error, NotImplementedError):
        return not str(error) or _SAID.match(str(error)) is not None
    return STUB in getattr(error, "kinds", ())


class skip_until_implemented:  # noqa: N801  (reads as a word: `with adkit.skip_until_implemented():`)
    """Context manager: ends its block quietly, with a message, at the first function that is still a stub.

    Any other error is the student's to see and goes through.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if problem is None or not is_stub(problem):
            return False
        said = _SAID.match(getattr(problem, "words", str(problem)))
        print(f"Not written yet: {said[0] if said else 'a function above'}. Write it, then run this cell again.")
        return True


once_written = skip_until_implemented
"""The name in notebooks that were handed out before 0.2."""
