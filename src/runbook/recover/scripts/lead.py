# Gives a group to a member that is there: judges what Patroni would object to, takes the leader key from a member that is
# gone, lets a member that is alone commit alone, wakes Patroni, and waits until a member that is there takes writes.
# One login and one connection for all of it: each program of etcd's own costs both anew, a password hash included.
# CASE is JSON (via_etcd.rs), ETCD_PASSWORD root's password or nothing.
import base64, http.client, json, os, ssl, sys, time, urllib.parse, urllib.request

case = json.loads(os.environ["CASE"])
end = time.monotonic() + case["seconds"]
PREFIX = case["prefix"]


def refuse(words):
    print(words)
    sys.exit(94)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Etcd:
    """The gateway that Patroni uses, over one connection."""

    def __init__(self, url, password):
        place = urllib.parse.urlsplit(url)
        tls = ssl.create_default_context(cafile=case["ca"])
        tls.load_cert_chain(case["cert"], case["key"])
        self.link = http.client.HTTPSConnection(place.hostname, place.port, timeout=5, context=tls)
        self.password, self.token = password, None

    def call(self, path, body):
        headers = {"Authorization": self.token} if self.token else {}
        try:
            self.link.request("POST", "/v3" + path, json.dumps(body), headers)
            answer = self.link.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.link.close()
            raise
        if answer.status != 200:
            raise OSError("etcd answers %s: %s" % (answer.status, text.strip()[:300]))
        return json.loads(text)

    def login(self):
        try:
            answer = self.call("/auth/authenticate", {"name": "root", "password": self.password})
            self.token = answer["token"]
        except OSError as error:
            if "authentication is not enabled" not in str(error):
                raise

    def keys(self):
        """Everything of the group: value and revision by name."""
        last = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)
        found = self.call("/kv/range", {"key": encoded(PREFIX), "range_end": encoded(last)}).get("kvs", [])
        text = lambda word: base64.b64decode(word or "").decode()
        return {text(kv["key"])[len(PREFIX):]: (text(kv.get("value")), kv["mod_revision"]) for kv in found}

    def txn(self, compare, success):
        return self.call("/kv/txn", {"compare": compare, "success": success}).get("succeeded", False)


