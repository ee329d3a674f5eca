#!/bin/bash
# What the systemd unit takes from the daemon it does not need: with the
# capabilities that it leaves, without new privileges and on a file system that
# it may not write, a pair is protected, a restart and a reload are survived.
. "$(dirname "$0")/lib.sh"
UNIT=$TOP/deploy/bgpwardd.service

# "CAP_NET_ADMIN CAP_BPF" -> "-all,+net_admin,+bpf"
capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "$UNIT" | tr '[:upper:]' '[:lower:]' |
		sed 's/cap_/+/g; s/ /,/g; s/^/-all,/'
}
has() { grep -qx "$1=$2" "$UNIT"; }	# NAME REGEX
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# The daemon as the unit has it. ProtectSystem=strict: all read-only but /dev,
# /proc, /sys and RuntimeDirectory; here also where the scenario's socket is.
mkdir "$WORK/bin" /run/bgpward 2>/dev/null
ln -s "$BUILD/bgpward" "$WORK/bin/bgpward"
cat > "$WORK/bin/bgpwardd" <<END
#!/bin/sh
mount --bind "$WORK" "$WORK" && mount --bind /run/bgpward /run/bgpward &&
	mount -o remount,bind,ro / &&
	exec setpriv --bounding-set="$(capabilities)" --inh-caps=-all \
		--no-new-privs "$BUILD/bgpwardd" "\$@"
END
chmod +x "$WORK/bin/bgpwardd"
BUILD=$WORK/bin

while read -r name value; do
	ok "the unit says $name=$value" has "$name" "$value"
done <<'END'
CapabilityBoundingSet CAP_NET_ADMIN .*
NoNewPrivileges yes
ProtectSystem strict
RuntimeDirectory bgpward
END
lab_up
protect a b
wanted=$(printf '%016x' $((1 << 12 | 1 << 39 | 1 << 38 | 1 << 21 | 1 << 10 | 1 << 13)))
is "$(status_of "${WARD[a]}" CapBnd)" "$wanted" 'no other capability'
is "$(status_of "${WARD[a]}" CapEff)" "$wanted" 'in force'
is "$(status_of "${WARD[a]}" NoNewPrivs)" 1 'and no new one'
not_ok 'it cannot write' nsenter -t "${WARD[a]}" -m touch /etc/bgpward.test
if user_plane; then
	is "$(status_of "$(plane_pid a)" CapEff)" 0000000000000000 \
		'the plane process has none'
	ok 'the unit lets it have the TUN device' has DeviceAllow '/dev/net/tun rw'
	ok 'and lets it live on' has KillMode process
fi
bird_start a b
bird_start b a
bgp_up a b
since=$(bird_changes a b4)
ward_stop a
ward_start a
ok 'protected after a restart' pair_wait a b
ward_reload a
bgp_lives a b 'after restart and reload'
is "$(bird_changes a b4)" "$since" 'no flap'
if user_plane; then
	ok 'the plane process is killed' plane_kill9 a
	ok 'and another one is there' pair_wait a b
fi

# BGP starts behind the guard.
ok 'ready when it says so' has Type notify
for service in bird frr; do
	ok "before $service" grep -q "^Before=.*\b$service\.service" "$UNIT"
done
sed 's,^ExecStart=.*,ExecStart=/bin/true,' "$UNIT" > "$WORK/bgpwardd.service"
ok 'systemd understands all of it' systemd-analyze verify --man=no \
	"$WORK/bgpwardd.service"
is "$(wc -c < "$WORK/ok.out")" 0 'without a warning'
done_testing
