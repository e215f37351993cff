"""q2: A solve with a rule of its own."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(points=1)
def test_q2_value_and_gradient(linear_solve):
    """The solution, and its cotangents by your own rule, for one right-hand side"""
    import numpy as np
    from adkit import checks

    A = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])
    b = np.array([1.0, 2.0, 4.0])
    x_bar = np.array([3.0, -1.0, 2.0])
    checks.close(checks.call(linear_solve, A, b), [2.2, -3.4, 1.8], rtol=1e-9, what="x")
    A_bar, b_bar = checks.measured(linear_solve, A, b, x_bar, transform="vjp").outputs
    checks.has_own_reverse_rule(linear_solve, A, b)
    checks.close(b_bar, [-0.4, -0.6, 3.8], rtol=1e-9, what="b_bar")
    expected = [[0.88, -1.36, 0.72], [1.32, -2.04, 1.08], [-8.36, 12.92, -6.84]]
    checks.close(A_bar, expected, rtol=1e-9, what="A_bar")


@test_case(points=0.5)
def test_q2_under_jit_and_vmap(linear_solve):
    """Under jit, and under vmap over a batch of systems"""
    import numpy as np
    from adkit import checks

    A = np.array([[[2.0, 1.0], [0.0, 1.0]], [[1.0, -1.0], [3.0, 1.0]]])
    b = np.array([[1.0, 2.0], [4.0, 8.0]])
    x = checks.measured(linear_solve, A[0], b[0], transform="jit").outputs[0]
    checks.close(x, [-0.5, 2.0], rtol=1e-9, what="x under jit")
    batch = checks.measured(linear_solve, A, b, transform="vmap").outputs[0]
    checks.close(batch, [[-0.5, 2.0], [3.0, -1.0]], rtol=1e-9, what="x under vmap")


@test_case(points=1)
def test_q2_forward_factorises_once(linear_solve):
    """Reuse: the forward pass factorises A once and forms no inverse"""
    import numpy as np
    from adkit import checks
    from adkit.checks import solves

    n = 24
    random = np.random.default_rng(32)
    A, b, x_bar = random.standard_normal((n, n)), random.standard_normal(n), random.standard_normal(n)
    measured = checks.measured(linear_solve, A, b, x_bar, transform="vjp_split")
    checks.has_own_reverse_rule(linear_solve, A, b)
    work = measured.forward_work
    checks.countable(work)
    if work.by_kind["svd"] or work.by_kind["eig"]:
        checks.fail(
            "a linear system needs no singular or eigenvalues: one LU or QR factorisation is enough", kind="too costly"
        )
    if work.factorizations == 0:
        checks.fail(
            "no LU or QR factorisation is called in the forward pass; one written out in loops is not seen",
            kind="too costly",
        )
    if work.factorizations > 1:
        checks.fail(f"the forward pass factorises {work.factorizations} times; once is right", kind="too costly")
    if work.solve_columns >= n or (work.solve_columns == 0 and work.multiplications >= n**3):
        checks.fail(
            "the forward pass solves for n right-hand sides, as forming A^-1 does; solve for b only", kind="too costly"
        )
    solves.uses_a_solve(measured.outputs[:1], A, b, x_bar)


@test_case(points=0.5, hidden=True)
def test_q2_gradient_of_a_matrix(linear_solve):
    """The solution, and its cotangents by your own rule, for several right-hand sides, whatever the pivots are"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import PIVOTS, invertible, with_pivot
    from reference.inputs.seeds import rng
    from reference.matrix_gradients import linear_solve_vjp as reference

    random = rng("matrix_gradients", "q2", "matrix")
    A = invertible(random, 4)
    # Matrices of one shape, one after the other: what was kept of the first is of no use for the next, which has its
    # determinant and its norm, too.
    for matrix in (A, A.T, *(with_pivot(random, 4, pivot) for pivot in PIVOTS)):
        b, x_bar = random.standard_normal((4, 3)), random.standard_normal((4, 3))
        _, A_bar, b_bar = checks.measured(linear_solve, matrix, b, x_bar, transform="vjp_split").outputs
        checks.has_own_reverse_rule(linear_solve, matrix, b)
        expected_A, expected_b = reference(matrix, b, x_bar)
        checks.close(b_bar, expected_b, rtol=1e-9, what="b_bar")
        checks.close(A_bar, expected_A, rtol=1e-9, what="A_bar")
        x = checks.call(linear_solve, matrix, b, repeat=False)
        checks.close(x, np.linalg.solve(matrix, b), rtol=1e-9, what="x")


