#!/bin/sh
# Installs packages of Debian. Arguments: what they are for, then the packages; nothing is done without any.
set -eu

what_for=$1
shift
test $# -gt 0 || exit 0

command -v apt-get >/dev/null || { echo "$what_for: install $*, then try again (there is no apt-get here)." >&2; exit 1; }
as_root=""
test "$(id -u)" = 0 || as_root=sudo
echo "Installing $* ..."
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
