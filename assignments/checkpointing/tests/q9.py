"""q9: Checkpoints within checkpoints."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q9"
points = None


@test_case(points=0.25)
def test_q9_loss_and_gradient(nested_checkpointed_loss):
    """Loss and gradients of 8 layers are those of plain backpropagation"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([3, 5, 4, 4, 6, 4, 5, 4, 2], 40, [], np.random.default_rng(1))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_loss(result, problem)
    network.right_gradient(result, problem)


@test_case(points=1)
def test_q9_peak(nested_checkpointed_loss):
    """Memory: 64 layers with at most 16 activations alive at a time"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 65, 1024, [], np.random.default_rng(2))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.peaks_low(result, problem)


@test_case(points=0.75)
def test_q9_work(nested_checkpointed_loss):
    """Work: 64 layers in less memory than plain backpropagation needs, with at most 576 matrix products"""
    import numpy as np
    from adkit.checks import network

    problem = network.network([4] * 65, 1024, [], np.random.default_rng(3))
    result = network.nested(nested_checkpointed_loss, problem)
    network.right_gradient(result, problem)
    network.evaluates_few_times(result, problem)


@test_case(points=0.5, hidden=True)
def test_q9_loss_and_gradient_of_any_depth(nested_checkpointed_loss):
    """Loss and gradients for numbers of layers that are no power of two, for one layer, and for one output"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q9", "gradient")
    for n in (13, 6, 3, 1):
        widths = [int(width) for width in random.integers(2, 6, size=n + 1)]
        if n == 3:
            widths[-1] = 1  # without its second axis a_n is a row that y, a column, is compared with all over
        problem = network.network(widths, 30, [], random)
        result = network.nested(nested_checkpointed_loss, problem)
        network.right_loss(result, problem)
        network.right_gradient(result, problem)


@test_case(points=1.5, hidden=True)
def test_q9_peak_of_a_very_deep_network(nested_checkpointed_loss):
    """Memory: 256 layers with at most 20 activations alive at a time, and 64"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q9", "peak")
    shallow = network.network([4] * 65, 1024, [], random)
    result = network.nested(nested_checkpointed_loss, shallow)
    network.right_gradient(result, shallow)
    network.peaks_low(result, shallow)
    deep = network.network([2] * 257, 1024, [], random)
    # What is traced of so deep a network is counted, and not compiled: that takes longer than all else here.
    network.peaks_low(network.nested(nested_checkpointed_loss, deep, run=False), deep)


@test_case(points=1, hidden=True)
def test_q9_work_of_a_very_deep_network(nested_checkpointed_loss):
    """Work: 256 layers with at most 11 matrix products for each, and 64 with 9"""
    from adkit.checks import network

    from reference.inputs.seeds import rng

    random = rng("checkpointing", "q9", "work")
    shallow = network.network([4] * 65, 1024, [], random)
    result = network.nested(nested_checkpointed_loss, shallow)
    network.right_gradient(result, shallow)
    network.evaluates_few_times(result, shallow)
    deep = network.network([2] * 257, 1024, [], random)
    network.evaluates_few_times(network.nested(nested_checkpointed_loss, deep, run=False), deep)
