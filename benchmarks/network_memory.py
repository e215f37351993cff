"""Ways of backpropagation through a network, and what memory they really take: `python benchmarks/network_memory.py`.

Prints a table for the JAX that runs it: 64 layers, checkpoints at every eighth; the peak of live arrays and the matrix
products of the traced backward pass, the residuals that cross, the bytes of live arrays in an eager `jax.vjp` between
the passes and at the peak (width 64, batch 4096), and the points that each earns in q7 of `checkpointing` (in q9 the
nested one).
"""

import argparse
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "student_template"))

import adkit
import jax
import jax.numpy as jnp
import numpy as np
from adkit.checks import network
from otter.test_files import ExceptionTestFile

from reference import checkpointing
from reference.mistakes import catalogue

REPOSITORY = Path(__file__).resolve().parents[1]
LAYERS, CHECKPOINTS = 64, list(range(8, 64, 8))
MIB = 2**20

Loss = Callable[[Any, Any, Any, Any], Any]


def losses() -> dict[str, Loss]:
    """What is compared, by name."""
    mistakes = {m.name: m.implementation for m in catalogue("checkpointing") if m.function == "checkpointed_loss"}
    return {
        "plain": lambda params, x, y, _: adkit.mlp_loss(params, x, y),
        "one checkpoint per segment": checkpointing.checkpointed_loss,
        "a policy round everything": mistakes["policy"],
        "the whole network": mistakes["whole_network"],
        "nested halves": lambda params, x, y, _: checkpointing.nested_checkpointed_loss(params, x, y),
    }


def row(name: str, loss: Loss) -> list[str]:
    """One line of the table."""
    problem = network.network([4] * (LAYERS + 1), 1024, CHECKPOINTS, np.random.default_rng(0))
    measured = network.measured(loss, problem)
    assert measured.backward_work is not None
    backward, residuals = measured.backward_work, measured.residuals or []
    large = sum(residual.size >= problem.x.size for residual in residuals)
    params, x, y = deep_network()
    with adkit.live_bytes() as live:
        value, pull_back = jax.vjp(lambda params: loss(params, x, y, CHECKPOINTS), params)
        live.mark("between")
        jax.block_until_ready(pull_back(jnp.ones_like(value)))
    return [
        name,
        str(backward.peak // problem.x.size),
        str(backward.matrix_products),
        str(large),
        f"{live.marks['between'] / MIB:.0f}",
        f"{live.peak / MIB:.0f}",
        points(name, loss),
    ]


def deep_network() -> tuple[Any, Any, Any]:
    """64 layers of width 64 and a batch of 4096: one activation has 2 MiB."""
    x = jnp.asarray(np.random.default_rng(2).normal(size=(4096, 64)))
    return adkit.mlp([64] * (LAYERS + 1), key=2), x, jnp.tanh(x[:, ::-1])


def points(name: str, loss: Loss) -> str:
    """What it earns, of what there is."""
    question, function = ("q9", "nested_checkpointed_loss") if name == "nested halves" else ("q7", "checkpointed_loss")
    given: Any = (lambda params, x, y: loss(params, x, y, ())) if question == "q9" else loss
    tests = ExceptionTestFile.from_file(str(REPOSITORY / "assignments" / "checkpointing" / "tests" / f"{question}.py"))
    tests.run({function: given})
    results = [(float(result.test_case.points or 0), result.passed) for result in tests.test_case_results]
    earned, possible = sum(p for p, passed in results if passed), sum(p for p, _ in results)
    return f"{earned:g} of {possible:g} ({question})"


def main() -> None:
    """Prints the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"JAX {jax.__version__}, jaxlib {version('jaxlib')}, Python {sys.version.split()[0]}\n")
    print("| | peak | products | residuals | MiB between | MiB at the peak | points |")
    print("|---|--:|--:|--:|--:|--:|---|")
    for name, loss in losses().items():
        print("|", " | ".join(row(name, loss)), "|", flush=True)


if __name__ == "__main__":
    main()
