# shellcheck shell=bash disable=SC2034
# Where the site is for who sits at this machine, for scripts that have sourced lib.sh:
# docker/published.sh asks it, docker/welcome.sh prints it.

address=$(setting BIND_ADDRESS)
[ "$address" != 0.0.0.0 ] || address=127.0.0.1
name=$(setting SERVER_NAMES) name=${name%%,*}
http_port=$(setting HTTP_PORT) https_port=$(setting HTTPS_PORT)
pages=() socket=""
if [ -z "${SITE:-}" ]; then # of another site it is not known what it has
    pages=(Chat /chat/lobby/ Gallery /gallery/ Changes /notifications/ Admin /admin/)
    socket=/ws/hello/
fi
