#!/usr/bin/env bash
# Runs suites of tests one after the other and adds them up: `tests/run.sh SUITE...`
#
#   format   every Rust file is as rustfmt leaves it
#   clippy   the workspace without a warning
#   unit     tests of the crates and the architecture test, without peers
#   guests   formats, lints and native tests of the guest SDK, the plugins and the hostile test components
#   console  types, lints and unit tests of the console, and its build
#   languages  the SDKs of JavaScript and Python, and for every language and world a new project: built, checked, and through
#            the conformance suite
#   plugins  the plugins build as components
#   rust     every test of the workspace, the integration tests with their peers among them
#   e2e      the console in a real browser
#   fuzz     each fuzz target for a few seconds; the seeds are among the unit tests as well
#
# A suite that fails does not stop the others. The last line is "N passed, N failed, N skipped" over all of them: every
# test of every runner counts as one, a check without tests of its own (such as `format`) counts as one, and a suite that
# breaks before it can count counts as one failure. The exit code is 1 when anything failed.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/aistack/target}"
export CARGO_TARGET_DIR
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Rust tests whose peer is missing write a line here, see tests/src/peers/mod.rs.
export AISTACK_SKIPS="$scratch/skips"
: >"$AISTACK_SKIPS"

passed=0 failed=0 skipped=0
failures=()

# count PASSED FAILED SKIPPED
count() {
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# step NAME COMMAND...: a check that counts as one.
step() {
  local name=$1
  shift
  printf '\n\033[1m== %s\033[0m: %s\n' "$name" "$*"
  if "$@"; then
    count 1 0 0
  else
    count 0 1 0
    failures+=("$name")
  fi
}

# tests NAME COUNTER COMMAND...: a runner whose tests are counted by `COUNTER LOG`, which prints "passed failed skipped".
tests() {
  local name=$1 counter=$2 log="$scratch/log" status=0 numbers
  shift 2
  printf '\n\033[1m== %s\033[0m: %s\n' "$name" "$*"
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  read -r -a numbers < <("$counter" "$log")
  if [ "$status" != 0 ] && [ "${numbers[1]:-0}" = 0 ]; then
    numbers=("${numbers[0]:-0}" 1 "${numbers[2]:-0}")
  fi
  count "${numbers[0]:-0}" "${numbers[1]:-0}" "${numbers[2]:-0}"
  if [ "${numbers[1]:-0}" != 0 ]; then failures+=("$name"); fi
}

cargo_counts() {
  awk '/^test result: / { for (i = 2; i <= NF; i++) {
         if ($i ~ /^passed/) p += $(i - 1); if ($i ~ /^failed/) f += $(i - 1); if ($i ~ /^ignored/) s += $(i - 1) } }
       END { print p + 0, f + 0, s + 0 }' "$1"
}

# Of node's own test runner.
node_counts() {
  awk '$2 == "pass" { p = $3 } $2 == "fail" { f = $3 } $2 == "skipped" { s = $3 } END { print p + 0, f + 0, s + 0 }' "$1"
}

# Of Python's unittest: "Ran 9 tests in 0.1s", then "OK" or "FAILED (failures=1, errors=2, skipped=3)".
unittest_counts() {
  awk '/^Ran [0-9]+ tests? / { n = $2 }
       /^(OK|FAILED)/ { gsub(/[^a-z0-9=]/, " "); for (i = 1; i <= NF; i++) { split($i, x, "=")
         if (x[1] == "failures" || x[1] == "errors") f += x[2]; if (x[1] == "skipped") s += x[2] } }
       END { print n - f - s, f + 0, s + 0 }' "$1"
}

# Of the file that `aistack plugin test --junit` wrote.
junit_counts() {
  sed -n 's/.*<testsuite .*tests="\([0-9]*\)" failures="\([0-9]*\)".* skipped="\([0-9]*\)".*/\1 \2 \3/p' "$scratch/junit.xml" 2>/dev/null |
    awk '{ print $1 - $2 - $3, $2, $3 }'
}

vitest_counts() {
  node -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
    console.log(r.numPassedTests, r.numFailedTests, r.numPendingTests + (r.numTodoTests ?? 0))' "$scratch/vitest.json" 2>/dev/null
}

playwright_counts() {
  node -e 'const { stats: s } = JSON.parse(require("fs").readFileSync(process.argv[1]));
    console.log(s.expected + s.flaky, s.unexpected, s.skipped)' "$scratch/playwright.json" 2>/dev/null
}

in_folder() {
  local folder=$1
  shift
  (cd "$folder" && "$@")
}

guest_workspaces() {
  local folder
  for folder in sdk plugins; do
    if [ -f "$folder/Cargo.toml" ]; then echo "$folder"; fi
  done
}

suite_format() { step "format" cargo fmt --all --check; }

suite_clippy() { step "clippy" cargo clippy --quiet --workspace --all-targets -- -D warnings; }

suite_unit() {
  tests "unit tests" cargo_counts cargo test --workspace --exclude aistack-tests --no-fail-fast
  tests "harness" cargo_counts cargo test -p aistack-tests --lib
  tests "architecture" cargo_counts cargo test -p aistack-tests --test it architecture
}

suite_guests() {
  local folder
  for folder in $(guest_workspaces); do
    step "format of $folder/" in_folder "$folder" cargo fmt --all --check
    step "clippy of $folder/" in_folder "$folder" cargo clippy --quiet --workspace --all-targets -- -D warnings
    tests "tests of $folder/" cargo_counts in_folder "$folder" cargo test --workspace --no-fail-fast
  done
  for folder in tests/hostile fuzz tests/rivals tests/rivals/guests; do
    step "format of $folder/" in_folder "$folder" cargo fmt --all --check
  done
  # Some of what these do exists on WebAssembly only.
  step "clippy of tests/hostile/" in_folder tests/hostile cargo clippy --quiet --workspace --target wasm32-wasip2 -- -D warnings
}

