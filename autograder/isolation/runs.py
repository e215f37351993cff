"""What running an artefact gave, kept: the same program on the same inputs is not run again and again.

The key is a digest, made here, on the trusted side, of all that a run can depend on: the artefact's bytes as they were
received, what it is run on and what must come out, and the limits. Nothing that a submission or the disposable process
says of itself is in it. Versions need no place in it: what is kept lives in one process.

A session keeps its own answers. Those of a class are kept with more care, since a submission may have got hold of its
disposable process by one artefact and then have it lie about another one, which others hand in as well: what is shared
comes from a process that has had no other artefact in it. So the first submission with a program has it run in the
process that it has anyway, the second one in a process of its own, and from the third one on it costs nothing. Hostile
bytes may still make that process say something wrong, about these bytes and to who hands in exactly these.

No refusal, timeout or death is kept.
"""

import hashlib
from collections import OrderedDict
from typing import Any, Final

from autograder.assignment import Limits
from autograder.isolation import frames

_BYTES: Final = 64 * 2**20
"""Of all answers that are kept; then the one that was asked for longest ago goes."""
_MET: Final = 100_000
"""Keys of which is known that they have been asked for."""


def key_of(job: dict[str, Any], limits: Limits) -> bytes:
    """The digest of a job (see `autograder.isolation.artefacts.job_for`) under `limits`."""
    digest = hashlib.sha256(repr(limits).encode())
    digest.update(frames.encode(job))
    return digest.digest()


class Runs:
    """Answers of the disposable process, by what was asked."""

    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._met: OrderedDict[bytes, None] = OrderedDict()

    def find(self, key: bytes) -> Any:
        """The answer, built anew each time; None where there is none."""
        kept = self._answers.get(key)
        if kept is None:
            return None
        self._answers.move_to_end(key)
        return frames.decode(kept)

    def keep(self, key: bytes, answer: Any) -> None:
        """Keeps the answer to a job that was run."""
        if type(answer) is not dict or "error" in answer or key in self._answers:
            return
        content = frames.encode(answer)
        if len(content) > _BYTES // 8:
            return
        self._answers[key] = content
        self._bytes += len(content)
        while self._bytes > _BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest)

    def meet(self, key: bytes) -> bool:
        """Whether this has been asked before; from now on it has."""
        if key in self._met:
            return True
        self._met[key] = None
        if len(self._met) > _MET:
            self._met.popitem(last=False)
        return False
