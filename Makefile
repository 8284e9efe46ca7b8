VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: demo test lint bench clean

demo: $(VENV)/.examples  ## train on real data under nine schedules
	$(BIN)/python examples/digits.py

test: $(VENV)/.test  ## run all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

bench: $(VENV)/.examples  ## measure, and write docs/benchmarks.md and docs/benchmarks-control.md
	$(BIN)/python benchmarks/growth.py --output docs/benchmarks.md
	$(BIN)/python benchmarks/control.py --output docs/benchmarks-control.md

# One environment; each file marks the extra it has. ARGS adds to pip's arguments.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(ARGS) -e '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) .venv-*
