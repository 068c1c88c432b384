"""HAProxy here has checked the members that are back: each service that is named has a server that is up.

An argument is `SERVICE` or `SERVICE|FALLBACK`. What lacks a server is printed, and ends with 1.
"""
import csv
import io
import socket
import sys

peer = socket.socket(socket.AF_UNIX)
peer.settimeout(5)
try:
    peer.connect("/run/haproxy/admin.sock")
    peer.sendall(b"show stat\n")
    said = peer.makefile().read()
except OSError as error:
    sys.exit(f"HAProxy does not answer: {error}")
rows = csv.DictReader(io.StringIO(said.removeprefix("# ")))
up = {row["pxname"] for row in rows if row["svname"] not in ("FRONTEND", "BACKEND") and row["status"].startswith(("UP", "no check"))}
lacking = [names.split("|")[0] for names in sys.argv[1:] if not up.intersection(names.split("|"))]
if lacking:
    sys.exit("no server is up for " + ", ".join(lacking))
