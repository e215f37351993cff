"""q2: Memory-poor backpropagation."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=0.5)
def test_q2_legal(memory_poor_schedule):
    """The schedule for n = 4 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(memory_poor_schedule, 4)
    schedules.legal(4, schedule)


@test_case(points=0.75)
def test_q2_one_activation_in_memory(memory_poor_schedule):
    """For n = 4 there is never more than one activation in memory, at 10 evaluations"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(memory_poor_schedule, 4)
    trace = schedules.legal(4, schedule)
    case, shows = "n = 4", evidence.schedule(4, schedule, memory=1)
    schedules.at_most(trace.peak, 1, what="the peak memory", case=case, answer=schedule, shows=shows)
    schedules.exactly(trace.evaluations, 10, what="the count of evaluations", case=case, answer=schedule, shows=shows)


@test_case(points=1, hidden=True)
def test_q2_one_activation_for_any_n(memory_poor_schedule):
    """Legal, complete, and one activation in memory for other n, n = 1 among them"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    # The largest first: with one or two layers many mistakes give the same schedule, and could not be told apart.
    for n in [int(rng("checkpointing", "q2", "peak").integers(10, 40)), 2, 1]:
        schedule = checks.call(memory_poor_schedule, n)
        trace = schedules.legal(n, schedule)
        schedules.at_most(trace.peak, 1, what="the peak memory", case=f"n = {n}", answer=schedule)


@test_case(points=0.75, hidden=True)
def test_q2_evaluations_for_any_n(memory_poor_schedule):
    """n(n+1)/2 evaluations for other n"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    for n in [int(rng("checkpointing", "q2", "evaluations").integers(10, 40)), 200, 1]:
        schedule = checks.call(memory_poor_schedule, n, repeat=False)
        trace = schedules.legal(n, schedule)
        count, right = trace.evaluations, n * (n + 1) // 2
        schedules.exactly(count, right, what="the count of evaluations", case=f"n = {n}", answer=schedule)
