VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
ORACLES := .venv-oracles
FRAMEWORKS := .venv-frameworks
SITE := .venv-site

.PHONY: demo test quick coverage lint dist fuzz mutants bench evidence gallery site oracles oracles-paddle \
  frameworks aot clean

demo: $(VENV)/.examples  ## train on real data under nine schedules
	$(BIN)/python examples/digits.py

test: $(VENV)/.test  ## run all tests
	$(BIN)/python -m pytest

quick: $(VENV)/.test  ## run the first case of each test of the contracts and the messages, in a minute
	$(BIN)/python -m pytest --first-cases $(QUICK:%=tests/test_%.py)

QUICK := schedules compose monitors transforms bounds jax_world errors errors_families errors_series \
  control_errors public makers units parse config register

coverage: $(VENV)/.test  ## run all tests, and fail if they run less of the package than before
	$(BIN)/python -m pytest --cov --cov-report=

lint: $(VENV)/.dev  ## check style, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

dist: $(VENV)/.dev  ## build the distributions in dist/, and try each in a fresh environment
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python tests/try_distributions.py dist

fuzz: $(VENV)/.test  ## give a million random texts to the reader of expressions
	$(BIN)/python -m tests.fuzz_parse

mutants: $(VENV)/.test  ## put 200 small faults into a copy of the package, and report which no test notices
	$(BIN)/python -m tests.mutants $(ARGS)

bench: $(VENV)/.examples $(ORACLES)/.oracles  ## measure for some 12 minutes, and write docs/benchmarks*.md
	$(BIN)/python -m benchmarks.population --output docs/benchmarks-population.md
	$(BIN)/python -m benchmarks --output docs/benchmarks.md --peers $(ORACLES)/bin/python

evidence: $(VENV)/.examples  ## train under schedules and rules for some minutes, and write docs/evidence.md
	$(BIN)/python -m evidence $(if $(LOGS),--logs $(LOGS))

gallery: $(VENV)/.examples  ## draw docs/gallery.md anew
	$(BIN)/python docs/make_gallery.py

site: $(SITE)/.docs  ## check the gallery, and build the documentation site in site/
	$(SITE)/bin/python docs/make_gallery.py --check
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

oracles: $(ORACLES)/.oracles  ## compare the importers with the live packages they import from
	KERAS_BACKEND=jax $(ORACLES)/bin/python -m tests.oracles.coverage
	KERAS_BACKEND=jax $(ORACLES)/bin/python -m pytest -n2 -q -o addopts= -o filterwarnings=default \
	  --ignore=tests/oracles/test_paddle.py tests/oracles

frameworks: $(FRAMEWORKS)/.frameworks  ## build schedules through the tools that configure programs
	$(FRAMEWORKS)/bin/python -m pytest -n0 -q -o addopts= -o filterwarnings=default tests/frameworks

$(FRAMEWORKS)/.frameworks: pyproject.toml tests/frameworks/requirements.txt
	test -x $(FRAMEWORKS)/bin/python || $(PYTHON) -m venv $(FRAMEWORKS)
	$(FRAMEWORKS)/bin/python -m pip install --quiet --disable-pip-version-check $(ARGS) -r tests/frameworks/requirements.txt \
	  -e '.[plot,test]'
	touch $@

# Paddle alone is larger than all others together.
oracles-paddle: $(ORACLES)-paddle/.oracles  ## the same for Paddle, in an environment of its own
	$(ORACLES)-paddle/bin/python -m tests.oracles.coverage paddle
	$(ORACLES)-paddle/bin/python -m pytest -n2 -q -o addopts= -o filterwarnings=default tests/oracles/test_paddle.py

$(ORACLES)-paddle/.oracles: pyproject.toml
	test -x $(ORACLES)-paddle/bin/python || $(PYTHON) -m venv $(ORACLES)-paddle
	$(ORACLES)-paddle/bin/python -m pip install --quiet --disable-pip-version-check $(ARGS) paddlepaddle==3.3.1 -e '.[test]'
	touch $@

$(SITE)/.docs: pyproject.toml
	test -x $(SITE)/bin/python || $(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check $(ARGS) -e '.[docs]'
	touch $@

# The packages come first, so that nothing else chooses their versions.
$(ORACLES)/.oracles: pyproject.toml tests/oracles/requirements.txt tests/oracles/requirements-no-deps.txt
	test -x $(ORACLES)/bin/python || $(PYTHON) -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --disable-pip-version-check $(ARGS) -r tests/oracles/requirements.txt -e '.[test]'
	$(ORACLES)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/oracles/requirements-no-deps.txt
	touch $@

aot: .venv-tpu/.aot .venv-gpu/.aot  ## compile for TPUs and GPUs, and write docs/accelerators.md
	.venv-tpu/bin/python $(COMPILE) --junitxml=.venv-tpu/results.xml tests/aot/test_tpu.py
	.venv-gpu/bin/python $(COMPILE) -n2 --junitxml=.venv-gpu/results.xml tests/aot/test_gpu.py
	.venv-tpu/bin/python -m tests.aot.report .venv-gpu/results.xml .venv-tpu/results.xml --output docs/accelerators.md

COMPILE := -m pytest -q -o addopts= -o junit_family=xunit1

.venv-%/.aot: pyproject.toml tests/aot/requirements-%.txt
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check $(ARGS) -r tests/aot/requirements-$*.txt \
	  -e . gmpy2 hypothesis pytest pytest-xdist
	touch $@

# One environment; each file marks the extra it has. ARGS adds to pip's arguments.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(ARGS) -e '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) .venv-* site dist
