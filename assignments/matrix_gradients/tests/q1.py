"""q1: The linear solve, backwards."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = None


@test_case(points=0.75)
def test_q1_b_bar_of_a_vector(linear_solve_vjp):
    """b_bar for one right-hand side"""
    import numpy as np
    from adkit import checks

    A = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])
    b = np.array([1.0, 2.0, 4.0])
    x_bar = np.array([3.0, -1.0, 2.0])
    _, b_bar = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    checks.close(b_bar, [-0.4, -0.6, 3.8], rtol=1e-9, what="b_bar")


@test_case(points=0.75)
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


@test_case(points=0.5)
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


@test_case(points=1)
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


@test_case(points=0.5, hidden=True)
def test_q1_b_bar_of_random_vectors(linear_solve_vjp):
    """b_bar for random systems, one right-hand side"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    for round in range(2):
        system = matrix_gradients.system(rng("matrix_gradients", "q1", "b_bar", round))
        matrix_gradients.compare_solve(linear_solve_vjp, *system, only="b_bar")


@test_case(points=0.75, hidden=True)
def test_q1_a_bar_of_random_vectors(linear_solve_vjp):
    """A_bar for random systems, one right-hand side"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    for round in range(2):
        system = matrix_gradients.system(rng("matrix_gradients", "q1", "A_bar", round))
        matrix_gradients.compare_solve(linear_solve_vjp, *system, only="A_bar")


@test_case(points=0.5, hidden=True)
def test_q1_b_bar_of_a_matrix(linear_solve_vjp):
    """b_bar for several right-hand sides, and for a matrix of one column"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    for k in (3, 1):
        system = matrix_gradients.system(rng("matrix_gradients", "q1", "b_bar of a matrix", k), k)
        matrix_gradients.compare_solve(linear_solve_vjp, *system, only="b_bar")


@test_case(points=0.75, hidden=True)
def test_q1_a_bar_of_a_matrix(linear_solve_vjp):
    """A_bar for several right-hand sides: the sum over the columns"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    for k in (3, 1):
        system = matrix_gradients.system(rng("matrix_gradients", "q1", "A_bar of a matrix", k), k)
        matrix_gradients.compare_solve(linear_solve_vjp, *system, only="A_bar")


@test_case(points=0.75, hidden=True)
def test_q1_ill_conditioned(linear_solve_vjp):
    """A system of condition 1e7, and systems with a zero or a tiny pivot: a backward-stable solve is accurate enough"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import PIVOTS, compare_solve, invertible, with_pivot
    from reference.inputs.seeds import rng
    from reference.matrix_gradients import linear_solve_vjp as reference

    random = rng("matrix_gradients", "q1", "ill-conditioned")
    condition, n = 1e7, 4
    A = invertible(random, n, condition)
    b, x_bar = random.standard_normal(n), random.standard_normal(n)
    A_bar, b_bar = checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
    expected_A, expected_b = reference(A, b, x_bar)
    # A backward-stable solve errs by about n * eps * condition = 1e-8 at worst (1e-9 as a rule) in x and in b_bar, the
    # reference as much. A hundred times that stays far below what the normal equations lose (condition^2 * eps = 1e-2).
    rtol = 100 * n * np.finfo(np.float64).eps * condition
    checks.close(b_bar, expected_b, rtol=rtol, what="b_bar")
    checks.close(A_bar, expected_A, rtol=2 * rtol, what="A_bar")
    # Elimination without an exchange of rows is not stable, and for a random matrix nobody sees it.
    for pivot in PIVOTS:
        b, x_bar = random.standard_normal(n), random.standard_normal(n)
        compare_solve(linear_solve_vjp, with_pivot(random, n, pivot), b, x_bar)


@test_case(points=0.75, hidden=True)
def test_q1_tiny_and_huge(linear_solve_vjp):
    """Systems with tiny and with huge entries"""
    from reference.inputs import matrix_gradients
    from reference.inputs.seeds import rng

    A, b, x_bar = matrix_gradients.system(rng("matrix_gradients", "q1", "scales"))
    for scale in (1e-40, 1e40):
        matrix_gradients.compare_solve(linear_solve_vjp, scale * A, b, x_bar)


@test_case(points=1, hidden=True)
def test_q1_forms_no_inverse(linear_solve_vjp):
    """Work: no inverse is formed, only the right-hand sides at hand are solved for, one or several"""
    from adkit import checks
    from adkit.checks import solves

    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q1", "work")
    works, k = [], 3
    # One right-hand side and a large A, then several and a small A: what is done for each right-hand side can be told
    # from what is done for each row of A.
    for n, columns, of_what in ((24, (), ""), (12, (k,), " for a matrix b")):
        A, b, x_bar = (random.standard_normal(shape) for shape in ((n, n), (n, *columns), (n, *columns)))
        try:
            measured = checks.measured(linear_solve_vjp, A, b, x_bar)
        except checks.StudentError as problem:
            if {"TimeoutError", "ProcessEnded", "StubError"} & set(problem.kinds):
                raise
            checks.call(linear_solve_vjp, A, b, x_bar, returns=2)
            checks.fail(
                f"the work is counted in what JAX traces, and this function cannot be traced{of_what}: these two "
                "points need jax.numpy and jax.scipy, the other six do not",
                kind="not traceable",
            )
        work = measured.work
        works.append(work)
        checks.countable(work)
        if work.by_kind["svd"] or work.by_kind["eig"]:
            checks.fail(
                "a linear system needs no singular or eigenvalues, and no pseudo-inverse made of them",
                kind="too costly",
            )
        if work.factorizations == 0:
            checks.fail(
                "no LU or QR factorisation is called, so that A^-1 cannot be told from a solution: use lu_factor or qr",
                kind="too costly",
            )
        if not columns:
            solves.uses_a_solve(measured.outputs, A, b, x_bar)
    large, small = works
    # A matrix b has k times the right-hand sides of a vector, whatever n is (also when they are refined a few times),
    # and an inverse has n of them: 12 are more than 3 x 1, and 24 are more than 12, or than 3. Where triangular systems
    # are solved in loops, the large system takes 1.3 times the multiplications of the small ones (4 / k, and what is
    # done once); with an inverse of both matrices 6 times, with one of the small matrix alone 0.8.
    if large.solve_columns > small.solve_columns or small.solve_columns > k * large.solve_columns:
        checks.fail(
            "triangular systems are solved for n right-hand sides, as forming A^-1 does; solve for b and x_bar only",
            kind="too costly",
        )
    if large.solve_columns == 0 and not small.multiplications <= large.multiplications <= 3 * small.multiplications:
        checks.fail(
            "there are n^3 multiplications besides the factorisation, as forming A^-1 takes; "
            "solve for b and x_bar only",
            kind="too costly",
        )
    if small.factorizations > large.factorizations or small.matrices > large.matrices:
        checks.fail(
            "for several right-hand sides more is factorised than for one: the factors of A serve all columns of b",
            kind="too costly",
        )
