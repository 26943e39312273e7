#!/bin/sh
# After a reload or upgrade of nginx: its old workers live for as long as a WebSocket passes
# through them.  Have each instance that holds some close them, one after the other, with
# 1012; they come back through the new workers.  tandem/server/reconnect.py
set -eu
sleep 1 # by then the new workers take all connections
sed -n '/^upstream \(asgi\|notify\) {/,/^}/ s/^ *server \([^ ;]*\).*/\1/p' /etc/tandem/nginx/upstreams.conf |
    while read -r server; do
        case $server in
        unix:*) set -- --unix-socket "${server#unix:}" http://localhost/health/move-sockets/ ;;
        *) set -- "http://$server/health/move-sockets/" ;;
        esac
        # One that is away closes its sockets anyway; one that is busy is asked again.
        curl --silent --max-time 5 --retry 2 --retry-delay 1 --retry-all-errors \
            --output /dev/null --request POST "$@" || true
    done
