# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SHARED ?= ../shared

.PHONY: help demo test test-slow test-search test-browser test-qgis test-release test-oldest test-faults test-fuzz test-peers test-load coverage mutants audit constraints lint types imports unit docs bench sample clean

help:
	@echo "make demo         install, run the first example, leave a labelled layer and a map in demo/"
	@echo "make test         install what tests need; lint, types, import contract and tests"
	@echo "make lint         the first part of it: ruff"
	@echo "make types        the second: mypy"
	@echo "make imports      the third: which room knows which"
	@echo "make unit         the last: the tests that take no minutes"
	@echo "make test-slow    the tests that take minutes"
	@echo "make test-search  the property tests on examples never tried before"
	@echo "make test-browser the pages in a real Chromium, installed by apt-get where that may be"
	@echo "make test-qgis    layers opened in QGIS, installed by apt-get where that may be"
	@echo "make test-release the package built, and installed in an environment of its own"
	@echo "make test-oldest  the tests with the oldest dependencies allowed; TESTS=tests/io for some"
	@echo "make test-faults  every n-th write, sync, rename and allocation fails, or the process is killed there"
	@echo "make test-fuzz    damaged files and made-up texts through readers and commands; SECONDS=60 for each"
	@echo "make test-peers   answers beside those of pygeoda, spopt, libpysal, scikit-learn and SciPy"
	@echo "make test-load    thousands of small runs, and many batches in one folder"
	@echo "make coverage     which branches of the package the tests take"
	@echo "make mutants      which changes of the package no test notices"
	@echo "make audit        known weaknesses of the versions installed"
	@echo "make constraints  the versions that continuous integration installs, the newest there are"
	@echo "make bench        measure against the peers"
	@echo "make docs         rewrite the generated parts of docs/, and build the site in docs/_build/html"
	@echo "make sample       rebuild sample_data/ from libpysal's Georgia counties"
	@echo "make clean        remove the environments, demo/ and all caches"

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

FAST = not slow and not browser and not qgis and not release
unit: $(VENV)/.installed-test $(VENV)/.installed-docs
	$(BIN)/python -m pytest -q -n 2 -m "$(FAST)"

OWN_TARGET = tests/faults tests/fuzz tests/load tests/peers
test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q $(OWN_TARGET:%=--ignore=%) -m slow

test-search: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n 2 -m "hypothesis and not slow" --hypothesis-profile=search

# Pages are looked at where there is a Chromium, or one may be installed; elsewhere these tests say why they skip.
APT = $(if $(filter 0,$(shell id -u)),,sudo -n) timeout 600 apt-get
test-browser: $(VENV)/.installed-test $(VENV)/.installed-docs
	@$(BIN)/python -c "import playwright" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[browser]" || true
	@command -v chromium chromium-browser google-chrome >/dev/null || ! command -v apt-get >/dev/null || \
		$(APT) install -qq -y --no-install-recommends chromium || \
		{ $(APT) update -qq && $(APT) install -qq -y --no-install-recommends chromium; } || true
	$(BIN)/python -m pytest -q -m browser

# Debian's QGIS is for Debian's Python, which a test starts by itself.
QGIS = python3-qgis qgis-providers
test-qgis: $(VENV)/.installed-test
	@/usr/bin/python3 -c "import qgis.core" 2>/dev/null || ! command -v apt-get >/dev/null || \
		$(APT) install -qq -y --no-install-recommends $(QGIS) || \
		{ $(APT) update -qq && $(APT) install -qq -y --no-install-recommends $(QGIS); } || true
	$(BIN)/python -m pytest -q -m qgis

test-release: $(VENV)/.installed-test $(VENV)/.installed-release
	$(BIN)/python -m pytest -q -m release

