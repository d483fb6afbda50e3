# For people who try the suite or work on it. Operators need only pyinfra: see README.md.
# LAB=1 make ... means another lab than the first: see docs/lab.md.

SHELL := /bin/sh
PYTHON := .venv/bin/python
PYINFRA := .venv/bin/pyinfra
# The unit tests of all components, in three parts, so that a processor seldom waits for another. What is in no other
# part is in the last.
COMPONENTS_1 := $(wildcard tests/unit/[a-b]*/)
COMPONENTS_2 := $(wildcard tests/unit/[c-o]*/)
COMPONENTS_3 := $(filter-out $(COMPONENTS_1) $(COMPONENTS_2),$(wildcard tests/unit/*/))
UNIT_COMPONENTS := unit-components-1 unit-components-2 unit-components-3
SOURCES := mstdn tasks tests deploy.py provision.py inventory.py config.py group_data

# Kept byte code is a part of "warm": without it each process of the tests compiles the suite and the tests again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint types unit unit-components $(UNIT_COMPONENTS) unit-suite plan test-long interrupted provision provision-google provision-servers provision-others e2e drift servers bench docs lock lab-up lab-down lab-reset lab-shell lab-clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.complete: requirements-dev.lock tests/lab/venv.sh
	@tests/lab/venv.sh requirements-dev.lock .venv

demo: .venv/.complete ## Deploy a whole Mastodon into a throw-away world on this machine
	@$(PYTHON) -m tests.lab demo

test: test-fast test-long e2e ## Everything that proves the suite
	@echo "All of it passed: lint, types, unit, plan, provision, interrupted, e2e."

FAST := unit-suite plan $(UNIT_COMPONENTS) types lint
LONG := provision-google provision-servers provision-others interrupted
# More jobs than processors, since tests wait for clocks and for disks: unit-suite does for a third of its time.
test-fast: .venv/.complete ## The part without the lab (about a minute), five things at a time
	@$(MAKE) --no-print-directory --jobs 5 --output-sync=target $(FAST)

lint: .venv/.complete
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/deptry .
	git ls-files -z 'mstdn/*.sh' | xargs -0 .venv/bin/shellcheck --shell=sh
	git ls-files -z '*.sh' ':!mstdn' | xargs -0 -r .venv/bin/shellcheck

types: .venv/.complete
	.venv/bin/mypy mstdn tasks tests deploy.py provision.py inventory.py config.py

unit: unit-components unit-suite

unit-components: $(UNIT_COMPONENTS)

$(UNIT_COMPONENTS): unit-components-%: .venv/.complete
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/components-$* -m "not interrupted" $(COMPONENTS_$*)

unit-suite: .venv/.complete
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/suite tests/unit/test_*.py

plan: .venv/.complete
	$(PYTHON) -m pytest tests/plan

# A minute of work without the lab. Four things at a time, since providers are waited for.
test-long: .venv/.complete
	@$(MAKE) --no-print-directory --jobs 4 --output-sync=target $(LONG)

interrupted: .venv/.complete ## What was cut off at any moment, on a server of stand-ins
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/interrupted -m interrupted tests/unit/*/

# Each provider's run is cut off at every request, of which Google's has the most.
PROVISION_SERVERS := tests/provision/test_whole_story.py tests/provision/test_server_providers.py
provision: .venv/.complete ## Provisioning against stand-ins of the providers
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target provision-google provision-servers provision-others

provision-google: .venv/.complete
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/google -k google $(PROVISION_SERVERS)

provision-servers: .venv/.complete
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/servers -k "not google" $(PROVISION_SERVERS)

provision-others: .venv/.complete
	$(PYTHON) -m pytest --override-ini cache_dir=.pytest_cache/others tests/provision $(addprefix --ignore=,$(PROVISION_SERVERS))

# All of them on three servers at once (tests/e2e/lives.py). With FILES, which may be node ids too, on one server, which is
# kept as it is between runs, and deployed first when it is bare:
# make e2e FILES="tests/e2e/test_06_visitors.py tests/e2e/test_05_instance.py::test_only_http_and_https_are_published"
e2e: .venv/.complete lab-up ## The tests in the lab, or quickly some: FILES=tests/e2e/test_06_visitors.py
	$(PYTHON) -m $(if $(FILES),pytest --keep $(FILES),tests.e2e)

drift: .venv/.complete lab-up ## Everything that may happen to a server, foretold and mended; writes docs/reliability.md
	$(PYTHON) -m tests.e2e drift

servers: .venv/.complete lab-up ## Every kind of server and of way in, and write docs/reliability.md
	$(PYTHON) -m tests.e2e servers

bench: .venv/.complete lab-up ## Measure speed and size in the lab, and say which targets are met
	@$(PYTHON) -m tests.lab.bench

docs: .venv/.complete ## Write anew what is made from the settings: docs/settings.md, group_data/all.py, …
	@$(PYTHON) -m mstdn.settings

lock: .venv/.complete ## Write the lock files anew (versions and hashes, no addresses)
	.venv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra provision -o requirements-provision.lock
	.venv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements-dev.lock

lab-up: .venv/.complete ## Start the lab: a bare server and a private Internet
	@$(PYTHON) -m tests.lab up

lab-down: ## Stop the lab and remove everything it made, except its image cache
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tests.lab down; else echo "No lab was ever started here."; fi

lab-reset: .venv/.complete ## Replace the server by a fresh bare one (SERVER=server2: that one)
	@$(PYTHON) -m tests.lab reset $(SERVER)

lab-shell: .venv/.complete ## A root shell on the server (SERVER=server2: on that one)
	@$(PYTHON) -m tests.lab shell $(SERVER)

lab-clean: lab-down ## Also remove the lab's image cache
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tests.lab clean; fi
