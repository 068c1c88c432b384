# STANZA, KIND and THIS_RUN are given.
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --type="$KIND" --annotation=citusctl-run="$THIS_RUN" --log-level-console=detail backup |
  grep -v ': --exec-id\|backup file\|match file' || :
