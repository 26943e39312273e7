#!/usr/bin/env bash
# Check that the replica's ports are free, or its own: a container that cannot get its
# port would only fail after its predecessor has gone.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/lib.sh

published=$(docker compose ps --format '{{.Ports}}' nginx 2>/dev/null || true)
address=$(setting BIND_ADDRESS)
[ "$address" != 0.0.0.0 ] || address=127.0.0.1

[ "$(setting HTTP_PORT)" != "$(setting HTTPS_PORT)" ] || die "HTTP_PORT and HTTPS_PORT are both $(setting HTTP_PORT); set one of them in .env to another."
for name in HTTP_PORT HTTPS_PORT; do
    port=$(setting "$name")
    if [[ $published == *":$port->"* ]]; then continue; fi
    if timeout 2 bash -c "exec 3<>/dev/tcp/$address/$port" 2>/dev/null; then
        owner=$(docker ps --filter "publish=$port" --format '{{.Names}}' | head -1)
        die "port $port is taken${owner:+ by the container $owner}; stop what listens there or set $name in .env to another."
    fi
done
