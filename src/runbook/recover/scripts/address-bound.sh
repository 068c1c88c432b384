# Its holder lets go of an address that it still has, once it finds that etcd is gone.
[ "$(systemctl show -P ActiveState vip-manager.service)" != active ] || { echo 'vip-manager still holds it'; false; }
ip -o addr show to "$ADDRESS" | grep -q . || { echo "nobody here carries $ADDRESS"; false; }
