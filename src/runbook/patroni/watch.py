# Around a planned change of the lead, beside HAProxy. `hold` lets new connections wait where the kernel keeps them,
# `watch` tells HAProxy of the new leader and lets them in, `end` only lets them in and cleans up. The second argument is a
# file beside this one:
# An old leader that has stepped down is told at once, too: it comes back as a standby, with PgBouncer's clients still on it.
# next and last: `/primary` of a member; tell: servers and their health; frontends: their maxconn.
import json, os, socket, ssl, sys, time, urllib.error, urllib.request

mode, orders = sys.argv[1], json.load(open(sys.argv[2]))
# Who only nudges need not prove: HAProxy's own check of the certificate follows.
context = ssl._create_unverified_context()
# Seconds: how long an old leader may go on before nothing is expected any more, how long connections wait, how long to look.
STAYS, HELD, LOOKS = 5, 15, 60
# Seconds that open connections get to end by themselves.
DRAIN = 0.5


def ask(line):
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(2)
        admin.connect("/run/haproxy/admin.sock")
        admin.sendall((line + "\n").encode())
        return b"".join(iter(lambda: admin.recv(65536), b"")).decode()


def release():
    for name, limit in orders["frontends"].items():
        ask("set maxconn frontend %s %d" % (name, limit))


def open_connections():
    rows = (row.split(",") for row in ask("show stat -1 1 -1").splitlines())
    return sum(int(row[4]) for row in rows if len(row) > 4 and row[1] == "FRONTEND" and row[0] in orders["frontends"])


# The status is 200 from the moment a member has the leader key, while PostgreSQL is still to be promoted; the role in the
# body is PostgreSQL's own (`pg_is_in_recovery`).
def leads(url):
    try:
        with urllib.request.urlopen(url, timeout=1, context=context) as answer:
            return json.load(answer).get("role") in ("primary", "master")
    except (OSError, ValueError):
        return False


def stepped_down(url):
    try:
        urllib.request.urlopen(url, timeout=1, context=context).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        pass  # no answer is not known to be a no
    return False


def tell(wanted):
    for server, health in orders["tell"]:
        if health in wanted:
            ask("set server %s health %s" % (server, health))


def hold():
    for name in orders["frontends"]:
        ask("set maxconn frontend %s 0" % name)
    end = time.monotonic() + DRAIN
    while open_connections() and time.monotonic() < end:
        time.sleep(0.02)


def watch():
    start, held, down = time.monotonic(), bool(orders["frontends"]), False
    while time.monotonic() < start + LOOKS:
        if leads(orders["next"]):
            tell(("up", "down"))
            return release()
        if not down and stepped_down(orders["last"]):
            down = True
            tell(("down",))
        waited = time.monotonic() - start
        if held and (waited > HELD or waited > STAYS and leads(orders["last"])):
            held = release()
        time.sleep(0.1)


def end():
    release()
    os.unlink(sys.argv[2])
    os.unlink(__file__)


{"hold": hold, "watch": watch, "end": end}[mode]()
