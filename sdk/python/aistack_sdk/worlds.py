"""The exports that every world has, made from a plugin's methods."""

from __future__ import annotations

import json

from wit_world.exports import lifecycle
from wit_world.imports.types import Outcome

from .faults import Fault
from .guard import Border, as_json, explained


def feature(name: str, extra: dict | None = None) -> lifecycle.Feature:
    """One thing that works, for `describe`."""
    return lifecycle.Feature(name, as_json(extra))


def fine(message: str = "fine") -> lifecycle.Finding:
    """A line of `check` that is in order."""
    return lifecycle.Finding(None, True, message)


def problem(message: str, field: str | None = None) -> lifecycle.Finding:
    """A line of `check` that is not; `field` is a JSON pointer into the config."""
    return lifecycle.Finding(field, False, message)


def lifecycle_exports(border: Border) -> dict[str, type]:
    """`aistack:core/lifecycle` from `describe`, `check` and `migrate`."""
    plugin, host = border.plugin, border.host

    class Lifecycle:
        def describe(self):
            return plugin.describe()

        def check(self, c, deep):
            try:
                return plugin.check(host, c, deep) if hasattr(plugin, "check") else []
            except Exception as raised:
                return [problem(explained(host, "check", raised).message)]

        def migrate(self, c, from_version, config):
            if not hasattr(plugin, "migrate"):
                return config
            return as_json(border.run("migrate", "migration", dict, c, from_version, json.loads(config)))

    return {"Lifecycle": Lifecycle}


def delivery_exports(border: Border) -> dict[str, type]:
    """`aistack:core/{inbound,documents,jobs}` from `inbound`, `document` and `job`."""
    # Reports have neither.
    from wit_world.exports import documents, jobs

    class Inbound:
        def handle(self, c, endpoint, req):
            return border.run("inbound", "deliveries", Outcome, c, endpoint, req)

    class Documents:
        def get(self, c, name):
            return border.run("document", "documents", documents.Doc, c, name)

    class Jobs:
        def start(self, c, name, cursor):
            return border.run("job", "jobs", jobs.Run, c, name, cursor)

    return {"Inbound": Inbound, "Documents": Documents, "Jobs": Jobs}


__all__ = ["Fault", "delivery_exports", "feature", "fine", "lifecycle_exports", "problem"]
