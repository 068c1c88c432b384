# What `backup check` asks a member. STANZA is given, and LEADS where it takes writes.
mark version
/usr/bin/pgbackrest version 2>&1
mark conf
# How many processes a host spends is the host's own affair.
[ ! -r /etc/pgbackrest/pgbackrest.conf ] || grep -v '^process-max=' /etc/pgbackrest/pgbackrest.conf | sha256sum | cut -d ' ' -f 1
mark system
"$PG_BIN/pg_controldata" -D "$PG_DATA" 2>/dev/null | sed -n 's/^Database system identifier: *//p'
if [ -n "$LEADS" ]; then
  mark check
  timeout 90 setpriv --reuid "$PG_USER" --regid "$PG_USER" --init-groups /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=warn check 2>&1
  mark "checked $?"
  mark segment
  back=$(as_dbsu mktemp -d /tmp/citusctl-check.XXXXXX)
  sql postgres "SELECT pg_logical_emit_message(false, 'citusctl', 'backup check')" >/dev/null
  wal=$(sql postgres 'SELECT pg_walfile_name(pg_switch_wal())')
  echo "$wal"
  tries=0
  until said=$(as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --log-level-console=off --log-level-stderr=error archive-get "$wal" "$back/wal" 2>&1); do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { echo "$said"; break; }
    sleep 1
  done
  if [ ! -e "$back/wal" ]; then mark absent
  elif [ ! -e "$PG_DATA/pg_wal/$wal" ]; then mark uncompared
  elif cmp -s "$back/wal" "$PG_DATA/pg_wal/$wal"; then mark equal
  else mark differs
  fi
  as_dbsu rm -rf "$back"
fi
mark end
