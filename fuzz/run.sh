#!/usr/bin/env bash
# Fuzzes each target, or those that are named, for FUZZ_SECONDS (60 unless told): `fuzz/run.sh [TARGET...]`. What is found
# on the way is kept in the target folder of cargo; a crash is told with the file that causes it, and the exit code is 1.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/aistack/target}"
export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/fuzz"
seconds=${FUZZ_SECONDS:-60}

if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "the nightly compiler is missing; run: rustup toolchain install nightly --profile minimal" >&2
  exit 1
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
  echo "cargo-fuzz is missing; run: cargo install cargo-fuzz --locked" >&2
  exit 1
fi

# The code is safe Rust but for aws-lc, whose C is not instrumented: the address sanitizer would only make it slow.
flags=(--sanitizer none --fuzz-dir .)
cargo +nightly fuzz build "${flags[@]}" || exit 1
status=0
for target in "${@:-manifest config_schema component_bytes import_arguments}"; do
  # One word each, also in the list above.
  for name in $target; do
    work=$CARGO_TARGET_DIR/corpus/$name found=$CARGO_TARGET_DIR/found/$name/
    mkdir -p "$work" "$found"
    printf '\n\033[1m== fuzzing %s\033[0m for %s s\n' "$name" "$seconds"
    # The first folder takes what is new, the second is read.
    cargo +nightly fuzz run "${flags[@]}" "$name" "$work" "corpus/$name" -- \
      -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found" -print_final_stats=1 || status=1
  done
done
exit $status
