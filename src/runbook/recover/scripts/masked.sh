# UNIT, called CALLED, has ended and is masked.
case $(systemctl show -P ActiveState "$UNIT.service") in active | activating | deactivating) echo "$CALLED runs"; false ;; esac
[ "$(systemctl show -P LoadState "$UNIT.service")" = masked ] || { echo "$CALLED is not masked"; false; }
