for unit in $UNITS; do
  [ "$(systemctl show -P LoadState "$unit")" = not-found ] || systemctl -q disable --now "$unit"
  systemctl reset-failed "$unit" 2>/dev/null || :
  rm -f "/etc/citusctl/stamps/$unit"
done
