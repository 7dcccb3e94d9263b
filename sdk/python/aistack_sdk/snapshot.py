"""The component starts from a snapshot of the interpreter's memory, which holds whatever lay in freed blocks too:
source texts, tokens, parse trees. Filling those blocks with zeros makes the component a sixth smaller."""

import gc

#: Of each size class of small objects, and of larger blocks. More would open fresh pages and make the snapshot larger.
_SMALL, _LARGE = 60_000, 400_000
_HEADER = 33


def settle() -> None:
    """The last thing before the snapshot."""
    gc.collect()
    gc.collect()
    held = [[bytes(size) for _ in range(_SMALL // (size + _HEADER))] for size in range(1, 480, 16)]
    held += [[bytes(size) for _ in range(_LARGE // size)] for size in (1000, 2000, 4000, 8000, 16000, 32000, 64000)]
    del held
    gc.collect()
