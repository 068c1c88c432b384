# Patroni sleeps between two looks, and would find the free key seconds later. A change of the status key wakes every
# member of the group at once: only the white space at its end is changed, and only while nobody leads.
# LEADER and STATUS are keys.
wake() {
  found=$(etcd_ctl get -w json "$STATUS")
  status=$(printf %s "$found" | json_text value | base64 -d)
  case $status in '' | *\'*) return 0 ;; *' ') status=${status% } ;; *) status="$status " ;; esac
  printf '%s\n' "mod(\"$STATUS\") = \"$(printf %s "$found" | json_text mod_revision)\"" "create(\"$LEADER\") = \"0\"" '' \
    "put $STATUS '$status'" '' '' | etcd_ctl txn >/dev/null
}
n=0
while [ -z "$(etcd_ctl get --keys-only "$LEADER")" ] && [ $n -lt 20 ]; do
  n=$((n + 1))
  wake || :
  sleep 0.3
done
