# Prints `asked`, and for each backup's directory in the repository its LABEL and `whole`, `bare` (no manifest) or `unknown`. Nothing
# where the repository cannot be read. STANZA is given.
manifests() {
  listing() { as_dbsu timeout 10 /usr/bin/pgbackrest --stanza="$STANZA" --io-timeout=4 --log-level-console=off --log-level-stderr=off repo-ls "$@" 2>/dev/null; }
  labels=$(listing "backup/$STANZA") || return 0
  echo asked
  until=$(($(date +%s) + 10))
  for label in $(printf '%s\n' "$labels" | grep '^[0-9]\{8\}-[0-9]\{6\}F'); do
    if [ "$(date +%s)" -ge "$until" ] || ! files=$(listing --filter='^backup\.manifest(\.copy)?$' "backup/$STANZA/$label"); then echo "$label unknown"
    elif [ -n "$files" ]; then echo "$label whole"
    else echo "$label bare"; fi
  done
}
