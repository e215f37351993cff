"""Runs Otter on the submission in this container; results/results.json and results/results.pkl are always written."""

import json
import sys
import traceback
from pathlib import Path


def crashed(folder: Path, text: str) -> None:
    """The result of last resort, when not even the autograder's own code can be loaded."""
    tests = [
        {
            "name": "Autograder",
            "status": "failed",
            "visibility": "visible",
            "output": "The autograder failed. Please tell your instructor; it is not your fault.",
        },
        {"name": "Autograder error", "status": "failed", "visibility": "hidden", "output": text},
    ]
    (folder / "results" / "results.json").write_text(json.dumps({"score": 0, "tests": tests}), encoding="utf-8")
    import dill
    from otter.test_files import GradingResults

    failed = GradingResults.without_results(RuntimeError("the autograder failed: " + text.strip().splitlines()[-1]))
    (folder / "results" / "results.pkl").write_bytes(dill.dumps(failed))  # pyright: ignore[reportUnknownMemberType]


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")
    try:
        from autograder.otter.container.entry import main

        sys.exit(main(place))
    except Exception:
        traceback.print_exc()
        crashed(place, traceback.format_exc())
