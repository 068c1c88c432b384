# What a host keeps of what it is. Needs `mark` and STATE.
mark kept
lines() { while read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$1"; }
e=; d=; [ -f "$STATE/pgdata" ] && read -r d <"$STATE/pgdata"
if [ -f "$STATE/pg_identity" ]; then lines "$STATE/pg_identity"
elif [ -n "$d" ] && [ -f /etc/patroni/citusctl.yml ]; then printf '= patroni\n'; grep -viE 'password|auth:' /etc/patroni/citusctl.yml; fi
if [ -f "$STATE/etcd_identity" ]; then lines "$STATE/etcd_identity"; while read -r k v; do [ "$k" = etcd_data ] && e=$v; done <"$STATE/etcd_identity"
elif [ -f "$STATE/manifest" ] && [ -f /etc/etcd/etcd.conf.yml ]; then printf '= etcd\n'; lines /etc/etcd/etcd.conf.yml; e=$(sed -n "s/^data-dir: *//p" /etc/etcd/etcd.conf.yml | tr -d "'\""); fi
if [ -n "$e" ] && [ -d "$e/member" ]; then
  printf '! etcd\n'; w=; for f in "$e"/member/wal/*.wal; do w=$f; done
  [ -f "$w" ] && { printf '! wal'; od -An -v -tx1 -N96 "$w" | while read -r l; do printf ' %s' "$l"; done; printf '\n'; }
fi
if [ -n "$d" ] && [ -f "$d/PG_VERSION" ]; then
  read -r v <"$d/PG_VERSION"; printf '! version %s\n! data %s\n' "$v" "$(cd -P "$d" && pwd)"
  printf '! system'; od -An -tu8 -N8 "$d/global/pg_control" || printf '\n'
fi
