# HAProxy's services FILES lead to MEMBER alone, without checks. The survivor's line keeps its name and address only; those of the
# group's other members (OTHERS, with a blank around each) go. Files as they were are kept in PINNED; STAMP says that it is done.
mkdir -p "$PINNED"
for file in $FILES; do
  live=/etc/haproxy/conf.d/$file
  [ -e "$live" ] || continue
  [ -e "$PINNED/$file" ] || cp -a "$live" "$PINNED/$file"
  awk -v me="$MEMBER" -v others="$OTHERS" '
    $1 == "server" && index(others, " " $2 " ") { next }
    $1 == "server" && $2 == me { print "    server " $2 " " $3; next }
    { print }' "$live" >"$live.new"
  mv -f "$live.new" "$live"
done
if ! said=$(haproxy -c -f /etc/haproxy/haproxy.cfg -f /etc/haproxy/conf.d 2>&1); then
  cp -a "$PINNED"/*.cfg /etc/haproxy/conf.d/
  echo "$said"
  exit 1
fi
systemctl reload-or-restart haproxy.service
mkdir -p /run/citusctl
: >"$STAMP"
