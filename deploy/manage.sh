#!/usr/bin/env bash
# Run a management command of the site as its WSGI instances would run it:
# tandem-manage shell, tandem-manage createsuperuser …
set -euo pipefail

release=${TANDEM_RELEASE_PATH:-/srv/tandem/current}
[ -x "$release/deploy/run.sh" ] || { echo "tandem: no release in $release; provision this server first." >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "tandem: run it as root: sudo tandem-manage $*" >&2; exit 1; }
io=--pipe
if [ -t 0 ] && [ -t 1 ]; then io=--pty; fi
credentials=()
for file in /etc/tandem/credentials/*; do
    credentials+=("--property=LoadCredential=${file##*/}:$file")
done
exec systemd-run --quiet --collect --wait $io --service-type=exec \
    --property=User=tandem-wsgi --property=Group=tandem --property=UMask=0027 \
    --property=EnvironmentFile=/etc/tandem/site.env --property=PrivateTmp=yes \
    "${credentials[@]}" "$release/deploy/run.sh" "${TANDEM_PART:-manage}" "$@"
