# The log back on its disk, PostgreSQL being down.
log=$(as_dbsu readlink -f "$PG_DATA/pg_wal")
systemctl stop patroni.service
as_dbsu rm -rf "$log.disk" "$log.back"
as_dbsu mkdir -m 0700 "$log.back"
as_dbsu cp -a "$log/." "$log.back/"
(
  walk "$log"
  umount "$AT"
)
as_dbsu rmdir "$log"
as_dbsu mv "$log.back" "$log"
systemctl start patroni.service
