"""The numbers of system calls, typed by hand from the kernel's tables, are those of this machine's headers."""

import re
from pathlib import Path

import pytest

from autograder.isolation import calls, landlock, seccomp, syscalls

INCLUDE = Path("/usr/include")
HEADERS = {"x86_64": "**/asm/unistd_64.h", "aarch64": "asm-generic/unistd.h"}
TABLES = (calls.ALLOWED, calls.REFUSED, calls.ABSENT, calls.WITHOUT_EFFECT, calls.METADATA_CALLS)
ELSEWHERE = {
    "pivot_root": syscalls._PIVOT_ROOT,
    "capset": syscalls._CAPSET,
    "seccomp": seccomp._SECCOMP,
    "clone": seccomp._CLONE,
    "clone3": dict.fromkeys(HEADERS, seccomp._CLONE3),
    "landlock_create_ruleset": dict.fromkeys(HEADERS, landlock._CREATE_RULESET),
    "landlock_add_rule": dict.fromkeys(HEADERS, landlock._ADD_RULE),
    "landlock_restrict_self": dict.fromkeys(HEADERS, landlock._RESTRICT_SELF),
}
"""Numbers outside of the tables."""


def numbers(machine: str) -> dict[str, int]:
    """What this machine's header says of a machine; the test is skipped where the header is not installed."""
    found = sorted(INCLUDE.glob(HEADERS[machine]))
    if not found:
        pytest.skip(f"no {HEADERS[machine]} below {INCLUDE}: install linux-libc-dev or what it is called here")
    text = re.sub(r"/\*.*?\*/", "", found[0].read_text(encoding="utf-8"), flags=re.DOTALL)
    # the generic header says a few by another name: __NR_fcntl is __NR3264_fcntl, which is 25. __NR_syscalls is a count
    said = dict(re.findall(r"^#define __NR(\w+)\s+(?:__NR)?(\w+)\s*$", text, flags=re.MULTILINE))
    return {
        name.removeprefix("_"): int(said.get(value, value))
        for name, value in said.items()
        if name.startswith("_") and name != "_syscalls" and said.get(value, value).isdigit()
    }


def typed(machine: str) -> dict[str, int | None]:
    """The same as the tables have it; None for what the machine does not have."""
    column = seccomp.COLUMN[machine]
    rules = {name: rule.numbers for name, rule in calls.by_argument(0).items()}
    return {name: pair[column] for table in (*TABLES, rules) for name, pair in table.items()}


@pytest.mark.parametrize("machine", HEADERS)
def test_every_number_is_that_of_the_header(machine: str) -> None:
    header = numbers(machine)
    newest = max(header.values())  # a header may be older than the tables
    wrong = {
        name: (number, header.get(name))
        for name, number in typed(machine).items()
        if number != header.get(name) and not (number is not None and number > newest and name not in header)
    }
    assert wrong == {}
    for name, by_machine in ELSEWHERE.items():
        assert by_machine[machine] == header[name], name
