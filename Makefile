# make install   bayescale in .venv
# make demo   forecasts from the bundled measurements, in demo/
# make test   the tests
# make lint   style and types
# make docs   run every recipe (20 minutes), then write the documentation to docs/_build/html
# make notebooks   run the notebooks and store what they show
# make bench  measure sampling, beside textbook PyMC and NumPyro, and scale: docs/measured.md
#
# The first call makes a virtual environment in .venv. To choose its Python: make PYTHON=python3.12

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --editable
NEW_ENOUGH := import sys, ensurepip, venv; assert sys.version_info >= (3, 12)
CANDIDATES := python3.13 python3.12 python3 python \
    "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.*/bin/python
FIRST_NEW_ENOUGH = for python in $(CANDIDATES); do \
    "$$python" -c "$(NEW_ENOUGH)" 2>/dev/null && { echo "$$python"; break; }; done
NOT_FOUND = bayescale needs Python 3.12 or newer, which is neither on the PATH nor under pyenv
PYTHON = $(or $(shell $(FIRST_NEW_ENOUGH)),$(error $(NOT_FOUND)))

.PHONY: install demo test lint docs notebooks bench

install: .venv/.installed

demo: .venv/.installed
	$(BIN)/bayescale forecast --out demo

test: .venv/.installed-test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/.installed-docs
	$(BIN)/python docs/generate_recipes.py --run
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

notebooks: .venv/.installed-docs
	$(BIN)/jupyter execute --inplace --timeout=600 notebooks/*.ipynb

bench: .venv/.installed-bench
	$(BIN)/python benchmarks/sampling.py --json > benchmarks/results/sampling.jsonl
	$(BIN)/python benchmarks/scale.py --json > benchmarks/results/scale.json
	$(BIN)/python benchmarks/page.py

.venv/.installed: pyproject.toml
	@$(BIN)/python -c "$(NEW_ENOUGH)" 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@echo "installing bayescale into .venv"
	@$(PIP) .
	@touch $@

.venv/.installed-%: .venv/.installed
	@echo "installing what make $* needs"
	@$(PIP) ".[$*]"
	@touch $@
