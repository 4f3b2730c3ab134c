#!/bin/sh
# Makes throw-away keys for profiles/quickstart.yaml in profiles/certs/: an authority, and certificates of
# it for the device and for a broker called broker.lan. What is there already stays.
set -eu

cd "$(dirname "$0")"
umask 077
mkdir -p certs
cd certs
days=3650

# make_key NAME
make_key() {
    [ -e "$1.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

# sign NAME EXTENSIONS
sign() {
    make_key "$1"
    [ -e "$1.pem" ] && return
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf '%s\n' "$2" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" \
        -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    rm "$1.csr" "$1.ext"
}

make_key ca
[ -e ca.pem ] || openssl req -x509 -new -key ca.key -subj "/CN=imgbuild quickstart" -days "$days" -out ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
sign quickstart "extendedKeyUsage=clientAuth"
sign broker.lan "subjectAltName=DNS:broker.lan
extendedKeyUsage=serverAuth"
