# Every target works alone from a fresh clone: what it needs is installed into .venv first, and found there from then on.
# PYTHON=python3.12 picks the interpreter (default: the newest of 3.13 to 3.11 that is found).

.PHONY: help setup demo test test-memory test-crash test-abuse check format constraints vendor clean
.DEFAULT_GOAL := help

BIN := .venv/bin
# A file's tests run one after the other, files beside each other. -n0 in ARGS runs all in one process: for a debugger.
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile
export PYTHON MAKECMDGOALS

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup:  ## .venv with GhostOS, editable, and all tools
	@./.ci/setup dev
	@echo "$(BIN) is ready. Next: make demo, or make test"

demo:  ## a robot ball in the browser, simulated; PORT=8501, HEADLESS=1 opens none
	@./.ci/setup run
	@$(BIN)/ghostos web ghostos.demo.sphero.bolt_gpt $(if $(PORT),--port $(PORT)) $(if $(filter-out 0,$(HEADLESS)),--headless) \
		|| test $$? -eq 130  # Ctrl-C is how it ends

test:  ## all tests; ARGS="-k container" runs some
	@./.ci/setup dev
	$(PYTEST) $(ARGS)

test-memory:  ## what compiles leave behind, over a thousand rounds
	@./.ci/setup dev
	GHOSTOS_TEST_WHOLE=1 $(BIN)/pytest libs/moss/tests/test_memory.py $(ARGS)

test-crash:  ## processes killed at every point at which one can die, some 300 times
	@./.ci/setup dev
	GHOSTOS_TEST_WHOLE=1 $(BIN)/pytest tests/crash $(ARGS)

test-abuse:  ## every attack on confined code and trap for its host, a thousand workers, 300,000 bad frames on its wire
	@./.ci/setup dev
	GHOSTOS_TEST_WHOLE=1 $(BIN)/pytest tests/abuse libs/moss/tests/test_process_fuzz.py libs/moss/tests/test_seccomp.py $(ARGS)

check:  ## format, lint, types, layers, tests
	@./.ci/setup dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	$(PYTEST) $(ARGS)

format:  ## rewrite the sources in the project's format
	@./.ci/setup dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

constraints:  ## write constraints.txt anew, with the newest versions that fit
	@./.ci/setup dev
	@$(BIN)/python .ci/constraints.py

vendor:  ## fetch the page's JavaScript libraries anew, in the versions of .ci/vendor/package.json; needs npm
	@./.ci/setup dev
	@$(BIN)/python .ci/vendor.py

clean:  ## remove .venv and what tools left behind
	rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache test-artifacts
