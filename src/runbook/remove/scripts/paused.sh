# Whether the Patroni of a member has taken note of the pause.
if systemctl is-active -q "$PATRONI_UNIT"; then
  said=$(python3 -c 'import ssl, sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=3, context=ssl._create_unverified_context()).read().decode())' \
    "$PATRONI_API" 2>&1 | tail -n 1)
  case $said in *'"pause": true'*) ;; *) echo 'Patroni has not taken note of it yet'; false ;; esac
fi
