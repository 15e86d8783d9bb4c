# What there is to do with this repository. `make test` is all that a fresh machine needs.

CARGO ?= cargo
CARGO_MIN := 1.89
NODE_MIN := 20.19
PYTHON ?= python3
PYTHON_MIN := 3.9
GO_MIN := 1.25

js := tests/clients/js
# npm writes this file when all packages are there.
js_installed := $(js)/node_modules/.package-lock.json
python := tests/clients/python
python_installed := $(python)/.venv/installed
go := tests/clients/go
rust := tests/clients/rust
fuzz := protocol/fuzz
# How long each target of `make fuzz` runs.
FUZZ_SECONDS ?= 60
turso := tests/clients/turso
browser := tests/clients/browser
browser_installed := $(browser)/node_modules/.package-lock.json
example := examples/per-user-todos
example_installed := $(example)/node_modules/.package-lock.json
# Next.js writes this file at the end of a build.
example_built := $(example)/.next/BUILD_ID
example_sources := $(wildcard $(addprefix $(example)/,*.js app/* app/*/* lib/*))

.PHONY: help test check fuzz bench docker pictures
.PHONY: clients clients-js clients-python clients-go clients-rust clients-turso clients-browser example
.PHONY: rust-toolchain node-toolchain python-toolchain go-toolchain sqlite3-toolchain chromium

help:
	@echo 'make test      run all tests, after installing the published clients that they use'
	@echo 'make check     check the format, and the code by clippy'
	@echo 'make fuzz      look for input that the protocol crate cannot bear'
	@echo 'make bench     measure'
	@echo 'make docker    build the image hranad'
	@echo 'make pictures  take the pictures of README.md again'

test: rust-toolchain clients
	$(CARGO) test --workspace --locked

check: rust-toolchain
	$(CARGO) fmt --all --check
	cd $(rust) && $(CARGO) fmt --check
	cd $(fuzz) && $(CARGO) fmt --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

# The compiler's flags for this are in $(fuzz)/.cargo/config.toml; they are for the targets alone, not for the
# programs that build them, which is why the target has to be named.
fuzz: rust-toolchain
	cd $(fuzz) && for target in json protobuf crossing entries; do \
		mkdir -p artifacts && $(CARGO) run --locked --release --bin $$target \
			--target "$$(rustc -vV | sed -n 's/^host: //p')" -- corpus/$$target \
			-artifact_prefix=artifacts/$$target- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

bench: rust-toolchain
	$(CARGO) run --release --locked -p hranad-bench

docker:
	docker build --tag hranad .

# Tests take them when they are told where they belong.
pictures: rust-toolchain clients-turso clients-browser
	HRANAD_PICTURES=docs/pictures $(CARGO) test --locked --test tests -- \
		two_users_have_todos the_page_of_the_workshop

clients: clients-js clients-python clients-go clients-rust clients-turso clients-browser

clients-js: $(js_installed)

$(js_installed): $(js)/package.json $(js)/starter/package.json $(js)/package-lock.json $(js)/.npmrc | node-toolchain
	cd $(js) && npm ci
	@touch $@

clients-python: $(python_installed)

$(python_installed): $(python)/requirements.txt | python-toolchain
	$(PYTHON) -m venv --clear $(python)/.venv
	$(python)/.venv/bin/pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes --only-binary :all: --requirement $(python)/requirements.txt
	@touch $@

# Go keeps what it downloads and builds in caches of its own.
clients-go: go-toolchain
	cd $(go) && go test -count=1 -run '^$$' ./...

# A workspace of its own, whose dependencies nothing else needs.
clients-rust: rust-toolchain
	cd $(rust) && $(CARGO) test --locked --no-run

clients-turso: $(turso)/bin/turso sqlite3-toolchain

# The version is the one that the published binary says it is: it goes with every request.
$(turso)/bin/turso: $(turso)/go.mod $(turso)/go.sum | go-toolchain
	cd $(turso) && version=$$(go list -m -f '{{.Version}}' github.com/tursodatabase/turso-cli) && \
		CGO_ENABLED=0 go build -trimpath \
		-ldflags "-s -w -X github.com/tursodatabase/turso-cli/internal/cmd.version=$$version" \
		-o bin/turso github.com/tursodatabase/turso-cli/cmd/turso
	@touch $@

# The browser, what drives it, and the application that it looks at.
clients-browser: $(browser_installed) example chromium

$(browser_installed): $(browser)/package.json $(browser)/package-lock.json $(browser)/.npmrc | node-toolchain
	cd $(browser) && npm ci
	@touch $@

example: $(example_built)

$(example_installed): $(example)/package.json $(example)/package-lock.json $(example)/.npmrc | node-toolchain
	cd $(example) && npm ci
	@touch $@

$(example_built): $(example_installed) $(example_sources)
	cd $(example) && NEXT_TELEMETRY_DISABLED=1 npm run build
	@touch $@

# $(call require,PROGRAM,MINIMUM,WHERE TO GET IT,HOW TO ASK FOR ITS VERSION)
define require
@command -v $(1) > /dev/null || \
	{ echo 'make: $(1) $(2) or later is needed: $(3)' >&2; exit 1; }
@version=$$($(1) $(or $(4),--version) | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p;q'); \
	printf '%s\n%s\n' $(2) "$$version" | sort -V -C || \
	{ echo "make: $(1) $(2) or later is needed, this one is $$version: $(3)" >&2; exit 1; }
endef

rust-toolchain:
	$(call require,$(CARGO),$(CARGO_MIN),https://rustup.rs)
	@command -v $(CC) > /dev/null || \
		{ echo 'make: a C compiler is needed to build SQLite, such as gcc or clang' >&2; exit 1; }

node-toolchain:
	$(call require,node,$(NODE_MIN),https://nodejs.org)
	$(call require,npm,9,https://nodejs.org)

python-toolchain:
	$(call require,$(PYTHON),$(PYTHON_MIN),https://www.python.org)
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo 'make: the Python modules venv and ensurepip are needed (python3-venv on Debian)' >&2; exit 1; }

go-toolchain:
	$(call require,go,$(GO_MIN),https://go.dev/dl,version)

# The turso CLI reads SQLite files with it.
sqlite3-toolchain:
	$(call require,sqlite3,3.37,https://sqlite.org/download.html)

# Debian and its relatives have it as a package, which is installed where nobody is asked for a password.
chromium:
	@for name in $${CHROMIUM:-chromium chromium-browser google-chrome}; do \
		command -v "$$name" > /dev/null && exit 0; \
	done; \
	echo 'make: there is no Chromium; installing the package chromium' >&2; \
	as_root='env DEBIAN_FRONTEND=noninteractive'; \
	if [ "$$(id -u)" != 0 ]; then as_root="sudo -n $$as_root"; fi; \
	command -v apt-get > /dev/null && $$as_root apt-get update -qq && \
		$$as_root apt-get install -y -qq --no-install-recommends chromium || { \
		echo 'make: Chromium or Google Chrome is needed for the tests in a browser: https://www.chromium.org;' \
			'if it is there under another name, say so in the variable CHROMIUM' >&2; exit 1; }
