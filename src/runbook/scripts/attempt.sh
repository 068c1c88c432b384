# A step: its postcondition, precondition, action and the wait for the postcondition, told apart by marks. Before it stand
# `holds`, `require`, `act`, and `ours`, which fails when the run no longer has its lock. `errexit` works only where no `if`,
# `&&` or `||` is around it: hence the statuses that are kept in variables.
# shellcheck disable=SC2329 # the action calls it
refuse() { printf '%s\n' "$*"; exit "$REFUSED"; }
said=$( (set -e; holds) 2>&1); rc=$?
if [ $rc = 0 ]; then mark skipped; exit 0; fi
said=$( (set -e; require) 2>&1); rc=$?
if [ $rc != 0 ]; then printf '%s\n' "$said"; mark refused; exit 0; fi
ours || { mark refused; exit 0; }
mark acting
( set -e; act ) 2>&1; rc=$?
if [ $rc = "$REFUSED" ]; then mark refused; exit 0; fi
if [ $rc != 0 ]; then mark failed $rc; exit 0; fi
mark waiting
last='' end=$(($(date +%s) + WITHIN))
while :; do
  ours || { mark failed 1; exit 0; }
  said=$( (set -e; holds) 2>&1); rc=$?
  if [ $rc = 0 ]; then mark 'done'; exit 0; fi
  # shellcheck disable=SC2046 # one blank between words
  if [ "$said" != "$last" ]; then mark still $(printf '%s' "$said" | tail -n 1); last=$said; fi
  if [ "$(date +%s)" -ge $end ]; then printf '%s\n' "$said"; mark late; exit 0; fi
  sleep 0.1
done
