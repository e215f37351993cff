"""q1: Vanilla backpropagation."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=0.5)
def test_q1_legal(vanilla_schedule):
    """The schedule for n = 4 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(vanilla_schedule, 4)
    schedules.legal(4, schedule)


@test_case(points=0.75)
def test_q1_evaluates_once(vanilla_schedule):
    """For n = 4 each activation is evaluated once, and the peak is n"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(vanilla_schedule, 4)
    trace = schedules.legal(4, schedule)
    case, shows = "n = 4", evidence.schedule(4, schedule, memory=4)
    schedules.exactly(trace.evaluations, 4, what="the count of evaluations", case=case, answer=schedule, shows=shows)
    schedules.exactly(trace.peak, 4, what="the peak memory", case=case, answer=schedule, shows=shows)


@test_case(points=1, hidden=True)
def test_q1_legal_for_any_n(vanilla_schedule):
    """Legal and complete for other n, n = 1 among them"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    # The largest first: with one layer many mistakes give the same schedule, and could not be told apart.
    for n in [int(rng("checkpointing", "q1", "legal").integers(20, 60)), 2, 1]:
        schedules.legal(n, checks.call(vanilla_schedule, n))


@test_case(points=0.75, hidden=True)
def test_q1_evaluates_once_for_any_n(vanilla_schedule):
    """Each activation is evaluated once, for other n"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    for n in [int(rng("checkpointing", "q1", "once").integers(20, 60)), 2000, 1]:
        schedule = checks.call(vanilla_schedule, n, repeat=False)
        trace = schedules.legal(n, schedule)
        schedules.exactly(trace.evaluations, n, what="the count of evaluations", case=f"n = {n}", answer=schedule)
