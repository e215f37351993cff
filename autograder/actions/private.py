"""Nothing personal in a log: whoever may see a run of a workflow may read its log and its page, for as long as GitHub
keeps them. So these speak of `submission 007`, and the list of who that is goes into an artefact with the grades.

What a log says is chosen, not cleaned: numbers, statuses and sentences of this package. Where an error of the system,
of git or of a command has to be shown, what it quotes is left out unless the command itself was given it.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

_QUOTED = re.compile(r"(?<!\w)(['\"`])(?:(.*?)\1(?!\w)|.*$)", re.DOTALL)  # no apostrophe; to the end where none closes
_PROGRESS = re.compile(r"autograder: (\d+)/(\d+) .*: .* \(([\d.]+) a second, (\d+) s to go\)")
_COUNTS = re.compile(r"autograder: (\d+ submissions(?:, \d+ of them are graded already)?)")
_OURS = re.compile(r"autograder(?: [a-z-]+)?: (?! )(.+)")


def pseudonyms(files: Iterable[str], salt: str) -> dict[str, str]:
    """`submission 001`, … for each file, numbered in an order that says nothing of the names to who lacks `salt`."""
    order = sorted(files, key=lambda file: hashlib.sha256(f"{salt}\0{file}".encode("utf-8", "replace")).digest())
    digits = max(3, len(str(len(order))))
    return {file: f"submission {number:0{digits}d}" for number, file in enumerate(order, start=1)}


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A CSV file that says who is who; every text is made harmless for spreadsheets."""
    from autograder.text import csv_text, for_csv

    return csv_text(header, ([for_csv(cell, 1000) for cell in line] for line in lines))


def without_quotes(sentence: str, known: Iterable[str] = ()) -> str:
    """A sentence without what it quotes; `known` may be quoted: what the command was given."""
    allowed = set(known)

    def keep(match: "re.Match[str]") -> str:
        return match[0] if match[2] in allowed else f"{match[1]}…{match[1]}"

    return _QUOTED.sub(keep, sentence)


def without_names(sentence: str, names: Iterable[str], instead: str) -> str:
    """A sentence with `instead` in place of each of these names, in any case of letters, and without quotations."""
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        sentence = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", instead, sentence, flags=re.IGNORECASE)
    return without_quotes(sentence)


def progress(line: str) -> str | None:
    """How far a command is, of what it prints; None where a line says anything else."""
    if match := _PROGRESS.fullmatch(line.rstrip()):
        done, of, rate, remaining = match.groups()
        return f"{done}/{of} ({rate} a second, {remaining} s to go)"
    match = _COUNTS.fullmatch(line.rstrip())
    return match[1] if match else None


def last_error(lines: Sequence[str], command: Sequence[str]) -> str | None:
    """The last sentence of a command that failed, without quotations of what the command was not given."""
    found = [match[1] for line in lines if (match := _OURS.fullmatch(line.rstrip())) and progress(line) is None]
    return without_quotes(found[-1], command) if found else None
