# Hands ADDRESS/PREFIX back to vip-manager where there is one.
if systemctl cat vip-manager.service >/dev/null 2>&1 || [ -L /etc/systemd/system/vip-manager.service ]; then
  systemctl unmask vip-manager.service
  systemctl start vip-manager.service || :
else
  dev=$(ip -o addr show to "$ADDRESS" | awk '{print $2; exit}')
  [ -z "$dev" ] || ip addr del "$ADDRESS/$PREFIX" dev "$dev"
fi
mkdir -p /run/citusctl
: >"/run/citusctl/vip-$RUN"
