"""The seccomp filter, step by step: for every call and all arguments it answers as the tables say."""

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.isolation import calls, seccomp
from autograder.isolation.calls import ALLOW, Rule

PID = 4321
MACHINES = ("x86_64", "aarch64")
PROGRAMS = {
    (machine, block_metadata_calls): seccomp.program(machine, PID, block_metadata_calls=block_metadata_calls)
    for machine in MACHINES
    for block_metadata_calls in (False, True)
}
INTERESTING = sorted(
    {value for rule in calls.by_argument(PID).values() for line in rule.lines for value in (line.mask, *line.values)}
    | {0, 1, PID, 2**31, 2**32 - 1}
)
WORD = st.sampled_from(INTERESTING) | st.integers(0, 2**32 - 1)
ARGUMENT = st.builds(lambda low, high: low | high << 32, WORD, st.sampled_from([0, 0, 1, 2**31]))


def interpret(program: list[seccomp.Step], architecture: int, number: int, arguments: tuple[int, ...]) -> int:
    """What the kernel does with a filter, from its documentation (networking/filter.rst)."""
    data = number.to_bytes(4, "little") + architecture.to_bytes(4, "little") + bytes(8)
    data += b"".join(argument.to_bytes(8, "little") for argument in arguments)
    taken, place = 0, 0
    while True:
        code, true, false, operand = program[place]
        place += 1
        if code == 0x20:
            taken = int.from_bytes(data[operand : operand + 4], "little")
        elif code == 0x54:
            taken &= operand
        elif code == 0x05:
            place += operand
        elif code == 0x15:
            place += true if taken == operand else false
        elif code == 0x35:
            place += true if taken >= operand else false
        elif code == 0x06:
            return operand
        else:
            raise AssertionError(f"an instruction that the kernel refuses: {code:#x}")


def stated(machine: str, number: int, arguments: tuple[int, ...], *, block_metadata_calls: bool) -> int:
    """The policy, read from the tables without any filter."""
    column = MACHINES.index(machine)
    low = tuple(argument % 2**32 for argument in arguments)
    answers: list[int] = []
    answers += [ALLOW for numbers in calls.ALLOWED.values() if numbers[column] == number]
    for name, numbers in calls.REFUSED.items():
        if numbers[column] == number:
            answers.append(calls.ERRORS.get(name, errno.EPERM))
    answers += [errno.ENOSYS for numbers in calls.ABSENT.values() if numbers[column] == number]
    answers += [0 for numbers in calls.WITHOUT_EFFECT.values() if numbers[column] == number]
    answers += [
        0 if block_metadata_calls else ALLOW for numbers in calls.METADATA_CALLS.values() if numbers[column] == number
    ]
    for rule in calls.by_argument(PID).values():
        if rule.numbers[column] == number:
            answers.append(rule.answer(low))
    assert len(answers) <= 1, "a call is in one table only"
    return answers[0] if answers else errno.ENOSYS


def answer(machine: str, number: int, arguments: tuple[int, ...], *, block_metadata_calls: bool) -> int:
    """What the filter says, as an answer of the tables."""
    action = interpret(PROGRAMS[machine, block_metadata_calls], seccomp.AUDIT_ARCH[machine], number, arguments)
    if action == seccomp.ALLOW:
        return ALLOW
    assert action & 0xFFFF0000 == seccomp.ERRNO, f"{action:#x}"
    return action & 0xFFFF


@pytest.mark.parametrize(("machine", "block_metadata_calls"), PROGRAMS)
def test_the_filter_answers_every_call_as_the_tables_say(machine: str, block_metadata_calls: bool) -> None:
    for number in (*range(calls.NEWEST + 20), 0x40000000, 0x40000009, 2**32 - 1):
        for word in (0, PID, 2**64 - 1):
            arguments = (word,) * 6
            assert answer(machine, number, arguments, block_metadata_calls=block_metadata_calls) == stated(
                machine, number, arguments, block_metadata_calls=block_metadata_calls
            ), number


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(data=st.data())
def test_the_filter_answers_as_the_rules_say_when_arguments_decide(machine: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(calls.by_argument(PID))))
    rule: Rule = calls.by_argument(PID)[name]
    number = rule.numbers[MACHINES.index(machine)]
    assert number is not None
    drawn: list[int] = []
    for place in range(6):
        own = [value for line in rule.lines if line.argument == place for value in (line.mask, *line.values)]
        drawn.append(data.draw(st.sampled_from(own) | ARGUMENT if own else ARGUMENT))
    arguments = tuple(drawn)
    assert answer(machine, number, arguments, block_metadata_calls=True) == stated(
        machine, number, arguments, block_metadata_calls=True
    )


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(architecture=st.integers(0, 2**32 - 1), number=st.integers(0, 2**32 - 1))
def test_calls_of_another_architecture_end_the_process(machine: str, architecture: int, number: int) -> None:
    if architecture != seccomp.AUDIT_ARCH[machine]:
        assert interpret(PROGRAMS[machine, False], architecture, number, (0,) * 6) == seccomp.KILL


@pytest.mark.parametrize(("machine", "block_metadata_calls"), PROGRAMS)
def test_the_filter_is_a_program_that_the_kernel_takes(machine: str, block_metadata_calls: bool) -> None:
    """At most 4096 steps, every jump forward to a step that is there (Linux, seccomp_check_filter)."""
    program = PROGRAMS[machine, block_metadata_calls]
    assert len(program) <= 4096
    for place, (code, true, false, operand) in enumerate(program[:-1]):
        assert all(0 <= jump <= 255 for jump in (true, false))
        assert all(place + 1 + jump < len(program) for jump in (true, false, operand if code == 0x05 else 0))
    assert program[-1][0] == 0x06


@pytest.mark.parametrize("machine", MACHINES)
def test_no_two_calls_have_one_number(machine: str) -> None:
    column = MACHINES.index(machine)
    tables = [calls.ALLOWED, calls.REFUSED, calls.ABSENT, calls.WITHOUT_EFFECT, calls.METADATA_CALLS]
    numbers = [numbers[column] for table in tables for numbers in table.values()]
    numbers += [rule.numbers[column] for rule in calls.by_argument(PID).values()]
    present = [number for number in numbers if number is not None]
    assert len(present) == len(set(present))


def test_every_error_of_its_own_belongs_to_a_refused_call() -> None:
    assert set(calls.ERRORS) <= set(calls.REFUSED)
