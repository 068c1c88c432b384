# Services that were put aside may start again.
rm -f "$DROPIN"
for unit in patroni etcd vip-manager; do
  [ "$(systemctl show -P LoadState $unit.service)" = masked ] || continue
  systemctl unmask $unit.service
  systemctl reset-failed $unit.service 2>/dev/null || :
  systemctl start --no-block $unit.service || :
done
systemctl daemon-reload
