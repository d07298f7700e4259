# Thin and idempotent: each target first makes sure of what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
STAGE := tools/stage

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: ## See the scene: kcat, grete with the PII filter in WebAssembly, a real Apache Kafka
	@tools/demo/run

.PHONY: test
test: ## Build everything and run every test
	@$(STAGE) begin test
	@$(STAGE) run "set up" tools/setup build guests integration
	@$(STAGE) run "configure" cmake --preset dev
	@$(STAGE) run "build" cmake --build --preset dev -j $(JOBS)
	@$(STAGE) run "unit tests" ctest --preset dev -j $(JOBS)
	@$(STAGE) run "integration tests" test/integration/run -q
	@$(STAGE) end

.PHONY: sanitize
sanitize: ## Run the unit tests under AddressSanitizer + UBSan, then ThreadSanitizer
	@$(STAGE) begin sanitize
	@$(STAGE) run "set up" tools/setup build guests
	@for preset in asan tsan; do \
	  $(STAGE) run "$$preset: build" sh -c "cmake --preset $$preset >/dev/null && cmake --build --preset $$preset -j $(JOBS)" && \
	  $(STAGE) run "$$preset: tests" ctest --preset $$preset -L unit -j $(JOBS) || exit 1; \
	done
	@$(STAGE) end

.PHONY: mutants
mutants: ## Break one thing at a time (test/mutants/*.patch), and demand that a test notices
	@$(STAGE) begin mutants
	@$(STAGE) run "set up" tools/setup build guests integration
	@$(STAGE) run "mutants" tools/mutants -j $(JOBS) $(MUTANTS)
	@$(STAGE) end

.PHONY: fuzz
fuzz: ## Fuzz every decoder; FUZZ_SECONDS each (60)
	@tools/setup build
	@cmake --preset fuzz >/dev/null
	@tools/fuzz $(or $(FUZZ_SECONDS),60) $(JOBS)

.PHONY: fmt
fmt: ## Format the C++ sources
	@tools/setup lint
	@git ls-files '*.h' '*.cc' | xargs -r clang-format-19 -i

.PHONY: lint
lint: ## Check the format, and run clang-tidy over the sources
	@tools/setup build guests lint
	@git ls-files '*.h' '*.cc' | xargs -r clang-format-19 --dry-run -Werror
	@cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS)
	@tools/tidy build/dev $(JOBS)

.PHONY: bench
bench: ## Measure the gateway beside other proxies (BENCH="--rounds 5 --targets nginx,grete")
	@$(STAGE) begin bench
	@$(STAGE) run "set up" tools/setup build guests bench
	@$(STAGE) run "configure" cmake --preset release -DBUILD_TESTING=OFF
	@$(STAGE) run "build" cmake --build --preset release -j $(JOBS)
	@$(STAGE) run "bench" bench/run $(or $(BENCH),--page)
	@$(STAGE) end
