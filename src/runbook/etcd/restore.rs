//! Snapshots: taken through one member, and brought back to all of them.

use super::{EtcdView, book};
use crate::command::{Frame, quote, whole_program};
use crate::model::{Group, Instance};
use crate::names::HostName;
use crate::resource::{Impact, sha256_hex};
use crate::runbook::{Consent, Refusal, Runbook, Script, Step};
use crate::secret::Secret;
use base64::Engine;
use std::collections::BTreeMap;

/// A snapshot as it came from a host.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub bytes: Vec<u8>,
    /// etcd's own words about it: hash, revision, keys, size.
    pub status: String,
}

/// The largest snapshot that travels with a program (bytes); Patroni's keys take a few megabytes at most.
const LARGEST: usize = 64 << 20;

/// The program that takes a snapshot on a host, has etcd verify it, and prints it. Nothing is left behind.
pub fn save_program(frame: &Frame, functions: &Secret) -> Secret {
    let text = format!(
        "{}{}\ncd /\ndir=$(mktemp -d) || exit 1\ntrap 'rm -rf \"$dir\"' EXIT\n\
         if ! etcd_ctl snapshot save \"$dir/db\" >\"$dir/log\" 2>&1; then mark failed; tail -n 1 \"$dir/log\"; mark end; exit 0; fi\n\
         mark status; {{ etcdutl snapshot status \"$dir/db\" 2>/dev/null || ETCDCTL_API=3 etcdctl snapshot status \"$dir/db\" 2>/dev/null; }}\n\
         mark sha256; sha256sum <\"$dir/db\" | cut -d' ' -f1\n\
         mark data; base64 <\"$dir/db\"\nmark end\n",
        frame.define_mark(),
        functions.expose()
    );
    whole_program(&text)
}

impl Snapshot {
    /// Reads what [`save_program`] printed.
    ///
    /// # Errors
    /// etcd's refusal, or a transfer that is not whole.
    pub fn read(frame: &Frame, output: &str) -> Result<Self, String> {
        let sections = frame.sections(output);
        if let Some(words) = sections.get("failed") {
            return Err(words.trim().to_owned());
        }
        let (Some(data), Some(sum), Some(status), Some(_)) = (
            sections.get("data"),
            sections.get("sha256"),
            sections.get("status"),
            sections.get("end"),
        ) else {
            return Err("the answer is not whole".to_owned());
        };
        let encoded: String = data.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded);
        let bytes = bytes.map_err(|error| format!("the transfer was damaged: {error}"))?;
        if sha256_hex(&bytes) != sum.trim() {
            return Err("the hash of what arrived is not that of what was sent".to_owned());
        }
        let status = status.trim();
        if status.is_empty() {
            return Err("etcd does not verify its own snapshot".to_owned());
        }
        Ok(Self {
            bytes,
            status: status.to_owned(),
        })
    }
}

