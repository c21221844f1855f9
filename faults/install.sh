#!/bin/sh
# Installs what the fault runs need from Debian where it is missing: HAProxy, and a compiler for the false clock.
set -eu
missing=""
test -x /usr/sbin/haproxy || missing="$missing haproxy"
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
test -n "$missing" || exit 0
command -v apt-get >/dev/null || { echo "fault-test: install$missing, then try again (there is no apt-get here)." >&2; exit 1; }
as_root=""
test "$(id -u)" = 0 || as_root=sudo
echo "Installing$missing ..."
$as_root apt-get update -qq
# shellcheck disable=SC2086 # These are several packages.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
