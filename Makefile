SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
# Where Python is told to keep no bytecode, as images of containers like to, each process of ours
# would translate a thousand modules anew.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
# Workers, each with a world of its own; a file stays whole, since its tests may share a server. One
# more than two processors, because who drives a browser mostly waits for it.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 3 ? 3 : n > 6 ? 6 : n)))
PYTEST := $(PY) -m pytest -q -p tests.noskip -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Pictures of the screens are for people; `make e2e` leaves them, or `make test PICTURES=yes`.
PICTURES ?= no
STEP := @.ci/step

.PHONY: help
help:  ## Say what each command does
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: setup build  ## Set everything up and serve it on http://localhost:8000
	@$(PY) -m emk_app.start

.PHONY: cluster
cluster: setup build  ## Serve it from PostgreSQL, Redis, two backends and nginx, until Ctrl-C
	@$(PY) -m deploy.cluster

.PHONY: test
test: setup-dev ready  ## Set everything up and run all tests, browser included
	@.ci/together "$(MAKE) test-sqlite" "$(MAKE) test-postgres WORKERS=1"

.PHONY: ready
ready: setup-dev  ## Build, and meanwhile check style, types and layers, and find what tests need
	@.ci/together "$(MAKE) build" "$(MAKE) lint types contracts" "$(MAKE) tools"

.PHONY: tools
tools: browser judges module  ## Find all programs that tests need, or install them, one after the other
	$(STEP) postgres .ci/postgres true

.PHONY: setup
setup:  ## Install the locked Python packages into .venv
	$(STEP) setup .ci/setup run

.PHONY: setup-dev
setup-dev:  ## The same with the tools of the developer
	$(STEP) setup .ci/setup dev

.PHONY: build
build: setup  ## Build the frontend, if its sources have changed
	$(STEP) build $(PY) -m emk_app.frontend build

.PHONY: migrate
migrate: setup  ## Bring the database up to the newest schema
	$(STEP) migrate $(PY) -m emk_app.cli db upgrade

.PHONY: keys
keys: setup  ## Make the keys that are missing
	$(STEP) keys $(PY) -m emk_app.cli keys

.PHONY: seed
seed: setup  ## Make the demo people and clinics, and print how they sign in
	$(STEP) seed $(PY) -m emk_app.cli seed

.PHONY: codes
codes: setup  ## Print the demo people with their present one-time codes
	@$(PY) -m emk_app.cli codes

.PHONY: test-unit
test-unit: setup-dev judges  ## Run the fast tests: rules, texts, vectors, architecture
	$(STEP) test-unit $(PYTEST) tests/unit tests/architecture

.PHONY: test-sqlite
test-sqlite: setup-dev build browser judges module  ## Run all tests on SQLite
	$(STEP) test-sqlite env EMK_CHROMIUM="$$(.ci/browser)" EMK_TEST_PICTURES="$(PICTURES)" $(PYTEST)

.PHONY: test-postgres
test-postgres: setup-dev build module  ## Run the tests of services and migrations on PostgreSQL
	$(STEP) test-postgres .ci/postgres $(PYTEST) tests/services tests/migrations

.PHONY: e2e
e2e: setup-dev build browser  ## Run the stories in Chromium
	$(STEP) e2e env EMK_CHROMIUM="$$(.ci/browser)" $(PYTEST) tests/e2e

.PHONY: module
module: setup-dev  ## Find the software key module, or install it
	$(STEP) module .ci/module

.PHONY: browser
browser: setup-dev  ## Find Chromium, or install it
	$(STEP) browser .ci/browser

.PHONY: judges
judges:  ## Find the outside judges of our documents, or install them
	$(STEP) judges .ci/judges

.PHONY: lint
lint: setup-dev  ## Check style and form of the code
	$(STEP) lint $(PY) -m ruff check .
	$(STEP) format $(PY) -m ruff format --check .

.PHONY: types
types: setup-dev  ## Check the types
	$(STEP) types $(PY) -m pyright

.PHONY: contracts
contracts: setup-dev  ## Check that imports go down the layers only
	$(STEP) contracts .venv/bin/lint-imports

.PHONY: check
check: lint types contracts test-unit  ## Everything that takes less than a minute

.PHONY: bench
bench: setup-dev build browser  ## Measure ourselves beside plain peers
	@env EMK_CHROMIUM="$$(.ci/browser)" $(PY) -m benchmarks

.PHONY: lock
lock: setup-dev  ## Lock what pyproject.toml and the pages need, keeping versions that still fit
	$(STEP) lock .ci/lock

.PHONY: upgrade
upgrade: setup-dev  ## Lock the newest versions that pyproject.toml allows
	$(STEP) upgrade .ci/lock upgrade

.PHONY: sbom
sbom: setup-dev  ## Write what we are made of, by the locks, to .build/sbom.json (CycloneDX)
	@mkdir -p .build
	$(STEP) sbom $(PY) .ci/supply.py sbom > .build/sbom.json

ADVISORIES ?= .ci/advisories
.PHONY: audit
audit: setup-dev  ## Look for what is known against our packages, in ADVISORIES=folder-or-zip
	$(STEP) audit $(PY) .ci/supply.py audit $(ADVISORIES)

.PHONY: clean
clean:  ## Remove what was built; the data and .venv stay
	rm -rf .web .states .build .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name .venv -prune -o -name __pycache__ -prune -exec rm -rf {} +
