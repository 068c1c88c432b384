# Whether the server in a data directory (DATA) runs: the process that its file names works in it.
pg_runs() {
  pid=
  [ -f "$1/postmaster.pid" ] && read -r pid <"$1/postmaster.pid"
  [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$(cd -P "$1" && pwd)" ]
}
# pg_try DATA BIN USER auto|plain: `starts` where a server would start with the configuration in DATA, `unknown: WHY` where that
# could not be tried, else why it would not. The configuration is read, and its libraries are loaded, as at a start, by the
# server's own user, in an empty directory: what runs in DATA is not touched. `plain` is without what ALTER SYSTEM set.
pg_try() {
  tried=$(pg_try_as "$@")
  printf '%s\n' "${tried:-unknown: its configuration could not be tried}"
}
pg_try_as() {
  setpriv --reuid "$3" --regid "$3" --init-groups sh -s -- "$1" "$2" "$4" <<'TRY'
d=$1 b=$2 auto=$3
unknown() {
  echo "unknown: $1"
  exit 0
}
cd / && t=$(mktemp -d /tmp/citusctl-try.XXXXXX) || unknown "no directory could be made in /tmp"
trap 'rm -rf "$t"' EXIT
[ -f "$d/PG_VERSION" ] || unknown "$d has no PG_VERSION"
[ -x "$b/postgres" ] || unknown "$b/postgres is absent"
# Citus makes a directory below base/ as it is loaded.
mkdir -m 700 "$t/d" "$t/d/global" "$t/d/base"
cp "$d/PG_VERSION" "$t/d/" && cp "$d/global/pg_control" "$t/d/global/" || unknown "$d could not be copied from"
if [ "$auto" = auto ] && [ -f "$d/postgresql.auto.conf" ]; then cp "$d/postgresql.auto.conf" "$t/d/" || unknown "$d could not be copied from"; fi
set -- -D "$t/d" --config-file="$d/postgresql.conf" -c data_directory="$t/d" -c log_destination=stderr -c logging_collector=off -c lc_messages=C -c log_line_prefix= -c ssl=off
for limit in $(grep -o '"--max_[a-z_]*=[0-9]*"' "$d/postmaster.opts" 2>/dev/null | tr -d '"'); do set -- "$@" "$limit"; done
ask() { LC_ALL=C timeout 20 "$b/postgres" "$@" </dev/null 2>&1; }
said=$(ask "$@" -C shared_memory_size)
rc=$?
case $said in *'unrecognized configuration parameter "shared_memory_size"'*) said=$(ask "$@" -C shared_buffers) rc=$? megabytes=0 ;; *) megabytes=$said ;; esac
if [ "$rc" != 0 ]; then
  [ "$rc" != 124 ] || said='FATAL:  it does not come to an end within 20 s'
  words=$(printf '%s\n' "$said" | grep -E '^(LOG|ERROR|FATAL|PANIC):' | sed -e 's/^\(LOG\|ERROR\): *//' -e 's/: \{2,\}/: /' -e "s#$t/d#$d#g" | paste -s -d ';' - | sed 's/;/; /g')
  printf '%s\n' "${words:-postgres ends with code $rc}"
  exit 0
fi
megabytes=$(printf '%s\n' "$megabytes" | tail -n 1)
read -r _ memory _ </proc/meminfo
if [ "${megabytes:-0}" -gt $((memory / 1024)) ] 2>/dev/null; then
  echo "it would need $megabytes MB of shared memory (shared_buffers and its like), the host has $((memory / 1024)) MB"
  exit 0
fi
hba=$(ask "$@" -C hba_file | tail -n 1)
case $hba in "$t/d"/*) hba=$d/${hba#"$t/d/"} ;; esac
[ -r "$hba" ] && echo starts || echo "could not open file \"$hba\" (hba_file)"
TRY
}
# pg_log_message: a line of PostgreSQL's log, csvlog or stderr, as `SEVERITY: message`.
pg_log_message() {
  sed -E -e 's/^.*,(FATAL|PANIC|ERROR),[0-9A-Z]{5},"(([^"]|"")*)("?.*)$/\1: \2/' -e 's/^.*(FATAL|PANIC|ERROR):[[:space:]]+/\1: /' -e 's/""/"/g' | cut -c 1-300
}
# pg_last_words LOG: why the last attempt to start failed; what the server said before it was stopped is of another one. A server that
# fails before its log is open speaks to Patroni's journal alone.
pg_last_words() {
  stopped=$(tail -n 2000 "$1" </dev/null 2>/dev/null | grep -a 'database system is shut down' | tail -n 1)
  said=$(tail -n 2000 "$1" </dev/null 2>/dev/null | awk '/database system is shut down/ { last = ""; next } /FATAL[,:]|PANIC[,:]/ { last = $0 } END { if (last != "") print last }')
  if [ -z "$said" ]; then
    since=$(date -d "$(printf '%s\n' "$stopped" | grep -oE '^[0-9]{4}-[0-9-]+ [0-9:.]+ [A-Za-z0-9+:-]+')" +@%s 2>/dev/null)
    said=$(journalctl -q --no-pager -o cat -b ${since:+--since "$since"} -u patroni -n 300 2>/dev/null | grep -aE '(FATAL|PANIC): ' | tail -n 1)
  fi
  [ -z "$said" ] || printf '%s\n' "$said" | pg_log_message
}
# pg_why DATA BIN USER PATRONI_LOG LOG: why no server runs in DATA, in PostgreSQL's own words, else in its log's and Patroni's last ones.
pg_why() {
  if [ ! -f "$1/PG_VERSION" ]; then
    # It has never been made, or never been cloned: what tried says why, to Patroni's journal.
    journalctl -q --no-pager -o cat -b -u patroni -n 300 2>/dev/null | grep -aE '^(initdb|pg_basebackup|pgbackrest|pg_rewind): (error|fatal|detail)|^P[0-9]+ +ERROR' | tail -n 1 | cut -c 1-300 | sed "s#^#nothing is in $1, last attempt: #"
    return 0
  fi
  ! pg_runs "$1" || return 0
  why=$(pg_try "$1" "$2" "$3" auto)
  case $why in
  starts) ;;
  unknown:*) printf '%s\n' "${why#unknown: }" ;;
  *)
    printf '%s\n' "$why"
    return 0
    ;;
  esac
  newest=$(ls -t "$5"/*.log "$5"/*.csv 2>/dev/null | head -n 1)
  pg_last_words "${newest:-/dev/null}" | sed 's/^/last in its log: /'
  tail -n 200 "$4/patroni.log" 2>/dev/null | grep -aE ' (ERROR|CRITICAL): ' | tail -n 1 | cut -c 1-300 | sed 's/^/last of Patroni: /'
}
