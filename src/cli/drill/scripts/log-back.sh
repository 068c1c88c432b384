# The log back on its disk, PostgreSQL being down.
log=$(readlink -f "$PG_DATA/pg_wal")
systemctl stop patroni.service
rm -rf "$log.disk" "$log.back"
mkdir "$log.back"
cp -a "$log/." "$log.back/"
chown --reference="$log" "$log.back"
chmod --reference="$log" "$log.back"
umount "$log"
rmdir "$log"
mv "$log.back" "$log"
systemctl start patroni.service
