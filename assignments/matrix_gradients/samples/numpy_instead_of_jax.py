# %% [markdown]
# Right values in NumPy: the two points for work are measured on what JAX traces.

# %% question="q1" points=6
import numpy as np


def linear_solve_vjp(A, b, x_bar):
    x = np.linalg.solve(A, b)
    b_bar = np.linalg.solve(np.asarray(A).T, x_bar)
    A_bar = -np.outer(b_bar, x) if b_bar.ndim == 1 else -b_bar @ x.T
    return A_bar, b_bar
