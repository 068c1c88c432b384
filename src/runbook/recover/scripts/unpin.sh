# Puts HAProxy's files back as they were.
for file in "$PINNED"/*.cfg; do
  [ -e "$file" ] || continue
  cp -a "$file" /etc/haproxy/conf.d/
done
haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d >/dev/null
systemctl reload-or-restart haproxy.service
# What runs has read what is there: the next apply has nothing to reload.
for file in "$PINNED"/*.cfg; do
  [ -e "$file" ] || continue
  id=$(awk -v path="/etc/haproxy/conf.d/${file##*/}" '$2 == path { print $1; exit }' /etc/citusctl/manifest)
  [ -z "$id" ] || still "$id"
done
rm -f /run/citusctl/pinned-*
move_aside "$PINNED"
