#!/usr/bin/env bash
# Run a part of the release that this file lies in.  The servers get their listening
# socket as file descriptor 3.
set -euo pipefail

# Resolved once: a process must not import half of itself from the next release.
release=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
# What any program may expect: a home to write to, as private as /tmp (PrivateTmp, a container's
# own), and texts in UTF-8.  A site's own variables come after these.
export HOME=/var/tmp/home LANG=${LANG:-C.UTF-8}
set -a
. "$release/deploy/site.env"
set +a
[ -d "$HOME" ] || mkdir -p "$HOME" || true # one of the site's own choice may be read-only
site=$release/site/app
export PATH=$release/venv/bin:/usr/bin:/bin
export PYTHONPATH=$release/site:$site/$TANDEM_ROOT
for folder in $SITE_PYTHON_PATH; do PYTHONPATH+=:$site/$folder; done
export STATIC_ROOT=$release/static
export TANDEM_RELEASE=${TANDEM_RELEASE:-${release##*/}}
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# What the process' own environment says comes first.
settings() {
    while IFS='=' read -r name value; do
        if [[ $name == [A-Z]* && ! -v $name ]]; then export "$name=$value"; fi
    done <"$release/deploy/$1"
}
settings timeouts.env
# docs/sizes.md: what nginx lets in, the parser of handshakes takes.
. "$release/deploy/sizes.env"
export WEBSOCKETS_MAX_LINE_LENGTH=$HEADERS_BYTES WEBSOCKETS_MAX_NUM_HEADERS=$((HEADERS_BYTES / 4))
# A site that is not to be changed reads its secrets from variables, so it gets them there.
for name in $SITE_SECRETS; do
    if [ -f "${CREDENTIALS_DIRECTORY-}/site_${name,,}" ]; then
        export "$name=$(<"$CREDENTIALS_DIRECTORY/site_${name,,}")"
    fi
done
cd "$site/$TANDEM_ROOT"

# The server of the site's own beside Uvicorn (docs/notifications.md).
notify=notifications.server
python=(python)
[ -z "${SITE_SETTINGS-}" ] || python+=(-m tandem.adopted.run)
each() { while read -r -a words; do [ ${#words[@]} = 0 ] || "${python[@]}" manage.py "${words[@]}"; done <<<"$1"; }

named() { # NAME LINES: become the command behind the name
    while read -r name command; do
        [ "$name" != "$1" ] || exec bash -c "exec $command"
    done <<<"$2"
}

case ${1-} in
wsgi) exec gunicorn --config "$release/deploy/gunicorn.conf.py" ;;
asgi)
    settings uvicorn.env
    # docs/timeouts.md: the sockets' departure, 10 s for clients that do not answer, and a bit.
    export UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=$((${SOCKET_DRAIN_SECONDS:-10} + 15))
    exec uvicorn --fd 3 "$ASGI_APPLICATION"
    ;;
notify) exec python -m "$notify" ;;
load)
    [ "${NOTIFY_INSTANCES-0}" != 0 ] || notify=
    exec python -m tandem.instance.load ${notify:+"$notify"}
    ;;
migrations) exec "${python[@]}" -m tandem.ops.checks.migrations ;;
check) exec "${python[@]}" -m tandem check "${@:2}" ;; # with the settings that serve
static)
    [ "$SITE_STATIC" != on ] || "${python[@]}" manage.py collectstatic --noinput -v0
    each "$SITE_BUILD"
    ;;
setup) each "$SITE_SETUP" ;;
demo) each "$SITE_DEMO" ;;
process) # a line of SITE_PROCESSES: its name and its command
    named "${2-}" "$SITE_PROCESSES"
    echo "tandem: this site has no process '${2-}'; tandem.yml names them." >&2
    exit 2
    ;;
checkup) named "${2-}" "${SITE_CHECKS-}" ;; # whether a process works, where it can say so
manage) exec "${python[@]}" manage.py "${@:2}" ;;
*) echo "tandem: usage: run.sh wsgi | asgi | notify | load | check | migrations | static | setup | demo | process NAME | checkup NAME | manage COMMAND…" >&2; exit 2 ;;
esac
