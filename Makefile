# Two commands matter: `make run` (the main job) and `make test` (everything that must hold).

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := run
.PHONY: run test test-anywhere coverage lint types bench docs changelog dist clean

# Processors that OpenBLAS can pretend to be; each rounds in its own order.
CORES ?= Prescott Nehalem Sandybridge Haswell Zen SkylakeX

# Each stamp stands for "installed with these extras"; it goes stale with the package's own settings.
SETTINGS := pyproject.toml setup.py constraints.txt $(wildcard src/polydescent/*/*.[ch] src/polydescent/*/*/*.[ch])

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python $(SETTINGS)
	$(PIP) --editable ".[plot]"
	@touch $@

$(VENV)/.test: $(VENV)/bin/python $(SETTINGS)
	$(PIP) torch --editable ".[test]"
	@touch $@ $(VENV)/.run

$(VENV)/.lint: $(VENV)/.test
	$(PIP) --editable ".[lint]"
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) --editable ".[bench]"
	@touch $@

$(VENV)/.docs: $(VENV)/.test
	$(PIP) --editable ".[docs]"
	@touch $@

run: $(VENV)/.run
	$(VENV)/bin/polydescent approximate "sin(x)" --plot sine.png

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile

# No digit that is asserted or shown may depend on the processor, the threads or the compiler.
test-anywhere: $(VENV)/.test
	for core in $(CORES); do \
	    echo "as on $$core, one thread"; \
	    OPENBLAS_CORETYPE=$$core OPENBLAS_NUM_THREADS=1 \
	        $(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile $(ONLY) || exit 1; \
	done
	echo "without the C kernels"
	POLYDESCENT_KERNELS=blocks,reference \
	    $(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile $(ONLY)

coverage: $(VENV)/.test
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@sh .ci/scripts.sh

types: $(VENV)/.lint
	$(VENV)/bin/pyright

bench: $(VENV)/.bench
	$(VENV)/bin/python benchmarks/run.py

docs: $(VENV)/.docs
	$(VENV)/bin/sphinx-build -W --keep-going -b html docs docs/_build/html

changelog:
	$(PYTHON) changelog.d/fold.py

dist: $(VENV)/.test
	$(PIP) build
	$(VENV)/bin/python -m build

clean:
	rm -rf $(VENV) build docs/_build src/*.egg-info src/polydescent/*/*.so src/polydescent/*/*/*.so
