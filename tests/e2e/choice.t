#!/bin/bash
# Issue 3: `plane = auto | kernel | user`. What `bgpward check` says of it, and
# why, is what the daemon does; another choice counts at a reload, and BGP is
# never in clear in between.
. "$(dirname "$0")/lib.sh"

says() {	# REGEX DESCRIPTION: bgpward check at a, of both pairs
	local said
	said=$(in_ns a "$BUILD/bgpward" check -c "$(ward_dir a)/bgpward.conf" 2>&1)
	is "$(grep -cE "$1" <<< "$said")" 2 "$2: check says $1" ||
		diag "$said"
}
carried_by() {	# kernel|user
	[ "$(pair_get a b 4 .plane)" = "$1" ] &&
		[ "$(pair_get a b 6 .plane)" = "$1" ] &&
		pair_is a b 4 protected && pair_is a b 6 protected
}
choose() {
	sed -i "s/plane = .*/plane = $1/" "$(ward_dir a)/bgpward.conf"
}
log_says() { grep -qE -- "$1" "$WORK/a/ward.log"; }

lab_up
ward_pair a b
choose auto
if user_plane; then
	says '^ +plane user: this kernel has no ESP' auto
	first=user
else
	says '^ +plane kernel: the kernel has ESP' auto
	first=kernel
fi
capture_start clear 'tcp port 179'
ward_start a
ward_start b
ok 'auto: protected, and by that' until_ok 60 carried_by $first
bird_start a b
bird_start b a
bgp_up a b

choose user
says '^ +plane user: the configuration says so' user
ward_reload a
ok 'user: protected, and by that' until_ok 60 carried_by user
bgp_up a b
choose kernel
: > "$WORK/a/ward.log"
ward_reload a
if user_plane; then
	says '^ +no plane here: this kernel has no ESP' kernel
	in_ns a "$BUILD/bgpward" check -c "$(ward_dir a)/bgpward.conf" \
		> "$WORK/check" 2>&1
	is $? 2 'kernel: check ends with status 2'
	like "$(cat "$WORK/check")" \
		'bgpward.conf:[0-9]+: peer as64501: .*: set plane = auto' \
		'line, peer and cure'
	ok 'kernel: the reload is refused' until_ok 20 log_says 'as it was'
	ok 'and says why' log_says \
		'no plane for peer as64501: this kernel has no ESP.*: set plane = auto'
	ok 'protected as before' carried_by user
	bgp_lives a b
	ward_stop a
	ward_run a
	exit_status "${WARD[a]}"
	is $? 1 'a start is refused as well, with status 1'
else
	says '^ +plane kernel: the configuration says so' kernel
	ok 'kernel: protected, and by that' until_ok 60 carried_by kernel
	bgp_anew a b
	is "$(ip -n "$TOKEN"a rule show | grep -c 1790)" 0 \
		'no rule of the user plane is left'
	bgp_lives a b
fi
capture_stop clear
is "$(clear_frames clear)" 0 'no TCP port 179 in clear in all of this'
done_testing
