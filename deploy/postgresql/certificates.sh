#!/bin/sh
# certificates.sh DIRECTORY NAME=ADDRESS…: an authority for the database alone, and for each machine a certificate that it
# serves with and proves itself with. What is there already stays; ca.key belongs on no machine of the cluster.
set -eu
umask 077
directory=$1
shift
mkdir -p "$directory"
cd "$directory"

test -e ca.key || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 \
    -subj "/CN=KSZ gateway database" -keyout ca.key -out ca.pem
for machine; do
    name=${machine%%=*}
    test -e "$name.pem" && continue
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
    # All are called ksz-database too: the name by which the gateway asks for whichever is the primary.
    printf 'subjectAltName=DNS:ksz-database,DNS:%s,IP:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" "${machine#*=}" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -days 800 -extfile "$name.ext" -out "$name.pem" 2>/dev/null
    rm "$name.csr" "$name.ext"
done
