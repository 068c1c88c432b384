# What a host of a group looks like when most of it is gone. Nothing in it waits longer than a few seconds.
for unit in etcd patroni haproxy vip-manager; do
  mark unit "$unit"
  systemctl show -P ActiveState "$unit" 2>/dev/null
  systemctl show -P UnitFileState -P LoadState "$unit" 2>/dev/null
done
mark marker
cat "$MARKER" 2>/dev/null
mark addresses
ip -o addr show 2>/dev/null
mark room
room() { # KIND PATH: what is free there, in KB
  [ -z "$2" ] || printf '%s %s %s\n' "$1" "$(df -k --output=avail -- "$2" 2>/dev/null | tail -n 1)" "$2"
}
room pg "${PG_DATA:-}"
room pg "${PG_DATA:+$PG_DATA/pg_wal}"
room etcd "${ETCD_DATA:-}"
if [ -n "${ETCD_DATA:-}" ]; then
  [ -d "$ETCD_DATA/member/snap" ] && mark etcd data
  if etcd_majority; then
    mark etcd majority
    mark members
    etcd_ctl member list 2>&1
  fi
  status=$(etcd_plain "$ETCD_URL" endpoint status -w json 2>/dev/null)
  mark index
  printf '%s' "$status" | json_text raftIndex
  mark cluster
  printf '%s' "$status" | json_text cluster_id
fi
if [ -n "${PG_DATA:-}" ]; then
  mark sql
  sql postgres "$SQL" 2>&1
  rc=$?
  mark psql "$rc"
  mark control
  "$PG_BIN/pg_controldata" "$PG_DATA" 2>/dev/null
  mark copy
  guard copy - 2>/dev/null
fi
mark alive
lost_hosts
mark end
