"""q8: Layers that are not alike."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q8"
points = None


@test_case(points=1)
def test_q8_legal_within_memory(optimal_schedule_for):
    """Seven layers of sizes 2, 2, 3, 6, 5, 2, 2 in memory 10: legal, complete, and never more than 10"""
    from adkit import checks
    from adkit.checks import schedules

    sizes, costs = [2, 2, 3, 6, 5, 2, 2], [12, 5, 1, 3, 8, 8, 12]
    schedule = checks.call(optimal_schedule_for, sizes, costs, 10)
    trace = schedules.legal(7, schedule, sizes=sizes, costs=costs)
    schedules.at_most(trace.peak, 10, what="the peak size", case="this chain", answer=schedule)


@test_case(points=1)
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


@test_case(points=1, hidden=True)
def test_q8_legal_within_memory_for_any_chain(optimal_schedule_for):
    """Legal, complete and within the memory, for random chains, in the tightest memory too"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q8", "legal")
    for n in (1, 6, 12, 20):
        sizes = [int(s) for s in random.integers(1, 9, size=n)]
        costs = [int(c) for c in random.integers(1, 9, size=n)]
        for memory in (max(sizes), max(sizes) + 6):
            schedule = checks.call(optimal_schedule_for, sizes, costs, memory, repeat=False)
            trace = schedules.legal(n, schedule, sizes=sizes, costs=costs)
            schedules.at_most(trace.peak, memory, what="the peak size", case="this chain", answer=schedule)


@test_case(points=1, hidden=True)
def test_q8_cheap_for_any_chain(optimal_schedule_for):
    """A total cost as low as that of the best persistent schedule, for random chains, also where everything fits"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.checkpointing import optimal_schedule_for as reference
    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q8", "cheap")
    chains: list[tuple[list[int], list[int], int]] = []
    for n, more in ((30, 25), (22, 12), (15, 8), (8, 5), (6, 51)):
        sizes = [int(s) for s in random.integers(1, 10, size=n)]
        costs = [int(c) for c in random.integers(1, 20, size=n)]
        chains.append((sizes, costs, max(sizes) + more))
    # The longest first: on a short chain different mistakes choose the same, and could not be told apart. The same one
    # with all the memory that a question may have; one whose costs, and then whose sizes, are those of another. The
    # last: room for more than there is.
    (sizes, costs, _), (small, cheap, few) = chains[:2]
    chains[1:1] = [(sizes, costs, 60)]
    chains[3:3] = [(small, cheap[::-1], few), (small[::-1], cheap, few)]
    # costs so small that one too many for a part where nothing is to be done chooses another schedule
    chains.insert(-1, ([2, 3, 3, 1, 1, 3, 3], [1, 1, 3, 2, 1, 3, 1], 6))
    for sizes, costs, memory in chains:
        n = len(sizes)
        schedule = checks.call(optimal_schedule_for, sizes, costs, memory, repeat=False)
        trace = schedules.legal(n, schedule, sizes=sizes, costs=costs)
        schedules.at_most(trace.peak, memory, what="the peak size", case="this chain", answer=schedule)
        right = schedules.legal(n, reference(sizes, costs, memory), sizes=sizes, costs=costs)
        schedules.at_most(trace.cost, right.cost, what="the total cost", case="this chain", answer=schedule)


@test_case(points=0.5, hidden=True)
def test_q8_equal_layers(optimal_schedule_for):
    """Where all layers are alike, as few evaluations as the optimal schedule of equal layers"""
    from adkit import checks, least_evaluations
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    n = int(rng("checkpointing", "q8", "equal").integers(18, 28))
    # Four places and a rest: a memory that is one off is another mistake than a place too many.
    schedule = checks.call(optimal_schedule_for, [3] * n, [2] * n, 13, repeat=False)
    trace = schedules.legal(n, schedule, sizes=[3] * n, costs=[2] * n)
    schedules.at_most(trace.peak, 13, what="the peak size", case="this chain", answer=schedule)
    least = least_evaluations(n, 4)
    count = trace.evaluations
    schedules.at_most(count, least, what="the count of evaluations", case="this chain", answer=schedule)


@test_case(points=0.5, hidden=True)
def test_q8_impossible(optimal_schedule_for):
    """An activation, whichever it is, that does not fit into the memory, or no memory at all: ValueError"""
    from adkit import checks
    from adkit.checks import schedules

    why = "an activation is larger than the memory"
    for sizes in ([2, 6, 3], [6, 2, 3], [2, 3, 6], [6]):
        costs = [1] * len(sizes)
        schedule = checks.call(optimal_schedule_for, sizes, costs, 6)
        schedules.legal(len(sizes), schedule, sizes=sizes, costs=costs)
        checks.raises(optimal_schedule_for, sizes, costs, 5, error="ValueError", when=why)
    checks.raises(optimal_schedule_for, [1, 1], [1, 1], 0, error="ValueError", when="there is no memory")
