"""q4: Checking gradients numerically."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q4"
points = None


@test_case(points=1)
def test_q4_gradient_of_a_function_of_a_vector(numerical_gradient):
    """numerical_gradient of a function of three numbers, to seven digits"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    def f(x):
        x = jnp.array(x)
        return 300.0 + jnp.sin(3 * x[0]) * x[1] + x[1] ** 2 * jnp.exp(-x[2])

    x = np.array([0.4, -1.3, 0.5])
    expected = [
        3 * np.cos(3 * x[0]) * x[1],
        np.sin(3 * x[0]) + 2 * x[1] * np.exp(-x[2]),
        -(x[1] ** 2) * np.exp(-x[2]),
    ]
    watched, points = evidence.watched(f)
    gradient = checks.call(numerical_gradient, watched, x)
    shows = evidence.steps(f, x, points)
    checks.close(gradient, expected, rtol=1e-7, what="the numerical gradient", shows=shows)


@test_case(points=0.75)
def test_q4_gradient_of_a_function_of_a_matrix(numerical_gradient):
    """numerical_gradient of a function of a matrix has the matrix's shape"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks
    from adkit.checks import evidence

    def f(X):
        X = jnp.array(X)
        return 200.0 + jnp.sum(jnp.sin(X) * jnp.arange(1.0, 7.0).reshape(2, 3))

    X = np.array([[0.5, -0.7, 1.1], [2.0, 0.0, -0.3]])
    expected = np.cos(X) * np.arange(1.0, 7.0).reshape(2, 3)
    watched, points = evidence.watched(f)
    gradient = checks.call(numerical_gradient, watched, X)
    shows = evidence.steps(f, X, points)
    checks.close(gradient, expected, rtol=1e-7, what="the numerical gradient", shows=shows)


@test_case(points=1)
def test_q4_check_a_right_and_a_wrong_gradient(check_gradient):
    """check_gradient says True to a right gradient, False to one with the wrong sign and to one twice as long"""
    import jax.numpy as jnp
    import numpy as np
    from adkit import checks

    def f(x):
        return jnp.sum(jnp.cos(jnp.array(x)) * jnp.array([1.0, 2.0, -3.0]))

    def right(x):
        return -jnp.sin(jnp.array(x)) * jnp.array([1.0, 2.0, -3.0])

    x = np.array([0.4, -1.3, 0.5])
    checks.equal(checks.call(check_gradient, f, right, x), True, what="check_gradient of a right gradient")
    wrong = checks.call(check_gradient, f, lambda x: -right(x), x)
    checks.equal(wrong, False, what="check_gradient of a gradient with the wrong sign")
    wrong = checks.call(check_gradient, f, lambda x: 2 * right(x), x)
    checks.equal(wrong, False, what="check_gradient of twice the gradient")


@test_case(points=1, hidden=True)
def test_q4_well_mixed_scales(numerical_gradient):
    """numerical_gradient where x has entries of 1e-3 and of 1e3, and a zero"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "mixed scales")
    x = random.uniform(1.0, 2.0, 6) * np.array([1e-3, 1e3, -1e-3, -500.0, 0.03, 0.0])
    scale, phase = np.maximum(1.0, np.abs(x)), random.uniform(0.3, 1.2, 6)
    weight = 8.0

    def f(x):
        x, xp = with_namespace(x)
        return 300.0 + xp.sum(weight * xp.sin(x / scale + phase))

    expected = weight / scale * np.cos(x / scale + phase)
    # |f| < 350 and the gradient is about 8: the central difference with step eps^(1/3) max(1, |x_i|) errs by
    # eps |f| / h = 1e-8 and h^2 / 6 = 6e-12, of which the bound is fifty times. One-sided it errs by more than the
    # bound at any step; with a step of 6e-6 * 1e-3 by 1e-5.
    gradient = checks.call(numerical_gradient, f, x)
    checks.close(gradient, expected, rtol=1e-7, what="the numerical gradient")