# new_project LANG WORLD: what an author does with a new project, in a folder of its own.
new_project() {
  local lang=$1 world=$2 folder="$scratch/projects/$1-$2" aistack="$CARGO_TARGET_DIR/debug/aistack"
  # As the tests of tests/it/author: the SDK is compiled once.
  local -x CARGO_TARGET_DIR="$CARGO_TARGET_DIR/guests"
  rm -f "$scratch/junit.xml"
  "$aistack" plugin new "acme.$lang-$world" --world "$world" --lang "$lang" --dir "$folder" &&
    cd "$folder" &&
    "$aistack" plugin build &&
    "$aistack" plugin check &&
    "$aistack" plugin test --junit "$scratch/junit.xml" &&
    grep -q "classname=\"aistack.$world\"" "$scratch/junit.xml"
}

# compiler LANG: whether projects in LANG can be built; what is missing is fetched. A missing compiler is a failure in CI.
compiler() {
  if [ "$1" = rust ] || tests/peers/setup.sh "$1"; then return 0; fi
  if [ -n "${CI-}" ]; then
    printf '\n\033[1m== compiler of %s\033[0m: MISSING, see above\n' "$1"
    count 0 1 0
    failures+=("compiler of $1")
  else
    echo "SKIPPED everything in $1: its compiler is missing; run: tests/peers/setup.sh $1" >&2
    count 0 0 1
  fi
  return 1
}

suite_languages() {
  local lang world
  step "build" cargo build --workspace --lib --bins --tests
  for lang in rust js python; do
    compiler "$lang" || continue
    case $lang in
      js) tests "tests of sdk/js/" node_counts in_folder sdk/js npm test --silent ;;
      python) tests "tests of sdk/python/" unittest_counts in_folder sdk/python python3 -B -m unittest discover -s tests -t . ;;
    esac
    for world in identity payment report; do
      tests "$world plugin in $lang" junit_counts new_project "$lang" "$world"
      case $lang in
        js) tests "its own tests" node_counts in_folder "$scratch/projects/js-$world" npm_tests ;;
        python) tests "its own tests" unittest_counts in_folder "$scratch/projects/python-$world" python3 -B -m unittest ;;
      esac
    done
  done
}

npm_tests() { npm install --no-audit --no-fund --loglevel=error && npm test --silent; }

suite_console() {
  step "console types" in_folder console npm run --silent typecheck
  step "console lint" in_folder console npm run --silent lint
  tests "console tests" vitest_counts in_folder console \
    npx vitest run --reporter=default --reporter=json "--outputFile.json=$scratch/vitest.json"
  step "console types against docs/openapi.json" in_folder console npm run --silent api:check
  step "console build" in_folder console npm run --silent build
  step "console size budget" in_folder console npm run --silent budget
}

suite_plugins() { step "plugins" cargo xtask plugins; }

suite_rust() {
  # The integration tests start the binary, so it must be as new as they are. One build of all, since the set of
  # packages decides which features their dependencies get, and so whether they are compiled again.
  step "build" cargo build --workspace --lib --bins --tests
  tests "rust tests" cargo_counts cargo test --workspace --no-fail-fast
}

suite_e2e() {
  # In CI nothing is skipped: the configuration of the tests fails when there is no browser.
  if [ -z "${CI-}${AISTACK_CHROMIUM-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null; then
    echo "SKIPPED end to end: Chromium is missing; run: tests/peers/setup.sh browser" >&2
    count 0 0 1
    return
  fi
  step "types of the end-to-end tests" in_folder tests/e2e npm run --silent typecheck
  # The binary carries the console, and the story installs the plugins: both have to be there first.
  if [ ! -f console/dist/index.html ]; then step "console build" in_folder console npm run --silent build; fi
  if [ ! -f dist/plugins/identity-oauth.wasm ]; then suite_plugins; fi
  step "build" cargo build --workspace --lib --bins --tests
  tests "end to end" playwright_counts in_folder tests/e2e \
    env "PLAYWRIGHT_JSON_OUTPUT_NAME=$scratch/playwright.json" npx playwright test --reporter=list,json
}

suite_fuzz() {
  if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    if [ -n "${CI-}" ]; then
      printf '\n\033[1m== fuzz\033[0m: MISSING: cargo-fuzz or the nightly compiler\n'
      count 0 1 0
      failures+=("fuzz")
      return
    fi
    echo "SKIPPED fuzz: cargo-fuzz or the nightly compiler is missing; run: tests/peers/setup.sh fuzz" >&2
    count 0 0 1
    return
  fi
  step "fuzz" env "FUZZ_SECONDS=${FUZZ_SECONDS:-20}" fuzz/run.sh
}

for suite in "$@"; do
  if ! declare -F "suite_$suite" >/dev/null; then
    echo "there is no suite '$suite'" >&2
    exit 64
  fi
  "suite_$suite"
done

# libtest counted each of these as passed.
missing=$(wc -l <"$AISTACK_SKIPS")
passed=$((passed - missing)) skipped=$((skipped + missing))

echo
if [ "$missing" != 0 ]; then
  printf '\033[1;33m%s tests were SKIPPED because a peer is not installed:\033[0m\n' "$missing"
  cat "$AISTACK_SKIPS"
fi
if [ ${#failures[@]} != 0 ]; then
  printf '\033[1;31mfailed:\033[0m\n'
  printf '  %s\n' "${failures[@]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
