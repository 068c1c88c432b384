# The head of every program that acts: it holds the lock LOCK of the host together with the holder, and `ours` says whether
# the lock is still that of its run. One that comes too late says so and ends.
ours() {
  mine=
  while read -r line; do
    case $line in "run=$LOCK_RUN") mine=yes ;; ended=*) mine=; break ;; esac
  done <"$LOCK.run" 2>/dev/null
  [ -n "$mine" ] || { echo "the lock of this run ($LOCK_RUN) on this host has ended: nothing further is begun"; return 1; }
}
[ -d "${LOCK%/*}" ] && exec 9>>"$LOCK" && flock -s -n 9 || { echo 'the lock of this host is not to be had: another run has it'; exit 0; }
