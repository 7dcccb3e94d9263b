# Everything a developer runs. Each target installs what it needs first (Debian packages by apt, the rest into the
# user's caches), so that a machine with rustup, Node 20 and apt is enough. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/aistack
# One target folder for all clones: a second clone only compiles what differs.
export CARGO_TARGET_DIR ?= $(CACHE)/target

SETUP := tests/peers/setup.sh
# What `make bench` runs: one file each under host/*/benches
BENCHES := call scale quota tenant_tx tenants hop
# What `make run` serves: make run LISTEN=127.0.0.1:9000 DATA_DIR=/tmp/a DEMO=
LISTEN ?= 127.0.0.1:8080
DATA_DIR ?= data
DEMO ?= --demo

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build everything and serve it with demo data on LISTEN, keeping DATA_DIR
	AISTACK__PLUGINS__PRELOAD_DIR=dist/plugins "$(CARGO_TARGET_DIR)/debug/aistack" serve $(DEMO) --data-dir "$(DATA_DIR)" --listen "$(LISTEN)"

.PHONY: build
build: plugins console ## Build the plugins, the console and the binary
	cargo build --workspace --bins

.PHONY: bin
bin: ## Say where the binary is
	@echo "$(CARGO_TARGET_DIR)/debug/aistack"

.PHONY: test
test: ## Run the tests with their real peers; the last line is the sum
	$(SETUP) rust console postgres nginx keycloak stripe registry dns node js python tutorials browser fuzz || true
	AISTACK_SHOTS=none tests/run.sh format clippy guests console plugins rust languages e2e fuzz

.PHONY: e2e
e2e: ## The console in a real browser, telling the whole story, with pictures of every page
	$(SETUP) rust console keycloak stripe node browser || true
	tests/run.sh console plugins e2e

.PHONY: check
check: ## What to run before a commit: formats, lints, unit tests, architecture; no peers needed
	$(SETUP) rust console
	tests/run.sh format clippy unit guests console

.PHONY: bench
bench: plugins ## Measure, with a release build; results in docs/performance.md come from here
	$(SETUP) postgres nginx
	cargo build --release --workspace --bins
	cargo bench --workspace $(addprefix --bench ,$(BENCHES))

.PHONY: bench-rivals
bench-rivals: ## Measure a plugin call beside Extism and wasmtime serve, with a release build; prints a table
	$(SETUP) rust
	export WASMTIME="$$(tests/rivals/tools.sh)" && cd tests/rivals && CARGO_TARGET_DIR="$(CARGO_TARGET_DIR)/rivals" cargo bench

.PHONY: fuzz
fuzz: ## Fuzz what reads bytes from outside, each target for FUZZ_SECONDS (60)
	$(SETUP) rust fuzz
	fuzz/run.sh

.PHONY: console
console: ## Build the console into console/dist, where the server embeds it from
	$(SETUP) rust console
	cd console && npm run build

.PHONY: plugins
plugins: ## Build the official plugins as WebAssembly components
	$(SETUP) rust
	cargo xtask plugins

.PHONY: openapi
openapi: ## Write docs/openapi.json from the code, and the console's types from it
	$(SETUP) rust console
	cargo build --workspace --bins
	"$(CARGO_TARGET_DIR)/debug/aistack" openapi >docs/openapi.json
	"$(CARGO_TARGET_DIR)/debug/aistack" config reference >docs/config.md
	cd console && npm run api

.PHONY: clean
clean: ## Remove what this clone built and downloaded; the caches shared with other clones stay
	rm -rf dist console/dist console/node_modules tests/peers/node/node_modules tests/e2e/node_modules tests/e2e/results
	@echo "kept: $(DATA_DIR)/ (your data), $(CACHE) (shared by all clones; delete it by hand)"
