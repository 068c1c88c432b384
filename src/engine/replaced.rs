//! Hosts that take the place of dead ones: asked before consent, of hosts that live. Nothing is asked where every member
//! has its data.

use super::gate::exec;
use super::look::futures_join;
use super::{Patroni, Run};
use crate::command::quote;
use crate::model::etcd::FUNCTIONS;
use crate::model::{Etcd, EtcdMember, Group, Instance};
use crate::names::{HostName, ResourceId};
use crate::plan::{Refusal, Seen};
use crate::runbook::etcd;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// What is to be known of a start before consent, and what forbids it.
#[derive(Debug, Default)]
pub struct Replaced {
    /// Host, resource, and why it is done.
    pub words: Vec<(HostName, ResourceId, String)>,
    pub refusals: Vec<Refusal>,
}

/// Asks about hosts without data whose place others know.
pub async fn replaced(run: &Run<'_>, seen: &Seen) -> Replaced {
    let mut found = Replaced::default();
    members(run, seen, &mut found).await;
    for (_, group) in run.model.groups() {
        instances(run, seen, group, &mut found).await;
    }
    found
}

/// Members of etcd, by what the living ones list.
async fn members(run: &Run<'_>, seen: &Seen, found: &mut Replaced) {
    let Some(etcd) = &run.model.etcd else {
        return;
    };
    let looked = etcd.members.iter();
    let looked = looked.filter_map(|member| Some((member, seen.hosts.get(&member.host)?)));
    let (living, joining): (Vec<_>, Vec<_>) = looked.partition(|(_, host)| host.kept.etcd);
    if joining.is_empty() {
        return;
    }
    if living.is_empty() {
        found.refusals.extend(left_behind(run, seen, etcd).await);
        return;
    }
    let joining: Vec<&EtcdMember> = joining.into_iter().map(|(member, _)| member).collect();
    let asked = living.iter().map(|(member, _)| async {
        let text = etcd::replaced_question(etcd, member, &joining);
        exec(run, &member.host, &text).await
    });
    let answers: Vec<String> = futures_join(asked).await.into_iter().flatten().collect();
    for member in joining {
        let (host, id) = (member.host.clone(), ResourceId::new("etcd/service"));
        match etcd::replaces(etcd, member, &answers) {
            Ok(None) => {}
            Ok(Some(words)) => found.words.push((host, id, words)),
            Err(refusal) => found.refusals.push(Refusal {
                host,
                id,
                reason: refusal.reason,
                hint: refusal.hint,
            }),
        }
    }
}

/// An etcd that is to be made beside one that groups use: Patroni would be moved to an empty store, one member at a time, and two
/// of them would lead.
async fn left_behind(run: &Run<'_>, seen: &Seen, etcd: &Etcd) -> Vec<Refusal> {
    let groups = run.model.groups().map(|(_, group)| group);
    let members = groups.flat_map(|group| &group.members);
    let with_data = members.filter(|member| seen.has_data(&member.host) == Some(true));
    let text = others_text(etcd);
    let asked = with_data.map(|member| {
        let text = &text;
        async move { (member, exec(run, &member.host, text).await) }
    });
    let answers = futures_join(asked).await.into_iter();
    let told = answers.filter_map(|(member, said)| {
        let said = said.ok()?;
        let place = said.lines().next()?.trim().to_owned();
        (!place.is_empty()).then_some((member, place))
    });
    told.map(|(member, place)| Refusal {
        host: member.host.clone(),
        id: ResourceId::new("etcd/service"),
        reason: format!(
            "{} uses the etcd at {place}, which answers, and no member of the inventory's etcd has its data: they would begin with an empty one, and two members could lead",
            member.name
        ),
        hint: "leave a member of the old etcd in the inventory, apply, and take it out once the others have its data (`citusctl etcd remove`)".to_owned(),
    })
    .collect()
}

/// Shell text that prints each place of etcd in Patroni's file that is none of these and takes connections.
fn others_text(etcd: &Etcd) -> String {
    let ours = etcd.members.iter();
    let ours: Vec<String> = ours
        .map(|member| SocketAddr::new(member.address, etcd.client_port).to_string())
        .collect();
    others_program(&ours)
}

fn others_program(ours: &[String]) -> String {
    format!(
        "OURS={}\n\
         for place in $(sed -n '/^etcd3:/,/^[a-z]/s/^ *- *//p' /etc/patroni/citusctl.yml 2>/dev/null | tr -d \"'\\\"\"); do\n\
         case \" $OURS \" in *\" $place \"*) continue ;; esac\n\
         at=${{place%:*}}; at=${{at#[}}; at=${{at%]}}\n\
         timeout 3 python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' \"$at\" \"${{place##*:}}\" 2>/dev/null && echo \"$place\"\n\
         done; :\n",
        quote(&ours.join(" "))
    )
}

