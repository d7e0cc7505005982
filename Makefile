SHELL := /bin/sh
.DEFAULT_GOAL := help

# A Python other than the one found: make PYTHON=/path/to/python3.12 setup
PYTHON ?=
# Test processes at a time.
JOBS ?= 2
# More arguments for pytest: make test ARGS="-k conv"
ARGS ?=
# Examples per property, and changed blueprints, in make fuzz.
EXAMPLES ?= 1000
INPUTS ?= 1000000

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
PYTEST := $(PY) -m pytest -n $(JOBS) --dist worksteal

.PHONY: help setup demo test check format generate slow fuzz bench wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## set up .venv; every other target does it too when it must
	@echo '$(VENV) is ready.'

# The stamp names the folder in which the environment was made: a moved or copied checkout needs its own.
ifneq ($(shell test -x $(PY) && cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif
$(STAMP): pyproject.toml scripts/setup.sh
	@PYTHON='$(PYTHON)' sh scripts/setup.sh

demo: $(STAMP) ## compile blueprints/cnn.yaml to build/cnn.keras
	@mkdir -p build
	$(PY) -m graphbuilder show blueprints/cnn.yaml
	$(PY) -m graphbuilder compile blueprints/cnn.yaml -o build/cnn.keras --force

test: $(STAMP) ## run the tests
	$(PYTEST) -m "not slow and not fuzz and not bench" $(ARGS)

check: $(STAMP) ## lint, formatting, types, import rules, generated files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m scripts.generate --check

format: $(STAMP) ## format the code and mend what the linter can mend
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

generate: $(STAMP) ## write the generated files anew
	$(PY) -m scripts.generate

slow: $(STAMP) ## run the slow tests
	$(PYTEST) -m slow $(ARGS)

fuzz: $(STAMP) ## run the property tests with many examples, and check a million changed blueprints
	HYPOTHESIS_PROFILE=fuzz GRAPHBUILDER_FUZZ_EXAMPLES=$(EXAMPLES) $(PYTEST) -m "fuzz or hypothesis" --timeout 0 $(ARGS)
	$(PY) -m scripts.fuzz --inputs $(INPUTS)

bench: $(STAMP) ## measure
	$(PY) -m benchmarks $(ARGS)
	@test -n '$(ARGS)' || $(PY) -m benchmarks --editor

wheel: $(STAMP) ## build dist/*.tar.gz and, from it, dist/*.whl
	$(PY) -m build --no-isolation

clean: ## remove what was built and cached, but not .venv
	rm -rf build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find graphbuilder tests scripts benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
