# Functions that tell who has a lock. Descriptor 9 is always a lock's.
inherits() { # PID ANCESTOR
  p=$1
  while [ "${p:-0}" -gt 1 ]; do
    [ "$p" != "$2" ] || return 0
    p=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status" 2>/dev/null)
  done
  return 1
}
told() { # FILE: whose it is, the age of its last sign of life, the programs that have it beside its holder
  cat "$1.run" 2>/dev/null
  beat=$(cat "$1.beat" 2>/dev/null)
  [ -z "$beat" ] || echo "silent=$(($(cut -d. -f1 /proc/uptime) - beat))"
  holder=$(sed -n 's/^pid=//p' "$1.run" 2>/dev/null)
  for fd in /proc/[0-9]*/fd/9; do
    # shellcheck disable=SC3013 # dash and busybox have -ef
    [ "$fd" -ef "$1" ] || continue
    pid=${fd#/proc/} pid=${pid%%/*}
    # Whoever only asks for the lock has the file open as well.
    grep -q FLOCK "/proc/$pid/fdinfo/9" 2>/dev/null || continue
    ! inherits "$pid" $$ || continue
    if [ -n "$holder" ] && inherits "$pid" "$holder"; then echo "held=$pid"; continue; fi
    echo "program=$pid $(tr '\0\n' '  ' 2>/dev/null <"/proc/$pid/cmdline" | cut -c1-120)"
  done
}