/// Brings a snapshot back: every member gets it, as a new cluster. Standbys are kept from leading meanwhile, so that
/// the running leader, or who was the leader last, is the one to take the lead again.
///
/// # Errors
/// A file that is too large, a member's host that does not answer.
pub fn restore(view: &EtcdView<'_>, snapshot: &[u8]) -> Result<Runbook, Refusal> {
    if snapshot.len() > LARGEST || snapshot.is_empty() {
        return Err(Refusal::new(
            format!(
                "{} bytes are no snapshot that this can bring back",
                snapshot.len()
            ),
            "etcd holds only what Patroni keeps there: a few megabytes",
        ));
    }
    let silent: Vec<&str> = view
        .etcd
        .members
        .iter()
        .filter(|member| view.input.seen.get(&member.host).is_none())
        .map(|member| member.host.as_str())
        .collect();
    if !silent.is_empty() {
        return Err(Refusal::new(
            format!(
                "{}: all members must take part, and these hosts do not answer",
                silent.join(", ")
            ),
            "start them, or take them out of the inventory first",
        ));
    }
    let hosts: Vec<&HostName> = view
        .etcd
        .members
        .iter()
        .map(|member| &member.host)
        .collect();
    let aim = "etcd begins anew with the keys of the snapshot".to_owned();
    let mut book = book(view, "etcd restore", aim);
    book.consent = Consent::Name;
    book.risks = vec![
        "groups take no writes from the moment when etcd stops until their leader has its key again".to_owned(),
        "what was written to etcd after the snapshot is lost; the old data is moved aside".to_owned(),
    ];
    let all = |script: &dyn Fn(&HostName) -> Script| -> BTreeMap<HostName, Script> {
        hosts
            .iter()
            .map(|host| ((*host).clone(), script(host)))
            .collect()
    };
    let standbys = standbys(view);
    book.steps.push(Step::on_all(
        all(&|_| upload(snapshot)),
        "upload",
        "bring the snapshot to every member, and verify it",
    ));
    if !standbys.is_empty() {
        let scripts = standbys.iter().map(|host| (host.clone(), hold())).collect();
        book.steps.push(
            Step::on_all(
                scripts,
                "hold",
                "stop Patroni of the standbys, so that none of them wins",
            )
            .with_impact(Impact::Restart)
            .within(120),
        );
    }
    book.steps.push(
        Step::on_all(all(&|_| stop()), "stop", "stop etcd everywhere")
            .with_impact(Impact::Failover)
            .within(60),
    );
    book.steps.push(Step::on_all(
        all(&|_| unpack(view)),
        "unpack",
        "make the data of every member from the snapshot",
    ));
    book.steps
        .push(Step::on_all(all(&|_| start()), "start", "start etcd everywhere").within(60));
    if let Some(first) = hosts.first() {
        book.steps.push(Step::on(
            first,
            "forget",
            "take the leader keys of the past away",
            forget(view),
        ));
    }
    book.steps.push(
        Step::on_all(
            lead(view),
            "lead",
            "Patroni of the leaders begins anew, PostgreSQL stays up",
        )
        .with_impact(Impact::Failover)
        .within(120),
    );
    if !standbys.is_empty() {
        let scripts = standbys
            .iter()
            .map(|host| (host.clone(), release()))
            .collect();
        book.steps
            .push(Step::on_all(scripts, "release", "start Patroni of the standbys").within(120));
    }
    book.steps.push(Step::on_all(
        all(&|_| clean()),
        "clean",
        "take the temporary files away",
    ));
    Ok(book)
}

/// Hosts whose PostgreSQL follows. In a group where nobody leads, all but the one that is furthest ahead.
fn standbys(view: &EtcdView<'_>) -> Vec<HostName> {
    let groups = view.input.model.groups().map(|(_, group)| group);
    let others = groups.flat_map(|group| {
        let first = first(view, group).map(|member| &member.host);
        let members = group.members.iter().map(|member| &member.host);
        members.filter(move |host| Some(*host) != first)
    });
    others
        .filter(|host| view.input.seen.get(host).is_some())
        .cloned()
        .collect()
}

/// Who leads a group, or is to lead it.
fn first<'a>(view: &EtcdView<'_>, group: &'a Group) -> Option<&'a Instance> {
    let rank = |host: &HostName| {
        let pg = view.input.seen.get(host).and_then(|seen| seen.pg.as_ref());
        pg.map(|pg| (pg.up && !pg.recovery, pg.timeline, pg.lsn))
    };
    group.members.iter().max_by_key(|member| rank(&member.host))
}

const FILE: &str = "/run/citusctl/etcd-restore.db";

fn upload(snapshot: &[u8]) -> Script {
    let encoded = base64::engine::general_purpose::STANDARD.encode(snapshot);
    let sum = sha256_hex(snapshot);
    let act = format!(
        "mkdir -p /run/citusctl\n(umask 077; base64 -d >{FILE} <<'CITUSCTL_END'\n{encoded}\nCITUSCTL_END\n)\n\
         etcdutl snapshot status {FILE} >/dev/null 2>&1 || ETCDCTL_API=3 etcdctl snapshot status {FILE} >/dev/null 2>&1 || {{ echo 'this is no snapshot of etcd'; exit 1; }}"
    );
    let holds = format!(
        "[ -e {FILE} ] && [ \"$(sha256sum <{FILE} | cut -d' ' -f1)\" = {sum} ] || {{ echo 'the snapshot is not there'; false; }}"
    );
    Script::new(act, holds)
}

fn hold() -> Script {
    Script::new(
        "systemctl stop patroni.service",
        "if systemctl is-active -q patroni.service; then echo 'Patroni still runs'; false; fi",
    )
}

fn stop() -> Script {
    Script::new(
        "etcd_stop",
        "if systemctl is-active -q etcd.service; then echo 'etcd still runs'; false; fi",
    )
}

