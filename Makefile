# Everything here runs from the checkout and installs nothing outside it.
# Variables given after make (ARGS=..., EVENT_ID=..., PORT=...) reach the commands as environment variables.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

export PYTHONPATH := $(CURDIR):$(CURDIR)/lambda_src

TOOLS := .venv/tools/bin/python
DEV := .venv/dev/bin/python
ANALYTICS := .venv/analytics/bin/python
# Any Python will do for what needs no packages.
BARE := @python=$$(PYTHON='$(PYTHON)' sh tools/local/python.sh) && "$$python"
# Builds the virtual environments that are named after it, where their locks have changed.
NEED := $(BARE) tools/local/bootstrap.py

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} /^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' Makefile

## The local stack
.PHONY: up down status demo env doctor
up: ## start it: emulator, Lambda zip, Terraform (PORT=4566, EMULATOR=auto|localstack|ministack, ENDPOINT=http://... of one that runs)
	$(NEED) tools emulator
	@$(TOOLS) -m tools.local up

down: ## remove it without a trace
	$(BARE) -m tools.local down

status: ## what runs, and how much is in the queues and tables
	$(NEED) tools
	@$(TOOLS) -m tools.local status

demo: up ## start it, send 1,000 mixed events, account for every one of them
	@$(TOOLS) -m tools.ops demo

env: ## shell exports for your own tools: eval "$(make env)"
	$(BARE) -m tools.local env

doctor: ## look this machine over: what is missing, what that means, what to do
	$(BARE) -m tools.local doctor

## Events
.PHONY: send get events logs rejected replay redrive rearchive verify
send: ## send events (ARGS="--count 100 --rate 50"; ARGS=--help lists what there is)
	$(NEED) tools
	@if [ -z "$$QUEUE_URL" ]; then exports=$$($(TOOLS) -m tools.local env) && eval "$$exports" || exit 1; fi && \
	$(TOOLS) producer/send_test_events.py --queue-url "$$QUEUE_URL" $(ARGS)

get: ## one event as sent, and what the pipeline added (EVENT_ID=...)
	$(NEED) tools
	@$(TOOLS) -m tools.ops get

events: ## stored events, newest first (CUSTOMER=..., TYPE=order, LARGE=1, SINCE=1h, LIMIT=..., JSON=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops events

logs: ## what the function logged (EVENT_ID=..., LEVEL=ERROR, SINCE=1h, LIMIT=..., FOLLOW=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops logs

rejected: ## rejected events, newest first (REASON=..., LIMIT=...), or one with its body (ID=...)
	$(NEED) tools
	@$(TOOLS) -m tools.ops rejected

replay: ## send rejected events back to the queue (ID=... or REASON=..., DRY_RUN=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops replay

redrive: ## move dead-lettered messages back to the queue
	$(NEED) tools
	@$(TOOLS) -m tools.ops redrive

rearchive: ## write a span of the tables to the archive again (SINCE=2h, UNTIL=1h, DRY_RUN=1)
	$(NEED) tools
	@$(TOOLS) -m tools.ops rearchive

verify: ## prove that nothing was lost: sent = stored + duplicates + rejected + dead-lettered + queued
	$(NEED) tools
	@$(TOOLS) -m tools.ops verify

## Watching
.PHONY: top picture
top: ## watch it: queue, throughput, function, tables, alerts, alarms (INTERVAL=1, ARGS=--once)
	$(NEED) tools
	@$(TOOLS) -m dashboards $(ARGS)

picture: up ## draw docs/top.svg anew: top under a load of half a minute
	@$(TOOLS) -m dashboards.screenshot

## The archive
.PHONY: query report
query: ## SQL over what is archived (Q="select ..." or NAME=revenue_per_hour, SINCE=7d, UNTIL=..., FORMAT=csv)
	$(NEED) tools analytics
	@$(ANALYTICS) -m tools.analytics query

report: ## the named queries as one HTML page, build/report.html (SINCE=7d, UNTIL=..., OUT=...)
	$(NEED) tools analytics
	@$(ANALYTICS) -m tools.analytics report

## Speed and cost
.PHONY: bench cost
bench: ## measure everything and write it into docs/ (BENCH=handler,producer, ROUNDS=3, COUNT=2000)
	$(NEED) tools emulator bench analytics
	@$(TOOLS) -m tools.benchmarks

cost: ## what it costs on AWS and where it breaks (RATE=500 KB=1:0.8,200:0.2 INVALID=0.01)
	$(NEED) tools
	@$(TOOLS) -m tools.benchmarks.cost

