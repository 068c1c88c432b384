# PostgreSQL and Patroni on this host; PG_DATA, PG_BIN, PG_USER and PATRONI_URL are given, and `as_dbsu` runs as PG_USER.
patroni_says() { # PATH: succeeds where Patroni here answers it with 200, else prints why not
  python3 -c 'import ssl, sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=3, context=ssl._create_unverified_context())' \
    "$PATRONI_URL/$1" 2>&1 | tail -n 1 | grep . && return 1
  return 0
}
patroni_unnamed() { # MEMBER...: members that Patroni has and that are none of these, each with its address; nothing where it does not answer
  python3 -c 'import json, ssl, sys, urllib.request as u
try: told = json.load(u.urlopen(sys.argv[1] + "/cluster", timeout=3, context=ssl._create_unverified_context()))
except (OSError, ValueError): sys.exit(0)
print(", ".join("%s on %s" % (m["name"], m.get("host")) for m in told.get("members", []) if m["name"] not in sys.argv[2:]))' "$PATRONI_URL" "$@"
}
pg_control() { as_dbsu "$PG_BIN/pg_ctl" -D "$PG_DATA" "$@"; }
pg_is_stopping() { as_dbsu sed -n 8p "$PG_DATA/postmaster.pid" 2>/dev/null | grep -q stopping && pg_control status >/dev/null 2>&1; }
