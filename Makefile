# `make` alone shows what there is. Python ≥ 3.10, make and a package manager are all that is needed; no Node.
PYTHON ?= python3
DEV := .venv
DEMO := .demo/venv
PIP_FLAGS := --quiet --disable-pip-version-check
SOURCES := pyproject.toml hatch_build.py constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-long start-test-server test-with-server lint bench screenshots clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(DEMO)/.done ## Train 24 small networks, watch them in the dashboard (DEMO_EXIT=1 ends by itself, REMOTE=1 logs over HTTP)
	@$(DEMO)/bin/python -m demo

test: $(DEV)/.done ## Run everything: Python, TypeScript and browser tests
	@$(DEV)/bin/python tests/run.py

test-long: $(DEV)/.done ## Run everything with the full counts of PROMISES.md (hours)
	@$(DEV)/bin/python tests/run.py --long

start-test-server: $(DEV)/.done ## Start a server for `make test-with-server`
	@$(DEV)/bin/python -m ml_logger.server --data-dir /tmp/ml-logger-debug

test-with-server: $(DEV)/.done ## Run tests/api against that server
	@$(DEV)/bin/python -m pytest tests/api --capture=no --data-dir http://0.0.0.0:8081

lint: $(DEV)/.done ## Check style and types
	@$(DEV)/bin/ruff check . && $(DEV)/bin/ruff format --check src tests bench demo examples && $(DEV)/bin/pyright && $(DEV)/bin/mypy --strict tests/typing/api.py

bench: $(DEV)/.done ## Measure the claims of the README on this machine
	@$(DEV)/bin/python -m bench

screenshots: $(DEV)/.done ## Take the README's pictures of the real dashboard
	@$(DEV)/bin/python -m demo.screenshots

clean: ## Remove environments, builds and the demo's data
	rm -rf .venv .demo dist build dashboard/node_modules dashboard/dist src/ml_logger/server/assets

$(DEV)/.done: $(SOURCES)
	@sh tests/system_packages.sh
	@sh tests/venv.sh $(PYTHON) $(DEV)
	@echo "installing the package and what its tests need …"
	@$(DEV)/bin/pip install $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@if [ "$$CI" = true ]; then $(DEV)/bin/pip install $(PIP_FLAGS) torch==2.13.0; else echo "tests of torch run where it is installed: $(DEV)/bin/pip install torch"; fi
	@touch $@

$(DEMO)/.done: $(SOURCES) $(shell find src dashboard/src -type f \( -name '*.py' -o -name '*.ts*' -o -name '*.css' \) 2>/dev/null)
	@sh tests/venv.sh $(PYTHON) $(DEMO)
	@echo "building and installing the package (the dashboard too; no Node needed) …"
	@$(DEMO)/bin/pip install $(PIP_FLAGS) -c constraints.txt '.[demo]'
	@touch $@
