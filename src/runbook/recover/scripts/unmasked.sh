[ ! -e "$DROPIN" ]
for unit in patroni etcd; do
  [ "$(systemctl show -P LoadState $unit.service)" != masked ] || { echo "$unit is masked"; false; }
done
