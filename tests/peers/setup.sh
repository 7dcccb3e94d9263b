#!/usr/bin/env bash
# Makes a Debian-like machine ready: `setup.sh PART...`, where PART is one of
#
#   rust      a C toolchain, the pinned Rust toolchain and the WebAssembly target
#   console   the console's npm packages
#   postgres  the PostgreSQL server programs
#   nginx     nginx, the yardstick and a second upstream
#   keycloak  Java, Maven and Keycloak, an OpenID provider
#   stripe    Go and stripe-mock, Stripe's own stand-in for its API
#   registry  docker-registry, a registry for components
#   dns       NSD, an authoritative name server
#   node      the npm packages of tests/peers/node
#   js        componentize-js, which makes components of JavaScript (400 MB in the user's cache)
#   python    componentize-py, which makes components of Python (70 MB in the user's cache)
#   tutorials programs that docs/plugins use beside aistack: curl, openssl, patch, python3
#   fuzz      the nightly compiler and cargo-fuzz
#   browser   Chromium, fonts with Chinese glyphs, and the npm packages of tests/e2e
#
# Nothing is done for what is already there, so a second run takes a blink. Debian packages need root or sudo;
# everything else goes into the user's caches. A part that cannot be had is reported and the next one is tried:
# the exit code counts the parts that are missing, and the tests that need them say so.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${AISTACK_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/aistack/peers}
# shellcheck source=versions.env
. "$here/versions.env"

say() { printf '\033[1m[setup]\033[0m %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" || sudo "$@"; fi
}

# apt PACKAGE...: installs Debian packages without recommendations.
apt() {
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here; install these by your system's own means: $*"
    return 1
  fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    say "neither root nor sudo; ask an administrator for: apt-get install $*"
    return 1
  fi
  say "installing Debian packages: $*"
  if [ -z "${apt_updated-}" ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 && apt_updated=1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}

# npm_ci FOLDER: installs exactly what the lock file names, once per lock file and Node version.
npm_ci() {
  local folder=$1 stamp
  if ! command -v npm >/dev/null; then
    say "Node.js is missing: install version 20 or newer for ${folder#"$root"/}"
    return 1
  fi
  [ -f "$folder/package-lock.json" ] || { say "no package-lock.json in ${folder#"$root"/}, skipped"; return 0; }
  stamp="$(sha256sum <"$folder/package-lock.json" | cut -c1-16) $(node --version)"
  if [ "$(cat "$folder/node_modules/.setup-stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  say "npm ci in ${folder#"$root"/}"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2) && echo "$stamp" >"$folder/node_modules/.setup-stamp"
}

part_rust() {
  command -v cc >/dev/null || apt build-essential || return 1
  if ! command -v cargo >/dev/null; then
    say "cargo is missing: install rustup (https://rustup.rs), the toolchain file does the rest"
    return 1
  fi
  # The toolchain file names channel, components and target; asking for the version makes rustup fetch them.
  (cd "$root" && cargo --version >/dev/null) || return 1
  if command -v rustup >/dev/null && ! (cd "$root" && rustup target list --installed | grep -qx wasm32-wasip2); then
    say "adding the Rust target wasm32-wasip2"
    (cd "$root" && rustup target add wasm32-wasip2)
  fi
}

part_console() { npm_ci "$root/console"; }

part_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return 0
  command -v initdb >/dev/null && return 0
  # The tests start clusters of their own: keep Debian from creating and starting one for the whole machine.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  apt postgresql
}

