said=$(sql "$CITUS_DB" "$MISSING" 2>&1) || { echo "$said"; false; }
[ -z "$said" ] || { echo "$said"; false; }
