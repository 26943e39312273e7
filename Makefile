# Every task of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: bench soak mutants tools check routes manage roll deploy rollback releases release servers provision verify servers-keep servers-down test-servers test-sites test-clean docs-site help up down restart ps logs shell psql redis clean dev test lint test-unit test-replica lock docs

# Another site than app/: make up SITE=folder, with its tandem.yml (docs/adopt.md).
TANDEM := docker/venv.sh && exec .venv/bin/python -m tandem
ANSIBLE := docker/venv.sh servers && exec .venv/bin/python -m tandem

BENCHES := styles rolls mirror

help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' Makefile

##@ The local replica (settings: .env)
up: ## Start everything and wait until it is healthy; applies every change
	@$(TANDEM) replica up
roll: ## Replace every instance in turn, without a failed request
	@$(TANDEM) replica roll
down: ## Stop everything; the data stays
	@$(TANDEM) replica down
restart: ## Restart nginx and all instances
	@$(TANDEM) replica restart
ps: ## What runs, and how it feels
	@$(TANDEM) replica ps
tools: ## Make .venv/bin/tandem: adopt, check, routes, compare, replica
	@docker/venv.sh
check: ## What of the running site would break, or cost, under ASGI (docs/checks.md)
	@$(TANDEM) replica check $(ARGS)
routes: ## Which path is served where; to move one: docs/routes.md
	@$(TANDEM) routes show
logs: ## Follow the logs; one service: make logs S=asgi
	@$(TANDEM) replica logs $(S)
shell: ## Python shell of the site
	@$(TANDEM) replica shell
manage: ## A management command of the site: make manage C=createsuperuser
	@$(TANDEM) replica manage $(C)
psql: ## SQL prompt of the site's database
	@$(TANDEM) replica psql
redis: ## Redis prompt
	@$(TANDEM) replica redis
clean: ## Delete the replica and its data, after asking
	@$(TANDEM) replica clean

##@ Servers (docs/servers.md)
release: ## Build the archive that servers install; one Debian: DEBIAN=trixie
	@$(TANDEM) release
servers: ## Rehearsal: boot blank Debian servers here, or kept ones: COPY=name; others: TOPOLOGY=file
	@$(TANDEM) servers up $(or $(TOPOLOGY),tests/servers/topologies/both.yml) $(COPY)
servers-keep: ## Keep the rehearsal's servers, as they are: COPY=name
	@$(TANDEM) servers keep "$(COPY)"
provision: ## Provision the rehearsal's servers, or yours: INVENTORY=file
	@$(ANSIBLE) servers provision $(ARGS)
verify: ## Check them against the specifications; reads only
	@docker/venv.sh test
	@$(ANSIBLE) servers verify $(ARGS)
deploy: ## Roll the newest release out, without a failed request; another: RELEASE=name
	@$(ANSIBLE) servers deploy $(ARGS)
rollback: ## Back to the release before, or to RELEASE=name
	@$(ANSIBLE) servers rollback $(ARGS)
releases: ## Which release is where, and what was deployed when
	@$(ANSIBLE) servers releases $(ARGS)
servers-down: ## Remove the rehearsal's servers
	@$(TANDEM) servers down

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
	@$(subst pyproject.toml,docker/node.in,$(LOCK)) docker/node.lock --upgrade --python-version 3.11
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
	@$(TANDEM) replica engine
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
	@exec .venv/bin/python -m tests.lint
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
