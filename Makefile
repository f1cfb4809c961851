# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SHARED ?= ../shared

.PHONY: help demo test test-slow test-search lint types imports unit docs bench sample clean

help:
	@echo "make demo         install, run the first example, leave a labelled layer and a map in demo/"
	@echo "make test         install what tests need; lint, types, import contract and tests"
	@echo "make test-slow    the tests that take minutes"
	@echo "make test-search  the property tests on examples never tried before"
	@echo "make bench        measure against the peers"
	@echo "make docs         rewrite the generated pages of docs/"
	@echo "make sample       rebuild sample_data/ from libpysal's Georgia counties"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "regionalize needs Python 3.11 or later; try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp per set of extras, so that a second `make` installs nothing.
$(VENV)/.installed-%: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e $(if $(filter run,$*),.,".[$*]")
	@touch $@

demo: $(VENV)/.installed-run
	mkdir -p demo
	$(BIN)/regionalize kmeans --k 12 --with-centroids -o demo/georgia_regions.gpkg --map demo/georgia_regions.png --overwrite
	@echo "Look at demo/georgia_regions.png, and open demo/georgia_regions.gpkg in QGIS."

test: lint types imports unit

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

imports: $(VENV)/.installed-test
	$(BIN)/lint-imports

unit: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -m slow

test-search: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n 2 -m "hypothesis and not slow" --hypothesis-profile=search

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.installed-run
	$(BIN)/python docs/generate.py

sample: $(VENV)/.installed-run
	$(BIN)/python sample_data/build.py

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
