# Clusters of Debian's, a line each: version, name, port, `online` or `down`, start.conf, data directory.
for f in /etc/postgresql/*/*/postgresql.conf; do
  [ -f "$f" ] || continue
  c=${f%/*}; n=${c##*/}; v=${c%/*}; v=${v##*/}; s=auto; up=down
  get() { k=$1; shift; sed -n "s/^[[:space:]]*${k}[[:space:]]*[=[:space:]][[:space:]]*'\{0,1\}\([^'#[:space:]]*\).*/\1/p" "$@" 2>/dev/null | tail -n 1; }
  d=$(get data_directory "$f" "$c"/conf.d/*.conf); d=${d:-/var/lib/postgresql/$v/$n}
  p=$(get port "$f" "$c"/conf.d/*.conf "$d/postgresql.auto.conf")
  [ -f "$c/start.conf" ] && s=$(grep -v '^#' "$c/start.conf" | grep . | head -n 1)
  if [ -f "$d/postmaster.pid" ]; then
    { read -r i; read -r _; read -r _; read -r q; } <"$d/postmaster.pid"
    if kill -0 "$i" 2>/dev/null; then up=online; p=$q; fi
  fi
  printf '%s %s %s %s %s %s\n' "$v" "$n" "${p:-5432}" "$up" "${s:-auto}" "$d"
done
