"""The platform's double for unit tests: it grants what the plugin's own manifest declares and refuses the rest as the
platform does, answers HTTP from a script, and has clock and randomness under the test's control."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from wit_world.imports.types import Context, HttpRequest, HttpResponse, Money

from ..host import Host
from .interfaces import interfaces
from .network import Network

__all__ = ["FakeHost", "context", "money"]


def context(**more) -> Context:
    """A context as the platform makes it."""
    known = {
        "tenant": "ten_1",
        "installation": "ins_1",
        "call_id": "call_1",
        "trace": "req_1",
        "locale": "en",
        "time_zone": "UTC",
        "live": False,
        "attempt": 1,
        "budget_ms": 10_000,
        "base_url": "https://acme.example.test",
        "extra": "{}",
    }
    return Context(**{**known, **more})


def money(minor: int, currency: str, exponent: int) -> Money:
    """Money in minor units."""
    return Money(minor, currency, exponent)


class _Script:
    def __init__(self, host: FakeHost, method: str, url: str):
        self._add = lambda answer: host.state.network.script.insert(0, (method, url, answer)) or host

    def reply(self, status: int, body: bytes | str = b"") -> FakeHost:
        raw = body.encode() if isinstance(body, str) else body
        return self._add(lambda _: HttpResponse(status, [], raw))

    def reply_json(self, status: int, value: Any) -> FakeHost:
        return self.reply(status, json.dumps(value))

    def reply_with(self, make: Callable[[HttpRequest], HttpResponse]) -> FakeHost:
        return self._add(make)

    def fail(self, fault: Exception) -> FakeHost:
        def failing(_):
            raise fault

        return self._add(failing)


class FakeHost(Host):
    """A platform for one plugin. `requests` is what was sent, with the credential put in; `logs`, `files` and `reported`
    are what the plugin wrote and reported."""

    def __init__(self, root: str | Path, config: dict):
        folder = Path(root)
        folder = folder if folder.is_dir() else folder.parent
        while not (folder / "aistack-plugin.toml").exists() and folder != folder.parent:
            folder = folder.parent
        self.state = SimpleNamespace(
            manifest=tomllib.loads((folder / "aistack-plugin.toml").read_text()),
            config=config,
            secrets={},
            kv={},
            datasets={},
            files={},
            logs=[],
            progress=[],
            cancel_at=None,
            now=1_767_225_600_000,
            random=0,
        )
        self.state.network = Network(self.state)
        super().__init__(interfaces(self.state))

    @classmethod
    def for_plugin(cls, root: str | Path, config: dict | None = None) -> FakeHost:
        """For the plugin whose manifest lies in `root` or above it."""
        return cls(root, config or {})

    def with_secret(self, name: str, *values: str) -> FakeHost:
        """Gives a declared secret its values, newest first."""
        if all(s["name"] != name for s in self.state.manifest.get("secret", [])):
            raise ValueError(f"aistack-plugin.toml declares no secret {name}")
        self.state.secrets[name] = values
        return self

    def on(self, method: str, url: str) -> _Script:
        """Scripts an answer: `.reply(200, body)`, `.reply_json(200, value)`, `.reply_with(function)`, `.fail(fault)`."""
        return _Script(self, method, url)

    def with_dataset(self, name: str, columns: list, rows: list) -> FakeHost:
        """Gives a declared dataset its columns and rows."""
        self.state.datasets[name] = (columns, rows)
        return self

    def cancel_at(self, percent: int) -> FakeHost:
        """From this percentage on the run counts as cancelled."""
        self.state.cancel_at = percent
        return self

    def advance(self, ms: int) -> FakeHost:
        """Moves the clock."""
        self.state.now += ms
        return self

    @property
    def requests(self) -> list:
        return self.state.network.sent

    @property
    def logs(self) -> list[tuple[str, str, dict]]:
        return self.state.logs

    @property
    def files(self) -> dict[str, bytes]:
        return self.state.files

    @property
    def reported(self) -> list[int]:
        return self.state.progress
