# On the lab's repository: what was made there while hosts were prepared goes, the copy takes its place; its owner does it. REPO and STANZAS
# are given.
cd -- "$REPO" || exit 1
owner=$(stat -c %U .) group=$(stat -c %G .)
as_owner() { setpriv --reuid "$owner" --regid "$group" --init-groups "$@"; }
for stanza in $STANZAS; do
  [ -e ".copy/archive/$stanza/archive.info" ] || { echo "the copy of $stanza is not whole"; exit 1; }
  as_owner rm -rf "backup/$stanza" "archive/$stanza"
  as_owner mkdir -p backup archive
  as_owner mv -T ".copy/backup/$stanza" "backup/$stanza"
  as_owner mv -T ".copy/archive/$stanza" "archive/$stanza"
done
as_owner rm -rf .copy
