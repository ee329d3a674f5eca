"""The ways of carrying BGP between the two namespaces of lab.py: what is set up
for each, and how much is sent over it in one measurement."""

import os
import subprocess
import sys

import lab
from lab import ADDRESS, NEAR, OTHER, ip, spawn, until

# Megabytes: some seconds each.
SIZES = {
    "plain": 2000,
    "TCP-MD5": 200,
    "user plane, SHA2-256": 1000,
    "user plane, GMAC": 1000,
    "user plane, SHA2-256, ESP not in UDP": 300,
    "strongSwan's kernel-libipsec": 150,
    "wireguard-go": 150,
}
HAND = {
    "user plane, SHA2-256": ("sha256", "udp"),
    "user plane, GMAC": ("gmac", "udp"),
    "user plane, SHA2-256, ESP not in UDP": ("sha256",),
}
# With routes of a full table: those that a router's BGP would take.
BIRD = ("plain", "TCP-MD5", "user plane, SHA2-256")

# Everything that it needs, and no more. ESP in UDP and a tunnel are all that
# kernel-libipsec does.
STRONGSWAN = """
charon-systemd {
	load = random nonce openssl pem pkcs1 hmac kdf sha1 sha2 gcm aes kernel-libipsec kernel-netlink socket-default vici
	plugins { vici { socket = unix://%(folder)s/vici } }
}
swanctl { socket = unix://%(folder)s/vici
	load = random nonce openssl pem }
"""
CONNECTION = """
connections { bench {
	version = 2
	local_addrs = %(near)s
	remote_addrs = %(far)s
	proposals = aes256gcm16-prfsha256-x25519
	mobike = no
	local { auth = psk
		id = %(near)s }
	remote { auth = psk
		id = %(far)s }
	children { bench {
		local_ts = %(local)s/32
		remote_ts = %(remote)s/32
		mode = tunnel
		esp_proposals = null-sha256 } }
} }
secrets { ike-bench { secret = "a secret of this benchmark only" } }
"""


def hand(name, *words, urgent=False):
    """An SA pair set by hand; it leaves the plane process behind."""
    done = spawn(name, lab.BUILD + "/tests/bench/hand", ADDRESS[name],
                 ADDRESS[OTHER[name]], *words, urgent=urgent)
    if done.wait() != 0:
        sys.exit("bench: hand failed")


def wireguard(laboratory):
    """The loopback addresses through it."""
    keys = {}
    for name in "ab":
        private = lab.output("wg", "genkey")
        public = subprocess.run(("wg", "pubkey"), input=private, check=True,
                                capture_output=True, text=True).stdout
        keys[name] = (private, public.strip())
        # it forks once the device is there
        if spawn(name, "wireguard-go", "wg-" + name,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                 env=dict(os.environ, LOG_LEVEL="silent")).wait() != 0:
            sys.exit("bench: wireguard-go does not start")
    for name, other in OTHER.items():
        path = "%s/%s.key" % (laboratory.folder, name)
        with open(path, "w", encoding="ascii",
                  opener=lambda p, f: os.open(p, f, 0o600)) as private:
            private.write(keys[name][0])
        lab.run("ip", "netns", "exec", lab.ns(name), "wg", "set",
                "wg-" + name, "listen-port", "51820", "private-key", path,
                "peer", keys[other][1], "allowed-ips",
                ADDRESS[other] + "/32", "endpoint", NEAR[other] + ":51820")
        ip(name, "link", "set", "wg-" + name, "up", "mtu", "1420")
        ip(name, "route", "replace", ADDRESS[other], "dev", "wg-" + name,
           "src", ADDRESS[name])


def strongswan(laboratory):
    """kernel-libipsec in both namespaces, by a pre-shared key."""
    for name, other in OTHER.items():
        folder = "%s/%s" % (laboratory.folder, name)
        os.mkdir(folder)
        with open(folder + "/strongswan.conf", "w",
                  encoding="ascii") as config:
            config.write(STRONGSWAN % {"folder": folder})
        with open(folder + "/swanctl.conf", "w", encoding="ascii") as config:
            config.write(CONNECTION % {
                "near": NEAR[name], "far": NEAR[other],
                "local": ADDRESS[name], "remote": ADDRESS[other]})
        env = dict(os.environ, STRONGSWAN_CONF=folder + "/strongswan.conf",
                   SWANCTL_DIR=folder)
        with open(folder + "/log", "w", encoding="ascii") as log:
            spawn(name, "charon-systemd", env=env, stdout=log, stderr=log)

    def swanctl(name, *words):
        folder = "%s/%s" % (laboratory.folder, name)
        env = dict(os.environ, STRONGSWAN_CONF=folder + "/strongswan.conf",
                   SWANCTL_DIR=folder)
        return subprocess.run(
            ("ip", "netns", "exec", lab.ns(name), "swanctl") + words,
            check=False, env=env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0

    def strongswan_is_loaded():
        return all(swanctl(name, "--load-all") for name in "ab")

    def strongswan_is_up():
        return swanctl("a", "--initiate", "--child", "bench")

    until(strongswan_is_loaded)
    until(strongswan_is_up)


def set_up(way, laboratory, urgent=False):
    if way in HAND:
        for name in "ab":
            hand(name, *HAND[way], urgent=urgent)
    elif way == "wireguard-go":
        wireguard(laboratory)
    elif way == "strongSwan's kernel-libipsec":
        strongswan(laboratory)
