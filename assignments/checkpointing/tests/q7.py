"""q7: A real network."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(points=1.25)
def test_q7_loss_and_gradient(checkpointed_loss):
    """Loss and gradients of 6 layers with checkpoints 2, 4 are those of plain backpropagation"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([5, 4, 6, 5, 4, 7, 5], 256, [2, 4], np.random.default_rng(1))
    result = network.measured(checkpointed_loss, problem)
    network.right_loss(result, problem)
    network.right_gradient(result, problem)


@test_case(points=1.5)
def test_q7_keeps_the_checkpoints(checkpointed_loss):
    """Of a_1 … a_5 exactly a_2 and a_4 cross from the forward to the backward pass (6 layers)"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([5, 4, 6, 5, 4, 7, 5], 256, [2, 4], np.random.default_rng(2))
    network.keeps_the_checkpoints(network.measured(checkpointed_loss, problem), problem)


@test_case(points=1)
def test_q7_one_segment_at_a_time(checkpointed_loss):
    """Memory: the backward pass of 16 layers with checkpoints 4, 8, 12 recomputes one segment at a time"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 17, 512, [4, 8, 12], np.random.default_rng(3))
    result = network.measured(checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.one_segment_at_a_time(result, problem)


@test_case(points=0.75, hidden=True)
def test_q7_loss_and_gradient_of_another_network(checkpointed_loss):
    """Loss and gradients of other networks: the output among the checkpoints, one layer and one output, one example"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q7", "gradient")
    # One output in a batch of many: without its second axis a_n is a row that y, a column, is compared with all over.
    for widths, batch, checkpoints in (([3, 6, 4, 4, 8, 2], 200, [1, 3, 5]), ([3, 1], 30, []), ([2, 4, 3], 1, [1])):
        problem = network.network(widths, batch, checkpoints, random)
        result = network.measured(checkpointed_loss, problem)
        network.right_loss(result, problem)
        network.right_gradient(result, problem)


@test_case(points=1.25, hidden=True)
def test_q7_keeps_irregular_checkpoints(checkpointed_loss):
    """Exactly the checkpoints cross, for checkpoints at irregular distances, neighbours and the last but one too"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    problem = network.network([6] * 9, 300, [1, 2, 5, 7], rng("checkpointing", "q7", "keeps"))
    network.keeps_the_checkpoints(network.measured(checkpointed_loss, problem), problem)


@test_case(points=0.75, hidden=True)
def test_q7_corner_cases(checkpointed_loss):
    """Exactly the checkpoints cross when there are none, when all are, and when the output is one or the only one"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    for checkpoints in ([1, 4, 5], [1, 2, 3, 4, 5], [5], []):
        problem = network.network([4] * 6, 200, checkpoints, rng("checkpointing", "q7", "corners"))
        result = network.measured(checkpointed_loss, problem)
        network.keeps_the_checkpoints(result, problem)


@test_case(points=1.25, hidden=True)
def test_q7_recomputes_each_segment_once(checkpointed_loss):
    """From the checkpoints alone, the backward pass evaluates every segment once more, the last one too"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q7", "work")
    # The checkpoints of a rule that does not look at them (a uniform distance) are not those of another mistake.
    for widths, checkpoints in (([4, 5, 6, 5, 4, 6, 5, 4], [2, 4]), ([4, 5, 6, 4], [])):
        problem = network.network(widths, 256, checkpoints, random)
        result = network.measured(checkpointed_loss, problem)
        network.keeps_the_checkpoints(result, problem)
        network.recomputes_once(result, problem)


@test_case(points=1.25, hidden=True)
def test_q7_one_segment_at_a_time_in_a_deep_network(checkpointed_loss):
    """Memory: the backward pass of 64 layers recomputes one segment at a time, also where they are of unequal length"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q7", "peak")
    regular = [8, 16, 24, 32, 40, 48, 56]
    irregular = sorted(int(c) + int(d) for c, d in zip(regular, random.integers(-2, 3, size=7), strict=True))
    for checkpoints in (regular, irregular):
        problem = network.network([4] * 65, 1024, checkpoints, random)
        result = network.measured(checkpointed_loss, problem)
        network.right_gradient(result, problem)
        network.one_segment_at_a_time(result, problem)
