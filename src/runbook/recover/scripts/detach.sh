# Puts Patroni aside while PostgreSQL goes on. A masked unit has lost its `KillMode=process`, and systemd would kill
# PostgreSQL with it: so no restart first, then the end of Patroni alone, and only then the mask.
sql postgres "SET statement_timeout = '5s'; CHECKPOINT" >/dev/null 2>&1 || :
dropin=/run/systemd/system/patroni.service.d
mkdir -p "$dropin"
printf '[Service]\nRestart=no\nKillMode=process\n' >"$dropin/zz-citusctl-recover.conf"
systemctl daemon-reload
pid=$(systemctl show -P MainPID patroni.service)
if [ "${pid:-0}" -gt 1 ]; then kill -KILL "$pid"; fi
n=0
while case $(systemctl show -P ActiveState patroni.service) in active | activating | deactivating) true ;; *) false ;; esac; do
  n=$((n + 1))
  [ $n -lt 100 ] || { echo 'Patroni does not end'; exit 1; }
  sleep 0.1
done
systemctl reset-failed patroni.service 2>/dev/null || :
systemctl mask patroni.service
