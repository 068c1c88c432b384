# Binds ADDRESS/PREFIX on INTERFACE, or where it is not said on the interface that has OWN, and tells the network.
systemctl stop vip-manager.service 2>/dev/null || :
systemctl mask vip-manager.service 2>/dev/null || :
dev=${INTERFACE:-$(ip -o addr show to "$OWN" | awk '{print $2; exit}')}
ip addr add "$ADDRESS/$PREFIX" dev "$dev" 2>/dev/null || :
if command -v arping >/dev/null; then
  for _ in 1 2 3; do arping -q -U -c 1 -I "$dev" "$ADDRESS" || :; done
elif command -v python3 >/dev/null; then
  python3 -c "$ANNOUNCE" "$dev" "$ADDRESS" || :
fi
