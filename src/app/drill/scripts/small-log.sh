# PostgreSQL's log moves to a file system in memory with 96 MB beyond what it has now. Only in a lab: it goes with the power.
log=$(as_dbsu readlink -f "$PG_DATA/pg_wal")
systemctl stop patroni.service
used=$(du -sm "$log" | cut -f1)
as_dbsu mv "$log" "$log.disk"
as_dbsu mkdir -m 0700 "$log"
(
  walk "$log"
  pin
  mount --no-canonicalize -t tmpfs -o "size=$((used + 96))m,uid=$WHO,gid=$(id -g "$WHOM"),mode=0700" drill .
)
as_dbsu cp -a "$log.disk/." "$log/"
systemctl start patroni.service
