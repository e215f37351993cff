"""q5: The best schedule for a given memory."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(name="For n = 10 and memory 3: legal, complete, and never more than 3 activations in memory", points=1)
def test_q5_legal_within_memory(optimal_schedule):
    """For n = 10 and memory 3: legal, complete, and never more than 3 activations in memory"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(optimal_schedule, 10, 3)
    schedules.within(10, 3, schedule)


@test_case(name="n = 6: with memory 1 as good as memory-poor, with memory 6 or more as good as vanilla", points=1)
def test_q5_ends_of_the_trade_off(optimal_schedule):
    """n = 6: with memory 1 as good as memory-poor, with memory 6 or more as good as vanilla"""
    from adkit import checks
    from adkit.checks import schedules

    for memory, least in ((1, 21), (6, 6), (9, 6)):
        schedule = checks.call(optimal_schedule, 6, memory)
        schedules.optimal(6, memory, schedule, least=least)


@test_case(name="n = 10 with memory 3: 18 evaluations are enough; n = 5 with memory 2: 8", points=1)
def test_q5_optimal_small(optimal_schedule):
    """n = 10 with memory 3: 18 evaluations are enough; n = 5 with memory 2: 8"""
    from adkit import checks
    from adkit.checks import schedules

    for n, memory, least in ((10, 3, 18), (5, 2, 8)):
        schedule = checks.call(optimal_schedule, n, memory)
        schedules.optimal(n, memory, schedule, least=least)


@test_case(name="n = 30 with memory 5: exactly 65 evaluations", points=1)
def test_q5_optimal(optimal_schedule):
    """n = 30 with memory 5: exactly 65 evaluations"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(optimal_schedule, 30, 5)
    schedules.optimal(30, 5, schedule, least=65)
