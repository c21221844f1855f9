#!/bin/sh
# Installs what `make bench` runs besides Python: wrk, and a C compiler for the slow disk, from Debian.
set -eu

missing=""
command -v wrk >/dev/null || missing="$missing wrk"
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
# shellcheck disable=SC2086 # These are several packages.
"$(dirname "$0")/../tests/install_debian.sh" bench $missing
