# %% [markdown]
# # Dual numbers
#
# A dual number is a pair (value, tangent). Arithmetic on pairs carries derivatives along.
#
# | question | you write | points | minutes |
# |---|---|--:|--:|
# | q1 | `multiply`, `divide` | 3 | 5 |

# %% tags=["setup"]
import adkit

grader = adkit.Notebook("dual_numbers")

# %% [markdown]
# ## q1: Products and quotients (3 points, about 5 minutes)

# %% question="q1"
def multiply(a, b):
    """The product of the dual numbers a and b, as a pair."""
    raise NotImplementedError("q1: multiply")


def divide(a, b):
    """The quotient of the dual numbers a and b, as a pair."""
    raise NotImplementedError("q1: divide")

# %% check="q1"
grader.check("q1")

# %% tags=["export"]
grader.export()
