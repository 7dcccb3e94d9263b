#!/usr/bin/env bash
# Installs what the comparison needs beside cargo: the target of Extism plugins, and wasmtime's own server in the version
# that the host embeds. Prints where the server is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(sed -n 's/^wasmtime = { version = "=\([0-9.]*\)".*/\1/p' Cargo.toml)
root=${XDG_CACHE_HOME:-$HOME/.cache}/aistack/tools/wasmtime-$version
rustup target add wasm32-unknown-unknown >&2
if [ ! -x "$root/bin/wasmtime" ]; then
  nice -n 10 cargo install wasmtime-cli --version "$version" --locked --no-default-features \
    --features run,serve,cranelift,pooling-allocator,parallel-compilation,component-model-async --root "$root" >&2
fi
echo "$root/bin/wasmtime"
