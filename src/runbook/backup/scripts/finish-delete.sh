# Deletes old data, as PostgreSQL's own account. PATHS is given, one a line.
real=$(readlink -f "$PG_DATA")
printf '%s\n' "$PATHS" | while read -r path; do
  case $path in
  "$real".before-* | "$real".after-* | "$real".restoring-*) ;;
  *) refuse "$path is not old data of $real" ;;
  esac
  ! as_dbsu "$PG_BIN/pg_ctl" -D "$path" status >/dev/null 2>&1 || refuse "PostgreSQL runs in $path"
  as_dbsu rm -rf --one-file-system -- "$path"
done
