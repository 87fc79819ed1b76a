# The two commands: `make demo` and `make test`. Each does all its own set-up on a fresh Debian or Ubuntu.

SHELL := /bin/bash
# Root's environment lies where the test users of the cluster can read it; everyone else's in the checkout.
HASH := $(shell printf %s '$(CURDIR)' | sha256sum | cut -c1-8)
VENV ?= $(if $(filter 0,$(shell id -u)),/opt/slurmdash-dev/venvs/$(HASH),$(CURDIR)/.venv)
BIN := $(VENV)/bin
export PATH := $(BIN):$(PATH)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export YARN_ENABLE_PROGRESS_BARS := 0

PANEL := jupyter_slurmdash/labextension/static/style.js
PANEL_SOURCES := $(shell find labextension -type f -not -path '*/__tests__/*') package.json yarn.lock tsconfig.json

PACKAGE_SOURCES := $(shell find jupyter_slurmdash -type f -not -path '*/labextension/*' -not -name '*.pyc')

# Other people's upload clients and servers, which the tests and benchmarks run against ours and beside it.
CLIENTS := tests/uploads/clients

.PHONY: demo test lint bench dev panel install clients cluster test-python test-panel docs clean

demo: $(VENV)/.demo  ## open JupyterLab with the panel (HEADLESS=1: run a job and print its output)
	$(BIN)/python dev/demo.py $(if $(HEADLESS),--headless)

test: lint install cluster  ## everything, on the real components
	$(MAKE) --no-print-directory test-panel
	$(MAKE) --no-print-directory test-python

lint: panel  ## what CI checks before it tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python dev/drawing.py --check
	$(BIN)/jlpm lint:check
	$(BIN)/jlpm types:check

bench: install clients  ## performance ratios against their baselines
	$(BIN)/python -m pytest benchmarks -q -s -p no:cacheprovider

test-python: install clients
	rm -f .coverage .coverage.*
	cd tests && $(BIN)/python -P -m pytest --rootdir=$(CURDIR) -c $(CURDIR)/pyproject.toml \
	  --cov --cov-config=$(CURDIR)/pyproject.toml --cov-report=term --cov-fail-under=90 $(PYTEST) .

test-panel: panel
	$(BIN)/jlpm test --ci

cluster: $(VENV)/.test  ## the real cluster, where this machine can carry one (Debian, as root)
	$(if $(filter 0,$(shell id -u)),dev/cluster up,@echo "Not root: the tests that need a cluster are skipped.")

docs: $(VENV)/.test  ## make the drawing of imports in docs/architecture.md anew
	$(BIN)/python dev/drawing.py

dev: $(VENV)/.test panel  ## an editable install for work on the code
	SKIP_JUPYTER_BUILDER=1 $(BIN)/pip install -q --no-deps --no-build-isolation -e .
	$(BIN)/jupyter-builder develop . --overwrite

panel: $(PANEL)

clients: $(CLIENTS)/node_modules/.installed

$(CLIENTS)/node_modules/.installed: $(VENV)/.test $(CLIENTS)/package.json $(CLIENTS)/yarn.lock
	cd $(CLIENTS) && $(BIN)/jlpm install --immutable
	@touch $@

install: $(VENV)/.test $(PANEL)  ## the wheel, as a user gets it
	SKIP_JUPYTER_BUILDER=1 $(BIN)/pip install -q --no-deps --no-build-isolation --force-reinstall .

$(PANEL): $(VENV)/.test $(PANEL_SOURCES)
	$(BIN)/jlpm install --immutable
	$(BIN)/jlpm build:prod
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt dev/setup $(PANEL_SOURCES) $(PACKAGE_SOURCES)
	dev/setup demo $(VENV)

$(VENV)/.test: pyproject.toml constraints.txt dev/setup
	dev/setup test $(VENV)

clean:
	rm -rf node_modules $(CLIENTS)/node_modules jupyter_slurmdash/labextension labextension/lib dist build .coverage .coverage.*
