"""q2: A solve with a rule of its own."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q2"
points = None


@test_case(name="The solution, and its cotangents by your own rule, for one right-hand side", points=1)
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


@test_case(name="Under jit, and under vmap over a batch of systems", points=0.5)
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


@test_case(name="Reuse: the forward pass factorises A once and forms no inverse", points=1)
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