@test_case(points=0.5, hidden=True)
def test_q4_far_from_the_origin(numerical_gradient):
    """numerical_gradient where every x_i is large: the step has to grow with x_i"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "far")
    x = random.uniform(1.0, 3.0, 3) * np.array([1e6, -1e6, 5e5])
    scale, phase = np.abs(x), random.uniform(-0.5, 0.5, 3)
    there = np.sin(x / scale + phase)

    def f(x):
        x, xp = with_namespace(x)
        return xp.sum(scale * (xp.sin(x / scale + phase) - there))

    # f is next to 0 at x, so that |f| <= 1000 ||gradient|| holds. Its rounding is that of x / scale, eps |x_i| = 1e-10:
    # with h about 10 an error of 1e-11; a step of 1e-4 or less loses eps |x_i| / h > 1e-6.
    gradient = checks.call(numerical_gradient, f, x)
    checks.close(gradient, np.cos(x / scale + phase), rtol=1e-7, what="the numerical gradient")


@test_case(points=0.25, hidden=True)
def test_q4_three_axes(numerical_gradient):
    """numerical_gradient for an array of three axes"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "three axes")
    x, weight = random.uniform(-1.0, 1.0, (2, 1, 3)), random.uniform(0.5, 2.0, (2, 1, 3))

    def f(x):
        x, xp = with_namespace(x)
        return xp.sum(weight * xp.exp(x))

    gradient = checks.call(numerical_gradient, f, x)
    checks.close(gradient, weight * np.exp(x), rtol=1e-7, what="the numerical gradient")


@test_case(points=0.25, hidden=True)
def test_q4_a_single_number(numerical_gradient):
    """numerical_gradient for an array without axes, shape ()"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace

    def f(x):
        x, xp = with_namespace(x)
        return 5.0 + xp.sin(2 * x)

    gradient = checks.call(numerical_gradient, f, np.array(0.3))
    checks.close(gradient, 2 * np.cos(0.6), rtol=1e-7, what="the numerical gradient")


@test_case(points=0.75, hidden=True)
def test_q4_check_is_relative(check_gradient):
    """check_gradient does not depend on the scale of f, nor on that of x"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "scales of f")
    weight, phase = random.uniform(1.0, 3.0, 4), random.uniform(0.3, 1.2, 4)
    for size, x, vanishes in (
        (1.0, random.uniform(1.0, 2.0, 4) * np.array([1e-3, 1e3, -1e-3, 300.0]), False),
        (1e9, random.uniform(-0.3, 0.3, 4), False),
        (1e-9, random.uniform(-0.3, 0.3, 4), False),
        (1.0, random.uniform(-0.3, 0.3, 4), True),  # f(x) = 0: its size is no measure of what rounding does
    ):
        scale = np.maximum(1.0, np.abs(x))
        there = np.where(vanishes | (scale > 1), np.sin(x / scale + phase), 0.0)  # else |f| > 1000 ||gradient|| at 1e3

        def f(x, size=size, scale=scale, there=there):
            x, xp = with_namespace(x)
            return size * xp.sum(weight * scale * (xp.sin(x / scale + phase) - there))

        def right(x, size=size, scale=scale):
            x, xp = with_namespace(x)
            return size * weight * xp.cos(x / scale + phase)

        answer = checks.call(check_gradient, f, right, x)
        checks.equal(answer, True, what="check_gradient of a right gradient (tiny, huge or mixed scales)")
        answer = checks.call(check_gradient, f, lambda x, right=right: 1.02 * right(x), x)
        checks.equal(answer, False, what="check_gradient of a gradient that is 2 % too long")


