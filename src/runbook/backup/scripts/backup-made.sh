# Whether the repository has the backup of this run, without bad pages. STANZA and THIS_RUN are given.
as_dbsu /usr/bin/pgbackrest --stanza="$STANZA" --output=json info | python3 -c '
import json, sys
for stanza in json.load(sys.stdin):
    for backup in stanza["backup"]:
        if backup.get("annotation", {}).get("citusctl-run") == sys.argv[1]:
            if backup.get("error") is not False:
                sys.exit("backup " + backup["label"] + " has pages whose checksum does not hold")
            print("backup", backup["label"])
            sys.exit(0)
sys.exit("no backup was made")' "$THIS_RUN"
