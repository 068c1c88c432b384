# The roles as which Patroni logs in get the passwords of its configuration: in older data they may have others, and it would
# never lead. The server runs where nobody can connect.
# shellcheck disable=SC2154 # private_socket is of restore-private.sh
private_roles() {
  roles=$(
    python3 - /etc/patroni/citusctl.yml <<'PY'
import sys, yaml
with open(sys.argv[1]) as file:
    roles = yaml.safe_load(file)["postgresql"].get("authentication", {}).values()
def literal(text):
    return "'" + str(text).replace("'", "''") + "'"
# Passwords are for no log; and each node sets its own.
for name, value in {"standard_conforming_strings": "on", "log_statement": "none", "log_min_duration_statement": "-1", "log_min_error_statement": "panic", "default_transaction_read_only": "off", "citus.enable_ddl_propagation": "off", "citus.enable_alter_role_propagation": "off"}.items():
    print(f"SET {name} = {value};")
for role in roles:
    if role.get("username") and role.get("password"):
        print(f"SELECT format('ALTER ROLE %I PASSWORD %L', rolname, {literal(role['password'])}) FROM pg_roles WHERE rolname = {literal(role['username'])}\n\\gexec")
PY
  ) || return 1
  printf '%s\n' "$roles" | sql_below "$private_socket" >/dev/null
}
