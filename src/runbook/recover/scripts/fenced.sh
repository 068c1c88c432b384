for unit in patroni etcd; do
  case $(systemctl show -P ActiveState $unit) in active | activating | deactivating) echo "$unit still runs"; false ;; esac
  case $(systemctl show -P LoadState $unit) in masked | not-found) ;; *) echo "$unit is not masked"; false ;; esac
done
if [ -n "${PG_DATA:-}" ] && pg_control status >/dev/null 2>&1; then echo 'PostgreSQL still runs'; false; fi
