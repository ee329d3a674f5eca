"""Put captured ESP frames on the wire again, as an attacker on the path.

usage: attack_replay.py CAPTURE INTERFACE SOURCE DESTINATION [COUNT]

Replays the last COUNT (10) ESP frames from SOURCE to DESTINATION and prints
how many it sent.
"""

import sys

import packets


def main(capture, interface, source, destination, count="10"):
    frames = []
    for frame in packets.pcap_frames(capture):
        found = packets.esp_of(frame)
        if found and found[:2] == (source, destination):
            # a UDP checksum may not have been there yet where it was seen
            frames.append(frame[:14] + packets.ip_esp(*found))
    for frame in frames[-int(count):]:
        packets.send_frame(frame, interface)
    print(len(frames[-int(count):]))


main(*sys.argv[1:])
