"""Carries out each row of tests/effects/rows and compares what happened on the hosts with what the catalogue declares.

What happened is read from the hosts, not from the plan: start and reload times of units, of PostgreSQL's postmaster and
of its configuration, before and after an `apply` of the one changed value. Then the value goes back.
"""
import concurrent.futures
import copy
import json
import os
import shutil
import subprocess
import sys
import time

import yaml

LAB, WORK, PROGRAM = os.environ["LAB_NAME"], os.environ["LAB_WORK"], os.environ["CITUSCTL"]
# The state of a formation lies beside its inventory and bears its name, so the edited one takes that place.
EDITED = os.path.join(WORK, "surface", "inventory.yml")
BASE = os.path.join(WORK, "original.yml")
HOSTS = {"coordinator": "10.10.10.11", "worker": "worker-1", "first": "10.10.10.13", "second": "10.10.10.14"}
UNITS = ["etcd", "patroni", "haproxy", "pgbouncer", "keepalived", "vip-manager", "chrony"]

# Runs on a host. `ExecReload` keeps when a unit was reloaded last; postmaster.pid holds the server's start and socket.
LOOK = r'''
import glob, json, re, subprocess
units = {}
for unit in "%s".split():
    text = subprocess.run(["systemctl", "show", unit, "-p", "ActiveState,InvocationID,ExecReload"], capture_output=True, text=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}).stdout
    value = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    reloaded = re.search(r"start_time=\[([^\]]*)\]", value.get("ExecReload", ""))
    units[unit] = [value.get("ActiveState") == "active", value.get("InvocationID"), reloaded and reloaded.group(1)]
server = None
for path in glob.glob("/srv/data/pg/*/postmaster.pid") + glob.glob("/data/postgres/*/postmaster.pid") + glob.glob("/pg/*/postmaster.pid"):
    lines = open(path).read().split("\n")
    owner = subprocess.run(["stat", "-c", "%%U", path], capture_output=True, text=True).stdout.strip()
    sql = "select extract(epoch from pg_conf_load_time())"
    load = subprocess.run(["runuser", "-u", owner, "--", "psql", "-XAtq", "-h", lines[4].split(",")[0].strip(), "-p", lines[3].strip(), "-d", "postgres", "-c", sql], capture_output=True, text=True)
    server = [lines[0] + " " + lines[2], load.stdout.strip() or load.stderr.strip()]
print(json.dumps({"units": units, "server": server}))
''' % " ".join(UNITS)


def run(*command, stdin=None):
    return subprocess.run(command, input=stdin, capture_output=True, text=True)


def tool(inventory, *arguments):
    return run(PROGRAM, f"--lab={LAB}", "-i", inventory, *arguments)


def look():
    def one(host):
        done = run(PROGRAM, "lab", "exec", "--name", LAB, "--host", host, "--", "python3", "-", stdin=LOOK)
        if done.returncode:
            sys.exit(f"{host} cannot be looked at: {done.stderr}")
        return json.loads(done.stdout)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(HOSTS, pool.map(one, HOSTS.values())))


def happened(before, after):
    """What the services of all hosts went through, as a set of (what, which)."""
    seen = set()
    for host in HOSTS:
        for unit in UNITS:
            (was, began, reloaded), (is_, begins, reloads) = before[host]["units"][unit], after[host]["units"][unit]
            if was != is_:
                seen.add(("starts or stops", unit))
            elif is_ and began != begins:
                seen.add(("restart", unit))
            elif is_ and reloaded != reloads:
                seen.add(("reload", unit))
        old, new = before[host]["server"], after[host]["server"]
        if bool(old) != bool(new):
            seen.add(("starts or stops", "postgresql"))
        elif old and old[0] != new[0]:
            seen.add(("restart", "postgresql"))
        elif old and old[1] != new[1]:
            seen.add(("reload", "postgresql"))
    return seen


def words(seen):
    parts = [f"{what} {', '.join(sorted(w for k, w in seen if k == what))}" for what in ("starts or stops", "restart", "reload") if any(k == what for k, _ in seen)]
    return "; ".join(parts) or "nothing"


ALLOWED = {
    "no reload, no restart": set(),
    "reload": {"reload"},
    "reload, or rolling restart": {"reload", "restart"},
    "rolling restart": {"reload", "restart"},
    "restart of the service": {"reload", "restart"},
    "starts or stops the service": {"reload", "restart", "starts or stops"},
    "only before the first start": set(),
}


