# Waits until Citus has handed out its list of nodes; ends a run of its own that waits for a lost host.
n=0
while [ $n -lt 60 ] && [ -n "$(sql "$CITUS_DB" "$MISSING" 2>&1)" ]; do
  n=$((n + 1)); sleep 0.5
  if [ $((n % 24)) = 12 ]; then sql "$CITUS_DB" "$CANCEL" >/dev/null 2>&1 || :; fi
done
