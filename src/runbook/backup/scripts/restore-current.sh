# The group was promoted while its copy was made: the copy is of no use, and the next run makes another. After restore-copy.sh;
# STANZA, POINT and STATE are given.
rc=0
why=$(number_taken || number_archived "$STANZA") || rc=$?
[ "$rc" != 1 ] || exit 0
[ "$rc" = 2 ] || rm -f "$STATE/restored" "$STATE/recovered"
unproved "$why"
