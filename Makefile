# Every target runs from the checkout and installs nothing outside it.
# Variables after make (ARGS=..., EVENT_ID=..., PORT=...) reach the commands as environment variables, byte for
# byte. ARGS holds words for the shell.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# Targets such as `make -j down up` share one stack.
.NOTPARALLEL:
.DEFAULT_GOAL := help

# What was typed, which tools/core/variables.py compares with what the targets have.
export MAKE_GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
export MAKE_GOALS := $(MAKECMDGOALS)
# make would expand the $ in their values. MAKEOVERRIDES would pass them on a second time.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name)))$(filter ARGS PICTURE,$(name)),\
  $(eval override $(name) := $$(value $(name)))$(eval export $(name))))
MAKEOVERRIDES :=

# The output of every command is UTF-8, in every locale.
export PYTHONUTF8 := 1
# Every command would compile its modules again where the environment turns the cache off.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPATH := $(CURDIR):$(CURDIR)/lambda_src

TOOLS := .venv/tools/bin/python
DEV := .venv/dev/bin/python
ANALYTICS := .venv/analytics/bin/python
# Any Python runs the commands that need no packages.
BARE := @python=$$(sh tools/local/python.sh) && $(if $(MAKE_GIVEN),"$$python" -m tools.core.variables &&) "$$python"
# Build the virtual environments named after it, if their locks have changed.
NEED := $(BARE) tools/local/bootstrap.py

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^## / { print "\n" substr($$0, 4) } /^[a-z-]+:.*## / { \
	    at = match($$2, / \([A-Z_]+=/); text = at ? substr($$2, 1, at - 1) : $$2; printf "  %-14s %s\n", $$1, text; \
	    count = at ? split(substr($$2, at + 2, length($$2) - at - 2), names, ", ") : 0; line = ""; \
	    for (n = 1; n <= count; n++) { if (length(line names[n]) > 76) { print line; line = "" } \
	        line = (line ? line "  " : sprintf("%17s", "")) names[n] } if (line) print line }' Makefile

## The local stack
.PHONY: up down status demo env doctor
up: ## start the emulator and apply Terraform (PORT=4566, EMULATOR=auto|localstack|ministack, ENDPOINT=http://127.0.0.1:4566)
	$(NEED) tools emulator
	@$(TOOLS) -m tools.local up

down: ## remove the stack and everything it created
	$(BARE) -m tools.local down

status: ## show what runs, and how much is in the queues and tables (JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.local status

demo: ## start the stack, send 1,000 events, account for each of them (COUNT=1000, WAIT=180, PORT=4566, EMULATOR=...)
	$(NEED) tools emulator
	@$(TOOLS) -m tools.local up --brief
	@$(TOOLS) -m tools.ops demo

env: ## print shell exports for your own tools: eval "$(make env)"
	$(BARE) -m tools.local env

doctor: ## check prerequisites and suggest fixes (JSON=1)
	$(BARE) -m tools.local doctor

## Events
.PHONY: send get trace events logs rejected replay redrive rearchive restore erase verify
send: ## send events (ARGS="--count 100 --rate 50"; ARGS=--help lists all options)
	$(NEED) tools
	@if [ -z "$$QUEUE_URL" ]; then exports=$$($(TOOLS) -m tools.local env) && eval "$$exports" || exit 1; fi && \
	$(TOOLS) producer/send_test_events.py --queue-url "$$QUEUE_URL" $(ARGS)

get: ## show one event as sent, and what the pipeline added (EVENT_ID=...)
	$(NEED) tools
	@$(TOOLS) -m tools.ops get

trace: ## show the story of an event in time order (EVENT_ID=..., CUSTOMER=..., MESSAGE_ID=..., ORDER_ID=..., SINCE=1d, UNTIL=..., LIMIT=..., JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops trace

events: ## list stored events, newest first (CUSTOMER=..., TYPE=order, LARGE=1, SINCE=1h, LIMIT=..., JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops events

logs: ## show what the function logged (EVENT_ID=..., LEVEL=ERROR, SINCE=1h, LIMIT=..., FOLLOW=1, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops logs

rejected: ## list rejected events, newest first, or show one with its body (REASON=..., LIMIT=..., ID=..., JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops rejected

replay: ## send rejected events back to the queue (ID=..., REASON=..., DRY_RUN=1, WAIT=120, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops replay

redrive: ## move dead-lettered messages back to the queue (RATE=100, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops redrive

rearchive: ## write a time range of the tables to the archive again (SINCE=2h, UNTIL=1h, DRY_RUN=1, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops rearchive

restore: ## make the tables again from the archive (SINCE=..., UNTIL=..., CUSTOMER=..., TYPE=..., EVENT_ID=..., PART=1/2, RATE=100, DRY_RUN=1, AUTO_APPROVE=1, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops restore

erase: ## remove everything of a customer (CUSTOMER=..., PART=1/2, DRY_RUN=1, AUTO_APPROVE=1, CONFIRM=... for short ids, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops erase

verify: ## prove that nothing was lost of the latest run (MANIFEST=..., ALL=1 for every row and body, PART=1/2, WAIT=60, AUTO_APPROVE=1, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops verify

## Watching
.PHONY: top alerts
top: ## watch queue, throughput, function, tables, alerts and alarms (INTERVAL=1, JSON=1, ARGS=--once)
	$(NEED) tools
	@$(TOOLS) -m dashboards $(ARGS)

alerts: ## follow the alerts as they are published (TYPE=large_order, MIN="500 EUR", JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops alerts

