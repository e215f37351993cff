# %% [markdown]
# # A toy assignment
#
# Small enough to read at once; it exercises the build.
#
# ![A box](figures/box.svg)

# %% tags=["setup"]
import otter

grader = otter.Notebook("toy.ipynb", tests_dir="tests/toy")

# %% [markdown]
# ## q1 Twice

# %% question="q1"
def twice(x):
    """Twice the number x."""
    raise NotImplementedError("q1: twice")

# %% [markdown]
# Try it before you check it.

# %% check="q1"
grader.check("q1")

# %% question="q2"
def total(xs):
    """The sum of the numbers xs; 0 when there are none."""
    raise NotImplementedError("q2: total")


def mean(xs):
    """The mean of the numbers xs."""
    raise NotImplementedError("q2: mean")

# %% check="q2"
grader.check("q2")

# %% question="q3"
def largest(xs):
    """The largest of the numbers xs."""
    raise NotImplementedError("q3: largest")

# %% check="q3"
grader.check("q3")

# %% tags=["export"]
grader.export(pdf=False, run_tests=True)
