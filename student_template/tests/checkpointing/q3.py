"""q3: Backpropagation with checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(name="The schedule for n = 10 and checkpoints 3, 6, 9 is legal and complete", points=1)
def test_q3_legal(checkpointed_schedule):
    """The schedule for n = 10 and checkpoints 3, 6, 9 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(checkpointed_schedule, 10, [3, 6, 9])
    schedules.legal(10, schedule)


@test_case(name="No activation is evaluated more than twice, none after the last checkpoint more than once (n = 12)", points=0.75)
def test_q3_evaluates_twice_at_most(checkpointed_schedule):
    """No activation is evaluated more than twice, none after the last checkpoint more than once (n = 12)"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(checkpointed_schedule, 12, [4, 8])
    trace = schedules.legal(12, schedule)
    schedules.evaluated_twice_at_most(12, [4, 8], trace, answer=schedule)


@test_case(name="The peak is at most the number of checkpoints + the longest run between them (n = 12)", points=0.75)
def test_q3_peak(checkpointed_schedule):
    """The peak is at most the number of checkpoints + the longest run between them (n = 12)"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(checkpointed_schedule, 12, [4, 8])
    trace = schedules.legal(12, schedule)
    case, shows = "n = 12, checkpoints [4, 8]", evidence.schedule(12, schedule, memory=2 + 4)
    schedules.at_most(trace.peak, 2 + 4, what="the peak memory", case=case, answer=schedule, shows=shows)
