#!/usr/bin/env bash
# Ask the site as a browser on this machine does, over the published ports, and say in one
# sentence what is wrong there: published.sh [mend].  With "mend", nginx is restarted where the
# engine has stopped forwarding a port: only that makes it begin again.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh
. docker/instances.sh
. docker/addresses.sh
. docker/steps.sh

REFUSED=2 ANOTHER=3 SILENT=4 WRONG=5 # the last three also in docker/ask.py

nginx=$(containers nginx) python=$(instances)
nginx=${nginx%%$'\n'*} python=${python%%$'\n'*}
if [ -z "$nginx" ] || [ -z "$python" ]; then exit 0; fi # 'make ps' shows that

paths=(/)
for page in "${pages[@]}"; do [[ $page != /* ]] || paths+=("$page"); done

ask() { # ADDRESS PORT SCHEME: whether the site answers there; otherwise `said` may tell more
    # The connection is this machine's own.  What is said over it is left to an instance's
    # Python: this machine may have none, and bash has no TLS.
    # shellcheck disable=SC2016
    said=$(timeout 90 bash -c '{ exec 3<>"/dev/tcp/$0/$1"; } 2>/dev/null || exit '$REFUSED'
        shift; exec "$@" <&3 >&3' "$1" "$2" \
        docker exec -i "$python" python -c "$(cat docker/ask.py)" \
        "$3" "$name" "$2" "$(setting PROXY_PROTOCOL)" "$certificate" "$socket" "${paths[@]}" 2>&1)
}
forwarded() { # PORT: whether the engine's process that takes what comes to a port of loopback runs
    local process
    for process in $(grep -lzxFs -- "$1" /proc/[0-9]*/cmdline || true); do
        if [ "$(cat "${process%cmdline}comm" 2>/dev/null)" = docker-proxy ]; then return; fi
    done
    return 1
}

check() { # ADDRESS: whether the site answers there at both ports; otherwise `problem` says why not
    local scheme port status
    for scheme in https http; do
        port=${scheme}_port port=${!port} status=0
        ask "$1" "$port" "$scheme" || status=$?
        if [ "$status" = "$SILENT" ] && ! forwarded "$port"; then status=$ANOTHER; fi
        mendable=""
        case $status in
        0) continue ;;
        "$REFUSED") mendable=1 problem="nothing listens at $1:$port: the engine no longer forwards that port to nginx" ;;
        "$SILENT") mendable=1 problem="nothing answers at $1:$port: the engine does not forward that port to nginx" ;;
        "$ANOTHER") problem="what answers at $1:$port is not this site; stop what listens there, or set ${scheme^^}_PORT in .env to another" ;;
        "$WRONG") problem="$said; 'make logs' shows why" ;;
        *) problem="the site could not be asked at $1:$port: ${said##*$'\n'}" ;;
        esac
        return "$status"
    done
}

certificate=$(docker exec "$nginx" cat /etc/tandem/tls/fullchain.pem)
if ! check "$address"; then
    [ -n "$mendable" ] || die "$problem."
    [ "${1-}" = mend ] || die "$problem; 'make up' mends it."
    say "$problem; restarting nginx, which closes its sockets (docs/replica.md)."
    try "nginx could not be restarted; 'make up' starts it once its ports are free." \
        timeout 400 docker compose restart nginx
    LINES_SHOWN=3 try "nginx does not get healthy; 'make logs S=nginx' shows why." docker compose up --detach --wait --no-recreate
    check "$address" || die "$problem."
fi

# The name that is printed: it may lead elsewhere, which is not for this machine to mend.
if [ "$name" != "$address" ]; then
    status=0
    check "$name" || status=$?
    case $status in
    0) ;;
    "$REFUSED" | "$SILENT") say "from this machine $name does not lead to the site, which answers at $address: '$address $name' in /etc/hosts makes it." ;;
    "$ANOTHER") [ "$name" != localhost ] || die "$problem."
        say "from this machine $name leads to another site than this, which answers at $address: '$address $name' in /etc/hosts changes that." ;;
    *) die "$problem." ;;
    esac
fi