/// `etcdutl` came with 3.5; before it `etcdctl` did this. A mark beside the data says which run made it.
fn unpack(view: &EtcdView<'_>) -> Script {
    let peer = view.etcd.peer_port;
    let act = format!(
        "new=$ETCD_DATA/restored; rm -rf \"$new\"\n\
         tool=etcdutl; command -v etcdutl >/dev/null || tool=etcdctl\n\
         ETCDCTL_API=3 $tool snapshot restore {FILE} --name \"$ETCD_NAME\" --initial-cluster {cluster} \
         --initial-cluster-token {token} --initial-advertise-peer-urls \"$ETCD_PEER\" --data-dir \"$new\" >\"$ETCD_DATA.log\" 2>&1 \
         || {{ tail -n 1 \"$ETCD_DATA.log\"; rm -f \"$ETCD_DATA.log\"; exit 1; }}\n\
         rm -f \"$ETCD_DATA.log\"\n\
         move_aside \"$ETCD_DATA/member\"\nmv -T \"$new/member\" \"$ETCD_DATA/member\"; rm -rf \"$new\"\n\
         chown -R etcd:etcd \"$ETCD_DATA\"; printf '%s\\n' \"$RUN\" >/run/citusctl/etcd-restored",
        cluster = quote(&view.etcd.initial_cluster()),
        token = quote(&format!("{}-{peer}", view.etcd.name)),
    );
    let holds = "[ \"$(cat /run/citusctl/etcd-restored 2>/dev/null)\" = \"$RUN\" ] || { echo 'not yet made'; false; }";
    Script::new(act, holds)
}

fn start() -> Script {
    Script::new(
        "systemctl reset-failed etcd.service 2>/dev/null || :\nsystemctl start --no-block etcd.service",
        "etcd_majority || { echo 'it takes no part yet'; false; }",
    )
}

/// The keys of the past name a leader and standbys of the past: they go.
fn forget(view: &EtcdView<'_>) -> Script {
    let groups = view
        .input
        .model
        .groups()
        .map(|(_, group)| &group.dcs_prefix);
    let mut act: String = groups
        .flat_map(|prefix| [format!("{prefix}sync"), format!("{prefix}leader")])
        .map(|key| format!("etcd_ctl del {} >/dev/null\n", quote(&key)))
        .collect();
    act.push_str(": >/run/citusctl/etcd-forgot-$RUN");
    Script::new(
        act,
        "[ -e /run/citusctl/etcd-forgot-$RUN ] || { echo 'the old keys are still there'; false; }",
    )
}

/// Patroni of the leaders begins anew beside its running PostgreSQL: what etcd gave it to prove itself is of the future
/// now, and etcd would keep it waiting until that future has come.
fn lead(view: &EtcdView<'_>) -> BTreeMap<HostName, Script> {
    let groups = view.input.model.groups().map(|(_, group)| group);
    let script = |group: &Group| {
        let member = first(view, group)?;
        view.input.seen.get(&member.host)?;
        let act = ": >/run/citusctl/patroni-anew-$RUN\nsystemctl kill -s KILL --kill-who=main patroni.service 2>/dev/null || :\n\
            systemctl reset-failed patroni.service 2>/dev/null || :\nsystemctl start --no-block patroni.service";
        let holds = format!(
            "[ -e /run/citusctl/patroni-anew-$RUN ] || {{ echo 'Patroni is still the old one'; false; }}\n\
             writes=$(sql postgres 'SELECT NOT pg_is_in_recovery()' 2>/dev/null) || :\n\
             [ \"$writes\" = t ] || {{ echo '{name} takes no writes yet'; false; }}\n\
             systemctl is-active -q patroni || {{ echo 'Patroni does not run yet'; false; }}",
            name = member.name,
        );
        Some((member.host.clone(), Script::new(act, holds)))
    };
    groups.filter_map(script).collect()
}

fn release() -> Script {
    Script::new(
        "systemctl reset-failed patroni.service 2>/dev/null || :\nsystemctl start --no-block patroni.service",
        "said=$(sql postgres \"SELECT coalesce((SELECT status FROM pg_stat_wal_receiver), 'not streaming')\" 2>&1) || { echo 'PostgreSQL does not answer yet'; false; }\n[ \"$said\" = streaming ] || { echo \"$said\"; false; }",
    )
}

fn clean() -> Script {
    Script::new(
        format!(
            "systemctl try-restart vip-manager.service 2>/dev/null || :\nrm -f {FILE} /run/citusctl/etcd-restored /run/citusctl/etcd-forgot-* /run/citusctl/patroni-anew-*"
        ),
        format!("[ ! -e {FILE} ]"),
    )
}
