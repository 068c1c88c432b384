systemctl is-active -q patroni.service || { echo 'Patroni does not run yet'; false; }
patroni_says leader || { echo 'Patroni does not lead yet'; false; }
[ "$(sql postgres 'SELECT pg_is_in_recovery()')" = f ] || { echo 'PostgreSQL is not the primary'; false; }
