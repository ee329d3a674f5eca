# shellcheck shell=bash
# strongSwan (charon-systemd) in a router, as a foreign peer of bgpwardd: same
# profile, its credentials from $WORK/ROUTER/etc as `bgpward init` made them
# unless others are named. Sourced after lib.sh.

declare -A SWAN
swan_dir() { echo "$WORK/$1/swan"; }

# swan_setup ROUTER: strongswan.conf and the folders
swan_setup() {
	local dir
	dir=$(swan_dir "$1")
	mkdir -p "$dir"/{x509,x509ca,private}
	# enforce_critical: it does not know the AS number extension (RFC 3779)
	cat > "$dir/strongswan.conf" <<-EOF
	charon-systemd {
		load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints hmac kdf sha1 sha2 gcm aes kernel-netlink socket-default vici
		install_routes = no
		x509 { enforce_critical = no }
		replay_window = 128
		retransmit_tries = 3
		make_before_break = yes
		plugins {
			vici { socket = unix://$dir/vici }
			kernel-netlink { }
		}
		filelog {
			log { path = $WORK/$1/swan.log
				default = 1
				ike = 1
				cfg = 1
				flush_line = yes }
		}
	}
	swanctl { socket = unix://$dir/vici
		load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey }
	EOF
	echo "swanctl { socket = unix://$dir/vici
		load = random }" > "$dir/cli.conf"
}

# swan_credentials ROUTER [CERT KEY]: what it shows and signs with
swan_credentials() {
	local dir
	dir=$(swan_dir "$1")
	cp "${2:-$(ward_dir "$1")/router.crt}" "$dir/x509/router.pem"
	cp "${3:-$(ward_dir "$1")/router.key}" "$dir/private/router.pem"
}

# swan_trust ROUTER FILE: one more CA
swan_trust() { cp "$2" "$(swan_dir "$1")/x509ca/$(echo "$2" | md5sum | cut -c1-8).pem"; }

# What a connection is, where it differs from the default profile:
#	SWAN_IKE, SWAN_ESP	proposals
#	SWAN_AUTH		how both sides authenticate
#	SWAN_THEIR_AUTH		how the other side does
#	SWAN_SECRET		with SWAN_AUTH=psk
#	SWAN_MORE		more options of the connection
#	SWAN_CHILD_MORE		and of its Child SAs
#	SWAN_SECRETS		more secrets
swan_child() {		# NAME LOCAL_TS REMOTE_TS ACTION
	cat <<-EOF
	$1 { local_ts = $2
		remote_ts = $3
		mode = transport
		esp_proposals = ${SWAN_ESP:-null-sha256-esn}
		${SWAN_CHILD_MORE:-}
		start_action = $4 }
	EOF
}

swan_connection() {	# ROUTER OTHER FAMILY ACTION
	local local_addr remote_addr auth=${SWAN_AUTH:-ecdsa-sha256}
	local_addr=$(addr "$1" "$3")
	remote_addr=$(addr "$2" "$3")
	cat <<-EOF
	$2$3 {
		version = 2
		local_addrs = $local_addr
		remote_addrs = $remote_addr
		proposals = ${SWAN_IKE:-aes256gcm16-prfsha256-x25519, aes256gcm16-prfsha256-ecp256}
		mobike = no
		send_cert = always
		${SWAN_MORE:-}
		local { auth = $auth
			id = $local_addr
			$([ "$auth" = psk ] || echo certs = router.pem) }
		remote { auth = ${SWAN_THEIR_AUTH:-$auth}
			id = $remote_addr }
		children {
			$(swan_child "active$3" 'dynamic[tcp]' \
				'dynamic[tcp/179]' "$4")
			$(swan_child "passive$3" 'dynamic[tcp/179]' \
				'dynamic[tcp]' "$4")
		}
	}
	EOF
}

