# UNIT, called NAME, has ended and is masked.
case $(systemctl show -P ActiveState "$UNIT.service") in active | activating | deactivating) echo "$NAME runs"; false ;; esac
[ "$(systemctl show -P LoadState "$UNIT.service")" = masked ] || { echo "$NAME is not masked"; false; }
