//! HAProxy pinned to the survivor: its checks ask Patroni, which is not there. The files as they were are kept, and
//! put back when the recover is left.

use super::{Case, Input};
use crate::command::given;
use crate::model::{Group, Host, Model, Service};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Script, Step};
use std::collections::BTreeMap;

/// Where the unpinned files are kept.
const KEPT: &str = "/etc/citusctl/pinned";

/// Reachable hosts with services that lead to the group.
pub(super) fn hosts(case: &Case<'_>) -> Vec<HostName> {
    let hosts = leading_to(case.input.model, case.group);
    let here = hosts.filter(|host| case.host_seen(&host.name).is_some());
    here.map(|host| host.name.clone()).collect()
}

fn leading_to<'a>(model: &'a Model, group: &'a Group) -> impl Iterator<Item = &'a Host> {
    let hosts = model.hosts().filter(|host| host.haproxy);
    hosts.filter(move |host| host.services.iter().any(|service| leads(service, group)))
}

fn leads(service: &Service, group: &Group) -> bool {
    let mut servers = service
        .servers
        .iter()
        .filter_map(|server| server.instance.as_ref());
    servers.any(|name| group.members.iter().any(|member| member.name == *name))
}

/// Pins every service of every reachable HAProxy that leads to the group.
pub(super) fn pin(case: &Case<'_>) -> Option<Step> {
    let wanted = hosts(case);
    let hosts = case
        .input
        .model
        .hosts()
        .filter(|host| wanted.contains(&host.name));
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| (host.name.clone(), pin_script(case, host)))
        .collect();
    let title = format!(
        "pin HAProxy's services of {} to {}, without checks",
        case.group.cluster, case.survivor.name
    );
    // An HAProxy that does not take it is told; others may serve.
    (!scripts.is_empty()).then(|| {
        Step::on_all(scripts, "haproxy", title)
            .with_impact(Impact::Reload)
            .optional()
    })
}

/// Gone with a reboot, after which HAProxy starts as the files say.
fn stamp(group: &Group) -> String {
    format!("/run/citusctl/pinned-{}", group.cluster)
}

fn pin_script(case: &Case<'_>, host: &Host) -> Script {
    let services = host
        .services
        .iter()
        .filter(|service| leads(service, case.group));
    let files: Vec<String> = services
        .map(|service| format!("{}.cfg", service.name))
        .collect();
    let others: Vec<&str> = case
        .group
        .members
        .iter()
        .filter(|member| member.name != case.survivor.name)
        .map(|member| member.name.as_str())
        .collect();
    let stamp = stamp(case.group);
    let values = [
        ("PINNED", KEPT),
        ("FILES", &files.join(" ")),
        ("MEMBER", case.survivor.name.as_str()),
        ("OTHERS", &format!(" {} ", others.join(" "))),
        ("STAMP", &stamp),
    ];
    Script::new(
        given(&values, include_str!("scripts/pin.sh")),
        given(&[("STAMP", &stamp)], "[ -e \"$STAMP\" ]"),
    )
}

/// Puts HAProxy's files back as they were.
pub(super) fn unpin(input: Input<'_>) -> Option<Step> {
    let act = given(&[("PINNED", KEPT)], include_str!("scripts/unpin.sh"));
    let hosts = input
        .model
        .hosts()
        .filter(|host| host.haproxy && input.seen.hosts.contains_key(&host.name));
    let scripts: BTreeMap<HostName, Script> = hosts
        .map(|host| {
            (
                host.name.clone(),
                Script::new(&act, format!("[ ! -e {KEPT} ]")),
            )
        })
        .collect();
    let step = |scripts| Step::on_all(scripts, "unpin", "put HAProxy's services back as they were");
    (!scripts.is_empty()).then(|| step(scripts).with_impact(Impact::Reload))
}

/// Binds the group's address on the survivor, and tells the network. It stays when we go.
pub(super) fn bind(case: &Case<'_>) -> Option<Step> {
    let vip = case.group.vip.as_ref()?;
    let own = case.survivor.address.to_string();
    let (address, prefix) = (vip.address.to_string(), vip.prefix.to_string());
    let values = [
        ("ADDRESS", address.as_str()),
        ("PREFIX", &prefix),
        ("INTERFACE", vip.interface.as_deref().unwrap_or_default()),
        ("OWN", &own),
        ("ANNOUNCE", include_str!("scripts/announce.py")),
    ];
    let act = given(&values, include_str!("scripts/address-bind.sh"));
    let holds = given(&values[..1], include_str!("scripts/address-bound.sh"));
    let step = Step::on(
        &case.survivor.host,
        "vip",
        format!("bind {} here, and announce it", vip.address),
        Script::new(act, holds),
    );
    Some(step.within(5).optional())
}

/// Hands the address back to vip-manager where there is one.
pub(super) fn unbind(group: &Group, survivor: &HostName) -> Option<Step> {
    let vip = group.vip.as_ref()?;
    let (address, prefix) = (vip.address.to_string(), vip.prefix.to_string());
    let values = [("ADDRESS", address.as_str()), ("PREFIX", &prefix)];
    let act = given(&values, include_str!("scripts/address-unbind.sh"));
    let title = format!("give {} back to vip-manager", vip.address);
    Some(
        Step::on(
            survivor,
            "vip",
            title,
            Script::new(act, "[ -e \"/run/citusctl/vip-$RUN\" ]"),
        )
        .optional(),
    )
}
