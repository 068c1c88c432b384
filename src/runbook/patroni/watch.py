# Tells HAProxy of a new leader: URL that says 200 once it leads, then BACKEND/SERVER=HEALTH...
import socket, ssl, sys, time, urllib.request

url, orders = sys.argv[1], sys.argv[2:]
# Who only nudges need not prove: HAProxy's own check of the certificate follows.
context = ssl._create_unverified_context()
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        urllib.request.urlopen(url, timeout=1, context=context).close()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit(1)
for order in orders:
    server, health = order.split("=")
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(2)
        admin.connect("/run/haproxy/admin.sock")
        admin.sendall(("set server %s health %s\n" % (server, health)).encode())
        admin.recv(1000)
