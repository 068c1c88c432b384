for unit in $UNITS; do
  case $(systemctl show -P ActiveState "$unit") in inactive | failed) ;; *) echo "$unit still runs"; false ;; esac
  if systemctl is-enabled -q "$unit" 2>/dev/null; then echo "$unit begins with the machine"; false; fi
done
