#!/bin/bash
# deploy/deps: quick and silent when all is there; lists and refuses on another
# distribution; says so without root.
cd "$(dirname "$0")/../.." || exit
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. tests/e2e/lib_tap.sh

packages() { dpkg-query -W; systemctl list-unit-files --state=enabled 2>/dev/null; }

before=$(packages)
began=$SECONDS
is "$(deploy/deps 2>&1)" '' 'it has nothing to say when all is there'
ok 'and is quick' [ $((SECONDS - began)) -le 10 ]
is "$(packages)" "$before" 'and changes nothing'

# With another /etc/os-release, in a mount namespace of its own
printf 'ID=fedora\nVERSION_ID=39\n' > "$WORK/os-release"
elsewhere() {
	unshare -m sh -c 'mount --bind "$0" /etc/os-release && deploy/deps' \
		"$WORK/os-release"
}
elsewhere > "$WORK/out" 2>&1
is $? 1 'on another distribution: status 1'
ok 'and the list' grep -qw libbpf-dev "$WORK/out"

# Without root, and a package missing (a dpkg-query that does not know bird2)
mkdir "$WORK/bin"
printf '#!/bin/sh\n/usr/bin/dpkg-query "$@" | grep -v " bird2$"\n' \
	> "$WORK/bin/dpkg-query"
chmod 0755 "$WORK" "$WORK/bin" "$WORK/bin/dpkg-query"
without_root() {
	setpriv --reuid 65534 --clear-groups env PATH="$WORK/bin:$PATH" \
		bash "$1"
}
cp deploy/deps "$WORK/deps"
chmod 0755 "$WORK/deps"
without_root "$WORK/deps" > "$WORK/out" 2>&1
is $? 1 'without root and with a package missing: status 1'
ok 'and says so' grep -q 'needs root to install: bird2' "$WORK/out"

# As root, with packages missing: apt installs them while nothing may start,
# and what they bring as a service is disabled and stopped. Done with programs
# that only note what they were asked: apt-get, systemctl, dpkg.
rm "$WORK/bin/dpkg-query"
: > "$WORK/asked"
: > "$WORK/new"
cat > "$WORK/bin/dpkg-query" <<'END'
#!/bin/sh
/usr/bin/dpkg-query "$@" | grep -vE ' (bird2|mandoc)$'
cat "$WORK/new"
END
cat > "$WORK/bin/apt-get" <<'END'
#!/bin/sh
echo "apt-get $*" >> "$WORK/asked"
echo "policy-rc.d $(/usr/sbin/policy-rc.d bird start; echo $?)" >> "$WORK/asked"
printf 'installed %s\n' bird2 mandoc > "$WORK/new"
END
cat > "$WORK/bin/dpkg" <<'END'
#!/bin/sh
[ "$2" != bird2 ] || printf '/lib/systemd/system/%s\n' bird.service bird.target
END
cat > "$WORK/bin/systemctl" <<'END'
#!/bin/sh
echo "systemctl $*" >> "$WORK/asked"
[ "$1" != is-enabled ] || echo enabled
END
chmod 0755 "$WORK/bin"/*
with_root() {	# where /usr/sbin/policy-rc.d is ours, and systemd seems to run
	unshare -m sh -c 'mount -t tmpfs none /usr/sbin &&
		mount -t tmpfs none /run && mkdir -p /run/systemd/system &&
		deploy/deps
		status=$?; ls /usr/sbin; exit $status'
}
export WORK
PATH="$WORK/bin:$PATH" with_root > "$WORK/out" 2>&1
is $? 0 'as root, with two packages missing: status 0' || diag "$(cat "$WORK/out")"
like "$(cat "$WORK/out")" '^deps: installing bird2 mandoc$' \
	'it says what it installs'
like "$(cat "$WORK/asked")" '^apt-get install .*bird2 mandoc$' 'and does'
is "$(grep -c '^apt-get' "$WORK/asked")" 1 'in one go'
like "$(cat "$WORK/asked")" '^policy-rc.d 101$' \
	'while nothing may be started'
not_ok 'and afterwards things may again' grep -q policy-rc.d "$WORK/out"
like "$(cat "$WORK/asked")" '^systemctl .*disable bird.service$' \
	'what came as a service is disabled'
like "$(cat "$WORK/asked")" '^systemctl .*stop bird.service$' 'and stopped'
like "$(cat "$WORK/asked")" '^systemctl .*disable bird.target$' \
	'as what came as a target is'
like "$(cat "$WORK/out")" 'disabled bird.service, which came with bird2' \
	'and it says so'
done_testing