def is_at(name, revision):
    key = encoded(PREFIX + name)
    return {"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision}


def put(name, value):
    return {"request_put": {"key": encoded(PREFIX + name), "value": encoded(value)}}


def parsed(text):
    try:
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    except ValueError:
        return {}


def judge(keys):
    """Whether this is the same cluster at all, and what Patroni would object to."""
    value = lambda name: keys.get(name, ("", "0"))[0]
    system = value("initialize")
    if system != case["system"]:
        refuse("etcd knows this group by system identifier %s, the data is of %s" % (system, case["system"]))
    if case["accept"]:
        return
    limit = parsed(value("config")).get("maximum_lag_on_failover", 1048576)
    behind = int(parsed(value("status")).get("optime") or 0) - case["lsn"]
    if behind > int(limit):
        refuse("the old leader had told of %d bytes that are not here, more than maximum_lag_on_failover (%s): they would be lost; "
               "--accept-loss promotes all the same" % (behind, limit))
    objection = unsure(parsed(value("sync")))
    if case["own"] and objection:
        refuse(objection + "; --accept-loss promotes all the same")


def unsure(sync):
    """Why the candidate may not have all that was acknowledged, by what the last leader wrote of its standbys."""
    leader, candidate = sync.get("leader"), case["candidate"]
    if not leader or leader == candidate:
        return None
    standbys = sync.get("sync_standby") or ""
    if candidate not in standbys.split(","):
        return ("%s was no synchronous standby (these were: %s): transactions that the old leader acknowledged may be missing, and would be lost"
                % (candidate, standbys or "none"))
    quorum = int(sync.get("quorum") or 0)
    # Only who had a vote was waited for: another standby that is here proves nothing.
    voters = len((set(standbys.split(",")) - {candidate}) & set(case["told"]))
    if quorum > voters:
        return ("by quorum commit, transactions may have been acknowledged by a lost standby alone (of %s; %d more of them needed, %d here): they would be lost"
                % (standbys, quorum, voters))
    return None


def changes(keys):
    """What a member that is there needs before it can lead, as one transaction."""
    compare, success = [], []
    leader, sync = keys.get("leader"), keys.get("sync")
    if leader and leader[0] in case["gone"]:
        compare.append(is_at("leader", leader[1]))
        success.append({"request_delete_range": {"key": encoded(PREFIX + "leader")}})
    found = parsed(sync[0]) if sync else {}
    me, last = case["alone"], found.get("leader")
    # Of another group this is said only where nothing can be missing: whether a standby may lead else is Patroni's to say.
    if me and last and (case["own"] or not unsure(found)) and (last != me or found.get("sync_standby")):
        compare.append(is_at("sync", sync[1]))
        success.append(put("sync", json.dumps({"leader": me, "sync_standby": None, "quorum": 0})))
    if case["accept"] and not (leader and leader[0] in case["here"]):
        # A failover that an operator asked for passes Patroni's guards.
        success.append(put("failover", json.dumps({"member": case["candidate"]})))
    return compare, success


def allow(etcd):
    """The candidate may lead whatever it lacks (promotion-guard), for as long as this may take."""
    lease = etcd.call("/lease/grant", {"TTL": case["seconds"] + 60})["ID"]
    etcd.call("/kv/put", {"key": encoded(case["allow"]), "value": encoded("accepted"), "lease": lease})


def prepare(etcd):
    """What was judged is what is changed: whoever has written meanwhile is looked at again."""
    while time.monotonic() < end:
        keys = etcd.keys()
        leads = keys.get("leader", ("",))[0]
        if leads not in case["here"]:
            judge(keys)
        compare, success = changes(keys)
        if case["accept"]:
            allow(etcd)
        if not success or etcd.txn(compare, success):
            if leads in case["gone"]:
                print("took the leader key from", leads)
            return


def wake(etcd, keys, leader):
    """Patroni sleeps between two looks. White space at the end of the status wakes members of a group without a leader,
    at the end of the configuration its leader, too; both are changed only as they were found."""
    name = "config" if leader else "status"
    value, revision = keys.get(name, ("", "0"))
    if value:
        free = [] if leader else [{"key": encoded(PREFIX + "leader"), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}]
        etcd.txn([is_at(name, revision)] + free, [put(name, value[:-1] if value.endswith(" ") else value + " ")])


def writes(name):
    """Whether Patroni of a member says that PostgreSQL there takes writes."""
    try:
        # Its certificate is not asked for: this only decides how long to wait.
        tls = ssl._create_unverified_context()
        with urllib.request.urlopen(case["here"][name] + "/patroni", timeout=2, context=tls) as answer:
            told = json.load(answer)
        return told.get("role") in ("primary", "master") and told.get("state") == "running"
    except (OSError, ValueError):
        return False


def wait(etcd):
    begun = last = time.monotonic()
    leader = None
    while time.monotonic() < end:
        try:
            keys = etcd.keys()
            leader = keys.get("leader", (None,))[0]
            if leader in case["here"] and writes(leader):
                print(leader, "takes writes")
                return
            now = time.monotonic()
            # A leader that has its key is busy with its promotion, at first.
            asleep = leader is None or leader in case["here"] and now - begun > 2
            if asleep and now - last > 0.3:
                wake(etcd, keys, leader)
                last = now
        except OSError as error:
            print(error)
        time.sleep(0.2)
    if leader in case["here"]:
        print("%s has the leader key, and takes no writes yet" % leader)
    else:
        print("the leader key is with %s" % (leader or "nobody"))
    sys.exit(1)


def patient(do):
    while True:
        try:
            return do()
        except OSError as error:
            if time.monotonic() > end:
                sys.exit(str(error))
            time.sleep(0.1)


etcd = Etcd(case["url"], os.environ.get("ETCD_PASSWORD", ""))
if etcd.password:
    patient(etcd.login)
patient(lambda: prepare(etcd))
wait(etcd)
