"""q5: Derivatives that survive."""

from otter.test_files import test_case

OK_FORMAT = False
name = "q5"
points = None


@test_case(name="log(1 + e^x) of a number and of an array, also where e^x overflows or is tiny", points=0.25)
def test_q5_log1pexp_far_out(log1pexp):
    """log(1 + e^x) of a number and of an array, also where e^x overflows or is tiny"""
    import numpy as np
    from adkit import checks

    checks.close(checks.call(log1pexp, 0.0, autodiff=True), np.log(2), rtol=1e-12, what="log1pexp(0)")
    x = np.array([1000.0, 40.0, 1.0, -1.0, -40.0, -600.0])
    expected = [1000.0, 40.0, 1.3132616875182228, 0.31326168751822286, np.exp(-40.0), np.exp(-600.0)]
    checks.close(checks.call(log1pexp, x, autodiff=True), expected, rtol=1e-12, what="log1pexp(x)", scale="entry")


@test_case(name="The derivative of log(1 + e^x) by reverse mode, far out too", points=0.5)
def test_q5_derivative_of_log1pexp(log1pexp):
    """The derivative of log(1 + e^x) by reverse mode, far out too"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    x = np.array([1000.0, 40.0, 0.0, -1.0, -40.0, -600.0])
    found = transformations.traced(log1pexp, x, np.ones(6), transform="vjp").outputs[0]
    expected = [1.0, 1.0, 0.5, 1 / (1 + np.e), np.exp(-40.0), np.exp(-600.0)]
    checks.close(found, expected, rtol=1e-12, what="the derivative of log1pexp", scale="entry")


@test_case(name="safe_norm at 0: value 0 and gradient 0", points=0.5)
def test_q5_norm_at_zero(safe_norm):
    """safe_norm at 0: value 0 and gradient 0"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    checks.close(checks.call(safe_norm, np.zeros(3), autodiff=True), 0.0, rtol=0, what="the norm of 0")
    found = transformations.traced(safe_norm, np.zeros(3), np.array(1.0), transform="vjp").outputs[0]
    checks.close(found, np.zeros(3), rtol=0, what="the gradient at 0")


@test_case(name="safe_norm elsewhere: the norm, and x / ||x||", points=0.25)
def test_q5_norm_elsewhere(safe_norm):
    """safe_norm elsewhere: the norm, and x / ||x||"""
    import numpy as np
    from adkit import checks
    from adkit.checks import transformations

    x = np.array([3.0, 0.0, -4.0])
    checks.close(checks.call(safe_norm, x, autodiff=True), 5.0, rtol=1e-12, what="the norm")
    found = transformations.traced(safe_norm, x, np.array(1.0), transform="vjp").outputs[0]
    checks.close(found, [0.6, 0.0, -0.8], rtol=1e-12, what="the gradient")
