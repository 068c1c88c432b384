"""A gratuitous ARP, for hosts without arping.

The device's own address comes from the socket: in a container /sys may show the devices of another network.
"""
import socket
import sys

dev, address = sys.argv[1:]
ip = socket.inet_aton(address)
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
    raw.bind((dev, 0x0806))
    mac = raw.getsockname()[4]
    request = bytes.fromhex("0806000108000604") + bytes.fromhex("0001")
    packet = b"\xff" * 6 + mac + request + mac + ip + b"\xff" * 6 + ip
    for _ in range(3):
        raw.send(packet)
