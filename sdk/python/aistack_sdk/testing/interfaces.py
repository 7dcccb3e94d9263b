"""The interfaces of the double, each with the shape that the component's imports have. Only those that the manifest
declares are there."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
from types import SimpleNamespace

from aistack_build import world
from ..faults import Fault

_DIGESTS = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "MD5": "md5"}
_MACS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512", "HMAC-SHA1": "sha1"}


class Secret:
    """A handle."""

    def __init__(self, name: str, value: str):
        self.name = name
        self.value = value.encode()

    def size(self) -> int:
        return len(self.value)


def interfaces(state) -> dict:
    """All interfaces that the manifest brings, over the state of one double."""
    manifest = state.manifest

    def known(name):
        if name not in state.secrets:
            raise Fault.not_found("secret_unknown", f"there is no secret {name}")
        return state.secrets[name]

    def used(secret, use):
        declared = next(s for s in manifest["secret"] if s["name"] == secret.name)
        if use not in declared["use"]:
            raise Fault.denied("use_not_granted", f"{secret.name} may not be used as {use}")
        return secret.value

    def algorithm(table, alg):
        if alg not in table:
            raise Fault.not_offered(f"the algorithm {alg} in tests")
        return table[alg]

    def mac(alg, secret, data):
        return hmac.digest(used(secret, f"mac:{alg}"), data, algorithm(_MACS, alg))

    def not_doubled(what):
        def refuse(*_):
            raise Fault.not_offered(f"{what} in tests")

        return refuse

    def random_bytes(count):
        out = b""
        while len(out) < count:  # The same bytes in every run of a test, other ones in every call.
            out += hashlib.sha256(str(state.random).encode()).digest()
            state.random += 1
        return out[:count]

    def kv_get(key):
        found = state.kv.get(key)
        return None if found is None or found.until <= state.now else found

    def kv_put(key, value, ttl_s, if_version):
        found = kv_get(key)
        if if_version is not None and if_version != (found.version if found else 0):
            raise Fault.conflict("version_mismatch", f"{key} is at another version")
        version = state.kv[key].version + 1 if key in state.kv else 1
        until = float("inf") if ttl_s is None else state.now + ttl_s * 1000
        state.kv[key] = SimpleNamespace(value=value, version=version, until=until)
        return version

    class Sink:
        def __init__(self, name):
            self.name, self.content = name, b""

        def write(self, data):
            self.content += data

        def finish(self):
            state.files[self.name] = self.content
            return self.name

    class Rows:
        def __init__(self, columns, rows):
            self._columns, self._rows = columns, list(rows)

        def columns(self):
            return self._columns

        def next(self, most):
            page, self._rows = self._rows[:most], self._rows[most:]
            return page

    def open_dataset(name, filter, _as_of):
        json.loads(filter)
        if all(name not in r.get("datasets", []) for r in manifest.get("report", [])):
            raise Fault.denied("dataset_not_granted", f"{name} is not among the granted datasets")
        if name not in state.datasets:
            raise Fault.provider("dataset_unavailable", f"the test gives {name} no rows")
        return Rows(*state.datasets[name])

    def progress(percent):
        state.progress.append(percent)
        return state.cancel_at is None or percent < state.cancel_at

    def emit(level, message, fields):
        state.logs.append((level.name.lower(), message, dict(fields)))

    doubles = {
        "config": {"get": lambda: json.dumps(state.config)},
        "log": {"emit": emit},
        "clock": {"now_ms": lambda: state.now, "monotonic_ns": lambda: state.now * 1_000_000},
        "random": {"bytes": random_bytes},
        "kv": {"get": kv_get, "put": kv_put, "remove": lambda key: state.kv.pop(key, None) and None},
        "secrets": {
            "versions": lambda name: [str(i) for i in range(len(known(name)))],
            "open": lambda name, version: Secret(name, known(name)[int(version or 0)]),
        },
        "reveal": {"expose": lambda secret: used(secret, "reveal")},
        "crypto": {
            "digest": lambda alg, data: hashlib.new(algorithm(_DIGESTS, alg), data).digest(),
            "mac": mac,
            "mac_verify": lambda alg, secret, data, tag: hmac.compare_digest(mac(alg, secret, data), tag),
        },
        "http": {"send": state.network.send},
        "blob": {"create": lambda name, _: Sink(name)},
        "datasets": {"open": open_dataset, "progress": progress},
    }
    found = {}
    for name in world.imports(manifest):
        # Types are those of the bindings; functions without a double say so.
        module = importlib.import_module(f"wit_world.imports.{name}")
        double = SimpleNamespace()
        for member, value in vars(module).items():
            if isinstance(value, type):
                setattr(double, member, value)
            elif callable(value) and not member.startswith("_"):
                setattr(double, member, not_doubled(f"{name}.{member}"))
        vars(double).update(doubles.get(name, {}))
        found[name] = double
    return found
