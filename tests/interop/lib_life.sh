# shellcheck shell=bash
# What the scenarios share in which SAs end and come back. Sourced after lib.sh.

fresh() {	# SPIS: other SAs than these, two in each family, and no more
	[ "$(pair_spis a b 4)" != "$1" ] && pairs_are protected &&
		[ "$(sas_of a)" = 8 ] && swan_has b 4
}

# begins_again: the one who begins, once more
begins_again() {
	[ "$WHO" != strongSwan ] ||
		ok "$CASE: strongSwan begins again" swan_begins_both
}

# comes_back OLD_SPIS [WHAT]: all is as it was, with other keys
comes_back() {
	ok "$CASE: there are fresh SAs, and only those" until_ok 90 fresh "$1"
	talk_anew
	traffic
	remember "${2:-back under fresh SAs}"
	part
	end
}

# What makes bgpwardd miss a silent peer soon, or not before the case is over
SOON='global hold_time = 30' LATE='global hold_time = 900'
