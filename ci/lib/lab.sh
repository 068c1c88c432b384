# shellcheck shell=bash
# What all scripts with a lab share: checks that are counted as they run, waiting for conditions, one clean-up.
#
#   lab=name inventory=inventory/ha-trio.yml; . ci/lib/lab.sh; begin "what this script proves"
#   check "a name" COMMAND...         passes when the command succeeds; its output is shown when it fails
#   control "a name" COMMAND...       passes when the command FAILS: a planted fault that the check beside it must catch
#   skip "a name" "why"               counts as skipped, with the reason
#   wait_for SECONDS COMMAND...       until it succeeds; prints its last output when the time is over
#   says EXIT "words" COMMAND...      that exit code, and these words in its output
#   end                               the sum, and the exit code of the script
#
# A script that cannot run here (no root, no systemd-nspawn) counts as one skipped test, and says why.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
lab="${LAB_NAME:-${lab:?set lab before sourcing ci/lib/lab.sh}}"
work="$(mktemp -d)"
citusctl="${CITUSCTL:-$PWD/target/debug/citusctl}"
facts='{node_facts: {cpu: 2, mem_mb: 1024, disk_gb: 20}}'
passed=0 failed=0 skipped=0

begin() { # WHAT
  echo "$1"
  if [ "$(id -u)" != 0 ] || ! command -v systemd-nspawn >/dev/null || ! command -v debootstrap >/dev/null; then
    echo "skip  all of it: the lab needs root, systemd-nspawn and debootstrap (ci/deps installs them)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
  fi
  trap cleanup EXIT
}
cleanup() {
  "$citusctl" -q lab down --name "$lab" >/dev/null 2>&1
  rm -rf "$work"
}
end() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# verdict RESULT NAME START: counts and prints; the output of what ran is in $work/out
verdict() {
  if [ "$1" = 0 ]; then
    passed=$((passed + 1))
    printf 'ok    %s (%s s)\n' "$2" "$((SECONDS - $3))"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s (%s s)\n' "$2" "$((SECONDS - $3))"
    tail -n 25 "$work/out" | sed 's/^/      /'
  fi
}
check() { # NAME COMMAND...
  local name="$1" start=$SECONDS
  shift
  "$@" >"$work/out" 2>&1
  verdict "$?" "$name" "$start"
}
control() { # NAME COMMAND...
  local name="$1" start=$SECONDS rc=0
  shift
  if "$@" >"$work/out" 2>&1; then
    rc=1
    echo "this had to fail, and did not: $*" >>"$work/out"
  fi
  verdict "$rc" "$name" "$start"
}
skip() { # NAME WHY
  skipped=$((skipped + 1))
  printf 'skip  %s: %s\n' "$1" "$2"
}
says() { # EXIT WORDS COMMAND...
  local want="$1" words="$2" got
  shift 2
  "$@" >"$work/said" 2>&1
  got=$?
  cat "$work/said"
  [ "$got" = "$want" ] && grep -qF -- "$words" "$work/said" || {
    echo "exit $got, wanted $want and: $words"
    return 1
  }
}
wait_for() { # SECONDS COMMAND...
  local until=$((SECONDS + $1))
  shift
  until "$@" >"$work/waited" 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then
      cat "$work/waited"
      echo "this did not come to be in time: $*"
      return 1
    fi
    read -rt 0.2 <> <(:) || true
  done
}

# c VERB...: citusctl on this lab; on HOST "shell": as root on a host; sql_on HOST "query": as PostgreSQL's superuser
c() { "$citusctl" "--lab=$lab" "$@" -i "${inventory:?}" -e "$facts"; }
on() { "$citusctl" lab exec --name "$lab" --host "$1" -- "$2"; }
sql_on() { on "$1" "cd /; runuser -u postgres -- psql -XAtqc \"$2\""; }
kill_hosts() { "$citusctl" -q lab kill --name "$lab" "$@"; }
start_hosts() { "$citusctl" -q lab start --name "$lab" "$@"; }
