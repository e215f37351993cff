"""The kinds in which a test case can fail: a fixed list, and what is said of a hidden case that failed in that way.

Of a hidden case a student learns no more than its kind. So there are few of them, whoever checks an answer chooses one,
and none holds a word of a submission: not the name of an exception's class, not its text.
"""

from typing import Literal, get_args

__all__ = ["KINDS", "Kind"]

Kind = Literal[
    "wrong answer",
    "wrong shape",
    "not finite",
    "nearly right",
    "too costly",
    "not traceable",
    "changed arguments",
    "no answer",
    "exception",
    "recursion limit",
    "time limit",
    "process ended",
]

KINDS: dict[Kind, str] = {
    "wrong answer": "gave a wrong answer",
    "wrong shape": "gave an answer of the wrong shape, or of the wrong kind of data",
    "not finite": "gave NaN or infinity",
    "nearly right": "gave an answer that is nearly right, with too few correct digits",
    "too costly": "took more work or memory than the question allows",
    "not traceable": "could not be traced by JAX",
    "changed arguments": "changed its arguments, or answered differently when asked again",
    "no answer": "had nothing to grade: a stub, a missing function, or a derivative that the question asks for by hand",
    "exception": "raised an exception",
    "recursion limit": "reached Python's recursion limit",
    "time limit": "did not finish in time",
    "process ended": "ended its process: too much memory, a crash or an exit",
}
"""What is said of a hidden case, in the past tense: it follows "one" as well as "two"."""

assert tuple(KINDS) == get_args(Kind)
assert len(KINDS) <= 12  # each hidden case lets out as many bits as there are kinds: SECURITY.md
