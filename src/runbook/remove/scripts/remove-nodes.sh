# Takes nodes out of pg_dist_node. Needs `rows`: their arguments, a line each.
rows=$(rows)
printf '%s\n' "$rows" | while read -r row; do
  [ -z "$row" ] || sql "$CITUS_DB" "SET lock_timeout = '30s'; SELECT citus_remove_node($row)" >/dev/null </dev/null || :
done
