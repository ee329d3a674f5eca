"""Packets as bytes: what the attack tools share. No scapy: importing it takes
five seconds in the emulated machine."""

import hashlib
import hmac
import ipaddress
import socket
import struct

TCP, UDP, ESP = 6, 17, 50
NAT_PORT = 4500     # of ESP in UDP, RFC 3948
SYN = 0x02


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(src, dst, proto, length):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 4:
        return src.packed + dst.packed + struct.pack("!BBH", 0, proto, length)
    return src.packed + dst.packed + struct.pack("!IHBB", length, 0, 0, proto)


def tcp(src, dst, sport, dport, flags=SYN, seq=1000, ack=0, payload=b""):
    """A TCP segment with a right checksum."""
    def header(value):
        return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4,
                           flags, 65535, value, 0)
    length = 20 + len(payload)
    text = pseudo_header(src, dst, TCP, length) + header(0) + payload
    return header(checksum(text)) + payload


def udp(src, dst, sport, dport, payload):
    """A UDP datagram with a right checksum."""
    length = 8 + len(payload)

    def header(value):
        return struct.pack("!HHHH", sport, dport, length, value)
    text = pseudo_header(src, dst, UDP, length) + header(0) + payload
    return header(checksum(text) or 0xFFFF) + payload


def ip(src, dst, proto, payload):
    """An IPv4 or IPv6 packet, by the family of the addresses."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + \
            src.packed + dst.packed + payload

    def header(value):
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000,
                           64, proto, value) + src.packed + dst.packed
    return header(checksum(header(0))) + payload


def esp_seal(spi, seq, key, next_header, payload, seq_high=0):
    """ESP-NULL with HMAC-SHA2-256-128 and ESN (RFC 4303 2.2.1, RFC 4868)."""
    padding = -(len(payload) + 2) % 4
    body = struct.pack("!II", spi, seq & 0xFFFFFFFF) + payload
    body += bytes(range(1, padding + 1)) + bytes([padding, next_header])
    text = body + struct.pack("!I", seq_high)
    return body + hmac.new(key, text, hashlib.sha256).digest()[:16]


def send_ip(packet, dst):
    """Send a whole IP packet, routed by the kernel; the source is ours to
    choose."""
    family = socket.AF_INET if packet[0] >> 4 == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        if family == socket.AF_INET6:
            raw.setsockopt(socket.IPPROTO_IPV6, 36, 1)  # IPV6_HDRINCL
        raw.sendto(packet, (dst, 0))


def send_frame(frame, interface):
    """Put an Ethernet frame on an interface."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((interface, 0))
        wire.send(frame)


def pcap_frames(path):
    """The Ethernet frames of a capture file in the machine's byte order."""
    with open(path, "rb") as capture:
        header = capture.read(24)
        if struct.unpack("=I", header[:4])[0] not in (0xA1B2C3D4, 0xA1B23C4D):
            raise ValueError("%s is no pcap file of this machine" % path)
        while True:
            record = capture.read(16)
            if len(record) < 16:
                return
            length = struct.unpack("=IIII", record)[2]
            yield capture.read(length)


def split_frame(frame):
    """(source, destination, protocol, payload) of an Ethernet frame's IP
    packet; None if there is none. IPv6 without extension headers."""
    kind = struct.unpack("!H", frame[12:14])[0]
    packet = frame[14:]
    if kind == 0x0800:
        size = (packet[0] & 15) * 4
        total = struct.unpack("!H", packet[2:4])[0]
        return (str(ipaddress.ip_address(packet[12:16])),
                str(ipaddress.ip_address(packet[16:20])),
                packet[9], packet[size:total])
    if kind == 0x86DD:
        total = 40 + struct.unpack("!H", packet[4:6])[0]
        return (str(ipaddress.ip_address(packet[8:24])),
                str(ipaddress.ip_address(packet[24:40])),
                packet[6], packet[40:total])
    return None


def esp_of(frame):
    """(source, destination, ESP packet, is it in UDP) of an Ethernet frame;
    None if there is no ESP. IKE on the same port begins with zeros."""
    parts = split_frame(frame)
    if not parts:
        return None
    source, destination, proto, body = parts
    if proto == ESP:
        return source, destination, body, False
    if proto == UDP and struct.unpack("!H", body[2:4])[0] == NAT_PORT and \
            len(body) >= 16 and body[8:12] != bytes(4):
        return source, destination, body[8:], True
    return None


def ip_esp(source, destination, packet, in_udp):
    """An IP packet with this ESP packet."""
    if in_udp:
        return ip(source, destination, UDP,
                  udp(source, destination, NAT_PORT, NAT_PORT, packet))
    return ip(source, destination, ESP, packet)
