# Every task of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: bench soak mutants tools check routes manage roll deploy rollback releases release servers provision verify servers-keep servers-down test-servers test-sites test-clean docs-site help up down restart ps logs shell psql redis clean dev test lint test-unit test-replica lock docs

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
	@docker/published.sh || true # it says what is wrong
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
servers: ## Rehearsal: boot blank Debian servers here, or kept ones: COPY=name; others: TOPOLOGY=file
	@docker/venv.sh
	@docker/engine.sh
	@.venv/bin/python docker/servers.py up $(or $(TOPOLOGY),tests/servers/topologies/both.yml) $(COPY)
servers-keep: ## Keep the rehearsal's servers, as they are: COPY=name
	@.venv/bin/python docker/servers.py keep "$(COPY)"
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
LOCK = .venv/bin/python docker/uv.py pip compile --quiet --universal --generate-hashes --no-header pyproject.toml --output-file
GROUPS := $(addprefix --group ,site servers test lint docs)
# The example, .venv, the command, the library's tests; what is copied before gives versions and hashes.
lock: export UV_PYTHON_DOWNLOADS := never
lock: ## Resolve the dependency ranges of pyproject.toml anew
	@docker/venv.sh
	@$(LOCK) requirements.lock --upgrade --python-version 3.11 --all-extras --group example
	@$(LOCK) requirements-dev.lock --upgrade --python-version 3.11 --all-extras $(GROUPS) --constraints requirements.lock
	@cp requirements.lock requirements-ops.lock
	@$(LOCK) requirements-ops.lock --python-version 3.11 --extra ops
	@cp requirements-dev.lock tests/library/django-5.lock
	@$(LOCK) tests/library/django-5.lock --python-version 3.11 --all-extras --group library tests/library/django-5.in
	@$(LOCK) tests/library/django-6.lock --upgrade --python-version 3.12 --all-extras --group library tests/library/django-6.in
docs: ## Write the generated pages of docs/ anew
	@docker/venv.sh
	@.venv/bin/python docs/generate.py
docs-site: ## The pages as a site with a search, in .cache/site; a broken link fails
	@docker/venv.sh docs
	@.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going -c docs -d .cache/site-doctrees . .cache/site
	@echo "tandem: the pages are in .cache/site/index.html."

##@ Tests
bench: ## Measure on the running replica (after make up): B=styles, B=rolls or B=mirror
	@for bench in $(B); do [[ " $(BENCHES) " == *" $$bench "* ]] || \
		{ echo "tandem: there is no bench '$$bench'; B is one of: $(BENCHES)." >&2; exit 2; }; done
	@docker/venv.sh test
	@for bench in $(or $(B),$(BENCHES)); do .venv/bin/python -m tests.bench.$$bench; done
soak: ## For hours: everything at once, under random faults; SOAK_MINUTES=120 SOAK_SEED=n
	@docker/venv.sh test
	@docker/engine.sh
	@.venv/bin/python -m tests.soak
mutants: ## Plant faults and see that tests find them (hours): ARGS='--area nginx'; docs/mutants.md
	@docker/venv.sh test servers lint
	@.venv/bin/python -m tests.mutants $(ARGS)
# A part: make test-replica K=chat; what it ran on is then kept for the next (make test-clean).
define layers
@docker/venv.sh
@exec .venv/bin/python -m tests.runner $(if $(K),--keep) $(1) $(if $(K)$(ARGS),-- $(if $(K),-k '$(K)') $(ARGS))
endef
test: ## All of the following, side by side (docs/testing.md)
	$(call layers,lint unit replica servers)
lint: ## Style, types, shell, Dockerfile, nginx, generated docs, links (seconds)
	@docker/venv.sh lint
	@tests/lint.sh
test-unit: ## Functions and views, no containers (seconds); a part, as of all: K=chat
	$(call layers,unit)
test-replica: ## The replica, for real, on ports of its own, and a browser (minutes)
	$(call layers,replica)
test-sites: ## Real sites of others, adopted and served; make test takes one (minutes)
	$(call layers,sites)
test-servers: ## Booted Debian servers, provisioned for real (minutes)
	$(call layers,servers)
test-clean: ## Remove what K=… kept running, and what tests noted
	@docker/venv.sh
	@.venv/bin/python -m tests.runner.sweep
