# Every task of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: bench tools check routes manage roll deploy rollback releases release servers provision verify servers-down test-servers test-sites help up down restart ps logs shell psql redis clean dev test lint test-unit test-replica lock docs

# Another site than app/: make up SITE=folder, with its tandem.yml (docs/adopt.md).
ifneq ($(SITE),)
export SITE
SITE_NAME := $(shell for f in "$(SITE)/tandem.yml" "$(SITE)"; do [ ! -f "$$f" ] || head -c 400000 "$$f"; done | sed -nE 's/^name: *"?([a-z][a-z0-9-]*)"? *(\#.*)?$$/\1/p' | head -1)
export COMPOSE_PROJECT_NAME ?= tandem-$(SITE_NAME)
export NOTIFY_INSTANCES ?= 0
# Its own processes, once 'make up' has written them.
ifneq ($(wildcard .cache/sites/$(SITE_NAME)/work/compose.yaml),)
export COMPOSE_FILE := compose.yaml:.cache/sites/$(SITE_NAME)/work/compose.yaml
export COMPOSE_PROFILES := processes
endif
endif

BENCHES := styles rolls mirror
# A service whose containers hold the site: Gunicorn's, while there is one.
SOME = $$(. docker/lib.sh; [ "$$(setting WSGI_INSTANCES)" = 0 ] && echo asgi || echo wsgi)

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' Makefile

##@ The local replica (settings: .env)
up: ## Start everything and wait until it is healthy; applies every change
	@docker/up.sh
roll: ## Replace every instance in turn, without a failed request
	@docker/up.sh all
down: ## Stop everything; the data stays
	@docker compose down --remove-orphans
restart: ## Restart nginx and all instances
	@. docker/lib.sh; . docker/instances.sh; docker compose restart nginx "$${kinds[@]}"
ps: ## What runs, and how it feels
	@docker compose ps --all --format 'table {{.Name}}\t{{.Status}}\t{{.Ports}}'
tools: ## Make .venv/bin/tandem: adopt, check, routes, compare
	@docker/venv.sh
check: ## What of the running site would break, or cost, under ASGI (docs/checks.md)
	@docker compose exec $(SOME) /srv/tandem/current/deploy/run.sh check $(ARGS)
routes: ## Which path is served where; to move one: docs/routes.md
	@docker/venv.sh
	@.venv/bin/tandem routes show
logs: ## Follow the logs; one service: make logs S=asgi
	@docker compose logs --follow --tail 100 $(S)
shell: ## Python shell of the site
	@docker compose exec $(SOME) /srv/tandem/current/deploy/run.sh manage shell
manage: ## A management command of the site: make manage C=createsuperuser
	@docker compose exec $(SOME) /srv/tandem/current/deploy/run.sh manage $(C)
psql: ## SQL prompt of the site's database
	@docker compose exec postgres psql tandem
redis: ## Redis prompt
	@docker compose exec redis redis-cli -s /run/redis-tandem/redis-server.sock
clean: ## Delete the replica and its data, after asking
	@docker/clean.sh

##@ Servers (docs/servers.md)
release: ## Build the archive that servers install; one Debian: DEBIAN=trixie
	@docker/release.sh
servers: ## Rehearsal: boot blank Debian servers here; others: TOPOLOGY=file
	@docker/venv.sh
	@docker/engine.sh
	@.venv/bin/python docker/servers.py up $(or $(TOPOLOGY),tests/servers/topologies/both.yml)
provision: ## Provision the rehearsal's servers, or yours: INVENTORY=file
	@docker/venv.sh servers
	@docker/play.sh site.yml $(ARGS)
verify: ## Check them against the specifications; reads only
	@docker/venv.sh servers test
	@docker/verify.sh $(ARGS)
deploy: ## Roll the newest release out, without a failed request; another: RELEASE=name
	@docker/venv.sh servers
	@docker/play.sh deploy.yml $(if $(RELEASE),-e release=$(RELEASE)) $(ARGS)
rollback: ## Back to the release before, or to RELEASE=name
	@docker/venv.sh servers
	@docker/play.sh rollback.yml $(if $(RELEASE),-e release=$(RELEASE)) $(ARGS)
releases: ## Which release is where, and what was deployed when
	@docker/venv.sh servers
	@docker/play.sh releases.yml $(ARGS)
servers-down: ## Remove the rehearsal's servers
	@.venv/bin/python docker/servers.py down

##@ Development
dev: ## The site alone, no containers: SQLite, auto-reload, http://localhost:8000
	@docker/venv.sh
	@app/dev.sh
lock: ## Resolve the dependency ranges of pyproject.toml anew
	@docker/venv.sh
	@.venv/bin/python docker/uv.py pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade --output-file requirements.lock pyproject.toml
	@.venv/bin/python docker/uv.py pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade --group site --group servers --group test --group lint --constraints requirements.lock --output-file requirements-dev.lock pyproject.toml
docs: ## Write the generated pages of docs/ anew
	@docker/venv.sh
	@.venv/bin/python docs/generate.py

##@ Tests
bench: ## Measure on the running replica (after make up): B=styles, B=rolls or B=mirror
	@for bench in $(B); do [[ " $(BENCHES) " == *" $$bench "* ]] || \
		{ echo "tandem: there is no bench '$$bench'; B is one of: $(BENCHES)." >&2; exit 2; }; done
	@docker/venv.sh test
	@for bench in $(or $(B),$(BENCHES)); do .venv/bin/python -m tests.bench.$$bench; done
test: lint test-unit test-replica test-servers ## All of the following
lint: ## Style, types, shell, Dockerfile, nginx, generated docs (seconds)
	@docker/venv.sh lint
	@tests/lint.sh
test-unit: ## Functions and views, no containers (seconds)
	@docker/venv.sh test
	@mkdir -p .cache
	@.venv/bin/python -m coverage run -m pytest tests/unit $(ARGS)
	@[ -n "$(ARGS)" ] || .venv/bin/python -m coverage report
test-replica: ## The replica, for real, on ports of its own, and a browser (minutes)
	@docker/venv.sh test
	@docker/engine.sh
	@CHROMIUM=$$(tests/chromium.sh) .venv/bin/python -m pytest tests/replica tests/browser tests/sites $(ARGS)
test-sites: ## Real sites of others, adopted and served; make test takes one (minutes)
	@docker/venv.sh test
	@docker/engine.sh
	@ALL_SITES=1 .venv/bin/python -m pytest tests/sites $(ARGS)
test-servers: ## Booted Debian servers, provisioned for real (minutes)
	@docker/venv.sh servers test
	@docker/engine.sh
	@CHROMIUM=$$(tests/chromium.sh) .venv/bin/python -m pytest tests/servers --ignore tests/servers/specs \
		--numprocesses 2 --no-loadscope-reorder $(ARGS)