def agrees(declared, seen):
    kinds, servers = {kind for kind, _ in seen}, {kind for kind, which in seen if which == "postgresql"}
    if not kinds <= ALLOWED[declared]:
        return False
    if declared == "reload":
        return "reload" in kinds
    if declared == "reload, or rolling restart":
        return bool(servers) and not ("restart", "patroni") in seen
    if declared == "rolling restart":
        return "restart" in servers
    if declared == "restart of the service":
        return "restart" in kinds and "restart" not in servers
    if declared == "starts or stops the service":
        return "starts or stops" in kinds and "restart" not in servers
    return True


def rows():
    for number, line in enumerate(open("tests/effects/rows"), 1):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        name, where, rest = (part.strip() for part in line.split("|", 2))
        how = ""
        try:
            value = None if rest == "-" else json.loads(rest)
        except ValueError:
            text, how = (part.strip() for part in rest.rsplit("|", 1))
            value = None if text == "-" else json.loads(text)
        yield {"line": number, "name": name, "where": where, "value": value, "gone": rest.split("|")[0].strip() == "-", "how": how}


def key(row):
    return json.dumps([row["name"], row["where"], row["value"], row["how"]])


def hosts_maps(tree, host):
    """All mappings of variables that the inventory has for a host."""
    for group in walk(tree["all"], "all"):
        if host in (group[1].get("hosts") or {}):
            yield group[1]["hosts"]


def walk(group, name):
    yield name, group
    for child, inner in (group.get("children") or {}).items():
        yield from walk(inner or {}, child)


def put(tree, name, where, value, gone):
    if where == "all":
        vars_ = tree["all"].setdefault("vars", {})
    else:
        group = next((g for n, g in walk(tree["all"], "all") if n == where), None)
        if group is not None:
            vars_ = group.setdefault("vars", {})
            for host in group.get("hosts") or {}:
                for maps in hosts_maps(tree, host):
                    (maps[host] or {}).pop(name, None)
        else:
            maps = list(hosts_maps(tree, HOSTS.get(where, where)))
            holder = next((m for m in maps if name in (m[HOSTS.get(where, where)] or {})), maps[-1])
            vars_ = holder[HOSTS.get(where, where)]
    if gone:
        if name not in vars_:
            sys.exit(f"{name} is not in {where}: nothing would change")
        del vars_[name]
    else:
        vars_[name] = value


def given(value):
    if isinstance(value, str) and value == "$KEY":
        return os.path.join(WORK, "id_ed25519")
    if isinstance(value, str) and value == "$PRINT":
        key = run(PROGRAM, "lab", "exec", "--name", LAB, "--host", HOSTS["second"], "--", "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout
        return run("ssh-keygen", "-lf", "-", stdin=key).stdout.split()[1]
    return value


def second(tree, row, word):
    """Sets the second value of a row: `with` beside its own, `from` before it."""
    if word not in row["how"]:
        return False
    other, text = row["how"].split(word, 1)[1].split("=", 1)
    try:
        put(tree, other, row["where"], json.loads(text), False)
    except ValueError:
        put(tree, other, row["where"], text, False)
    return True


def edit(tree, row):
    put(tree, row["name"], row["where"], given(row["value"]), row["gone"])
    second(tree, row, "with ")


def write(tree):
    with open(EDITED, "w") as file:
        json.dump(tree, file, indent=1, default=str)


def try_rows(base, some):
    """Applies the rows at once. What happened, and whether that took a second `apply`."""
    tree = copy.deepcopy(base)
    if any([second(tree, row, "from ") for row in some]):
        write(tree)
        done = tool(EDITED, "apply", "-y")
        if done.returncode:
            return None, done
    for row in some:
        edit(tree, row)
    write(tree)
    before = look()
    plan = tool(EDITED, "plan", "--detailed-exitcode")
    if plan.returncode not in (0, 10):
        return None, plan
    done = tool(EDITED, "apply", "-y") if plan.returncode == 10 else plan
    if done.returncode not in (0, 10):
        return None, done
    again, second_run = tool(EDITED, "plan", "--detailed-exitcode"), False
    if again.returncode == 10:
        second_run = tool(EDITED, "apply", "-y").returncode == 0
        again = tool(EDITED, "plan", "--detailed-exitcode")
    if again.returncode:
        return None, again
    return (happened(before, look()), second_run), done


def back(base):
    write(base)
    done = tool(EDITED, "apply", "-y")
    if not done.returncode and tool(EDITED, "plan", "--detailed-exitcode").returncode == 10:
        done = tool(EDITED, "apply", "-y")
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:])
        sys.exit("the values do not go back: what follows would say nothing")


