# What the old cluster left in etcd below PREFIX would make Patroni demote the primary that runs; by its history Patroni would
# judge who may lead. The leader key names MEMBER for long enough that no other member can be faster.
lease=$(etcd_ctl lease grant 120 | cut -d' ' -f2)
etcd_ctl put --lease="$lease" "${PREFIX}leader" "$MEMBER" >/dev/null
for key in sync status failover failsafe history; do etcd_ctl del "$PREFIX$key" >/dev/null; done
