"""q2: Memory-poor backpropagation."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(name="The schedule for n = 4 is legal and complete", points=0.5)
def test_q2_legal(memory_poor_schedule):
    """The schedule for n = 4 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(memory_poor_schedule, 4)
    schedules.legal(4, schedule)


@test_case(name="For n = 4 there is never more than one activation in memory, at 10 evaluations", points=0.75)
def test_q2_one_activation_in_memory(memory_poor_schedule):
    """For n = 4 there is never more than one activation in memory, at 10 evaluations"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(memory_poor_schedule, 4)
    trace = schedules.legal(4, schedule)
    case, shows = "n = 4", evidence.schedule(4, schedule, memory=1)
    schedules.at_most(trace.peak, 1, what="the peak memory", case=case, answer=schedule, shows=shows)
    schedules.exactly(trace.evaluations, 10, what="the count of evaluations", case=case, answer=schedule, shows=shows)
