# One command for everything; `make` alone prints the list.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# What the tests find their surroundings by.
export GRIDATLAS_BIN ?= $(CURDIR)/target/debug/gridatlas
export GRIDATLAS_TEST_SCREENS ?= $(CURDIR)/.local/screens

PYTHON := .local/python/bin/python
WEB_SOURCES := $(shell find web/src web/public -type f 2>/dev/null) web/index.html web/vite.config.ts web/tsconfig.json

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- what a person wants ----

DEMO ?= --size small

.PHONY: demo
demo: setup-build web ## Make a seeded city, serve it and print its address (DEMO="--size city")
	cargo build --release --bin gridatlas
	exec target/release/gridatlas demo $(DEMO)

.PHONY: test
test: setup web test-rust test-web test-node test-python test-browser ## Run every test

.PHONY: proof
proof: setup bin ## Run the long forms of the tests: more seeds, larger cities, real data
	GRIDATLAS_PROOF=1 PROPTEST_CASES=4096 setup/with-postgres.sh cargo test --workspace -- --include-ignored
	GRIDATLAS_PROOF=1 $(MAKE) test-node test-python test-browser

.PHONY: lint
lint: setup-build web/node_modules/.stamp ## Check format, types, lints and the countable rules of style
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings
	npm --prefix web run --silent check
	cargo test --quiet --package tidy

.PHONY: bench
bench: setup-build ## Measure against references, and print the ratios as a table
	cargo bench --bench bars --bench tiles --bench features

.PHONY: bench-peers
bench-peers: setup-build setup-postgres setup-peers ## Measure beside PostGIS, martin, nginx and tippecanoe on the same city
	setup/with-postgres.sh cargo bench --bench peers

.PHONY: web
web: web/dist/index.html ## Build the front-end into web/dist

.PHONY: clean
clean: ## Remove everything that was built or set up here
	rm -rf target web/dist web/node_modules tests/node/node_modules tests/browser/node_modules .local

# ---- the parts of the tests ----

.PHONY: bin
bin: setup-build web ## Build the program that the tests outside Rust run
	# As a part of the Rust tests: by itself its crates would get other features and all be built twice.
	cargo test --workspace --no-run

.PHONY: test-rust
test-rust: setup-build setup-postgres setup-nats ## Run the Rust tests, with a PostGIS and a NATS beside them
	setup/with-postgres.sh cargo test --workspace

.PHONY: test-web
test-web: web/node_modules/.stamp ## Run the front-end's own tests
	npm --prefix web run --silent test

.PHONY: test-node
test-node: bin tests/node/node_modules/.stamp ## Hold tiles and real imports against npm's readers
	node --test --test-reporter=spec tests/node/*.test.mjs

.PHONY: test-python
test-python: bin setup-postgres $(PYTHON) ## Hold exports and stores against GDAL, GEOS and PROJ
	setup/with-postgres.sh $(PYTHON) -m pytest --quiet tests/python

.PHONY: test-browser
test-browser: bin setup-chromium tests/browser/node_modules/.stamp ## Look at the map in Chromium
	node --test --test-reporter=spec tests/browser/*.test.mjs

# ---- set-up: each is done once, and not at all where it is there already ----

.PHONY: setup
setup: setup-build setup-postgres setup-nats setup-chromium web/node_modules/.stamp tests/node/node_modules/.stamp tests/browser/node_modules/.stamp $(PYTHON) ## Get everything that the tests need

.PHONY: setup-build
setup-build:
	@setup/debian.sh build-essential:cc

.PHONY: setup-postgres
setup-postgres:
	@setup/debian.sh postgresql-15 postgresql-15-postgis-3

.PHONY: setup-nats
setup-nats:
	@setup/debian.sh nats-server:nats-server

.PHONY: setup-chromium
setup-chromium:
	@setup/debian.sh chromium:chromium fonts-noto-cjk

.PHONY: setup-peers
setup-peers: .local/peers/python/.stamp .local/peers/cargo/bin/martin
	@setup/debian.sh nginx-light:nginx wrk curl

.local/peers/python/.stamp: benches/peers/requirements.txt
	setup/python.sh .local/peers/python $<
	touch $@

# Takes some minutes, once.
.local/peers/cargo/bin/martin:
	@setup/debian.sh libssl-dev pkg-config
	cargo install martin --version 1.14.0 --locked --no-default-features --features postgres,mbtiles,mlt --root .local/peers/cargo

%/node_modules/.stamp: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund --loglevel=error
	touch $@

$(PYTHON): tests/python/requirements.txt
	setup/python.sh .local/python $<
	touch $@

web/dist/index.html: web/node_modules/.stamp $(WEB_SOURCES)
	npm --prefix web run --silent build
	touch $@
