"""The platform as a plugin sees it: one object over the interfaces that were granted. The build hands in what the
component imports; tests hand in `aistack_sdk.testing.FakeHost`."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from wit_world.imports.types import HttpRequest, HttpResponse

from .faults import Fault


class Credential:
    """A way to authenticate a request with a secret; see `Host.send`."""

    def __init__(self, case: str, value: Any = None):
        self.case = case
        self.value = value

    @classmethod
    def bearer(cls, secret) -> Credential:
        return cls("Bearer", secret)

    @classmethod
    def basic(cls, user: str, secret) -> Credential:
        return cls("Basic", (user, secret))

    @classmethod
    def header(cls, name: str, secret) -> Credential:
        return cls("Header", (name, secret))

    @classmethod
    def query(cls, name: str, secret) -> Credential:
        return cls("Query", (name, secret))

    @classmethod
    def form(cls, name: str, secret) -> Credential:
        return cls("Form", (name, secret))

    @classmethod
    def client_cert(cls, secret) -> Credential:
        return cls("ClientCert", secret)


class _Interface:
    """An interface whose functions raise faults."""

    def __init__(self, name: str, functions):
        self._name = name
        self._functions = functions

    def __getattr__(self, name: str):
        if self._functions is None:
            raise Fault.denied(
                "interface_not_declared", f"aistack-plugin.toml declares nothing that brings {self._name}"
            )
        found = getattr(self._functions, name)
        return _faulting(found) if callable(found) and not isinstance(found, type) else found


def _faulting(function):
    def called(*args):
        try:
            return function(*args)
        except Exception as raised:
            fault = Fault.from_wit(raised)
            if fault is None:
                raise
            raise fault from None

    return called


class Host:
    """Everything the platform does for a plugin. Each function raises a `Fault` when the platform refuses."""

    def __init__(self, interfaces: dict[str, Any]):
        names = ["config", "log", "clock", "random", "kv", "secrets", "reveal", "crypto", "http", "dial", "download"]
        names += ["blob", "datasets"]
        self._with = SimpleNamespace(**{name: _Interface(name, interfaces.get(name)) for name in names})

    def config(self) -> dict:
        """The installation's configuration, valid by the plugin's schema."""
        return json.loads(self._with.config.get())

    def log(self, level: str, message: str, **fields) -> None:
        """Writes a line to the call's log: `trace`, `debug`, `info`, `warn` or `error`."""
        log = self._with.log
        log.emit(log.Level[level.upper()], message, [(name, str(value)) for name, value in fields.items()])

    def info(self, message: str, **fields) -> None:
        self.log("info", message, **fields)

    def warn(self, message: str, **fields) -> None:
        self.log("warn", message, **fields)

    def now_ms(self) -> int:
        """Unix milliseconds. Python's own `time` is not there."""
        return self._with.clock.now_ms()

    def monotonic_ns(self) -> int:
        """Nanoseconds since a fixed point."""
        return self._with.clock.monotonic_ns()

    def random(self, count: int) -> bytes:
        """Unpredictable bytes. Python's own `random` and `secrets` give the same in every call: never use them."""
        return self._with.random.bytes(count)

    def kv_get(self, key: str):
        """An entry with `value` and `version`, or None."""
        return self._with.kv.get(key)

    def kv_put(self, key: str, value: bytes, *, ttl_s: int | None = None, if_version: int | None = None) -> int:
        """Writes and returns the new version. `if_version=0` writes only when the key is absent."""
        return self._with.kv.put(key, value, ttl_s, if_version)

    def kv_remove(self, key: str) -> None:
        self._with.kv.remove(key)

    def secret(self, name: str):
        """A handle of the newest version of a secret. The bytes stay with the host."""
        return self._with.secrets.open(name, None)

    def secret_versions(self, name: str) -> list:
        """Handles of all versions, newest first: verify with each, sign with the first."""
        return [self._with.secrets.open(name, version) for version in self._with.secrets.versions(name)]

    def reveal(self, secret) -> bytes:
        """The bytes of a secret: a grant of its own, for identity plugins only. Avoid it."""
        return self._with.reveal.expose(secret)

    @property
    def crypto(self):
        """`digest`, `mac`, `mac_verify`, `sign`, `verify`, `open_aead`, `seal_aead`, `decrypt`, `encrypt`,
        `encrypt_to` and `certificate`, as the contract has them."""
        return self._with.crypto

    def send(
        self,
        request: HttpRequest,
        credential: Credential | None = None,
        *,
        timeout_ms: int = 0,
        max_bytes: int = 0,
        redirects: int = 0,
        idempotent: bool = False,
        ca: str | None = None,
    ) -> HttpResponse:
        """Sends a request to a granted host and waits for the whole answer. Any status is an answer, not a fault.
        `idempotent`: it may be sent twice."""
        http = self._with.http
        options = http.Options(timeout_ms, max_bytes, redirects, idempotent, ca)
        return http.send(request, self._credential(credential), options)

    def download(self, request: HttpRequest, credential: Credential | None, packing, charset, max_bytes: int) -> list:
        """Payment plugins: downloads a file that is too large for `send`; needs `extra=["download"]` in build.py."""
        return self._with.download.fetch(request, self._credential(credential), packing, charset, max_bytes)

    def _credential(self, credential: Credential | None):
        http = self._with.http
        if credential is None:
            return http.Credential_None_()
        return getattr(http, f"Credential_{credential.case}")(credential.value)

    @property
    def dial(self):
        """Identity plugins: `connect` to a granted endpoint, as the contract has it."""
        return self._with.dial

    def create_file(self, name: str, media_type: str) -> _Interface:
        """Starts a file of the run: `write(bytes)`, then `finish()` for its listed name."""
        return _Interface("blob", self._with.blob.create(name, media_type))

    def open_dataset(self, name: str, filter: dict, as_of_ms: int) -> _Interface:
        """Opens a granted dataset: `columns()`, `next(max)` for the next rows, empty at the end."""
        return _Interface("datasets", self._with.datasets.open(name, json.dumps(filter), as_of_ms))

    def progress(self, percent: int) -> bool:
        """Reports progress, 0 to 100. False: the run was cancelled, stop now."""
        return self._with.datasets.progress(percent)
