# Begins the session in the background. DIR, DB and HELD are given.
rm -rf "$DIR"
mkdir -p "${DIR%/*}"
mkdir "$DIR"
chown "$PG_USER:" "$DIR"
( if sql "$DB" "$HELD" >"$DIR/said" 2>&1 </dev/null; then as_dbsu touch "$DIR/done"; else as_dbsu touch "$DIR/ended"; fi ) >/dev/null 2>&1 </dev/null &
