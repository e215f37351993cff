"""q7: layers that are not alike (bonus)."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(name="Five layers of sizes 2, 6, 3, 6, 1 in memory 9: legal, complete, and never more than 9", points=1)
def test_q7_legal_within_memory(optimal_schedule_for):
    """Five layers of sizes 2, 6, 3, 6, 1 in memory 9: legal, complete, and never more than 9"""
    from adkit import checks, checks_checkpointing

    sizes, costs = [2, 6, 3, 6, 1], [4, 4, 4, 3, 9]
    schedule = checks.call(optimal_schedule_for, sizes, costs, 9)
    trace = checks_checkpointing.legal(5, schedule, sizes=sizes, costs=costs)
    checks_checkpointing.at_most(trace.peak, 9, what="the peak size", case="this chain", answer=schedule)


@test_case(name="The same chain: a total cost of 35 is enough in memory 9, and 28 in memory 12", points=1)
def test_q7_cheap(optimal_schedule_for):
    """The same chain: a total cost of 35 is enough in memory 9, and 28 in memory 12"""
    from adkit import checks, checks_checkpointing

    sizes, costs = [2, 6, 3, 6, 1], [4, 4, 4, 3, 9]
    for memory, cost in ((9, 35), (12, 28)):
        schedule = checks.call(optimal_schedule_for, sizes, costs, memory)
        trace = checks_checkpointing.legal(5, schedule, sizes=sizes, costs=costs)
        case = f"this chain in memory {memory}"
        checks_checkpointing.at_most(trace.peak, memory, what="the peak size", case=case, answer=schedule)
        checks_checkpointing.at_most(trace.cost, cost, what="the total cost", case=case, answer=schedule)
