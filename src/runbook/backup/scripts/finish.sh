# Closes the restores that are done here.
for dir in /var/lib/citusctl/restore/*@done; do
  [ -d "$dir" ] || continue
  rm -rf "${dir%@done}@finished"
  mv -T "$dir" "${dir%@done}@finished"
done
