#!/bin/bash
# Unit tests that only a kernel with ESP can run, or that must also pass on
# the oldest kernel we promise (Linux 6.1, the laboratory's): its verifier
# refuses what newer ones accept.
WARDLESS=1
. "$(dirname "$0")/lib.sh"
kernel_only "they are of the kernel's ESP"

runs() { # PROGRAM: all its tests pass and none of them is skipped
	CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/tests/$1" > "$WORK/out" 2>&1 &&
		! grep -qi '# skip' "$WORK/out"
}

for program in unit/sidecar_xfrm unit/sidecar_xfrm_esp \
	unit/sidecar_xfrm_traffic unit/sidecar_user_calls \
	unit/sidecar_user_packets unit/sidecar_user_udp unit/sidecar_losses \
	bpf/classifier_verdicts bpf/classifier_headers \
	bpf/classifier_esp_in_udp bpf/classifier_maps bpf/classifier_speed \
	bpf/attach; do
	ok "$program" runs "$program" || sed 's/^/# /' "$WORK/out"
done
done_testing
