# Patroni's own question to the lost members is refused here (absent.sh), so it is asked in its place.
n=0
until grep -q '^end$' "$ALIVE"; do
  n=$((n + 1))
  [ $n -lt 50 ] || refuse "the lost hosts could not be asked: $(tail -n 1 "$ALIVE")"
  sleep 0.1
done
back=$(sed -n 's/^back //p' "$ALIVE" | sort -u -k1,1 | tr '\n' ' ')
[ -z "$back" ] || refuse "a lost host is back: $back; run the same command again, and it is put aside first; or cut its power, so that it does not answer"
