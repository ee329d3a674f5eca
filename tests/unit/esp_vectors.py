#!/usr/bin/python3
"""Known answers for tests/unit/sidecar_esp.c, by other tools: scapy's ESP for
HMAC-SHA2 (Python's hmac where ESN counts), the `cryptography` package's AES-GCM for GMAC (which scapy lacks).

    tests/unit/esp_vectors.py > tests/unit/esp_vectors.h
"""
import hmac
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

ENCR_NULL, ENCR_GMAC = 11, 21
INTEG = {"SHA2-256-128": 12, "SHA2-384-192": 13, "SHA2-512-256": 14}
KEY_LEN = {"SHA2-256-128": 32, "SHA2-384-192": 48, "SHA2-512-256": 64}
DIGEST = {"SHA2-256-128": ("sha256", 16), "SHA2-384-192": ("sha384", 24),
          "SHA2-512-256": ("sha512", 32)}
NUMBERS = [(0x1234, 1, False), (0x89abcdef, 0xfffffffe, False),
           (0x1000, 0x00000002_00000007, True)]
PAYLOADS = [0, 1, 2, 3, 20, 133]


def octets(count, seed):
    return bytes((seed + 7 * i) & 0xff for i in range(count))


def hmac_packet(name, key, spi, sequence, esn, payload):
    sa = SecurityAssociation(ESP, spi=spi, seq_num=sequence & 0xffffffff,
                             crypt_algo="NULL", auth_algo=name, auth_key=key)
    packet = IP(src="192.0.2.1", dst="192.0.2.2", proto=6) / Raw(payload)
    sealed = bytes(sa.encrypt(packet))[20:]
    if not esn:
        return sealed
    # scapy's ICV of ESP leaves out the high half (RFC 4303 2.2.1)
    digest, icv_len = DIGEST[name]
    body = sealed[:-icv_len]
    high = struct.pack("!L", sequence >> 32)
    return body + hmac.digest(key, body + high, digest)[:icv_len]


def gmac_packet(key, spi, sequence, esn, payload):
    iv = struct.pack("!Q", sequence)
    number = struct.pack("!Q" if esn else "!L",
                         sequence if esn else sequence & 0xffffffff)
    padding = -(len(payload) + 2) % 4
    body = payload + bytes(range(1, padding + 1)) + bytes([padding, 6])
    head = struct.pack("!L", spi)
    tag = AESGCM(key[:-4]).encrypt(key[-4:] + iv, b"",
                                   head + number + iv + body)
    return head + struct.pack("!L", sequence & 0xffffffff) + iv + body + tag


def literal(data):
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def row(encr, integ, key, number, payload, packet):
    spi, sequence, esn = number
    print(f"\t{{ {encr}, {integ}, {len(key)}, {spi:#x}, {sequence:#x}, "
          f"{int(esn)}, {len(payload)}, {len(packet)},\n"
          f"\t  {literal(packet)} }},")


print("/* Made by esp_vectors.py with scapy and cryptography: do not edit. */")
for number in NUMBERS:
    for size in PAYLOADS:
        data = octets(size, 3)
        for name, integ in INTEG.items():
            key = octets(KEY_LEN[name], 1)
            row(ENCR_NULL, integ, key, number, data,
                hmac_packet(name, key, *number, data))
        for key_len in (20, 28, 36):
            key = octets(key_len, 1)
            row(ENCR_GMAC, 0, key, number, data,
                gmac_packet(key, *number, data))
