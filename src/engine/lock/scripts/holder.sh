# Takes the locks FILES (names without blanks) in DIR for LOCK_RUN, writes OWNER beside each, and holds them for as long as it
# hears a sign of life within SILENCE seconds. Its input stays open.
command -v flock >/dev/null || { echo 'missing=flock'; mark busy "$HOST_LOCK"; exit 0; }
mkdir -p "$DIR" && cd "$DIR" || exit 1
ours() { grep -qxF -- "run=$LOCK_RUN" "$1.run"; }
busy() { told "$1"; mark busy "$1"; exit 0; }
take() {
  exec 9>>"$1"
  flock -x -n 9 || busy "$1"
  printf '%s\n' "$OWNER" "since=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "pid=$$" >"$1.run.new" && mv -f "$1.run.new" "$1.run" || exit 1
  flock -s -n 9 && ours "$1" || busy "$1"
}
hold() { if [ $# = 0 ]; then serve; else take "$1"; shift; ( hold "$@" ); fi; }
serve() {
  mark held
  while :; do
    for file in $FILES; do cut -d. -f1 /proc/uptime >"$file.beat"; done
    mark beat || exit 0
    heard=$(exec 9>&-; timeout "$SILENCE" head -c 1); rc=$?
    [ -n "$heard" ] || break
  done
  case $rc in 124) why="no sign of life for $SILENCE s" ;; *) why='its connection has ended' ;; esac
  for file in $FILES; do ! ours "$file" || echo "ended=$why" >>"$file.run"; done
}
# shellcheck disable=SC2086 # names without blanks
hold $FILES
exit 0
