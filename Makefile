# Every command of this repository; `make` alone prints this list.
# Nothing has to be installed first except Python 3.11 or newer (with venv), make and git.

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo test test-unit check bench chaos lock clean distclean

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet --no-input

# A folder is installed again when what it was installed from has changed.
fingerprint = $(firstword $(shell cat $(1) pyproject.toml | cksum))
RUNTIME := $(VENV)/.installed-$(call fingerprint,requirements.lock)
DEV := $(VENV)/.installed-dev-$(call fingerprint,requirements-dev.lock)

UV := $(VENV)-lock/bin/uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --extra build --extra demo $(if $(UPGRADE),--upgrade)

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(RUNTIME) ## create .venv with what Daybook and its demo need
install-dev: $(DEV) ## the same, and what tests and checks need

demo: $(RUNTIME) ## run the main job on a year of real receipts; ONCE=1 ends after it
	$(PY) -m deployments.demo $(if $(ONCE),--once)

test: $(DEV) ## run all tests except those of `make chaos`
	$(PY) -m pytest --numprocesses logical --maxprocesses 4 --dist loadgroup -m "not chaos"

test-unit: $(DEV) ## run the tests that need no database and no socket
	$(PY) -m pytest tests/unit

chaos: $(DEV) ## run the tests that kill processes and lose replies on purpose
	$(PY) -m pytest --numprocesses logical --maxprocesses 4 -m chaos

check: $(DEV) ## lint, formatting, types, import contracts, size limits
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m pytest --quiet tests/unit/test_architecture.py

bench: $(DEV) ## measure a year of receipts, write bench.json
	$(PY) -m tests.bench.run

lock: ## bring both lock files in line with pyproject.toml; UPGRADE=1 takes the newest
	python3 -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --extra dev --constraint requirements.lock pyproject.toml \
		--output-file requirements-dev.lock
	rm -rf $(VENV)-lock

clean: ## end what a killed demo left, remove its state and all caches
	@if [ -x $(PY) ] && [ -e .daybook ]; then $(PY) -m deployments.demo.clean; fi
	@# Without the environment only the files can go; as root the database may lie outside.
	@case "$$(readlink .daybook/postgres)" in \
		/var/lib/daybook-*|/var/tmp/daybook-*) rm -rf "$$(readlink .daybook/postgres)";; esac
	rm -rf .daybook .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench.json
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## the same, and remove .venv
	rm -rf $(VENV) *.egg-info build dist

$(PY):
	@deployments/python -m venv $(VENV)

# --no-deps: the lock is complete, and older pips trip over extras when hashes are required.
# Compiled afterwards, on all cores and without tests: pip would use one core for all of it. A file
# that does not compile is a template of its package.
COMPILE = $(PY) -m compileall -qq -j 0 -x '/tests?/|_migrations/versions/' $(VENV)/lib || true

$(RUNTIME): | $(PY)
	@echo "Installing what requirements.lock lists into $(VENV) ..."
	@$(PIP) install --no-deps --require-hashes --no-compile --requirement requirements.lock
	@$(COMPILE)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-*
	@touch $@

$(DEV): | $(PY)
	@echo "Installing what requirements-dev.lock lists into $(VENV) ..."
	@$(PIP) install --no-deps --require-hashes --no-compile --requirement requirements-dev.lock
	@$(COMPILE)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-*
	@touch $(RUNTIME) $@
