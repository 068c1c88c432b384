# Begins the session in the background. What it says is beside its directory: root writes nothing where another account could put a link. DIR, DB and HELD are given.
rm -rf "$DIR" "$DIR.said"
mkdir -p "${DIR%/*}"
mkdir "$DIR"
chown "$PG_USER:" "$DIR"
( if sql "$DB" "$HELD" >"$DIR.said" 2>&1 </dev/null; then as_dbsu touch "$DIR/done"; else as_dbsu touch "$DIR/ended"; fi ) >/dev/null 2>&1 </dev/null &
