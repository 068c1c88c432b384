# Makes the index of $DEBS in $INDEX.
walk "$DEBS"
[ "$WHO$SHARED$LOOSE" = 0 ] || unsafe "${SHARED:-${LOOSE:-$WHOM}} can change what is in \`$DEBS\`, and it is installed as root: let root alone write to the directories that lead there"
rm -rf "$INDEX.new"
mkdir -p "$INDEX.new"
ln -s "$DEBS" "$INDEX.new/pool"
listing >"$INDEX.new/listing"
while read -r name size _; do
  dpkg-deb -f "$DEBS/$name"
  printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "$name" "$size" "$(sha256sum <"$DEBS/$name" | cut -d' ' -f1)"
done <"$INDEX.new/listing" >"$INDEX.new/Packages"
rm -rf "$INDEX"
mv "$INDEX.new" "$INDEX"
chmod -R a+rX "$INDEX"
[ ! -e /etc/apt/sources.list.d/citusctl-debs.list ] || apt-get -q update
