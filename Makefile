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

.PHONY: help test check fuzz bench docker
.PHONY: clients clients-js clients-python clients-go clients-rust clients-turso
.PHONY: rust-toolchain node-toolchain python-toolchain go-toolchain sqlite3-toolchain

help:
	@echo 'make test    run all tests, after installing the published clients that they use'
	@echo 'make check   check the format, and the code by clippy'
	@echo 'make fuzz    look for input that the protocol crate cannot bear'
	@echo 'make bench   measure'
	@echo 'make docker  build the image hranad'

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

clients: clients-js clients-python clients-go clients-rust clients-turso

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
