#!/usr/bin/env bash
# Make sure that a container engine with Compose answers: use the one that is
# there; on a bare Debian with root, install and start one after saying so;
# anywhere else, say exactly what to install.
set -euo pipefail

MIN_COMPOSE=2.24 # "env_file: required: false" and "up --wait" with one-shot services
NEWER_DEBIAN=trixie # Debian 12 ships Compose 1.29, too old; its successor's works there

cd "$(dirname "$0")/.."
. docker/lib.sh

compose_is_new_enough() {
    local version
    version=$(docker compose version --short 2>/dev/null) || return 1
    printf '%s\n' "$MIN_COMPOSE" "${version#v}" | sort --check --version-sort 2>/dev/null
}

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

is_debian() { [ -x /usr/bin/apt-get ] && grep -q '^ID=debian' /etc/os-release; }

if docker info >/dev/null 2>&1; then
    compose_is_new_enough && exit 0
    problem="Compose is missing or older than $MIN_COMPOSE"
elif command -v dockerd >/dev/null; then
    problem="the container engine is installed but does not answer"
else
    problem="there is no container engine"
fi
if [ "$(id -u)" != 0 ] || ! is_debian; then
    die "$problem; install Docker Engine (with buildx) and Compose $MIN_COMPOSE or newer, start it, and make sure that 'docker info' works for $(id -un); on Debian, 'sudo make up' once does it for you."
fi
if ! command -v dockerd >/dev/null || ! compose_is_new_enough; then install_engine; fi
docker info >/dev/null 2>&1 || start_engine
compose_is_new_enough || die "Compose $MIN_COMPOSE or newer is needed, found '$(docker compose version --short 2>&1 | tail -1)'."
