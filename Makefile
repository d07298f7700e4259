# Thin and idempotent: each target first makes sure of what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
STAGE := tools/stage

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: test
test: ## Build everything and run every test
	@$(STAGE) begin test
	@$(STAGE) run "set up" tools/setup build guests integration
	@$(STAGE) run "configure" cmake --preset dev
	@$(STAGE) run "build" cmake --build --preset dev -j $(JOBS)
	@$(STAGE) run "unit tests" ctest --preset dev -j $(JOBS)
	@$(STAGE) end

.PHONY: fmt
fmt: ## Format the C++ sources
	@tools/setup lint
	@git ls-files '*.h' '*.cc' | xargs -r clang-format-19 -i

.PHONY: lint
lint: ## Check the format, and clang-tidy over the sources
	@tools/setup build lint
	@git ls-files '*.h' '*.cc' | xargs -r clang-format-19 --dry-run -Werror
	@cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS) --target generated 2>/dev/null || true
	@git ls-files '*.cc' | xargs -r -P $(JOBS) -n 4 clang-tidy-19 --quiet -p build/dev
