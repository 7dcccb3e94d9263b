"""The border: nothing but faults crosses it, and a fault of Python's own says where in the author's source it was."""

from __future__ import annotations

import json
import os
from typing import Any

from .faults import Fault

_HERE = os.path.dirname(os.path.abspath(__file__))


def as_json(value: Any) -> str:
    """A JSON field: text as it is, None as `{}`, anything else written as JSON."""
    if value is None:
        return "{}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def place(raised: BaseException) -> str:
    """`plugin.py:12 in pay` of the innermost frames that are the author's own."""
    frames = []
    at = raised.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        # In the component the sources lie in numbered folders: /0/plugin.py.
        name = code.co_filename
        if not name.startswith(_HERE) and not name.startswith("/python/"):
            parts = [p for p in name.split("/") if p]
            short = "/".join(parts[1:]) if parts and parts[0].isdigit() else os.path.basename(name)
            frames.append(f"{short}:{at.tb_lineno} in {code.co_name}")
        at = at.tb_next
    return " < ".join(reversed(frames[-4:]))


def explained(host, operation: str, raised: Exception) -> Fault:
    """The fault that an exception becomes."""
    fault = Fault.from_wit(raised)
    if fault is not None:
        return fault
    where = place(raised)
    what = f"{type(raised).__name__}: {raised}" + (f" ({where})" if where else "")
    try:
        host.log("error", what, operation=operation)
    except Exception:
        pass  # The log is a comfort; the fault says the same.
    return Fault.internal("exception", what)


class Border:
    """Calls the methods of a plugin on behalf of the platform."""

    def __init__(self, plugin, host):
        self.plugin = plugin
        self.host = host

    def run(self, method: str, what: str, *args):
        """Calls a method with the host in front; raises what the bindings understand."""
        try:
            found = getattr(self.plugin, method, None)
            if found is None:
                raise Fault.not_offered(what)
            return found(self.host, *args)
        except Exception as raised:
            raise explained(self.host, method, raised).to_wit() from None
