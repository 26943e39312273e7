#!/usr/bin/env bash
# Install or start a container engine on this Debian, as root: engine.sh install|start
# Whether that is needed, and allowed, is for tandem/ops/checkout/engine.py to say.
set -euo pipefail

NEWER_DEBIAN=trixie # Debian 12 ships Compose 1.29, too old; its successor's works there

cd "$(dirname "$0")/.."
. docker/lib.sh

install_engine() {
    local suite=() mirror codename
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    say "no container engine here: installing docker.io, buildx and Compose from Debian (this takes a minute)."
    if [ "$codename" = bookworm ]; then
        docker/apt.sh || die "Debian's package lists cannot be read; the reason is above."
        mirror=$(docker/debian-mirror.sh)
        cat >/etc/apt/sources.list.d/tandem-engine.sources <<-SOURCES
			Types: deb
			URIs: $mirror
			Suites: $NEWER_DEBIAN
			Components: main
			Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
		SOURCES
        # Priority 50: nothing comes from the newer release unless asked by name.
        printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n' "$NEWER_DEBIAN" \
            >/etc/apt/preferences.d/tandem-engine
        suite=(-t "$NEWER_DEBIAN")
    fi
    docker/apt.sh "${suite[@]}" docker.io docker-cli docker-buildx docker-compose iptables ||
        die "installing the container engine failed; the reason is above."
}

start_engine() {
    say "starting the container engine."
    if [ -d /run/systemd/system ]; then
        systemctl enable --now docker >&2 || die "the container engine did not start; see: journalctl -u docker"
    else
        # No systemd to start it: run it in a session of its own.  What forwards its ports
        # needs six descriptors for each connection (docs/replica.md); as many as Debian's init script gives it.
        ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -Hn)"
        setsid nohup dockerd >>/var/log/dockerd.log 2>&1 </dev/null &
    fi
    for _ in $(seq 60); do
        if docker info >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    die "the container engine did not answer within 30 s; see /var/log/dockerd.log or journalctl -u docker."
}

"$1_engine"