part_nginx() {
  [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || apt nginx
}

part_keycloak() {
  command -v java >/dev/null || apt openjdk-17-jre-headless || return 1
  [ -x "$cache/keycloak-$KEYCLOAK/bin/kc.sh" ] && return 0
  command -v mvn >/dev/null || apt maven || return 1
  say "fetching Keycloak $KEYCLOAK from Maven Central (150 MB)"
  local part="$cache/keycloak.part.$$"
  mkdir -p "$part"
  # Unpacked beside its final place and renamed, so that an interrupted download is never taken for an installation.
  (cd "$part" && mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.6.1:unpack \
    "-Dartifact=org.keycloak:keycloak-quarkus-dist:$KEYCLOAK:zip" "-DoutputDirectory=$part" >&2) &&
    mv "$part/keycloak-$KEYCLOAK" "$cache/" 2>/dev/null
  rm -rf "$part"
  [ -x "$cache/keycloak-$KEYCLOAK/bin/kc.sh" ]
}

# modern_go: prints the path of a Go that can build today's modules, installing one when there is none. Debian's may be
# too old; then a newer toolchain is fetched as the Go module it also is, which is how newer Go versions update themselves.
modern_go() {
  local minor folder
  command -v go >/dev/null || apt golang-go || return 1
  minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  if [ "${minor:-0}" -ge 22 ]; then
    command -v go
    return
  fi
  say "$(go version) is too old, fetching $GO_TOOLCHAIN"
  folder=$(go mod download -json "golang.org/toolchain@v0.0.1-$GO_TOOLCHAIN.linux-$(go env GOARCH)" |
    sed -n 's/^\s*"Dir": "\(.*\)",\?$/\1/p')
  [ -n "$folder" ] || return 1
  # Modules come without executable bits.
  chmod -R u+x "$folder/bin" "$folder/pkg/tool" && echo "$folder/bin/go"
}

part_stripe() {
  local go
  [ -x "$cache/bin/stripe-mock-$STRIPE_MOCK" ] && return 0
  go=$(modern_go) || return 1
  say "building stripe-mock $STRIPE_MOCK"
  mkdir -p "$cache/bin"
  GOTOOLCHAIN=local GOBIN="$cache/bin" "$go" install "github.com/stripe/stripe-mock@$STRIPE_MOCK" >&2 || return 1
  mv "$cache/bin/stripe-mock" "$cache/bin/stripe-mock-$STRIPE_MOCK"
}

part_registry() {
  local fetched
  command -v docker-registry >/dev/null && return 0
  [ -x "$cache/bin/docker-registry" ] && return 0
  command -v apt-get >/dev/null || { say "no apt-get here; install docker-registry by your system's own means"; return 1; }
  # Unpacked instead of installed: an installed one would run for the whole machine.
  fetched=$(mktemp -d)
  (
    cd "$fetched" || exit 1
    apt-get -qq download docker-registry >&2 2>/dev/null ||
      { as_root apt-get -qq update >&2 && apt-get -qq download docker-registry >&2; }
    dpkg-deb -x docker-registry_*.deb unpacked
  ) && mkdir -p "$cache/bin" && mv "$fetched/unpacked/usr/bin/docker-registry" "$cache/bin/"
  rm -rf "$fetched"
  [ -x "$cache/bin/docker-registry" ]
}

part_dns() {
  local fetched packages=(nsd libevent-2.1-7 libfstrm0 libprotobuf-c1)
  command -v nsd >/dev/null && return 0
  [ -x "$cache/nsd/usr/sbin/nsd" ] && return 0
  command -v apt-get >/dev/null || { say "no apt-get here; install nsd by your system's own means"; return 1; }
  # Unpacked instead of installed: an installed one would answer on port 53 of the whole machine.
  fetched=$(mktemp -d)
  (
    cd "$fetched" || exit 1
    apt-get -qq download "${packages[@]}" >&2 2>/dev/null ||
      { as_root apt-get -qq update >&2 && apt-get -qq download "${packages[@]}" >&2; }
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
  ) && mkdir -p "$cache" && mv "$fetched/unpacked" "$cache/nsd"
  rm -rf "$fetched"
  [ -x "$cache/nsd/usr/sbin/nsd" ]
}

part_node() { npm_ci "$here/node"; }

part_js() {
  if ! command -v npm >/dev/null; then
    say "Node.js is missing: install version 20 or newer"
    return 1
  fi
  node "$root/sdk/js/setup.js" >/dev/null
}

part_python() {
  if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "Python 3.11 or newer is missing"
    return 1
  fi
  python3 -c 'import ensurepip' 2>/dev/null || apt python3-venv || return 1
  (cd "$root/sdk/python" && python3 -B -m aistack_build >/dev/null)
}

part_tutorials() {
  local program missing=()
  for program in curl openssl patch python3; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} = 0 ] || apt "${missing[@]}"
}

part_fuzz() {
  cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal >&2 || return 1
  cargo +nightly fuzz --version >/dev/null 2>&1 && return 0
  say "installing cargo-fuzz"
  cargo install cargo-fuzz --locked >&2
}

part_browser() {
  local missing=()
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  [ -n "$(fc-list :lang=zh-cn 2>/dev/null | head -1)" ] || missing+=(fonts-noto-cjk fontconfig)
  [ ${#missing[@]} = 0 ] || apt "${missing[@]}" || return 1
  npm_ci "$root/tests/e2e"
}

failed=0
for part in "$@"; do
  if ! declare -F "part_$part" >/dev/null; then
    say "there is no part '$part'"
    exit 64
  fi
  if ! "part_$part"; then
    say "NOT AVAILABLE: $part"
    failed=$((failed + 1))
  fi
done
exit "$failed"
