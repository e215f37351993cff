"""`autograder alike`: pairs of submissions that agree in what few others have, for their instructor to read.

Each question's functions are made into tokens in which names are one token, so that renaming, comments, layout and the
order of cells change nothing. Hashes of k tokens in a row are thinned by winnowing: of w neighbours the smallest is
kept, so that a shared run of k + w - 1 tokens is always seen (Schleimer, Wilkerson & Aiken, *Winnowing*, SIGMOD 2003,
section 3). What the template or the reference has does not count. The rest counts by how rare it is: a fingerprint that
d of N submissions have counts log(N / d), and nothing when more than half of them have it, because right answers to a
question share a lot.

The evidence of a pair in a question is the sum over the fingerprints that both have, times its share in the sum over
those that either has: two who chose the same way to write a loop agree in a part of what they wrote, a copy in nearly
all of it. It orders what a person may want to read; it
says nothing about how two texts came to agree, and no score depends on it.
"""

import hashlib
import keyword
import math
import tokenize
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from autograder.assignment import Assignment
from autograder.report.page import render
from autograder.submissions.batch import gather
from autograder.submissions.functions import Function, functions_of, needed_by, tokens_of
from autograder.submissions.read import Submission, SubmissionError, read_submission

K = 12
"""Tokens in a fingerprint."""
WINDOW = 4
COMMON = 0.5
"""What more than half of the submissions have is how the question is answered."""
_FEW = 2
"""So many may always have a fingerprint: a pair, in a class however small."""

_SKIPPED = frozenset(
    (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
)


@dataclass(frozen=True)
class Mark:
    """A fingerprint, and the lines (from 0) of the text that it covers."""

    digest: int
    first: int
    last: int


@dataclass(frozen=True)
class Answer:
    """One submission's functions of one question."""

    text: str
    marks: tuple[Mark, ...]

    @property
    def digests(self) -> frozenset[int]:
        """Its fingerprints."""
        return frozenset(mark.digest for mark in self.marks)


@dataclass(frozen=True)
class Shared:
    """A question in which two submissions agree."""

    question: str
    evidence: float
    share: float
    """Of the rarer fingerprints of either, those that both have: 1 where they agree entirely."""
    sides: tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]
    """The lines of both texts, and whether a line has a shared fingerprint."""


@dataclass(frozen=True)
class Pair:
    """Two submissions that agree, with the questions in which they do."""

    names: tuple[str, str]
    evidence: float
    questions: tuple[Shared, ...]


@dataclass(frozen=True)
class Comparison:
    """A class compared."""

    pairs: tuple[Pair, ...]
    """Those with most evidence, in this order."""
    compared: int
    unreadable: tuple[str, ...]


def marks_of(text: str) -> tuple[Mark, ...]:
    """The fingerprints of a piece of code, thinned by winnowing; the rightmost of equal ones."""
    words = list(_words(text))
    hashes = _hashes([word for word, _ in words])
    chosen: dict[int, None] = {}
    for start in range(max(1, len(hashes) - WINDOW + 1) if hashes else 0):
        window = range(start, min(start + WINDOW, len(hashes)))
        chosen[min(window, key=lambda i: (hashes[i], -i))] = None
    return tuple(Mark(hashes[i], words[i][1], words[i + K - 1][1]) for i in chosen)


def _hashes(words: Sequence[str]) -> list[int]:
    return [_digest(words[i : i + K]) for i in range(len(words) - K + 1)]


def _words(text: str) -> Iterator[tuple[str, int]]:
    """The tokens with their lines, names as one token; attributes, keywords and numbers as they are."""
    before = ""
    statement = True
    for token in tokens_of(text):
        if token.type in _SKIPPED:
            statement = statement or token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
            continue
        line = token.start[0] - 1
        if token.type == tokenize.STRING:
            if not statement:  # a string that is a statement is a docstring
                yield '"', line
        elif token.type == tokenize.NAME and not keyword.iskeyword(token.string) and before != ".":
            yield "name", line
        else:
            yield token.string, line
        before, statement = token.string, False


def _digest(words: Sequence[str]) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(words).encode("utf-8", "replace"), digest_size=8).digest(), "big")


