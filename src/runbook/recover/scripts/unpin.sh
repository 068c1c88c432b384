# Puts HAProxy's files back as they were.
for file in "$PINNED"/*.cfg; do
  [ -e "$file" ] || continue
  cp -a "$file" /etc/haproxy/conf.d/
done
haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null
systemctl reload-or-restart haproxy.service
rm -f /run/citusctl/pinned-*
move_aside "$PINNED"
