"""q1: The linear solve, backwards."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(name="b_bar for one right-hand side", points=0.75)
def test_q1_b_bar_of_a_vector(linear_solve_vjp):
    """b_bar for one right-hand side"""
    import numpy as np
    from adkit import checks

    A = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])
    b = np.array([1.0, 2.0, 4.0])
    x_bar = np.array([3.0, -1.0, 2.0])
    _, b_bar = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    checks.close(b_bar, [-0.4, -0.6, 3.8], rtol=1e-9, what="b_bar")


@test_case(name="A_bar for one right-hand side", points=0.75)
def test_q1_a_bar_of_a_vector(linear_solve_vjp):
    """A_bar for one right-hand side"""
    import numpy as np
    from adkit import checks

    A = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])
    b = np.array([1.0, 2.0, 4.0])
    x_bar = np.array([3.0, -1.0, 2.0])
    A_bar, _ = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    expected = [[0.88, -1.36, 0.72], [1.32, -2.04, 1.08], [-8.36, 12.92, -6.84]]
    checks.close(A_bar, expected, rtol=1e-9, what="A_bar")


@test_case(name="Several right-hand sides at once: b and x_bar of shape (n, k)", points=0.5)
def test_q1_a_matrix_of_right_hand_sides(linear_solve_vjp):
    """Several right-hand sides at once: b and x_bar of shape (n, k)"""
    import numpy as np
    from adkit import checks

    A = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])
    b = np.array([[1.0, 0.0], [2.0, 5.0], [4.0, -5.0]])
    x_bar = np.array([[3.0, 1.0], [-1.0, 0.0], [2.0, 4.0]])
    A_bar, b_bar = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    checks.close(b_bar, [[-0.4, -0.6], [-0.6, 0.6], [3.8, 2.2]], rtol=1e-9, what="b_bar")
    expected = [[-1.52, 3.44, 0.12], [3.72, -6.84, 1.68], [0.44, -4.68, -4.64]]
    checks.close(A_bar, expected, rtol=1e-9, what="A_bar")


@test_case(name="Work: one LU or QR factorisation of A, and nothing larger than n x n", points=1)
def test_q1_factorises_once(linear_solve_vjp):
    """Work: one LU or QR factorisation of A, and nothing larger than n x n"""
    import numpy as np
    from adkit import checks
    from adkit.checks import solves

    n = 24
    random = np.random.default_rng(31)
    A, b, x_bar = random.standard_normal((n, n)), random.standard_normal(n), random.standard_normal(n)
    try:
        measured = checks.measured(linear_solve_vjp, A, b, x_bar)
    except checks.StudentError as problem:
        if {"TimeoutError", "ProcessEnded", "StubError"} & set(problem.kinds):
            raise
        checks.call(linear_solve_vjp, A, b, x_bar, returns=2)  # what is wrong on numbers, too, is told as that
        checks.fail(
            "the work is counted in what JAX traces, and this function cannot be traced: these two points need "
            f"jax.numpy and jax.scipy, the other six do not ({problem.message})",
            kind="not traceable",
        )
    work = measured.work
    checks.countable(work)
    if work.by_kind["svd"] or work.by_kind["eig"]:
        checks.fail(
            "a linear system needs no singular or eigenvalues: one LU or QR factorisation is enough", kind="too costly"
        )
    if work.by_kind["cholesky"]:
        checks.fail(
            "Cholesky is for symmetric positive definite matrices, and A^T A has the square of A's condition number: "
            "factorise A itself, by LU or QR",
            kind="too costly",
        )
    if work.factorizations == 0:
        checks.fail(
            "no LU or QR factorisation is called for the answer: counted are those of jax.scipy.linalg.lu_factor and "
            "lu, of jnp.linalg.qr and the like; one that is written out in loops cannot be told from other loops",
            kind="too costly",
        )
    if work.factorizations > 1:
        checks.fail(
            f"A is factorised {work.factorizations} times; the factors of A serve the system with A^T as well",
            kind="too costly",
        )
    if work.matrices > 1:
        checks.fail(
            f"{work.matrices} matrices are factorised at once; the factors of A serve the system with A^T as well",
            kind="too costly",
        )
    if work.largest > n * n:
        checks.fail(
            "something larger than A itself is computed; nothing larger than n x n is needed", kind="too costly"
        )
    solves.uses_a_solve(measured.outputs, A, b, x_bar)