# What the package itself needs in the oldest versions that pyproject.toml allows; what tests need, in the newest.
OLDEST = .venv-oldest
$(OLDEST)/.installed: pyproject.toml
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(OLDEST)/bin/uv pip compile --quiet --python $(OLDEST)/bin/python --resolution lowest-direct pyproject.toml -o $(OLDEST)/constraints.txt
	$(OLDEST)/bin/uv pip install --quiet --python $(OLDEST)/bin/python --constraints $(OLDEST)/constraints.txt -e ".[test]"
	@touch $@

# Compiled kernels of another numba are kept apart from those of the ordinary environment.
test-oldest: $(OLDEST)/.installed
	NUMBA_CACHE_DIR=$(abspath $(OLDEST))/numba $(OLDEST)/bin/python -m pytest -q -n 2 -p no:cacheprovider -m "$(FAST)" $(TESTS)

# Peers come with the extra of the benchmarks. OTHER=python3.13 compares with what another Python finds, too.
OTHER ?=
OTHER_VENV = .venv-other
test-peers: $(VENV)/.installed-test $(VENV)/.installed-bench $(if $(OTHER),$(OTHER_VENV)/.installed)
	$(if $(OTHER),REGIONALIZE_OTHER_PYTHON=$(abspath $(OTHER_VENV))/bin/python) $(BIN)/python -m pytest -q -n 2 tests/peers tests/metamorphic

$(OTHER_VENV)/.installed: pyproject.toml
	$(OTHER) -m venv $(OTHER_VENV)
	$(OTHER_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

test-load: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q tests/load

# Kernels run compiled, where no line is seen: the branches of theirs that count are those of tests on plain Python.
# Left aside is what starts hundreds of processes to go where other tests go, too, and what lets no file grow: that
# of the figures would not, either.
BESIDE = tests/docs tests/faults
NO_GROWTH = not may_not_grow and not file_size_limit
coverage: $(VENV)/.installed-test $(VENV)/.installed-docs $(VENV)/.installed-coverage
	$(BIN)/python -m pytest -q -n 2 -m "$(FAST)" $(BESIDE:%=--ignore=%) -k "$(NO_GROWTH)" --cov --cov-report=term --cov-report=html:build/coverage

# Each call of each kind and output, which takes hours; FAULTS_STEP=20 breaks every twentieth.
test-faults: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -n 2 tests/faults

# SECONDS for each reader and format, and SEED for others than the last time. Without a wheel of atheris, its part
# says so and is skipped.
SECONDS ?= 60
SEED ?= 1
test-fuzz: $(VENV)/.installed-test
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[fuzz]" || true
	FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$(SEED) $(BIN)/python -m pytest -q -rA tests/fuzz

# Neither belongs to what is audited, so they are installed apart.
AUDIT = .venv-audit
$(AUDIT)/.installed:
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit uv
	@touch $@

audit: $(VENV)/.installed-test $(AUDIT)/.installed
	$(BIN)/python .github/audit.py $(AUDIT)/bin/pip-audit

# For all systems and Pythons at once; continuous integration installs these and no others.
constraints: $(AUDIT)/.installed
	$(AUDIT)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-annotate \
		--no-emit-index-url --custom-compile-command "make constraints" pyproject.toml -o .github/constraints/ci.txt

# Of the larger parts a share is tried (tests/mutants/plan.toml); MUTANTS=weights for some, SHARE=1 for all of them.
MUTANTS ?=
SHARE ?=
mutants: $(VENV)/.installed-test $(VENV)/.installed-mutants
	$(BIN)/python tests/mutants/run.py $(MUTANTS) $(if $(SHARE),--share $(SHARE))

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/manual.py
	$(BIN)/python -m sphinx -q -W -n --keep-going -c docs -d docs/_build/tree . docs/_build/html
	@echo "Open docs/_build/html/index.html"

sample: $(VENV)/.installed-run
	$(BIN)/python sample_data/build.py

clean:
	rm -rf $(VENV) $(OLDEST) $(OTHER_VENV) $(AUDIT) demo docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find regionalize tests docs benchmarks -name __pycache__ -prune -exec rm -rf {} +  # numba's caches, too
