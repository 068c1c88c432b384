# What an expiry would remove, in pgBackRest's words. STANZA and SET are given; SET may be empty.
expiry() { as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" ${SET:+--set="$SET"} --log-level-console=info "$@" expire 2>&1; }
removals() { sed -n 's/^.*INFO: .*\(remove expired backup [^ ]*\)$/\1/p; s/^.*INFO: .*\(remove archive, start = .*\)$/\1/p' | sort; }
