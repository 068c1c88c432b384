# Patroni would wait for standbys that are gone, so PostgreSQL is stopped without it. All of it before the masks: a masked
# unit has lost what it says of its end, and systemd waits for processes that are not its own.
systemctl kill -s KILL --kill-who=main patroni.service 2>/dev/null || :
systemctl kill -s KILL etcd.service 2>/dev/null || :
systemctl stop patroni.service etcd.service || :
systemctl mask patroni.service etcd.service vip-manager.service 2>/dev/null
if [ -n "${PG_DATA:-}" ] && pg_control status >/dev/null 2>&1; then
  pg_control -m fast -t 15 stop || pg_control -m immediate stop
fi
