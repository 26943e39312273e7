# shellcheck shell=bash
# What runs and what should, for scripts that have sourced lib.sh.

project=$(setting COMPOSE_PROJECT_NAME)
# The services whose containers are instances, as KINDS in tandem/facts.py.
kinds=(wsgi asgi notify)

# The containers of a service, as 'docker ps' shows them with more options.  Images have labels
# of project and service, too: what somebody has started from one by hand is none of ours.
of_service() {
    docker ps --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False "${@:2}"
}

# Their names, first to last.
containers() {
    of_service "$1" --format '{{.Names}}' | sort -V
}

# Those of all kinds.
instances() {
    local kind
    for kind in "${kinds[@]}"; do containers "$kind"; done
}

# The containers that run another image, or by other settings, than they would now.
stale() {
    docker compose --dry-run up --detach --no-build "${kinds[@]}" 2>&1 |
        sed -nE "s/.*Container ($project-($(IFS="|" && echo "${kinds[*]}"))-[0-9]+) +Recreate$/\\1/p" | sort -uV
}

# Whether as many instances are healthy as there should be.
all_serve() {
    local kind healthy
    for kind in "${kinds[@]}"; do
        healthy=$(of_service "$kind" --filter health=healthy --quiet | wc -l)
        [ "$healthy" = "$(setting "${kind^^}_INSTANCES")" ] || return 1
    done
}