## The archive
.PHONY: query report
query: ## run SQL over the archive (Q="select ..." or NAME=revenue_per_hour, SINCE=7d, UNTIL=..., FORMAT=csv|json, JSON=1, RAW=1)
	$(NEED) tools analytics
	@$(ANALYTICS) -m tools.analytics query

report: ## write the named queries to one HTML page, build/report.html (SINCE=7d, UNTIL=..., OUT=...)
	$(NEED) tools analytics
	@$(ANALYTICS) -m tools.analytics report

## Speed and cost
.PHONY: bench cost dictionary
bench: ## run the benchmarks and write the results into docs/ (BENCH=handler,producer, ROUNDS=3, COUNT=2000)
	$(NEED) tools emulator bench analytics
	@$(TOOLS) -m tools.benchmarks

cost: ## estimate the AWS bill and the limits at a rate (RATE=500, KB=1:0.8,200:0.2, INVALID=0.01, LARGE=0.05, DUPLICATES=0.01, INCOMPRESSIBLE=0.1, BATCH=10, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.benchmarks.cost

dictionary: ## train the next compression dictionary on your own events (FROM=archive or FROM=events.jsonl)
	$(NEED) tools
	@$(TOOLS) -m tools.benchmarks.dictionary

## AWS: docs/deploy.md
.PHONY: plan-aws deploy-aws rollback-aws destroy-aws drift env-aws
plan-aws: ## show what a deploy would change (ENV=dev|staging|prod, VAR_FILE=..., AWS_PROFILE=..., ATHENA=1, KMS=1, ARGS=--receipt|--policy)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy plan $(ARGS)

deploy-aws: ## deploy what make test passed, then smoke-test it (ENV=dev, VAR_FILE=..., AUTO_APPROVE=1, FORCE=1, PREBUILT=1, ARGS=--bootstrap to create the state bucket and the boundary)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy deploy $(ARGS)

rollback-aws: ## return to the previous code in seconds (ENV=dev, VAR_FILE=..., VERSION=3)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy rollback

destroy-aws: ## remove an environment and all its data (ENV=dev, VAR_FILE=..., CONFIRM=dev)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy destroy

drift: ## compare the account with the config; fails if they differ (ENV=dev, VAR_FILE=..., JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy drift

env-aws: ## print shell exports: eval "$(make -s env-aws ENV=dev)" (ENV=dev, VAR_FILE=...)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy env

## The code
.PHONY: invoke test test-chaos test-config audit lint contract-check fmt docs lock release clean
invoke: ## run the function in this process on one event, without a stack (BODY=event.json, BODY=- for standard input, JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops.invoke

test: ## run the tests (ARGS="-k words", TARGET=auto|ministack|localstack|account, ENDPOINT=http://...)
	$(NEED) tools emulator dev bench
	@$(DEV) -m pytest -n auto --durations=10 $(ARGS)

test-chaos: ## run the fault tests: throttling, resets, killed workers (ARGS="-k words", TARGET=..., ENDPOINT=...)
	$(NEED) tools emulator dev
	@$(DEV) -m pytest -m chaos $(ARGS)

# A copy, so that Terraform leaves nothing beside the config.
CONFIG := .cache/config
test-config: ## run terraform/tests with a mocked provider; needs its registry
	$(NEED) tools
	@$(TOOLS) -m tools.local build
	@rm -rf $(CONFIG) && mkdir -p $(CONFIG)/build $(CONFIG)/tools
	@cp -R terraform dashboards lambda_src $(CONFIG) && cp -R tools/analytics $(CONFIG)/tools && cp build/*.zip $(CONFIG)/build
	@$(TOOLS) -m tools.local terraform -chdir=$(CONFIG)/terraform init -backend=false -input=false
	@$(TOOLS) -m tools.local terraform -chdir=$(CONFIG)/terraform test

audit: ## look for known vulnerabilities; a large install, once (ARGS="-k words")
	$(NEED) dev audit
	@$(DEV) -m pytest -rs tests/security $(ARGS)

lint: ## run ruff, mypy and actionlint, as CI does
	$(NEED) dev
	@$(DEV) -m ruff check .
	@$(DEV) -m ruff format --check .
	@$(DEV) -m mypy .
	@.venv/dev/bin/actionlint .github/workflows/*.yml

contract-check: ## say whom a change of the contract breaks (AGAINST=main)
	$(NEED) tools
	@$(TOOLS) -m tools.contract

fmt: ## format Python and Terraform
	$(NEED) tools dev
	@$(DEV) -m ruff check --fix-only --quiet .
	@$(DEV) -m ruff format .
	@$(TOOLS) -m tools.local terraform fmt -recursive terraform

docs: ## write the generated pages and the SQL views (PICTURE=1 for the pictures too)
	$(NEED) tools $(if $(PICTURE),emulator analytics)
	@$(TOOLS) -m tools.benchmarks.docs.pages
ifneq ($(PICTURE),)
	@$(TOOLS) -m tools.benchmarks.docs.pictures
endif

lock: ## update requirements/*.txt from *.in (UPGRADE=1 for the newest versions, PROVIDER=1 for the AWS provider's lock file instead)
	$(NEED) tools
	@sh requirements/lock.sh

release: ## write version and changelog, build the zips, commit and tag (VERSION=1.1.0)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy.release

# .venv may be a mount point, as in the dev container: then only its content can be removed.
clean: down ## remove the stack, .venv, caches and build products
	@[ ! -d .venv ] || { find .venv -mindepth 1 -delete && rmdir .venv 2>/dev/null || true; }
	@rm -rf .cache build .deploy .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
