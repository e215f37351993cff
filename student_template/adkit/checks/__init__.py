"""Checks that a test case is made of: call a student's function, look at its answer, say what is wrong.

A check passes silently or raises `CheckError`, whose message is for the student: which entry, what it is,
what it should be, and, when the grader or the handed-out list of known mistakes recognises the answer, which
mistake makes exactly this answer. Where the running case is hidden no number of it appears in a message.

The order is always the same: kind, shape, finiteness, values. Nothing broadcasts, and NaN equals nothing.

| rule | module |
|---|---|
| what an error says, in a public case and in a hidden one | `errors` |
| calling a function: copies, time, asked twice, exceptions | `calling` |
| what counts as data | `plain` |
| kinds, shapes, tolerances | `values`, `relations` |
| work, and a reverse rule of one's own | `work`, `solves` |
| no autodiff where the derivative is asked for by hand | `autodiff` |
| schedules; what a network keeps; a schedule that drives one | `schedules`, `network`, `residuals`, `runs` |
| subgradients | `subgradient` |
| what transformations of JAX cost: sweeps, Hessian products, residuals | `transformations` |
| elimination orders | `elimination` |
| a test that the student wrote | `judging` |
| which mistake makes this answer | `known_mistakes`, `fingerprint`, `sealed` |
| what is said of a right answer besides | `notes` |
| the running case; how a check fails; what a picture of it is drawn from | `case`, `failures`, `evidence` |
"""

from adkit.checks.calling import call, in_time, raises
from adkit.checks.case import in_hidden_case, in_public_case
from adkit.checks.errors import CheckError, Failure, Recognised, StubError, StudentError, told
from adkit.checks.failures import calls_of, fail, first_failure
from adkit.checks.fingerprint import fingerprint, matches
from adkit.checks.judging import accepts, refuses
from adkit.checks.known_mistakes import sentence_of
from adkit.checks.plain import plain
from adkit.checks.values import NEAR, array, close, equal
from adkit.checks.work import countable, has_own_reverse_rule, measured

__all__ = [
    "NEAR",
    "CheckError",
    "Failure",
    "Recognised",
    "StubError",
    "StudentError",
    "accepts",
    "array",
    "call",
    "calls_of",
    "close",
    "countable",
    "equal",
    "fail",
    "fingerprint",
    "first_failure",
    "has_own_reverse_rule",
    "in_hidden_case",
    "in_public_case",
    "in_time",
    "matches",
    "measured",
    "plain",
    "raises",
    "refuses",
    "sentence_of",
    "told",
]
