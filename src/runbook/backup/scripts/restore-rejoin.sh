# A member that was away while its group was restored, or the restore undone: what it has is put aside, and it is cloned. After
# restore-copy.sh; POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-copy.sh
if [ ! -e "$STATE/rejoined" ]; then
  systemctl stop patroni.service
  if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 300 stop >/dev/null; fi
  if [ -d "$copy" ]; then remove_copy "$copy"; fi
  if [ -e "$real/PG_VERSION" ]; then
    kept=$aside
    [ ! -e "$kept" ] || kept="$real.after-$POINT"
    [ ! -e "$kept" ] || refuse "$kept is there already: nothing was moved"
    as_dbsu mv -T "$real" "$kept"
  fi
  [ -d "$real" ] || as_dbsu mkdir -m 0700 "$real"
  mkdir -p "$STATE"
  : >"$STATE/rejoined"
fi
systemctl unmask --quiet patroni.service
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start patroni.service
