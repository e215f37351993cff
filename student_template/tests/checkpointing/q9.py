"""q9: Checkpoints within checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q9"
points = None


@test_case(name="Loss and gradients of 8 layers are those of plain backpropagation", points=0.25)
def test_q9_loss_and_gradient(nested_checkpointed_loss):
    """Loss and gradients of 8 layers are those of plain backpropagation"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([3, 5, 4, 4, 6, 4, 5, 4, 2], 40, [], np.random.default_rng(1))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_loss(result, problem)
    network.right_gradient(result, problem)


@test_case(name="Memory: 64 layers with at most 16 activations alive at a time", points=1)
def test_q9_peak(nested_checkpointed_loss):
    """Memory: 64 layers with at most 16 activations alive at a time"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 65, 1024, [], np.random.default_rng(2))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.peaks_low(result, problem)


@test_case(name="Work: 64 layers in less memory than plain backpropagation needs, with at most 576 matrix products", points=0.75)
def test_q9_work(nested_checkpointed_loss):
    """Work: 64 layers in less memory than plain backpropagation needs, with at most 576 matrix products"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 65, 1024, [], np.random.default_rng(3))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.evaluates_few_times(result, problem)