# swan_configure ROUTER OTHER ACTION: none (answers), trap or start
swan_configure() {
	{
		echo 'connections {'
		swan_connection "$1" "$2" 4 "$3"
		swan_connection "$1" "$2" 6 "$3"
		printf '}\nsecrets {\n'
		[ -z "${SWAN_SECRET:-}" ] ||
			echo "ike-peer { secret = \"$SWAN_SECRET\" }"
		printf '%s\n}\n' "${SWAN_SECRETS:-}"
	} > "$(swan_dir "$1")/swanctl.conf"
}

swan_run() {		# ROUTER: the daemon, with no connection yet
	local dir
	dir=$(swan_dir "$1")
	ip netns exec "$TOKEN$1" env "STRONGSWAN_CONF=$dir/strongswan.conf" \
		"SWANCTL_DIR=$dir" charon-systemd \
		> "$WORK/$1/charon.log" 2>&1 &
	SWAN[$1]=$!
	until_ok 30 swan_cli "$1" --stats ||
		bail_out "strongSwan does not start: $(tail "$WORK/$1/charon.log")"
}

swan_load() {		# ROUTER: what swan_configure wrote, and nothing older
	swan_cli "$1" --load-all --clear --noprompt \
		> "$WORK/$1/load.log" 2>&1 ||
		bail_out "swanctl --load-all: $(tail "$WORK/$1/load.log")"
}

swan_start() {		# ROUTER OTHER ACTION
	swan_configure "$@"
	swan_run "$1"
	swan_load "$1"
}

# By a socket in the file system: no need to enter the router, nor for any
# plug-in but where credentials are read. Both cost the emulated machine time.
swan_cli() {
	local dir=$WORK/$1/swan conf=cli
	[ "$2" != --load-all ] || conf=strongswan
	STRONGSWAN_CONF=$dir/$conf.conf SWANCTL_DIR=$dir swanctl "${@:2}"
}

# swan_begins ROUTER OTHER FAMILY: it begins, with both Child SAs; the second may
# be bgpwardd's by then, who waits 5 s for it.
swan_begins() {
	swan_cli "$1" --initiate --ike "$2$3" --child "active$3" || return
	swan_cli "$1" --initiate --ike "$2$3" --child "passive$3" ||
		swan_cli "$1" --list-sas --child "passive$3" | grep INSTALLED
}

swan_kill9() {
	{ kill -9 "${SWAN[$1]}"; wait "${SWAN[$1]}"; } 2>/dev/null
	unset "SWAN[$1]"
}

swan_stop() {
	kill "${SWAN[$1]}" 2>/dev/null
	wait "${SWAN[$1]}" 2>/dev/null
	unset "SWAN[$1]"
}

# Child SAs that strongSwan holds installed
swan_children() { swan_cli "$1" --list-sas | grep -c ' INSTALLED, TRANSPORT'; }

swan_has() { [ "$(swan_children "$1")" = "$2" ]; }
swan_has_all() { [ "$(swan_children "$1")" -ge 4 ]; }

# only_begins ROUTER: it receives no IKE_SA_INIT request (UDP 500, responder SPI
# zero, exchange type 34, initiator and no response flag; RFC 7296 3.1), so that
# it is the one that begins; until both_begin.
only_begins() {
	in_ns "$1" tc qdisc replace dev eth0 clsact
	in_ns "$1" tc filter add dev eth0 ingress protocol ip pref 4 u32 \
		match ip protocol 17 0xff \
		match u32 0 0xffffffff at 36 match u32 0 0xffffffff at 40 \
		match u8 34 0xff at 46 match u8 8 0x28 at 47 action drop
	in_ns "$1" tc filter add dev eth0 ingress protocol ipv6 pref 6 u32 \
		match ip6 protocol 17 0xff \
		match u32 0 0xffffffff at 56 match u32 0 0xffffffff at 60 \
		match u8 34 0xff at 66 match u8 8 0x28 at 67 action drop
}
both_begin() {
	in_ns "$1" tc filter del dev eth0 ingress pref 4
	in_ns "$1" tc filter del dev eth0 ingress pref 6
}
