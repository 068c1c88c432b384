# Removes what a restore that has stopped nothing restored beside the data. After restore-copy.sh; POINT and STATE are given.
# shellcheck disable=SC2154 # of restore-copy.sh
[ ! -e "$STATE/stopped" ] || refuse "the restore to $POINT has stopped servers: it is undone as a whole"
if [ -d "$copy" ]; then remove_copy "$copy"; fi
rm -rf "$STATE"
