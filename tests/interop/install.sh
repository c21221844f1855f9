#!/bin/sh
# Installs what `make interop` runs: PHP with soap, HAProxy, Node and openssl from Debian, and what the Node example is locked to.
set -eu
cd "$(dirname "$0")/../.."

missing=""
php -m 2>/dev/null | grep -qix soap || missing="$missing php-cli php-soap"
test -x /usr/sbin/haproxy || missing="$missing haproxy"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
test -x /usr/bin/openssl || missing="$missing openssl"

# shellcheck disable=SC2086 # These are several packages.
tests/install_debian.sh interop $missing

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || {
    echo "interop: Node is $(node --version), and soap needs 20.19 or later (Debian 13 has it)." >&2
    exit 1
}
npm ci --prefix docs/clients/node --ignore-scripts --no-progress --loglevel=error
