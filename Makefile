# Every routine of the kit. `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Recorded rows hold hashes, which look random; a key among them is still found.
HASHED := --disable-plugin HexHighEntropyString --disable-plugin Base64HighEntropyString --disable-plugin KeywordDetector
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CDK_DISABLE_CLI_TELEMETRY := 1
LOCK := uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/installed node_modules/installed ## .venv with everything and the kit command, and the pinned CDK CLI

REQUIREMENTS := requirements.txt tests/requirements.txt benchmarks/requirements.txt

.venv/installed: $(REQUIREMENTS) pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d; try: make PYTHON=python3.13" % v[:2])'
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python $(addprefix -r ,$(REQUIREMENTS))
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

node_modules/installed: package-lock.json
	@npm ci --silent --no-fund --no-audit
	@touch $@

synth: install ## every stack to cdk.out/, fully validated, without credentials
	npx --no-install cdk synth --quiet

local: install ## the embedded cloud with everything deployed (DETACH=1: in the background; REAL=1: the real Claude)
	@$(BIN)/python -m local up $(if $(DETACH),--detach)

local-stop: ## end the local cloud
	@$(BIN)/python -m local stop

test: install ## all that CI runs, with seconds by tier
	@$(BIN)/python -m tests.tiers

test-offline: install ## all tests that need no deployment and no browser, sweeps included
	$(BIN)/python -m pytest -m "not live and not browser and not image" --ignore tests/check

pytest: install ## core, handlers, templates, wiring; needs no service
	$(BIN)/python -m pytest

check: lint ## lint, and templates and bundles as the CLI makes them
	$(BIN)/python -m pytest -n 0 -m check tests/check

lint: install ## style, types, secrets
	@$(MAKE) --no-print-directory -j 2 types style

types: install
	$(BIN)/mypy

style: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive app.py claude_core kit lambda_src local service_src stacks worker_src --configfile pyproject.toml
	git ls-files -z ':!tests/contracts/*.json' | xargs -0 $(BIN)/detect-secrets-hook -p tests/check/claude_keys.py
	git ls-files -z 'tests/contracts/*.json' | xargs -0 $(BIN)/detect-secrets-hook -p tests/check/claude_keys.py $(HASHED)
	git ls-files -z '*Dockerfile' | xargs -0 $(BIN)/hadolint

test-oldest: install ## worker and batch lane under faults, on the oldest Python that README promises (PYTHON=)
	@[ -x .local/oldest/bin/python ] || { $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed; try: make test-oldest PYTHON=python3.11")' && $(BIN)/uv venv --quiet --python "$$(command -v $(PYTHON))" .local/oldest; }
	@$(BIN)/uv pip install --quiet --python .local/oldest/bin/python -r requirements.txt
	.local/oldest/bin/python -m pytest tests/faults

test-live: install ## against a local cloud of its own; OUTPUTS=file KIT_CLIENT_KEY=… against a deployment
	$(BIN)/python -m pytest -n 0 -m live tests/live tests/local $(if $(OUTPUTS),--outputs $(OUTPUTS))

image-test: install ## the images, built and run: needs a Docker engine, or root with buildah and mmdebstrap (BASE=image, SKIP=1)
	@BASE=$(BASE) SKIP=$(SKIP) $(BIN)/python -m pytest -n 0 -m image tests/image

test-browser: install ## the chat page in headless Chromium (chromium of the system, or of CHROMIUM=)
	$(BIN)/python -m pytest -n 0 -m browser tests/browser

bench: install ## functions, jobs and routing beside naive ones (RUNS=7: rounds, of which the medians are shown)
	$(BIN)/python -m benchmarks $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python -m benchmarks.jobs $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python -m benchmarks.orchestrator $(if $(RUNS),--runs $(RUNS))

faults: install ## worker and batch lane: 1,000 seeds of faults and kills, each failpoint alone (SEEDS=, JOBS=)
	$(BIN)/python -m tests.faults $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS))
	$(BIN)/python -m tests.faults.batch

faults-long: install ## 10,000 jobs by real workers that are killed every two seconds, on a local cloud (JOBS=)
	$(BIN)/python -m tests.rig $(if $(JOBS),--jobs $(JOBS))

mutants: install ## mutation tests of the queue's worker, its leases and its retries
	$(BIN)/uv pip install --quiet --python $(BIN)/python mutmut==3.8.1
	$(BIN)/python -m mutmut run
	$(BIN)/python -m mutmut results

vendor: node_modules/installed ## copy what the chat page is served with from node_modules, as vendor/COPIES lists it
	@while read -r from to; do cp "node_modules/$$from" "service_src/page/vendor/$$to"; done < service_src/page/vendor/COPIES

bench-chat: install ## the chat's part of it: first token, CPU of a token, memory of a socket
	$(BIN)/python -m benchmarks.chat $(if $(RUNS),--runs $(RUNS))

bench-orchestrator: install ## how soon a routed answer begins, and the CPU of routing (RUNS=)
	$(BIN)/python -m benchmarks.orchestrator $(if $(RUNS),--runs $(RUNS))

bench-queue: install ## the queue's part of it, beside naive and tuned Celery: needs redis-server
	$(BIN)/python -m benchmarks.jobs $(if $(RUNS),--runs $(RUNS))

lock: install ## write the locks anew from pyproject.toml and the *.in files
	$(BIN)/$(LOCK) --no-annotate -o requirements.txt pyproject.toml
	$(BIN)/$(LOCK) --no-annotate -c requirements.txt --group checks --group browser --group fuzzing -o tests/requirements.txt
	$(BIN)/$(LOCK) --no-annotate -c requirements.txt -c tests/requirements.txt --group benchmarks -o benchmarks/requirements.txt
	$(BIN)/$(LOCK) --generate-hashes -o lambda_src/requirements.lock lambda_src/requirements.in
	$(BIN)/$(LOCK) --generate-hashes -o service_src/requirements.lock service_src/requirements.in
	$(BIN)/$(LOCK) --generate-hashes -o service_src/container.lock service_src/container.in
	$(BIN)/$(LOCK) --generate-hashes -o worker_src/container.lock worker_src/container.in
	$(BIN)/$(LOCK) --generate-hashes -o local/requirements.lock local/requirements.in

.PHONY: help install synth local local-stop test test-offline pytest check lint types style test-oldest test-live test-browser image-test faults faults-long mutants bench bench-chat bench-orchestrator bench-queue vendor lock
