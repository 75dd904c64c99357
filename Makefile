# Two commands matter: `make run` (the main job) and `make test` (everything that must hold).

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := run
.PHONY: run test lint types bench docs clean

# Each stamp stands for "installed with these extras"; it goes stale with the package's own settings.
SETTINGS := pyproject.toml setup.py constraints.txt $(wildcard src/polydescent/kernels/*.[ch])

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

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/.lint
	$(VENV)/bin/pyright

bench: $(VENV)/.bench
	$(VENV)/bin/python benchmarks/run.py

docs: $(VENV)/.docs
	$(VENV)/bin/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf $(VENV) build docs/_build src/*.egg-info src/polydescent/kernels/*.so
