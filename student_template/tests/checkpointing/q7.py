"""q7: A real network."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q7"
points = None


@test_case(name="Loss and gradients of 6 layers with checkpoints 2, 4 are those of plain backpropagation", points=1.25)
def test_q7_loss_and_gradient(checkpointed_loss):
    """Loss and gradients of 6 layers with checkpoints 2, 4 are those of plain backpropagation"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([5, 4, 6, 5, 4, 7, 5], 256, [2, 4], np.random.default_rng(1))
    result = network.measured(checkpointed_loss, problem)
    network.right_loss(result, problem)
    network.right_gradient(result, problem)


@test_case(name="Of a_1 … a_5 exactly a_2 and a_4 cross from the forward to the backward pass (6 layers)", points=1.5)
def test_q7_keeps_the_checkpoints(checkpointed_loss):
    """Of a_1 … a_5 exactly a_2 and a_4 cross from the forward to the backward pass (6 layers)"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([5, 4, 6, 5, 4, 7, 5], 256, [2, 4], np.random.default_rng(2))
    network.keeps_the_checkpoints(network.measured(checkpointed_loss, problem), problem)


@test_case(name="Memory: the backward pass of 16 layers with checkpoints 4, 8, 12 recomputes one segment at a time", points=1)
def test_q7_one_segment_at_a_time(checkpointed_loss):
    """Memory: the backward pass of 16 layers with checkpoints 4, 8, 12 recomputes one segment at a time"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 17, 512, [4, 8, 12], np.random.default_rng(3))
    result = network.measured(checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.one_segment_at_a_time(result, problem)
