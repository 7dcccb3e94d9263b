"""From a folder with `aistack-plugin.toml`, `config.schema.json` and `plugin.py` to one component."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import wasm, world
from .tools import cache, componentize_py, scratch

_SDK = Path(__file__).resolve().parents[1]

#: Where the component starts: the plugin's methods become the world's exports.
_ENTRY = """\
import aistack_sdk.{module} as world
from aistack_sdk.host import Host
from aistack_sdk.snapshot import settle
from wit_world.imports import {names}
from {entry} import plugin

globals().update(world.exports(plugin, Host({{{members}}})))
settle()
"""


def _foreign(_: str, names: list[str]) -> list[str]:
    """What of a project does not go into its component."""
    away = {"__pycache__", "dist", "node_modules", "target", "tests", "venv"}
    return [n for n in names if n in away or n.startswith(".")]


def _run(arguments: list) -> None:
    # An environment the author works in would lend its packages to the component unasked.
    clean = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=clean)
    if done.returncode != 0:
        # The traceback of the author's module, without the tool's own below it.
        said = (done.stderr + done.stdout).split("\n\nCaused by:")[0].split("Stack backtrace:")[0]
        raise SystemExit(f"error: componentize-py failed\n{said.strip()}")


def bindings(root: Path, extra: list[str] | None = None) -> Path:
    """The types of the plugin's world as Python modules, for tests and editors; made when they are not there."""
    manifest = world.read(root)
    names = world.imports(manifest, extra)
    contract = "".join(f.read_text() for f in sorted(world.CONTRACT.rglob("*.wit")))
    tag = hashlib.sha256((world.text(manifest, names) + contract).encode()).hexdigest()[:12]
    folder = cache() / f"bindings-{tag}"
    if not folder.exists():
        program = componentize_py(lambda line: print(line, file=sys.stderr))
        with scratch() as work:
            wit = Path(work) / "wit"
            world.write(manifest, names, wit)
            made = Path(work) / "bindings"
            _run([program, "-q", "-d", wit, "-w", "plugin", "bindings", made])
            folder.parent.mkdir(parents=True, exist_ok=True)
            part = folder.with_suffix(f".{os.getpid()}")
            shutil.copytree(made, part)
            try:
                part.rename(folder)
            except OSError:  # Another run was faster.
                shutil.rmtree(part)
    return folder


def ready(root: Path, extra: list[str] | None = None) -> None:
    """Puts the plugin, the SDK and the bindings on the path, for tests."""
    for folder in (bindings(root, extra), _SDK, root):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def build(
    root: Path,
    *,
    entry: str = "plugin",
    out: Path | None = None,
    extra: list[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Path, bytes]:
    """Builds the plugin in the folder `root`: the module `entry` has it as `plugin`. `extra`: interfaces to import that
    need no declaration of their own (`download`). `vendor/`, if there is one, holds pure Python packages to take in."""
    program = componentize_py(say)
    manifest = world.read(root)
    schema = (root / manifest.get("config", {}).get("schema", "config.schema.json")).read_text()
    json.loads(schema)
    module, _, _ = world.world_of(manifest)
    names = world.imports(manifest, extra)
    if out is None:
        out = root / "dist" / f"{manifest['id'].replace('.', '-').replace('_', '-')}.wasm"
    with scratch() as work:
        wit, app, made = (Path(work) / n for n in ("wit", "app", "component.wasm"))
        world.write(manifest, names, wit)
        # Copies, because the interpreter in the tool leaves compiled modules beside the sources.
        shutil.copytree(root, app, ignore=_foreign)
        shutil.copytree(_SDK / "aistack_sdk", Path(work) / "sdk" / "aistack_sdk", ignore=_foreign)
        members = ", ".join(f'"{n}": {n}' for n in names)
        source = _ENTRY.format(module=module, names=", ".join(names), entry=entry, members=members)
        (app / "aistack_component.py").write_text(source)
        paths = [a for p in (app, app / "vendor", Path(work) / "sdk") if p.is_dir() for a in ("-p", p)]
        _run(
            [program, "-q", "-d", wit, "-w", "plugin", "componentize", "--stub-wasi"]
            + [*paths, "aistack_component", "-o", made]
        )
        component = wasm.shrink(made.read_bytes(), names=os.environ.get("AISTACK_DEBUG") == "1")
    component = wasm.append(component, "aistack:manifest", (root / "aistack-plugin.toml").read_text())
    component = wasm.append(component, "aistack:config-schema", schema)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(component)
    return out, component


def main(root: Path, *, extra: list[str] | None = None) -> None:
    """The command line of a project's `build.py`: `python3 build.py [--out FILE]`."""
    started = time.monotonic()
    out = Path(sys.argv[sys.argv.index("--out") + 1]).absolute() if "--out" in sys.argv[:-1] else None
    path, component = build(root, out=out, extra=extra, say=lambda line: print(line, file=sys.stderr))
    seconds = time.monotonic() - started
    print(f"{os.path.relpath(path)}  {len(component) / 2**20:.1f} MiB  {seconds:.1f} s\nimports")
    for name in wasm.imports(component):
        print(f"  {name}")
