"""q6: A schedule drives a network."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q6"
points = None


@test_case(points=0.5)
def test_q6_loss(run_schedule):
    """Three layers by the vanilla schedule: the loss"""
    import numpy as np
    from adkit.checks import network, runs

    problem = network.network([3, 4, 2, 3], 5, [], np.random.default_rng(1))
    runs.right_loss(run_schedule, runs.schedule("f1 s1 f2 s2 f3 s3 b3 x3 b2 x2 b1 x1"), problem)


@test_case(points=0.5)
def test_q6_gradients(run_schedule):
    """Three layers by the vanilla schedule: the gradients with respect to all W_i and c_i"""
    import numpy as np
    from adkit.checks import network, runs

    problem = network.network([3, 4, 2, 3], 5, [], np.random.default_rng(2))
    runs.right_run(run_schedule, runs.schedule("f1 s1 f2 s2 f3 s3 b3 x3 b2 x2 b1 x1"), problem)


@test_case(points=0.5)
def test_q6_carries_out_the_schedule(run_schedule):
    """Work: four layers with a checkpoint, and five from the input each time; every forward step is carried out"""
    import numpy as np
    from adkit.checks import network, runs

    for layers, actions in (
        (4, "f1 f2 s2 f3 s3 f4 s4 b4 x4 b3 x3 b2 x2 f1 s1 b1 x1"),
        (5, "f1 f2 f3 f4 f5 b5 f1 f2 f3 f4 b4 f1 f2 f3 b3 f1 f2 b2 f1 b1"),
    ):
        problem = network.network([4] * (layers + 1), 32, [], np.random.default_rng(3))
        schedule = runs.schedule(actions)
        runs.carries_it_out(runs.traced(run_schedule, schedule, problem), schedule, problem)


@test_case(points=0.5)
def test_q6_peak(run_schedule):
    """Memory: twelve layers by a schedule that keeps two activations; at most six more are alive at a time"""
    import numpy as np
    from adkit.checks import network, runs

    schedule = runs.schedule(
        "f1 f2 f3 f4 f5 f6 f7 f8 s8 f9 f10 f11 f12 b12 f9 f10 f11 b11 f9 f10 b10 f9 b9 b8 x8 f1 f2 f3 f4 s4 f5 f6 f7 "
        "b7 f5 f6 b6 f5 b5 b4 x4 f1 s1 f2 f3 b3 f2 b2 b1 x1"
    )
    problem = network.network([4] * 13, 256, [], np.random.default_rng(4))
    runs.peaks_with_the_schedule(runs.traced(run_schedule, schedule, problem), schedule, problem)


@test_case(points=1, hidden=True)
def test_q6_gradients_by_any_strategy(run_schedule):
    """Loss and gradients by the memory-poor, the checkpointed and the optimal schedule, of one layer, of one output"""
    from adkit.checks import network, runs

    from reference import checkpointing
    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q6", "gradients")
    for widths, batch, schedule in (
        ([3, 5, 4, 6, 2], 7, checkpointing.memory_poor_schedule(4)),
        ([3, 5, 4, 6, 2], 7, checkpointing.checkpointed_schedule(4, [2, 4])),
        ([4] * 8, 7, checkpointing.optimal_schedule(7, 2)),
        ([2, 1], 6, checkpointing.vanilla_schedule(1)),
    ):
        runs.right_run(run_schedule, schedule, network.network(widths, batch, [], random))


@test_case(points=0.75, hidden=True)
def test_q6_gradients_by_legal_schedules(run_schedule):
    """Loss and gradients by schedules that save, free and evaluate at random, as far as that is legal"""
    from adkit.checks import network, runs

    from reference.inputs.checkpointing import legal_schedule
    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q6", "legal")
    for _ in range(4):
        problem = network.network([4] * 6, 7, [], random)
        runs.right_run(run_schedule, legal_schedule(5, random), problem, repeat=False)


@test_case(points=0.5, hidden=True)
def test_q6_carries_out_any_schedule(run_schedule):
    """Work: the products of the memory-poor, the checkpointed, the optimal and an arbitrary legal schedule"""
    from adkit.checks import network, runs

    from reference import checkpointing
    from reference.inputs.checkpointing import legal_schedule
    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q6", "work")
    problem = network.network([4] * 7, 32, [], random)
    for schedule in (
        checkpointing.memory_poor_schedule(6),
        checkpointing.checkpointed_schedule(6, [2, 4]),
        checkpointing.optimal_schedule(6, 2),
        legal_schedule(6, random),
    ):
        runs.carries_it_out(runs.traced(run_schedule, schedule, problem), schedule, problem)


@test_case(points=0.75, hidden=True)
def test_q6_peak_of_any_schedule(run_schedule):
    """Memory: at most six activations more than the schedule has, memory-poor, checkpointed and optimal"""
    from adkit.checks import network, runs

    from reference import checkpointing
    from reference.inputs.seeds import rng

    problem = network.network([4] * 17, 512, [], rng("checkpointing", "q6", "peak"))
    for schedule in (
        checkpointing.memory_poor_schedule(16),
        checkpointing.checkpointed_schedule(16, [4, 8, 12]),
        checkpointing.optimal_schedule(16, 3),
    ):
        runs.peaks_with_the_schedule(runs.traced(run_schedule, schedule, problem), schedule, problem)
