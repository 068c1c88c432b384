# Starts the watcher WATCH_NAME, and lets new connections wait. It runs before anything is held.
mkdir -p /run/citusctl
w="/run/citusctl/$WATCH_NAME" python=$(command -v python3) || python=
printf '%s' "$WATCH_CODE" >"$w.py"
printf '%s' "$WATCH_ORDERS" >"$w.json"
if [ -n "$python" ]; then
  systemctl is-active --quiet "citusctl-$WATCH_NAME" || systemd-run --quiet --collect --unit "citusctl-$WATCH_NAME" \
    -p ExecStopPost="$python $w.py end $w.json" "$python" "$w.py" watch "$w.json"
  "$python" "$w.py" hold "$w.json"
fi
: >"$w"
