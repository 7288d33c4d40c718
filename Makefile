# Everything that is done with this folder. `make` alone prints the list.

CARGO  ?= cargo
PREFIX ?= /usr/local
# What `install` and `deb` build: `release`, or `dev` where it must be quick.
PROFILE ?= release
BUILT    = $(TARGET)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/koubou
# Where cargo builds is cargo's to say: a `target-dir` in somebody's own settings counts.
# Where there is no cargo, `make install` takes what stands in `target`.
TARGET  = $(or $(CARGO_TARGET_DIR),$(shell $(CARGO) metadata --format-version 1 --no-deps 2>/dev/null \
	| sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'),target)

FUZZ_SECONDS ?= 20
FUZZ_TARGETS = answer dotenv journal result scan settings subtasks task
MUTANTS = claim-dropped-first claims-forgotten left-before-archived result-not-synced

.DEFAULT_GOAL := help
.PHONY: help build release lint test check setup-codex bench-routing bench-calls bursts fuzz torture demo install uninstall \
	deb try-deb clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

build: ## build koubou for trying out: target/debug/koubou
	$(CARGO) build --locked

release: ## build koubou for use: target/release/koubou
	$(CARGO) build --locked --release

lint: ## check the format, the lints and the docs
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

test: ## run every test
	$(CARGO) test --locked

check: lint test ## lint and test

bench-routing: ## measure how well and how fast tasks are judged
	KOUBOU_BENCH=1 $(CARGO) test --locked --release -q --test routing

bench-calls: ## measure what koubou adds to calls of models, and how many it makes at once
	$(CARGO) bench --locked -q --bench calls

# The mutants first: a torture that does not find them would prove nothing.
# The fuzzer's instruments are not in a stable compiler; RUSTC_BOOTSTRAP lets the one that is here use them.
fuzz: ## throw random bytes at everything that reads what others wrote
	@if ! command -v cargo-fuzz >/dev/null; then \
		echo "fuzz: skipped, cargo-fuzz is not installed (cargo install cargo-fuzz)"; exit 0; fi; \
	for target in $(FUZZ_TARGETS); do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir tests/fuzz $$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=0 || exit 1; \
		echo "fuzz: $$target: $(FUZZ_SECONDS) s without a finding"; done

bursts: ## show that no burst of calls overspends, whatever the server does: a thousand of them
	KOUBOU_BURSTS=1000 $(CARGO) test --locked --test it -- --nocapture bursts

torture: fuzz ## cut short and fail every step, lose power at every moment, and let storms blow
	@for mutant in $(MUTANTS); do \
		KOUBOU_MUTANT=$$mutant $(CARGO) test --locked -q --features mutants --profile torture --test torture >"$(TARGET)/mutant.out" 2>&1 \
			|| { tail -n 5 "$(TARGET)/mutant.out"; exit 1; }; tail -n 1 "$(TARGET)/mutant.out"; done
	KOUBOU_TORTURE=full $(CARGO) test --locked --test it -- --test-threads 1 storm misbehaving trouble by_hand
	KOUBOU_TORTURE=full $(CARGO) test --locked -q --profile torture --test torture

demo: ## watch four tasks find their workers; needs no key and no network
	$(CARGO) build --locked --bin koubou --example model_server
	@KOUBOU_TARGET="$(TARGET)" sh examples/demo.sh

CODEX ?= target/codex
setup-codex: ## install the Codex CLI into target/codex, for trying it out and for its tests; needs npm
	npm install --silent --no-audit --no-fund --prefix "$(CODEX)" @openai/codex
	@"$(CODEX)/node_modules/.bin/codex" --version
	@echo "in agent.yaml:  program: $(abspath $(CODEX))/node_modules/.bin/codex"

# Builds where there is a cargo. With `make release && sudo make install` root needs none.
install: ## install program, man pages, completions and units to $(DESTDIR)$(PREFIX); PREFIX is /usr/local
	@if command -v $(CARGO) >/dev/null; then $(CARGO) build --locked --profile $(PROFILE) --bin koubou; fi
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" sh packaging/install.sh install "$(BUILT)"

uninstall: ## take away what install put there; homes stay
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" sh packaging/install.sh uninstall

deb: ## build a Debian package; PROFILE=dev for a quick one
	@if command -v $(CARGO) >/dev/null; then $(CARGO) build --locked --profile $(PROFILE) --bin koubou; fi
	@sh packaging/deb.sh "$(BUILT)" "$(TARGET)/deb"

try-deb: deb ## install, upgrade, remove and purge the package on this machine; needs root, leaves nothing
	KOUBOU_TRY_DEB="$$(ls -t "$(TARGET)"/deb/koubou_*.deb | head -n 1)" \
		$(CARGO) test --locked --test it -- --nocapture package::the_debian_package

clean: ## remove all that was built, the demo's home too
	$(CARGO) clean
