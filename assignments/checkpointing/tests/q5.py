"""q5: The best schedule for a given memory."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(points=1)
def test_q5_legal_within_memory(optimal_schedule):
    """For n = 10 and memory 3: legal, complete, and never more than 3 activations in memory"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(optimal_schedule, 10, 3)
    schedules.within(10, 3, schedule)


@test_case(points=1)
def test_q5_ends_of_the_trade_off(optimal_schedule):
    """n = 6: with memory 1 as good as memory-poor, with memory 6 or more as good as vanilla"""
    from adkit import checks
    from adkit.checks import schedules

    for memory, least in ((1, 21), (6, 6), (9, 6)):
        schedule = checks.call(optimal_schedule, 6, memory)
        schedules.optimal(6, memory, schedule, least=least)


@test_case(points=1)
def test_q5_optimal_small(optimal_schedule):
    """n = 10 with memory 3: 18 evaluations are enough; n = 5 with memory 2: 8"""
    from adkit import checks
    from adkit.checks import schedules

    for n, memory, least in ((10, 3, 18), (5, 2, 8)):
        schedule = checks.call(optimal_schedule, n, memory)
        schedules.optimal(n, memory, schedule, least=least)


@test_case(points=1)
def test_q5_optimal(optimal_schedule):
    """n = 30 with memory 5: exactly 65 evaluations"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(optimal_schedule, 30, 5)
    schedules.optimal(30, 5, schedule, least=65)


@test_case(points=1, hidden=True)
def test_q5_legal_within_memory_for_any_budget(optimal_schedule):
    """Legal, complete and within the memory for other n and budgets"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q5", "legal")
    for n, memory in ((int(random.integers(15, 25)), int(random.integers(2, 6))), (9, 2), (2, 1), (1, 1)):
        schedule = checks.call(optimal_schedule, n, memory)
        schedules.within(n, memory, schedule)


@test_case(points=1, hidden=True)
def test_q5_optimal_with_two_or_three(optimal_schedule):
    """Exactly T(n, m) evaluations with memory for two or three activations only"""
    from adkit import checks, least_evaluations
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q5", "few")
    # Three first: with two, a split by the number of places is one in the middle.
    for memory in (3, 2):
        for n in (4, int(random.integers(12, 20)), int(random.integers(40, 60))):
            schedule = checks.call(optimal_schedule, n, memory, repeat=False)
            schedules.optimal(n, memory, schedule, least=least_evaluations(n, memory))


@test_case(points=0.5, hidden=True)
def test_q5_optimal_for_every_small_chain(optimal_schedule):
    """Exactly T(n, m) evaluations for every n up to 20 with every memory, also with far more than n"""
    from adkit import checks, least_evaluations
    from adkit.checks import schedules

    for n in range(20, 0, -1):
        for memory in (*range(n, 0, -1), n + 1, 10 * n):
            schedule = checks.call(optimal_schedule, n, memory, repeat=False)
            schedules.optimal(n, memory, schedule, least=least_evaluations(n, memory))


@test_case(points=1.5, hidden=True)
def test_q5_optimal_well_below_the_square_root(optimal_schedule):
    """Exactly T(n, m) evaluations for n up to 200 with budgets well under 2 sqrt(n)"""
    from adkit import checks, least_evaluations
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q5", "optimal")
    some = [(int(n), int(memory)) for n, memory in random.integers((30, 2), (200, 12), size=(8, 2))]
    for n, memory in ((100, 7), (64, 4), (200, 9), *some):
        schedule = checks.call(optimal_schedule, n, memory, repeat=False)
        schedules.optimal(n, memory, schedule, least=least_evaluations(n, memory))


@test_case(points=1, hidden=True)
def test_q5_long_chains(optimal_schedule):
    """Exactly T(n, m) evaluations for chains of up to 1000 layers with memory from 8 to 1000, of 200 with any"""
    from adkit import checks, least_evaluations
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q5", "long")
    some, several, many = (int(random.integers(*between)) for between in ((9, 20), (60, 200), (510, 900)))
    # Much memory last: there a schedule that nests as deep as there are places, or a table of n^2 m entries, ends.
    short = ((1000, 8), (1000, some), (1000, 20), (200, 1), (200, 200))
    for n, memory in (*short, (1000, several), (1000, many), (1000, 1000)):
        schedule = checks.call(optimal_schedule, n, memory, repeat=False)
        schedules.optimal(n, memory, schedule, least=least_evaluations(n, memory))


@test_case(points=1, hidden=True)
def test_q5_impossible(optimal_schedule):
    """Memory below 1 or a chain without layers: ValueError"""
    from adkit import checks
    from adkit.checks import schedules

    schedules.legal(3, checks.call(optimal_schedule, 3, 2))
    checks.raises(optimal_schedule, 5, 0, error="ValueError", when="the memory is 0")
    checks.raises(optimal_schedule, 5, -2, error="ValueError", when="the memory is negative")
    checks.raises(optimal_schedule, 0, 3, error="ValueError", when="n is 0")
    checks.raises(optimal_schedule, -3, 2, error="ValueError", when="n is negative")
