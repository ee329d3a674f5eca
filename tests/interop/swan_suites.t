#!/bin/bash
# Issue 4: algorithms of the IKE SA.
. "$(dirname "$0")/lib.sh"

interop_up

given
meets 'Default profile'
given 'profile = legacy'
SWAN_IKE=aes256-sha384-prfsha512-modp3072 SWAN_ESP=null-sha256
meets 'AES-CBC, MODP, no ESN'
given 'ike = chacha20poly1305-prfsha384-ecp521'
SWAN_IKE=chacha20poly1305-prfsha384-ecp521
meets 'ChaCha20-Poly1305, P-521'
given 'profile = cnsa'
SWAN_IKE=aes256gcm16-prfsha384-ecp384 SWAN_ESP=aes256gcm16-esn
meets 'CNSA profile'
interop_done
