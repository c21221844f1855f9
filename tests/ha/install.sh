#!/bin/sh
# Installs what `make ha-test` runs, from Debian: PostgreSQL, Patroni, etcd and HAProxy, and systemd to read the units.
set -eu

missing=""
test -n "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" || missing="$missing postgresql"
test -x /usr/bin/patroni || missing="$missing patroni"
# Without it Debian 12's Patroni does not reach etcd over TLS.
test -d /usr/lib/python3/dist-packages/idna || missing="$missing python3-idna"
test -x /usr/bin/etcd || missing="$missing etcd-server"
test -x /usr/sbin/haproxy || missing="$missing haproxy"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
command -v openssl >/dev/null || missing="$missing openssl"

# shellcheck disable=SC2086 # These are several packages.
"$(dirname "$0")/../install_debian.sh" ha-test $missing
