# Makes the index of $DIR in $AT.
walk "$DIR"
[ "$WHO$SHARED$LOOSE" = 0 ] || unsafe "${SHARED:-${LOOSE:-$WHOM}} can change what is in \`$DIR\`, and it is installed as root: let root alone write to the directories that lead there"
rm -rf "$AT.new"
mkdir -p "$AT.new"
ln -s "$DIR" "$AT.new/pool"
listing >"$AT.new/listing"
while read -r name size _; do
  dpkg-deb -f "$DIR/$name"
  printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "$name" "$size" "$(sha256sum <"$DIR/$name" | cut -d' ' -f1)"
done <"$AT.new/listing" >"$AT.new/Packages"
rm -rf "$AT"
mv "$AT.new" "$AT"
chmod -R a+rX "$AT"
[ ! -e /etc/apt/sources.list.d/citusctl-debs.list ] || apt-get -q update
