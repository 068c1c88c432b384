# Ends the processes of the kinds WHICH (`held`, `held|program`) that have the lock LOCK in DIR, if it is still that of LOCK_RUN.
cd "$DIR" || exit 1
ours() { grep -qxF -- "run=$LOCK_RUN" "$LOCK.run" 2>/dev/null; }
ours || { echo 'it is no longer the lock of that run'; exit 1; }
having() { told "$LOCK" | sed -nE "s/^($WHICH)=([0-9]+).*/\2/p"; }
# Ends them with a signal, and waits for three seconds.
end() { # SIGNAL
  pids=$(having)
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill "-$1" $pids 2>/dev/null
  i=0
  while [ $i -lt 30 ] && [ -n "$(having)" ]; do sleep 0.1; i=$((i + 1)); done
}
end TERM
end KILL
exec 9>>"$LOCK"
flock -x -n 9 || { told "$LOCK"; echo 'it is still held'; exit 1; }
! ours || echo 'ended=taken away by unlock' >>"$LOCK.run"
mark freed
