"""Makes a place where nothing is installed ready for the notebooks: `python bootstrap.py`, in this folder.

For Colab and other machines that come with packages of their own: it installs what requirements.txt asks for and is not
there, leaves what is there as it is, and says what it found. JupyterLab is not installed: such a place has its
own.
"""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_NEEDED = frozenset({"jupyterlab"})


def missing(requirements: str) -> list[str]:
    """The lines of requirements.txt whose package is not installed, whatever its version."""
    found: list[str] = []
    for line in requirements.splitlines():
        name = re.match(r"[A-Za-z0-9._-]+", line.strip())
        if name is None or name[0] in NOT_NEEDED:
            continue
        try:
            metadata.version(name[0])
        except metadata.PackageNotFoundError:
            found.append(line.strip())
    return found


def main() -> int:
    """Installs what is missing, and says what is here."""
    wanted = missing((HERE / "requirements.txt").read_text(encoding="utf-8"))
    if wanted:
        print(f"installing {', '.join(wanted)}", flush=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", *wanted]
        if subprocess.run(command).returncode != 0:
            print("Not everything could be installed. What needs it says so; see above for the reason.")
    sys.path.insert(0, str(HERE))
    import adkit

    notebooks = sorted(path.name for path in HERE.glob("*.ipynb"))
    print(f"adkit {adkit.__version__} and {len(notebooks)} notebooks are in {HERE}: {', '.join(notebooks)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
