# shellcheck shell=bash
# A company's TLS proxy and package index, if this machine's own pip uses them; sourced.

bundle=${PIP_CERT:-${REQUESTS_CA_BUNDLE:-${SSL_CERT_FILE:-}}}
if [ -f "$bundle" ]; then export TANDEM_CA_BUNDLE=$bundle; fi
for conf in "${PIP_CONFIG_FILE:-}" "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/pip.conf; do
    if [ -f "$conf" ] && grep -q index-url "$conf" && ! grep -q file:// "$conf"; then
        export TANDEM_PIP_CONF=$conf
        break
    fi
done
