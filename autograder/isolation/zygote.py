"""The template process: an interpreter that has imported everything once, and forks for every submission.

Started by the grader with a clean environment. It is trusted and runs nothing of a submission's; it knows no test and
no reference, so that a fork of it has nothing to leak. It stays single-threaded: JAX is imported but no backend is
touched, since a process with threads cannot be forked safely.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
from typing import Any, Final

PRELOADED: Final = (
    "numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.polynomial", "numpy.testing", "scipy.linalg",
    "jax", "jax.numpy", "jax.numpy.linalg", "jax.scipy.linalg", "jax.scipy.special", "jax.export", "jax.random",
    "jax.tree_util", "jax.ad_checkpoint", "jax.lax", "jax.test_util", "jax.flatten_util", "jax.custom_derivatives",
    "jaxlib.mlir.dialects.stablehlo", "flatbuffers",
    "asyncio", "collections", "copy", "dataclasses", "fractions", "functools", "heapq", "inspect", "itertools",
    "math", "operator", "random", "statistics", "string", "textwrap", "time", "timeit", "typing", "warnings",
    "IPython.core.inputtransformer2", "IPython.display",
    "autograder.isolation.child", "autograder.isolation.audit",
)  # fmt: skip


def main(control: int) -> None:
    """Serves fork requests on the socket with descriptor `control` until it is closed."""
    requests = socket.socket(fileno=control)
    _preload()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    requests.sendall(b"ready %d\n" % len(os.listdir("/proc/self/task")))
    while True:
        # one message, one packet: SOCK_SEQPACKET keeps them apart
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 4)
        if not message:
            return
        _reap()
        pid = os.fork()
        if pid == 0:
            requests.detach()
            os.close(control)
            _become(json.loads(message), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.sendall(b"%d\n" % pid)


def _preload() -> None:
    import adkit
    from adkit.tracing import contexts

    from autograder.isolation import operations

    for name in (*PRELOADED, *(module.name for module in pkgutil.walk_packages(adkit.__path__, "adkit."))):
        try:
            importlib.import_module(name)
        except ImportError:
            # not every version of JAX has every module; what is missing is imported by who needs it
            continue
    contexts.leave_out_locations()
    contexts.share_context()  # a fork has it, and JAX makes no new one for each operation
    operations.prepare()


def _reap() -> None:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def _become(request: dict[str, Any], channel: int, output: int, control: int, *lease: int) -> None:
    """The forked process: a supervisor, whose child serves the grader on `channel`. Never returns.

    `lease`: the lock on the child's user id, where it has one.
    """
    from autograder.isolation import child, implementations
    from autograder.isolation.confine import Confinement, supervise

    confinement = Confinement.from_json(request["confinement"])
    os.dup2(output, 1)
    os.dup2(output, 2)
    serve = {
        "submission": child.serve_submission,
        "artefacts": child.serve_artefacts,
        "implementation": implementations.serve,
    }[request["kind"]]

    def body(applied: tuple[str, ...]) -> None:
        serve(channel, applied, confinement, request["frame_bytes"])

    supervise(confinement, control, (channel,), body, held=lease)


if __name__ == "__main__":
    main(int(sys.argv[1]))
