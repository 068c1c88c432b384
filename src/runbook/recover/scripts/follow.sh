# Starts Patroni of a host that has returned, once it is known how its copy stands to the leader's.
as_dbsu sh -c 'rm -f /pg/tmp/citusctl-mark-*'
runs() { case $(systemctl show -P ActiveState patroni.service) in active) true ;; *) false ;; esac; }
n=0
while :; do
  verdict=$(guard compare -) || { echo "$verdict"; exit 1; }
  # Patroni may be rewinding or starting it.
  case $verdict in 'unknown PostgreSQL runs'*) ;; *) pgrep -x pg_rewind >/dev/null || break ;; esac
  runs && [ $n -lt 30 ] || break
  n=$((n + 1))
  sleep 1
done
case $verdict in
stranger*) refuse "its data is of another cluster: ${verdict#stranger }" ;;
unknown*) runs || refuse "how its copy stands to the leader's is not known: ${verdict#unknown }" ;;
diverged*)
  real=$(readlink -f "$PG_DATA")
  why="its copy parts from the leader's (${verdict#diverged })"
  ! mountpoint -q "$real" || refuse "$why; $real is a file system of its own: move what is in it aside by hand, then run the same command again"
  [ -z "$(ls -A "$real/pg_tblspc")" ] || refuse "$why, and it has tablespaces: move it and them aside by hand, then run the same command again"
  needs=$(du -sk -- "$real" | cut -f1)
  free=$(df -k --output=avail "$real" | tail -n 1)
  [ "$free" -gt $((needs + 65536)) ] || refuse "$why; to keep it and clone anew takes $((needs / 1024 + 64)) MB, and $((free / 1024)) MB are free: make room, or move $real away by hand, then run the same command again"
  systemctl stop patroni.service || :
  if pg_control status >/dev/null 2>&1; then pg_control -m fast -t 60 stop >/dev/null || pg_control -m immediate -t 20 stop >/dev/null; fi
  # As the owner of both, where it may: its directories may hold links.
  # shellcheck disable=SC2016
  beside "$real" sh -c 'exec mv -T -- "$1" "$1.diverged-$0"' "$RUN" || refuse "$why; $real could not be moved aside: move it away by hand, then run the same command again"
  put_dir "$real" "$PG_USER" "$(id -gn "$PG_USER")" 0700
  echo "put aside as $real.diverged-$RUN: $why"
  ;;
*) echo "$verdict" ;;
esac
systemctl unmask patroni.service vip-manager.service 2>/dev/null || :
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl start --no-block patroni.service