## AWS: docs/deploy.md
.PHONY: plan-aws deploy-aws rollback-aws destroy-aws bootstrap-aws drift receipt env-aws policy-aws
plan-aws: ## say what a deploy would change (ENV=dev|staging|prod, AWS_PROFILE=rt-pipeline-user)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy plan

deploy-aws: ## deploy what make test was green for, and try it (AUTO_APPROVE=1, FORCE=1)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy deploy

rollback-aws: ## go back to the code before, in seconds (VERSION=...)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy rollback

destroy-aws: ## remove an environment and all that it holds (CONFIRM=its name)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy destroy

bootstrap-aws: ## make the bucket of Terraform's state, once for an account
	$(NEED) tools
	@$(TOOLS) -m tools.deploy bootstrap

drift: ## say whether the account still is as the config says (exit status 2: it is not)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy drift

receipt: ## what was tested last, and whether the checkout still is that
	$(NEED) tools
	@$(TOOLS) -m tools.deploy receipt

env-aws: ## shell exports of a deployed environment: eval "$(make -s env-aws ENV=dev)"
	$(NEED) tools
	@$(TOOLS) -m tools.deploy env

policy-aws: ## the deployer's policy for ENV, as JSON (ATHENA=1: what athena = true takes besides)
	$(NEED) tools
	@$(TOOLS) -m tools.deploy policy

## The code
.PHONY: test test-chaos test-config audit lint fmt docs lock lock-provider clean
test: ## run the tests (ARGS="-k words", TARGET=auto|ministack|localstack|account, ENDPOINT=http://...)
	$(NEED) tools emulator dev bench
	@$(DEV) -m pytest $(ARGS)

test-chaos: ## run the fault tests: throttling, resets, killed workers
	$(NEED) tools emulator dev
	@$(DEV) -m pytest -m chaos $(ARGS)

# A copy, so that Terraform leaves nothing beside the config.
CONFIG := .cache/config
test-config: ## run terraform/tests, with the AWS provider of registry.terraform.io mocked
	$(NEED) tools
	@$(TOOLS) -m stack build
	@rm -rf $(CONFIG) && mkdir -p $(CONFIG)/build
	@cp -R terraform dashboards analytics $(CONFIG) && cp build/*.zip $(CONFIG)/build
	@$(TOOLS) -m tools.local terraform -chdir=$(CONFIG)/terraform init -backend=false -input=false
	@$(TOOLS) -m tools.local terraform -chdir=$(CONFIG)/terraform test

audit: ## hold the Terraform and the locks against what is known to be unsafe (a large install, once)
	$(NEED) dev audit
	@$(DEV) -m pytest -rs tests/security $(ARGS)

lint: ## ruff, mypy and actionlint, as CI runs them
	$(NEED) dev
	@$(DEV) -m ruff check .
	@$(DEV) -m ruff format --check .
	@$(DEV) -m mypy .
	@.venv/dev/bin/actionlint .github/workflows/*.yml

fmt: ## format Python and Terraform
	$(NEED) tools dev
	@$(DEV) -m ruff check --fix-only --quiet .
	@$(DEV) -m ruff format .
	@$(TOOLS) -m tools.local terraform fmt -recursive terraform

docs: ## write the generated pages, the results in docs/ and the SQL views
	$(NEED) tools
	@$(TOOLS) -m tools.benchmarks.docs.contract
	@$(TOOLS) -m tools.benchmarks.docs.terraform
	@$(TOOLS) -m tools.benchmarks.docs.sections
	@$(TOOLS) -m tools.analytics.views

lock: ## make requirements/*.txt anew from requirements/*.in (UPGRADE=1: newest versions; UPGRADE=unpinned: MiniStack and boto3 too)
	$(NEED) tools
	@sh requirements/lock.sh

PLATFORMS := darwin_amd64 darwin_arm64 linux_amd64 linux_arm64
lock-provider: ## make terraform/.terraform.lock.hcl anew: the newest AWS provider that the config allows
	$(NEED) tools
	@rm -rf $(CONFIG) && mkdir -p $(CONFIG) && cp terraform/versions.tf $(CONFIG)
	@$(TOOLS) -m tools.local terraform -chdir=$(CONFIG) providers lock $(PLATFORMS:%=-platform=%)
	@cp $(CONFIG)/.terraform.lock.hcl terraform

clean: down ## remove the stack, the virtual environments, caches and build products
	@rm -rf .venv .cache build .deploy .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
