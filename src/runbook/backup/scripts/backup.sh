# STANZA, KIND and THIS_RUN are given, and MORE where there is another option.
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --type="$KIND" ${MORE:+"$MORE"} --annotation=citusctl-run="$THIS_RUN" --log-level-console=detail backup |
  grep -v ': --exec-id\|backup file\|match file' || :
