# Ends the process PID and everything below it, gently first.
main() {
  below() { echo "$1"; for k in $(cat /proc/"$1"/task/*/children 2>/dev/null); do below "$k"; done; }
  all=$(below "$PID")
  # shellcheck disable=SC2086 # a word for each process
  kill -TERM $all 2>/dev/null
  i=0
  # shellcheck disable=SC2086
  while [ "$i" -lt 20 ] && kill -0 $all 2>/dev/null; do sleep 0.1; i=$((i + 1)); done
  # shellcheck disable=SC2086
  kill -KILL $all 2>/dev/null
  :
}
main </dev/null
