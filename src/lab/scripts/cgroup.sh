# cgroup enter|leave NAME
# enter: this process, and what it starts, into a control group of the machine's own, in each tree that systemd counts
# processes in. Two machines in one group would be one to their systemds: a unit would not have ended before both had.
# leave: the groups go, once nobody is in them.
cgroup() {
  local tree group tries said
  for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ -e "$tree/cgroup.procs" ] || continue
    group="$tree/$2" tries=0
    if [ "$1" = enter ]; then
      mkdir -p "$group"
      echo $$ >"$group/cgroup.procs"
      continue
    fi
    until [ ! -d "$group" ] || said="$(find "$group" -depth -type d -exec rmdir {} + 2>&1)"; do
      tries=$((tries + 1))
      [ "$tries" -lt 100 ] || { echo "$said" >&2; return 1; }
      sleep 0.1
    done
  done
}
