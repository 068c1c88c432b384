# What a host is asked before backups and restores. POINTS, MEMBERS and IN_DOUBT are given, and `repository` on members; SIZES: whether old data is measured.
if [ -n "${PG_DATA:-}" ]; then
  mark recovery
  recovery=$(sql postgres 'SELECT pg_is_in_recovery()' 2>/dev/null)
  printf '%s\n' "$recovery"
  mark now
  sql postgres "SELECT pg_current_wal_lsn(), txid_snapshot_xmax(txid_current_snapshot()) WHERE NOT pg_is_in_recovery()" 2>/dev/null
  mark unnamed
  # shellcheck disable=SC2086 # names of members have no blanks
  patroni_unnamed $MEMBERS
  mark in-doubt
  sql postgres "$IN_DOUBT" 2>/dev/null
  open=$(head -n 1 /etc/citusctl/restore 2>/dev/null)
  # Standbys are asked as well: nobody may lead when it is read.
  # shellcheck disable=SC2034 # `repository` reads it
  ANYWAY=yes
  mark repository
  (repository)
  real=$(readlink -f "$PG_DATA" 2>/dev/null)
  mark free
  [ -z "$real" ] || df -k --output=avail -- "${real%/*}" 2>/dev/null | tail -n 1
  mark timelines
  present=$(sql postgres 'SELECT pg_walfile_name(pg_current_wal_lsn())' 2>/dev/null | cut -c 1-8)
  [ -n "$present" ] || present=$(find "$PG_DATA/pg_wal/" -maxdepth 1 -name '????????.history' -printf '%f\n' 2>/dev/null | sort | tail -n 1 | cut -c 1-8)
  [ ! -e "$PG_DATA/PG_VERSION" ] || printf '%s\n' "${present:-00000001}"
  [ ! -e "$PG_DATA/PG_VERSION" ] || cat "$PG_DATA/pg_wal/$present.history" 2>/dev/null
  # Of a lost member, whose repository knows what it last was; where that has no history file, it never had but one timeline.
  if [ ! -e "$PG_DATA/PG_VERSION" ] && [ -e /etc/pgbackrest/pgbackrest.conf ]; then
    repository_says() { as_dbsu timeout 25 /usr/bin/pgbackrest --stanza="$STANZA" --io-timeout=4 --log-level-console=off --log-level-stderr=off "$@" 2>/dev/null; }
    if kept=$(repository_says repo-ls --recurse "archive/$STANZA"); then
      newest=$(printf '%s\n' "$kept" | grep '/[0-9A-F]\{8\}\.history$' | sort -t / -k 2 | tail -n 1)
      number=${newest##*/}
      if [ -z "$newest" ]; then echo 00000001; elif left=$(repository_says repo-get "archive/$STANZA/$newest"); then printf '%s\n%s\n' "${number%.history}" "$left"; fi
    fi
  fi
  if [ "$recovery" != t ]; then mark segments; (segments); mark manifests; (manifests); fi
  mark elsewhere
  [ ! -L "$PG_DATA/pg_wal" ] || echo "pg_wal is a link"
  find "$PG_DATA/pg_tblspc/" -mindepth 1 -maxdepth 1 -printf 'tablespace %f\n' 2>/dev/null
  mark aside
  [ -z "$real" ] || for dir in "$real" "$real".before-* "$real".after-* "$real".restoring-*; do
    [ -d "$dir" ] || continue
    size=
    [ -z "${SIZES:-}" ] || [ "$dir" = "$real" ] || size=$(du -sk -- "$dir" 2>/dev/null | cut -f 1)
    LC_ALL=C as_dbsu "$PG_BIN/pg_controldata" -D "$dir" 2>/dev/null |
      sed -n "s/^Database cluster state: */state /p; s/^Latest checkpoint location: */lsn /p; s/^Latest checkpoint's TimeLineID: */timeline /p; s/^Minimum recovery ending location: */replayed /p"
    echo "size $size"
    echo "dir $dir"
  done
  mark prepared
  if [ -e /etc/citusctl/pgdata ] && [ -e /etc/pgbackrest/pgbackrest.conf ] && [ -x "$PG_BIN/postgres" ]; then echo yes; fi
  mark open
  printf '%s\n' "$open"
fi
mark etcd
[ -z "${ETCD_DATA:-}" ] || if [ ! -d "$ETCD_DATA/member" ]; then echo none; elif etcd_majority; then echo majority; else echo data; fi
mark restores
for dir in /var/lib/citusctl/restore/*; do
  [ -d "$dir" ] || continue
  saved=no chosen=no marks=
  [ ! -d "$dir/etcd" ] || saved=yes
  [ ! -e "$dir/chosen" ] || chosen=yes
  for name in stopped restored recovered placed empty locked configured backed-up without; do [ ! -e "$dir/$name" ] || marks="$marks,$name"; done
  if [ -e "$dir/opened" ]; then opened="opened $(cat "$dir/opened")"; else opened=; fi
  echo "${dir##*/} $(stat -c %Y "$dir") $saved $chosen ${marks:--} $opened"
done
mark points
cat "$POINTS" 2>/dev/null
mark end
