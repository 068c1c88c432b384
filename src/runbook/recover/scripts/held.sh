# One that follows already is under the survivor's lead: a run that was interrupted goes on.
[ "$(sql postgres "SELECT status FROM pg_stat_wal_receiver" 2>/dev/null)" != streaming ] || exit 0
case $(systemctl show -P ActiveState patroni.service) in active | activating | deactivating) echo 'Patroni runs'; false ;; esac
[ "$(systemctl show -P LoadState patroni.service)" = masked ] || { echo 'Patroni is not masked'; false; }
