"""On-disk cache of the answers of known mistakes.

The first wrong answer to a question makes the grader run every known mistake of that question, which takes seconds, in
each worker of each run and in each container. So what they answer is kept beside what JAX compiled, see
`autograder.grading.compiled`: a file for each assignment, its content and the course's seed, readable by the grader
only.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from autograder.assignment import Assignment
from autograder.grading import recognition
from autograder.grading.cache import cache_folder, content_key, reference_of
from reference.inputs.seeds import seed

_KEPT_FILES = 40
"""Older ones, of other contents or seeds, are removed."""


def load(assignment: Assignment) -> None:
    """Lets this process know what earlier ones found out under the seed in force."""
    file = _file(assignment)
    if file is not None:
        recognition.load_answers(str(assignment.folder), file)


def save(assignment: Assignment) -> None:
    """Keeps what this process found out; without a place to keep it, it will be found out again."""
    file = _file(assignment)
    if file is None:
        return
    with suppress(OSError):
        file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        recognition.save_answers(str(assignment.folder), file)
        files = sorted(file.parent.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for old in files[_KEPT_FILES:]:
            old.unlink()


def _file(assignment: Assignment) -> Path | None:
    if reference_of(assignment) is None:
        return None
    under = hashlib.sha256(f"{content_key(assignment)} {seed()}".encode()).hexdigest()[:24]
    return cache_folder() / "known" / f"{assignment.name}-{under}.json"
