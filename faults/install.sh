#!/bin/sh
# Installs what the fault runs need from Debian where it is missing: HAProxy, and a compiler for the false clock.
set -eu
missing=""
test -x /usr/sbin/haproxy || missing="$missing haproxy"
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
# shellcheck disable=SC2086 # These are several packages.
"$(dirname "$0")/../tests/install_debian.sh" fault-test $missing
