//! A group that has etcd again gets a leader: one program beside Patroni judges, changes what has to change in one
//! transaction, wakes Patroni, and waits until PostgreSQL takes writes.

use super::{Case, PgSeen, absent, via_etcd};
use crate::command::{given, quote};
use crate::inventory::param;
use crate::model::guard::seats;
use crate::model::{EtcdMember, Group, Instance};
use crate::names::{HostName, InstanceName};
use crate::resource::Impact;
use crate::runbook::patroni::proxies;
use crate::runbook::{Script, Step};
use crate::secret::Secret;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long the survivor's group may take to get its leader, and how long that waits for other groups (s).
const SECONDS: u64 = 90;
const OTHERS: u64 = 30;

/// `as_root COMMAND` runs it with the password of etcd's root in its environment. Hosts without etcd know none by themselves.
pub(super) fn functions(case: &Case<'_>) -> String {
    let member = via_etcd::member(case);
    let host = member.and_then(|member| case.input.model.hosts.get(&member.host));
    let password = host.map(|host| host.typed().get(param::ETCD_ROOT_PASSWORD));
    let password = password.unwrap_or_else(|| Secret::new(""));
    format!(
        "as_root() {{ ETCD_PASSWORD={} \"$@\"; }}\n",
        quote(password.expose())
    )
}

/// Hosts that ask the lost ones whether they are back: those on which a group gets its leader.
pub(super) fn hosts(case: &Case<'_>) -> BTreeSet<HostName> {
    let others = via_etcd::hurt(case).filter_map(|group| via_etcd::left(case, group).next());
    others
        .map(|member| member.host.clone())
        .chain([case.survivor.host.clone()])
        .collect()
}

/// The survivor becomes the leader.
pub(super) fn own(case: &Case<'_>, etcd: &EtcdMember) -> Step {
    let title = format!(
        "take the leader key of {} from whoever is gone; Patroni promotes {}",
        case.group.cluster, case.survivor.name
    );
    step(case, (case.group, case.survivor), etcd, "leader", title)
}

/// The same for another group that has lost a member and has one left.
pub(super) fn other(case: &Case<'_>, group: &Group, etcd: &EtcdMember) -> Option<Step> {
    let title = format!("the same for {}, which lost a member too", group.cluster);
    let at = via_etcd::left(case, group).next()?;
    Some(step(case, (group, at), etcd, "leaders", title).optional())
}

fn step(
    case: &Case<'_>,
    (group, at): (&Group, &Instance),
    etcd: &EtcdMember,
    id: &'static str,
    title: String,
) -> Step {
    let stamp = format!("\"/run/citusctl/leads-{}-$RUN\"", group.cluster);
    // A leader that lost sight of etcd only now may be about to end, and would wait for lost standbys.
    let told = told(case, group, etcd).to_string();
    let act = format!(
        "{}{}as_root python3 - <<'CITUSCTL_LEAD'\n{}CITUSCTL_LEAD\n: >{stamp}\n",
        absent::nobody_is_back(case),
        given(&[("CASE", &told)], include_str!("scripts/ending.sh")),
        include_str!("scripts/lead.py"),
    );
    let script = Script::new(act, format!("[ -e {stamp} ]"));
    Step::on(&at.host, id, title, script)
        .with_impact(Impact::Failover)
        .within(SECONDS)
}

/// What the program goes by.
fn told(case: &Case<'_>, group: &Group, etcd: &EtcdMember) -> Value {
    let own = group.cluster == case.group.cluster;
    let left: Vec<&Instance> = via_etcd::left(case, group).collect();
    let seen = left
        .iter()
        .filter_map(|member| Some((&member.name, case.host_seen(&member.host)?.pg.as_ref()?)));
    let (told, reachable): (Vec<&InstanceName>, Vec<&PgSeen>) = seen.unzip();
    let lsn = match own {
        true => case.pg.lsn,
        false => reachable.iter().map(|pg| pg.lsn).max().unwrap_or(0),
    };
    let alone = left.first().filter(|_| left.len() == 1);
    let here: BTreeMap<&InstanceName, String> = left
        .iter()
        .map(|member| (&member.name, member.patroni_url()))
        .collect();
    let members = group.members.iter();
    let gone = members.filter(|member| case.lost.contains(&member.host));
    let port = case.input.model.etcd.as_ref().map(|etcd| etcd.client_port);
    json!({
        "url": etcd.client_url(port.unwrap_or_default()),
        "ca": "/pg/cert/ca.crt", "cert": "/pg/cert/server.crt", "key": "/pg/cert/server.key",
        "prefix": group.dcs_prefix,
        "system": reachable.first().map(|pg| pg.system.as_str()).unwrap_or_default(),
        "lsn": lsn,
        "candidate": alone.filter(|_| !own).map_or(&case.survivor.name, |member| &member.name),
        "told": told,
        "own": own,
        "accept": own && case.accept_loss,
        "allow": format!("{}promote/{}", seats(case.formation), case.survivor.name),
        "alone": alone.map(|member| &member.name),
        "here": here,
        "gone": gone.map(|member| &member.name).collect::<Vec<_>>(),
        "seconds": if own { SECONDS } else { OTHERS },
    })
}

