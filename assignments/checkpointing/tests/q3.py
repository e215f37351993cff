"""q3: Backpropagation with checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q3"
points = None


@test_case(points=1)
def test_q3_legal(checkpointed_schedule):
    """The schedule for n = 10 and checkpoints 3, 6, 9 is legal and complete"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(checkpointed_schedule, 10, [3, 6, 9])
    schedules.legal(10, schedule)


@test_case(points=0.75)
def test_q3_evaluates_twice_at_most(checkpointed_schedule):
    """No activation is evaluated more than twice, none after the last checkpoint more than once (n = 12)"""
    from adkit import checks
    from adkit.checks import schedules

    schedule = checks.call(checkpointed_schedule, 12, [4, 8])
    trace = schedules.legal(12, schedule)
    schedules.evaluated_twice_at_most(12, [4, 8], trace, answer=schedule)


@test_case(points=0.75)
def test_q3_peak(checkpointed_schedule):
    """The peak is at most the number of checkpoints + the longest run between them (n = 12)"""
    from adkit import checks
    from adkit.checks import evidence, schedules

    schedule = checks.call(checkpointed_schedule, 12, [4, 8])
    trace = schedules.legal(12, schedule)
    case, shows = "n = 12, checkpoints [4, 8]", evidence.schedule(12, schedule, memory=2 + 4)
    schedules.at_most(trace.peak, 2 + 4, what="the peak memory", case=case, answer=schedule, shows=shows)


@test_case(points=1, hidden=True)
def test_q3_legal_for_irregular_checkpoints(checkpointed_schedule):
    """Legal and complete for checkpoints at irregular distances"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q3", "legal")
    for n in (7, 15, 33):
        checkpoints = [int(c) for c in sorted(random.choice(n - 1, size=n // 4, replace=False) + 1)]
        schedules.legal(n, checks.call(checkpointed_schedule, n, checkpoints))


@test_case(points=0.75, hidden=True)
def test_q3_evaluates_twice_at_most_for_irregular_checkpoints(checkpointed_schedule):
    """No activation is evaluated more than twice, none after the last checkpoint more than once"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q3", "evaluations")
    for n in (14, 30):
        inner = [int(c) for c in sorted(random.choice(n - 8, size=n // 5, replace=False) + 3)]
        schedule = checks.call(checkpointed_schedule, n, inner, repeat=False)
        trace = schedules.legal(n, schedule)
        schedules.evaluated_twice_at_most(n, inner, trace, answer=schedule)


@test_case(points=0.75, hidden=True)
def test_q3_peak_for_irregular_checkpoints(checkpointed_schedule):
    """The peak is at most the number of checkpoints + the longest run between them, few of them or many"""
    from adkit import checks
    from adkit.checks import schedules

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q3", "peak")
    chosen = [
        (n, [int(c) for c in sorted(random.choice(n - 1, size=n // 6, replace=False) + 1)]) for n in (20, 40, 300)
    ]
    # The longest run first, in the middle, and last: only there a schedule may need all that is allowed. And other
    # checkpoints for the same n, as many, with the same ends: what was kept from the call before needs more than they
    # allow.
    irregular = ((19, [11, 14, 17]), (20, [3, 6, 15, 18]), (20, [3, 8, 13, 18]), (21, [2, 5, 8, 11]))
    for n, checkpoints in (*irregular, *chosen):
        schedule = checks.call(checkpointed_schedule, n, checkpoints, repeat=False)
        trace = schedules.legal(n, schedule)
        bound = len(checkpoints) + schedules.longest_run(n, checkpoints)
        schedules.at_most(trace.peak, bound, what="the peak memory", case=f"n = {n}", answer=schedule)


@test_case(points=0.5, hidden=True)
def test_q3_corner_cases(checkpointed_schedule):
    """No checkpoint, all of them, only the last layer, a single layer"""
    from adkit import checks
    from adkit.checks import schedules

    for n, checkpoints in ((6, []), (5, [1, 2, 3, 4, 5]), (7, [7]), (8, [1, 2, 8]), (1, []), (1, [1])):
        schedule = checks.call(checkpointed_schedule, n, checkpoints, repeat=False)
        trace = schedules.legal(n, schedule)
        schedules.evaluated_twice_at_most(n, checkpoints, trace, answer=schedule)
        bound = len(checkpoints) + schedules.longest_run(n, checkpoints)
        schedules.at_most(trace.peak, bound, what="the peak memory", case=f"n = {n}", answer=schedule)


@test_case(points=0.5, hidden=True)
def test_q3_invalid_checkpoints(checkpointed_schedule):
    """Checkpoints that are not a strictly increasing subset of 1..n: ValueError"""
    from adkit import checks
    from adkit.checks import schedules

    schedules.legal(6, checks.call(checkpointed_schedule, 6, [2, 4]))
    for checkpoints, why in (
        ([0, 3], "a checkpoint is 0: a_0 is the data"),
        ([3, 7], "a checkpoint lies beyond the last layer"),
        ([4, 2], "the checkpoints are not increasing"),
        ([2, 2, 4], "a checkpoint is there twice"),
        ([-1], "a checkpoint is negative"),
    ):
        checks.raises(checkpointed_schedule, 6, checkpoints, error="ValueError", when=why)
