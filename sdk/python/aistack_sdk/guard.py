"""The border: nothing but faults crosses it, and a fault of Python's own says where in the author's source it was."""

from __future__ import annotations

import json
import os
import types
import typing
from dataclasses import fields, is_dataclass
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


def sound(value: Any, hint: Any, name: str) -> None:
    """Raises a TypeError when a result does not have the contract's types: the interpreter would trap without a word."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inside:
            return
        fitting = [h for h in inside if isinstance(h, type) and isinstance(value, h)]
        others = [h for h in inside if h is not type(None)]
        hint = fitting[0] if fitting else others[0]
        if not fitting and len(others) > 1:
            raise TypeError(f"{name} is {value!r}; it is one of {', '.join(h.__name__ for h in others)}")
        sound(value, hint, name)
    elif origin is list:
        _is(value, list, name)
        for i, item in enumerate(value):
            sound(item, inside[0], f"{name}[{i}]")
    elif origin is tuple:
        if not isinstance(value, tuple) or len(value) != len(inside):
            raise TypeError(f"{name} is {value!r}; it is a tuple of {len(inside)}")
        for i, (item, one) in enumerate(zip(value, inside)):
            sound(item, one, f"{name}[{i}]")
    elif isinstance(hint, type):
        _is(value, hint, name)
        if is_dataclass(hint):
            hints = typing.get_type_hints(hint)
            for field in fields(hint):
                sound(getattr(value, field.name), hints[field.name], f"{name}.{field.name}")


def _is(value: Any, kind: type, name: str) -> None:
    # A truth value is a whole number to Python, and not to the contract.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{name} has to be {kind.__name__} and is {value!r}")


class Border:
    """Calls the methods of a plugin on behalf of the platform."""

    def __init__(self, plugin, host):
        self.plugin = plugin
        self.host = host

    def run(self, method: str, what: str, result: Any, *args):
        """Calls a method with the host in front and checks that it returns a `result`; raises what the bindings
        understand."""
        try:
            found = getattr(self.plugin, method, None)
            if found is None:
                raise Fault.not_offered(what)
            returned = found(self.host, *args)
            sound(returned, result, f"what {method} returns")
            return returned
        except Exception as raised:
            raise explained(self.host, method, raised).to_wit() from None
