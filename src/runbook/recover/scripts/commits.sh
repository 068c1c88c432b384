# Commits wait for standbys again, where Patroni says so. PostgreSQL may be down. Needs `no_mark`.
no_mark || :
if sql postgres 'ALTER SYSTEM RESET synchronous_standby_names' && sql postgres 'SELECT pg_reload_conf()' >/dev/null; then :; else
  as_dbsu sed -i '/^synchronous_standby_names/d' "$PG_DATA/postgresql.auto.conf"
fi
as_dbsu sh -c 'grep -ls "^# no timeline" "$1"/pg_wal/*.history | xargs -r rm -f' sh "$PG_DATA"
