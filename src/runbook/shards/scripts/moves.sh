# Begins the moves of shards unless they are under way, and watches them: `left` counts what is left, `running` what is under
# way, `failed` prints why the last moves failed, `begin` starts them; WORDS says what is counted.
last='' told=''
while :; do
  left=$(left)
  [ "$left" != 0 ] || break
  if [ "$(running)" = 0 ]; then
    if [ "$left" = "$last" ]; then failed; echo "Citus moves nothing: $left $WORDS"; exit 1; fi
    last=$left
    begin
  fi
  [ "$left" = "$told" ] || { echo "$left $WORDS"; told=$left; }
  sleep 1
done