@test_case(points=1, hidden=True)
def test_q2_under_vmap_of_matrices(linear_solve):
    """Under vmap, for a batch of systems with several right-hand sides each"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import invertible
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q2", "vmap")
    A = np.stack([invertible(random, 4) for _ in range(3)])
    b = random.standard_normal((3, 4, 2))
    x = checks.measured(linear_solve, A, b, transform="vmap").outputs[0]
    checks.close(x, np.linalg.solve(A, b), rtol=1e-9, what="x under vmap")


@test_case(points=1, hidden=True)
def test_q2_gradient_of_the_gradient(linear_solve):
    """grad(grad): the rule can be differentiated again, for one right-hand side and for several"""
    import jax.numpy as jnp
    from adkit import checks
    from adkit.tracing import export as artefact

    from reference.inputs.matrix_gradients import invertible
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q2", "second derivatives")
    A = invertible(random, 4)
    for shape in ((4,), (4, 3)):
        b, x_bar, b_bar_bar = (random.standard_normal(shape) for _ in range(3))
        A_bar_bar = random.standard_normal((4, 4))
        arguments = (A, b, x_bar, (A_bar_bar, b_bar_bar))
        second = checks.measured(linear_solve, *arguments, transform="vjp_vjp").outputs
        # what JAX itself makes of a solve: nothing of the reference's rule is in it
        expected = artefact.measure(jnp.linalg.solve, *arguments, transform="vjp_vjp").outputs
        checks.close(second[1], expected[1], rtol=1e-8, what="the second derivative by b")
        checks.close(second[0], expected[0], rtol=1e-8, what="the second derivative by A")


@test_case(points=1, hidden=True)
def test_q2_backward_reuses_the_factors(linear_solve):
    """Reuse: the backward pass factorises nothing, and several right-hand sides take no more factorisations than one"""
    from adkit import checks
    from adkit.checks import solves

    from reference.inputs.matrix_gradients import invertible
    from reference.inputs.seeds import rng

    n = 24
    random = rng("matrix_gradients", "q2", "reuse")
    A, b, x_bar = (random.standard_normal(shape) for shape in ((n, n), n, n))
    measured = checks.measured(linear_solve, A, b, x_bar, transform="vjp_split")
    checks.has_own_reverse_rule(linear_solve, A, b)
    work = measured.backward_work
    checks.countable(work)
    if work.factorizations:
        checks.fail(
            "the backward pass factorises a matrix: keep the factors of the forward pass among the residuals "
            "that your forward rule returns, and solve with A^T by them",
            kind="too costly",
        )
    if work.solve_columns >= n or (work.solve_columns == 0 and work.multiplications >= n**3):
        checks.fail(
            "the backward pass solves for n right-hand sides, as forming A^-1 does; solve for x_bar only",
            kind="too costly",
        )
    solves.uses_a_solve(measured.outputs[1:], A, b, x_bar)
    # Three right-hand sides have three times the work of one; in the shapes of another case, which are traced already.
    small = (invertible(random, 4), random.standard_normal((4, 3)), random.standard_normal((4, 3)))
    several = checks.measured(linear_solve, *small, transform="vjp_split")
    for way, one, many in (
        ("forward", measured.forward_work, several.forward_work),
        ("backward", measured.backward_work, several.backward_work),
    ):
        checks.countable(many)
        if many.factorizations > one.factorizations or many.matrices > one.matrices:
            checks.fail(
                f"for several right-hand sides the {way} pass factorises more than for one: the factors of A serve all "
                "columns",
                kind="too costly",
            )
        if many.solve_columns > 3 * one.solve_columns > 0:
            checks.fail(
                f"for several right-hand sides the {way} pass solves for n of them, as forming A^-1 does; solve for "
                "those at hand only",
                kind="too costly",
            )
