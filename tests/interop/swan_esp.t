#!/bin/bash
# Issue 4: algorithms of the Child SAs.
. "$(dirname "$0")/lib.sh"

# esp NAME OURS THEIRS WANT
esp() {
	given "esp = $2"
	SWAN_ESP=$3
	meets "$1"
	like "$SUITE" "ESP $4\$" "$1: agreed on"
}

interop_up

esp 'ESP: NULL, SHA2-384' null-sha384 null-sha384-esn NULL/HMAC_SHA2_384_192/ESN
esp 'ESP: NULL, SHA2-512' null-sha512 null-sha512-esn NULL/HMAC_SHA2_512_256/ESN
esp 'ESP: GMAC' aes256gmac aes256gmac-esn NULL_AUTH_AES_GMAC-256/ESN
esp 'ESP: AES-GCM' aes128gcm16 aes128gcm16-esn AES_GCM_16-128/ESN
interop_done
