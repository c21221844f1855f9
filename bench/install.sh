#!/bin/sh
# Installs what `make bench` runs besides Python: wrk, and a C compiler for the slow disk, from Debian.
set -eu

missing=""
command -v wrk >/dev/null || missing="$missing wrk"
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
test -z "$missing" && exit 0

command -v apt-get >/dev/null || { echo "bench: install$missing, then try again (there is no apt-get here)." >&2; exit 1; }
as_root=""
test "$(id -u)" = 0 || as_root=sudo
echo "Installing$missing ..."
$as_root apt-get update -qq
# shellcheck disable=SC2086 # These are several packages.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
