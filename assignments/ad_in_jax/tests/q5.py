"""q5: Derivatives that survive."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(points=0.25)
def test_q5_log1pexp_far_out(log1pexp):
    """log(1 + e^x) of a number and of an array, also where e^x overflows or is tiny"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call(log1pexp, 0.0, autodiff=True), np.log(2), rtol=1e-12, what="log1pexp(0)")
    x = np.array([1000.0, 40.0, 1.0, -1.0, -40.0, -600.0])
    expected = [1000.0, 40.0, 1.3132616875182228, 0.31326168751822286, np.exp(-40.0), np.exp(-600.0)]
    checks.close(checks.call(log1pexp, x, autodiff=True), expected, rtol=1e-12, what="log1pexp(x)", scale="entry")


@test_case(points=0.5)
def test_q5_derivative_of_log1pexp(log1pexp):
    """The derivative of log(1 + e^x) by reverse mode, far out too"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    x = np.array([1000.0, 40.0, 0.0, -1.0, -40.0, -600.0])
    found = transformations.traced(log1pexp, x, np.ones(6), transform="vjp").outputs[0]
    expected = [1.0, 1.0, 0.5, 1 / (1 + np.e), np.exp(-40.0), np.exp(-600.0)]
    checks.close(found, expected, rtol=1e-12, what="the derivative of log1pexp", scale="entry")


@test_case(points=0.5)
def test_q5_norm_at_zero(safe_norm):
    """safe_norm at 0: value 0 and gradient 0"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    checks.close(checks.call(safe_norm, np.zeros(3), autodiff=True), 0.0, rtol=0, what="the norm of 0")
    found = transformations.traced(safe_norm, np.zeros(3), np.array(1.0), transform="vjp").outputs[0]
    checks.close(found, np.zeros(3), rtol=0, what="the gradient at 0")


@test_case(points=0.25)
def test_q5_norm_elsewhere(safe_norm):
    """safe_norm elsewhere: the norm, and x / ||x||"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    x = np.array([3.0, 0.0, -4.0])
    checks.close(checks.call(safe_norm, x, autodiff=True), 5.0, rtol=1e-12, what="the norm")
    found = transformations.traced(safe_norm, x, np.array(1.0), transform="vjp").outputs[0]
    checks.close(found, [0.6, 0.0, -0.8], rtol=1e-12, what="the gradient")


@test_case(points=0.25, hidden=True)
def test_q5_log1pexp_under_vmap(log1pexp):
    """log(1 + e^x) under vmap and jit"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q5", "vmap")
    x = np.array([*random.uniform(-650.0, 900.0, 4), *random.uniform(16.0, 24.0, 2)])
    for transform in ("vmap", "jit"):
        found = transformations.traced(log1pexp, x, transform=transform).outputs[0]
        checks.close(found, np.logaddexp(0, x), rtol=1e-12, what=f"log1pexp under {transform}", scale="entry")


@test_case(points=0.5, hidden=True)
def test_q5_log1pexp_forward(log1pexp):
    """The derivative of log(1 + e^x) by forward mode"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q5", "forward").uniform(-650.0, 650.0, 6)
    found = transformations.traced(log1pexp, x, transform="jvp").outputs[1]  # along x itself
    checks.close(found, x / (1 + np.exp(-x)), rtol=1e-12, what="the derivative of log1pexp", scale="entry")


@test_case(points=0.5, hidden=True)
def test_q5_second_derivative_of_log1pexp(log1pexp):
    """The second derivative of log(1 + e^x), at 0 and far out too"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q5", "second derivative")
    x = np.array([0.0, *random.uniform(-3.0, 3.0, 2), 50.0, 1000.0, -1000.0])
    found = transformations.traced(log1pexp, x, np.ones(6), (np.ones(6),), transform="vjp_vjp").outputs[0]
    expected = 0.25 / np.cosh(np.clip(x, -600, 600) / 2) ** 2
    what = "the second derivative of log1pexp"
    checks.close(found, expected, rtol=0, atol=1e-12, what=what, scale="entry")


@test_case(points=0.5, hidden=True)
def test_q5_norm_forward(safe_norm):
    """safe_norm by forward mode, at 0 and elsewhere"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q5", "norm, forward").standard_normal(3)
    for point in (np.zeros(3), x, 1e-6 * x):
        found = transformations.traced(safe_norm, point, transform="jvp").outputs  # along the point itself
        for which, part in zip(("the norm", "the derivative"), found, strict=True):
            checks.close(part, np.linalg.norm(point), rtol=1e-12, what=which)


@test_case(points=0.25, hidden=True)
def test_q5_norm_under_vmap(safe_norm):
    """safe_norm and its gradient through vmap over a batch that contains 0 and a short vector"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    x = rng("ad_in_jax", "q5", "norm, vmap").standard_normal((4, 5)) * [[1.0], [0.0], [1e-9], [1.0]]
    found = transformations.traced(safe_norm, x, transform="vmap").outputs[0]
    norms = np.linalg.norm(x, axis=1)
    checks.close(found, norms, rtol=1e-12, what="the norms")
    gradients = transformations.traced(safe_norm, x, transform="vmap_grad").outputs[0]
    right = np.array([row / norm if norm else 0 * row for row, norm in zip(x, norms, strict=True)])
    checks.close(gradients, right, rtol=1e-12, what="the gradients")


@test_case(points=0.5, hidden=True)
def test_q5_second_derivative_of_the_norm(safe_norm):
    """The second derivatives of safe_norm away from 0"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    from reference.inputs.seeds import rng

    random = rng("ad_in_jax", "q5", "norm, second derivative")
    x, v = random.standard_normal(3), random.standard_normal(3)
    found = transformations.traced(safe_norm, x, np.array(1.0), (v,), transform="vjp_vjp").outputs[0]
    norm = np.linalg.norm(x)
    checks.close(found, v / norm - x * (x @ v) / norm**3, rtol=1e-10, what="the Hessian times a vector")
