//! Whether etcd can be trusted to survive.

use super::{LintRule, Placed, Scope, list, repeated, text};
use crate::inventory::InvHost;
use crate::inventory::param;
use crate::inventory::parameters::Typed;
use crate::model::build::{clusters, etcd, place_of};
use crate::model::{Etcd, EtcdMember, Formation, Group};
use crate::source::{Diagnostic, Span};

pub(super) const RULES: &[LintRule] = &[
    no_etcd,
    duplicate_etcd_seq,
    outside_group,
    other_name,
    even_etcd,
    single_etcd,
    many_etcd,
    on_one_group,
];

fn no_etcd(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let needs = |host: &&InvHost| {
        clusters::cluster_of(host).is_some() && Typed::new(&host.vars).get(param::PATRONI_ENABLED)
    };
    let Some(host) = scope.hosts().find(needs) else {
        return Vec::new();
    };
    if etcd::members(scope.inv).next().is_some() {
        return Vec::new();
    }
    let problem = Diagnostic::error(
        "no-etcd",
        "there is no etcd for Patroni to keep its state in",
    )
    .at(
        place_of(host, "pg_cluster"),
        "its leader is elected through etcd",
    )
    .help("add a group `etcd` of three hosts, each with its own `etcd_seq`");
    vec![problem]
}

fn duplicate_etcd_seq(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let seq = |host: &&InvHost| Typed::new(&host.vars).get(param::ETCD_SEQ);
    let hosts: Vec<_> = etcd::members(scope.inv)
        .filter(|host| seq(host).is_some())
        .collect();
    let free = hosts.iter().filter_map(seq).max().unwrap_or(0) + 1;
    let problem = |(first, second): (&&InvHost, &&InvHost)| {
        let number = seq(second).unwrap_or_default();
        let message = format!("two members of etcd have `etcd_seq: {number}`");
        Diagnostic::error("duplicate-etcd-seq", message)
            .at(place_of(second, "etcd_seq"), "again")
            .see(place_of(first, "etcd_seq"), "first here")
            .help(format!(
                "give `{}` a number of its own; {free} is free",
                second.name
            ))
    };
    repeated(&hosts, seq).into_iter().map(problem).collect()
}

/// An `etcd_seq` outside of the group does nothing.
fn outside_group(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let inside: Vec<_> = etcd::members(scope.inv).map(|host| &host.name).collect();
    let outside = scope
        .inv
        .hosts
        .values()
        .filter(|host| host.vars.contains("etcd_seq") && !inside.contains(&&host.name));
    let found = outside.map(|host| {
        let message = format!(
            "host `{}` has `etcd_seq` but is not in the group `etcd`",
            host.name
        );
        Diagnostic::error("etcd-outside-group", message)
            .at(place_of(host, "etcd_seq"), "does nothing here")
            .help("list the host under `all.children.etcd.hosts`")
    });
    found.collect()
}

fn other_name(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let odd = etcd::members(scope.inv).find(|host| text(host, "etcd_cluster") != etcd::GROUP);
    let found = odd.map(|host| {
        let name = text(host, "etcd_cluster");
        let message = format!("the etcd cluster is called `{name}`, its group `etcd`");
        Diagnostic::warning("etcd-name", message)
            .at(
                place_of(host, "etcd_cluster"),
                "Pigsty itself would look for a group of this name",
            )
            .help("leave `etcd_cluster` out, unless members of that name run already")
    });
    found.into_iter().collect()
}

fn member_place(scope: &Scope<'_>, member: &EtcdMember) -> Option<Span> {
    Some(place_of(scope.host(&member.host)?, "etcd_seq"))
}

fn even_etcd(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let Some(etcd) = scope
        .etcd
        .filter(|etcd| etcd.voters() > 0 && etcd.voters() % 2 == 0)
    else {
        return Vec::new();
    };
    let (voters, tolerance) = (etcd.voters(), etcd.tolerance());
    let message = format!("etcd has {voters} members, an even number");
    let problem = Diagnostic::warning("even-etcd", message)
        .at_if(
            etcd.members.last().and_then(|m| member_place(scope, m)),
            "this one adds no safety",
        )
        .help(match voters {
            2 => "losing either of two stops etcd: use three".to_owned(),
            _ => format!(
                "{voters} members survive the loss of {tolerance}, as {} do: use {} or {}",
                voters - 1,
                voters - 1,
                voters + 1
            ),
        });
    vec![problem]
}

fn single_etcd(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let Some(etcd) = scope.etcd.filter(|etcd| etcd.voters() == 1) else {
        return Vec::new();
    };
    if scope.model.hosts.len() < 2 {
        return Vec::new();
    }
    let problem = Diagnostic::warning("single-etcd", "etcd has a single member")
        .at_if(
            etcd.members.first().and_then(|m| member_place(scope, m)),
            "without it no leader can be elected",
        )
        .help("put etcd on three hosts that do not fail together");
    vec![problem]
}

fn many_etcd(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let Some(etcd) = scope.etcd.filter(|etcd| etcd.voters() > 7) else {
        return Vec::new();
    };
    let message = format!("etcd has {} voting members", etcd.voters());
    let problem = Diagnostic::warning("many-etcd", message)
        .at_if(
            etcd.members.last().and_then(|m| member_place(scope, m)),
            "every write waits for more",
        )
        .help("three or five members are enough; others may be `etcd_learner: true`");
    vec![problem]
}

/// A formation dies as a whole if one group's hosts take etcd's majority with them.
///
/// In a plain cluster of three hosts that carry etcd as well this is how things are.
fn on_one_group(scope: &Scope<'_>) -> Vec<Diagnostic> {
    let Some(etcd) = scope.etcd.filter(|etcd| etcd.tolerance() > 0) else {
        return Vec::new();
    };
    let groups = scope.model.formations.iter().filter(|f| f.groups.len() > 1);
    let groups = groups.flat_map(|f| f.groups.iter().map(move |group| (f, group)));
    groups
        .filter_map(|(f, group)| majority_on(scope, etcd, f, group))
        .collect()
}

fn majority_on(
    scope: &Scope<'_>,
    etcd: &Etcd,
    formation: &Formation,
    group: &Group,
) -> Option<Diagnostic> {
    let lives = |member: &&EtcdMember| group.members.iter().any(|pg| pg.host == member.host);
    let here: Vec<_> = etcd.members.iter().filter(lives).collect();
    if here.len() <= etcd.tolerance() {
        return None;
    }
    let names = list(here.iter().map(|member| &member.name));
    let message = format!("{names} all live on the hosts of `{}`", group.cluster);
    let first = here.first().and_then(|member| member_place(scope, member));
    Some(
        Diagnostic::warning("etcd-on-one-group", message)
            .at_if(first, format!("etcd survives the loss of {}, not of these", etcd.tolerance()))
            .help(format!(
                "spread etcd over the groups of `{}`, or use hosts of their own: otherwise the loss \
                 of this one group stops all groups",
                formation.name
            )),
    )
}