def answers_of(submission: Submission, assignment: Assignment) -> dict[str, Answer]:
    """By question: the functions it asks for, and those that they need."""
    functions = functions_of(submission)
    return {question.name: _answer(needed_by(question.functions, functions)) for question in assignment.questions}


def _answer(functions: Iterable[Function]) -> Answer:
    texts: list[str] = []
    marks: list[Mark] = []
    line = 0
    for function in functions:
        marks += [Mark(mark.digest, mark.first + line, mark.last + line) for mark in marks_of(function.text)]
        texts.append(function.text)
        line += function.text.count("\n") + 3
    return Answer("\n\n\n".join(texts), tuple(marks))


def compare(
    answers: Mapping[str, Mapping[str, Answer]], questions: Sequence[str], known: Collection[int] = (), most: int = 20
) -> list[Pair]:
    """The pairs with most evidence.

    answers: by submission and question. known: fingerprints of the template and the reference, which do not count.
    """
    found: dict[tuple[str, str], list[Shared]] = defaultdict(list)
    for question in questions:
        of = {name: one[question].digests - set(known) for name, one in answers.items() if question in one}
        weights = _weights(of.values())
        evidence: dict[tuple[str, str], float] = defaultdict(float)
        holders: dict[int, list[str]] = defaultdict(list)
        for name, digests in sorted(of.items()):
            for digest in digests & weights.keys():
                holders[digest].append(name)
        for digest, names in holders.items():
            for pair in combinations(names, 2):
                evidence[pair] += weights[digest]
        for (left, right), amount in evidence.items():
            both = of[left] & of[right] & weights.keys()
            either = (of[left] | of[right]) & weights.keys()
            share = amount / sum(weights[digest] for digest in either)
            amount *= share
            sides = (_lines(answers[left][question], both), _lines(answers[right][question], both))
            found[left, right].append(Shared(question, amount, share, sides))
    pairs = [
        Pair(names, sum(one.evidence for one in shared), tuple(sorted(shared, key=lambda one: -one.evidence)))
        for names, shared in found.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair.evidence, pair.names))[:most]


def _weights(of: Collection[frozenset[int]]) -> dict[int, float]:
    """What each fingerprint counts; those that are too common are left out."""
    counts = Counter(digest for digests in of for digest in digests)
    limit = max(_FEW, COMMON * len(of))
    return {digest: math.log(max(len(of), 3) / times) for digest, times in counts.items() if times <= limit}


def _lines(answer: Answer, shared: Collection[int]) -> tuple[tuple[str, bool], ...]:
    marked = {line for mark in answer.marks if mark.digest in shared for line in range(mark.first, mark.last + 1)}
    return tuple((text, number in marked) for number, text in enumerate(answer.text.splitlines()))


def known_marks(assignment: Assignment) -> set[int]:
    """The fingerprints of the template's cells and of the reference."""
    from autograder.build.command import solutions
    from autograder.build.percent import read_cells

    cells = [cell.source for cell in read_cells(assignment) if cell.kind == "code"]
    texts = (*cells, *solutions(assignment).values())
    return {digest for text in texts for digest in _hashes([word for word, _ in _words(text)])}


def compare_files(paths: Sequence[Path], assignment: Assignment, most: int = 20) -> Comparison:
    """Compares the submissions in these files and folders."""
    answers: dict[str, dict[str, Answer]] = {}
    unreadable: list[str] = []
    for entry in gather(paths, assignment.name).entries:
        try:
            submission = read_submission(entry.path, assignment.limits, name=entry.name, assignment=assignment.name)
        except SubmissionError:
            unreadable.append(entry.name)
            continue
        answers[entry.name] = answers_of(submission, assignment)
    questions = [question.name for question in assignment.questions]
    pairs = compare(answers, questions, known_marks(assignment), most)
    return Comparison(tuple(pairs), len(answers), tuple(unreadable))


def page(comparison: Comparison, assignment: Assignment) -> str:
    """The pairs as an HTML page, both texts side by side. For the instructor: it holds students' code and names."""
    return render("alike.html", title=assignment.title, comparison=comparison)
