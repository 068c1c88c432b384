# Patroni and etcd may be started again; pinned services stay so until the apply writes their files.
rm -f "$DROPIN"
if [ -n "${PG_DATA:-}" ] && pg_control status >/dev/null 2>&1; then sql postgres 'ALTER SYSTEM RESET synchronous_standby_names'; fi
systemctl unmask patroni.service etcd.service
systemctl daemon-reload
move_aside /etc/citusctl/pinned
rm -f /run/citusctl/pinned-*
