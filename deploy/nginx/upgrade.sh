#!/bin/sh
# After a package upgrade (nginx, a module, OpenSSL): let the new binary take over, without a
# refused connection.  nginx.org/en/docs/control.html, "Upgrading Executable on the Fly".
# Root runs it: whom to signal is systemd's word, and nginx is asked as its own user.
set -eu
pid=/run/nginx/nginx.pid
old=$(systemctl show --property=MainPID --value nginx.service)
[ "$old" != 0 ] || exit 0 # it does not run
grep -q ' r-xp .* /usr/.*(deleted)$' "/proc/$old/maps" || exit 0

die() { echo "tandem: $* The nginx of before still serves." >&2; exit 1; }
systemd-run --quiet --wait --pipe --collect --property=User=www-data \
    --property=AmbientCapabilities=CAP_NET_BIND_SERVICE \
    /usr/sbin/nginx -t -q -g "pid $pid;" || die "the new nginx does not accept the configuration."
systemctl kill --kill-whom=main --signal=USR2 nginx.service
tries=0
until [ -s $pid.oldbin ] && [ -s $pid ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || die "the new nginx did not start; journalctl -u nginx tells why."
    sleep 0.1
done
systemctl kill --kill-whom=main --signal=QUIT nginx.service
setpriv --reuid www-data --regid www-data --clear-groups sh /etc/nginx/tandem/move-sockets.sh
echo "tandem: nginx was upgraded while serving."
