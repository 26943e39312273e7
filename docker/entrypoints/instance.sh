#!/usr/bin/env bash
# Run one instance, as its systemd unit would: instance.sh wsgi|asgi|notify
set -euo pipefail

kind=$1
setting=${kind^^}_INSTANCES
count=${!setting}

# Its number is that of the container (tandem-asgi-2 is asgi@2, the engine's DNS knows the
# name), or else, in a container that replaces another, the lowest that nobody holds.
name=$(getent -s dns hosts "$(hostname -i)" | awk '{ print $2 }')
name=${name%%.*}
for number in "${name##*-}" $(seq "$count"); do
    if [[ ! $number =~ ^[0-9]+$ ]] || [ "$number" -gt "$count" ]; then continue; fi
    # Held as long as the process lives: the descriptor stays open in the server.
    exec {lock}>"/run/tandem/.$kind@$number.lock"
    if flock --nonblock "$lock"; then break; fi
    exec {lock}>&-
    number=
done
if [ -z "$number" ]; then
    echo "tandem: all $count instances of $kind run already; start it with 'make up'." >&2
    exit 1
fi
export TANDEM_UPSTREAM=$kind@$number
echo "$TANDEM_UPSTREAM" >/tmp/instance # for the health check
socket=$(python -m tandem.instance.handover place)

# Known to nginx once it answers, if others can serve until then.
(
    exec {lock}>&-
    python -m tandem.instance.probe "$TANDEM_UPSTREAM" /health/live/ 600 && exec python -m tandem.instance.handover back
) &
exec python -m tandem.instance.listen "$socket" /srv/tandem/current/deploy/run.sh "$kind"
