"""`aistack:report/report-generator`: its exports made from a plugin's methods `describe check migrate run`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .guard import Border, as_json
from .worlds import feature, fine, lifecycle_exports, problem

__all__ = ["Job", "exports", "feature", "fine", "problem"]


@dataclass
class Job:
    """What is to be made."""

    report: str
    params: dict
    format: str


def exports(plugin, host) -> dict[str, type]:
    """What the component exports."""
    border = Border(plugin, host)

    class Generator:
        def run(self, c, report, params, format):
            return as_json(border.run("run", "reports", dict, c, Job(report, json.loads(params), format)))

    return {**lifecycle_exports(border), "Generator": Generator}
