# Everything runs with a Python (3.10 or newer), make and a POSIX shell; nothing else is needed.
PYTHON ?= python3
SHELL = /bin/sh
VENV = .venv
BIN = $(VENV)/bin
DESCRIPTIONS = $(wildcard core/pyproject.toml plugins/*/pyproject.toml packages/*/pyproject.toml \
  examples/*/pyproject.toml tools/requirements/*.txt) tools/make_venv.py

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
  { echo "Metaglean needs Python 3.10 or newer, and '$(PYTHON)' is not: make PYTHON=/path/to/python3 $@" >&2; exit 1; }

.PHONY: help demo test lint types budgets dist docs-check bench clean

help:
	@echo "make demo        ingest a Domo sandbox into a catalog file, and show what arrived"
	@echo "make test        all tests, in an environment of its own (ARGS='-k name' to choose);"
	@echo "                 METAGLEAN_SERVER_PACKAGE or METAGLEAN_TEST_SERVER: with a real OpenMetadata"
	@echo "                 server (tests/server/conftest.py); its last lines say whether it had one"
	@echo "make lint        ruff and the import contracts"
	@echo "make types       mypy, strict"
	@echo "make budgets     versions, sizes, suppressions, imports and CPU time at start"
	@echo "make dist        wheels of all distributions, and the two aliases, in dist/"
	@echo "make docs-check  the generated parts of the docs are up to date, links lead somewhere"
	@echo "make bench       the benchmark figures (minutes)"
	@echo "make clean       remove what these made"
	@echo "PYTHON=python3.12 chooses the interpreter."

demo:
	@$(CHECK_PYTHON)
	@$(PYTHON) tools/demo.py

$(VENV)/.ready: $(DESCRIPTIONS)
	@$(CHECK_PYTHON)
	@$(PYTHON) tools/make_venv.py $(VENV)
	@touch $@

# A file's tests stay together: what they share is made once.
test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/.ready
	$(BIN)/mypy

budgets: $(VENV)/.ready
	$(BIN)/python tools/check_versions.py
	$(BIN)/python tools/build_umbrella.py --check
	$(BIN)/python tools/check_budgets.py
	$(BIN)/python tools/check_imports.py

dist: $(VENV)/.ready
	$(BIN)/python tools/build_dist.py dist

docs-check: $(VENV)/.ready
	$(BIN)/python tools/check_docs.py

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .venv-demo .demo .tox dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
