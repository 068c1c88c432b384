# Gives this host back to Patroni, and notes where the new history begins. STATE is given.
if [ ! -e "$STATE/opened" ]; then
  LC_ALL=C as_dbsu "$PG_BIN/pg_controldata" -D "$PG_DATA" |
    sed -n "s/^Latest checkpoint location: *//p; s/^Latest checkpoint's NextXID: *//p" | xargs >"$STATE/opened.new"
  mv -T "$STATE/opened.new" "$STATE/opened"
fi
systemctl unmask --quiet patroni.service
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start patroni.service
