#!/bin/bash
# Issue 4: how each side proves who it is, by certificates of every kind.
. "$(dirname "$0")/lib.sh"

# own_keys KIND: both sides get certificates with keys of this kind
own_keys() {
	cert_router "$1-a" ca-a '1 day ago' '20 days' 64500 "${A[@]}"
	cert_router "$1-b" ca-b '1 day ago' '20 days' 64501 "${B[@]}"
}
interop_up
both_cas

given
authenticates 'ECDSA P-256 certificates'

CERT_KEY='ec -pkeyopt ec_paramgen_curve:P-384' own_keys p384
given
show p384
SWAN_AUTH=ike:ecdsa-sha384
authenticates 'ECDSA P-384 certificates'

CERT_KEY=rsa:2048 own_keys rsa
given
show rsa
SWAN_AUTH=ike:rsa-sha256 SWAN_THEIR_AUTH=ike:rsa/pss-sha256
authenticates 'RSA certificates, PKCS #1 v1.5 from strongSwan'
given
show rsa
SWAN_AUTH=ike:rsa/pss-sha256
authenticates 'RSA certificates, PSS'

CERT_KEY=ed25519 own_keys ed25519
given
show ed25519
SWAN_AUTH=ike:ed25519
authenticates 'Ed25519 certificates'
interop_done