/// HAProxy believes a server only after several checks, seconds apart: a watcher on each host tells it the moment the
/// survivor leads. The next check judges by itself again.
pub(super) fn watch(case: &Case<'_>) -> Option<Step> {
    let hosts = proxies::hosts(case.input.model, &case.group.members).filter(|host| {
        case.host_seen(&host.name)
            .is_some_and(|seen| seen.runs("haproxy"))
    });
    let scripts: BTreeMap<HostName, Script> = hosts
        .filter_map(|host| {
            let script = proxies::announce(host, case.group, case.survivor)?;
            Some((host.name.clone(), script))
        })
        .collect();
    let title = format!(
        "let HAProxy learn at once that {} leads",
        case.survivor.name
    );
    (!scripts.is_empty()).then(|| Step::on_all(scripts, "haproxy", title).optional())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// Runs the program's judgement on these keys, with a store that says what it is told to do.
    fn prepared(changes: Value, keys: Value) -> (i32, String) {
        let mut told = json!({
            "prefix": "/pg/a/", "system": "77", "lsn": 1000, "candidate": "a-3", "told": ["a-3"], "own": true,
            "accept": false, "alone": "a-3", "here": {"a-3": ""}, "gone": ["a-1", "a-2"], "seconds": 1,
            "allow": "/citusctl/seats/pg/a/promote/a-3"
        });
        for (name, value) in changes.as_object().unwrap() {
            told[name] = value.clone();
        }
        let code = include_str!("scripts/lead.py");
        let (code, _) = code.split_once("\netcd = Etcd(").unwrap();
        let store = format!(
            "class Store:\n    def call(self, path, body): return {{'ID': '7'}}\n    def keys(self): return {{name: (value, '5') for name, value in json.loads({:?}).items()}}\n    \
             def txn(self, compare, success):\n        \
             for one in success:\n            \
             (what, key), = one.items()\n            \
             print(what, base64.b64decode(key['key']).decode(), base64.b64decode(key.get('value', '')).decode())\n        \
             return True\nprepare(Store())\n",
            keys.to_string()
        );
        let mut child = Command::new("python3")
            .arg("-")
            .env("CASE", told.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text = format!("{code}\n{store}");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), said)
    }

    fn keys(changes: Value) -> Value {
        let mut keys = json!({ "initialize": "77", "leader": "a-1", "status": "{\"optime\":1000}", "config": "{}" });
        for (name, value) in changes.as_object().unwrap() {
            keys[name] = value.clone();
        }
        keys
    }

    #[test]
    fn the_key_of_a_lost_leader_goes() {
        let (code, said) = prepared(json!({}), keys(json!({})));
        let wanted = "request_delete_range /pg/a/leader \ntook the leader key from a-1\n";
        assert_eq!((code, said.as_str()), (0, wanted));
        let (_, said) = prepared(json!({}), keys(json!({"leader": "a-3"})));
        assert_eq!(said, "");
    }

    #[test]
    fn who_is_alone_commits_alone() {
        let sync = |leader: &str| json!({"sync": json!({"leader": leader, "sync_standby": "a-3", "quorum": 0}).to_string()});
        let alone =
            "request_put /pg/a/sync {\"leader\": \"a-3\", \"sync_standby\": null, \"quorum\": 0}\n";
        let (_, said) = prepared(json!({}), keys(sync("a-1")));
        assert!(said.contains(alone), "{said}");
        // Of another group it is said only where nothing can be missing.
        let other = json!({"own": false});
        for leader in ["a-1", "a-3"] {
            let (_, said) = prepared(other.clone(), keys(sync(leader)));
            assert!(said.contains(alone), "{said}");
        }
        let unsure = json!({"sync": "{\"leader\":\"a-1\",\"sync_standby\":\"a-2\"}"});
        let (code, said) = prepared(other, keys(unsure));
        assert!(code == 0 && !said.contains("sync"), "{said}");
        let (_, said) = prepared(json!({"alone": null}), keys(sync("a-1")));
        assert!(!said.contains("sync"), "{said}");
    }

    #[test]
    fn what_patroni_would_object_to_is_refused_by_its_words() {
        let refused = |told: Value, of: Value, words: &str| {
            let (code, said) = prepared(told, keys(of));
            assert!(code == 94 && said.contains(words), "{code} {said}");
        };
        let nothing = || json!({});
        refused(
            nothing(),
            json!({"initialize": "88"}),
            "by system identifier 88, the data is of 77",
        );
        let ahead = || json!({"status": "{\"optime\":2000}", "config": "{\"maximum_lag_on_failover\":500}"});
        refused(nothing(), ahead(), "told of 1000 bytes that are not here");
        let sync = json!({"sync": "{\"leader\":\"a-1\",\"sync_standby\":\"a-2\"}"});
        refused(
            nothing(),
            sync,
            "a-3 was no synchronous standby (these were: a-2)",
        );
        let quorum =
            json!({"sync": "{\"leader\":\"a-1\",\"sync_standby\":\"a-2,a-3\",\"quorum\":1}"});
        refused(
            nothing(),
            quorum.clone(),
            "acknowledged by a lost standby alone",
        );
        // Another one that had a vote is here, and not ahead; one that had none proves nothing.
        let (code, said) = prepared(json!({"told": ["a-3", "a-2"]}), keys(quorum.clone()));
        assert_eq!(code, 0, "{said}");
        let bystander = json!({"told": ["a-3", "a-4"]});
        refused(bystander, quorum, "1 more of them needed, 0 here");
        let (code, said) = prepared(json!({"accept": true}), keys(ahead()));
        assert_eq!(code, 0);
        assert!(
            said.contains("request_put /pg/a/failover {\"member\": \"a-3\"}"),
            "{said}"
        );
    }
}
