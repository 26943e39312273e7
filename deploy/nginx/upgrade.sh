#!/bin/sh
# After a package upgrade (nginx, a module, OpenSSL): let the new binary take over, without a
# refused connection.  nginx.org/en/docs/control.html, "Upgrading Executable on the Fly".
set -eu
pid=/run/nginx/nginx.pid
old=$(cat $pid 2>/dev/null) || exit 0 # it does not run
grep -q ' r-xp .* /usr/.*(deleted)$' "/proc/$old/maps" || exit 0

die() { echo "tandem: $* The nginx of before still serves." >&2; exit 1; }
/usr/sbin/nginx -t -q || die "the new nginx does not accept the configuration."
kill -USR2 "$old"
tries=0
until [ -s $pid.oldbin ] && [ -s $pid ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || die "the new nginx did not start; journalctl -u nginx tells why."
    sleep 0.1
done
kill -QUIT "$old"
sh /etc/nginx/tandem/move-sockets.sh
echo "tandem: nginx was upgraded while serving."
