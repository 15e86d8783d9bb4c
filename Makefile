# What there is to do with this repository. `make test` is all that a fresh machine needs.

CARGO ?= cargo
CARGO_MIN := 1.89
NODE_MIN := 20

js := tests/clients/js
# npm writes this file when all packages are there.
js_installed := $(js)/node_modules/.package-lock.json

.PHONY: help test check bench docker clients rust-toolchain node-toolchain

help:
	@echo 'make test    run all tests, after installing the published clients that they use'
	@echo 'make check   check the format, and the code by clippy'
	@echo 'make bench   measure'
	@echo 'make docker  build the image hranad'

test: rust-toolchain clients
	$(CARGO) test --workspace --locked

check: rust-toolchain
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

bench: rust-toolchain
	$(CARGO) run --release --locked -p hranad-bench

docker:
	docker build --tag hranad .

clients: $(js_installed)

$(js_installed): $(js)/package.json $(js)/package-lock.json $(js)/.npmrc | node-toolchain
	cd $(js) && npm ci
	@touch $@

# $(call require,PROGRAM,MINIMUM,WHERE TO GET IT)
define require
@command -v $(1) > /dev/null || \
	{ echo 'make: $(1) $(2) or later is needed: $(3)' >&2; exit 1; }
@version=$$($(1) --version | sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p;q'); \
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
