"""q1: Vanilla backpropagation."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(name="The schedule for n = 4 is legal and complete", points=0.5)
def test_q1_legal(vanilla_schedule):
    """The schedule for n = 4 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(vanilla_schedule, 4)
    schedules.legal(4, schedule)


@test_case(name="For n = 4 each activation is evaluated once, and the peak is n", points=0.75)
def test_q1_evaluates_once(vanilla_schedule):
    """For n = 4 each activation is evaluated once, and the peak is n"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(vanilla_schedule, 4)
    trace = schedules.legal(4, schedule)
    case, shows = "n = 4", evidence.schedule(4, schedule, memory=4)
    schedules.exactly(trace.evaluations, 4, what="the count of evaluations", case=case, answer=schedule, shows=shows)
    schedules.exactly(trace.peak, 4, what="the peak memory", case=case, answer=schedule, shows=shows)
