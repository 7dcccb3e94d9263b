"""Makes `dist/<id, with dashes>.wasm` of this folder: `python3 build.py [--out FILE]`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../../../python"))

from aistack_build import main, ready  # noqa: E402 (only now it can be found)

if __name__ == "__main__":
    main(HERE)
else:
    # Tests import this module to have the SDK and the types of the world at hand.
    ready(HERE)