def said(done):
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip() and not line.startswith("warning")]
    return "\n        ".join(lines[:6] + ["..."] + lines[-6:] if len(lines) > 12 else lines)


def main():
    declared = {entry["name"]: entry["change"] for entry in json.loads(run(PROGRAM, "catalog", "vars", "-o", "json").stdout) if entry["acted_on"]}
    wanted = sys.argv[1:]
    todo = [row for row in rows() if not wanted or row["name"] in wanted]
    if not os.path.exists(BASE):
        shutil.copy(EDITED, BASE)
    with open(BASE) as file:
        base = yaml.safe_load(file)
    back(base)
    # A run that goes on with the directory of an earlier one does not try again what held then.
    kept = os.path.join(WORK, "effects.json")
    held = json.load(open(kept)) if os.path.exists(kept) and not wanted else {}
    results, failed = {}, 0
    for row in todo:
        if observed := held.get(key(row)):
            results[row["line"]] = (row, observed)
    todo = [row for row in todo if row["line"] not in results]

    def settle(row, observed, good, detail=""):
        nonlocal failed
        results[row["line"]] = (row, observed)
        failed += not good
        if good:
            held[key(row)] = observed
            with open(kept, "w") as file:
                json.dump(held, file)
        print(f"{'ok   ' if good else 'FAIL '} {row['name']} on {row['where']}: declared `{declared[row['name']]}`, observed `{observed}`{detail}", flush=True)

    quiet = [r for r in todo if declared[r["name"]] in ("no reload, no restart", "only before the first start") and "alone" not in r["how"]]
    names = set()
    batches = [[]]
    for row in quiet:
        batches[-1].append(row)
    for row in todo:
        if declared[row["name"]].startswith("refused"):
            tree = copy.deepcopy(base)
            edit(tree, row)
            write(tree)
            before = look()
            done = tool(EDITED, "apply", "-y")
            seen = happened(before, look())
            observed = f"exit {done.returncode}; {words(seen)}"
            named = row["name"] in done.stderr
            good = done.returncode == 4 and not seen and named
            settle(row, "refused" if good else observed, good, "" if good else "\n        " + said(done))

    def attempt(some):
        """Many rows at once; a failure is searched by halves."""
        got, done = try_rows(base, some)
        back(base)
        if got is not None and all(not got[0] if "idle: " in row["how"] else agrees(declared[row["name"]], got[0]) for row in some):
            for row in some:
                why = row["how"].partition("idle: ")[2]
                why = why or ("the restart by a second `apply`, whose plan shows it" if got[1] else "")
                settle(row, words(got[0]) + (f" ({why})" if why else ""), True)
            return
        if len(some) > 1:
            attempt(some[: len(some) // 2])
            attempt(some[len(some) // 2 :])
            return
        settle(some[0], words(got[0]) if got else f"exit {done.returncode}", False, "" if got else "\n        " + said(done))

    for batch in batches:
        if batch:
            attempt(batch)
    for row in todo:
        if row["line"] not in results:
            attempt([row])
    if not wanted and not failed:
        page(declared, results)
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def page(declared, results):
    with open("docs/effects.md", "w") as file:
        file.write(HEAD)
        for line in sorted(results):
            row, observed = results[line]
            value = "taken away" if row["gone"] else json.dumps(row["value"])
            value = value if len(value) < 60 else value[:57] + "..."
            file.write(f"| `{row['name']}` | {row['where']} | `{value.replace('|', '¦')}` | {declared[row['name']]} | {observed} |\n")


HEAD = """# What a change does

Every parameter that acts, changed on the formation of `tests/surface` while it is up: what `citusctl catalog vars` declares, and
what was observed on its four hosts (start and reload times of units, of PostgreSQL and of its configuration, before and after an
`apply` of that value). After each value `plan` had no changes, and the old value went back. `refused`: exit 4, the parameter is
named, and nothing was reloaded or restarted. Values that are declared to reload nothing are tried many at once; what else the
change of a service brings (a certificate, an address) is in the last column as well. `ci/effects` makes this page in half an hour.

| parameter | on | new value | declared | observed |
|---|---|---|---|---|
"""

if __name__ == "__main__":
    sys.exit(main())
