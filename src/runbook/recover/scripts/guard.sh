# Whether this is the same cluster at all, and what Patroni would object to: said before the leader key is taken.
# PREFIX, SYSTEM, LSN (what is here, in bytes), CANDIDATE, VOTERS (others that answer), OWN, ACCEPT.
dump=$(etcd_ctl get --prefix "$PREFIX")
key() { printf '%s\n' "$dump" | sed -n "\\#^$PREFIX$1\$#{n;p;}"; }

system=$(key initialize)
if [ "$system" != "$SYSTEM" ]; then
  echo "etcd knows this group by system identifier $system, the data is of $SYSTEM"
  exit 1
fi
if [ "$ACCEPT" = 1 ]; then exit 0; fi

optime=$(key status | json_text optime)
limit=$(key config | json_text maximum_lag_on_failover)
behind=$((${optime:-0} - LSN))
if [ $behind -gt "${limit:-1048576}" ]; then
  echo "the old leader had told of $behind bytes that are not here, more than maximum_lag_on_failover (${limit:-1048576}): they would be lost; --accept-loss promotes all the same"
  exit 1
fi

sync=$(key sync)
leader=$(printf %s "$sync" | json_text leader)
case "$OWN/$leader" in 1/?*) ;; *) exit 0 ;; esac
if [ "$leader" = null ]; then exit 0; fi
standbys=$(printf %s "$sync" | sed -n 's/.*"sync_standby": *"\([^"]*\)".*/\1/p')
quorum=$(printf %s "$sync" | json_text quorum)
case ",$standbys,$leader," in *",$CANDIDATE,"*) ;; *)
  echo "$CANDIDATE was no synchronous standby (these were: ${standbys:-none}): transactions that the old leader acknowledged may be missing, and would be lost; --accept-loss promotes all the same"
  exit 1 ;;
esac
if [ "$leader" != "$CANDIDATE" ] && [ "${quorum:-0}" -gt "$VOTERS" ]; then
  echo "by quorum commit, transactions may have been acknowledged by a lost standby alone (of $standbys; $quorum more of them needed, $VOTERS here): they would be lost; --accept-loss promotes all the same"
  exit 1
fi
