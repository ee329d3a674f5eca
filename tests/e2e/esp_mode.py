"""Read ESP frames as somebody on the wire would, without any key.

usage: esp_mode.py CAPTURE SOURCE DESTINATION

Prints what holds for the captured packets from SOURCE to DESTINATION, one
word each: transport (next header TCP behind the ESP header, no IP header),
port179 (a TCP header with port 179 stands readable there, with a right
checksum), marker (a BGP message's marker and length stand readable, RFC 4271
4.1), icv16 (exactly 16 bytes follow the trailer).
"""

import struct
import sys

import packets

MARKER = b"\xff" * 16


def tcp_length(body, addresses):
    """Where the TCP segment ends: the padding is 1, 2, 3... and its length,
    then next header 6, then the ICV. None if that does not fit."""
    for icv in (8, 12, 16, 20, 24, 32):
        end = len(body) - icv
        if end < 22 or body[end - 1] != packets.TCP:
            continue
        pad = body[end - 2]
        size = end - 2 - pad
        if size < 20 or body[size:end - 2] != bytes(range(1, pad + 1)):
            continue
        pseudo = packets.pseudo_header(*addresses, packets.TCP, size)
        if packets.checksum(pseudo + body[:size]) == 0:
            return size, icv
    return None


def main(capture, source, destination):
    found, lengths = set(), set()
    for frame in packets.pcap_frames(capture):
        esp = packets.esp_of(frame)
        if not esp or esp[:2] != (source, destination):
            continue
        body = esp[2][8:]
        fit = tcp_length(body, (source, destination))
        if not fit:
            found.add("unreadable")
            continue
        size, icv = fit
        found.add("transport")
        lengths.add(icv)
        if 179 in struct.unpack("!HH", body[:4]):
            found.add("port179")
        payload = body[(body[12] >> 4) * 4:size]
        if payload[:16] == MARKER and 19 <= struct.unpack(
                "!H", payload[16:18])[0] <= 4096:
            found.add("marker")
    found.update("icv%d" % length for length in lengths)
    print(" ".join(sorted(found)))


main(*sys.argv[1:])