/// Members of a group: Patroni lists who was there last, until its key has run out.
async fn instances(run: &Run<'_>, seen: &Seen, group: &Group, found: &mut Replaced) {
    let looked = group.members.iter();
    let looked = looked.filter_map(|member| Some((member, seen.hosts.get(&member.host)?)));
    let (living, joining): (Vec<_>, Vec<_>) =
        looked.partition(|(_, host)| host.kept.data.is_some());
    let living: Vec<&Instance> = living.into_iter().map(|(member, _)| member).collect();
    if living.is_empty() {
        return;
    }
    let known = seen.groups.get(&group.cluster);
    for member in &living {
        let elsewhere = known.and_then(|known| known.member(&member.name)?.elsewhere);
        if let Some(at) = elsewhere
            && let Some(who) = somebody_at(run, &living, at).await
        {
            found.refusals.push(given_away(member, at, &who));
        }
    }
    for (member, _) in joining {
        let id = ResourceId::new("patroni/service");
        let elsewhere = match former(run, &living, member).await {
            None => String::new(),
            Some(at) => match somebody_at(run, &living, at).await {
                Some(who) => {
                    found.refusals.push(not_gone(member, at, &who, id));
                    continue;
                }
                None => format!("{} was at {at}, where nobody answers; ", member.name),
            },
        };
        let words = format!("{elsewhere}no data is here: it is cloned from its leader");
        found.words.push((member.host.clone(), id, words));
    }
}

/// Where Patroni knows a member of this name, other than here.
async fn former(run: &Run<'_>, living: &[&Instance], member: &Instance) -> Option<IpAddr> {
    for witness in living {
        let Some(patroni) = Patroni::of(run, witness) else {
            continue;
        };
        if let Ok(answer) = patroni.get("/cluster").await {
            return address_of(&answer, member.name.as_str()).filter(|at| *at != member.address);
        }
    }
    None
}

fn address_of(cluster: &Value, name: &str) -> Option<IpAddr> {
    let members = cluster.get("members")?.as_array()?;
    let named = |member: &&Value| member.get("name").and_then(Value::as_str) == Some(name);
    let host = members.iter().find(named)?.get("host")?.as_str()?;
    host.parse().ok()
}

/// Who answers at an address, as any of the living sees it.
async fn somebody_at(run: &Run<'_>, living: &[&Instance], at: IpAddr) -> Option<String> {
    let text = |port: u16| {
        format!(
            "{FUNCTIONS}host_answers {} 22 {port} || :",
            quote(&at.to_string())
        )
    };
    let asked = living
        .iter()
        .map(|witness| async { exec(run, &witness.host, &text(witness.port)).await });
    let answers = futures_join(asked).await.into_iter().flatten();
    answers
        .map(|said| said.trim().to_owned())
        .find(|said| !said.is_empty())
}

/// An inventory that is older than what runs: carried out, it would take the living member's place away.
fn given_away(member: &Instance, at: IpAddr, who: &str) -> Refusal {
    Refusal {
        host: member.host.clone(),
        id: ResourceId::new("patroni/service"),
        reason: format!(
            "{} runs at {at}, where {who} answers, and not on this host: this inventory is older than what runs, or the host that was replaced is back under its name",
            member.name
        ),
        hint: format!(
            "take the inventory that has {at}; or, if {} belongs here: switch {at} off for good, after another member leads (`citusctl status`)",
            member.name
        ),
    }
}

fn not_gone(member: &Instance, at: IpAddr, who: &str, id: ResourceId) -> Refusal {
    Refusal {
        host: member.host.clone(),
        id,
        reason: format!(
            "{} is a member at {at}, which is not gone: {who} answers",
            member.name
        ),
        hint: format!(
            "switch that machine off for good; or, with its line in the inventory as before: `citusctl apply pgsql-rm -l {at}`, then the new line"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_etcd_of_before_is_told_from_ours() {
        let dir = tempfile::tempdir().expect("a directory");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let file = dir.path().join("patroni.yml");
        let text = format!(
            "restapi:\n  x: 1\netcd3:\n  hosts:\n    - 10.0.0.1:2379\n    - '127.0.0.1:{port}'\n    - 127.0.0.1:1\n  protocol: https\npostgresql:\n  x:\n    - 127.0.0.1:{port}\n"
        );
        std::fs::write(&file, text).expect("written");
        let said = |ours: &str| {
            let program = others_program(&[ours.to_owned()]);
            let program = program.replace("/etc/patroni/citusctl.yml", &file.display().to_string());
            let output = std::process::Command::new("sh")
                .args(["-c", &program])
                .output();
            String::from_utf8(output.expect("a shell").stdout).expect("text")
        };
        assert_eq!(said("10.0.0.1:2379"), format!("127.0.0.1:{port}\n"));
        let ours = format!("10.0.0.1:2379 127.0.0.1:{port}");
        assert_eq!(said(&ours), "");
    }

    #[test]
    fn a_member_is_where_patroni_lists_it() {
        let cluster = json!({"members": [{"name": "a-1", "host": "10.0.0.1"}, {"name": "a-2"}]});
        assert_eq!(
            address_of(&cluster, "a-1"),
            Some(IpAddr::from([10, 0, 0, 1]))
        );
        assert_eq!(address_of(&cluster, "a-2"), None);
        assert_eq!(address_of(&cluster, "a-3"), None);
    }
}
