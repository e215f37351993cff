"""The functions that a submission writes, as text: found by their tokens, because nothing of a submission is run or
parsed here (a parser can be made to end the process by what it reads)."""

import io
import keyword
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from autograder.submissions.read import Submission

_LONGEST = 300_000
"""Characters of all cells that are looked at."""


@dataclass(frozen=True)
class Function:
    """A function at the top level of a cell."""

    name: str
    text: str
    """With its decorators, without what follows."""
    cell: int
    """Counted from 1."""


def tokens_of(text: str) -> list[tokenize.TokenInfo]:
    """The tokens of a piece of Python, as far as it is Python."""
    found: list[tokenize.TokenInfo] = []
    with suppress(tokenize.TokenError, SyntaxError, ValueError, IndexError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            found.append(token)
    return found


def functions_of(submission: Submission) -> dict[str, Function]:
    """The functions by name, the last definition of each, as when the cells are run."""
    found: dict[str, Function] = {}
    left = _LONGEST
    for number, cell in enumerate(submission.cells, start=1):
        left -= len(cell)
        if left < 0:
            break
        found.update((function.name, function) for function in _functions(cell, number))
    return found


def needed_by(names: Iterable[str], functions: Mapping[str, Function]) -> list[Function]:
    """The functions of these names and those that they name, directly or through others, in the order of the cells."""
    wanted, seen = [name for name in names if name in functions], dict[str, Function]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen[name] = functions[name]
        used = {token.string for token in tokens_of(functions[name].text) if token.type == tokenize.NAME}
        wanted += [other for other in functions if other in used]
    return [function for name, function in functions.items() if name in seen]


def _functions(cell: str, number: int) -> Iterable[Function]:
    lines = cell.splitlines()
    # a magic is no Python, and an unfinished string in it would hide the rest of the cell
    text = "\n".join("" if line.startswith(("%", "!")) else line for line in lines) + "\n"
    tokens = [token for token in tokens_of(text) if token.type not in (tokenize.COMMENT, tokenize.NL)]
    depth, begins, decorated, name = 0, 0, 0, ""
    fresh = True
    for index, token in enumerate(tokens):
        depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        if fresh and depth == 0 and not name and token.type in (tokenize.NAME, tokenize.OP):
            if token.string == "@":
                decorated = decorated or token.start[0]
            elif token.string in ("def", "async"):
                begins, name = decorated or token.start[0], _name_after(tokens, index)
            else:
                decorated = 0
        following = tokens[index + 1].type if index + 1 < len(tokens) else tokenize.ENDMARKER
        body_ends = token.type == tokenize.DEDENT and depth == 0
        line_ends = token.type == tokenize.NEWLINE and depth == 0 and following != tokenize.INDENT
        if name and (body_ends or line_ends):
            last = max(earlier.end[0] for earlier in tokens[: index + 1] if earlier.type == tokenize.NEWLINE)
            yield Function(name, "\n".join(lines[begins - 1 : last]), number)
            name, decorated = "", 0
        fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def _name_after(tokens: Sequence[tokenize.TokenInfo], index: int) -> str:
    names = (token.string for token in tokens[index : index + 3] if token.type == tokenize.NAME)
    return next((name for name in names if not keyword.iskeyword(name)), "")
