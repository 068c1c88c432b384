# Writes through each of DOORS, the lines `ADDRESS PORT DATABASE`, by SQL, within LIMIT seconds for all of them.
set +e
end=$(($(date +%s) + LIMIT))
while read -r address port database; do
  while :; do
    said=$(through "$address" "$port" "$database" "$SQL" 2>&1 </dev/null) && break
    if [ "$(date +%s)" -ge $end ]; then echo "$address $port: $said"; exit 1; fi
    sleep 0.2
  done
  echo "wrote through $address $port"
done <<DOORS
$DOORS
DOORS
mkdir -p /run/citusctl
: >"/run/citusctl/$ID-$RUN"
