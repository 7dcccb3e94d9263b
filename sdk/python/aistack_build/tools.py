"""componentize-py lies in the user's cache, where it is put the first time: 70 MB, the same for every project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

#: Also the name of its folder in the cache.
COMPONENTIZE_PY = "0.25.1"


def cache() -> Path:
    """Where the kit keeps what it fetched or made."""
    own = os.environ.get("AISTACK_AUTHOR_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(own) if own else base / "aistack" / "author"


def componentize_py(say: Callable[[str], None] = lambda _: None) -> Path:
    """The program; installed if it is not there."""
    folder = cache() / f"python-{COMPONENTIZE_PY}-{sys.version_info.major}.{sys.version_info.minor}"
    program = folder / ("Scripts" if os.name == "nt" else "bin") / "componentize-py"
    if (folder / ".complete").exists():
        return program
    say(f"installing componentize-py {COMPONENTIZE_PY} into {folder} (once, 70 MB)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Programs of an environment name its folder, so it is made where it stays; the mark says that it is whole.
        venv.create(folder, with_pip=True)
    except Exception as error:
        raise SystemExit(f"error: no virtual environment ({error}): install Python's venv (Debian: python3-venv)")
    pip = [str(program.parent / "python"), "-m", "pip", "install", "--quiet", f"componentize-py=={COMPONENTIZE_PY}"]
    if subprocess.run(pip, stdout=sys.stderr).returncode != 0:
        raise SystemExit(f"error: pip could not install componentize-py {COMPONENTIZE_PY}: is the index reachable?")
    (folder / ".complete").touch()
    return program


def scratch() -> tempfile.TemporaryDirectory:
    """A folder that is gone after use."""
    return tempfile.TemporaryDirectory(prefix="aistack-py-")

