# Why a server that does not run would not start, where it would without postgresql.auto.conf. Needs the functions of fact/scripts/startable.sh.
if [ -f "$PG_DATA/PG_VERSION" ] && ! pg_runs "$PG_DATA"; then
  why=$(pg_try "$PG_DATA" "$PG_BIN" "$PG_DBSU" auto)
  case $why in starts | unknown:*) ;; *) if [ "$(pg_try "$PG_DATA" "$PG_BIN" "$PG_DBSU" plain)" = starts ]; then printf '%s\n' "$why"; fi ;; esac
fi
