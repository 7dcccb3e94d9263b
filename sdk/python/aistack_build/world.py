"""The WIT world of one plugin, from its manifest: what is declared decides what is imported. componentize-py imports all
of the world it is given, used or not, and the host refuses an import that nothing declares."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

#: The contract; a folder beside the SDK's, in the repository and in a new project alike.
CONTRACT = Path(__file__).resolve().parents[3] / "wit" / "v1"
VERSION = "1.0.0"

ALWAYS = ["log", "config", "clock"]
_SHARED = ["aistack:core/inbound", "aistack:core/documents", "aistack:core/jobs"]

#: Per world: the SDK's module, the exports, the imports it may have.
WORLDS = {
    "aistack:identity/identity-provider": (
        "identity",
        ["aistack:core/lifecycle", "aistack:identity/login", "aistack:identity/directory", *_SHARED],
        [*ALWAYS, "random", "kv", "secrets", "reveal", "crypto", "http", "dial"],
    ),
    "aistack:payment/payment-provider": (
        "payment",
        [
            "aistack:core/lifecycle",
            "aistack:payment/payments",
            "aistack:payment/refunds",
            "aistack:payment/agreements",
            "aistack:payment/settlement",
            *_SHARED,
        ],
        [*ALWAYS, "random", "kv", "secrets", "crypto", "http", "blob", "download"],
    ),
    "aistack:report/report-generator": (
        "report",
        ["aistack:core/lifecycle", "aistack:report/generator"],
        [*ALWAYS, "blob", "datasets"],
    ),
}


def read(root: Path) -> dict:
    """The manifest of the project in a folder."""
    return tomllib.loads((root / "aistack-plugin.toml").read_text())


def world_of(manifest: dict) -> tuple[str, list[str], list[str]]:
    """The entry of `WORLDS` that a manifest names."""
    named = manifest.get("world", "")
    found = WORLDS.get(named.split("@")[0])
    if found is None:
        known = ", ".join(f"{w}@1.0" for w in WORLDS)
        raise SystemExit(f"error: aistack-plugin.toml: world {named!r} is unknown; it is one of {known}")
    return found


def imports(manifest: dict, extra: list[str] | None = None) -> list[str]:
    """The interfaces that a manifest declares; `extra` are those an author asks for that need no declaration."""
    secrets = manifest.get("secret", [])
    egress = {e.get("kind") for e in manifest.get("egress", [])}
    reports = manifest.get("report", [])
    grants = manifest.get("grants", {})
    declared = {
        "random": True,
        "crypto": True,
        "kv": "kv" in grants,
        "secrets": bool(secrets),
        "reveal": any("reveal" in s.get("use", []) for s in secrets),
        "http": "http" in egress,
        "dial": "dial" in egress,
        "blob": bool(reports) or grants.get("blob") is True,
        "datasets": any(r.get("datasets") for r in reports),
    }
    _, _, ceiling = world_of(manifest)
    for name in extra or []:
        if name not in ceiling:
            raise SystemExit(f"error: this world does not have the interface {name}")
    return [n for n in ceiling if n in ALWAYS or declared.get(n) or n in (extra or [])]


def text(manifest: dict, names: list[str]) -> str:
    """The world."""
    full = {n: "aistack:report/datasets" if n == "datasets" else f"aistack:host/{n}" for n in names}
    _, exports, _ = world_of(manifest)
    lines = [f"  import {full[n]}@{VERSION};" for n in names] + [f"  export {e}@{VERSION};" for e in exports]
    return "package plugin:component;\n\nworld plugin {\n" + "\n".join(lines) + "\n}\n"


def write(manifest: dict, names: list[str], folder: Path) -> None:
    """The world and all it refers to, as componentize-py wants it."""
    shutil.copytree(CONTRACT / "deps", folder / "deps")
    (folder / "world.wit").write_text(text(manifest, names))
    for file in folder.rglob("*.wit"):
        source = file.read_text()
        if file.name == "secrets.wit" and "secrets" not in names:
            # Other interfaces need its type; a plugin that declares no secret must not import the rest.
            source = re.sub(r"^ {4}(?:versions|open): func\(.*;\n", "", source, flags=re.M)
            source = re.sub(r"resource secret \{[^}]*\}", "resource secret;", source)
        # Comments become docstrings, in which a backslash is an escape.
        file.write_text(source.replace("\\", "/"))
