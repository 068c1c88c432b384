# Who answers for ADDRESS: `ours` where this host has it or UNLESS exists, else the hardware's address, else nothing. A datagram
# makes the kernel ask, once what it remembers of it is gone: that may be a host that gave it up. Half a second is long for a neighbour.
if [ -e "$UNLESS" ] || ip -o addr show 2>/dev/null | grep -qwF -- "$ADDRESS"; then
  echo ours
else
  ip neigh flush to "$ADDRESS" 2>/dev/null
  # shellcheck disable=SC2016 # bash's own argument
  bash -c 'echo >/dev/udp/$0/9' "$ADDRESS" 2>/dev/null || :
  n=0
  while [ $n -lt 10 ]; do
    mac=$(ip neigh show to "$ADDRESS" nud reachable nud stale nud delay nud probe nud permanent 2>/dev/null |
      sed -n 's/.* lladdr \([^ ]*\).*/\1/p' | head -n 1)
    [ -z "$mac" ] || { echo "$mac"; break; }
    n=$((n + 1))
    sleep 0.05
  done
fi
