# Everything a checkout can do; `make help` lists it.
PYTHON ?= python3
ARGS ?=
PORT ?= 8000
TESTS ?= tests
# Test processes: one more than there are cores, as many tests wait for servers, databases and browsers.
JOBS ?= $(shell echo $$(($$(nproc) + 1)))

VENV := .venv
BIN := $(VENV)/bin
NODE_MODULES := client/node_modules
CLIENT_SOURCES := $(shell find client -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
CHECKED := server tests bench tools

export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_REQUIRE_VIRTUALENV := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run setup client develop tools pictures test test-python test-client compile lint lint-style lint-types lint-layers \
	lint-client format docs bench lock dist clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup ## Start the server on http://127.0.0.1:8000 with SQLite in ./data; PORT=9000 moves it, ARGS="…" adds options
	@exec $(BIN)/visitor-tracker serve --host 127.0.0.1 --port $(PORT) $(ARGS)

setup: $(VENV)/.runtime client ## Make .venv with the command visitor-tracker, and build the browser client

client: $(NODE_MODULES)/.built ## Build the browser client into client/dist

test: test-python test-client ## Install what the tests need and run all of them; TESTS=tests/web runs a part

test-python: setup develop tools
	$(BIN)/python -m pytest $(TESTS) -n $(JOBS) --dist loadfile --no-loadscope-reorder -q

test-client: $(NODE_MODULES)/.built
	cd client && npm test --silent

compile: setup develop # what each of several test processes compiles for itself otherwise; mistakes are for these to tell
	@$(BIN)/python -m pytest $(TESTS) --collect-only -qq >/dev/null 2>&1 || true

lint: lint-types lint-style lint-layers lint-client ## Check style, types, layers and the client's size

lint-types: setup develop
	$(BIN)/mypy

lint-style: setup develop
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)

lint-layers: setup develop
	PYTHONPATH=server $(BIN)/lint-imports

lint-client: setup
	cd client && npm run --silent lint && npm run --silent size

format: develop ## Lay out the Python and JavaScript sources
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/ruff format $(CHECKED)
	cd client && npm run --silent format

docs: setup develop ## Write the parts of docs/ that the code generates
	$(BIN)/python tools/write_docs.py

pictures: setup client develop tools ## Take the picture of the README anew
	$(BIN)/python tools/take_pictures.py

bench: setup ## Compare speed with other servers (about twenty minutes); ARGS go to bench/run.py
	tools/debian.sh wrk=wrk nginx=nginx mariadbd=mariadb-server mariadb=mariadb-client
	$(BIN)/python bench/run.py $(ARGS)

lock: ## Take new versions of the Python packages into requirements/*.lock
	tools/lock.sh $(PYTHON)

dist: setup ## Build the source archive and, out of it, the wheel, client included, into dist/
	rm -rf build dist
	$(BIN)/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")' >/dev/null
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir dist dist/*.tar.gz
	@ls -l dist

clean: ## Remove everything that was built, not ./data
	rm -rf $(VENV) .venv-bench $(NODE_MODULES) client/dist build dist server/*.egg-info .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed and $(PYTHON) is older; name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@tools/debian.sh python3-venv=python3-venv
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.runtime: requirements/runtime.lock setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements/runtime.lock
	@mkdir -p client/dist  # a package of the wheel: it must exist before it is built
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

develop: $(VENV)/.develop
$(VENV)/.develop: requirements/develop.lock $(VENV)/.runtime
	$(BIN)/pip install --quiet --require-hashes -r requirements/develop.lock
	@touch $@

tools:
	@tools/debian.sh mariadbd=mariadb-server chromium=chromium nginx=nginx haproxy=haproxy \
		strace=strace openssl=openssl systemd-analyze=systemd libatomic.so.1=libatomic1

$(NODE_MODULES)/.installed: client/package.json client/package-lock.json
	@tools/debian.sh node=nodejs npm=npm
	cd client && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(NODE_MODULES)/.built: $(NODE_MODULES)/.installed $(CLIENT_SOURCES)
	cd client && npm run --silent build
	@touch $@
