"""Every attack against every way of grading: `python benchmarks/attacks.py [--runner RUNNER]… [NAME…]`.

Prints the table attack × runner with what was observed from outside, and ends with 1 when an attack gained anything.
Runners: `session` and `grade` take two minutes each, `otter` ten seconds an attack, `docker` five (it needs the image
that --image names). The corpus and what success looks like: `tests/hostile`.

Poorer machines: `--without-namespaces` as in a container, `--as-user` as somebody without root's rights (both together:
as a user of a machine that allows no user namespaces), and for `session` any choice of `--layers`.
"""

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hostile import situations
from hostile.apparatus import Lab
from hostile.corpus import ATTACKS, BY_NAME
from hostile.runners import DockerRunner, GradeRunner, OtterRunner, Outcome, SessionRunner, table

from autograder.isolation.layers import LAYERS, available, policy

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> int:
    """Runs and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks; all of them without")
    parser.add_argument("--runner", action="append", choices=("session", "grade", "otter", "docker"), metavar="RUNNER")
    parser.add_argument("--image", default="rig-base:latest")
    parser.add_argument("--without-namespaces", action="store_true", help="as in a container: none can be made")
    parser.add_argument("--as-user", type=int, metavar="UID", help="as this user id, not root")
    parser.add_argument("--layers", metavar="LAYER,…", help="with --runner session: no layers but these")
    options = parser.parse_args()
    if options.layers and options.runner != ["session"]:
        parser.error("--layers goes with --runner session alone")
    if os.geteuid() == 0 and (options.as_user or options.without_namespaces):
        situations.reachable([Path(sys.prefix), Path(sys.base_prefix), REPOSITORY])
    if options.as_user:
        situations.as_user(options.as_user)
    if options.without_namespaces:
        situations.without_namespaces()
    without = set(LAYERS) - set(options.layers.split(",")) if options.layers else set[str]()
    attacks = [BY_NAME[name] for name in options.names] or list(ATTACKS)
    outcomes: list[Outcome] = []

    def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if not outcome.held or sys.stderr.isatty():
            print(f"{outcome.runner}: {outcome.attack}: {outcome.found or 'held'}", file=sys.stderr, flush=True)

    started = time.monotonic()
    for name in options.runner or ("session", "grade"):
        with Lab() as lab:
            if name == "session":
                with SessionRunner(lab, policy(without=without, secrets=lab.secrets)) as session:
                    for attack in attacks:
                        note(session.run(attack))
            elif name == "grade":
                for outcome in GradeRunner(lab).run(attacks):
                    note(outcome)
            elif name == "otter":
                otter = OtterRunner(lab)
                for attack in attacks:
                    note(otter.run(attack))
            else:
                for outcome in DockerRunner(lab, options.image).run(attacks):
                    note(outcome)
    print(table(outcomes))
    print()
    kinds = Counter(attack.kind for attack in attacks)
    print(
        f"{len(attacks)} attacks ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}) "
        f"in {time.monotonic() - started:.0f} s"
    )
    print(f"layers here: {', '.join(sorted(available() - without))}")
    won = [outcome for outcome in outcomes if not outcome.held]
    print(f"{len(outcomes)} outcomes, {len(won)} in which something was gained")
    return 1 if won else 0


if __name__ == "__main__":
    sys.exit(main())
