# What a host has of what a removal takes away: UNITS, PACKAGES and DIRECTORIES (a line each) are asked for.
mark manifest
cat /etc/citusctl/manifest 2>/dev/null
for unit in $UNITS; do
  mark unit "$unit"
  systemctl show -P ActiveState "$unit"
  systemctl is-enabled "$unit" 2>/dev/null
done
for name in $PACKAGES; do
  mark package "$name"
  dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null
done
while IFS= read -r name; do
  [ ! -e "$name" ] || mark directory "$name"
done <<DIRECTORIES
$DIRECTORIES
DIRECTORIES
! grep -qF '# BEGIN citusctl' /etc/hosts || mark block
if [ -n "${PG_DATA:-}" ]; then
  pid=$(head -n 1 "$PG_DATA/postmaster.pid" 2>/dev/null)
  if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
    mark running
    mark slots
    sql postgres 'SELECT slot_name FROM pg_replication_slots' 2>&1
    mark slots-end $?
    if [ -n "$CITUS" ]; then
      mark nodes
      sql "$CITUS" "$NODES" 2>&1
      mark nodes-end $?
      mark placed
      sql "$CITUS" "$PLACED" 2>&1
      mark placed-end $?
    fi
  fi
fi