@test_case(points=0.5, hidden=True)
def test_q4_check_subtle_errors(check_gradient):
    """check_gradient notices one wrong entry, large or small, one wrong sign, a missing term and a small factor"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "subtle")
    x, weight = random.uniform(0.3, 1.2, 5), random.uniform(1.0, 2.0, 5)
    # Neither the first entry nor the last: who compares one of these alone is told so, and not by what comes last.
    place = int(random.integers(1, 4))
    # An entry of the gradient that is 0.3 % of the largest, and that a step along x does not see.
    small = (place + int(random.integers(1, 5))) % 5
    x[small] = 0.0
    entries = np.where(np.arange(5) == small, 0.0, weight * np.cos(x))
    entries[place] += x[place]
    weight[small] = 3e-3 * np.max(entries)
    at_place = np.where(np.arange(5) == place, 1.0, 0.0)

    def f(x):
        x, xp = with_namespace(x)
        return xp.sum(weight * xp.sin(x)) + 0.5 * x[place] ** 2

    def right(x):
        x, xp = with_namespace(x)
        return weight * xp.cos(x) + at_place * x

    wrong = {
        "with one entry 5 % off": lambda x: right(x) * (1.0 + 0.05 * at_place),
        "with the wrong sign in one entry": lambda x: right(x) * (1.0 - 2.0 * at_place),
        "without one of its terms": lambda x: right(x) - at_place * x,
        "that is 2 % too short": lambda x: 0.98 * right(x),
        # the slope along such a gradient is the square of its length, as that of a right one
        "with a zero in the place of one entry": lambda x: right(x) * (1.0 - at_place),
        # 0.6 % of the largest entry: a right check allows a tenth of a per cent at most, for its differences have ten
        # correct digits
        "with the wrong sign in one small entry": lambda x: right(x) * np.where(np.arange(5) == small, -1.0, 1.0),
    }
    answer = checks.call(check_gradient, f, right, x)
    checks.equal(answer, True, what="check_gradient of a right gradient")
    for what, gradient in wrong.items():
        answer = checks.call(check_gradient, f, gradient, x)
        checks.equal(answer, False, what=f"check_gradient of a gradient {what}")


@test_case(points=0.25, hidden=True)
def test_q4_check_an_entry_of_nearly_zero(check_gradient):
    """check_gradient says True to a right gradient with an entry that is next to zero beside the others"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "an entry of nearly zero")
    x, weight = random.uniform(0.3, 1.2, 4), random.uniform(1.0, 2.0, 4)
    here = np.arange(4) == int(random.integers(4))
    weight = np.where(here, 1e-12, weight)

    def f(x):
        x, xp = with_namespace(x)
        return 3.0 + xp.sum(weight * xp.sin(x))

    def right(x):
        x, xp = with_namespace(x)
        return weight * xp.cos(x)

    # a difference of f is right to about 1e-11, so the small entry is right beside the others and not by itself
    answer = checks.call(check_gradient, f, right, x)
    checks.equal(answer, True, what="check_gradient of a right gradient with an entry next to zero")
    answer = checks.call(check_gradient, f, lambda x: right(x) + 0.05 * here, x)
    checks.equal(answer, False, what="check_gradient of a gradient that is not zero where it should be")


@test_case(points=0.25, hidden=True)
def test_q4_check_a_transpose(check_gradient):
    """check_gradient notices a transposed gradient of a function of a matrix"""
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace
    from reference.inputs.seeds import rng

    random = rng("matrix_gradients", "q4", "transpose")
    X, C = random.standard_normal((3, 3)), random.standard_normal((3, 3))

    def f(X):
        X, xp = with_namespace(X)
        return xp.sum(C * X) + 0.5 * xp.sum(X**2)

    def right(X):
        return C + with_namespace(X)[0]

    answer = checks.call(check_gradient, f, right, X)
    checks.equal(answer, True, what="check_gradient of a right gradient by a matrix")
    answer = checks.call(check_gradient, f, lambda X: right(X).T, X)
    checks.equal(answer, False, what="check_gradient of a transposed gradient")


@test_case(points=0.25, hidden=True)
def test_q4_check_the_shape(check_gradient):
    """check_gradient says False to a gradient of the wrong shape, also where broadcasting would hide it"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace

    def f(x):
        x, xp = with_namespace(x)
        return 3.0 * xp.sum(x)

    x = np.array([0.5, -1.0, 2.0])
    answer = checks.call(check_gradient, f, lambda x: np.full(3, 3.0), x)
    checks.equal(answer, True, what="check_gradient of a right gradient")
    for shape in ((), (1,), (3, 1), (1, 3)):
        answer = checks.call(check_gradient, f, lambda x, shape=shape: np.full(shape, 3.0), x)
        checks.equal(answer, False, what="check_gradient of a gradient of the wrong shape")


@test_case(points=0.25, hidden=True)
def test_q4_check_nan(check_gradient):
    """check_gradient says False to a gradient with a NaN"""
    import numpy as np
    from adkit import checks

    from reference.inputs.matrix_gradients import with_namespace

    def f(x):
        x, xp = with_namespace(x)
        return xp.sum(xp.sin(x))

    def right(x):
        x, xp = with_namespace(x)
        return xp.cos(x)

    x = np.array([0.5, -1.0, 2.0])
    answer = checks.call(check_gradient, f, right, x)
    checks.equal(answer, True, what="check_gradient of a right gradient")
    for where in ([True, False, False], [True, True, True]):
        bad = np.where(where, np.nan, 0.0)
        answer = checks.call(check_gradient, f, lambda x, bad=bad: right(x) + bad, x)
        checks.equal(answer, False, what="check_gradient of a gradient with a NaN")
