"""q8: Layers that are not alike."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q8"
points = None


@test_case(name="Seven layers of sizes 2, 2, 3, 6, 5, 2, 2 in memory 10: legal, complete, and never more than 10", points=1)
def test_q8_legal_within_memory(optimal_schedule_for):
    """Seven layers of sizes 2, 2, 3, 6, 5, 2, 2 in memory 10: legal, complete, and never more than 10"""
    from adkit import checks
    from adkit.checks import schedules

    sizes, costs = [2, 2, 3, 6, 5, 2, 2], [12, 5, 1, 3, 8, 8, 12]
    schedule = checks.call(optimal_schedule_for, sizes, costs, 10)
    trace = schedules.legal(7, schedule, sizes=sizes, costs=costs)
    schedules.at_most(trace.peak, 10, what="the peak size", case="this chain", answer=schedule)


@test_case(name="The same chain: a total cost of 66 is enough in memory 10, and 78 in memory 8", points=1)
def test_q8_cheap(optimal_schedule_for):
    """The same chain: a total cost of 66 is enough in memory 10, and 78 in memory 8"""
    from adkit import checks
    from adkit.checks import schedules

    sizes, costs = [2, 2, 3, 6, 5, 2, 2], [12, 5, 1, 3, 8, 8, 12]
    for memory, cost in ((10, 66), (8, 78)):
        schedule = checks.call(optimal_schedule_for, sizes, costs, memory)
        trace = schedules.legal(7, schedule, sizes=sizes, costs=costs)
        case = f"this chain in memory {memory}"
        schedules.at_most(trace.peak, memory, what="the peak size", case=case, answer=schedule)
        schedules.at_most(trace.cost, cost, what="the total cost", case=case, answer=schedule)
